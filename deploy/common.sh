# What install.sh and bundle.sh share: telling, failing, and the facts about a machine. It is read, not run.
# shellcheck shell=bash

# The step that is being done; an unexpected failure names it.
STEP="beginning"
DRY_RUN=${DRY_RUN:-}

say() { printf '%s\n' "$*" >&2; }

step() {
    STEP=$1
    say "== $1"
}

# die WHAT WHAT_TO_DO
die() {
    say "failed: $1"
    say "    do: $2"
    exit 2
}

failed_at() {
    say "failed: $STEP (line $1)"
    say "    do: read the lines above, then run the same command again; it goes on where it was"
}

# Do it, or only say it.
run() {
    if [ -n "$DRY_RUN" ]; then
        say "would run: $*"
    else
        "$@"
    fi
}

# value KEY FILE: what a MANIFEST says.
value() { sed -n "s/^$1=//p" "$2"; }

# Whether this processor has what a portable x86-64 build needs; arm64 builds need no more than the architecture.
cpu_is_new_enough() {
    [ "$(uname -m)" != x86_64 ] || grep -qw avx2 /proc/cpuinfo
}

# cpu_id: what a build for "this very processor" can run on.
cpu_id() {
    grep -m1 -E '^(flags|Features)' /proc/cpuinfo | cut -d: -f2 | tr ' ' '\n' | sort -u | sha256sum | cut -c1-12
}

free_megabytes() {
    local folder=$1
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    df -Pm "$folder" | awk 'NR == 2 { print $4 }'
}

# python_of VERSION: a Python of exactly this minor version, or nothing.
python_of() {
    local candidate
    for candidate in "python$1" python3; do
        if command -v "$candidate" >/dev/null && [ "$(python_version "$candidate")" = "$1" ]; then
            command -v "$candidate"
            return
        fi
    done
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }
