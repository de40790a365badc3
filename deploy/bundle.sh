#!/usr/bin/env bash
# Makes what install.sh installs without a network: bundle.sh [OPTIONS] OUT
#
#   --weights "NAMES"     of `watchkeeper weights list`; none leaves them out (by default what suits a 4 GB box)
#   --features LIST       extras of the package (server,reports,devices); others: opcua, postgres, sql, painter, voice
#   --arch ARCH           x86_64 or aarch64, of the box (this machine's)
#   --python VERSION      of the box: 3.11 on Debian 12, 3.12 on Ubuntu 24.04 (this machine's)
#   --native              compile for exactly this processor: faster, and only for boxes that have the same one
#   --find-links FOLDER   wheels that are taken before any others, such as one compiled on an arm64 machine
#
# A bundle is a plain folder for a USB stick: MANIFEST, SHA256SUMS, wheels/, weights/ and what lies in this folder.
# It is written beside OUT and renamed when it is whole, so a bundle that was cut off is none.
set -Eeuo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(dirname "$HERE")
# shellcheck source=deploy/common.sh
. "$HERE/common.sh"
trap 'failed_at $LINENO' ERR

WEIGHTS="qwen2.5-1.5b qwen2.5-0.5b ocr-small ocr-tiny embed dictionary"
FEATURES=server,reports,devices
ARCH=$(uname -m)
VERSION=""
NATIVE=""
LINKS=()
OUT=""
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/bundle

main() {
    read_options "$@"
    find_python
    PART=$OUT.part
    rm -rf "$PART"
    mkdir -p "$PART/wheels"
    if is_own_kind; then own_wheels; else other_wheels; fi
    one_version_each
    [ "$WEIGHTS" = none ] || take_weights
    take_files
    seal
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --weights | --features | --arch | --python | --find-links)
                [ $# -ge 2 ] || die "$1 needs a value" "see the head of $0"
                case $1 in
                    --weights) WEIGHTS=$2 ;;
                    --features) FEATURES=$2 ;;
                    --arch) ARCH=$2 ;;
                    --python) VERSION=$2 ;;
                    --find-links) LINKS+=(--find-links "$(realpath "$2")") ;;
                esac
                shift 2
                ;;
            --native) NATIVE=yes; shift ;;
            -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
            -*) die "$1: no such option" "see: $0 --help" ;;
            *) OUT=$(realpath -m "$1"); shift ;;
        esac
    done
    [ -n "$OUT" ] || die "no folder was given for the bundle" "bundle.sh /media/usb/watchkeeper"
    [ ! -e "$OUT" ] || die "$OUT: is there already" "remove it, or give another folder"
    case $ARCH in x86_64 | aarch64) ;; *) die "$ARCH: not supported" "use x86_64 or aarch64" ;; esac
}

find_python() {
    step "Python"
    PYTHON=${PYTHON:-$SOURCE/.venv/bin/python}
    [ -x "$PYTHON" ] || PYTHON=$(command -v python3) || die "python3 is missing" "apt-get install python3 python3-venv"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$PYTHON is older than 3.11" "use Debian 12, Ubuntu 24.04 or newer, or set PYTHON"
    VERSION=${VERSION:-$(python_version "$PYTHON")}
    SCRATCH=$(mktemp -d)
    trap 'rm -rf "$SCRATCH"' EXIT
    if ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
        "$PYTHON" -m venv "$SCRATCH/venv" || die "no virtual environment can be made" "apt-get install python3-venv"
        PYTHON=$SCRATCH/venv/bin/python
    fi
    say "$PYTHON, for Python $VERSION on $ARCH"
}

is_own_kind() { [ "$ARCH" = "$(uname -m)" ] && [ "$VERSION" = "$(python_version "$PYTHON")" ]; }

pip() { "$PYTHON" -m pip --quiet --quiet --disable-pip-version-check "$@"; }

pinned() { grep -m1 -i "^$1==" "$SOURCE/constraints.txt"; }

# llama.cpp is compiled for the processor it is compiled on, unless told otherwise; what another box lacks of it would
# end the program there. pip's own cache does not know the difference, so the portable wheel has one of its own.
compiled_wheels() {
    local core folder
    core=$(pinned llama-cpp-python)
    [ -z "$NATIVE" ] || return 0
    folder=$CACHE/$core-$(uname -m)
    if ! compgen -G "$folder/*.whl" >/dev/null; then
        for tool in gcc g++; do
            command -v $tool >/dev/null || die "$tool is missing" "apt-get install gcc g++"
        done
        say "compiling llama.cpp for every $(uname -m) box; the first time it takes some minutes"
        mkdir -p "$folder"
        CMAKE_ARGS="-DGGML_NATIVE=OFF" pip wheel --no-cache-dir --no-deps --no-binary llama-cpp-python \
            --wheel-dir "$folder" "$core"
    fi
    LINKS+=(--find-links "$folder")
    ONLY=(--only-binary llama-cpp-python)
}

own_wheels() {
    step "Wheels of $(python_version "$PYTHON"), $ARCH: $FEATURES"
    ONLY=()
    compiled_wheels
    pip wheel "${LINKS[@]}" "${ONLY[@]}" --constraint "$SOURCE/constraints.txt" --wheel-dir "$PART/wheels" \
        "${SOURCE}[$FEATURES]" "$(pinned pip)"
}

