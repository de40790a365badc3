"""What a file that is not the expected one is: its version before, another file of the catalogue, or bad."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from agent.weights.catalogue import Catalogue, WeightFile
from agent.weights.digest import Checked, Expected, check_file
from agent.weights.manifest import Manifest

__all__ = ["explain"]


def explain(
    path: Path,
    file: WeightFile,
    found: Checked,
    catalogue: Catalogue,
    note: Manifest | None,
    *,
    inside: Path,
    pool: Executor,
) -> Checked:
    """Look closer at a file with a problem; `found` where there is nothing to add.

    :param note: what lies beside it.
    :raises FileNotFoundError: it is gone meanwhile.
    """
    if found.fault not in ("truncated", "wrong size", "wrong bytes") or found.bad_chunks:
        return found
    if note is not None and note.by_box and note.size == found.bytes and note.sha256 != file.sha256:
        wanted = Expected(note.size, note.sha256, note.root, note)
        earlier = check_file(path, wanted, inside=inside, pool=pool)
        if not earlier.problem:
            return replace(earlier, problem="is sound, and of an earlier version", fault="earlier version")
    for entry in catalogue.entries:
        for other in entry.files:
            if other.bytes == found.bytes and other.sha256 not in ("", file.sha256):
                wanted = Expected(other.bytes, other.sha256, other.root)
                if not check_file(path, wanted, inside=inside, pool=pool).problem:
                    return replace(found, problem=f"is {other.name} of {entry.name}", fault="swapped")
    return found
