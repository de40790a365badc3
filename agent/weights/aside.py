"""A bad file is put out of the way: renamed to `*.bad`, with the reason beside it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from agent.errors import WeightsBad
from agent.weights.catalogue import Entry, WeightFile
from agent.weights.digest import Checked
from agent.weights.notes import SetAside, beside, now, remove, write_note

__all__ = ["set_aside"]


def set_aside(path: Path, entry: Entry, file: WeightFile, found: Checked) -> bool:
    """Rename a bad file. False where another file has come into its place since it was read.

    :raises WeightsBad: it cannot be renamed.
    """
    try:
        there = path.lstat()
        if (there.st_dev, there.st_ino) != found.identity:
            return False
        bad = beside(path, ".bad")
        remove(bad)
        path.replace(bad)
    except OSError as error:
        raise WeightsBad(
            f"{entry.name}: {file.name} {found.problem}, and it cannot be set aside: {error.strerror}; "
            f"make {path.parent} writable or remove {path}",
            {file.name: found.fault},
        ) from None
    note = SetAside(
        file=f"{entry.name}/{file.name}",
        reason=found.problem,
        when=now(),
        expected_bytes=file.bytes,
        expected_sha256=file.sha256,
        found_bytes=found.bytes,
        found_sha256=found.sha256,
        fault=found.fault,
    )
    with contextlib.suppress(OSError):  # on a full disk the reason is lost, the file is out of the way all the same
        write_note(beside(path, ".bad.json"), note)
    return True
