"""The version before of an entry: found by notes and sizes, used as a whole, after it was verified like any other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from agent.weights.catalogue import WeightFile
from agent.weights.digest import Expected, check_file
from agent.weights.held import VerifiedFiles
from agent.weights.manifest import Manifest
from agent.weights.slots import previous_path

__all__ = ["Earlier", "find_earlier", "verified_earlier"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A file of the version before, as this box wrote it down."""

    path: Path
    note: Manifest


def find_earlier(
    places: Mapping[WeightFile, Path], manifest: Callable[[Path], Manifest | None]
) -> dict[WeightFile, Earlier] | None:
    """Each file in the second slot, or where it stayed; None where one is in neither.

    :param places: where the needed files belong.
    :param manifest: reads what lies beside a file.
    """
    found = {file: earlier for file, here in places.items() if (earlier := _look(here, manifest))}
    return found if len(found) == len(places) else None


def verified_earlier(
    earlier: Mapping[WeightFile, Earlier], *, inside: Path, pool: Executor, why: str
) -> VerifiedFiles | None:
    """All of it, verified; None where one file is not sound.

    :param why: why the present version is not used.
    """
    paths, held, digests = {}, {}, {}
    for file, place in earlier.items():
        note = place.note
        wanted = Expected(note.size, note.sha256, note.root, note)
        with contextlib.suppress(OSError):
            found = check_file(place.path, wanted, inside=inside, pool=pool)
            if not found.problem and found.held:
                paths[file.role], held[file.role], digests[file.role] = place.path, found.held, note.sha256
    return VerifiedFiles(paths, held, digests, previous=why) if len(held) == len(earlier) else None


def _look(here: Path, manifest: Callable[[Path], Manifest | None]) -> Earlier | None:
    for path in (previous_path(here), here):
        note = manifest(path)
        with contextlib.suppress(OSError):
            if note is not None and note.by_box and path.stat().st_size == note.size:
                return Earlier(path, note)
    return None
