"""Running the installer and reading what lies in deploy/."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["DEPLOY", "REPOSITORY", "bash", "seal", "small_bundle"]

REPOSITORY = Path(__file__).parent.parent
DEPLOY = REPOSITORY / "deploy"
_FILES = ("install.sh", "common.sh", "services.sh", "watchkeeper.toml")


def bash(script: Path, *arguments: str | Path, seconds: float = 60, alone: bool = False) -> tuple[int, str]:
    """Run a script as somebody does at a terminal: exit code and everything that it said.

    :param alone: without any network, where this system lets us.
    """
    quiet = {
        name: text for name, text in os.environ.items() if not name.startswith(("WATCHKEEPER_", "PYTHON", "VIRTUAL"))
    }
    command = [*(_without_network() if alone else ()), "bash", str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=quiet, check=False)
    return done.returncode, done.stdout + done.stderr


def _without_network() -> tuple[str, ...]:
    command = ("unshare", "--map-root-user", "--net")
    try:
        able = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        able = False
    return command if able else ()


def small_bundle(folder: Path, **facts: str) -> Path:
    """A sealed bundle without wheels or weights: enough for everything that is checked before anything is changed."""
    folder.mkdir()
    (folder / "wheels").mkdir()
    (folder / "wheels" / "pip-1-py3-none-any.whl").write_bytes(b"no wheel")
    for name in _FILES:
        (folder / name).write_bytes((DEPLOY / name).read_bytes())
    told: Mapping[str, str] = {
        "format": "1",
        "version": "0.0.1",
        "arch": platform.machine(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "cpu": "portable",
        "features": "server",
        "weights": "none",
        **facts,
    }
    (folder / "MANIFEST").write_text("".join(f"{key}={text}\n" for key, text in told.items()))
    seal(folder)
    return folder


def seal(folder: Path) -> str:
    """Write the digests of all files; gives the digest of that list."""
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(folder)}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines))
    return hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
