"""Groups of like parts on a panel: `Set Point` under ZONE A and again under ZONE B.

Where a label repeats, what differs at the same place relative to each of its repeats names the group: headings are
found by that, not by their wording.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Box
from plugins.panel.geometry import centre, height
from plugins.panel.grammar import Token

__all__ = ["group_names"]

_MAX_REPEATS = 24
_REACH = 40.0
"""How far from its repeats a heading may be, in text heights."""


def group_names(labels: Sequence[Token | None], headings: Sequence[Token]) -> list[str]:
    """For each reading the heading of its group, empty where it has none.

    :param labels: of every reading; None where it has no label of its own.
    :param headings: labels on the panel that name no reading.
    """
    repeated: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        if label is not None:
            repeated.setdefault(label.text, []).append(index)
    names = [""] * len(labels)
    for group in repeated.values():
        places = [label for index in group if (label := labels[index]) is not None]
        distinct = len({label.box for label in places}) == len(places)
        if 2 <= len(places) <= _MAX_REPEATS and distinct:
            for index, heading in zip(group, _headings(places, headings), strict=True):
                names[index] = heading
    return names


def _headings(places: Sequence[Token], headings: Sequence[Token]) -> list[str]:
    """Texts that differ from each other and stand to each repeat of a label as to the first one; the nearest such."""
    first = places[0]
    tall = height(first.box)
    for heading in sorted(headings, key=lambda token: _distance(first.box, token.box)):
        if _distance(first.box, heading.box) > _REACH * tall or not _may_head(first.box, heading.box):
            continue
        found = [heading]
        for place in places[1:]:
            alike = [token for token in headings if _stands_alike(place.box, token.box, first.box, heading.box)]
            if not alike:
                break
            found.append(min(alike, key=lambda token: _distance(place.box, token.box)))
        names = [token.text for token in found]
        if len(found) == len(places) and len(set(names)) == len(names):
            return names
    return [""] * len(places)


def _may_head(label: Box, heading: Box) -> bool:
    """Above its group, and not set smaller."""
    return heading[3] <= label[1] + 2 and height(heading) >= 0.9 * height(label)


def _stands_alike(label: Box, heading: Box, first_label: Box, first_heading: Box) -> bool:
    tall = height(first_heading)
    if abs(height(heading) - tall) > 0.25 * tall + 1:
        return False
    down = abs((heading[1] - label[1]) - (first_heading[1] - first_label[1]))
    starts = abs((heading[0] - label[0]) - (first_heading[0] - first_label[0]))
    middles = abs((centre(heading)[0] - label[0]) - (centre(first_heading)[0] - first_label[0]))
    return down <= 0.8 * tall and min(starts, middles) <= 0.8 * tall


def _distance(a: Box, b: Box) -> float:
    return abs(centre(a)[1] - centre(b)[1]) + abs(centre(a)[0] - centre(b)[0])
