"""What a point's messages say over MQTT, and the message that sets it. Pure: no connection.

The address of a point (`Point.address`), all optional:

    state       topic on which the value is told
    read        a template for it, `{{ value_json.temperature }}`; none: the payload itself
    command     topic by which it is set
    json        key under which the value stands in a JSON command, `brightness`, `color.hue`
    with        constant members of that JSON: {"state": "ON"}
    write       or a template for the payload, `SET {{ value }}`; neither: the value itself
    words       [[ours, on the wire], …]: [[true, "ON"], [false, "OFF"]]; of several for one of ours the first is sent
    other       what every other word on the wire means: true where only "off" is off
    scale, offset, inverse, whole     number = wire × scale + offset, or inverse / wire; the wire takes whole numbers
    color       hex, rgb, hs or xy
    ask         {"topic": …, "payload": …}: the device tells its state when it gets this
    available   [{"topic", "read", "online", "offline"}, …], with `available_mode` all, any or latest

Rules: a payload that cannot be read makes the value unknown, never the one before; NaN and infinity are no numbers;
a message that does not speak of a point leaves it as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.api import InputError, Json
from plugins.devices.drivers.colors import from_wire, to_wire
from plugins.devices.drivers.connecting import finite
from plugins.devices.drivers.driver import WrongValue
from plugins.devices.drivers.templates import ABSENT, Absent, NotSimple, Template, read_template
from plugins.devices.values import Device, Point, PointKind, Value

__all__ = ["Ask", "Availability", "Codec", "codec_of", "parse_json"]

KEYS = {
    "state", "read", "command", "json", "with", "write", "words", "other", "scale", "offset", "inverse", "whole",
    "color", "ask", "available", "available_mode",
}  # fmt: skip
TRUE = ("on", "true", "1", "open", "yes")
FALSE = ("off", "false", "0", "closed", "no")
UNKNOWN = ("", "none", "null", "unknown", "unavailable", "nan")
VALUE = re.compile(r"\{\{\s*value\s*(?:\|\s*(?:int|float|string|round)\s*(?:\(\s*\d?\s*\))?\s*)*\}\}")
MAX_TOPIC_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Ask:
    """A message upon which a device tells its state."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Availability:
    """One topic that says whether a device is there."""

    topic: str
    template: Template | None
    online: str
    offline: str

    def says(self, text: str, parsed: Json) -> bool | None:
        """None: it says neither."""
        value = self.template.value(text, parsed) if self.template else text
        word = "" if isinstance(value, Absent) else _plain(value)
        return True if word == self.online else False if word == self.offline else None


@dataclass(frozen=True, slots=True)
class Codec:
    """One point's messages."""

    kind: PointKind
    state: str
    command: str
    template: Template | None
    json_path: tuple[str, ...]
    json_with: tuple[tuple[str, Json], ...]
    write: str
    words: tuple[tuple[Value, Json], ...]
    other: Value | None
    scale: float
    offset: float
    inverse: float
    whole: bool
    color: str
    ask: Ask | None
    available: tuple[Availability, ...]
    available_mode: Literal["all", "any", "latest"]
    max_chars: int

    def decode(self, text: str, parsed: Json | Absent) -> Value | Absent | None:
        """A message's value.

        :param parsed: its JSON; `ABSENT` where it is none.
        :return: None where it says that it does not know, or nothing sound; `ABSENT` where it does not speak of this.
        """
        wire: Json | Absent = text if isinstance(parsed, Absent) or self.template is None else None
        if self.template is not None:
            if isinstance(parsed, Absent) and self.template.wants_json:
                return None
            wire = self.template.value(text, None if isinstance(parsed, Absent) else parsed)
        elif not isinstance(parsed, Absent) and (isinstance(parsed, str) or self.color):
            wire = parsed
        return ABSENT if isinstance(wire, Absent) else self.ours(wire)

    def encode(self, value: Value) -> str:
        """The payload that sets the point.

        :raises WrongValue: it cannot be said.
        """
        wire = self.wire(value)
        if self.json_path:
            body: dict[str, Json] = dict(self.json_with)
            inner = body
            for name in self.json_path[:-1]:
                inner[name] = inner = {}
            inner[self.json_path[-1]] = wire
            return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        text = ",".join(_plain(part) for part in wire.values()) if isinstance(wire, dict) else _plain(wire)
        if not self.write:
            return text
        if VALUE.search(self.write) and re.search(r'["\\{}]', text):
            raise WrongValue(f"{text[:40]!r} cannot stand in the payload {self.write[:60]!r}")
        return VALUE.sub(lambda _: text, self.write)

    def ours(self, wire: Json) -> Value | None:
        """What stands on the wire, as a value of the point; None where it is none."""
        for ours, word in self.words:
            if wire == word or _plain(wire) == _plain(word):
                return ours
        if wire is None or (isinstance(wire, str) and wire.strip().lower() in UNKNOWN):
            return None
        if self.other is not None:
            return self.other
        if self.kind == "bool":
            word = _plain(wire).strip().lower()
            return True if word in TRUE else False if word in FALSE else None
        if self.kind == "number":
            number = finite(wire)
            if number is None or (self.inverse and number == 0):
                return None
            return finite(self.inverse / number if self.inverse else number * self.scale + self.offset)
        if self.kind == "color":
            return from_wire(wire, self.color)
        if isinstance(wire, dict | list):
            return None
        text = _plain(wire)
        return text if len(text) <= self.max_chars and text.isprintable() else None

    def wire(self, value: Value) -> Json:
        """A value as it stands on the wire.

        :raises WrongValue: it cannot be said.
        """
        for ours, word in self.words:
            if type(ours) is type(value) and ours == value:
                return word
        if self.kind == "bool":
            if not isinstance(value, bool) or self.words:
                raise WrongValue(f"{value!r} cannot be said to it")
            return "ON" if value else "OFF"
        if self.kind == "number":
            number = None if isinstance(value, str) else finite(value)
            if number is None or (self.inverse and number == 0) or not self.scale:
                raise WrongValue(f"{value!r} is no number that can be sent")
            wire = self.inverse / number if self.inverse else (number - self.offset) / self.scale
            return round(wire) if self.whole or wire == round(wire) else round(wire, 6)
        if not isinstance(value, str) or len(value) > self.max_chars or not value.isprintable():
            raise WrongValue(f"{str(value)[:40]!r} is no text that can be sent")
        if self.kind == "color":
            try:
                return to_wire(value, self.color or "hex")
            except ValueError as error:
                raise WrongValue(str(error)) from None
        return value


