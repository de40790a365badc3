"""A folder of manuals that is looked at again and again: what is new, changed or gone.

A file is ready when it has the size and time of the look before, so that one that is still being copied is not read. A
folder that is gone or suddenly empty is a disk that was taken out, not a person who removed the manuals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.reading import SUFFIXES

__all__ = ["Changes", "FolderWatch"]

_Mark = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Changes:
    """What one look found."""

    ready: tuple[Path, ...]
    """New or changed, by name."""
    gone: tuple[Path, ...]
    """Known before and not there now."""


class FolderWatch:
    """Looks at a folder.

    :param known: the files of the store that lie in it.
    :param settle: wait until a file has not changed between two looks.
    """

    def __init__(self, folder: Path, known: Iterable[Path], *, settle: bool = True) -> None:
        self.folder = folder.resolve()
        self._known = {path for path in known if path.is_relative_to(self.folder)}
        self._settle = settle
        self._seen: dict[Path, _Mark] = {}
        self._done: dict[Path, _Mark] = {}

    def look(self) -> Changes:
        """What is new since the last look. Files that are given as ready are not given again until they change.

        :raises KnowledgeError: the folder is not there, or has lost all its manuals at once.
        """
        files = self._files()
        if self._known and not files:
            raise KnowledgeError(
                f"{self.folder}: all {len(self._known)} manuals are gone at once; they stay in the store until"
                " the folder holds manuals again, or `watchkeeper kb remove` takes them out"
            )
        ready = [p for p, mark in files.items() if self._done.get(p) != mark and self._is_settled(p, mark)]
        gone = sorted(self._known - files.keys())
        self._seen = files
        self._done = {p: mark for p, mark in self._done.items() if p in files} | {p: files[p] for p in ready}
        self._known = (self._known & files.keys()) | set(ready)
        return Changes(tuple(sorted(ready)), tuple(gone))

    def again(self, path: Path) -> None:
        """Give a file once more at the next look: what followed from it could not be done."""
        self._done.pop(path, None)
        self._known.add(path)

    def _is_settled(self, path: Path, mark: _Mark) -> bool:
        return not self._settle or self._seen.get(path) == mark

    def _files(self) -> dict[Path, _Mark]:
        if not self.folder.is_dir():
            raise KnowledgeError(f"{self.folder}: no such folder; its manuals stay in the store")
        found: dict[Path, _Mark] = {}
        try:
            for path in self.folder.rglob("*"):
                if path.suffix.lower() in SUFFIXES and path.is_file():
                    status = path.stat()
                    found[path.resolve()] = (status.st_mtime_ns, status.st_size)
        except FileNotFoundError:
            return self._files_again(found)
        except OSError as error:
            raise KnowledgeError(f"{self.folder}: cannot be read: {error.strerror}") from None
        return found

    def _files_again(self, found: dict[Path, _Mark]) -> dict[Path, _Mark]:
        """A file went away while the folder was read: the rest is looked at the next time."""
        return {**self._seen, **found}
