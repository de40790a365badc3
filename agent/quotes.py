"""What may be quoted from a passage: whole sentences, table rows, and lists of steps and blocks of code as one piece.

A list of steps is never cut: leaving a step out of a lock-out procedure is worse than a long answer. A quote ends
where a sentence, a row or the list ends, has a least length, and is not merely the person's own words given back.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.settings import TurnSettings
from agent.values import Passage

__all__ = ["Quote", "plain", "quotes_of"]

_STEP = re.compile(r"^\s*(?:\d+[.)、）](?!\d)|[（(](?:\d+|[一二三四五六七八九十]+)[)）]|[-*•+·](?=\s)|[①-⑳])\s*\S")
_SENTENCE_END = re.compile(r"(?<=[。!?！?;；])\s*|(?<=[.?!])\s+(?=[A-Z\"“(])")
_ROW_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_MARKUP = re.compile(r"\*\*|__|`")
_NUMBERED = re.compile(r"^\s*(\d{1,3})[.)、）]")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,}|-{4,}|\.{4,})\w*\s*$")
_RULE = re.compile(r"^\s*([-=_*])(?:\s*\1){2,}\s*$")
_SKIPPED = ("#", "<!--", "```", "![", "[source", "image:", "[[")


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of a passage, word for word but for markup."""

    text: str
    """A list and a block of code have their lead-in on the first line, a row the table's heading."""
    kind: str
    """sentence | steps | row | code"""
    passage: Passage

    @property
    def citation(self) -> str:
        """Computed from where the quote stands."""
        return self.passage.citation


def plain(text: str) -> str:
    """For comparing: NFKC, lower case, no spaces or punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum())


def quotes_of(passage: Passage, question: str, settings: TurnSettings) -> tuple[Quote, ...]:
    """Everything in a passage that may be quoted, in order.

    :param question: the person's words; a quote that they contain says nothing new.
    """
    asked = plain(question)
    quotes: dict[str, Quote] = {}
    for kind, text in _pieces(passage.text):
        key = plain(text)
        most = sys.maxsize if kind == "steps" else settings.quote_max_chars
        if settings.quote_min_chars <= len(text) <= most and key and key not in asked:
            quotes.setdefault(key, Quote(text, kind, passage))
    return tuple(quotes.values())


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each sentence, table row and list. A sentence that ends with a colon leads the next block in."""
    lead = last = ""
    for kind, block in _whole_lists(list(_blocks(text))):
        if kind == "table":
            yield from (("row", row) for row in _rows(block))
        elif kind == "list":
            yield "steps", "\n".join(([lead] if lead else []) + _steps(block))
        elif kind == "code":
            yield "code", "\n".join([*([lead or last] if lead or last else []), *block])
        else:
            sentences = [s for s in _SENTENCE_END.split(_join([_clean(line) for line in block])) if s and s.strip()]
            lead = sentences.pop().strip() if sentences and sentences[-1].rstrip().endswith((":", "：")) else ""
            last = sentences[-1].strip() if sentences else ""
            yield from (("sentence", sentence.strip()) for sentence in sentences)
            continue
        lead = last = ""


def _whole_lists(blocks: Sequence[tuple[str, list[str]]]) -> Iterator[tuple[str, list[str]]]:
    """A numbered list that goes on after a warning, a figure or a table is one list, with what stands between."""
    at = 0
    while at < len(blocks):
        kind, block = blocks[at]
        following = at + 1
        while kind == "list" and (go_on := _continued(block, blocks, following)) is not None:
            block = [*block, *(f"  {line.strip()}" for _, between in blocks[following:go_on] for line in between)]
            block += blocks[go_on][1]
            following = go_on + 1
        yield kind, block
        at = following


def _continued(block: Sequence[str], blocks: Sequence[tuple[str, list[str]]], at: int) -> int | None:
    """Where the list whose items are in `block` goes on: the next list, if its number is the one after."""
    numbers = [int(found[1]) for line in block if (found := _NUMBERED.match(line))]
    for i in range(at, len(blocks)):
        if blocks[i][0] == "list":
            first = _NUMBERED.match(blocks[i][1][0])
            return i if numbers and first and int(first[1]) == numbers[-1] + 1 else None
    return None


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Runs of lines of one kind: code, table, list (with its indented lines), prose. Blank lines end the last two."""
    prose: list[str] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        end = _closing(lines, at, fence[1]) if fence else None
        if end is None:
            prose.append(lines[at])
            at += 1
            continue
        yield from _plain_blocks(prose)
        prose = []
        code = [line.rstrip() for line in lines[at + 1 : end] if line.strip()]
        if code:
            yield "code", code
        at = end + 1
    yield from _plain_blocks(prose)


def _closing(lines: Sequence[str], at: int, fence: str) -> int | None:
    """Where a fence is closed; a line of dashes without a second one is a rule."""
    closed = (i for i in range(at + 1, len(lines)) if lines[i].strip() == fence)
    return next(closed, None)


def _plain_blocks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    block: list[str] = []
    kind = ""
    for line in [*lines, ""]:
        now = _kind_of(line, kind)
        if now in ("list", "list-gap") and kind in ("list", "list-gap"):
            now = "list" if line.strip() else "list-gap"
        elif block and now != kind:
            yield kind.removesuffix("-gap"), block
            block = []
        if line.strip() and now not in ("skip", "gap", "list-gap"):
            block.append(line)
        kind = now
    if block:
        yield kind.removesuffix("-gap"), block


def _kind_of(line: str, before: str) -> str:
    if not line.strip() or _RULE.match(line):
        return "list-gap" if before in ("list", "list-gap") else "gap"
    if line.lstrip().startswith(_SKIPPED):
        return "skip"
    if line.lstrip().startswith("|"):
        return "table"
    if _STEP.match(line) or (before in ("list", "list-gap") and line[:1] in " \t"):
        return "list"
    return "prose"


def _steps(block: Sequence[str]) -> list[str]:
    steps: list[str] = []
    for line in block:
        if _STEP.match(line) or not steps:
            steps.append(_clean(line))
        else:
            steps[-1] = _join([steps[-1], _clean(line)])
    return steps


def _rows(block: Sequence[str]) -> Iterator[str]:
    rows = [_cells(line) for line in block if not _ROW_RULE.match(line)]
    for row in rows[1:]:
        yield f"{rows[0]}\n{row}"


def _cells(line: str) -> str:
    return " | ".join(_clean(cell) for cell in line.strip().strip("|").split("|"))


def _join(lines: Sequence[str]) -> str:
    """Lines of one paragraph: a space between Latin words, nothing between Chinese ones."""
    text = ""
    for line in lines:
        glue = " " if text and line and (text[-1].isascii() or line[0].isascii()) else ""
        text += glue + line
    return text


def _clean(line: str) -> str:
    return _MARKUP.sub("", line).strip()
