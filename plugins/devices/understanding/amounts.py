"""Orders that set how much: volume, colour, brightness, speed, position, mode, temperature."""

from __future__ import annotations

from agent.api import Json
from plugins.devices.understanding.frames import Frame
from plugins.devices.understanding.numbers import Amount
from plugins.devices.understanding.order_values import (
    Order,
    Setting,
    Step,
    about,
    delta_of,
    only,
    percent_of,
    way_of,
    whole,
)
from plugins.devices.understanding.switching import OPENED, switch_order

__all__ = [
    "brightness_order",
    "color_order",
    "modes_order",
    "position_order",
    "sound_order",
    "speed_order",
    "temperature_order",
]

_FAN_LEVELS = {"low": 33.0, "medium": 66.0, "high": 100.0}


_HVAC_MODES = ("auto", "cool", "heat", "dry", "fan_only", "heat_cool", "eco")


def sound_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    spoken = about(frame, "volume")
    if frame.verb == "mute" or (spoken and frame.verb == "off"):
        return Order("HassMediaPlayerMute", {}, ("media_player",), {"": (Setting("muted", True),)})
    if frame.verb == "unmute" or (spoken and frame.verb in ("resume", "on")):
        return Order("HassMediaPlayerUnmute", {}, ("media_player",), {"": (Setting("muted", False),)})
    if not (spoken or (only(domains, "media_player") and (frame.valued or frame.verb in ("raise", "lower")))):
        return None
    way, wanted = way_of(frame), percent_of(frame)
    if way:
        delta = delta_of(frame, way)
        step: Json = whole(delta) if delta else "up" if way > 0 else "down"
        steps = (Step("volume", delta, way, "%"),)
        return Order("HassSetVolumeRelative", {"volume_step": step}, ("media_player",), {"": steps})
    if wanted is None:
        return None
    settings = (Setting("volume", wanted, "%"),)
    return Order("HassSetVolume", {"volume_level": whole(wanted)}, ("media_player",), {"": settings})


def color_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if frame.color and not frame.kelvin:
        settings = (Setting("color", frame.color),)
        return Order("HassLightSet", {"color": frame.color}, ("light",), {"": settings})
    kelvin = next((amount.value for amount in frame.amounts if amount.unit == "K"), 0.0)
    lit = only(domains, "light") or frame.attr == "color_temp"
    kelvin = kelvin or (frame.amounts[-1].value if frame.attr == "color_temp" and frame.amounts else 0.0)
    kelvin = kelvin or (float(frame.kelvin) if frame.kelvin and (lit or not domains) else 0.0)
    if not kelvin and lit and frame.attr == "temperature" and frame.amounts and not frame.amounts[-1].unit:
        kelvin = frame.amounts[-1].value
    if not kelvin:
        return None
    return Order(
        "HassLightSet", {"temperature": whole(kelvin)}, ("light",), {"": (Setting("color_temp", kelvin, "K"),)}
    )


def brightness_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    lit = only(domains, "light")
    spoken = about(frame, "brightness")
    share = bool(frame.amounts and frame.amounts[-1].unit == "%")
    placed = not domains and share and frame.target.placed and not frame.attr
    if not (spoken or lit or placed) or (frame.attr and frame.attr != "brightness"):
        return None
    way, wanted = way_of(frame), percent_of(frame, least=1.0)
    if way and (frame.change.split(".")[0] in ("brightness", "any", "")):
        steps = (Step("brightness", delta_of(frame, way), way, "%"),)
        return Order("HassLightSet", {}, ("light",), {"": steps}, slot="brightness")
    if wanted is None:
        return None
    settings = (Setting("brightness", wanted, "%"),)
    return Order("HassLightSet", {"brightness": whole(wanted)}, ("light",), {"": settings})


def speed_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if not (about(frame, "speed") or only(domains, "fan")):
        return None
    way, wanted = way_of(frame), percent_of(frame)
    if way and not (domains and "fan" not in domains):
        return Order(
            "HassFanSetSpeed", {}, ("fan",), {"": (Step("speed", delta_of(frame, way), way, "%"),)}, slot="percentage"
        )
    mode = next((mode for mode in frame.modes if mode in _FAN_LEVELS), "")
    guessed = wanted is None and bool(mode)
    wanted = _FAN_LEVELS[mode] if wanted is None and mode else wanted
    if wanted is None:
        return None
    settings = (Setting("speed", wanted, "%"),)
    return Order("HassFanSetSpeed", {"percentage": whole(wanted)}, ("fan",), {"": settings}, guessed=guessed)


def position_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if not (only(domains, *OPENED) or frame.attr == "position"):
        return None
    wanted = percent_of(frame)
    if wanted is not None and frame.level != "max":
        settings = (Setting("position", wanted, "%"),)
        return Order("HassSetPosition", {"position": whole(wanted)}, OPENED, {"": settings})
    opening = frame.verb in ("raise", "open", "on")
    if frame.change or (frame.bit and (opening or frame.verb in ("lower", "close", "off"))):
        way = 1 if frame.change.endswith(".up") or (opening and not frame.change) else -1
        return Order("HassSetPosition", {}, OPENED, {"": (Step("position", 0.0, way, "%"),)}, slot="position")
    if frame.verb == "stop":
        return Order("HassStopMoving", {}, OPENED, {"": (Setting("task", "stop"),)})
    if frame.level == "max":
        return switch_order("on" if frame.verb not in ("close", "off", "lower") else "off", OPENED)
    return None


def modes_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    if not frame.modes:
        fans = {"on": "on", "off": "off"}
        if frame.attr == "fan_mode" and frame.verb in fans:
            return _fan_mode(fans[frame.verb])
        return None
    if frame.attr == "fan_mode" or (only(domains, "climate") and "fan" in frame.target.nouns):
        return _fan_mode(frame.modes[0])
    mode = next((mode for mode in frame.modes if mode in _HVAC_MODES), "")
    if mode and (only(domains, "climate") or (frame.attr == "mode" and not domains)):
        settings = (Setting("mode", mode),)
        return Order("HassClimateSetHvacMode", {"hvac_mode": mode}, ("climate",), {"": settings})
    return None


def _fan_mode(mode: str) -> Order:
    return Order("HassClimateSetFanMode", {"fan_mode": mode}, ("climate",), {"": (Setting("fan_mode", mode),)})


def temperature_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    heats = ("climate", "water_heater")
    amount = frame.amounts[-1] if frame.amounts else None
    degrees = amount is not None and amount.unit.startswith("°")
    if not (about(frame, "temperature") or degrees or only(domains, *heats)):
        return None
    if domains and not set(domains) & set(heats):
        return None
    way = way_of(frame)
    if way:
        unit = amount.unit if amount else ""
        steps = (Step("temperature", delta_of(frame, way), way, unit if degrees else ""),)
        return Order("HassClimateSetTemperature", {}, heats, {"": steps}, slot="temperature")
    if amount is None or amount.unit in ("%", "K"):
        return None
    return _degrees(amount, heats)


def _degrees(amount: Amount, heats: tuple[str, ...]) -> Order:
    unit = amount.unit if amount.unit in ("°C", "°F") else ""
    slots = {"temperature": whole(amount.value)}
    return Order("HassClimateSetTemperature", slots, heats, {"": (Setting("temperature", amount.value, unit),)})
