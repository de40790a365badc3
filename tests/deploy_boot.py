"""`make test-install`: on a clean Debian that its own systemd starts, it is installed, killed, updated and removed.

It needs root, debootstrap, systemd-nspawn and a Debian mirror, so it is not part of the suite. The system that is
installed into has no network; the bundle is bound into it read-only, as a stick would be. What the units refuse is in
force meanwhile: a question about a manual is asked, and the page that the answer cites is drawn.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.deploy_kit import DEPLOY, REPOSITORY
from tests.test_page_sources import make_pdf

PACKAGES = "systemd,systemd-sysv,dbus,python3,libgomp1,procps,util-linux"
MIRROR = "http://deb.debian.org/debian"
BOOT_SECONDS = 1_200
WORK = r"""
BOX=http://127.0.0.1:8765
ask() { python3 -c "import urllib.request as u; print(u.urlopen('$BOX/api/health', timeout=3).read().decode())"; }
seconds() { date +%s%N; }
waits() { for i in $(seq 300); do ask 2>/dev/null && return; sleep 0.1; done; echo "BAD: $1"; }
voice=$(grep -q '^features=.*voice' /media/usb/MANIFEST && echo --voice)
set -x
bash /media/usb/install.sh $voice || echo "BAD: install"
waits "healthy after the installation"
systemctl list-units --no-pager --plain 'watchkeeper*'
watchkeeper doctor; watchkeeper doctor --security
watchkeeper ask "最近三天有没有报警?" || true
watchkeeper kb add /srv/manual.pdf || echo "BAD: manual"
python3 /page.py "$BOX" || echo "BAD: page of a manual"
main=$(systemctl show --property=MainPID --value watchkeeper-server)
grep -H -e Name -e Seccomp_filters $(pgrep -P "$main" | sed 's#.*#/proc/&/status#')
[ -z "$voice" ] || /opt/watchkeeper/current/bin/python /voice.py || echo "BAD: voice"
systemd-run --quiet --pipe --wait --unit=watchkeeper-confined /opt/watchkeeper/current/bin/python - </confine.py ||
    echo "BAD: what is confined elsewhere is not under the unit"
begun=$(seconds); systemctl kill -s KILL watchkeeper-server; sleep 0.3; waits "back after a kill"
taken=$(( ($(seconds) - begun) / 1000000 ))
echo "READY AGAIN AFTER MS: $taken"; [ $taken -lt 15000 ] || echo "BAD: $taken ms until it was back"
systemctl stop watchkeeper-server
systemctl start watchkeeper-reports.service || echo "BAD: reports"
systemctl start watchkeeper-update-check.service || echo "BAD: update check"
sed -i 's/^\[box\]/[box]\nprofile = "2gb"/' /etc/watchkeeper/watchkeeper.toml
systemctl start watchkeeper-server || echo "BAD: start"
waits "healthy as the smallest box"
watchkeeper doctor | grep "^ok *box: 2gb, by the settings" || echo "BAD: the smallest box"
python3 /page.py "$BOX" || echo "BAD: page of a manual on the smallest box"
bash /media/usb/install.sh $voice || echo "BAD: second installation"
cp -r /media/usb /tmp/newer && rm -rf /tmp/newer/weights /tmp/newer/SHA256SUMS && echo >>/tmp/newer/README.md
(cd /tmp/newer && find . -type f -print0 | sort -z | xargs -0 sha256sum >/tmp/sums && mv /tmp/sums SHA256SUMS)
before=$(readlink /opt/watchkeeper/current)
bash /tmp/newer/install.sh $voice || echo "BAD: update"
waits "healthy after the update"
[ "$(readlink /opt/watchkeeper/previous)" = "$before" ] || echo "BAD: the version before is not kept"
cd /opt/watchkeeper && ln -sfn "$(readlink previous)" current && systemctl restart watchkeeper-server
waits "healthy after going back"
python3 /page.py "$BOX" || echo "BAD: page of a manual after going back"
cd /
systemctl --failed --no-legend | grep watchkeeper && echo "BAD: failed units"
journalctl --namespace=watchkeeper --no-pager | tail -20
systemd-analyze security --no-pager watchkeeper-server | tail -1
bash /media/usb/install.sh --uninstall || echo "BAD: uninstall"
[ -f /var/lib/watchkeeper/watch.db ] || echo "BAD: data are gone"
bash /media/usb/install.sh --uninstall --purge || echo "BAD: purge"
find /opt /etc /var /usr/local -name '*watchkeeper*' | sed 's/^/BAD: left: /'
id watchkeeper 2>/dev/null && echo "BAD: the user is left"
echo "THE END"
"""
PAGE = """
import json, sys, urllib.parse, urllib.request
box = sys.argv[1]

