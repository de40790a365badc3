"""The lines of a passage as blocks of one kind: prose, lists, tables, code.

Text of manuals is Markdown, AsciiDoc or what was taken out of a PDF, and may be cut anywhere, so a fence that is never
closed is no fence. Titles of notes, attributes and images are no text that could answer.

    split lines   fences first, then runs of lines of one kind
    join          a numbered list that goes on after a warning; two pieces of code with a word between them
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Block", "blocks_of", "is_item"]

_STEP = re.compile(r"^\s*(?:\d+[.)、）](?!\d)|[（(](?:\d+|[一二三四五六七八九十]+)[)）]|[-*•+·](?=\s)|[①-⑳])\s*\S")
_NUMBERED = re.compile(r"^\s*(\d{1,3})[.)、）]")
_FENCE = re.compile(r"^\s*(?:(`{3,}|~{3,})[^`~]*|(-{4,}|\.{4,})\s*)$")
_RULE = re.compile(r"^\s*([-=_*])(?:\s*\1){2,}\s*$")
_SKIPPED = re.compile(
    r"\s*(?:#|<!--|```|~~~|!\[|image:|\[\[|\(\(\(|:[\w-]+:|//|\.\. \w|!!!|\?\?\?|:::"
    r"|\[(?:[A-Z]+|source|listing|NOTE|[\w-]+=)[^\]()]*\]\s*$)"
)
_TITLE = re.compile(r"^\s*(!!!|\?\?\?\+?)\s*\w+\s+[\"'](.+)[\"']\s*$")
_BETWEEN_CODE_CHARS = 12
"""`to`, `or`, `改为`: a longer line between two pieces of code is a sentence of its own."""

BlockKind = Literal["prose", "list", "table", "code", "title"]
"""A title is that of a note, and is about the blocks that are indented under it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, without blank ones."""

    kind: BlockKind
    lines: tuple[str, ...]
    indent: int = 0
    """Columns before its first line."""


def blocks_of(text: str) -> list[Block]:
    """The blocks of a passage, in order; every line stands in one at most."""
    return list(_joined_code(list(_whole_lists(list(_blocks(text))))))


def is_item(line: str) -> bool:
    """Whether a line begins an item of a list."""
    return _STEP.match(line) is not None


def _blocks(text: str) -> Iterator[Block]:
    prose: list[str] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        end = _closing(lines, at, fence[1] or fence[2]) if fence else None
        if end is None:
            prose.append(lines[at])
            at += 1
            continue
        yield from _plain_blocks(prose)
        prose = []
        listing = textwrap.dedent("\n".join(lines[at + 1 : end]))
        code = tuple(line.rstrip() for line in listing.splitlines() if line.strip())
        if code:
            yield Block("code", code, _indent(lines[at]))
        at = end + 1
    yield from _plain_blocks(prose)


def _closing(lines: Sequence[str], at: int, fence: str) -> int | None:
    """Where a fence is closed; a line of dashes without a second one is a rule."""
    closed = (i for i in range(at + 1, len(lines)) if lines[i].strip() == fence)
    return next(closed, None)


def _plain_blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Runs of lines of one kind; blank lines end prose and tables, not lists."""
    block: list[str] = []
    kind = ""
    for line in [*lines, ""]:
        now = _kind_of(line, kind)
        if now in ("list", "list-gap") and kind in ("list", "list-gap"):
            now = "list" if line.strip() else "list-gap"
        elif block and now != kind:
            yield Block(_named(kind), tuple(block), _indent(block[0]))
            block = []
        if title := _TITLE.match(line):
            yield Block("title", (title[2],), _indent(line))
        if line.strip() and now not in ("skip", "gap", "list-gap"):
            block.append(line)
        kind = now
    if block:
        yield Block(_named(kind), tuple(block), _indent(block[0]))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _named(kind: str) -> BlockKind:
    if kind == "table":
        return "table"
    return "list" if kind.startswith("list") else "prose"


def _kind_of(line: str, before: str) -> str:
    if not line.strip() or _RULE.match(line):
        return "list-gap" if before in ("list", "list-gap") else "gap"
    if _SKIPPED.match(line):
        return "skip"
    if line.lstrip().startswith("|"):
        return "table"
    if _STEP.match(line) or (before in ("list", "list-gap") and line[:1] in " \t"):
        return "list"
    return "prose"


def _whole_lists(blocks: Sequence[Block]) -> Iterator[Block]:
    """A numbered list that goes on after a warning, a figure or a table is one list, with what stands between."""
    at = 0
    while at < len(blocks):
        block = blocks[at]
        following = at + 1
        while block.kind == "list" and (go_on := _continued(block, blocks, following)) is not None:
            between = (f"  {line.strip()}" for other in blocks[following:go_on] for line in other.lines)
            block = Block("list", (*block.lines, *between, *blocks[go_on].lines), block.indent)
            following = go_on + 1
        yield block
        at = following


def _continued(block: Block, blocks: Sequence[Block], at: int) -> int | None:
    """Where a list goes on: the next list, if its number is the one after."""
    numbers = [int(found[1]) for line in block.lines if (found := _NUMBERED.match(line))]
    for i in range(at, len(blocks)):
        if blocks[i].kind == "list":
            first = _NUMBERED.match(blocks[i].lines[0])
            return i if numbers and first and int(first[1]) == numbers[-1] + 1 else None
    return None


def _joined_code(blocks: Sequence[Block]) -> Iterator[Block]:
    """`change A to B` with A and B as code is one piece."""
    at = 0
    while at < len(blocks):
        block = blocks[at]
        following = at + 1
        while block.kind == "code" and _goes_on(blocks[following : following + 2]):
            word, code = blocks[following : following + 2]
            block = Block("code", (*block.lines, word.lines[0].strip(), *code.lines), block.indent)
            following += 2
        yield block
        at = following


def _goes_on(blocks: Sequence[Block]) -> bool:
    if [block.kind for block in blocks] != ["prose", "code"] or len(blocks[0].lines) > 1:
        return False
    word = blocks[0].lines[0].strip()
    return len(word) <= _BETWEEN_CODE_CHARS and word.replace(" ", "").isalpha()
