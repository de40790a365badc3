"""What a tool that moves something knows of its calls: how risky one is, whether words order it, what is against it.

The core decides with it who has to say yes, and says to the person what really happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.values import Json, Said

__all__ = ["Actuator", "Came", "Heard", "Outcome", "Risk"]

Risk = Literal["read", "write", "dangerous"]
Came = Literal["confirmed", "failed", "unsure", "refused", "waits", "repeated", "told"]
"""confirmed    read back, it is so
failed       it is not so: it was not sent, or the device shows something else
unsure       sent, and nothing says what became of it
refused      a rule was against it; nothing was sent
waits        for a person's approval; nothing was sent
repeated     ordered before by the same utterance; nothing was sent now
told         nothing was to be moved: a reading, a question back, a reason
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """How a person's words came here."""

    utterance: str = ""
    """Its id, where whoever delivers it may deliver it twice; what was said under it is never carried out again."""
    area: str = ""
    """Where the satellite stands that heard it: what "here" means."""
    age_seconds: float = 0.0
    """How long ago it was said, where whoever delivers it knows."""
    photo: bool = False
    """Whether a photo was shown with the words: a question is then about that."""
    earlier: tuple[str, ...] = ()
    """What the person said before in this conversation, latest last; their own words, no answers."""
    relayed: bool = False
    """Whether a program passed the words on, so nobody knows that a person said them: they stand for no command."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call."""

    came: Came
    why: Said | None = None
    """The reason, where there is one."""
    request: str = ""
    """Id of the approval that it waits for."""


class Actuator(Protocol):
    """Calls of one tool. Every method looks and none moves anything."""

    def risk(self, arguments: Mapping[str, Json]) -> Risk:
        """Of exactly this call, now; "dangerous" where it cannot be told."""

    def ordered(self, words: str, heard: Heard, arguments: Mapping[str, Json]) -> bool:
        """Whether a person's words, read anew by rules alone, order exactly this call: device and value named."""

    def refusal(self, arguments: Mapping[str, Json]) -> Said | None:
        """Why it must not be sent now; None where nothing is against it."""

    def moves(self, arguments: Mapping[str, Json]) -> str:
        """What is moved, to count how often."""

    def lane(self, arguments: Mapping[str, Json]) -> str:
        """Calls of one lane run one after another, in their order, others beside them: what is moved, and whatever
        else decides whether it may be.
        """

    def most_a_minute(self, arguments: Mapping[str, Json]) -> int:
        """How often that which is moved may be sent to within a minute."""

    def before(self, arguments: Mapping[str, Json]) -> Json:
        """What the device shows now, so that it can be put back; None where nobody knows."""

    def told(self, arguments: Mapping[str, Json], outcome: Outcome) -> Said:
        """What really became of it, in one line for the person."""
