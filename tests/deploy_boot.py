"""`make test-install`: on a clean Debian that its own systemd starts, Watchkeeper is installed, killed and removed.

It needs root, debootstrap, systemd-nspawn and a Debian mirror, so it is not part of the suite. The system that is
installed into has no network; the bundle is bound into it read-only, as a stick would be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.deploy_kit import DEPLOY, REPOSITORY

PACKAGES = "systemd,systemd-sysv,dbus,python3,libgomp1,procps,util-linux"
MIRROR = "http://deb.debian.org/debian"
BOOT_SECONDS = 1_200
WORK = r"""
HEALTH=http://127.0.0.1:8765/api/health
ask() { python3 -c "import urllib.request as u; print(u.urlopen('$HEALTH', timeout=3).read().decode())"; }
seconds() { date +%s%N; }
waits() { for i in $(seq 300); do ask 2>/dev/null && return; sleep 0.1; done; echo "BAD: $1"; }
set -x
bash /media/usb/install.sh || echo "BAD: install"
waits "healthy after the installation"
systemctl list-units --no-pager --plain 'watchkeeper*'
watchkeeper doctor; watchkeeper doctor --security
watchkeeper ask "最近三天有没有报警?" || true
begun=$(seconds); systemctl kill -s KILL watchkeeper-server; sleep 0.3; waits "back after a kill"
echo "READY AGAIN AFTER MS: $(( ($(seconds) - begun) / 1000000 ))"
systemctl stop watchkeeper-server
systemctl start watchkeeper-reports.service || echo "BAD: reports"
systemctl start watchkeeper-update-check.service || echo "BAD: update check"
systemctl start watchkeeper-server || echo "BAD: start"
bash /media/usb/install.sh || echo "BAD: second installation"
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
    parser.add_argument("--weights", default="qwen2.5-0.5b ocr-small", help="in the bundle")
    given = parser.parse_args()
    lacking = [tool for tool in ("debootstrap", "systemd-nspawn") if shutil.which(tool) is None]
    if lacking or os.geteuid() != 0:
        print(f"root is needed, and: apt-get install {' '.join(lacking)} systemd-container", file=sys.stderr)
        return 2
    bundle, system = given.folder / "bundle", given.folder / "debian"
    shutil.rmtree(bundle, ignore_errors=True)
    command = ["bash", str(DEPLOY / "bundle.sh"), "--native", "--weights", given.weights, str(bundle)]
    subprocess.run(command, check=True, cwd=REPOSITORY)
    if not (system / "etc" / "os-release").exists():
        made = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(system), MIRROR]
        subprocess.run(made, check=True)
    said = boot(system, bundle)
    print(said)
    lines = said.splitlines()
    bad = [line for line in lines if line.startswith("BAD: ")]
    if "THE END" not in lines:
        bad.append("BAD: it was not carried through")
    print("\n".join(bad) or "clean Debian: installed, healthy, killed, back, installed again, removed")
    return 1 if bad else 0


def boot(system: Path, bundle: Path) -> str:
    """Start the system, let it do the work, and give what that said."""
    log = system / "work.log"
    log.unlink(missing_ok=True)
    (system / "work.sh").write_text(WORK)
    units = system / "etc" / "systemd" / "system"
    (units / "work.service").write_text(UNIT)
    wanted = units / "multi-user.target.wants" / "work.service"
    wanted.parent.mkdir(exist_ok=True)
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("/etc/systemd/system/work.service")
    command = ["systemd-nspawn", "--boot", f"--directory={system}", "--private-network", "--register=no", "--keep-unit"]
    command += [f"--bind-ro={bundle}:/media/usb", "--machine=watchkeeper-try"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOOT_SECONDS, check=False)
    return log.read_text() if log.exists() else done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
