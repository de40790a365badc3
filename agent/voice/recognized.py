"""What a text would order, as Wyoming's events of an intent service tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wyoming.event import Eventable
from wyoming.intent import Entity, Intent, IntentsStart, IntentsStop, NotRecognized

from agent.orders import Order
from agent.values import Language

__all__ = ["recognized"]


def recognized(found: Sequence[Order], language: Language, context: Mapping[str, Any] | None) -> list[Eventable]:
    """One intent as it is, several between a start and a stop; none, with what is asked back where something is."""
    told = None if context is None else dict(context)
    calls = [(order.said[language], order.call) for order in found if order.call is not None]
    if not calls:
        return [NotRecognized(text=next((order.said[language] for order in found), None), context=told)]
    intents = [
        Intent(call.tool, [Entity(name, value) for name, value in call.arguments.items()], said, told)
        for said, call in calls
    ]
    return list(intents) if len(intents) == 1 else [IntentsStart(context=told), *intents, IntentsStop()]
