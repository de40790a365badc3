"""The folder of weight files: what is there, whether it is what it should be, where it is.

Files lie as `<folder>/<entry>/<file name>`. Nobody reads one before size and SHA-256 were checked over all of it. One
that fails is renamed to `*.bad`, with the reason in `*.bad.json` beside it, so that it is found bad once and `doctor`
can tell.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from agent.errors import InputError, WeightsBad, WeightsMissing
from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, WeightFile, load_catalogue
from agent.weights.digest import Checked, check_file

__all__ = ["EntryStatus", "FileStatus", "Pin", "SetAside", "WeightStore"]

State = Literal["present", "missing", "wrong size", "unpinned"]
_NOTE_BYTES = 10_000
"""A sidecar larger than this is not ours."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that was found bad."""

    file: str
    """`<entry>/<file name>`"""
    reason: str
    when: str
    """ISO, UTC."""
    expected_bytes: int
    expected_sha256: str
    found_bytes: int
    found_sha256: str
    """Empty where the file was not read to its end."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The digest of a file that the catalogue leaves open, as the first pull found it."""

    sha256: str
    bytes: int
    pinned_at: str
    """ISO, UTC."""
    source: str


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A file at a glance: looked at, not read."""

    role: str
    path: Path
    state: State
    bytes: int
    """On disk; 0 where missing."""
    pin: Pin | None
    """Set where the digest comes from the first pull and not from the catalogue."""


@dataclass(frozen=True, slots=True)
class EntryStatus:
    """An entry at a glance."""

    name: str
    present: bool
    """Every role that it needs is here at the right size. Its digests are another question."""
    files: tuple[FileStatus, ...]


_Note = TypeVar("_Note", SetAside, Pin)


class WeightStore:
    """Files named by the catalogue, verified before anybody may read them."""

    def __init__(self, folder: Path, settings: WeightsSettings, *, catalogue: Catalogue | None = None) -> None:
        self.folder = folder
        self.settings = settings
        self.catalogue = catalogue or load_catalogue()

    def verified(self, name: str) -> Mapping[str, Path]:
        """The files of one catalogue entry, role → path, after size and SHA-256 of each were checked.

        A role whose own file is not here is served by one that may stand for it.

        :raises WeightsMissing: a file is not here.
        :raises WeightsBad: a file is short or its digest is wrong; it is renamed to `*.bad` with the reason beside it.
        """
        entry = self._entry(name)
        checked = self.check(entry)
        paths = {file.role: self.path(entry, file) for file, found in checked.items() if found and not found.problem}
        for file in entry.required:
            for other in entry.substitutes(file.role):
                if file.role not in paths and other.role in paths:
                    paths[file.role] = paths[other.role]
        bad = [f"{file.name} {found.problem}" for file, found in checked.items() if found and found.problem]
        lacking = [file.name for file in entry.required if file.role not in paths]
        if lacking and bad:
            raise WeightsBad(
                f"{name}: {'; '.join(bad)}; set aside as *.bad, get it again: watchkeeper weights pull {name}"
            )
        if lacking:
            before = [f"{item.file} was set aside: it {item.reason}" for item in self.set_aside(name)]
            told = f" ({'; '.join(before)})" if before else ""
            raise WeightsMissing(
                f"{name}: {', '.join(lacking)} is not in {self.folder / name}{told}; "
                f"get it: watchkeeper weights pull {name}"
            )
        return paths

    def check(self, entry: Entry) -> dict[WeightFile, Checked | None]:
        """Read every file of an entry, several at a time, and set bad ones aside. None stands for a missing one."""
        with ThreadPoolExecutor(max_workers=max(1, len(entry.files))) as threads:
            found = list(threads.map(lambda file: self.check_one(entry, file), entry.files))
        return dict(zip(entry.files, found, strict=True))

    def check_one(self, entry: Entry, file: WeightFile) -> Checked | None:
        """Read one file; None where it is not there. A bad one is set aside."""
        path = self.path(entry, file)
        for _ in range(2):
            pin = self.pin(entry, file)
            try:
                found = check_file(
                    path,
                    inside=self.folder,
                    expected_bytes=file.bytes or (pin.bytes if pin else 0),
                    expected_sha256=file.sha256 or (pin.sha256 if pin else ""),
                    read_bytes=self.settings.read_bytes,
                )
            except (FileNotFoundError, NotADirectoryError):
                return None
            if not found.problem or self._set_aside(entry, file, found):
                return found
        return found

    def status(self, name: str) -> EntryStatus:
        """What is there of an entry, without reading it.

        :raises InputError: the catalogue has no such entry.
        """
        entry = self._entry(name)
        files = tuple(self._glance(entry, file) for file in entry.files)
        here = {status.role for status in files if status.state == "present"}
        present = all(
            file.role in here or any(other.role in here for other in entry.substitutes(file.role))
            for file in entry.required
        )
        return EntryStatus(name, present, files)

    def present(self) -> tuple[str, ...]:
        """Names of the entries that are here by size, in the catalogue's order. The ladder chooses among them."""
        return tuple(entry.name for entry in self.catalogue.entries if self.status(entry.name).present)

    def where(self, name: str) -> Mapping[str, Path]:
        """Where the files of an entry lie, or would lie: role → path.

        :raises InputError: the catalogue has no such entry.
        """
        entry = self._entry(name)
        return {file.role: self.path(entry, file) for file in entry.files}

    def set_aside(self, name: str = "") -> tuple[SetAside, ...]:
        """Files that were found bad and not yet replaced, of one entry or of all."""
        bad = sorted(self.folder.glob(f"{name or '*'}/*.bad"))
        return tuple(_read_note(_beside(path, ".json"), SetAside) or _unexplained(path) for path in bad)

    def path(self, entry: Entry, file: WeightFile) -> Path:
        """Where a file belongs."""
        return self.folder / entry.name / file.name

    def pin(self, entry: Entry, file: WeightFile) -> Pin | None:
        """The digest that the first pull found, where the catalogue leaves it open."""
        return None if file.sha256 else _read_note(_beside(self.path(entry, file), ".pin.json"), Pin)

    def write_pin(self, entry: Entry, file: WeightFile, pin: Pin) -> None:
        """Record a digest for a file that the catalogue leaves open."""
        _write_note(_beside(self.path(entry, file), ".pin.json"), pin)

    def forget_bad(self, entry: Entry, file: WeightFile) -> None:
        """Remove what was set aside of a file, once a good one is in its place."""
        path = self.path(entry, file)
        for left in (_beside(path, ".bad"), _beside(path, ".bad.json")):
            _remove(left)

    def _entry(self, name: str) -> Entry:
        known = [entry for entry in self.catalogue.entries if entry.name == name]
        if not known:
            raise InputError(f"{name}: no such weights in the catalogue; see: watchkeeper weights list")
        return known[0]

    def _glance(self, entry: Entry, file: WeightFile) -> FileStatus:
        path, pin = self.path(entry, file), self.pin(entry, file)
        expected = file.bytes or (pin.bytes if pin else 0)
        try:
            size = path.stat().st_size
        except OSError:
            return FileStatus(file.role, path, "missing", 0, pin)
        if not file.sha256 and pin is None:
            return FileStatus(file.role, path, "unpinned", size, None)
        state: State = "wrong size" if expected and size != expected else "present"
        return FileStatus(file.role, path, state, size, pin)

    def _set_aside(self, entry: Entry, file: WeightFile, found: Checked) -> bool:
        """Rename a bad file. False where another file has come into its place since it was read."""
        path = self.path(entry, file)
        try:
            now = path.lstat()
            if (now.st_dev, now.st_ino) != found.identity:
                return False
            bad = _beside(path, ".bad")
            _remove(bad)
            path.replace(bad)
        except OSError as error:
            raise WeightsBad(
                f"{entry.name}: {file.name} {found.problem}, and it cannot be set aside: {error.strerror}; "
                f"make {path.parent} writable or remove {path}"
            ) from None
        note = SetAside(
            file=f"{entry.name}/{file.name}",
            reason=found.problem,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            expected_bytes=file.bytes,
            expected_sha256=file.sha256,
            found_bytes=found.bytes,
            found_sha256=found.sha256,
        )
        with contextlib.suppress(OSError):  # on a full disk the reason is lost, the file is out of the way all the same
            _write_note(_beside(path, ".bad.json"), note)
        return True


def _unexplained(bad: Path) -> SetAside:
    """For a `*.bad` whose note could not be written."""
    name = f"{bad.parent.name}/{bad.name.removesuffix('.bad')}"
    return SetAside(name, "was found bad; why was not recorded", "", 0, "", 0, "")


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_note(path: Path, note: SetAside | Pin) -> None:
    """Whole or not at all."""
    draft = _beside(path, ".new")
    with draft.open("w", encoding="utf-8") as out:
        json.dump(asdict(note), out, ensure_ascii=False, indent=1)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def _read_note(path: Path, kind: type[_Note]) -> _Note | None:
    """None where there is none, or where it is not one of ours."""
    try:
        with path.open("rb") as note:
            return kind(**json.loads(note.read(_NOTE_BYTES)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
