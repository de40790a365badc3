"""The parts of an Office document: a ZIP of XML, unpacked up to a bound, without entities."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, Protocol
from xml.etree.ElementTree import ParseError, XMLParser

from knowledge.errors import KnowledgeError

__all__ = ["OfficePackage", "XmlTarget", "local"]

_CHUNK_BYTES = 65_536
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_MAX_PARTS = 20_000


class XmlTarget(Protocol):
    """Told of elements as they begin and end."""

    def start(self, tag: str, attrs: Mapping[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def data(self, text: str) -> None: ...


class OfficePackage:
    """An open document.

    :raises KnowledgeError: not a ZIP, damaged, or with a password.
    """

    def __init__(self, path: Path, data: bytes, max_bytes: int) -> None:
        if data.startswith(_OLD_OFFICE):
            raise KnowledgeError(f"{path}: asks for a password, or is of the old Office format; save it as plain DOCX")
        self._path, self._max_bytes = path, max_bytes
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._names = set(self._zip.namelist())
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError, EOFError):
            raise KnowledgeError(f"{path}: truncated or not a DOCX document") from None
        if len(self._names) > _MAX_PARTS:
            raise KnowledgeError(f"{path}: {len(self._names):,} parts, more than a document has; it is not read")

    def __contains__(self, part: str) -> bool:
        return part in self._names

    def feed(self, part: str, target: XmlTarget) -> None:
        """Run a part through a target.

        :raises KnowledgeError: missing, damaged, larger than the bound, or with declarations of its own.
        """
        parser = XMLParser(target=_Guarded(self._path, target))
        left = self._max_bytes
        try:
            with self._zip.open(part) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        raise KnowledgeError(
                            f"{self._path}: unpacks to more than {self._max_bytes:,} bytes; split the document"
                        )
                    parser.feed(chunk)
            parser.close()
        except (
            KeyError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            OSError,
        ) as error:
            raise self._damaged(error) from None
        except (ParseError, ValueError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> KnowledgeError:
        return KnowledgeError(f"{self._path}: damaged: {' '.join(str(error).split())[:120]}; save it again")


class _Guarded:
    """Passes elements on; a document type, where entities are declared, ends it."""

    def __init__(self, path: Path, target: XmlTarget) -> None:
        self._path = path
        self.start, self.end, self.data = target.start, target.end, target.data

    def doctype(self, name: str, public: str | None, system: str | None) -> NoReturn:
        raise KnowledgeError(f"{self._path}: declares a document type, which no word processor writes; it is not read")

    def close(self) -> None:
        """Nothing is kept here."""


def local(tag: str) -> str:
    """The name of an element or attribute without its namespace."""
    return tag.rpartition("}")[2]
