"""What is said of timers and the clock as orders; and what Home Assistant keeps and this box does not, said plainly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from agent.api import Json, Said, ToolCall, say
from agent.orders import Order
from plugins.devices.understanding.reading import Intent
from plugins.devices.values import Write

__all__ = ["ANSWERED", "answered", "seconds_of", "timer_orders"]

_ACTIONS = {
    "HassCancelTimer": "cancel",
    "HassCancelAllTimers": "cancel_all",
    "HassPauseTimer": "pause",
    "HassUnpauseTimer": "resume",
    "HassIncreaseTimer": "add",
    "HassDecreaseTimer": "remove",
    "HassTimerStatus": "status",
    "HassStartTimer": "start",
}
_UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))
_WEEKDAYS = "一二三四五六日"
_NOT_KEPT = {
    "HassGetWeather": say("本机没有天气信息。", "This box keeps no weather forecast."),
    "HassBroadcast": say("本机不能广播。", "This box cannot make announcements."),
    "HassShoppingListAddItem": say("本机不记购物清单。", "This box keeps no shopping list."),
    "HassShoppingListCompleteItem": say("本机不记购物清单。", "This box keeps no shopping list."),
    "HassNevermind": say("好的。", "All right."),
}
ANSWERED = frozenset({"HassGetCurrentDate", "HassGetCurrentTime", *_NOT_KEPT})
"""What is answered here without a device."""
_NOTHING_LATER = say("没有听懂到时候要做什么。", "It was not understood what is to be done then.")


def answered(intent: Intent, now: datetime | None) -> Order:
    """The answer to one of `ANSWERED`."""
    if intent.name in _NOT_KEPT:
        return Order(_NOT_KEPT[intent.name])
    if now is None:
        return Order(say("不知道现在的时间。", "It is not known what time it is."))
    if intent.name == "HassGetCurrentTime":
        return Order(say(f"现在 {now:%H:%M}。", f"It is {now:%H:%M}."))
    weekday = _WEEKDAYS[now.weekday()]
    return Order(say(f"今天是 {now:%Y-%m-%d},星期{weekday}。", f"Today is {now:%A}, {now:%Y-%m-%d}."))


def seconds_of(slots: Mapping[str, Json], prefix: str = "") -> int:
    """The length of time in slots: hours, minutes, seconds; or start_hours …"""
    values = ((slots.get(f"{prefix}{unit}"), seconds) for unit, seconds in _UNITS)
    return sum(int(value) * seconds for value, seconds in values if isinstance(value, int | float))


def timer_orders(
    intent: Intent, now: datetime | None, said: Callable[[Write], Said], free: Callable[[Intent], bool], heard: str
) -> Iterator[Order]:
    """The orders of an intent about a timer.

    :param now: local time of the plant.
    :param said: says a write.
    :param free: whether the words of an intent name device and value.
    :param heard: area of the satellite that it was said to.
    """
    slots = intent.slots
    if "conversation_command" in slots:
        if now is None or not any(one.writes or one.problem for one in intent.later):
            yield Order(_NOTHING_LATER)
            return
        due = round(now.timestamp()) + seconds_of(slots)
        for one in intent.later:
            if one.problem is not None:
                yield Order(one.problem)
            for write in one.writes:
                arguments: dict[str, Json] = {
                    "device": write.device, "point": write.point, "value": write.value, "unit": write.unit, "due": due,
                }  # fmt: skip
                yield Order(said(write), ToolCall("write_later", arguments), own_words=free(one))
        return
    arguments = {
        "action": _ACTIONS[intent.name],
        "seconds": seconds_of(slots),
        "which": seconds_of(slots, "start_"),
        "name": str(slots.get("name", "")),
        "area": str(slots.get("area", "")),
        "said": intent.text,
        "heard": heard,
    }
    yield Order(say(intent.text, intent.text), ToolCall("timer", arguments))