# For another kind of box: what this one would install, each as the wheel of the other.
other_wheels() {
    step "Wheels of $VERSION, $ARCH, gathered on another kind of machine: $FEATURES"
    local digits=${VERSION/./} tags=() name glibc
    for glibc in 2_36 2_35 2_34 2_31 2_28 2_27 2_26 2_17; do tags+=(--platform "manylinux_${glibc}_$ARCH"); done
    tags+=(--platform "manylinux2014_$ARCH" --platform "linux_$ARCH" --python-version "$VERSION" --implementation cp
        --abi "cp$digits" --abi abi3 --abi none)
    pip wheel --no-deps --wheel-dir "$PART/wheels" "$SOURCE"
    pip install --dry-run --ignore-installed --constraint "$SOURCE/constraints.txt" --report "$SCRATCH/all.json" \
        "${SOURCE}[$FEATURES]" "$(pinned pip)"
    "$PYTHON" -c 'import json, sys
for item in json.load(open(sys.argv[1]))["install"]:
    if item["metadata"]["name"] != "watchkeeper":
        print("{name}=={version}".format(**item["metadata"]))' "$SCRATCH/all.json" >"$SCRATCH/all.txt"
    while read -r name; do
        pip download "${LINKS[@]}" "${tags[@]}" --only-binary :all: --no-deps --dest "$PART/wheels" "$name" \
            2>"$SCRATCH/why" && continue
        case $name in
            llama[-_]cpp*) ;; # compiled, so what is made here runs here alone
            *) pip wheel "${LINKS[@]}" --no-deps --wheel-dir "$SCRATCH/made" "$name" >"$SCRATCH/why" 2>&1 || true ;;
        esac
        mv "$SCRATCH"/made/*-none-any.whl "$PART/wheels/" 2>/dev/null ||
            die "$name: there is no wheel of it for $ARCH and Python $VERSION" \
                "make one on such a machine (pip wheel --no-deps $name) and give its folder with --find-links"
    done <"$SCRATCH/all.txt"
}

one_version_each() {
    local twice
    twice=$(for wheel in "$PART"/wheels/*.whl; do basename "$wheel" | cut -d- -f1; done | sort | uniq -d)
    [ -z "$twice" ] || die "two versions of: $twice" "pin it in constraints.txt"
    say "$(find "$PART/wheels" -name '*.whl' | wc -l) wheels, $(du -sm "$PART/wheels" | cut -f1) MB"
}

# The program as the bundle brings it, where nobody has set one up here.
out_of_wheels() {
    is_own_kind || die "weights are fetched by watchkeeper, which is not here" "make setup; or give --weights none"
    "$PYTHON" -m venv --without-pip "$SCRATCH/program" >&2
    pip --python "$SCRATCH/program/bin/python" install --no-index --find-links "$PART/wheels" watchkeeper >&2
    printf '%s' "$SCRATCH/program/bin/watchkeeper"
}

# Weights come by the program itself, so that each is checked against the digest of its catalogue.
take_weights() {
    step "Weights: $WEIGHTS"
    local watchkeeper=$SOURCE/.venv/bin/watchkeeper here=${XDG_DATA_HOME:-$HOME/.local/share}/watchkeeper/weights
    [ -x "$watchkeeper" ] || watchkeeper=$(command -v watchkeeper) || watchkeeper=$(out_of_wheels)
    # shellcheck disable=SC2086 # names, one word each
    env WATCHKEEPER_HOME="$SCRATCH/home" WATCHKEEPER_WEIGHTS__FOLDER="$PART/weights" \
        WATCHKEEPER_WEIGHTS__USB_FOLDERS="[\"$here\"]" "$watchkeeper" weights pull $WEIGHTS >&2
    find "$PART/weights" \( -name '*.chunks.json' -o -name '.lock' \) -delete
    for name in $WEIGHTS; do
        find "$PART/weights/$name" -type f | grep -q . || die "$name: nothing of it is in the bundle" "report this"
    done
}

take_files() {
    step "Installer and units"
    cp "$HERE/install.sh" "$HERE/common.sh" "$HERE/services.sh" "$HERE/README.md" "$HERE/watchkeeper.toml" "$PART/"
    cp "$SOURCE/LICENSE" "$PART/"
    cp -r "$HERE/systemd" "$PART/systemd"
}

seal() {
    step "Digests"
    local wheel
    wheel=$(basename "$PART"/wheels/watchkeeper-*.whl)
    {
        echo "format=1"
        echo "version=$(echo "$wheel" | cut -d- -f2)"
        echo "arch=$ARCH"
        echo "python=$VERSION"
        echo "cpu=$([ -n "$NATIVE" ] && cpu_id || echo portable)"
        echo "features=$FEATURES"
        echo "weights=$WEIGHTS"
    } >"$PART/MANIFEST"
    (cd "$PART" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$SCRATCH/SHA256SUMS"
    cp "$SCRATCH/SHA256SUMS" "$PART/SHA256SUMS"
    sync -f "$PART/SHA256SUMS"
    mv "$PART" "$OUT"
    say "$OUT: $(du -sm "$OUT" | cut -f1) MB. On the box: sudo bash $(basename "$OUT")/install.sh"
    say "Keep this apart from the stick, and compare it on the box (install.sh --digest):"
    sha256sum "$OUT/SHA256SUMS" | cut -d' ' -f1
}

main "$@"