def fetch(path, **asked):
    data = json.dumps(asked).encode() if asked else None
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(box + path, data, headers), timeout=120) as answer:
        return answer.read()

answer = json.loads(fetch("/api/predict", question="How often is the bearing greased?"))
print(answer["answer"], answer["citations"])
manual, place = answer["citations"][0].split(" ", 1)
quote = urllib.parse.urlencode({"quote": "Grease it with 20 g every year."})
cited = json.loads(fetch(f"/api/citations/{manual}/{urllib.parse.quote(place)}?{quote}"))
picture = fetch(cited["image"])
print(cited["image"], len(picture), "bytes", cited["boxes"])
sys.exit(not (picture.startswith(bytes([0xFF, 0xD8])) and cited["boxes"]))
"""
VOICE = """
import sys, time
from agent.settings import VoiceSettings
from agent.voice.wyoming_client import WyomingEars, WyomingMouth
box, settings = "tcp://127.0.0.1:10300", VoiceSettings()
begun = time.monotonic()
said = WyomingMouth(box, settings).say("今天天气很好。", "zh")
heard, _ = WyomingEars(box, settings).transcribe(said, (), "zh")
print(f"said {said.seconds:.1f} s, heard {heard.text!r}, after {time.monotonic() - begun:.1f} s")
sys.exit("天气" not in heard.text)
"""
CONFINE = """
import os, sys
from agent.modules.confine import Allowed, confine, enforceable
could = enforceable()
told = confine(Allowed(memory_bytes=1_000_000_000))
print("CONFINED UNDER THE UNIT:", told, "as user", os.getuid())
sys.exit(os.getuid() == 0 or told != could)
"""
"""The page of a manual that an answer cites, as a browser asks for it; a sentence that the voice says and hears;
what a module is refused under the unit."""
UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=append:/work.log
StandardError=append:/work.log
ExecStart=/bin/bash /work.sh
ExecStopPost=/bin/systemctl poweroff
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
"""


def main() -> int:
    """Make what is missing, start the system, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds the system, which is used again, and the bundle")
    parser.add_argument("--weights", default="qwen2.5-0.5b ocr-small ocr-tiny embed dictionary", help="in the bundle")
    parser.add_argument("--features", default="server,reports,devices", help="of the bundle; with voice it is started")
    given = parser.parse_args()
    lacking = [tool for tool in ("debootstrap", "systemd-nspawn") if shutil.which(tool) is None]
    if lacking or os.geteuid() != 0:
        print(f"root is needed, and: apt-get install {' '.join(lacking)} systemd-container", file=sys.stderr)
        return 2
    bundle, system = given.folder / "bundle", given.folder / "debian"
    shutil.rmtree(bundle, ignore_errors=True)
    command = ["bash", str(DEPLOY / "bundle.sh"), "--native", "--weights", given.weights, "--features", given.features]
    subprocess.run([*command, str(bundle)], check=True, cwd=REPOSITORY)
    if not (system / "etc" / "os-release").exists():
        made = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(system), MIRROR]
        subprocess.run(made, check=True)
    said = boot(system, bundle)
    print(said)
    lines = said.splitlines()
    bad = [line for line in lines if line.startswith("BAD: ")]
    if "THE END" not in lines:
        bad.append("BAD: it was not carried through")
    print("\n".join(bad) or "clean Debian: installed, healthy, killed, back, installed again, updated, removed")
    return 1 if bad else 0


def boot(system: Path, bundle: Path) -> str:
    """Start the system, let it do the work, and give what that said."""
    log = system / "work.log"
    log.unlink(missing_ok=True)
    (system / "work.sh").write_text(WORK)
    for name, text in (("page", PAGE), ("voice", VOICE), ("confine", CONFINE)):
        (system / f"{name}.py").write_text(text)
    make_pdf(system / "srv" / "manual.pdf")
    units = system / "etc" / "systemd" / "system"
    (units / "work.service").write_text(UNIT)
    wanted = units / "multi-user.target.wants" / "work.service"
    wanted.parent.mkdir(exist_ok=True)
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("/etc/systemd/system/work.service")
    command = ["systemd-nspawn", "--boot", f"--directory={system}", "--private-network", "--register=no", "--keep-unit"]
    # What nspawn refuses of its own and a box does not: modules confine themselves with it.
    command += ["--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self"]
    command += [f"--bind-ro={bundle}:/media/usb", "--machine=watchkeeper-try"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOOT_SECONDS, check=False)
    return log.read_text() if log.exists() else done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
