"""What a sound file looked like: size, header, every chunk and the whole, in a note beside it.

Whoever can edit a weight file can edit the note beside it, so the note alone proves nothing. It is believed where it
leads to the root that the catalogue pins; or where it carries the proof of this box, an HMAC under the box's key, which
is made only after all of the file was read and its digest was the pinned one. Without either, the file is read in order
and held against the digest of the whole, and a new note is made.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.weights.chunks import FileDigests, chunk_count, hash_range, root_of
from agent.weights.header import header_length

__all__ = ["Manifest", "make_manifest", "manifest_path", "read_manifest", "write_manifest"]

_MAX_BYTES = 1_000_000
"""A note larger than this is not ours: 20 GB have 2,400 chunks, and each takes 64 letters."""
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Manifest:
    """Of one file."""

    size: int
    """Bytes."""
    sha256: str
    """Of the whole, hex."""
    header_bytes: int
    header_sha256: str
    """Of so many bytes from the beginning: metadata and tensor infos of a GGUF, else 64 KiB."""
    chunks: tuple[bytes, ...]
    """SHA-256 of every 8 MiB."""
    by_box: bool = False
    """This box has proven that it wrote it; False for one that was only read."""

    @property
    def root(self) -> str:
        """The digest over the digests of all chunks, hex."""
        return root_of(self.chunks)


def make_manifest(descriptor: int, size: int, digests: FileDigests, *, sha256: str) -> Manifest:
    """Of an open file that was read and found sound.

    :param sha256: of the whole; known, or just computed.
    :raises OSError: its header cannot be read again.
    :raises ReadFailed: likewise.
    """
    header = header_length(descriptor, size)
    return Manifest(size, sha256, header, hash_range(descriptor, 0, header).hex(), digests.chunks, by_box=True)


def manifest_path(path: Path) -> Path:
    """Where the note of a file lies."""
    return path.with_name(f"{path.name}.chunks.json")


def write_manifest(path: Path, manifest: Manifest, *, secret: bytes) -> None:
    """Write the note of the file at `path`, whole or not at all.

    :raises OSError: the folder cannot be written.
    """
    place = manifest_path(path)
    body = _body(manifest)
    draft = place.with_name(place.name + ".new")
    with draft.open("w", encoding="ascii") as out:
        json.dump({**body, "proof": _proof(body, secret)}, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(place)


def read_manifest(path: Path, *, secret: bytes) -> Manifest | None:
    """The note of the file at `path`; None where there is none or it is not in our form. See `Manifest.by_box`."""
    try:
        with manifest_path(path).open("rb") as note:
            values = json.loads(note.read(_MAX_BYTES))
        proof = values.pop("proof")
        chunks = tuple(bytes.fromhex(chunk) for chunk in values.pop("chunks"))
        found = Manifest(**values, chunks=chunks)
        if not _is_whole(found):
            return None
        proven = hmac.compare_digest(_proof(_body(found), secret), proof)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Manifest(found.size, found.sha256, found.header_bytes, found.header_sha256, chunks, by_box=proven)


def _is_whole(manifest: Manifest) -> bool:
    numbers = (manifest.size, manifest.header_bytes)
    if not all(type(number) is int and number >= 0 for number in numbers) or manifest.header_bytes > manifest.size:
        return False
    digests = [bytes.fromhex(manifest.sha256), bytes.fromhex(manifest.header_sha256), *manifest.chunks]
    return len(manifest.chunks) == chunk_count(manifest.size) and all(len(item) == _DIGEST_BYTES for item in digests)


def _body(manifest: Manifest) -> dict[str, object]:
    values = asdict(manifest)
    del values["by_box"]
    return {**values, "chunks": [chunk.hex() for chunk in manifest.chunks]}


def _proof(body: dict[str, object], secret: bytes) -> str:
    told = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return hmac.digest(secret, b"watchkeeper weights\n" + told, hashlib.sha256).hex()
