"""The points of a component that MQTT discovery describes, as the MQTT driver takes them.

Defaults are those of Home Assistant's documentation of each component (https://www.home-assistant.io/integrations/mqtt).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.api import Json
from plugins.devices.drivers.connecting import finite
from plugins.devices.values import Point, PointKind, ReadBack

__all__ = ["COMPONENTS", "Settings", "points_of"]

Settings = Mapping[str, Json]
Address = dict[str, Json]
SLOW_SECONDS = 60.0
"""Covers, valves and vacuums take their time."""
MODES: list[Json] = ["auto", "off", "cool", "heat", "dry", "fan_only"]


def points_of(component: str, config: Settings) -> list[Point]:
    """:param component: light, switch … :param config: spelled out. :return: none for a component that is not known."""
    make = COMPONENTS.get(component)
    return [point for point in make(config) if point is not None] if make else []


def _point(
    name: str, kind: PointKind, address: Address, *, unit: str = "", low: float | None = None,
    high: float | None = None, step: float | None = None, choices: tuple[str, ...] = (), tolerance: float = 0.0,
    seconds: float = 5.0,
) -> Point | None:  # fmt: skip
    """None where neither a state nor a command of it is told."""
    address = {key: value for key, value in address.items() if value not in (None, "", [], {})}
    if not (address.get("state") or address.get("command")):
        return None
    writable = bool(address.get("command"))
    read_back = ReadBack(name, tolerance, seconds) if writable and address.get("state") else None
    return Point(name, kind, unit, low, high, step, choices, writable, read_back, address)


def _topics(config: Settings, name: str, *, template: str = "value_template") -> Address:
    """State and command of one thing; `name` is `brightness`, or empty for the component's own."""
    head = f"{name}_" if name else ""
    write = config.get(f"{head}command_template")
    found: Address = {
        "state": config.get(f"{head}state_topic"), "read": config.get(f"{head}{template}"),
        "command": config.get(f"{head}command_topic"), "write": write,
    }  # fmt: skip
    if isinstance(write, str) and "| int" in write:
        found["whole"] = True
    return found


def _words(config: Settings, on: str = "ON", off: str = "OFF") -> list[Json]:
    """What is sent first, then what is told, where that differs."""
    sent_on, sent_off = config.get("payload_on", on), config.get("payload_off", off)
    told_on, told_off = config.get("state_on", sent_on), config.get("state_off", sent_off)
    return [[True, sent_on], [False, sent_off], [True, told_on], [False, told_off]]


def _power(config: Settings, *, template: str = "value_template") -> Point | None:
    return _point("power", "bool", {**_topics(config, "", template=template), "words": _words(config)})


def _number(config: Settings, name: str, default: float) -> float:
    value = finite(config.get(name, default))
    return default if value is None else value


def _light(config: Settings) -> list[Point | None]:
    if config.get("schema") == "json":
        return _json_light(config)
    if config.get("schema", "default") not in ("default", "basic"):
        return []
    scale = 100 / max(1.0, _number(config, "brightness_scale", 255))
    points = [
        _power(config, template="state_value_template"),
        _brightness({**_topics(config, "brightness"), "scale": scale, "whole": True}, scale),
        _color_temp(config, _topics(config, "color_temp")),
    ]
    for form in ("hs", "rgb", "xy"):
        address = _topics(config, form)
        if address["command"] or address["state"]:
            points.append(_point("color", "color", {**address, "color": form}))
            break
    return points


def _json_light(config: Settings) -> list[Point | None]:
    modes = config.get("supported_color_modes", [])
    known = [mode for mode in modes if isinstance(mode, str)] if isinstance(modes, list) else []
    both: Address = {"state": config.get("state_topic"), "command": config.get("command_topic")}
    on: Json = {"state": "ON"}
    power = _point("power", "bool", {**both, "read": "{{ value_json.state }}", "json": "state",
                                     "words": [[True, "ON"], [False, "OFF"]]})  # fmt: skip
    points: list[Point | None] = [power]
    if config.get("brightness") is True or set(known) - {"onoff"}:
        scale = 100 / max(1.0, _number(config, "brightness_scale", 255))
        points.append(_brightness({**both, "read": "{{ value_json.brightness }}", "json": "brightness", "with": on,
                                   "scale": scale, "whole": True}, scale))  # fmt: skip
    if "color_temp" in known:
        address: Address = {**both, "read": "{{ value_json.color_temp }}", "json": "color_temp", "with": on}
        points.append(_color_temp(config, address))
    for form in ("hs", "rgb", "xy"):
        if form in known:
            points.append(_point("color", "color", {**both, "read": "{{ value_json.color }}", "json": "color",
                                                    "with": on, "color": form}))  # fmt: skip
            break
    return points


