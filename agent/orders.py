"""What a person orders in so many words, and what became of it.

Orders are read from what the person typed or said (`read_orders`), before a model is asked and without text from
anywhere else; `agent.order_run` carries them out. Leaf values, but for the tool call.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.actuator import Came, Heard
from agent.messages import ToolCall
from agent.values import Said

__all__ = ["Done", "Heard", "Order", "Orders"]


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
