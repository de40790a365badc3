"""Whom this box believes: one pinned root, and what was learnt under it.

`root.json` is pinned once by a person, at installation or with `watchkeeper update trust`. Every later root has to be
signed by the keys of the one before it. What was learnt under a root lies in a folder named after it, so that another
root never meets the memory of the first, and nothing has to be deleted in the right order.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from agent.errors import UpdateError, UpdateRefused
from agent.updates.durable import write_durably

__all__ = ["Pinned", "metadata_folder", "pin_root", "read_root"]

_TRUST = "watchkeeper update trust FILE"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pinned root."""

    version: int
    expires: datetime
    """UTC."""
    threshold: int
    """So many of the keys have to sign the next root."""
    keys: tuple[str, ...]
    """Key ids, hex, sorted: what a person compares with the sheet of paper that came with the stick."""


def pin_root(file: Path, folder: Path, *, replace: bool, max_bytes: int) -> Pinned:
    """Believe a root from now on.

    :param folder: of updates.
    :param replace: in place of another one that is pinned.
    :raises UpdateError: the file cannot be read, or another root is pinned.
    :raises UpdateRefused: it is no root, or not signed by its own keys.
    """
    try:
        with file.open("rb") as data:
            content = data.read(max_bytes + 1)
    except OSError as error:
        raise UpdateError(f"{file}: cannot be read: {error.strerror}; name the root.json of your repository") from None
    pinned = _examined(content, str(file), max_bytes)
    try:
        before = _root_path(folder).read_bytes()
    except FileNotFoundError:
        before = b""
    if before and before != content and not replace:
        raise UpdateError(
            f"{file}: another root is pinned already; if you mean to believe this one instead, add --replace"
        )
    write_durably(_root_path(folder), content)
    return pinned


def read_root(folder: Path) -> bytes:
    """The pinned root.

    :raises UpdateError: there is none, or it cannot be read.
    """
    try:
        return _root_path(folder).read_bytes()
    except FileNotFoundError:
        raise UpdateError(f"no repository is trusted yet; pin its root first: {_TRUST}") from None
    except OSError as error:
        raise UpdateError(f"{_root_path(folder)}: cannot be read: {error.strerror}; pin it again: {_TRUST}") from None


def metadata_folder(folder: Path, root: bytes) -> Path:
    """Where what is learnt under a root lies."""
    return folder / "metadata" / hashlib.sha256(root).hexdigest()[:16]


def _root_path(folder: Path) -> Path:
    return folder / "root.json"


def _examined(content: bytes, name: str, max_bytes: int) -> Pinned:
    refused = "name the root.json that the repository was made with"
    if len(content) > max_bytes:
        raise UpdateRefused(f"{name}: is larger than {max_bytes} bytes; {refused}")
    try:
        root = Metadata[Root].from_bytes(content)
        if not isinstance(root.signed, Root):
            raise UpdateRefused(f"{name}: is no root; {refused}")
        root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
    except RepositoryError:
        raise UpdateRefused(f"{name}: is no root that its own keys have signed; {refused}") from None
    role = root.signed.roles[Root.type]
    return Pinned(root.signed.version, root.signed.expires, role.threshold, tuple(sorted(role.keyids)))
