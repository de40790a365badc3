"""The same sentences through the same model with plain constrained JSON: what a small model does without the reader.

The model is told the home, the intents and the slots (or the devices and their points), and its reply is bound to a
JSON schema of them. A bounded number of sentences of each set is asked, spread over the set; the rows say how many.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent.bound import SchemaBound
from agent.errors import BadReply
from agent.messages import Message
from agent.model.protocol import Model, ReplyLimits
from agent.settings import UnderstandingSettings
from agent.values import Json
from plugins.devices.maps.homes import home_of
from plugins.devices.understanding.reading import Intent, Understood
from plugins.devices.values import DeviceMap, Write
from tests.bench.score_commands_sets import Case, judge
from tests.bench.table import Row, told

__all__ = ["json_rows"]

REPLY_TOKENS = 240
MOST_ACTIONS = 6
_INTENTS = [
    "HassTurnOn",
    "HassTurnOff",
    "HassGetState",
    "HassLightSet",
    "HassFanSetSpeed",
    "HassSetPosition",
    "HassSetVolume",
    "HassMediaPause",
    "HassMediaUnpause",
    "HassMediaNext",
    "HassMediaPrevious",
    "HassMediaPlayerMute",
    "HassMediaPlayerUnmute",
    "HassMediaSearchAndPlay",
    "HassClimateGetTemperature",
    "HassClimateSetTemperature",
    "HassGetWeather",
    "HassGetCurrentDate",
    "HassGetCurrentTime",
    "HassStartTimer",
    "HassCancelTimer",
    "HassIncreaseTimer",
    "HassDecreaseTimer",
    "HassPauseTimer",
    "HassUnpauseTimer",
    "HassTimerStatus",
    "HassShoppingListAddItem",
    "HassShoppingListCompleteItem",
    "HassListAddItem",
    "HassBroadcast",
    "HassVacuumStart",
    "HassVacuumReturnToBase",
    "HassNevermind",
]
_TEXTS = [
    "name",
    "area",
    "floor",
    "domain",
    "device_class",
    "state",
    "color",
    "item",
    "message",
    "search_query",
    "conversation_command",
]
_NUMBERS = [
    "brightness",
    "percentage",
    "position",
    "volume_level",
    "temperature",
    "hours",
    "minutes",
    "seconds",
    "start_hours",
    "start_minutes",
    "start_seconds",
]


def json_rows(model: Model, cases: Sequence[Case], lines: int) -> list[Row]:
    """Each set's share of right sentences."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(f"{case.kind} {case.group.split()[0]}", []).append(case)
    rows = []
    for group, found in groups.items():
        asked = found[:: max(1, len(found) // lines)][:lines] if lines else []
        if asked:
            right = [_right(model, case) for case in asked]
            rows.append(told(f"plain JSON, same model: {group} ({len(right)})", sum(right) / len(right)))
    return rows


def _right(model: Model, case: Case) -> bool:
    devices = home_of(case.home, UnderstandingSettings()).map
    try:
        found = _intents(model, case, devices) if case.kind == "ohf" else _writes(model, case, devices)
        return judge(case, Understood(case.text, "en", found), devices).right
    except (BadReply, TypeError, KeyError, ValueError):  # a value that its point cannot take
        return False


def _intents(model: Model, case: Case, devices: DeviceMap) -> tuple[Intent, ...]:
    slots: dict[str, Json] = {name: {"type": "string"} for name in _TEXTS}
    slots |= {name: {"type": "integer"} for name in _NUMBERS}
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {
            "intent": {"enum": list(_INTENTS)},
            "slots": {"type": "object", "properties": slots, "additionalProperties": False},
        },
        "required": ["intent", "slots"],
        "additionalProperties": False,
    }
    task = (
        "You turn a home command into one intent with its slots, as JSON. Fill only slots that the command says; use "
        f"the home's spelling. Slots: {', '.join([*_TEXTS, *_NUMBERS])}."
    )
    said = _ask(model, task, case, devices, schema)
    return (Intent(said["intent"], said["slots"], case.text),)


def _writes(model: Model, case: Case, devices: DeviceMap) -> tuple[Intent, ...]:
    ids = [device.id for device in devices.devices if any(point.writable for point in device.points)]
    points = sorted({p.name for device in devices.devices for p in device.points if p.writable})
    write: dict[str, Json] = {
        "type": "object",
        "properties": {
            "device": {"enum": list(ids)},
            "point": {"enum": list(points)},
            "value": {"type": ["boolean", "number", "string"]},
        },
        "required": ["device", "point", "value"],
        "additionalProperties": False,
    }
    schema: dict[str, Json] = {"type": "array", "items": write, "maxItems": MOST_ACTIONS}
    task = (
        "You turn a home command into the writes that it orders, as a JSON array of device, point and value; an empty "
        "array where nothing is ordered or it is not clear which device is meant."
    )
    said = _ask(model, task, case, devices, schema)
    return (Intent("", {}, case.text, writes=tuple(Write(w["device"], w["point"], w["value"]) for w in said)),)


def _ask(model: Model, task: str, case: Case, devices: DeviceMap, schema: dict[str, Json]) -> Any:
    areas = {area.id: area.names[0] for area in devices.areas}
    home = "\n".join(
        f"{d.id}: {d.names[0]}, {areas.get(d.area, '')}; {', '.join(p.name for p in d.points if p.writable)}"
        for d in devices.devices
    )
    system = f"{task}\nAreas: {', '.join(areas.values())}\nFloors: {', '.join(f.names[0] for f in devices.floors)}"
    place = f"\nSaid in: {case.area}" if case.area else ""
    messages = [Message("system", f"{system}\nDevices:\n{home}"), Message("user", f"{case.text}{place}")]
    bound = SchemaBound(schema)
    reply = model.reply(messages, (), bound=bound, limits=ReplyLimits(max_tokens=REPLY_TOKENS))
    return json.loads(json.dumps(bound.parse(reply.text)))