def _brightness(address: Address, scale: float) -> Point | None:
    return _point("brightness", "number", address, unit="%", low=0.0, high=100.0, tolerance=round(scale / 2 + 0.1, 3))


def _color_temp(config: Settings, address: Address) -> Point | None:
    if config.get("color_temp_kelvin") is True:
        low, high = _number(config, "min_kelvin", 2000), _number(config, "max_kelvin", 6535)
    else:
        address = {**address, "inverse": 1_000_000.0}
        low = 1_000_000 / max(1.0, _number(config, "max_mireds", 500))
        high = 1_000_000 / max(1.0, _number(config, "min_mireds", 153))
    address["whole"] = True
    return _point("color_temp", "number", address, unit="K", low=round(low), high=round(high), tolerance=50.0)


def _fan(config: Settings) -> list[Point | None]:
    most = max(1.0, _number(config, "speed_range_max", 100))
    address: Address = {**_topics(config, "percentage"), "scale": 100 / most, "whole": True}
    speed = _point("speed", "number", address, unit="%", low=0.0, high=100.0, tolerance=round(50 / most + 0.1, 3))
    return [_power(config, template="state_value_template"), speed]


def _climate(config: Settings) -> list[Point | None]:
    unit = "°F" if config.get("temperature_unit") == "F" else "°C"
    low, high = (45.0, 95.0) if unit == "°F" else (7.0, 35.0)
    step = _number(config, "temp_step", 1.0)
    mode = _topics(config, "mode", template="state_template")
    modes = _list(config.get("modes", MODES))
    return [
        _climate_power(config, mode, modes),
        _point("temperature", "number", _topics(config, "temperature", template="state_template"), unit=unit,
               low=_number(config, "min_temp", low), high=_number(config, "max_temp", high), step=step,
               tolerance=round(step / 2, 3)),
        _point("current_temperature", "number", _told(config, "current_temperature"), unit=unit),
        _point("current_humidity", "number", _told(config, "current_humidity"), unit="%"),
        _point("mode", "choice", mode, choices=modes),
        _point("fan_mode", "choice", _topics(config, "fan_mode", template="state_template"),
               choices=_list(config.get("fan_modes", ["auto", "low", "medium", "high"]))),
    ]  # fmt: skip


def _climate_power(config: Settings, mode: Address, modes: tuple[str, ...]) -> Point | None:
    """Off is a mode; which one "on" is, only a topic for power or an automatic mode can say."""
    if "off" not in modes and not config.get("power_command_topic"):
        return None
    words: list[Json] = [[False, "off"]]
    address: Address = {**mode, "other": True}
    if config.get("power_command_topic"):
        address["command"], address["write"] = config.get("power_command_topic"), config.get("power_command_template")
        words = [[True, config.get("payload_on", "ON")], [False, config.get("payload_off", "OFF")], *words]
    else:
        automatic: list[Json] = [[True, name] for name in ("auto", "heat_cool") if name in modes]
        words += automatic[:1]
    return _point("power", "bool", {**address, "words": words})


def _humidifier(config: Settings) -> list[Point | None]:
    wanted = _topics(config, "target_humidity", template="state_template")
    return [
        _power(config, template="state_value_template"),
        _point("humidity", "number", wanted, unit="%", low=_number(config, "min_humidity", 0),
               high=_number(config, "max_humidity", 100), tolerance=0.5),
        _point("current_humidity", "number", _told(config, "current_humidity"), unit="%"),
    ]  # fmt: skip


