"""Lines of a table: what a coloured thing in one of them is called."""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Box, Text
from plugins.panel.geometry import same_line
from plugins.panel.grammar import is_moment
from plugins.panel.lights.marks import can_label, tidy

__all__ = ["name_in_row"]


def name_in_row(box: Box, texts: Sequence[Text], skip: frozenset[int], own: str) -> str | None:
    """What something in a line is about: the first name in the line where that is one of a table, or else its own text.

    None for an event, which is a line with a date or time: its colour is told with its row.

    :param skip: indices of texts that belong to tables, or name readings.
    """
    line = [i for i, text in enumerate(texts) if same_line(text.box, box)]
    if skip.isdisjoint(line):
        return tidy(own)
    if any(is_moment(texts[i].text) for i in line):
        return None
    names = [tidy(texts[i].text) for i in sorted(line, key=lambda i: texts[i].box[0]) if can_label(texts[i])]
    # A single character is what a reader makes of an icon before the name.
    return next((name for name in names if len(name) > 1), tidy(own))
