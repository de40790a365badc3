"""How a rung is, as a table, and when one that fell may be tried again."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.falls import Fall, FallKind
from agent.model.health import ANSWERING, TRANSITIONS, Event, HealthBook, State, after
from agent.settings import LadderSettings

SETTINGS = LadderSettings(rest_seconds=10, rest_most_seconds=100, turns_below=1, steady_turns=3)
FAILED = Fall("big", "it crashed")
DAMAGED = Fall("big", "one byte", kind="damaged")
BLIND = Fall("big", "no eyes", kind="blind")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def book(*rungs: str) -> tuple[HealthBook, Clock]:
    clock = Clock()
    return HealthBook(rungs or ("big", "small", "rules"), SETTINGS, clock=clock), clock


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("event", get_args(Event))
def test_every_event_has_a_state_or_is_a_bug(state: State, event: Event) -> None:
    """A failure takes any rung out of use and a success any into it; what cannot happen is refused by name."""
    following = TRANSITIONS[state].get(event)
    if following is None:
        with pytest.raises(RuntimeError, match=f"{state} was told {event}"):
            after(state, event)
    else:
        assert after(state, event) == following
        assert (following in ANSWERING) == (
            event in ("passed", "passed_in_part", "not_yet", "left") or (event == "repaired" and state in ANSWERING)
        )


def test_a_server_that_is_offline_is_looked_for_again_and_again() -> None:
    """After one turn that another answered, a look that fails costs nobody a turn, and the rests stay short; it is
    trusted no sooner after the next fall for that.
    """
    settings = SETTINGS.model_copy(update={"rest_most_seconds": 1_000, "offline_rest_most_seconds": 20})
    clock, offline = Clock(), Fall("big", "no route", kind="offline")
    health = HealthBook(("big", "rules"), settings, clock=clock)
    health.fell("big", offline, in_turn=False)
    clock.now = 50
    assert health.due("rules") is None
    health.turn_over("rules")
    for _ in range(6):
        assert health.due("rules") == "big"
        health.fell("big", offline, in_turn=False)
        assert health.due("rules") is None
        clock.now += 20
    health.passed("big")
    health.fell("big", offline, in_turn=True)
    clock.now += 20
    assert health.due("rules") is None


@pytest.mark.parametrize(("fall", "state"), [(FAILED, "resting"), (DAMAGED, "damaged")])
def test_a_rung_that_fell_rests_and_misses_a_whole_turn(fall: Fall, state: State) -> None:
    """Both: the seconds alone are not enough, nor is the turn alone, nor the one in which it fell."""
    health, clock = book()
    health.passed("big")
    health.fell("big", fall, in_turn=True)
    assert (health.state("big"), health.best(), health.falls()) == (state, "small", [fall])
    clock.now = 11
    assert health.due("small") is None
    health.turn_over("small")
    assert health.due("small") is None
    health.turn_over("small")
    assert health.due("small") == "big"
    clock.now = 9
    assert health.due("small") is None


def test_the_rest_doubles_up_to_its_most_and_is_short_again_after_steady_turns() -> None:
    """No flapping, and no grudge."""
    health, clock = book()
    rests = []
    for _ in range(6):
        health.fell("big", FAILED, in_turn=False)
        health.turn_over("small")
        begun = clock.now
        while health.due("small") is None:
            clock.now += 5
        rests.append(clock.now - begun)
        health.passed("big")
    assert rests == [10, 20, 40, 80, 100, 100]
    for _ in range(3):
        health.turn_over("big")
    health.fell("big", FAILED, in_turn=False)
    health.turn_over("small")
    clock.now += 10
    assert health.due("small") == "big"


def test_what_is_missing_because_it_was_set_aside_is_told_as_bad() -> None:
    """The first reason stays while nothing was repaired."""
    health, _ = book()
    health.fell("big", DAMAGED, in_turn=False)
    health.fell("big", Fall("big", "not here", kind="missing"), in_turn=False)
    assert health.falls() == [DAMAGED]
    health.repaired("big")
    health.fell("big", FAILED, in_turn=False)
    assert health.falls() == [FAILED]


def test_a_repair_ends_the_rest() -> None:
    """A damaged rung whose files are back is due after the turn that it missed, however long it was to rest."""
    health, _ = book()
    health.fell("big", DAMAGED, in_turn=False)
    health.turn_over("small")
    assert health.due("small") is None
    health.repaired("big")
    health.repaired("ocr-small")
    assert health.state("big") == "resting" and health.due("small") == "big"


def test_an_impaired_rung_answers_and_a_whole_one_is_tried_beside_it() -> None:
    """It is due itself once its files are back; a try that brings nothing changes nothing but the rest."""
    health, clock = book()
    health.passed("big", BLIND)
    assert health.best() == "big" and health.falls() == [] and health.due("big") is None and health.anyone_down()
    health.repaired("big")
    assert health.due("big") == "big"
    health.not_yet("big")
    assert health.best() == "big" and health.due("big") is None
    clock.now = 1e9
    assert health.due("big") is None
    health.repaired("big")
    assert health.due("big") == "big"
    health.passed("big")
    assert health.state("big") == "sound" and not health.anyone_down()


def test_only_better_rungs_are_tried_and_told() -> None:
    """What is wrong below the rung that answers is of no interest now."""
    health, clock = book("a", "b", "c", "rules")
    health.fell("c", Fall("c", "x"), in_turn=False)
    health.turn_over("b")
    clock.now = 100
    assert health.due("b") is None and health.falls(above="b") == [] and len(health.falls(above="rules")) == 1
    health.fell("a", Fall("a", "y"), in_turn=False)
    health.turn_over("b")
    clock.now = 200
    assert health.due("b") == "a"


@given(st.lists(st.tuples(st.sampled_from(get_args(FallKind)), st.floats(0, 1e6), st.booleans()), max_size=40))
def test_every_rest_ends(story: list[tuple[FallKind, float, bool]]) -> None:
    """After whatever falls, a rung is due again within the longest rest and one turn."""
    health, clock = book()
    for kind, seconds, in_turn in story:
        health.fell("big", Fall("big", "x", kind=kind), in_turn=in_turn)
        clock.now += seconds
        health.turn_over("small")
    health.turn_over("small")
    clock.now += SETTINGS.rest_most_seconds
    assert not story or health.due("small") == "big"
