"""What people need when they name no device, and what in a home meets it.

A need is met in the room that one is in where that matters (light, sound), else anywhere. What lets somebody in or lets
something flow (locks, valves, doors, gates) and what is dangerous meets nothing: nobody is let in because it is stuffy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plugins.devices.understanding.normalise import normalise
from plugins.devices.understanding.reading import Context, States
from plugins.devices.understanding.tokens import tokens_of, words_trie
from plugins.devices.values import Device, DeviceMap

__all__ = ["NEEDS", "NOTHING", "Help", "helps", "named_first", "orders_nothing", "plain_command"]

NOTHING = "nothing"
"""What a model says of other talk."""
NEEDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "too hot": (("climate", "cooler"), ("fan", "turn_on")),
    "too cold": (("climate", "warmer"),),
    "bad air": (("fan", "turn_on"), ("cover.window", "open"), ("climate", "turn_on")),
    "too dark": (("light", "turn_on"), ("cover.shade", "open")),
    "too bright": (("light", "dimmer"), ("cover.shade", "close")),
    "cannot hear": (("media_player", "louder"),),
    "too loud": (("media_player", "quieter"),),
    "dirty floor": (("vacuum", "start"),),
    "wants something made": (("switch", "turn_on"), ("humidifier", "turn_on"), ("media_player", "play")),
}
"""By what is the matter: what helps, the first kind that a room has before the next; a cover is a window or a shade."""
ANY_KIND = frozenset({"wants something made", "too bright"})
"""Where no kind comes before another."""
_SAID: Mapping[str, tuple[str, str]] = {
    "turn_on": ("打开{name}", "turn on {name}"),
    "brighter": ("把{name}调亮一点", "make {name} a bit brighter"),
    "dimmer": ("把{name}调暗一点", "make {name} a bit dimmer"),
    "warmer": ("把{name}调高一度", "turn {name} up by 1 degree"),
    "cooler": ("把{name}调低一度", "turn {name} down by 1 degree"),
    "faster": ("把{name}风速调高一点", "turn {name} speed up a bit"),
    "open": ("打开{name}", "open {name}"),
    "close": ("关上{name}", "close {name}"),
    "louder": ("把{name}音量调大一点", "turn {name} volume up a bit"),
    "quieter": ("把{name}音量调小一点", "turn {name} volume down a bit"),
    "play": ("{name}继续播放", "resume {name}"),
    "start": ("启动{name}", "start {name}"),
}
"""Each as a plain command, Chinese and English."""
_PLACED = frozenset({"light", "cover.shade", "cover.window", "media_player"})
"""What helps only in the room that one is in."""
_WHOLE_HOME = re.compile(r"新风|全热|ventilation|fresh air|\b(?:hrv|erv|mvhr)\b", re.IGNORECASE)
"""Fans that serve more than their room."""
_SHADES = frozenset({"curtain", "blind", "shade", "shutter", "awning", ""})
_ASKS = re.compile(
    r"[??]\s*$|[吗么]\s*[。.]?$|什么|怎么|为什么|哪[个些里]|谁|几点|多少|是不是|有没有|要不要|"
    r"^\s*(?:what|who|whose|why|how|where|which|is|are|was|were|do|does|did|has|have|should|shall)\b",
    re.IGNORECASE,
)
_POLITE = re.compile(r"^\s*(?:(?:can|could|would|will) you|能不能|可不可以|能否|可以)", re.IGNORECASE)
_DENIES = re.compile(r"别|不要|不用|不必|不准|不许|禁止|勿|\b(?:don'?t|do not|never|no need)\b", re.IGNORECASE)
_NOT_NOW = re.compile(
    r"昨[天晚日]|前天|去年|上(?:周|个?月)|明[天年早晚]|后天|下(?:周|个?月)|以前|刚才|"
    r"\b(?:was|were|had|ago|yesterday|tomorrow|(?:last|next) (?:year|month|week|night|summer|winter|time))\b",
    re.IGNORECASE,
)
_UNREAL = ("suppose", "reported", "turned")


@dataclass(frozen=True, slots=True)
class Help:
    """A device and what it should do."""

    device: Device
    action: str


def helps(need: str, part: str, devices: DeviceMap, context: Context, states: States | None) -> list[Help]:
    """What meets a need, of the best kind that there is, in the room that is named or that one is in."""
    low = normalise(part).low
    named = {area.id for area in devices.areas if any(normalise(name).low in low for name in area.names)}
    here = named or {area.id for area in devices.areas if context.area in (area.id, *area.names)}
    seen = Counter(device.names[0] for device in devices.devices)
    usable = [device for device in devices.devices if _may(device) and seen[device.names[0]] == 1]
    found: list[Help] = []
    for kind, action in NEEDS[need]:
        fitting = [device for device in usable if _kind(device) == kind]
        close = [device for device in fitting if device.area in here]
        chosen = close if close or not here else [device for device in fitting if _reaches(device, kind)]
        found += [Help(device, now) for device in chosen if (now := _now(action, device, states))]
        if found and need not in ANY_KIND:
            break
    return found


def named_first(part: str, found: Sequence[Help]) -> list[Help]:
    """Those whose name, or the last piece of it, the words hold; all where they hold none."""
    low = normalise(part).low
    said = [h for h in found if any(piece in low for name in h.device.names for piece in _pieces(name))]
    return said or list(found)


def plain_command(helped: Help) -> str:
    """In the language of the device's name."""
    name = helped.device.names[0]
    return _SAID[helped.action][not re.search(r"[\u3400-\u9fff]", name)].format(name=name)


def orders_nothing(part: str) -> bool:
    """Whether a part asks, denies, supposes, reports or speaks of another time: no wish, whatever a model thinks."""
    if _DENIES.search(part) or _NOT_NOW.search(part) or (_ASKS.search(part) and not _POLITE.match(part)):
        return True
    return any(token.has(*_UNREAL) for token in tokens_of(normalise(part), words_trie()))


def _may(device: Device) -> bool:
    writable = any(point.writable for point in device.points)
    return device.risk == "write" and writable and bool(device.names[0].strip()) and device.names[0].isprintable()


def _reaches(device: Device, kind: str) -> bool:
    """Whether a device that stands elsewhere helps here."""
    if kind == "fan":
        return any(_WHOLE_HOME.search(name) for name in device.names)
    return kind not in _PLACED


def _kind(device: Device) -> str:
    if device.domain != "cover":
        return device.domain
    if device.device_class == "window":
        return "cover.window"
    return "cover.shade" if device.device_class in _SHADES else ""


def _now(action: str, device: Device, states: States | None) -> str:
    """What is asked of a device as it stands; empty: nothing would change."""

    def shows(point: str) -> object:
        return states.state(device.id, point).value if states is not None else None

    power, position = shows("power"), shows("position")
    if action == "turn_on" and power is True:
        return {"fan": "faster", "light": "brighter"}.get(device.domain, "")
    if action in ("cooler", "warmer") and power is False:
        return "turn_on"
    if action in ("dimmer", "quieter", "louder") and power is False:
        return ""
    is_open = shows("open") if position is None else position != 0
    return "" if (action, is_open) in (("open", True), ("close", False)) else action


def _pieces(name: str) -> list[str]:
    low = normalise(name).low
    words = low.split()
    return [low, *(word for word in words[-1:] if len(words) > 1 and len(word) > 3)]
