"""What a page says and shows: words that were run into one, things above others, groups cut off by the edge."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.api import Box, Perception, Text, photo_of
from plugins.screen.finding import find
from plugins.screen.links.accessibility import is_reached, parents_of
from plugins.screen.parting import part_merged
from plugins.screen.scrolling import free_place
from plugins.screen.values import Control, Sight, Target

SIZE = (400, 300)


def seen(*texts: Text) -> Perception:
    return Perception(texts, (), (), (), SIZE, 1.0)


def sight(*controls: Control) -> Sight:
    photo = photo_of(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), "screen")
    return Sight(datetime.now(UTC), photo, seen(), controls)


def said(name: str, box: Box) -> Control:
    return Control(name, "tab", box, enabled=True, source="said")


TABS = (said("设定", (10, 10, 60, 40)), said("事件", (70, 10, 120, 40)))


def test_words_run_into_one_are_read_again_where_several_controls_stand() -> None:
    """Each of the controls gets what is printed on it, at its place."""
    printed = {TABS[0].box: "设定", TABS[1].box: "事件"}
    parted = part_merged(seen(Text("设定事件", (15, 15, 115, 35), 0.9)), TABS, lambda box: printed[box])
    assert [(text.text, text.box) for text in parted.texts] == [("设定", (15, 15, 60, 35)), ("事件", (70, 15, 115, 35))]


def test_what_cannot_be_read_alone_is_not_taken_from_what_the_page_says() -> None:
    """A name is never believed because it is said: a control without a readable text stays without one."""
    parted = part_merged(seen(Text("设定事件", (15, 15, 115, 35), 0.9)), TABS, lambda box: "")
    assert parted.texts == ()


def test_a_text_on_one_control_stays_as_it_was_read() -> None:
    """Nothing is read again without need."""
    whole = seen(Text("设定", (15, 15, 55, 35), 0.9))
    assert part_merged(whole, TABS, lambda box: "other") is whole


def test_a_press_that_meets_something_else_does_not_reach() -> None:
    """A node is reached by itself and by what is in it; not by what lies above it, nor by what it lies in."""
    snapshot = {"documents": [{"nodes": {"backendNodeId": [1, 2, 3, 4], "parentIndex": [-1, 0, 1, 0]}}]}
    parents = parents_of(snapshot)
    assert is_reached(2, 2, parents) and is_reached(2, 3, parents)
    assert not is_reached(2, 4, parents)
    assert not is_reached(3, 1, parents)


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 9)), st.integers(0, 9), st.integers(0, 9))
def test_parents_that_go_round_in_circles_end(parents: dict[int, int], one: int, hit: int) -> None:
    """A page may tell nonsense; it is answered all the same."""
    assert is_reached(one, hit, parents) in (True, False)


def test_within_a_group_is_never_above_its_title() -> None:
    """Where the rest of a group is out of view, the button of the group before is not taken for its own."""
    above = Control("Apply", "button", (10, 200, 80, 230), enabled=True)
    title = Control("Dosing", "text", (10, 250, 90, 270))
    found = find(sight(above, title), Target("Apply", within="Dosing"))
    assert found.control is None and found.out_of_view
    below = Control("Apply", "button", (10, 275, 80, 295), enabled=True)
    assert find(sight(above, title, below), Target("Apply", within="Dosing")).control == below


def test_the_wheel_is_turned_where_it_changes_no_value() -> None:
    """A free place lies on no field; where fields fill everything, there is none."""
    field = Control("Limit", "field", (100, 100, 300, 200))
    place = free_place(sight(field), (0, 0, *SIZE))
    assert place is not None and not (100 <= place[0] < 300 and 100 <= place[1] < 200)
    assert free_place(sight(Control("Limit", "field", (0, 0, *SIZE))), (0, 0, *SIZE)) is None
