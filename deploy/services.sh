# The later half of install.sh: services, the switch to a new version, its start, and taking all away again. It is read,
# not run; the places (APP, ETC, STATE, UNITS, COMMAND, JOURNAL, ROOT) and the options are those of install.sh.
# shellcheck shell=bash
# shellcheck disable=SC2153,SC2154

install_units() {
    step "Services"
    if [ -n "$DRY_RUN" ]; then
        say "would write: $UNITS/watchkeeper-*, $JOURNAL"
        return
    fi
    local unit
    install -d -m 755 "$UNITS/watchkeeper-.service.d"
    for unit in "$HERE"/systemd/watchkeeper-*.{service,timer} "$HERE"/systemd/watchkeeper-.service.d/*.conf; do
        sed "s#/opt/watchkeeper/#$APP/#g; s#/etc/watchkeeper/#$ETC/#g; s#/var/lib/watchkeeper#$STATE#g" "$unit" \
            >"$SCRATCH/unit"
        install -m 644 "$SCRATCH/unit" "$UNITS/${unit#"$HERE"/systemd/}"
    done
    install -m 644 "$HERE/systemd/journald@watchkeeper.conf" "$JOURNAL"
    [ -z "$VOICE" ] || SERVICES+=(watchkeeper-voice.service)
    for watch in "${WATCHES[@]}"; do SERVICES+=("watchkeeper-watch@${watch%%=*}.service"); done
    if has_services; then
        systemctl daemon-reload
        systemctl enable --quiet "${SERVICES[@]}"
    else
        say "systemd does not run here: the services are written, and not enabled"
    fi
}

# One rename: whoever starts the program finds the old version or the new one.
switch_over() {
    step "Switching to the new version"
    if [ -n "$DRY_RUN" ] || [ -z "$BUNDLE" ]; then
        say "would point $APP/current at it"
        return
    fi
    local now
    now=$(readlink "$APP/current" || true)
    if [ "$now" = "releases/$RELEASE" ]; then
        say "it answers already"
        return
    fi
    [ -z "$now" ] || point previous "$now"
    point current "releases/$RELEASE"
    forget_older
}

point() {
    ln -sfn "$2" "$APP/$1.new"
    mv -fT "$APP/$1.new" "$APP/$1"
}

forget_older() {
    local place name
    for place in "$APP"/releases/*; do
        name=releases/$(basename "$place")
        case $name in
            "$(readlink "$APP/current")" | "$(readlink "$APP/previous" || true)") ;;
            *) rm -rf "$place" ;;
        esac
    done
}

start() {
    step "Starting"
    if ! has_services || [ -n "$NO_START$DRY_RUN" ]; then
        say "nothing is started; by hand: $COMMAND serve"
        return
    fi
    restart
    if healthy; then return; fi
    local before
    before=$(readlink "$APP/previous" || true)
    if [ -n "$before" ] && [ "$before" != "$(readlink "$APP/current")" ]; then
        point current "$before"
        restart
        die "the new version did not become healthy; the one before answers again" "$(where_log)"
    fi
    die "the service did not become healthy in time" "$(where_log)"
}

# Also cameras and voice that an earlier run enabled.
restart() {
    systemctl restart "${SERVICES[@]}" || true
    systemctl try-restart watchkeeper-voice.service 'watchkeeper-watch@*.service' || true
}

where_log() { echo "read why: journalctl --namespace=watchkeeper -u watchkeeper-server -n 50"; }

# The server answers, be it that a model is still being loaded. Who asks from the box itself needs no token to learn so.
healthy() {
    local i
    for ((i = 0; i < 60; i++)); do
        if as_account "$APP/current/bin/python" -c "$HEALTH"; then return 0; fi
        [ "$(systemctl show --property=NRestarts --value watchkeeper-server)" -lt 3 ] || return 1
        sleep 2
    done
    return 1
}

HEALTH='
import ssl, sys, urllib.error, urllib.request
from agent.env import load_env
server = load_env().settings.server
host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(server.host, server.host)
scheme = "https" if server.certificate_file else "http"
try:
    trust = ssl._create_unverified_context()  # its own certificate, on its own address
    urllib.request.urlopen(f"{scheme}://{host}:{server.port}/api/health", timeout=5, context=trust)
except urllib.error.HTTPError as error:
    sys.exit(error.code >= 500)
except OSError:
    sys.exit(1)
'

uninstall() {
    step "Removing the program"
    [ -n "$ROOT" ] || [ -n "$DRY_RUN" ] || [ "$(id -u)" = 0 ] || die "only root can remove services" "sudo bash $0 --uninstall"
    local units=()
    if has_services; then
        mapfile -t units < <(systemctl list-units --all --no-legend --plain 'watchkeeper-*' | cut -d' ' -f1)
        [ ${#units[@]} = 0 ] || run systemctl disable --quiet --now "${units[@]}"
    fi
    run rm -rf "$APP" "$COMMAND" "$JOURNAL" "$UNITS/watchkeeper-.service.d"
    run find "$UNITS" -maxdepth 1 -name 'watchkeeper-*' -delete
    if has_services; then run systemctl daemon-reload; fi
    if [ -z "$PURGE" ]; then
        say "kept: $STATE (questions, answers, logs, weights), $ETC (settings); remove them too: --uninstall --purge"
        return
    fi
    step "Removing data and settings"
    if has_services; then run systemctl stop 'systemd-journald@watchkeeper.*'; fi
    run rm -rf "$STATE" "$ETC" "$ROOT"/var/log/journal/*.watchkeeper "$ROOT"/var/lib/systemd/timers/stamp-watchkeeper-*
    if [ -z "$ROOT" ] && getent passwd "$ACCOUNT" >/dev/null; then run userdel "$ACCOUNT"; fi
}
