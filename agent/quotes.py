"""What may be quoted from a passage: sentences with what they lean on, table rows, lists, code and lines of code.

A list of steps is never cut: leaving a step out of a lock-out procedure is worse than a long answer. A quote ends
where a sentence, a row or the list ends, has a least length, and is not merely the person's own words given back.
A sentence that leans on the one before it ("It is usually …") is quoted with it, one of a short paragraph with the
paragraph. Of code that is longer than a few lines, each group of lines that stands together may be quoted alone.
"""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.blocks import Block, blocks_of, is_item
from agent.settings import TurnSettings
from agent.values import Passage
from knowledge.items import item_of

__all__ = ["Quote", "plain", "quotes_of"]

_SENTENCE_END = re.compile(r"(?<=[。!?！?;；])\s*|(?<=[.?!])\s+(?=[A-Z\"“(])")
_ROW_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_MARKUP = re.compile(r"\*\*|__|`")
_LEANS = re.compile(
    r"(?:this|these|those|they|it|such|otherwise|therefore|in (?:this|that) case)\b"
    r"|(?:这|此|该|它|其(?!他|它|余)|上述|否则|因此|所以)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^[^,，。.:：]{1,24}[:：]\s*\S")
_COMMENT = re.compile(r"^\s*(?:#(?!\w|\d)|//|/\*|\*/|;|--\s|%|rem\b|\(.*\)$|<!--)", re.IGNORECASE)
_ENDS = ("。", ".", "!", "?", "！", "？", ";", "；", ")", "）", "”", '"')
_BRACES = ("{", "[")
_OPENS = ("{", "[", "(", ":")
_HAS_LETTERS = re.compile(r"\w")

QuoteKind = Literal["sentence", "steps", "item", "row", "table", "code", "line"]


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of a passage, word for word but for markup."""

    text: str
    """A list and a block of code have their lead-in on the first line, a row the table's heading."""
    kind: str
    """sentence | steps | item | row | table | code | line"""
    passage: Passage
    core: str = ""
    """What it says itself, without the lead-in and the sentences around it; empty where that is all."""
    about: str = ""
    """Title of the note that it stands under; not quoted."""

    @property
    def citation(self) -> str:
        """Computed from where the quote stands: its section, and the numbered item where it is of one."""
        return self.passage.cited(item_of(self.passage.text, self.said))

    @property
    def said(self) -> str:
        """What it is judged by."""
        return self.core or self.text


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: QuoteKind
    text: str
    core: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class _Before:
    """What stands before a block."""

    lead: str = ""
    """The sentence that leads it in."""
    last: str = ""
    """The last sentence that does not."""
    whole: str = ""
    """The paragraph that ends with the lead, where it is short."""
    shown: str = ""
    """The code right before, with its lead-in."""


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
    for piece in _pieces(passage.text, settings):
        key = plain(piece.core or piece.text)
        most = sys.maxsize if piece.kind == "steps" else settings.quote_max_chars
        if settings.quote_min_chars <= len(piece.text) <= most and key and key not in asked:
            quotes.setdefault(key, Quote(piece.text, piece.kind, passage, piece.core, piece.about))
    return tuple(quotes.values())


def _pieces(text: str, settings: TurnSettings) -> Iterator[_Piece]:
    """The pieces of every block, each with the title of the note that it stands under."""
    title = Block("title", ("",))
    before = _Before()
    blocks = blocks_of(text)
    for at, block in enumerate(blocks):
        following = blocks[at + 1] if at + 1 < len(blocks) else None
        if block.kind == "title" or block.indent <= title.indent:
            title = block if block.kind == "title" else Block("title", ("",))
        if block.kind == "title":
            continue
        pieces, before = _pieces_of(block, following, before, settings)
        yield from (replace(piece, about=title.lines[0]) for piece in pieces)


def _pieces_of(
    block: Block, following: Block | None, before: _Before, settings: TurnSettings
) -> tuple[list[_Piece], _Before]:
    """A sentence that ends with a colon leads the next block in; code without one is led in by the sentence before."""
    if block.kind == "table":
        return list(_table(block)), _Before()
    if block.kind == "list":
        return list(_list(block, before.lead)), _Before()
    if block.kind == "code":
        lead = before.whole or before.lead or before.last
        shown = "\n".join([*([lead] if lead else []), *block.lines])
        return list(_code(block, lead, shown, settings)), _Before(shown=shown)
    sentences = [s.strip() for s in _SENTENCE_END.split(_join(_cleaned(block.lines))) if s and s.strip()]
    whole = _join(sentences)
    lead = sentences.pop() if sentences and _leads_in(sentences[-1], following) else ""
    pieces = list(_sentences(sentences, before.shown, settings))
    short = whole if lead and _columns(whole) <= settings.quote_lead_columns else ""
    return pieces, _Before(lead, sentences[-1] if sentences else "", short)


