"""A document's lines taken apart into sections: number, heading, path, page and the words as printed.

Headings are those that the format marks; in a document that does not mark them all they are also told by their
numbering (`6.2 …`, `第六章 …`). In every document a line that begins with 第…条, and a paragraph that begins with
`Article 12` or `§ 4.2`, opens a section of its own. Nothing is rewritten: a section's text is its lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.formats.content import Line

__all__ = ["Section", "read_sections"]

_NUMERALS = "零〇一二两三四五六七八九十百千"
_ARTICLE = re.compile(rf"\s*[*_]*(第\s?[{_NUMERALS}\d]{{1,9}}\s?条(?:之[{_NUMERALS}]{{1,3}})?)[*_]*(?:[\s\u3000]+|$)")
_NAMED = r"(?:Article|Clause|Section|Annex|Appendix|Chapter|Part|附录|附件)"
_OPENING = re.compile(
    r"\s*[*_]*((?:Article|Clause|Art\.)\s\d{1,4}[a-z]?|§\s?\d{1,4}[a-z]?(?:\.\d{1,3}){0,4})[*_]*(?:$|[.:—–]\s|\s+(?=[A-Z(\"“*_]))"
)
_OPENS = frozenset("第§AC*_ \t\u3000")
_CHAPTER = re.compile(rf"(第\s?[{_NUMERALS}\d]{{1,9}}\s?[章节篇部])[\s\u3000]*(.*)")
_NAMED_HEADING = re.compile(rf"({_NAMED}\s?(?:\d{{1,4}}(?:\.\d{{1,3}})*|[A-Z]|[IVXL]{{1,6}})(?!\w))[\s:.—–-]*(.*)")
_NUMBERED = re.compile(r"§?\s?((?:[A-H]\.)?\d{1,3}(?:\.\d{1,3})*)(?:[.、．]\s*|\s+)(\S.*)")
_PLAIN_HEADING = re.compile(r"\s{0,3}(\d{1,2}(?:\.\d{1,2}){0,3})\.?[\s\u3000]+([^\W\d_].{0,60})")
_NOT_A_HEADING = re.compile(r"[。;；,，:：.!?！？]$|\.{4,}|…{2,}|\s\d+$")
_LEADERS = re.compile(r"(?:[.·•]\s?){5,}\s*\d{1,4}$|…{2,}\s*\d{1,4}$")
_DECORATION = re.compile(r"^[^\w(（<\"“'‘§]+|[*`]+|\s*\{#[^}]*\}$|\[([^\[\]]*)\]\([^()]*\)")
_ARTICLE_LEVEL = 90
"""Below every printed heading."""
_HEADING_CHARS = 300


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, up to the next heading."""

    number: str
    """`6.2`, `第三十六条`, `Article 12`; empty where none is printed."""
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


_NOTHING = _Heading(0, "", "")


def read_sections(lines: Iterable[Line], *, bare: bool = False, title: str = "") -> tuple[str, list[Section]]:
    """Take a document apart.

    :param bare: not every heading is marked; others are told by their numbering.
    :param title: as the format gives it; a lone first heading is the title where there is no other.
    :returns: its title (empty where it has none) and its sections in order, those without text left out.
    """
    reader = _Reader(bare=bare, title=title)
    for line in lines:
        reader.take(line)
    return reader.finish()


class _Reader:
    """Walks over the lines once; the only state is the open section and the headings above it."""

    def __init__(self, *, bare: bool, title: str) -> None:
        self._bare, self._title = bare, title
        self._above: list[_Heading] = []
        self._lines: list[str] = []
        self._page: int | None = None
        self._open = _NOTHING
        self._done: list[tuple[tuple[_Heading, ...], _Heading, int | None, str]] = []
        self._last_number: tuple[int, ...] = ()

    def take(self, line: Line) -> None:
        text = line.text
        if line.level:
            self._begin(_heading(line), line.page)
            return
        if self._page is None:
            self._page = line.page
        if not line.verbatim and text:
            if text[-1].isdigit() and _LEADERS.search(text[-200:]):
                return  # a line of the table of contents
            plain = self._plain_heading(text) if self._bare else None
            if plain is not None:
                self._begin(plain, line.page)
                return
            if text[0] in _OPENS:
                number = self._article(text)
                if number:
                    self._begin(_Heading(_ARTICLE_LEVEL, number, ""), line.page)
        self._lines.append(text)

    def finish(self) -> tuple[str, list[Section]]:
        self._close()
        tops = [h for _, h, _, _ in self._done if h.level == 1]
        title = tops[0] if tops and not tops[0].number and self._done[0][1] in (tops[0], _NOTHING) else None
        if title and self._title and title.title not in self._title:
            title = None
        lone = title if len(tops) == 1 else None
        sections = [self._section(entry, lone) for entry in self._done if entry[3]]
        return title.title if title else self._title, sections

    def _section(
        self, entry: tuple[tuple[_Heading, ...], _Heading, int | None, str], title: _Heading | None
    ) -> Section:
        above, own, page, text = entry
        path = [h.printed for h in (*above, own) if h is not title and h.printed]
        if own is title:
            own = _Heading(1, "", "")
        return Section(own.number, own.title, " / ".join(path), page, text)

    def _plain_heading(self, line: str) -> _Heading | None:
        if len(line) > _HEADING_CHARS:
            return None
        start = line.strip()
        chapter = _CHAPTER.fullmatch(start) if start.startswith("第") else None
        if chapter and len(line) < 60 and not _NOT_A_HEADING.search(line):
            return _Heading(1, _close_up(chapter[1]), chapter[2].strip())
        match = _PLAIN_HEADING.fullmatch(line.rstrip()) if start[:1].isdigit() else None
        if not match or _NOT_A_HEADING.search(match[2]):
            return None
        number = tuple(int(part) for part in match[1].split("."))
        first = self._last_number[0] if self._last_number else 0
        if number <= self._last_number or number[0] > first + 1 or (len(number) == 1 and match[1] + "." in line[:6]):
            return None  # a table row, a step or a measured value, not the next heading
        self._last_number = number
        return _Heading(len(number), match[1], match[2].strip())

    def _article(self, line: str) -> str:
        """The number of the article that a line opens; empty where it opens none."""
        match = _ARTICLE.match(line[:80])
        if match:
            return _close_up(match[1])
        alone = not self._lines or not self._lines[-1].strip()
        opening = _OPENING.match(line[:80]) if alone else None
        return opening[1] if opening else ""

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


def _heading(line: Line) -> _Heading:
    """A marked heading in number and words."""
    title = _DECORATION.sub(lambda m: m[1] or "", line.text[:_HEADING_CHARS]).strip()
    if line.number:
        return _Heading(line.level, line.number, title)
    chapter = _CHAPTER.fullmatch(title)
    if chapter:
        return _Heading(line.level, _close_up(chapter[1]), chapter[2].strip())
    article = _ARTICLE.match(title)
    if article:
        return _Heading(line.level, _close_up(article[1]), title[article.end() :].strip())
    match = _NAMED_HEADING.fullmatch(title) or _NUMBERED.fullmatch(title)
    return _Heading(line.level, match[1], match[2].strip()) if match else _Heading(line.level, "", title)


def _close_up(number: str) -> str:
    return "".join(number.split())
