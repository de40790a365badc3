"""A section's text in pieces for the index: cut between blocks, so that lists and code stay whole.

A table that is cut has its heading row on every piece, so that each row can be quoted and understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["blocks", "cut"]

_FENCE = re.compile(r"\s*(`{3,}|~{3,}|-{4,}|\.{4,}|\|={3,})")
_LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)、）]|[(（]\w{1,3}[)）]|[①-⑳])\s*\S")
_TABLE_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+\s*")
_WHOLE = 4
"""A list or a block of code stays whole up to so many times the limit, because half a procedure is a trap."""


def cut(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` characters; a list or a block of code up to four times that.

    Only tables repeat anything: their heading row, at the beginning of each piece.
    """
    if len(text) <= limit:
        return [text] if text.strip() else []
    pieces: list[str] = []
    for block in _bounded(blocks(text), limit):
        if pieces and len(pieces[-1]) + len(block) + 2 <= limit:
            pieces[-1] += "\n\n" + block
        else:
            pieces.append(block)
    return pieces


def blocks(text: str) -> list[str]:
    """Paragraphs, lists, tables and code blocks; a list with blank lines between its steps is one block."""
    out: list[list[str]] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        inside = bool(fence)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        if not line.strip() and not inside:
            out.append([])
        elif out:
            out[-1].append(line)
        else:
            out.append([line])
    whole: list[list[str]] = []
    for paragraph in ("\n".join(lines) for lines in out if lines):
        if whole and _goes_on(whole[-1][0], paragraph):
            whole[-1].append(paragraph)
        else:
            whole.append([paragraph])
    return ["\n\n".join(parts) for parts in whole]


def _goes_on(first: str, after: str) -> bool:
    """Whether a block and a paragraph are one list: both are items, or the second is indented under an item."""
    return _LIST_ITEM.match(first) is not None and (
        _LIST_ITEM.match(after) is not None or after.startswith(("  ", "\t"))
    )


def _bounded(whole: Iterable[str], limit: int) -> Iterator[str]:
    for block in whole:
        head, rule, rows = _table(block) if len(block) > limit else ("", "", [])
        if head:
            yield from _table_pieces(head, rule, rows, limit)
        else:
            yield from _at_lines(block, limit * _WHOLE)


def _at_lines(block: str, limit: int) -> Iterator[str]:
    place = 0
    while len(block) - place > limit:
        end = block.rfind("\n", place + 1, place + limit)
        end = place + limit if end < place + limit // 2 else end
        if block[place:end].strip():
            yield block[place:end].rstrip()
        place = end + (block[end] == "\n")
    if block[place:].strip():
        yield block[place:].strip("\n")


def _table(block: str) -> tuple[str, str, list[str]]:
    """Heading row, rule and rows of a table; nothing where a block is none, or has no heading."""
    lines = block.split("\n")
    if len(lines) > 3 and lines[0].lstrip().startswith("|") and _TABLE_RULE.fullmatch(lines[1].strip()):
        return lines[0], lines[1], lines[2:]
    return "", "", []


def _table_pieces(head: str, rule: str, rows: Iterable[str], limit: int) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for row in rows:
        if held and size + len(row) > limit:
            yield "\n".join([head, rule, *held])
            held, size = [], 0
        for part in _at_lines(row, limit * _WHOLE):
            held.append(part)
            size += len(part) + 1
    if held:
        yield "\n".join([head, rule, *held])