def _leads_in(sentence: str, following: Block | None) -> bool:
    """A sentence with a colon at its end; one without an end right before code."""
    if sentence.endswith((":", "：")):
        return True
    return following is not None and following.kind == "code" and not sentence.endswith(_ENDS)


def _sentences(sentences: Sequence[str], shown: str, settings: TurnSettings) -> Iterator[_Piece]:
    """Each sentence, quoted with those that it needs.

    :param shown: the code that stands right before the paragraph, with its lead-in.
    """
    whole = _join(sentences)
    labelled = any(_LABEL.match(sentence) for sentence in sentences)
    short = not labelled and _columns(whole) <= settings.quote_paragraph_columns
    for i, sentence in enumerate(sentences):
        first = 0 if short else i
        while first and _LEANS.match(sentences[first]):
            first -= 1
        text = whole if short else _join(sentences[first : i + 1])
        if first == 0 and shown and _LEANS.match(sentences[0]):
            text = f"{shown}\n{text}"
        if len(text) > settings.quote_max_chars:
            text = sentence
        yield _Piece("sentence", text, sentence if text != sentence else "")


def _list(block: Block, lead: str) -> Iterator[_Piece]:
    """The list as one piece; an item of a list that is no sequence alone too."""
    steps = _steps(block.lines)
    leading = [lead] if lead else []
    yield _Piece("steps", "\n".join([*leading, *steps]))
    if len(steps) > 1 and all(step[:1] in "-*•+·" for step in steps):
        for step in steps:
            yield _Piece("item", "\n".join([*leading, step]), step if lead else "")


def _table(block: Block) -> Iterator[_Piece]:
    """Each row under the table's heading, and the table."""
    rows = [_cells(line) for line in block.lines if not _ROW_RULE.match(line)]
    for row in rows[1:]:
        yield _Piece("row", f"{rows[0]}\n{row}")
    if len(rows) > 2:
        yield _Piece("table", "\n".join(rows))


def _code(block: Block, lead: str, shown: str, settings: TurnSettings) -> Iterator[_Piece]:
    """The whole listing, and the groups of its lines that stand together where it is long."""
    yield _Piece("code", shown, "\n".join(block.lines) if lead else "")
    if len(block.lines) <= settings.quote_code_lines:
        return
    for group in _groups(block.lines, settings.quote_code_lines):
        core = "\n".join(line.strip() for line in group)
        yield _Piece("line", f"{lead}\n{core}" if lead else core, core if lead else "")
    for part in _objects(block.lines, settings.quote_object_lines):
        core = textwrap.dedent("\n".join(part))
        yield _Piece("line", f"{lead}\n{core}" if lead else core, core if lead else "")


def _groups(lines: Sequence[str], most: int) -> Iterator[list[str]]:
    """Neighbouring lines of one depth that open nothing: the plain values of one object, the keys of one section.

    More than `most` of them are a program or a table, of which each line stands alone. Comments say nothing.
    """
    group: list[str] = []
    for line in [*lines, ""]:
        opens = line.rstrip().endswith(_OPENS)
        apart = not _HAS_LETTERS.search(line) or _COMMENT.match(line) is not None or opens
        if group and (apart or _depth(line) != _depth(group[-1])):
            yield from [group] if len(group) <= most else [[one] for one in group]
            group = []
        if not apart:
            group.append(line)


def _objects(lines: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Each member of a list or object that is opened and closed on lines of its own, if it is not long."""
    for at, line in enumerate(lines):
        if not line.rstrip().endswith(_BRACES) or not _depth(line):
            continue
        closed = (i for i in range(at + 1, len(lines)) if _depth(lines[i]) <= _depth(line))
        end = next(closed, None)
        if end is not None and lines[end].lstrip()[:1] in ("}", "]") and end - at < most:
            yield lines[at : end + 1]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _steps(lines: Sequence[str]) -> list[str]:
    steps: list[str] = []
    for line in lines:
        if is_item(line) or not steps:
            steps.append(_clean(line))
        else:
            steps[-1] = _join([steps[-1], _clean(line)])
    return steps


def _cells(line: str) -> str:
    return " | ".join(_clean(cell) for cell in line.strip().strip("|").split("|"))


def _join(lines: Sequence[str]) -> str:
    """Lines of one paragraph: a space between Latin words, nothing between Chinese ones."""
    text = ""
    for line in lines:
        glue = " " if text and line and (text[-1].isascii() or line[0].isascii()) else ""
        text += glue + line
    return text


def _columns(text: str) -> int:
    """Width on a terminal: a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _cleaned(lines: Sequence[str]) -> list[str]:
    return [_clean(line) for line in lines]


def _clean(line: str) -> str:
    return _MARKUP.sub("", line).strip()
