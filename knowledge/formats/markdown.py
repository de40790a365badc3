"""Markdown: `#` and underlined headings. What is never shown (front matter, comments) is never quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.formats.content import Line

__all__ = ["markdown_lines", "without_comments"]

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---(?:\n|\Z)", re.DOTALL)
_ATX = re.compile(r" {0,3}(#{1,6})\s+(.+?)\s*#*\s*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)、）]|[(（]\w{1,3}[)）]|[①-⑳])\s*\S")
_HEADING_CHARS = 1_000
"""A longer line is no heading, however it begins."""


def markdown_lines(text: str) -> Iterator[Line]:
    """The lines of a Markdown text."""
    lines = without_comments(_FRONT_MATTER.sub("", text, count=1)).split("\n")
    fence, alone, at = "", True, 0
    while at < len(lines):
        line, at = lines[at], at + 1
        start = line.lstrip()[:1]
        if fence or start in "`~":
            fence, inside = _fenced(line, fence)
            if inside:
                yield Line(line, verbatim=True)
                alone = False
                continue
        heading = _heading(line, start, lines[at] if at < len(lines) else "", alone=alone)
        if heading is None:
            yield Line(line, verbatim=start == "|")
            alone = not line.strip()
            continue
        yield heading
        at += not line.lstrip().startswith("#")
        alone = True


def without_comments(text: str) -> str:
    """Without `<!-- … -->`; one that is never closed stays, as a browser of manuals would show it."""
    if "<!--" not in text:
        return text
    kept, place = [], 0
    while (start := text.find("<!--", place)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[place:start])
        place = end + 3
    return "".join([*kept, text[place:]])


def _fenced(line: str, fence: str) -> tuple[str, bool]:
    """The fence that is open after a line, and whether the line belongs to a block of code."""
    mark = _FENCE.match(line)
    if not fence:
        return (mark[1], True) if mark else ("", False)
    closes = mark and mark[1].startswith(fence) and not line.strip().strip(fence[0])
    return ("" if closes else fence), True


def _heading(line: str, start: str, following: str, *, alone: bool) -> Line | None:
    if not start or len(line) > _HEADING_CHARS:
        return None
    if start == "#":
        match = _ATX.fullmatch(line)
        return Line(match[2], level=len(match[1])) if match else None
    if not alone or following.strip()[:1] not in ("=", "-"):
        return None
    under = _UNDERLINE.fullmatch(following)
    if under is None or len(under[1]) < 3 or "|" in line or _LIST_ITEM.match(line):
        return None
    return Line(line.strip(), level=1 if under[1][0] == "=" else 2)
