"""How files are opened that somebody else may have put there."""

from __future__ import annotations

import os

__all__ = ["at_once"]


def at_once(path: str, flags: int) -> int:
    """An `opener` for `open`: a pipe in the place of a file holds nobody up."""
    return os.open(path, flags | os.O_NONBLOCK)
