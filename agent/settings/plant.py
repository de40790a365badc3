"""The plant, the box and the people: who is here, and what a person has to say yes to."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Literal

from pydantic import Field

from agent.settings.section import Section

__all__ = ["ApprovalSettings", "BoxSettings", "PlantSettings", "ProfileName", "ShiftSettings", "WatchSettings"]


class ShiftSettings(Section):
    """One shift of the plant's calendar, in wall-clock time; it belongs to the day on which it begins."""

    name: str
    """As people say it: 夜班, night, early. 夜班 and night shift are known to be one."""
    start: time
    hours: float = Field(gt=0, le=24)
    crews: tuple[str, ...] = ()
    """Who works it, day after day in turn, from `first_day` on: a rotation of any length."""
    first_day: date | None = None


class PlantSettings(Section):
    """The place this box watches over."""

    name: str = ""
    """Shown in answers and reports."""
    clock: datetime | None = None
    """A fixed "now" for replaying a recorded plant; None is the real clock."""
    shifts: tuple[ShiftSettings, ...] = ()
    """The shift calendar; without it "last night shift" is not known, and nothing is guessed."""


ProfileName = Literal["auto", "2gb", "4gb", "8gb", "16gb"]


class BoxSettings(Section):
    """What kind of box this is; see `agent.boxes` for what each is run with."""

    profile: ProfileName = "auto"
    """`auto` chooses by the memory that is free when the first process of this box starts. What the settings name
    themselves stays as it is named."""


class WatchSettings(Section):
    """`watch.db`, where every step is recorded."""

    busy_seconds: float = 5.0
    """How long to wait for another program that holds it."""
    max_shown_rows: int = 1_000_000
    """Rows that `audit list` shows at most."""


class ApprovalSettings(Section):
    """Calls that change something and wait for a person."""

    valid_seconds: float = 900.0
    """From the request until the call: later the person is asked anew."""
    max_waiting_calls: int = 50
    """Requests that wait at one time; one more is refused."""
    max_argument_chars: int = 4_000
    """Of one call, as JSON; a person can read no more before approving."""
    connection: str = ""
    """A broker of [drivers.connections] over which people may answer too; empty: none."""
    topic: str = "watchkeeper/approvals"
    """Where requests are told (`…/waiting`) and answers heard (`…/answer`); let the broker guard both."""
    persons: dict[str, Path] = Field(default_factory=dict)
    """Who may answer over the broker → the file with the secret that signs their answers; nobody else may read it."""
    least_secret_bytes: int = 16
    retell_seconds: float = 30.0
    """Between two tellings of what still waits."""
    wrong_answers_a_minute: int = 10
    """After so many that are not rightly signed, none is heard for a minute."""
