"""reStructuredText: headings are underlined (and overlined) with one mark; which mark is which depth, their order says.

Comments, targets and substitution definitions are no text; directives are kept as printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.formats.content import Line

__all__ = ["restructured_lines"]

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*")
_UNSEEN = re.compile(r"\.\. (?:_[^:]{1,100}:|\|[^|]{1,100}\||\[[^\]]{1,50}\]).*")
_COMMENT = re.compile(r"\.\. (?!\w[\w:.+-]*::)\S.*|\.\.\s*")
_HEADING_CHARS = 200


def restructured_lines(text: str) -> Iterator[Line]:
    """The lines of a reStructuredText."""
    lines = text.split("\n")
    marks: list[str] = []
    hidden = literal = False
    at = 0
    while at < len(lines):
        line = lines[at]
        indented = line[:1] in (" ", "\t") or not line.strip()
        hidden, literal = hidden and indented, literal and indented
        if hidden or _UNSEEN.fullmatch(line[:_HEADING_CHARS]) or _COMMENT.fullmatch(line[:_HEADING_CHARS]):
            hidden, at = True, at + 1
            continue
        found = None if indented else _heading(lines, at)
        if found is None:
            yield Line(line, verbatim=literal or line.lstrip()[:1] in ("|", "+"))
            literal = literal or line.rstrip().endswith("::")
            at += 1
            continue
        title, mark, used = found
        if mark not in marks:
            marks.append(mark)
        yield Line(title, level=marks.index(mark) + 1)
        at += used


def _heading(lines: list[str], at: int) -> tuple[str, str, int] | None:
    """Title, mark and number of lines of a heading that begins here."""
    first, second = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
    third = lines[at + 2] if at + 2 < len(lines) else ""
    if max(len(first), len(second), len(third)) > _HEADING_CHARS and len(second) > _HEADING_CHARS:
        return None
    over = _rule(first)
    if over and second.strip() and third.strip() == first.strip():
        return second.strip(), over * 2, 3
    under = _rule(second)
    blank_before = at == 0 or not lines[at - 1].strip()
    if under and not over and blank_before and len(second.strip()) >= min(len(first.strip()), 3):
        return first.strip(), under, 2
    return None


def _rule(line: str) -> str:
    match = _RULE.fullmatch(line) if len(line) <= _HEADING_CHARS else None
    return match[1] if match else ""
