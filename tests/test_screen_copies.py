"""A name that is printed twice is not pressed where only one of the two was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from agent.api import Perception, Photo
from plugins.screen.acting import Operator
from plugins.screen.copies import unread_copies
from plugins.screen.looking import Looker
from plugins.screen.values import Step, Target
from tests.screen_kit import SETTINGS, DrawnScreen, Thing, operator_on, parameters

SAVE = Step("click", Target("保存"))


def twins() -> DrawnScreen:
    """Two buttons of one name, side by side."""
    screen = parameters()
    screen.things.append(Thing("button", "保存", (460, 200, 560, 240)))
    return screen


class Overlooking:
    """Reads all but the first of two such names, so many times."""

    def __init__(self, screen: DrawnScreen, times: int) -> None:
        self.screen, self.times = screen, times

    def perceive(self, photo: Photo) -> Perception | None:
        seen = self.screen.perceive(photo)
        if seen is None or self.times == 0:
            return seen
        self.times -= 1
        first = next(text for text in seen.texts if text.text == "保存")
        return replace(seen, texts=tuple(text for text in seen.texts if text is not first))


class Under:
    """Reads the first of two names wrongly as long as something lies on it."""

    def __init__(self, screen: DrawnScreen, thing: Thing) -> None:
        self.screen, self.thing = screen, thing

    def perceive(self, photo: Photo) -> Perception | None:
        seen = self.screen.perceive(photo)
        if seen is None or self.thing not in self.screen.things:
            return seen
        first = next(text for text in seen.texts if text.text == "保存")
        return replace(seen, texts=tuple(replace(t, text="保文子") if t is first else t for t in seen.texts))


@pytest.mark.parametrize(("times", "reason"), [(1, "there are 2"), (9, "looks like")])
def test_a_twin_that_was_overlooked_stops_the_click(times: int, reason: str) -> None:
    """Read at the second look, or not at all: nothing is pressed."""
    screen = twins()
    looker = Looker(screen, Overlooking(screen, times).perceive, SETTINGS, lambda: datetime(2026, 3, 2, tzinfo=UTC))
    outcome = Operator(looker, SETTINGS).do(SAVE)
    assert (outcome.came, screen.clicks, outcome.sent) == ("stopped", [], False)
    assert reason in outcome.why["en"]


def test_a_pointer_that_others_left_on_a_name_is_moved_aside() -> None:
    """Drawn on a button, it makes another name of it, and the button would seem to be the only one."""
    screen = twins()
    covered = Thing("text", "×", (80, 205, 0, 0))
    screen.things.append(covered)
    moved: list[tuple[int, int]] = []

    def scroll(x: int, y: int, *, notches: int) -> None:
        moved.append((x, y))
        if covered in screen.things:
            screen.things.remove(covered)

    screen.scroll = scroll  # type: ignore[method-assign]
    looker = Looker(screen, Under(screen, covered).perceive, SETTINGS, lambda: datetime(2026, 3, 2, tzinfo=UTC))
    outcome = Operator(looker, SETTINGS).do(SAVE)
    assert (outcome.came, screen.clicks, len(moved)) == ("stopped", [], 1)
    assert "there are 2" in outcome.why["en"] and screen.at(*moved[0]) is None


def test_names_that_were_read_are_no_copies() -> None:
    """Each control of a screen on which everything was read stands alone, also where two have one name."""
    for screen in (parameters(), twins()):
        sight = operator_on(screen).looker.look()
        assert sight.controls
        assert [control.name for control in sight.controls if unread_copies(sight, control)] == []


def test_a_plain_place_has_no_copies() -> None:
    """A control without print on it, at the edge of a picture."""
    sight = operator_on(parameters()).looker.look()
    grey = replace(sight, photo=replace(sight.photo, pixels=np.full_like(sight.photo.pixels, 90)))
    assert [control for control in grey.controls if unread_copies(grey, control)] == []
