"""The folder of weight files: what is there, whether it is what it should be, where it is.

Files lie as `<folder>/<entry>/<file name>`, with what is known of their chunks in `<file name>.chunks.json`. Nobody
reads one before size and digest were checked over all of it (on slow storage: over header and samples, the rest right
behind that). One that fails is renamed to `*.bad`, with the reason in `*.bad.json` beside it, so that it is found bad
once and `doctor` can tell. One that the disk does not give back stays. Where the files of the catalogue cannot be
used, the version before answers from `previous/`, verified like any other.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path

from agent.box_key import box_secret
from agent.errors import InputError, WeightsBad
from agent.settings import WeightsSettings
from agent.weights.aside import set_aside
from agent.weights.begun import Begun, open_early
from agent.weights.catalogue import Catalogue, Entry, WeightFile, load_catalogue
from agent.weights.chunks import FileDigests, OnBytes
from agent.weights.digest import Checked, Expected, check_file, hashing_pool, open_weight
from agent.weights.explain import explain
from agent.weights.held import Held, VerifiedFiles
from agent.weights.later import Pending, first_look, verify_later
from agent.weights.manifest import Manifest, make_manifest, read_manifest, write_manifest
from agent.weights.notes import Pin, SetAside, beside, read_note, remove, set_aside_note, write_note
from agent.weights.refusal import refusal
from agent.weights.slots import reject, rejection
from agent.weights.status import EntryStatus, glance
from agent.weights.versions import Earlier, find_earlier, verified_earlier

__all__ = ["OnBad", "WeightStore"]

OnBad = Callable[[str, str, str], None]
"""Told entry, file name and reason when a file that is in use turns out bad."""


class WeightStore:
    """Files named by the catalogue, verified before anybody may read them."""

    def __init__(
        self,
        folder: Path,
        settings: WeightsSettings,
        *,
        catalogue: Catalogue | None = None,
        box_key: Path | None = None,
    ) -> None:
        """
        :param box_key: proves what this box wrote down about files; without it nothing outlives the process.
        """
        self.folder = folder
        self.settings = settings
        self.catalogue = catalogue or load_catalogue()
        self._box_key = box_key
        self._later: list[threading.Thread] = []

    def verified(self, name: str, *, on_bad: OnBad | None = None, on_bytes: OnBytes | None = None) -> VerifiedFiles:
        """The files of one catalogue entry, role → path, after size and digest of each were checked.

        A role whose own file is not here is served by one that may stand for it, and files that cannot be used by the
        version before of all of them.

        :param on_bad: allows the first look on slow storage; told, from another thread, what is found bad afterwards.
        :param on_bytes: told how many more bytes were read, from several threads.
        :raises WeightsMissing: a file is not here.
        :raises WeightsBad: a file is short or its digest is wrong; it is renamed to `*.bad` with the reason beside it.
        :raises WeightsUnreadable: the storage does not give a file back; it stays where it is.
        """
        entry = self._entry(name)
        rejected = rejection(self.folder / name, entry)
        pending: dict[WeightFile, Pending] = {}
        if on_bad is not None:
            pending = {file: seen for file in entry.files if (seen := self._first_look(entry, file))}
        checked = {} if rejected else self.check(entry, on_bytes=on_bytes, leave=pending)
        found = self._by_role(entry, checked, pending)
        lacking = [file for file in entry.required if file.role not in found]
        if lacking or rejected:
            return self._previous(entry, checked, rejected)
        if on_bad is not None and pending:
            self._verify_later(entry, pending, on_bad)
        return found

    def begin(self, name: str, *, on_bad: OnBad | None = None) -> Begun:
        """Begin to verify, and say what may be loaded meanwhile; see `Begun`. Parameters as `verified`.

        :raises InputError: the catalogue has no such entry.
        """
        entry = self._entry(name)
        early: dict[str, Held] = {}
        if not rejection(self.folder / name, entry):
            opened = {
                file.role: open_early(self.path(entry, file), self.expected(entry, file)) for file in entry.required
            }
            early = {role: held for role, held in opened.items() if held and all(opened.values())}
        return Begun(early, partial(self.verified, name, on_bad=on_bad))

    def check(
        self, entry: Entry, *, on_bytes: OnBytes | None = None, leave: Iterable[WeightFile] = ()
    ) -> dict[WeightFile, Checked | None]:
        """Read every file of an entry, several at a time, and set bad ones aside. None stands for a missing one.

        :param leave: files that are not read now.
        """
        files = [file for file in entry.files if file not in leave]
        with self._pool() as pool, ThreadPoolExecutor(max_workers=max(1, len(files))) as threads:
            check = partial(self._check_with, pool, on_bytes, entry)
            return dict(zip(files, threads.map(check, files), strict=True))

    def check_one(self, entry: Entry, file: WeightFile) -> Checked | None:
        """Read one file; None where it is not there. A bad one is set aside."""
        with self._pool() as pool:
            return self._check_with(pool, None, entry, file)

    def status(self, name: str) -> EntryStatus:
        """What is there of an entry, without reading it.

        :raises InputError: the catalogue has no such entry.
        """
        entry = self._entry(name)
        places = ((file, self.path(entry, file)) for file in entry.files)
        files = tuple(glance(file, path, self.pin(entry, file), self.manifest(path)) for file, path in places)
        here = {status.role for status in files if status.state == "present"}
        present = all(
            file.role in here or any(other.role in here for other in entry.substitutes(file.role))
            for file in entry.required
        )
        return EntryStatus(name, present or self._earlier(entry) is not None, files)

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
        return tuple(set_aside_note(path) for path in sorted(self.folder.glob(f"{name or '*'}/*.bad")))

    def reject(self, name: str, reason: str) -> None:
        """A version that verifies does not work: from now on the one before answers, until another comes.

        :raises WeightsBad: there is none before, or it cannot be written down.
        """
        entry = self._entry(name)
        if self._earlier(entry) is None:
            raise WeightsBad(f"{name}: there is no version before; pull this one: watchkeeper weights pull {name}")
        try:
            reject(self.folder / name, entry, reason)
        except OSError as error:
            raise WeightsBad(f"{self.folder / name}: cannot be written: {error.strerror}") from None

    def path(self, entry: Entry, file: WeightFile) -> Path:
        """Where a file belongs."""
        return self.folder / entry.name / file.name

    def expected(self, entry: Entry, file: WeightFile) -> Expected:
        """What a file must be, by the catalogue, by the first pull's pin and by what lies beside it."""
        pin = self.pin(entry, file)
        sha256 = file.sha256 or (pin.sha256 if pin else "")
        return Expected(
            file.bytes or (pin.bytes if pin else 0), sha256, file.root, self.manifest(self.path(entry, file))
        )

    def manifest(self, path: Path) -> Manifest | None:
        """What lies beside a file; whether it is to be believed is another question."""
        return read_manifest(path, secret=self._secret)

    def remember(self, path: Path, sha256: str, digests: FileDigests) -> None:
        """Write down the chunks of a file that was just read and found sound. A read-only disk does without."""
        with contextlib.suppress(OSError), open_weight(path) as held:
            if held is not None:
                size = path.stat().st_size
                made = make_manifest(held.descriptor, size, digests, sha256=sha256)
                write_manifest(path, made, secret=self._secret)

    def pin(self, entry: Entry, file: WeightFile) -> Pin | None:
        """The digest that the first pull found, where the catalogue leaves it open."""
        return None if file.sha256 else read_note(beside(self.path(entry, file), ".pin.json"), Pin)

    def write_pin(self, entry: Entry, file: WeightFile, pin: Pin) -> None:
        """Record a digest for a file that the catalogue leaves open."""
        write_note(beside(self.path(entry, file), ".pin.json"), pin)

    def forget_bad(self, entry: Entry, file: WeightFile) -> None:
        """Remove what was set aside of a file, once a good one is in its place."""
        path = self.path(entry, file)
        for left in (beside(path, ".bad"), beside(path, ".bad.json"), beside(path, ".mend")):
            remove(left)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for what is being verified behind the work; whether it has ended."""
        for thread in self._later:
            thread.join(seconds)
        self._later = [thread for thread in self._later if thread.is_alive()]
        return not self._later

    @cached_property
    def _secret(self) -> bytes:
        return box_secret(self._box_key) if self._box_key else secrets.token_bytes(32)

    def _pool(self) -> ThreadPoolExecutor:
        return hashing_pool(self.settings.verify_threads)

    def _entry(self, name: str) -> Entry:
        known = [entry for entry in self.catalogue.entries if entry.name == name]
        if not known:
            raise InputError(f"{name}: no such weights in the catalogue; see: watchkeeper weights list")
        return known[0]

    def _check_with(self, pool: Executor, on_bytes: OnBytes | None, entry: Entry, file: WeightFile) -> Checked | None:
        path = self.path(entry, file)
        for _ in range(2):
            try:
                found = check_file(path, self.expected(entry, file), inside=self.folder, pool=pool, on_bytes=on_bytes)
                if not found.problem:
                    if not _stands_under(path, found):
                        continue
                    self._write_manifest(path, found)
                    return found
                found = explain(path, file, found, self.catalogue, self.manifest(path), inside=self.folder, pool=pool)
            except (FileNotFoundError, NotADirectoryError):
                return None
            if found.fault in ("unreadable", "earlier version") or set_aside(
                self.path(entry, file), entry, file, found
            ):
                return found
        return found if found.problem else None

    def _write_manifest(self, path: Path, found: Checked) -> None:
        if found.manifest is not None:
            with contextlib.suppress(OSError):  # read-only: the next start reads in order again
                write_manifest(path, found.manifest, secret=self._secret)

    def _by_role(
        self, entry: Entry, checked: Mapping[WeightFile, Checked | None], pending: Mapping[WeightFile, Pending]
    ) -> VerifiedFiles:
        held = {file.role: found.held for file, found in checked.items() if found and not found.problem and found.held}
        held |= {file.role: seen.held for file, seen in pending.items()}
        here = [file for file in entry.files if file.role in held]
        paths = {file.role: self.path(entry, file) for file in here}
        digests = {file.role: self.expected(entry, file).sha256 for file in here}
        for file in entry.required:
            for other in entry.substitutes(file.role):
                if file.role not in held and other.role in held:
                    for values in (paths, held, digests):
                        values[file.role] = values[other.role]  # type: ignore[assignment]
        return VerifiedFiles(paths, held, digests)

    def _earlier(self, entry: Entry) -> dict[WeightFile, Earlier] | None:
        """The version before, at a glance; None where there is none, or it is the present one."""
        found = find_earlier({file: self.path(entry, file) for file in entry.required}, self.manifest)
        if found and any(place.note.sha256 != self.expected(entry, file).sha256 for file, place in found.items()):
            return found
        return None

    def _previous(self, entry: Entry, checked: Mapping[WeightFile, Checked | None], rejected: str) -> VerifiedFiles:
        """The version before.

        :raises WeightsError: there is none that is sound; says what is wrong with the present one.
        """
        refused = refusal(self.folder, entry, checked, self.set_aside(entry.name), rejected)
        for found in checked.values():
            if found and found.held:
                found.held.close()
        earlier = self._earlier(entry)
        with self._pool() as pool:
            files = earlier and verified_earlier(earlier, inside=self.folder, pool=pool, why=str(refused))
        if not files:
            raise refused
        return files

    def _first_look(self, entry: Entry, file: WeightFile) -> Pending | None:
        path = self.path(entry, file)
        return None if path.is_symlink() else first_look(path, self.expected(entry, file), self.settings)

    def _verify_later(self, entry: Entry, pending: Mapping[WeightFile, Pending], on_bad: OnBad) -> None:
        files = {id(seen): file for file, seen in pending.items()}

        def found_bad(seen: Pending, found: Checked) -> None:
            file, problem = files[id(seen)], found.problem
            try:
                if found.fault != "unreadable":
                    set_aside(self.path(entry, file), entry, file, found)
            except WeightsBad as error:
                problem = str(error)
            on_bad(entry.name, file.name, problem)

        self._later.append(verify_later(list(pending.values()), self.settings, found_bad))


def _stands_under(path: Path, found: Checked) -> bool:
    """The file that was read is still the one under its name.

    :raises FileNotFoundError: there is none any more.
    """
    there = path.lstat()
    return (there.st_dev, there.st_ino) == found.identity
