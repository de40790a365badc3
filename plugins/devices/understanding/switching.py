"""Orders that do one thing: on and off, open and close, lock, play, clean, run a scene."""

from __future__ import annotations

from dataclasses import replace

from plugins.devices.understanding.frames import Frame
from plugins.devices.understanding.order_values import Order, Setting, only

__all__ = ["OPENED", "lock_order", "playing_order", "robots_order", "scenes_order", "switch_order", "switching_order"]

SWITCHED = ("light", "switch", "fan", "media_player", "climate", "humidifier", "input_boolean", "water_heater", "siren",
            "camera", "automation", "remote", "pump")  # fmt: skip


OPENED = ("cover", "valve")


_EVERYTHING = ("light", "switch", "fan", "media_player", "climate", "humidifier", "input_boolean")


def playing_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
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
    vague = frame.verb == "start" or (frame.verb == "stop" and frame.target.said)
    if found is None or (vague and not domains) or frame.valued or frame.attr:
        return None
    return Order(found[0], {}, ("media_player",), {"": (found[1],)})


def lock_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    """Home Assistant turns a lock on to lock it. To open a thing that is a lock is to unlock it, in either language."""
    lock = frame.verb == "lock" or (only(domains, "lock") and frame.verb == "close")
    unlock = frame.verb == "unlock" or (only(domains, "lock") and frame.verb == "open")
    if only(domains, "lock") and frame.verb in ("on", "off") and frame.chinese:
        lock, unlock = frame.verb == "off", frame.verb == "on"
    if not (lock or unlock):
        return None
    settings = (Setting("locked", lock),)
    return Order("HassTurnOn" if lock else "HassTurnOff", {}, ("lock",), {"": settings})


def robots_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    back = frame.verb in ("dock", "stop", "off") or bool({"cancel", "stop"} & set(frame.verbs))
    mower = only(domains, "lawn_mower") or "mow" in frame.verbs
    vacuum = only(domains, "vacuum") or "clean" in frame.verbs
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


def scenes_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    kinds = ("scene", "script", "button", "input_button")
    if (
        not only(domains, *kinds)
        or not frame.target.names
        or frame.verb not in ("", "on", "start", "set", "press", "light_up")
    ):
        return None
    return Order("HassTurnOn", {}, kinds, {"": (Setting("activate", True),)})


def switching_order(frame: Frame, domains: tuple[str, ...]) -> Order | None:
    verb = frame.verb
    opening = only(domains, *OPENED)
    if verb == "toggle":
        return Order("HassToggle", {}, SWITCHED, {"": (Setting("power", "toggle"),)})
    if opening and verb in ("raise", "lower"):
        verb = "open" if verb == "raise" else "close"
    if verb in ("start", "stop") and domains and not opening:
        verb = "on" if verb == "start" else "off"
    if verb not in ("on", "off", "open", "close", "light_up") or frame.valued or frame.attr:
        return None
    if verb == "light_up":
        return replace(switch_order("on", ("light",)), kind="light")
    on = verb in ("on", "open")
    if opening:
        return switch_order("on" if on else "off", OPENED)
    if frame.target.everything and verb in ("open", "close"):
        return switch_order("on" if on else "off", OPENED)
    if frame.target.everything:
        return switch_order("on" if on else "off", _EVERYTHING)
    return switch_order("on" if on else "off", SWITCHED + OPENED)


def switch_order(verb: str, domains: tuple[str, ...]) -> Order:
    on = verb == "on"
    opened = (Setting("open", on),)
    settings = {"": (Setting("power", on),), "cover": opened, "valve": opened}
    return Order("HassTurnOn" if on else "HassTurnOff", {}, domains, settings)