def codec_of(device: Device, point: Point, *, max_chars: int) -> Codec:
    """Read a point's address.

    :raises InputError: it is not as the top of this file says.
    """
    where = f"device {device.id}, point {point.name}"
    address = point.address
    if unknown := sorted(set(address) - KEYS):
        raise InputError(f"{where}: {unknown[0]!r} is nothing that MQTT has; it takes {', '.join(sorted(KEYS))}")
    state, command = (_topic(where, address.get(name, "")) for name in ("state", "command"))
    if not (state or command):
        raise InputError(f"{where}: no topic; give `state`, `command` or both")
    path = _text(where, "json", address.get("json", ""))
    members = address.get("with", {})
    words = address.get("words", [])
    mode = address.get("available_mode", "latest")
    if not isinstance(members, dict) or not isinstance(words, list) or mode not in ("all", "any", "latest"):
        raise InputError(f"{where}: `with` is a table, `words` a list of pairs, `available_mode` all, any or latest")
    available = address.get("available", [])
    if not isinstance(available, list):
        raise InputError(f"{where}: `available` is a list")
    return Codec(
        kind=point.kind, state=state, command=command,
        template=_template(where, address.get("read", "")),
        json_path=tuple(path.split(".")) if path else (), json_with=tuple(members.items()),
        write=_text(where, "write", address.get("write", "")),
        words=tuple(_pair(where, pair) for pair in words), other=_other(where, address.get("other")),
        scale=_number(where, address.get("scale", 1.0)), offset=_number(where, address.get("offset", 0.0)),
        inverse=_number(where, address.get("inverse", 0.0)), whole=address.get("whole") is True,
        color=_text(where, "color", address.get("color", "")), ask=_ask(where, address.get("ask")),
        available=tuple(_availability(where, entry) for entry in available), available_mode=mode,  # type: ignore[arg-type]
        max_chars=max_chars,
    )  # fmt: skip


def parse_json(text: str) -> Json | Absent:
    """The JSON of a payload; `ABSENT` where it is none."""
    try:
        parsed: Json = json.loads(text)
    except (ValueError, RecursionError):
        return ABSENT
    return parsed


def _plain(value: Json) -> str:
    """As a template of Home Assistant would print it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _topic(where: str, value: Json) -> str:
    if not isinstance(value, str) or any(mark in value for mark in "+#\0") or len(value.encode()) > MAX_TOPIC_BYTES:
        raise InputError(f"{where}: {str(value)[:60]!r} is no topic of one device")
    return value


def _text(where: str, name: str, value: Json) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: `{name}` is a text")
    return value


def _number(where: str, value: Json) -> float:
    number = None if isinstance(value, str) else finite(value)
    if number is None:
        raise InputError(f"{where}: {str(value)[:40]!r} is no number")
    return number


def _template(where: str, source: Json) -> Template | None:
    text = _text(where, "read", source)
    try:
        return read_template(text) if text else None
    except NotSimple:
        raise InputError(f"{where}: the template {text[:80]!r} is not of a form that is read") from None


def _pair(where: str, pair: Json) -> tuple[Value, Json]:
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], bool | int | float | str):
        raise InputError(f"{where}: `words` holds pairs: our value, the device's word")
    ours = pair[0] if isinstance(pair[0], bool | str) else float(pair[0])
    return ours, pair[1]


def _other(where: str, value: Json) -> Value | None:
    if value is not None and not isinstance(value, bool | str):
        raise InputError(f"{where}: `other` is true, false or a word")
    return value


def _ask(where: str, value: Json) -> Ask | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) - {"topic", "payload"} or not value.get("topic"):
        raise InputError(f"{where}: `ask` has a topic and a payload")
    return Ask(_topic(where, value["topic"]), _text(where, "ask", value.get("payload", "")))


def _availability(where: str, value: Json) -> Availability:
    if not isinstance(value, dict) or set(value) - {"topic", "read", "online", "offline"} or not value.get("topic"):
        raise InputError(f"{where}: an entry of `available` has a topic, and may have read, online and offline")
    return Availability(
        _topic(where, value["topic"]), _template(where, value.get("read", "")),
        _text(where, "online", value.get("online", "online")), _text(where, "offline", value.get("offline", "offline")),
    )  # fmt: skip


def availabilities(codecs: Sequence[Codec]) -> tuple[Availability, ...]:
    """What says of a device whether it is there: that of all its points, each once."""
    return tuple(dict.fromkeys(entry for codec in codecs for entry in codec.available))
