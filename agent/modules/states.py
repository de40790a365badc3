"""The states of a module while one version takes another's place. Pure.

Side by side, the usual way. The old version answers until `proved`, and was never stopped if that does not come:

    serving ──begin──▶ starting ──came_up──▶ trying ──proved──▶ draining ──drained──▶ serving
       ▲                  │ failed              │ failed          the new one answers from `proved` on
       └──────────────────┴─────────────────────┘
    empty ──begin──▶ first_starting ──came_up──▶ first_trying ──proved──▶ serving; failed: empty

Alone, where memory does not hold both. Nobody answers until `proved`; callers are told so at once:

    serving ──begin_alone──▶ stopping ──drained──▶ starting_alone ──came_up──▶ trying_alone ──proved──▶ serving
                                                         │ failed                   │ failed
                                                         ▼                          ▼
                                                     restoring ──came_up──▶ serving, the old version
                                                         └──failed──▶ empty
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["ANSWERING", "TRANSITIONS", "SwapEvent", "SwapState", "after"]

SwapState = Literal[
    "empty", "serving", "first_starting", "first_trying", "starting", "trying", "draining", "stopping",
    "starting_alone", "trying_alone", "restoring",
]  # fmt: skip
SwapEvent = Literal["begin", "begin_alone", "came_up", "proved", "drained", "failed", "close"]

TRANSITIONS: Mapping[SwapState, Mapping[SwapEvent, SwapState]] = {
    "empty": {"begin": "first_starting", "close": "empty"},
    "first_starting": {"came_up": "first_trying", "failed": "empty"},
    "first_trying": {"proved": "serving", "failed": "empty"},
    "serving": {"begin": "starting", "begin_alone": "stopping", "close": "empty"},
    "starting": {"came_up": "trying", "failed": "serving"},
    "trying": {"proved": "draining", "failed": "serving"},
    "draining": {"drained": "serving"},
    "stopping": {"drained": "starting_alone"},
    "starting_alone": {"came_up": "trying_alone", "failed": "restoring"},
    "trying_alone": {"proved": "serving", "failed": "restoring"},
    "restoring": {"came_up": "serving", "failed": "empty"},
}
"""State → event → next state. What is not listed cannot happen."""
ANSWERING: frozenset[SwapState] = frozenset({"serving", "starting", "trying", "draining"})
"""States in which a call is answered."""


def after(state: SwapState, event: SwapEvent) -> SwapState:
    """The next state.

    :raises RuntimeError: the event cannot happen in this state, which is a bug.
    """
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise RuntimeError(f"a module that is {state} was told {event}")
    return following
