"""Bytes as text: UTF-8, UTF-16 with and without its mark, GB18030, Windows-1252; what fits none of them is refused."""

from __future__ import annotations

import re
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.tokens import strip_controls

__all__ = ["decode"]

_LOOKED_AT = 65_536
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BINARY_SHARE = 0.01
_NUL_SHARE = 0.25
"""Every other byte of Latin text in UTF-16 is NUL; of Chinese text with line ends and digits in it still some."""
_PAIR = re.compile(rb"[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[\x30-\x39][\x81-\xfe][\x30-\x39])")
_DECLARED = re.compile(rb"""charset\s*=\s*["']?\s*([\w-]{3,20})""", re.IGNORECASE)
_MAY_BE_DECLARED = {"big5", "big5-hkscs", "shift_jis", "euc-jp", "euc-kr", "windows-1252", "iso-8859-1", "iso-8859-15"}


def decode(path: Path, data: bytes, *, declared: bool = False) -> str:
    """The text, without control characters, with `\\n` as the only line end.

    :param declared: whether a `charset=` near the beginning may name the encoding.
    :raises KnowledgeError: binary data, or an encoding that is not read.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(path, data, ("utf-16",))
    head = data[:_LOOKED_AT]
    wide = _wide(head)
    if wide:
        return _decoded(path, data, (wide,))
    if len(_BINARY.findall(head)) > _BINARY_SHARE * len(head):
        raise KnowledgeError(f"{path}: binary data, not text")
    named = _DECLARED.search(data[:2048]) if declared else None
    charset = named[1].decode("ascii").lower() if named else ""
    if charset in _MAY_BE_DECLARED:
        return _decoded(path, data, ("utf-8-sig", charset))
    return _decoded(path, data, ("utf-8-sig", "cp1252" if _is_western(head) else "gb18030"))


def _decoded(path: Path, data: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return strip_controls(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise KnowledgeError(f"{path}: its text is neither UTF-8 nor GB18030; save it as UTF-8")


def _wide(head: bytes) -> str:
    """UTF-16 without its mark: the zeros stand all on one side of the pairs."""
    even, odd = head[0::2], head[1::2]
    if min(len(even), len(odd)) < 8:
        return ""
    high, low = even.count(0), odd.count(0)
    if max(high, low) < _NUL_SHARE * len(odd) or min(high, low) > 0.02 * len(odd):
        return ""
    return "utf-16-be" if high > low else "utf-16-le"


def _is_western(head: bytes) -> bool:
    """Accented letters before plain ones (`für`, `réglage`) make pairs of GBK that Chinese text hardly has."""
    pairs = _PAIR.findall(head)
    if not pairs or b"\xff" in head:
        return False
    plain = sum(1 for pair in pairs if pair[1] < 0x80)
    return plain > 0.5 * len(pairs)
