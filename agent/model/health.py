"""How each rung of the ladder is, and when one that fell may be tried again. Pure: the clock is given.

                 passed
    untried ───────────────▶ sound ◀──passed── impaired     (impaired: without its eyes, or its version before)
       ▲  │ ▲                  │                │  │ ▲
       │  │ └──── left ────────┴────────────────┘  │ └─ not_yet: a whole one was tried beside it and is none
       │  │ failed             │ failed            │
       │  ▼                    ▼                   ▼
       │ resting ──passed──▶ sound or impaired        a rest that doubles with each fall, and at least one whole
       │  ▲                                           turn that another rung answered
       │  │ repaired: the rest is over
       │ damaged ──passed──▶ as resting; it is what a fall over its files leads to, from every state

A rung that answered some turns without a fall is trusted anew: its next rest is short again. One that is offline is
looked for again and again, at most a short rest apart, also while nobody asks anything: its link may be back any time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.model.falls import Fall
from agent.settings import LadderSettings

__all__ = ["ANSWERING", "TRANSITIONS", "Event", "HealthBook", "State", "after"]

State = Literal["untried", "sound", "impaired", "resting", "damaged"]
Event = Literal["passed", "passed_in_part", "failed", "found_damaged", "not_yet", "repaired", "left"]

_FROM_ANYWHERE: Mapping[Event, State] = {
    "passed": "sound", "passed_in_part": "impaired", "failed": "resting", "found_damaged": "damaged",
}  # fmt: skip
TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    "untried": {**_FROM_ANYWHERE, "repaired": "untried", "left": "untried"},
    "sound": {**_FROM_ANYWHERE, "repaired": "sound", "left": "untried"},
    "impaired": {**_FROM_ANYWHERE, "repaired": "impaired", "not_yet": "impaired", "left": "untried"},
    "resting": {**_FROM_ANYWHERE, "repaired": "resting"},
    "damaged": {**_FROM_ANYWHERE, "repaired": "resting"},
}
"""State → event → next state. What is not listed cannot happen."""
ANSWERING: frozenset[State] = frozenset({"untried", "sound", "impaired"})
"""States in which a rung may be asked."""


def after(state: State, event: Event) -> State:
    """The next state.

    :raises RuntimeError: the event cannot happen in this state, which is a bug.
    """
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise RuntimeError(f"a rung that is {state} was told {event}")
    return following


@dataclass(slots=True)
class _Rung:
    state: State = "untried"
    fall: Fall | None = None
    """Why it is resting, damaged or impaired."""
    falls: int = 0
    """In a row; some turns without one begin anew."""
    due_at: float = 0.0
    """By the clock: earlier it is not tried."""
    turns_missed: int = 0
    """Whole turns that another rung answered since it fell."""
    turns_answered: int = 0
    """Since it fell last."""


class HealthBook:
    """Of all rungs, best first. Not safe for several threads."""

    def __init__(self, rungs: Sequence[str], settings: LadderSettings, *, clock: Callable[[], float]) -> None:
        """
        :param clock: seconds, steady.
        """
        self._rungs = {name: _Rung() for name in rungs}
        self._settings = settings
        self._clock = clock

    def state(self, name: str) -> State:
        """Of one rung."""
        return self._rungs[name].state

    def best(self, *, without: str = "") -> str | None:
        """The best rung that may be asked; None where there is none."""
        return next((name for name, rung in self._rungs.items() if name != without and rung.state in ANSWERING), None)

    def last(self) -> str:
        """The rung that needs least."""
        return list(self._rungs)[-1]

    def falls(self, *, above: str = "") -> list[Fall]:
        """Of the rungs that are down, best first.

        :param above: only of those better than this one.
        """
        names = list(self._rungs)
        better = names[: names.index(above)] if above in names else names
        down = (self._rungs[name] for name in better)
        return [rung.fall for rung in down if rung.fall and rung.state not in ANSWERING]

    def passed(self, name: str, impairment: Fall | None = None) -> None:
        """It was opened and may answer.

        :param impairment: in what way not as it should.
        """
        rung = self._move(name, "passed_in_part" if impairment else "passed")
        rung.fall = impairment
        rung.due_at = math.inf if impairment else 0.0

    def fell(self, name: str, fall: Fall, *, in_turn: bool) -> None:
        """It cannot answer.

        :param in_turn: it had answered already in the turn that goes on, so that this is no whole turn of another.
        """
        was = self._rungs[name].state
        rung = self._move(name, "found_damaged" if fall.repairable else "failed")
        if not (was == "damaged" and rung.fall and fall.kind == "missing"):  # it is missing because it was set aside
            rung.fall = fall
        rung.falls += 1
        rung.turns_answered = 0
        if not (was == "resting" and fall.kind == "offline"):  # a look whether the link is back costs nobody a turn
            rung.turns_missed = -1 if in_turn else 0
        self._rest(rung, fall)

    def not_yet(self, name: str) -> None:
        """A whole one was tried beside the impaired one, and is none. Only another repair can change that."""
        self._move(name, "not_yet").due_at = math.inf

    def repaired(self, name: str) -> None:
        """Its files are here and verified again: it need not rest any longer."""
        if name in self._rungs:
            self._move(name, "repaired").due_at = self._clock()

    def left(self, name: str) -> None:
        """It is not loaded any more, because another answers."""
        if self._rungs[name].state in ANSWERING:
            self._move(name, "left")

    def turn_over(self, answered_by: str) -> None:
        """A turn has ended."""
        for name, rung in self._rungs.items():
            if name == answered_by:
                rung.turns_answered += 1
                if rung.turns_answered >= self._settings.steady_turns:
                    rung.falls = 0
            elif rung.state not in ANSWERING:
                rung.turns_missed += 1

    def due(self, answering: str | None) -> str | None:
        """The best rung above the one that answers that may be tried now; that one itself where it is impaired."""
        for name, rung in self._rungs.items():
            if self._may_be_tried(rung):
                return name
            if name == answering:
                break
        return None

    def anyone_down(self) -> bool:
        """Whether there is anything to wait for."""
        return any(rung.state not in ("untried", "sound") for rung in self._rungs.values())

    def _may_be_tried(self, rung: _Rung) -> bool:
        if rung.state == "impaired":
            return self._clock() >= rung.due_at
        missed = rung.turns_missed >= self._settings.turns_below
        return rung.state in ("resting", "damaged") and missed and self._clock() >= rung.due_at

    def _rest(self, rung: _Rung, fall: Fall) -> None:
        settings = self._settings
        doubled: float = settings.rest_seconds * 2.0 ** min(max(rung.falls - 1, 0), 60)
        most = settings.offline_rest_most_seconds if fall.kind == "offline" else settings.rest_most_seconds
        rung.due_at = self._clock() + min(doubled, most)

    def _move(self, name: str, event: Event) -> _Rung:
        rung = self._rungs[name]
        rung.state = after(rung.state, event)
        return rung
