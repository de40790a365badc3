"""A document's text taken apart into sections: number, heading, path, page and the words as printed.

Kinds: Markdown (`#` and underlined headings), AsciiDoc (`=` headings), plain text and PDF text (headings by their
numbering: `6.2 …`, `第六章 …`). In every kind a line that begins with 第…条 opens a section of its own. Nothing is
rewritten: a section's text is its lines, so that a quote can be found in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Section", "blocks", "cut", "read_sections"]

Kind = Literal["markdown", "asciidoc", "plain"]
Page = tuple[int | None, str]
"""Page number from 1 (None where the format has no pages) and its text."""

_NUMERALS = "零〇一二两三四五六七八九十百千"
_ATX = re.compile(r" {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_ASCIIDOC = re.compile(r"(={1,6})\s+(\S.*?)\s*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,}|-{4,}|\.{4,}|\|={3,})")
_COMMENT = re.compile(r"\A---\n.*?\n---(?:\n|\Z)|<!--.*?-->", re.DOTALL)
"""Front matter and comments: never shown, so never quoted."""
_ASCIIDOC_MARKUP = re.compile(r":[\w!-]+:.*|//(?!/).*|\[\[.*\]\]|\(\(\(.*\)\)\)")
_ARTICLE = re.compile(rf"\s*[*_]*(第[{_NUMERALS}\d]+条(?:之[{_NUMERALS}]+)?)[*_]*(?:[\s\u3000]+|$)")
_CHAPTER = re.compile(rf"(第\s?[{_NUMERALS}\d]+\s?[章节篇部])[\s\u3000]*(.*)")
_NUMBERED = re.compile(r"§?\s?(\d{1,3}(?:\.\d{1,3})*)(?:[.、．]\s*|\s+)(\S.*)")
_PLAIN_HEADING = re.compile(r"\s{0,3}(\d{1,2}(?:\.\d{1,2}){0,3})[\s\u3000]+([^\W\d_].{0,60})$")
_NOT_A_HEADING = re.compile(r"[。;；,，:：.!?！？]$|\.{4,}|…{2,}|\s\d+$")
_LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)、）]|[(（]\w{1,3}[)）]|[①-⑳])\s*\S")
_DECORATION = re.compile(r"^[^\w(（<\"“'‘§]+|[*`]+|\s*\{#.*\}$|\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, up to the next heading."""

    number: str
    """`6.2`, `第三十六条`; empty where none is printed."""
    heading: str
    """Without its number."""
    path: str
    """Headings above it and its own, outermost first, joined by ` / `."""
    page: int | None
    """Where it begins, from 1."""
    text: str
    """As printed, without the heading."""

    @property
    def name(self) -> str:
        """What a citation calls it: its number, else its heading."""
        return self.number or self.heading


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    number: str
    title: str

    @property
    def printed(self) -> str:
        return f"{self.number} {self.title}".strip()


def read_sections(pages: Iterable[Page], kind: Kind) -> tuple[str, list[Section]]:
    """Take a document apart.

    :returns: its title (empty where it has none) and its sections in order, those without text left out.
    """
    reader = _Reader(kind)
    for page, text in pages:
        reader.take(page, _COMMENT.sub("", text) if kind == "markdown" else text)
    return reader.finish()


