"""Source `file`: a USB stick or a share, for boxes that never see a network.

A file is found by its name or by a name that is its SHA-256, at most a few levels down. Links are not followed. A
file of another size, or one whose digest turns out wrong, is passed over and the next one of that name is looked at.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from agent.settings import WeightsSettings
from agent.weights.catalogue import Entry, WeightFile
from agent.weights.partial import Partial, SourceFailed
from agent.weights.sources import Moved

__all__ = ["Folders"]


class Folders:
    """The folders of `weights.usb_folders`."""

    name = "file"

    def __init__(self, settings: WeightsSettings) -> None:
        self._settings = settings

    def offers(self, file: WeightFile) -> bool:
        return bool(self._settings.usb_folders)

    def take(self, entry: Entry, file: WeightFile, into: Partial, moved: Moved) -> None:
        problems: list[str] = []
        for path in self._candidates(entry, file):
            problem = self._copy(path, into, moved)
            if problem and into.size:  # what an earlier pull left may not have been the beginning of this file
                into.discard()
                problem = self._copy(path, into, moved)
            if not problem:
                return
            into.discard()
            problems.append(f"{path} {problem}")
        named = ", ".join(str(folder) for folder in self._settings.usb_folders)
        raise SourceFailed("; ".join(problems) or f"not found in {named}")

    def pieces(self, entry: Entry, file: WeightFile, at: int, size: int) -> Iterator[bytes]:
        found = False
        for path in self._candidates(entry, file):
            with contextlib.suppress(OSError), path.open("rb") as data:
                data.seek(at)
                yield data.read(size)
                found = True
        if not found:
            raise SourceFailed(f"not found in {', '.join(str(folder) for folder in self._settings.usb_folders)}")

    def close(self) -> None:
        """Nothing is held."""

    def _copy(self, path: Path, into: Partial, moved: Moved) -> str:
        """Copy the rest of it; what is wrong with the whole, or nothing."""
        try:
            with path.open("rb") as data:
                data.seek(into.size)
                while piece := data.read(self._settings.read_bytes):
                    into.write(piece)
                    moved(into.size)
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        return into.problem()

    def _candidates(self, entry: Entry, file: WeightFile) -> list[Path]:
        """Files that may be it; one in a folder named like the entry first."""
        names = {file.name, file.sha256, f"{file.sha256}.bin"} - {"", ".bin"}
        found = [path for path, size in self._walk() if path.name in names and size == (file.bytes or size)]
        return sorted(found, key=lambda path: (path.parent.name != entry.name, str(path)))

    def _walk(self) -> Iterator[tuple[Path, int]]:
        """Regular files with their sizes, bounded in depth and number."""
        seen = 0
        waiting = [(folder.expanduser(), 0) for folder in self._settings.usb_folders]
        while waiting:
            folder, depth = waiting.pop(0)
            try:
                items = sorted(os.scandir(folder), key=lambda item: item.name)
            except OSError:
                continue
            for item in items:
                seen += 1
                if seen > self._settings.search_files:
                    return
                if item.is_dir(follow_symlinks=False) and depth < self._settings.search_depth:
                    waiting.append((Path(item.path), depth + 1))
                elif item.is_file(follow_symlinks=False):
                    yield Path(item.path), item.stat(follow_symlinks=False).st_size
