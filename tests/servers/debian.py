"""Debian's packages without root: the system's programs, else packages unpacked into a cache. For tests only."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "watchkeeper-tests"
FETCH_SECONDS = 300.0


class ServerMissing(Exception):
    """No server can be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where a server's programs are."""

    folder: Path
    environ: Mapping[str, str]
    """What they need to find their libraries."""


def unpack(package: str, cache: Path) -> None:
    """Download a package, and those of the libraries that are missing, and unpack them into a cache.

    :raises ServerMissing: there is no apt, no network, or no such package.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise ServerMissing(f"no {package} is installed, and this system has no apt-get to fetch one with")
    plan = run("apt-get", "-o", "Debug::NoLocking=1", "-s", "-y", "--no-install-recommends", "install", package)
    packages = set(re.findall(r"^Inst ([a-z0-9.+-]+)", plan, re.MULTILINE)) | {package}
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
        run("apt-get", "download", *sorted(packages), folder=folder)
        for archive in sorted(Path(folder).glob("*.deb")):
            run("dpkg", "-x", str(archive), str(cache))
    cache.chmod(0o755)


def readable_root(cache: Path) -> Path:
    """The cache, copied to a place that `nobody` may read where root's home is closed."""
    if os.geteuid() != 0 or all(path.stat().st_mode & 0o005 == 0o005 for path in (cache, *cache.parents)):
        return cache
    root = Path(tempfile.gettempdir()) / f"watchkeeper-tests-{cache.name}"
    if not root.exists():
        shutil.copytree(cache, root, symlinks=True)
        root.chmod(0o755)
    return root


def library_path(root: Path, *more: Path) -> str:
    """The folders of the libraries that were unpacked, for the loader."""
    found = {str(path.parent) for place in ("usr/lib", "lib") for path in (root / place).glob("**/*.so*")}
    return ":".join(sorted(found | {str(path) for path in more}))


def run(*command: str, folder: str | None = None) -> str:
    """What a program writes.

    :raises ServerMissing: it is not there, takes too long, or fails.
    """
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=FETCH_SECONDS, check=False, text=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerMissing(f"{command[0]} failed: {error}") from None
    if done.returncode:
        raise ServerMissing(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def free_port() -> int:
    """A port of loopback on which nobody listens now, from below those that systems give to outgoing connections: a
    server that is started again finds it free."""
    while True:
        port = random.randrange(20_000, 32_000)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
