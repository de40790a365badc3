"""What is to stay so for a time only: "turn the light on for ten minutes" is an order now and its opposite then.

Nothing that lets somebody in is undone by the clock: what was locked for a time is not unlocked by itself.
"""

from __future__ import annotations

from dataclasses import replace

from agent.api import Json
from plugins.devices.understanding.names import Home
from plugins.devices.understanding.normalise import is_cjk
from plugins.devices.understanding.numbers import Duration
from plugins.devices.understanding.reading import Intent
from plugins.devices.values import Write

__all__ = ["OPPOSITE", "back_again"]

OPPOSITE = {"HassTurnOn": "HassTurnOff", "HassTurnOff": "HassTurnOn"}
_SAID = {
    ("HassTurnOn", False): "turn on {}",
    ("HassTurnOff", False): "turn off {}",
    ("HassTurnOn", True): "打开{}",
    ("HassTurnOff", True): "关闭{}",
}
_POINTS = ("power", "open")


def back_again(home: Home, intent: Intent, duration: Duration) -> list[Intent]:
    """The timer that sets back what an order sets; none where the order is not carried out."""
    if intent.problem is not None or not intent.writes:
        return []
    writes = tuple(Write(w.device, w.point, not w.value) for w in intent.writes if w.point in _POINTS)
    if len(writes) != len(intent.writes):
        return []
    chinese = any(map(is_cjk, intent.text))
    names = [device.names[0] for device in home.devices() if device.id in intent.devices]
    command = _SAID[OPPOSITE[intent.name], chinese].format(("和" if chinese else " and ").join(names))
    back = replace(intent, name=OPPOSITE[intent.name], text=command, writes=writes)
    slots: dict[str, Json] = {**dict(duration.parts), "conversation_command": command}
    return [Intent("HassStartTimer", slots, intent.text, path=intent.path, exact=intent.exact, later=(back,))]
