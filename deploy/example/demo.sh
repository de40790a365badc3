#!/usr/bin/env bash
# The demo: a sample plant in a home of its own (.demo), the real weights from the usual home, questions in both languages.
# Everything below is the ordinary command line; continue by hand with the two variables that it prints.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
data_home="${XDG_DATA_HOME:-$HOME/.local/share}"
export WATCHKEEPER_WEIGHTS__FOLDER="${WATCHKEEPER_WEIGHTS__FOLDER:-${WATCHKEEPER_HOME:-$data_home/watchkeeper}/weights}"
export WATCHKEEPER_HOME="$root/.demo"
export WATCHKEEPER_CONFIG="$here/watchkeeper.toml"
export WATCHKEEPER_MAINTENANCE__MACHINES="$here/machines.toml"

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

step "Weights (1.6 GB the first time, resumable; each file is checked against its pinned digest)"
watchkeeper weights pull ocr-small ocr-tiny embed dictionary qwen2.5-0.5b qwen2.5-1.5b

step "The sample plant: manuals and 90 days of alarms (written as an example, see deploy/example/SOURCES.md)"
watchkeeper kb add "$here/manuals"
watchkeeper logs import "$here/alarms.csv"

step "Questions about deploy/example/panel.png; the third asks again about the same photo"
watchkeeper ask --explain --photo "$here/panel.png" \
  "循环变频故障这个报警灯代表什么?最近三天有没有类似记录?该怎么处理?" \
  "Which readings on this panel are out of range?" \
  "补水变频故障呢,最近一个月发生了几次?"

step "The same in the other language"
watchkeeper ask --explain --photo "$here/panel.png" \
  "What does the alarm lamp 循环变频故障 mean? Were there similar records in the last three days? What should be done?" \
  "面板上哪些读数超出范围?" \
  "How often did 补水变频故障 happen in the last month?"

step "In the field: what was measured, the rule with its article, the verdict; a type plate and its list"
export WATCHKEEPER_FIELD__SHEET="$here/field/field.toml"
watchkeeper kb add "$here"/field/*.md "$here"/nameplate/*.md
watchkeeper ask "最近三天降雨量多少?今天适合打药吗?" "Can we ship from the cold store now?"
watchkeeper ask --photo "$here/nameplate/plate.jpg" "这台电机要淘汰吗?依据哪一条?"

step "watchkeeper logs: the plant's latest events"
watchkeeper logs | head -n 12

step "watchkeeper audit verify"
watchkeeper audit verify

printf '\nContinue by hand:\n  export WATCHKEEPER_HOME=%q WATCHKEEPER_CONFIG=%q WATCHKEEPER_WEIGHTS__FOLDER=%q\n  %s ask "…"\n' \
  "$WATCHKEEPER_HOME" "$WATCHKEEPER_CONFIG" "$WATCHKEEPER_WEIGHTS__FOLDER" "${root}/.venv/bin/watchkeeper"
