"""What a person orders in so many words, and what became of it.

Orders are read from what the person typed or said (`read_orders`), before a model is asked and without text from
anywhere else; `agent.order_run` carries them out. Leaf values, but for the tool call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.actuator import Came, Heard
from agent.messages import ToolCall
from agent.values import Said

__all__ = ["Done", "Due", "Heard", "Order", "Orders"]


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that is ordered or asked of a device."""

    said: Said
    """What it is, for a person; all there is to say of it where there is no call."""
    call: ToolCall | None = None
    """None: nothing is done about it, and `said` tells why or asks back."""
    own_words: bool = False
    """Whether the person's own words name the device and the value. It is believed only where the tool, reading the
    same words anew, finds exactly this call in them.
    """


@dataclass(frozen=True, slots=True)
class Orders:
    """All that was read from one utterance."""

    orders: tuple[Order, ...]
    left: tuple[str, ...] = ()
    """Parts of it that order nothing: they are answered as a question is."""
    path: str = "rules"
    """Who read it: rules, names, model."""
    explained: tuple[str, ...] = ()
    """How, in lines for a person who looks for a fault."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one order."""

    order: Order
    came: Came
    line: Said
    """For the person: what is really so now."""
    command: str = ""
    """Id of the command; empty where none was planned."""
    request: str = ""
    """Id of the approval that it waits for."""

    def to_json(self) -> dict[str, object]:
        call = self.order.call
        return {
            "call": call.to_json() if call else None,
            "came": self.came,
            "line": dict(self.line),
            "command": self.command,
            "approval": self.request,
        }


@dataclass(frozen=True, slots=True)
class Due:
    """What was ordered before and is due now. Whoever gives it has written down that it is: it is given once."""

    said: Said
    """What is due, for people who hear or read it."""
    words: str
    """The person's words, for the trail."""
    orders: tuple[Order, ...] = ()
    """Nothing: it is only told."""
    by: str = ""
    """Who stands for the orders: what was allowed when it was said. What is dangerous waits all the same."""
    ended: Callable[[Sequence[Done]], None] = lambda done: None
    """To be called with what became of them."""
    area: str = ""
    """Where it was ordered by voice, and is best told; empty: it was typed, or nobody knows."""
