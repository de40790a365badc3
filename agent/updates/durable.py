"""Writing a small file so that a power cut leaves either the old one or the new one."""

from __future__ import annotations

import os
from pathlib import Path

from agent.errors import UpdateError
from agent.weights.partial import sync_folder

__all__ = ["write_durably"]


def write_durably(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all; it is on the disk when this returns.

    :raises UpdateError: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise UpdateError(f"{path}: cannot be written: {error.strerror}; make room or make it writable") from None