def _cover(config: Settings) -> list[Point | None]:
    shut, wide = _number(config, "position_closed", 0), _number(config, "position_open", 100)
    open_words: list[Json] = [
        [True, config.get("payload_open", "OPEN")], [False, config.get("payload_close", "CLOSE")],
        [True, config.get("state_open", "open")], [False, config.get("state_closed", "closed")],
    ]  # fmt: skip
    opened = _topics(config, "")
    if not opened["state"]:
        opened.update(state=config.get("position_topic"), read=config.get("position_template"), other=True)
        open_words.append([False, round(shut)])
    points = [_point("open", "bool", {**opened, "words": open_words}, seconds=SLOW_SECONDS)]
    if wide != shut:
        scale = 100 / (wide - shut)
        address: Address = {
            "state": config.get("position_topic"), "read": config.get("position_template"),
            "command": config.get("set_position_topic"), "write": config.get("set_position_template"),
            "scale": scale, "offset": -shut * scale, "whole": True,
        }  # fmt: skip
        points.append(_point("position", "number", address, unit="%", low=0.0, high=100.0, tolerance=2.0,
                             seconds=SLOW_SECONDS))  # fmt: skip
    if config.get("command_topic") and config.get("payload_stop", "STOP") is not None:
        stop: Address = {
            "command": config.get("command_topic"),
            "words": [["stop", config.get("payload_stop", "STOP")]],
        }
        points.append(_point("task", "choice", stop, choices=("stop",)))
    return points


def _lock(config: Settings) -> list[Point | None]:
    words: list[Json] = [
        [True, config.get("payload_lock", "LOCK")], [False, config.get("payload_unlock", "UNLOCK")],
        [True, config.get("state_locked", "LOCKED")], [False, config.get("state_unlocked", "UNLOCKED")],
    ]  # fmt: skip
    return [_point("locked", "bool", {**_topics(config, ""), "words": words}, seconds=10.0)]


def _vacuum(config: Settings) -> list[Point | None]:
    words: list[Json] = [
        ["start", config.get("payload_start", "start")], ["pause", config.get("payload_pause", "pause")],
        ["stop", config.get("payload_stop", "stop")], ["dock", config.get("payload_return_to_base", "return_to_base")],
        ["start", "cleaning"], ["pause", "paused"], ["stop", "idle"], ["dock", "docked"], ["dock", "returning"],
    ]  # fmt: skip
    address = {**_topics(config, ""), "read": "{{ value_json.state }}", "words": words}
    return [_point("task", "choice", address, choices=("start", "pause", "stop", "dock"), seconds=SLOW_SECONDS)]


def _sensor(config: Settings) -> list[Point | None]:
    unit = config.get("unit_of_measurement")
    counted = isinstance(unit, str) or bool(config.get("state_class"))
    address = {**_topics(config, ""), "command": None}
    return [_point("value", "number" if counted else "text", address, unit=unit if isinstance(unit, str) else "")]


def _binary_sensor(config: Settings) -> list[Point | None]:
    return [_point("value", "bool", {**_topics(config, ""), "command": None, "words": _words(config)[:2]})]


def _number_entity(config: Settings) -> list[Point | None]:
    unit, step = config.get("unit_of_measurement"), _number(config, "step", 1.0)
    return [_point("value", "number", _topics(config, ""), unit=unit if isinstance(unit, str) else "",
                   low=_number(config, "min", 1.0), high=_number(config, "max", 100.0), step=step,
                   tolerance=round(step / 2, 6))]  # fmt: skip


def _select(config: Settings) -> list[Point | None]:
    return [_point("value", "choice", _topics(config, ""), choices=_list(config.get("options", [])))]


def _button(config: Settings) -> list[Point | None]:
    payload = config.get("payload_press", "PRESS")
    return [_point("activate", "bool", {"command": config.get("command_topic"), "words": [[True, payload]]})]


def _scene(config: Settings) -> list[Point | None]:
    payload = config.get("payload_on", "ON")
    return [_point("activate", "bool", {"command": config.get("command_topic"), "words": [[True, payload]]})]


def _told(config: Settings, name: str) -> Address:
    return {"state": config.get(f"{name}_topic"), "read": config.get(f"{name}_template")}


def _list(value: Json) -> tuple[str, ...]:
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def _valve(config: Settings) -> list[Point | None]:
    """As a cover, but where it reports positions one topic tells and takes them."""
    if config.get("reports_position") is True:
        both: Settings = {**config, "position_topic": config.get("state_topic"), "state_topic": None,
                          "set_position_topic": config.get("command_topic"), "command_topic": None,
                          "position_template": config.get("value_template")}  # fmt: skip
        return _cover(both)
    return _cover(config)


COMPONENTS: Mapping[str, Callable[[Settings], list[Point | None]]] = {
    "light": _light, "switch": lambda config: [_power(config)], "fan": _fan, "climate": _climate,
    "humidifier": _humidifier, "cover": _cover, "valve": _valve, "lock": _lock, "vacuum": _vacuum, "sensor": _sensor,
    "binary_sensor": _binary_sensor, "number": _number_entity, "select": _select, "button": _button, "scene": _scene,
}  # fmt: skip
