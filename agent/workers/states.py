"""The states of a supervised worker, what moves it from one to the next, and how long it rests after a death. Pure.

stopped ──start──▶ starting ──came_up──▶ ready ◀──idle── busy
   ▲                  │  ▲                 │ ────call──▶ │
   │                died time_is_up      died          died
   │                  ▼  │                 ▼             ▼
   └───stop──── backing_off ◀──────────────┴─────────────┘
                      │ … or, after too many deaths, broken: the same with a longer rest
ready, busy ──drain──▶ draining ──idle──▶ stopped
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal

from agent.settings import WorkerSettings

__all__ = ["TRANSITIONS", "Event", "Health", "State", "after"]

State = Literal["stopped", "starting", "ready", "busy", "draining", "backing_off", "broken"]
Event = Literal["start", "came_up", "call", "idle", "died", "died_too_often", "time_is_up", "drain", "stop"]

TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    "stopped": {"start": "starting", "stop": "stopped", "drain": "stopped"},
    "starting": {
        "came_up": "ready", "died": "backing_off", "died_too_often": "broken", "stop": "stopped", "drain": "stopped",
    },
    "ready": {
        "call": "busy", "idle": "ready", "died": "backing_off", "died_too_often": "broken", "stop": "stopped",
        "drain": "draining",
    },
    "busy": {
        "call": "busy", "idle": "ready", "died": "backing_off", "died_too_often": "broken", "stop": "stopped",
        "drain": "draining",
    },
    "draining": {
        "idle": "stopped", "died": "stopped", "died_too_often": "stopped", "stop": "stopped", "drain": "draining",
    },
    "backing_off": {"time_is_up": "starting", "stop": "stopped", "drain": "stopped"},
    "broken": {"time_is_up": "starting", "stop": "stopped", "drain": "stopped"},
}  # fmt: skip
"""State → event → next state. What is not listed cannot happen."""


def after(state: State, event: Event) -> State:
    """The next state.

    :raises RuntimeError: the event cannot happen in this state, which is a bug.
    """
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise RuntimeError(f"a worker that is {state} was told {event}")
    return following


class Health:
    """Counts deaths: how long to rest after one, and when there were too many."""

    def __init__(self, settings: WorkerSettings, *, clock: Callable[[], float], random: Callable[[], float]) -> None:
        """
        :param clock: seconds, steady.
        :param random: from 0 up to 1.
        """
        self._settings = settings
        self._clock = clock
        self._random = random
        self._deaths: deque[float] = deque()
        self._on_probation = False

    def died(self) -> tuple[Event, float]:
        """Take note of a death.

        :return: which event it is, and the seconds until the next start.
        """
        settings, now = self._settings, self._clock()
        self._deaths.append(now)
        while self._deaths[0] < now - settings.breaker_window_seconds:
            self._deaths.popleft()
        if self._on_probation or len(self._deaths) >= settings.breaker_deaths:
            self._on_probation = True  # after this rest it has one try, until a call has succeeded
            return "died_too_often", self._jittered(settings.breaker_rest_seconds)
        doubled: float = settings.restart_seconds * 2 ** (len(self._deaths) - 1)
        return "died", self._jittered(min(settings.restart_most_seconds, doubled))

    def succeeded(self) -> None:
        """A call came back."""
        if self._on_probation:
            self._on_probation = False
            self._deaths.clear()

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + self._settings.restart_jitter * self._random())
