"""What a clause asks: an intent that reads, and never writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.api import Json
from plugins.devices.understanding.frames import Frame

__all__ = ["Question", "question_of"]

_OPENED = ("cover", "valve")
_OPEN_STATES = {"on": "open", "off": "closed", "open": "open", "closed": "closed"}
_LOCK_STATES = {
    "on": "unlocked", "off": "locked", "open": "unlocked", "closed": "locked", "lock": "locked", "unlock": "unlocked",
    "locked": "locked", "unlocked": "unlocked",
}  # fmt: skip
_SENSOR_STATES = {
    "open": "on", "on": "on", "detected": "on", "closed": "off", "off": "off", "clear": "off",
}  # fmt: skip
_SWITCH_STATES = {"on": "on", "off": "off", "open": "on", "closed": "off", "playing": "playing"}
_MANY = ("any", "which", "how_many", "who")
_READ = ("what", "how", "how_many", "how_full", "is")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    intent: str
    slots: Mapping[str, Json] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    kind: str = ""
    """The kind that the question is about where none was said: person."""
    placeless: bool = False
    """No device is meant: the time, the date."""


def question_of(frame: Frame, domains: tuple[str, ...], *, zone: str = "") -> Question | None:
    """The question of a clause; None: nothing is asked that is known.

    :param domains: of what it names.
    :param zone: the place that a person is asked to be at, in the person's words.
    """
    for rule in (_clock, _weather, _person, _temperature):
        if question := rule(frame, domains, zone):
            return question
    return _state(frame, domains)


def _clock(frame: Frame, domains: tuple[str, ...], zone: str) -> Question | None:
    if frame.target.said or frame.states:
        return None
    intents = {"date": "HassGetCurrentDate", "time": "HassGetCurrentTime"}
    return Question(intents[frame.attr], placeless=True) if frame.attr in intents else None


def _weather(frame: Frame, domains: tuple[str, ...], zone: str) -> Question | None:
    if "weather" in frame.target.nouns or (domains == ("weather",) and not frame.attr):
        return Question("HassGetWeather", {}, ("weather",))
    return None


def _person(frame: Frame, domains: tuple[str, ...], zone: str) -> Question | None:
    people = "person" in frame.target.nouns or "who" in frame.asks
    if domains == ("person",) and not zone and "where" in frame.asks:
        return Question("HassGetState", {}, ("person",))
    if zone and (people or domains == ("person",)):
        return Question("HassGetState", {"state": zone}, ("person",), kind="person" if people else "")
    return None


def _temperature(frame: Frame, domains: tuple[str, ...], zone: str) -> Question | None:
    hot = "how_hot" in frame.asks
    if not hot and frame.attr != "temperature":
        return None
    if domains and not set(domains) & {"climate", "water_heater"}:
        return Question("HassGetState", {}, domains) if domains == ("sensor",) else None
    return Question("HassClimateGetTemperature", {}, ("climate",))


def _state(frame: Frame, domains: tuple[str, ...]) -> Question | None:
    if not domains:
        return None
    if domains == ("binary_sensor",) and "person" in frame.target.nouns and not frame.states:
        return Question("HassGetState", {"state": "on"}, domains)
    if frame.states:
        state = _as_state(frame.states[0], domains)
        return Question("HassGetState", {"state": state}, domains) if state else None
    reads = frame.attr in ("state", "battery", "brightness", "volume", "position", "humidity", "speed", "mode")
    if frame.target.names and (reads or set(frame.asks) & set(_READ)) and not frame.verb:
        return Question("HassGetState", {}, domains)
    if reads and (frame.target.nouns or frame.target.areas) and not frame.verb:
        return Question("HassGetState", {}, domains)
    return None


def _as_state(said: str, domains: tuple[str, ...]) -> str:
    """The state in Home Assistant's words for that kind."""
    if said in ("opening", "closing"):
        return said
    if set(domains) <= {"lock"} or said in ("lock", "unlock", "locked", "unlocked"):
        return _LOCK_STATES.get(said, "")
    if set(domains) <= {"binary_sensor"}:
        return _SENSOR_STATES.get(said, "")
    if set(domains) & set(_OPENED) and set(domains) <= {*_OPENED, "binary_sensor"}:
        return _OPEN_STATES.get(said, "")
    return _SWITCH_STATES.get(said, "")
