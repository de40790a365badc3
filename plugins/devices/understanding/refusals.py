"""Why nothing is done, in both languages: no such device, no such place, several that fit."""

from __future__ import annotations

from agent.api import Said, say
from plugins.devices.understanding.names import Home
from plugins.devices.values import Device

__all__ = ["no_here", "no_place", "none_such", "which_one"]

_MOST_ASKED = 5


def none_such(what: str, known: bool) -> Said:
    if known:
        return say(f"{what}做不到这件事。", f"{what} cannot do that.")
    return say(f"没有找到{what}。", f"There is no {what} here.")


def no_here() -> Said:
    return say("不知道“这里”是哪个房间。", "It is not known which room “here” is.")


def no_place(place: str) -> Said:
    words = {"up": ("楼上", "upstairs"), "down": ("楼下", "downstairs"), "outside": ("室外", "outside")}[place]
    return say(f"不知道哪些设备在{words[0]}。", f"It is not known which of them are {words[1]}.")


def which_one(home: Home, devices: list[Device]) -> Said:
    areas = {area.id: area.names[0] for area in home.map.areas}
    shown = [
        f"{device.names[0]} ({areas[device.area]})" if device.area in areas else device.names[0] for device in devices
    ]
    more = len(shown) - _MOST_ASKED
    listed = ", ".join(shown[:_MOST_ASKED]) + (f" +{more}" if more > 0 else "")
    return say(f"是哪一个?{listed}", f"Which one is meant? {listed}")
