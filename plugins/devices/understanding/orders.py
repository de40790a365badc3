"""What a clause orders: an intent, the values it sets, and the kinds of device that can do it.

Rules, the first that fits: sound, tracks, colour, brightness, speed, position, modes, temperature, locks, robots,
scenes, on and off. A rule looks at verb, value and kind only; which devices are meant is found out afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

from plugins.devices.understanding.amounts import (
    brightness_order,
    color_order,
    modes_order,
    position_order,
    sound_order,
    speed_order,
    temperature_order,
)
from plugins.devices.understanding.frames import Frame
from plugins.devices.understanding.order_values import Order
from plugins.devices.understanding.switching import (
    lock_order,
    playing_order,
    robots_order,
    scenes_order,
    switching_order,
)

__all__ = ["order_of"]

_OTHER_THINGS = ("add", "remove", "complete")
"""Verbs of lists and timers. With two numbers it is not known which is wanted."""
_Rule = Callable[[Frame, tuple[str, ...]], Order | None]


def order_of(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    """The order of a clause; None: it orders nothing that is known.

    :param domains: of what it names, by names and kinds; empty: it names no kind.
    """
    if frame.verb in _OTHER_THINGS or len(frame.amounts) > 1:
        return None
    for rule in _RULES:
        order = rule(frame, domains)
        if order is not None and (not domains or not order.domains or set(domains) & set(order.domains)):
            return order
    return None


_RULES: tuple[_Rule, ...] = (
    sound_order, robots_order, lock_order, playing_order, color_order, position_order, brightness_order, speed_order,
    modes_order, temperature_order, scenes_order, switching_order,
)  # fmt: skip
