"""Screens that are operated, and procedures on them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agent.settings.section import Section

__all__ = ["ProcedureSettings", "ScreenSettings"]


class ScreenSettings(Section):
    """One screen that is read and, where a person allows it, operated."""

    kind: str
    """vnc, browser, or another way in that is installed."""
    address: str
    """vnc: host:5900. browser: the page, http://hmi/."""
    writable: bool = False
    """Whether anything may be changed on it at all; each change needs a person's approval besides."""
    names: tuple[str, ...] = ()
    """As people call it, in any language; its key in the settings is one anyway."""
    profile: str = ""
    """A panel that was learnt (`watchkeeper panel learn`): its fields can be named, and their values are checked."""
    languages: tuple[Literal["zh", "en"], ...] = ("zh", "en")
    """What its texts are written in."""
    password_file: Path | None = None
    """vnc: its first line; readable by nobody else."""
    secrets: dict[str, Path] = Field(default_factory=dict)
    """What may be typed by name, `secret:NAME`, and is written nowhere: a file each, its first line; readable by nobody
    else.
    """
    program: str = "chromium"
    """browser: what is started, by name or path."""
    endpoint: str = ""
    """browser: one that runs already, http://127.0.0.1:9222; empty: one is started."""
    allowed_hosts: tuple[str, ...] = ()
    """browser: hosts that its page may be loaded from, besides that of `address`; anything else is cut off."""
    size_px: tuple[int, int] = (1280, 800)
    """browser: the window that is started."""
    scale: float = Field(default=1.0, gt=0, le=4)
    """browser: pixels of the picture for one of the page."""
    connect_seconds: float = 20.0
    look_seconds: float = 10.0
    """For one picture."""
    max_pixels: int = 9_000_000
    """Of one picture; a larger screen is refused."""
    settle_seconds: float = 1.5
    """A screen that moves is looked at so long until two pictures in a row are alike; then it counts as busy."""
    poll_seconds: float = 0.08
    """Between two such pictures."""
    react_seconds: float = 0.4
    """How long a screen is given to begin to show what a click does."""
    most_wait_seconds: float = 60.0
    """No expectation waits longer."""
    hold_seconds: float = 0.05
    """How long a button of the pointer is down."""
    key_seconds: float = 0.01
    """Between two keys."""
    least_score: float = Field(default=0.6, le=1)
    """Texts that were read less surely name nothing."""
    partial_share: float = Field(default=0.35, le=1)
    """Where no more than this part of a picture changed, only that is read anew."""
    most_controls: int = 400
    most_scrolls: int = 12
    """Of a list, while something is looked for that cannot be seen."""
    scroll_notches: int = Field(default=3, ge=1)
    max_value_chars: int = 200
    """Of what is typed."""
    most_steps_a_minute: int = 60
    """That change something."""


class ProcedureSettings(Section):
    """What is done on a screen again and again, written down and approved by a person."""

    max_file_bytes: int = 64_000
    max_steps: int = 60
    """Of one procedure, with those that take it back."""
    max_parameters: int = 12
    max_files: int = 200
    max_pictures: int = 2_000
    """Of screens before and after a step; the oldest go first."""
    max_pictures_bytes: int = 500_000_000
    max_recorded_steps: int = 60
    """Of one showing."""
    most_record_seconds: float = 1_800.0
    """A showing that is not ended ends by itself."""
