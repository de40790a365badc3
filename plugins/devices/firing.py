"""Timers that have ended: what is told, and the orders that are due, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from agent.api import Said, ToolCall, say
from agent.orders import Done, Due, Order
from plugins.devices.opened import OpenHouse
from plugins.devices.timer_words import left_words, list_line
from plugins.devices.timers import Timer, Timers

__all__ = ["due_now"]


def due_now(opened: OpenHouse, now: datetime, *, aloud: bool = False) -> list[Due]:
    """What is due, taken from the timers: it is written down that it fires before it does.

    :param now: local time of the plant.
    :param aloud: whether it can be said at a satellite; else what rings there is left for a moment to who can.
    :raises DatabaseError: `watch.db` cannot be used; nothing was taken.
    """
    timers, settings = opened.timers(), opened.house.settings
    taken = timers.take_due(
        now.timestamp(),
        late_seconds=settings.late_seconds,
        leave_seconds=0.0 if aloud else settings.ring_leave_seconds,
    )
    return [_due(timer, timers, now) for timer in taken]


def _due(timer: Timer, timers: Timers, now: datetime) -> Due:
    if timer.state == "late":
        return Due(list_line(timer, now), timer.said)
    if not timer.orders:
        return Due(_rings(timer, now), timer.said, ended=_ended(timer, timers), area=timer.heard)
    said = say(timer.said, timer.said)
    orders = tuple(Order(said, ToolCall("write_point", dict(order))) for order in timer.orders)
    return Due(said, timer.said, orders, f"timer {timer.id}", _ended(timer, timers))


def _rings(timer: Timer, now: datetime) -> Said:
    late = round(now.timestamp() - timer.due)
    ago = say(f"({left_words(late)['zh']}前)", f" ({left_words(late)['en']} ago)") if late > 1 else say("", "")
    long, name = left_words(timer.seconds), timer.name or timer.area
    return say(
        f"{name}计时 {long['zh']}到了{ago['zh']}。", f"{name} timer for {long['en']} has ended{ago['en']}.".strip()
    )


def _ended(timer: Timer, timers: Timers) -> Callable[[Sequence[Done]], None]:
    return lambda done: timers.end(timer, "; ".join(one.line["zh"] for one in done))
