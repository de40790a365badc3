"""The key of this box: a random secret by which it knows what it wrote itself (replies, manifests of weights)."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["box_secret"]

_SECRET_BYTES = 32


def box_secret(path: Path) -> bytes:
    """The random key of this box, made at its first use, readable by its owner only.

    Where it can be neither read nor written, one for this process: what it proves then ends with the process.
    """
    for _ in range(2):
        with suppress(OSError):
            kept = path.read_bytes()
            if len(kept) == _SECRET_BYTES:
                return kept
            path.unlink()  # cut short by a power cut
        with suppress(OSError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_BYTES))
    return secrets.token_bytes(_SECRET_BYTES)
