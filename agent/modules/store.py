"""Installed modules on disk, and which version of each answers.

    modules/NAME/VERSION/bundle.json    manifest, digest of every file, what a person agreed to
    modules/NAME/VERSION/site/          what the bundle brought
    modules/NAME/choice.json            current, previous, pinned, rejected; replaced as a whole, durably
    modules/NAME/swap.json              a swap that has begun: found at a start, it was interrupted
    modules/NAME/state/                 the module's own; survives swaps and installations

A version is unpacked under another name and renamed when everything of it is on disk, so what is there is whole.
`choice.json` is the one point at which a swap happens: before its rename the old version answers, after it the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.errors import ModuleError, NeedsPerson
from agent.modules.bundle import Bundle, open_bundle
from agent.modules.manifest import Manifest
from agent.modules.notes import Choice, bounded, digest_of, sync_folder, told, without, write
from agent.settings import ModuleSettings

__all__ = ["Choice", "Installed", "ModuleStore"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_VERSION = re.compile(r"[0-9][a-z0-9.+!]{0,63}")
_AGAIN_SECONDS = 0.05
_DRAFT = ".draft-"
_AGAIN = "install it again, or: watchkeeper modules rollback"


@dataclass(frozen=True, slots=True)
class Installed:
    """One version on disk."""

    manifest: Manifest
    folder: Path
    sha256: str
    """Of the bundle that it came from."""
    files: Mapping[str, str] = field(repr=False)
    """Path in the folder → SHA-256."""

    @property
    def name(self) -> str:
        return self.manifest.module.name

    @property
    def version(self) -> str:
        return self.manifest.module.version

    @property
    def site(self) -> Path:
        """What its process imports from."""
        return self.folder / "site"


class ModuleStore:
    """The `modules` folder."""

    def __init__(self, folder: Path, settings: ModuleSettings) -> None:
        self.folder = folder
        self.settings = settings

    def names(self) -> tuple[str, ...]:
        """Modules of which a version is here."""
        try:
            found = sorted(path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
        except OSError:
            return ()
        return tuple(name for name in found if self.versions(name))

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions that are here, the oldest installation first."""
        with contextlib.suppress(OSError):
            found = [path for path in self._of(name).iterdir() if _VERSION.fullmatch(path.name)]
            return tuple(path.name for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name)))
        return ()

    def installed(self, name: str, version: str) -> Installed:
        """What is known of a version, without reading its files.

        :raises ModuleError: it is not here, or its note is damaged.
        """
        folder = self._of(name) / version
        if not _VERSION.fullmatch(version) or not folder.is_dir():
            here = ", ".join(self.versions(name)) or "none"
            raise ModuleError(f"{name} {version}: is not installed (here: {here}); see: watchkeeper modules list")
        try:
            note = json.loads(bounded(folder / "bundle.json"))
            return Installed(Manifest.model_validate(note["manifest"]), folder, note["sha256"], dict(note["files"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError):
            raise ModuleError(f"{name} {version}: its note on disk is damaged; {_AGAIN}") from None

    def verified(self, name: str, version: str) -> Installed:
        """The same, with every file held against its digest, and no file there that was not installed.

        :raises ModuleError: a file is damaged, missing or foreign.
        """
        found = self.installed(name, version)
        here: set[str] = set()
        try:
            for path, folders, files in os.walk(found.site):
                links = [entry for entry in folders if (Path(path) / entry).is_symlink()]
                for entry in (*files, *links):
                    place = (Path(path) / entry).relative_to(found.folder).as_posix()
                    here.add(place)
                    if digest_of(found.folder / place) != found.files.get(place):
                        raise ModuleError(f"{name} {version}: {place} is not what was installed; {_AGAIN}")
        except OSError as error:
            raise ModuleError(
                f"{name} {version}: {error.filename} cannot be read: {error.strerror}; {_AGAIN}"
            ) from None
        missing = found.files.keys() - here
        if missing:
            raise ModuleError(f"{name} {version}: {min(missing)} is missing; {_AGAIN}")
        return found

    def choice(self, name: str) -> Choice:
        """Which version answers. A note that cannot be read chooses nothing, so that nothing unproved runs."""
        try:
            value: Any = json.loads(bounded(self.choice_file(name)))
            return Choice(**{**value, "agreed": tuple(value["agreed"])})
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return Choice()

    def choice_file(self, name: str) -> Path:
        """Where that is written; it becomes another file with each change."""
        return self._of(name) / "choice.json"

    def state(self, name: str) -> Path:
        """The module's own folder.

        :raises ModuleError: it cannot be made.
        """
        folder = self._of(name) / "state"
        with told(folder):
            (folder / "tmp").mkdir(parents=True, exist_ok=True)
        return folder

    def install(self, bundle_file: Path, *, agreed: bool = False) -> Installed:
        """Check a bundle and put it beside the versions that are here; which one answers stays as it is.

        :param agreed: a person lets it use what it asks for.
        :raises ModuleError: it is no sound bundle, or the disk refuses.
        :raises NeedsPerson: it asks for something that nobody has agreed to yet.
        """
        with open_bundle(bundle_file, self.settings) as bundle:
            name, version = bundle.manifest.module.name, bundle.manifest.module.version
            with told(self.folder):
                self._of(name).mkdir(parents=True, exist_ok=True)
            with self.locked(name):
                asked = self._ask(bundle, agreed)
                if (self._of(name) / version).is_dir():
                    return self._same(bundle, name, version)
                made = self._unpack(bundle)
                if asked:
                    self.choose(name, lambda choice: replace(choice, agreed=(*choice.agreed, *asked)))
                self._forget_old(name)
                return made

    def choose(self, name: str, change: Callable[[Choice], Choice]) -> Choice:
        """Change the choice, durably and at once.

        :raises ModuleError: the disk refuses; the choice is as it was.
        """
        made = change(self.choice(name))
        write(self.choice_file(name), asdict(made))
        return made

    def reject(self, name: str, version: str, reason: str) -> None:
        """Write down that a version did not prove itself."""
        self.choose(name, lambda choice: replace(choice, rejected={**choice.rejected, version: reason[:500]}))

    def begin(self, name: str, to: str) -> None:
        """A swap begins.

        :raises ModuleError: it cannot be written down, so it does not begin.
        """
        write(self._of(name) / "swap.json", {"to": to, "from": self.choice(name).current})

    def end(self, name: str) -> None:
        """A swap has ended, this way or the other."""
        with contextlib.suppress(OSError):
            (self._of(name) / "swap.json").unlink(missing_ok=True)

    def recover(self) -> tuple[str, ...]:
        """Put in order what a loss of power left; to be called before any module is started.

        :returns: what was found, a line each.
        """
        found = []
        for folder in sorted(self.folder.glob("*/.lock")):
            name = folder.parent.name
            with contextlib.suppress(ModuleError), self.locked(name, wait=False):
                self._sweep(folder.parent)
                if line := self._interrupted(name):
                    found.append(line)
        return tuple(found)

    def remove(self, name: str, version: str) -> None:
        """Delete one version.

        :raises ModuleError: it answers now, or is not here.
        """
        with self.locked(name):
            self.installed_folder(name, version)
            if self.choice(name).current == version:
                raise ModuleError(f"{name} {version}: answers now; swap to another one first, or remove all of {name}")
            self._delete(name, version)

    def remove_all(self, name: str) -> None:
        """Delete a module with all versions and its state.

        :raises ModuleError: there is no such module, or it cannot be deleted.
        """
        if not self.versions(name):
            raise ModuleError(f"{name}: no such module; see: watchkeeper modules list")
        with self.locked(name), told(self._of(name)):
            self.choice_file(name).unlink(missing_ok=True)
            shutil.rmtree(self._of(name))

    def installed_folder(self, name: str, version: str) -> Path:
        """Where a version lies, whatever state it is in.

        :raises ModuleError: it is not here.
        """
        if version not in self.versions(name):
            raise ModuleError(f"{name} {version}: is not installed; see: watchkeeper modules list")
        return self._of(name) / version

    @contextlib.contextmanager
    def locked(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Keep other programs, and other threads, from changing a module meanwhile.

        :raises ModuleError: another one does so for too long.
        """
        until = time.monotonic() + (self.settings.lock_seconds if wait else 0)
        with told(self._of(name)):
            descriptor = os.open(self._of(name) / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() >= until:
                        raise ModuleError(f"{name}: another program changes this module; try again later") from None
                    time.sleep(_AGAIN_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def _of(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ModuleError(f"{name!r:.80}: no name of a module; see: watchkeeper modules list")
        return self.folder / name

    def _ask(self, bundle: Bundle, agreed: bool) -> tuple[str, ...]:
        """What a person agrees to with this installation."""
        module = bundle.manifest.module
        known = self.choice(module.name).agreed
        asked = tuple(thing for thing in bundle.manifest.needs.asked() if thing not in known)
        if asked and not agreed:
            raise NeedsPerson(
                f"{module.name} {module.version} wants: {', '.join(asked)}; if it may, install it with --agree"
            )
        return asked

    def _same(self, bundle: Bundle, name: str, version: str) -> Installed:
        """What is installed already, if it is sound; a damaged one is replaced by the same bundle."""
        try:
            here = self.verified(name, version)
        except ModuleError:
            self._delete(name, version)
            return self._unpack(bundle)
        if here.sha256 != bundle.sha256:
            raise ModuleError(
                f"{name} {version}: another bundle of this version is installed; give the new one its own version"
            )
        return here

    def _unpack(self, bundle: Bundle) -> Installed:
        module = bundle.manifest.module
        folder = self._of(module.name)
        free = shutil.disk_usage(folder).free - self.settings.spare_bytes
        if bundle.unpacked_bytes > free:
            raise ModuleError(
                f"{module.name} {module.version}: unpacks to {bundle.unpacked_bytes} bytes, and {max(0, free)} are "
                f"free besides modules.spare_bytes; make room in {folder}"
            )
        with told(folder):
            draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=folder))
        try:
            files = bundle.unpack(draft)
            note = {"manifest": bundle.manifest.model_dump(mode="json"), "sha256": bundle.sha256, "files": files}
            write(draft / "bundle.json", note)
            with told(folder):
                draft.rename(folder / module.version)
                sync_folder(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return self.installed(module.name, module.version)

    def _delete(self, name: str, version: str) -> None:
        """Out of the way at once, then file by file: a loss of power leaves a draft, not half a version."""
        with told(self._of(name)):
            doomed = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self._of(name)))
            (self._of(name) / version).rename(doomed / version)
            shutil.rmtree(doomed)
        with contextlib.suppress(ModuleError):
            self.choose(name, lambda choice: without(choice, version))

    def _forget_old(self, name: str) -> None:
        """Older versions that nobody uses make room."""
        choice, here = self.choice(name), self.versions(name)
        unused = [v for v in here[:-1] if choice.current and v not in (choice.current, choice.previous)]
        for version in unused[: max(0, len(here) - self.settings.keep_versions)]:
            self._delete(name, version)

    def _interrupted(self, name: str) -> str:
        """A swap that a loss of power cut off: it has happened, or it has not."""
        path = self._of(name) / "swap.json"
        if not path.exists():
            return ""
        try:
            to = str(json.loads(bounded(path))["to"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            to = "another version"
        current = self.choice(name).current
        if current == to:
            self.end(name)
            return f"{name}: the swap to {to} was interrupted after it was done; {to} answers"
        if _VERSION.fullmatch(to):
            self.reject(name, to, "its trial was interrupted by a loss of power; swap to it again to try it")
        self.end(name)
        return f"{name}: the swap to {to} was interrupted; {current or 'no version'} answers"

    def _sweep(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            for draft in folder.glob(f"{_DRAFT}*"):
                shutil.rmtree(draft, ignore_errors=True)
            for note in folder.glob(".*.json.*"):
                note.unlink(missing_ok=True)
