"""Copying one member out of a package's archive, bounded, without unpacking anything to the disk."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from agent.weights.partial import Partial, SourceFailed
from agent.weights.sources import Moved

__all__ = ["copy_member", "read_member"]

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What opening or reading an archive raises that is broken, encrypted or packed in an unknown way."""


def copy_member(package: Path, name: str, size: int, into: Partial, moved: Moved, *, read_bytes: int) -> None:
    """Append a member of a wheel or of a source archive.

    :param name: the member's path inside the archive.
    :param size: exact bytes; 0 where they are not known.
    :raises SourceFailed: no such member, another size, or a broken archive.
    """
    try:
        with _open_member(package, name) as (data, length):
            if size and length != size:
                raise SourceFailed(f"{package.name}: {name} is {length} bytes long, not {size}")
            while piece := data.read(read_bytes):
                into.write(piece)
                moved(into.size)
    except KeyError:
        raise SourceFailed(f"{package.name} does not hold {name}") from None
    except _BROKEN as error:
        raise SourceFailed(f"{package.name} cannot be opened: {error}") from None


def read_member(package: Path, name: str, at: int, size: int) -> bytes:
    """Some bytes of a member; fewer where it ends before.

    :raises SourceFailed: no such member, or a broken archive.
    """
    try:
        with _open_member(package, name) as (data, _):
            data.seek(at)
            return data.read(size)
    except KeyError:
        raise SourceFailed(f"{package.name} does not hold {name}") from None
    except _BROKEN as error:
        raise SourceFailed(f"{package.name} cannot be opened: {error}") from None


@contextmanager
def _open_member(package: Path, name: str) -> Iterator[tuple[IO[bytes], int]]:
    """A member and its length."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel, wheel.open(name) as packed:
            yield packed, wheel.getinfo(name).file_size
        return
    with tarfile.open(package) as archive:
        member = archive.getmember(name)
        data = archive.extractfile(member) if member.isreg() else None
        if data is None:
            raise KeyError(name)
        yield data, member.size
