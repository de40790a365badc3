"""What a screen shows, what is done on it and what came of that: plain frozen values, in pixels of the screen.

    Link       how a screen is reached: pictures come out of it, pointer and keys go in (VNC, a browser)
    Sight      one look: the picture, what was read from it, what can be used on it
    Target     what a step means, in words; never a place
    Found      the one control that is meant, or why none is sure
    Outcome    what a step did: confirmed by a second look, or stopped with what stands on the screen

Everything that is read from a screen is untrusted: its texts name things and order nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from agent.api import Box, Perception, Photo, Said

__all__ = ["Came", "Control", "Expect", "Found", "Link", "Outcome", "Role", "Sight", "Step", "Target", "Verb"]

Role = Literal[
    "button", "field", "tab", "menu", "item", "row", "checkbox", "switch", "link", "lamp", "value", "text", "dialog"
]
"""What it is used as; a dialog is a window that lies above the rest, and is not used itself."""
Verb = Literal["look", "click", "double_click", "type", "set", "press", "drag", "scroll", "wait"]
Came = Literal["confirmed", "stopped", "refused", "waits"]
"""confirmed  the expected change was read from a second look
stopped    done in part or not at all: `why` says which, and what stands on the screen
refused    a rule was against it; nothing was sent
waits      for a person's approval; nothing was sent
"""


class Link(Protocol):
    """A screen as it is reached. One thread uses it at a time; each call is bounded in time.

    Every method raises `agent.api.ToolFailed` where the screen cannot be reached, says something that is no picture,
    or changed its size since the sight that a place belongs to.
    """

    name: str
    """As the settings call it."""

    def look(self) -> Photo:
        """The picture as it is now, unscaled."""

    def named(self) -> Sequence[Control]:
        """What the screen itself says can be used on it (a browser's accessibility tree); empty where it says nothing,
        as VNC.
        """

    def click(self, x: int, y: int, *, times: int = 1) -> None: ...

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None: ...

    def scroll(self, x: int, y: int, *, notches: int) -> None:
        """Positive: down; 0 only moves the pointer there."""

    def type(self, text: str) -> None:
        """Characters, as keys; nothing is pressed that `text` does not hold."""

    def press(self, key: str) -> None:
        """A key by its name: Enter, Tab, Escape, Backspace, Delete, Up, Down, Left, Right, Home, End, PageUp, PageDown,
        F1 … F12; with Shift or Control held: Shift+Home, Control+A.
        """

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Control:
    """Something on a screen that has a name."""

    name: str
    """As printed on it, or beside it where it is a field; never empty."""
    role: Role
    box: Box
    enabled: bool | None = None
    """None: it cannot be told."""
    value: str | None = None
    """What it holds or shows; None where nothing can be read."""
    unit: str = ""
    source: Literal["seen", "said"] = "seen"
    """seen: read from the picture; said: by the screen itself. What is said and not seen is hidden, and is not used."""
    score: float = 1.0
    """0 to 1: how sure the name is."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at a screen."""

    at: datetime
    photo: Photo
    seen: Perception
    controls: tuple[Control, ...]
    """What can be used or read, in reading order; where a window lies above, only what is in it."""
    dialog: str = ""
    """Title or first line of a window that lies above; empty where none does."""
    busy: bool = False
    """A wait sign, or two looks in a row that differ: it is not settled."""
    frames: tuple[Box, ...] = ()
    """Frames drawn on it that may hold several things, the smallest first."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a step is about. All that is given has to hold."""

    text: str = ""
    """Its name, as a person calls it; in any of the languages of the profile or procedure."""
    role: Role | None = None
    near: str = ""
    """A text that it stands beside, under or in one group with."""
    within: str = ""
    """The title of the window, tab or group that it is in."""
    field: str = ""
    """A field of the screen's panel profile."""


@dataclass(frozen=True, slots=True)
class Found:
    """A control, or the reason why there is none."""

    control: Control | None
    why: Said
    """How it was found; where none was: what is missing, or between which it cannot be decided."""
    others: tuple[Control, ...] = ()
    """Those that came close, the closest first."""
    out_of_view: bool = False
    """Nothing that is in view fits, so it may be found by scrolling; otherwise it cannot be decided, or not be used."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What has to be so after a step. All that is given has to hold."""

    shows: str = ""
    """A text that stands on the screen."""
    hides: str = ""
    """A text that does not."""
    target: Target | None = None
    """With `value`: what that control has to hold."""
    value: str = ""
    unit: str = ""
    within_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    verb: Verb
    target: Target = field(default_factory=Target)
    value: str = ""
    """What is typed or set; the key of `press`."""
    unit: str = ""
    to: Target | None = None
    """Where a drag ends."""
    expect: tuple[Expect, ...] = ()
    writes: bool = True
    """Whether it changes something of the plant, so that a person has to approve it. Looking, scrolling and opening a
    page named by the procedure as harmless do not.
    """


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step."""

    came: Came
    why: Said
    """For a person, in both languages: what was done, on what, and what was read afterwards."""
    before: Sight | None = None
    after: Sight | None = None
    found: Found | None = None
    sent: bool = False
    """Whether pointer or keys were used: then what was meant may have happened, whatever was read afterwards."""
    seconds: float = 0.0
    shows: Mapping[str, str] = field(default_factory=dict)
    """What was expected → what stands there."""
