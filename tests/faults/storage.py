"""A real small disk that is full, and a real one that is mounted read-only.

Both are mounted in a namespace of their own, which most systems allow to anybody; where not, the rows say so. What the
command line says must be one line, nothing may be lost, and with room again all goes on without a hand.

    python -m tests.faults.storage full|readonly FOLDER TIMES      (in `unshare --map-root-user --mount`)
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import Row

__all__ = ["storage_rows"]

_NAMESPACE = ["unshare", "--map-root-user", "--mount"]
_DISK_BYTES = 1_000_000
TIMES = 6
_CLI = [sys.executable, "-m", "agent"]


def storage_rows(times: int = TIMES) -> list[Row]:
    """The rows of this subject."""
    return [
        _mounted("full", "disk full, a real one", times),
        _mounted("readonly", "disk mounted read-only, a real one", times),
        _no_room_for_output(),
    ]


def _mounted(fault: str, told: str, times: int) -> Row:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        if reason := _why_not(name):
            return Row(told, 0, 0, 0.0, reason)
        command = [*_NAMESPACE, sys.executable, "-m", "tests.faults.storage", fault, name, str(times)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    said = (done.stderr.strip().splitlines() or [""])[-1] if done.returncode else ""
    held = 0 if done.returncode else times
    return Row(told, times, held, time.perf_counter() - began, said)


def _why_not(folder: str) -> str:
    if not shutil.which("unshare") or not shutil.which("mount"):
        return "needs unshare and mount"
    trial = [*_NAMESPACE, "mount", "-t", "tmpfs", "-o", "size=64k", "none", folder]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    return f"this system mounts nothing here: {done.stderr.strip()}"[:200] if done.returncode else ""


def _no_room_for_output() -> Row:
    """What is printed goes to a device that is always full."""
    full, began = Path("/dev/full"), time.perf_counter()
    if not full.exists():
        return Row("output to a full disk", 0, 0, 0.0, "needs /dev/full")
    held, lost = 0, ""
    with tempfile.TemporaryDirectory() as home:
        for arguments in (["audit", "tip"], ["plugins", "list"], ["doctor"], ["approvals", "list"]):
            with full.open("w") as out:
                done = _run(home, *arguments, out=out.fileno())
            clear = _one_line(done, 2)
            held += clear
            lost = lost or ("" if clear else f"{arguments}: {done.returncode} {done.stderr.strip()[-200:]}")
    return Row("output to a full disk (/dev/full)", 4, held, time.perf_counter() - began, lost)


def _run(home: str, *arguments: str, out: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    environment = {"WATCHKEEPER_HOME": home, "PATH": "/usr/bin:/bin", "WATCHKEEPER_MODEL__NAME": "rules"}
    return subprocess.run(
        [*_CLI, *arguments], env=environment, stdout=out, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )


def _one_line(done: subprocess.CompletedProcess[str], code: int) -> bool:
    lines = done.stderr.strip().splitlines()
    return done.returncode == code and len(lines) == 1 and lines[0].startswith("watchkeeper: ")


def _ask(home: str) -> subprocess.CompletedProcess[str]:
    return _run(home, "ask", "Has the pump failed before?")


def _rows(home: str) -> int:
    done = _run(home, "audit", "verify")
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[0])


def _answered(home: str) -> None:
    before = _rows(home)
    done = _ask(home)
    assert done.returncode in (0, 2) and done.stdout.strip(), f"no answer: {done.stderr}"  # 2: there is no log here
    assert _rows(home) > before


def _full(home: str, times: int) -> None:
    """Filled to the last byte, asked, emptied, asked."""
    _mount(home, f"size={_DISK_BYTES}")
    _answered(home)
    for _ in range(times):
        kept, ballast = _rows(home), Path(home) / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4_096))
        except OSError:
            pass
        done = _ask(home)
        assert _one_line(done, 2), f"full: {done.returncode} {done.stdout} {done.stderr}"
        ballast.unlink()
        assert _rows(home) >= kept, "rows are gone"
        _answered(home)


def _readonly(home: str, times: int) -> None:
    """Mounted read-only, asked, mounted for writing, asked."""
    _mount(home, "size=4m")
    _answered(home)
    for _ in range(times):
        kept = _rows(home)
        _mount(home, "remount,ro")
        done = _ask(home)
        assert _one_line(done, 2), f"read-only: {done.returncode} {done.stdout} {done.stderr}"
        _mount(home, "remount,rw")
        assert _rows(home) == kept, "rows changed"
        _answered(home)


def _mount(folder: str, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)


if __name__ == "__main__":
    {"full": _full, "readonly": _readonly}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