class _Reader:
    """Walks over the lines once; the only state is the open section and the headings above it."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._above: list[_Heading] = []
        self._lines: list[str] = []
        self._page: int | None = None
        self._open = _Heading(0, "", "")
        self._done: list[tuple[tuple[_Heading, ...], _Heading, int | None, str]] = []
        self._fence = ""
        self._last_number: tuple[int, ...] = ()

    def take(self, page: int | None, text: str) -> None:
        lines = text.split("\n")
        for i, line in enumerate(lines):
            if self._kind == "asciidoc" and not self._fence and _ASCIIDOC_MARKUP.fullmatch(line.strip()):
                continue
            heading = None if self._in_fence(line) else self._heading(line, lines[i + 1] if i + 1 < len(lines) else "")
            if heading is not None:
                self._begin(heading, page)
            elif not (self._kind == "markdown" and self._is_underline(line)):
                self._article(line, page)

    def finish(self) -> tuple[str, list[Section]]:
        self._close()
        tops = [h for _, h, _, _ in self._done if h.level == 1]
        title = tops[0] if tops and not tops[0].number and self._done[0][1] in (tops[0], _Heading(0, "", "")) else None
        lone = title if len(tops) == 1 else None
        return title.title if title else "", [self._section(entry, lone) for entry in self._done if entry[3]]

    def _section(
        self, entry: tuple[tuple[_Heading, ...], _Heading, int | None, str], title: _Heading | None
    ) -> Section:
        above, own, page, text = entry
        path = [h for h in (*above, own) if h is not title and h.printed]
        if own is title:
            own = _Heading(1, "", "")
        return Section(own.number, own.title, " / ".join(h.printed for h in path), page, text)

    def _in_fence(self, line: str) -> bool:
        if self._kind == "plain":
            return False
        mark = _FENCE.match(line)
        if self._fence:
            if mark and mark[1].startswith(self._fence) and not line.strip().strip(mark[1][0]):
                self._fence = ""
            return True
        opens = mark and (mark[1][0] in "`~") == (self._kind == "markdown")
        if mark and opens:
            self._fence = mark[1]
        return bool(opens)

    def _heading(self, line: str, following: str) -> _Heading | None:
        if self._kind == "plain":
            return self._plain_heading(line)
        rule = _ATX if self._kind == "markdown" else _ASCIIDOC
        match = rule.fullmatch(line)
        if match:
            return _split_number(len(match[1]), match[2])
        underline = _UNDERLINE.fullmatch(following) if self._kind == "markdown" and line.strip() else None
        if underline and len(underline[1]) > 2 and "|" not in line and not _LIST_ITEM.match(line):
            return _split_number(1 if underline[1][0] == "=" else 2, line.strip()) if self._alone() else None
        return None

    def _alone(self) -> bool:
        return not self._lines or not self._lines[-1].strip()

    def _is_underline(self, line: str) -> bool:
        """The line under an underlined heading that has just been opened."""
        return (
            not self._lines and self._open.level in (1, 2) and bool(_UNDERLINE.fullmatch(line)) and bool(line.strip())
        )

    def _plain_heading(self, line: str) -> _Heading | None:
        chapter = _CHAPTER.fullmatch(line.strip())
        if chapter and len(line) < 60 and not _NOT_A_HEADING.search(line):
            return _Heading(1, chapter[1].replace(" ", ""), chapter[2].strip())
        match = _PLAIN_HEADING.fullmatch(line.rstrip())
        if not match or _NOT_A_HEADING.search(match[2]):
            return None
        number = tuple(int(part) for part in match[1].split("."))
        first = self._last_number[0] if self._last_number else 0
        if number <= self._last_number or number[0] > first + 1:
            return None  # a table row or a measured value, not the next heading
        self._last_number = number
        return _Heading(len(number), match[1], match[2].strip())

    def _article(self, line: str, page: int | None) -> None:
        match = None if self._fence else _ARTICLE.match(line)
        if match:
            level = 90  # below every printed heading
            self._begin(_Heading(level, match[1], ""), page)
        self._lines.append(line)

    def _begin(self, heading: _Heading, page: int | None) -> None:
        self._close()
        self._above = [h for h in self._above if h.level < heading.level]
        self._open, self._page = heading, page

    def _close(self) -> None:
        text = "\n".join(self._lines).strip("\n").rstrip()
        has_words = any(c.isalnum() for c in text)
        if self._open.level or has_words:
            self._done.append((tuple(self._above), self._open, self._page, text if has_words else ""))
        if self._open.level:
            self._above = [*self._above, self._open]
        self._lines = []


def _split_number(level: int, printed: str) -> _Heading:
    title = _DECORATION.sub(lambda m: m[1] or "", printed).strip()
    chapter = _CHAPTER.fullmatch(title)
    if chapter:
        return _Heading(level, chapter[1].replace(" ", ""), chapter[2].strip())
    article = _ARTICLE.match(title)
    if article:
        return _Heading(level, article[1], title[article.end() :].strip())
    match = _NUMBERED.fullmatch(title)
    return _Heading(level, match[1], match[2].strip()) if match else _Heading(level, "", title)


def cut(text: str, limit: int) -> list[str]:
    """A section's text in pieces of at most `limit` characters, cut between blocks.

    A list, a table or a code block stays whole even where it is longer, because half a procedure is a trap; only past
    four times the limit it is cut at a line.
    """
    pieces: list[str] = []
    for block in _bounded(blocks(text), limit * 4):
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
    whole: list[str] = []
    for paragraph in ("\n".join(lines) for lines in out if lines):
        if whole and _goes_on(whole[-1], paragraph):
            whole[-1] += "\n\n" + paragraph
        else:
            whole.append(paragraph)
    return whole


def _goes_on(before: str, after: str) -> bool:
    """Whether two paragraphs are one list: both are items, or the second is indented under an item."""
    first = _LIST_ITEM.match(before.split("\n", 1)[0]) is not None
    return first and (_LIST_ITEM.match(after) is not None or after.startswith(("  ", "\t")))


def _bounded(whole: Iterable[str], limit: int) -> Iterator[str]:
    for block in whole:
        while len(block) > limit:
            end = block.rfind("\n", 1, limit)
            end = limit if end < limit // 2 else end
            yield block[:end].rstrip()
            block = block[end:].lstrip("\n")
        if block.strip():
            yield block
