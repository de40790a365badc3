"""What a clause orders: an intent, the values it sets, and the kinds of device that can do it.

Rules, the first that fits: sound, tracks, colour, brightness, speed, position, modes, temperature, locks, robots,
scenes, on and off. A rule looks at verb, value and kind only; which devices are meant is found out afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from agent.api import Json
from plugins.devices.understanding.frames import Frame
from plugins.devices.understanding.numbers import Amount
from plugins.devices.values import Value

__all__ = ["Order", "Setting", "Step", "order_of"]

SWITCHED = ("light", "switch", "fan", "media_player", "climate", "humidifier", "input_boolean", "water_heater", "siren",
            "camera", "automation", "remote", "pump")  # fmt: skip
OPENED = ("cover", "valve")
_EVERYTHING = ("light", "switch", "fan", "media_player", "climate", "humidifier", "input_boolean")
_LOCKED = ("cover.door", "cover.gate", "cover.window", "cover.garage", "cover.shutter", "lock")
_LEVELS = {"max": 100.0, "half": 50.0, "min": 0.0}
_FAN_LEVELS = {"low": 33.0, "medium": 66.0, "high": 100.0}
_HVAC_MODES = ("auto", "cool", "heat", "dry", "fan_only", "heat_cool", "eco")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a point is to be set to."""

    point: str
    value: Value
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """By how much a point is to change."""

    point: str
    delta: float
    """0: by the point's usual step, in the direction of `sign`."""
    sign: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, apart from where."""

    intent: str
    slots: Mapping[str, Json] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    settings: Mapping[str, tuple[Setting | Step, ...]] = field(default_factory=dict)
    """By domain; "" is for all."""
    guessed: bool = False
    """A value that was not said: low, medium."""
    kind: str = ""
    """The kind that the verb alone means: to light up."""
    slot: str = ""
    """Which slot takes the value that a step leads to."""


_Rule = Callable[[Frame, tuple[str, ...]], Order | None]


def order_of(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    """The order of a clause; None: it orders nothing that is known.

    :param domains: of what it names, by names and kinds; empty: it names no kind.
    """
    for rule in _RULES:
        order = rule(frame, domains)
        if order is not None and (not domains or not order.domains or set(domains) & set(order.domains)):
            return order
    return None


def _only(domains: tuple[str, ...], *wanted: str) -> bool:
    return bool(domains) and set(domains) <= set(wanted)


def _percent(frame: Frame, *, least: float = 0.0) -> float | None:
    """The share that is wanted, said as a number or a level."""
    if frame.amounts and frame.amounts[-1].unit in ("", "%"):
        if not frame.amounts[-1].unit and not frame.to and frame.verb in ("on", "off", "open", "close"):
            return None  # "close 3": whatever the number is, it was not said to be what is wanted
        return frame.amounts[-1].value
    if frame.level:
        return max(_LEVELS[frame.level], least)
    return None


def _whole(value: float) -> Json:
    return int(value) if value == int(value) else value


def _way(frame: Frame) -> int:
    """1 up, -1 down, 0 neither; a value that is wanted as it is has no way."""
    if frame.to or frame.level:
        return 0
    if frame.change:
        return 1 if frame.change.endswith(".up") else -1
    return {"raise": 1, "lower": -1}.get(frame.verb, 0)


def _about(frame: Frame, attr: str) -> bool:
    return frame.attr == attr or frame.change.startswith(attr + ".")


def _delta(frame: Frame, way: int) -> float:
    return way * frame.amounts[-1].value if frame.amounts else 0.0


def _sound(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    about = _about(frame, "volume")
    if frame.verb == "mute" or (about and frame.verb == "off"):
        return Order("HassMediaPlayerMute", {}, ("media_player",), {"": (Setting("muted", True),)})
    if frame.verb == "unmute" or (about and frame.verb in ("resume", "on")):
        return Order("HassMediaPlayerUnmute", {}, ("media_player",), {"": (Setting("muted", False),)})
    if not (about or (_only(domains, "media_player") and (frame.valued or frame.verb in ("raise", "lower")))):
        return None
    way, wanted = _way(frame), _percent(frame)
    if way:
        delta = _delta(frame, way)
        step: Json = _whole(delta) if delta else "up" if way > 0 else "down"
        steps = (Step("volume", delta, way, "%"),)
        return Order("HassSetVolumeRelative", {"volume_step": step}, ("media_player",), {"": steps})
    if wanted is None:
        return None
    settings = (Setting("volume", wanted, "%"),)
    return Order("HassSetVolume", {"volume_level": _whole(wanted)}, ("media_player",), {"": settings})


def _playing(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if domains and "media_player" not in domains:
        return None
    verbs = {
        "next": ("HassMediaNext", Setting("track", "next")),
        "previous": ("HassMediaPrevious", Setting("track", "previous")),
        "pause": ("HassMediaPause", Setting("playing", "pause")),
        "stop": ("HassMediaPause", Setting("playing", "pause")),
        "resume": ("HassMediaUnpause", Setting("playing", "play")),
        "play": ("HassMediaUnpause", Setting("playing", "play")),
        "start": ("HassMediaUnpause", Setting("playing", "play")),
    }
    found = verbs.get(frame.verb)
    if found is None or (frame.verb in ("stop", "start") and not domains) or frame.valued or frame.attr:
        return None
    return Order(found[0], {}, ("media_player",), {"": (found[1],)})


def _color(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if frame.color and not frame.kelvin:
        settings = (Setting("color", frame.color),)
        return Order("HassLightSet", {"color": frame.color}, ("light",), {"": settings})
    kelvin = next((amount.value for amount in frame.amounts if amount.unit == "K"), 0.0)
    lit = _only(domains, "light") or frame.attr == "color_temp"
    kelvin = kelvin or (frame.amounts[-1].value if frame.attr == "color_temp" and frame.amounts else 0.0)
    kelvin = kelvin or (float(frame.kelvin) if frame.kelvin and (lit or not domains) else 0.0)
    if not kelvin and lit and frame.attr == "temperature" and frame.amounts and not frame.amounts[-1].unit:
        kelvin = frame.amounts[-1].value
    if not kelvin:
        return None
    return Order(
        "HassLightSet", {"temperature": _whole(kelvin)}, ("light",), {"": (Setting("color_temp", kelvin, "K"),)}
    )


def _brightness(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    lit = _only(domains, "light")
    about = _about(frame, "brightness")
    share = bool(frame.amounts and frame.amounts[-1].unit == "%")
    placed = not domains and share and frame.target.placed and not frame.attr
    if not (about or lit or placed) or (frame.attr and frame.attr != "brightness"):
        return None
    way, wanted = _way(frame), _percent(frame, least=1.0)
    if way and (frame.change.split(".")[0] in ("brightness", "any", "")):
        steps = (Step("brightness", _delta(frame, way), way, "%"),)
        return Order("HassLightSet", {}, ("light",), {"": steps}, slot="brightness")
    if wanted is None:
        return None
    settings = (Setting("brightness", wanted, "%"),)
    return Order("HassLightSet", {"brightness": _whole(wanted)}, ("light",), {"": settings})


def _speed(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if not (_about(frame, "speed") or _only(domains, "fan")):
        return None
    way, wanted = _way(frame), _percent(frame)
    if way and not (domains and "fan" not in domains):
        return Order(
            "HassFanSetSpeed", {}, ("fan",), {"": (Step("speed", _delta(frame, way), way, "%"),)}, slot="percentage"
        )
    mode = next((mode for mode in frame.modes if mode in _FAN_LEVELS), "")
    guessed = wanted is None and bool(mode)
    wanted = _FAN_LEVELS[mode] if wanted is None and mode else wanted
    if wanted is None:
        return None
    settings = (Setting("speed", wanted, "%"),)
    return Order("HassFanSetSpeed", {"percentage": _whole(wanted)}, ("fan",), {"": settings}, guessed=guessed)


def _position(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if not (_only(domains, *OPENED) or frame.attr == "position"):
        return None
    wanted = _percent(frame)
    if wanted is not None and frame.level != "max":
        settings = (Setting("position", wanted, "%"),)
        return Order("HassSetPosition", {"position": _whole(wanted)}, OPENED, {"": settings})
    opening = frame.verb in ("raise", "open", "on")
    if frame.change or (frame.bit and (opening or frame.verb in ("lower", "close", "off"))):
        way = 1 if frame.change.endswith(".up") or (opening and not frame.change) else -1
        return Order("HassSetPosition", {}, OPENED, {"": (Step("position", 0.0, way, "%"),)}, slot="position")
    if frame.verb == "stop":
        return Order("HassStopMoving", {}, OPENED, {"": (Setting("task", "stop"),)})
    if frame.level == "max":
        return _switch("on" if frame.verb not in ("close", "off", "lower") else "off", OPENED)
    return None


def _modes(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if not frame.modes:
        fans = {"on": "on", "off": "off"}
        if frame.attr == "fan_mode" and frame.verb in fans:
            return _fan_mode(fans[frame.verb])
        return None
    if frame.attr == "fan_mode" or (_only(domains, "climate") and "fan" in frame.target.nouns):
        return _fan_mode(frame.modes[0])
    mode = next((mode for mode in frame.modes if mode in _HVAC_MODES), "")
    if mode and (_only(domains, "climate") or (frame.attr == "mode" and not domains)):
        settings = (Setting("mode", mode),)
        return Order("HassClimateSetHvacMode", {"hvac_mode": mode}, ("climate",), {"": settings})
    return None


def _fan_mode(mode: str) -> Order:
    return Order("HassClimateSetFanMode", {"fan_mode": mode}, ("climate",), {"": (Setting("fan_mode", mode),)})


def _temperature(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    heats = ("climate", "water_heater")
    amount = frame.amounts[-1] if frame.amounts else None
    degrees = amount is not None and amount.unit.startswith("°")
    if not (_about(frame, "temperature") or degrees or _only(domains, *heats)):
        return None
    if domains and not set(domains) & set(heats):
        return None
    way = _way(frame)
    if way:
        unit = amount.unit if amount else ""
        steps = (Step("temperature", _delta(frame, way), way, unit if degrees else ""),)
        return Order("HassClimateSetTemperature", {}, heats, {"": steps}, slot="temperature")
    if amount is None or amount.unit in ("%", "K"):
        return None
    return _degrees(amount, heats)


def _degrees(amount: Amount, heats: tuple[str, ...]) -> Order:
    unit = amount.unit if amount.unit in ("°C", "°F") else ""
    slots = {"temperature": _whole(amount.value)}
    return Order("HassClimateSetTemperature", slots, heats, {"": (Setting("temperature", amount.value, unit),)})


def _lock(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    """Home Assistant turns a lock on to lock it. To open a thing that is a lock is to unlock it, in either language."""
    lock = frame.verb == "lock" or (_only(domains, "lock") and frame.verb == "close")
    unlock = frame.verb == "unlock" or (_only(domains, "lock") and frame.verb == "open")
    if _only(domains, "lock") and frame.verb in ("on", "off") and frame.chinese:
        lock, unlock = frame.verb == "off", frame.verb == "on"
    if not (lock or unlock):
        return None
    settings = (Setting("locked", lock),)
    return Order("HassTurnOn" if lock else "HassTurnOff", {}, ("lock",), {"": settings})


def _robots(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    back = frame.verb in ("dock", "stop", "off") or bool({"cancel", "stop"} & set(frame.verbs))
    mower = _only(domains, "lawn_mower") or "mow" in frame.verbs
    vacuum = _only(domains, "vacuum") or "clean" in frame.verbs
    if frame.valued or not (frame.verb == "dock" or mower or vacuum):
        return None
    if back:
        # There is no intent to stop one where it stands: it is sent home. "return to base" alone is the mower's.
        name, domain = ("HassVacuumReturnToBase", "vacuum") if vacuum else ("HassLawnMowerDock", "lawn_mower")
        wanted = (domain,) if vacuum or mower else ("lawn_mower", "vacuum")
        return Order(name, {}, wanted, {"": (Setting("task", "dock"),)})
    if frame.verb in ("start", "mow", "clean", "on", "resume", "set"):
        if mower:
            return Order("HassLawnMowerStartMowing", {}, ("lawn_mower",), {"": (Setting("task", "start"),)})
        somewhere = bool(frame.target.areas) or "here" in frame.target.places
        name = "HassVacuumCleanArea" if somewhere else "HassVacuumStart"
        return Order(name, {}, ("vacuum",), {"": (Setting("task", "start"),)})
    return None


def _scenes(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    kinds = ("scene", "script", "button", "input_button")
    if (
        not _only(domains, *kinds)
        or not frame.target.names
        or frame.verb not in ("", "on", "start", "set", "press", "light_up")
    ):
        return None
    return Order("HassTurnOn", {}, kinds, {"": (Setting("activate", True),)})


def _switching(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    verb = frame.verb
    opening = _only(domains, *OPENED)
    if verb == "toggle":
        return Order("HassToggle", {}, SWITCHED, {"": (Setting("power", "toggle"),)})
    if opening and verb in ("raise", "lower"):
        verb = "open" if verb == "raise" else "close"
    if verb in ("start", "stop") and domains and not opening:
        verb = "on" if verb == "start" else "off"
    if verb not in ("on", "off", "open", "close", "light_up") or frame.valued or frame.attr:
        return None
    if verb == "light_up":
        return replace(_switch("on", ("light",)), kind="light")
    on = verb in ("on", "open")
    if opening:
        return _switch("on" if on else "off", OPENED)
    if frame.target.everything and verb in ("open", "close"):
        return _switch("on" if on else "off", OPENED)
    if frame.target.everything:
        return _switch("on" if on else "off", _EVERYTHING)
    return _switch("on" if on else "off", SWITCHED + OPENED)


def _switch(verb: str, domains: tuple[str, ...]) -> Order:
    on = verb == "on"
    opened = (Setting("open", on),)
    settings = {"": (Setting("power", on),), "cover": opened, "valve": opened}
    return Order("HassTurnOn" if on else "HassTurnOff", {}, domains, settings)


_RULES: tuple[_Rule, ...] = (
    _sound, _robots, _lock, _playing, _color, _position, _brightness, _speed, _modes, _temperature, _scenes, _switching,
)  # fmt: skip
