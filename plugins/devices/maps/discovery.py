"""A map of devices from what they say of themselves over MQTT, in Home Assistant's discovery messages.

Both forms are read: one message for each component, and one for a device with all its components; short names and the
base `~` in either. Rules: the messages are untrusted and bounded; what is not understood is left out and said, so that
no device is moved in a way that was guessed; two that claim one identity are both left out; what opens a way in
(locks, gates, garage doors) or a pipe is `dangerous`, whoever says what.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent.api import InputError, Json
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import finite
from plugins.devices.drivers.mqtt_link import Link
from plugins.devices.drivers.mqtt_payload import codec_of, parse_json
from plugins.devices.maps.discovery_points import COMPONENTS, Settings, points_of
from plugins.devices.maps.discovery_words import spelled_out
from plugins.devices.values import Area, Device, DeviceMap, Point

__all__ = ["Discovered", "discover", "read_discovery", "said", "slug"]

DANGEROUS = {"lock", "valve"}
DANGEROUS_CLASSES = {"garage", "gate", "door", "gas", "water"}
NAME_CHARS = 80
ID_CHARS = 100
UNIT_CHARS = 20
CLASS_CHARS = 60
SHARED = ("availability", "availability_topic", "availability_mode", "availability_template", "payload_available",
          "payload_not_available", "state_topic", "command_topic", "device", "~")  # fmt: skip
"""What a message about a whole device says for all its components."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """A map, and what was left out of it."""

    devices: DeviceMap
    left_out: tuple[str, ...]
    """In one line each: the topic, and why."""


def discover(name: str, connection: ConnectionSettings, limits: DriverSettings) -> Discovered:
    """Listen to a broker until it has told all that is retained.

    :param name: of the connection; the devices' driver.
    :raises InputError: the broker cannot be reached, or tells too much.
    """
    messages: dict[str, bytes] = {}
    news = threading.Event()
    size = 0

    def heard(topic: str, payload: bytes | None, _retained: bool) -> None:
        nonlocal size
        size += len(payload or b"")
        if payload and size <= limits.max_discovery_bytes:
            messages[topic] = payload
        news.set()

    prefix = connection.discovery_prefix.strip("/")
    link = Link(name, connection, limits, heard)
    try:
        link.start()
        if not link.wait_up(limits.connect_seconds):
            raise InputError(f"connection {name}: no broker at {link.where}: {link.why}")
        link.subscribe([f"{prefix}/+/+/config", f"{prefix}/+/+/+/config"])
        until = time.monotonic() + limits.discovery_seconds
        while news.wait(limits.settle_seconds) and time.monotonic() < until:
            news.clear()
    except OSError as error:
        raise InputError(f"connection {name}: no broker at {link.where}: {error}") from None
    finally:
        link.close()
    if size > limits.max_discovery_bytes:
        raise InputError(f"connection {name}: more than drivers.max_discovery_bytes under {prefix}; look who sends it")
    return read_discovery(messages, prefix, name, limits)


def read_discovery(messages: Mapping[str, bytes], prefix: str, driver: str, limits: DriverSettings) -> Discovered:
    """The map that messages describe.

    :param messages: topic → payload.
    """
    found: dict[str, list[Device]] = {}
    areas: dict[str, Area] = {}
    left_out: list[str] = []
    points = 0
    for topic in sorted(messages):
        for where, component, config in _components(topic, messages[topic], prefix, left_out):
            device = _device(where, component, config, driver, left_out, limits)
            if device is None:
                continue
            points += len(device.points)
            if points > limits.max_discovered_points:
                left_out.append(f"{where}: and all after it: more than drivers.max_discovered_points")
                return _mapped(found, areas, left_out)
            area = _area(config)
            if area is not None:
                areas.setdefault(area.id, area)
            found.setdefault(device.id, []).append(replace(device, area=area.id if area else ""))
    return _mapped(found, areas, left_out)


def _mapped(found: Mapping[str, list[Device]], areas: Mapping[str, Area], left_out: list[str]) -> Discovered:
    for device_id, claims in found.items():
        if len(claims) > 1:
            left_out.append(f"{device_id}: {len(claims)} messages claim this identity; none of them is believed")
    sound = tuple(claims[0] for claims in found.values() if len(claims) == 1)
    used = {device.area for device in sound}
    return Discovered(DeviceMap(sound, tuple(area for area in areas.values() if area.id in used)), tuple(left_out))


def _components(topic: str, payload: bytes, prefix: str, left_out: list[str]) -> list[tuple[str, str, Settings]]:
    """Where it stands, the kind of component and its settings, of each that a message describes."""
    parts = topic.removeprefix(f"{prefix}/").split("/")
    try:
        parsed = parse_json(payload.decode("utf-8"))
        json.dumps(parsed if isinstance(parsed, dict) else None, ensure_ascii=False).encode("utf-8")
    except UnicodeError:  # a half of a pair that JSON escapes may name is no text either
        parsed = None
    if not topic.startswith(f"{prefix}/") or len(parts) not in (3, 4) or parts[-1] != "config":
        return []
    if not isinstance(parsed, dict):
        left_out.append(f"{topic[:120]}: no JSON")
        return []
    config = spelled_out(parsed)
    if parts[0] != "device":
        return [(topic, parts[0], {"object_id": "_".join(parts[1:-1]), **config})]
    members = config.get("components")
    if not isinstance(members, dict):
        left_out.append(f"{topic[:120]}: no components")
        return []
    shared = {name: parsed[name] for name in parsed if name in SHARED or spelled_out({name: ""}).keys() & set(SHARED)}
    whole: list[tuple[str, str, Settings]] = []
    for key, member in members.items():
        if isinstance(member, dict):
            own = spelled_out({**shared, **member})
            own.setdefault("object_id", f"{parts[-2]}_{key}")
            whole.append((f"{topic} {key}", str(own.get("platform", "")), own))
    return whole


def _device(
    where: str, component: str, config: Settings, driver: str, left_out: list[str], limits: DriverSettings
) -> Device | None:
    where = where[:160]
    if component not in COMPONENTS:
        left_out.append(f"{where}: {component[:40] or 'a component'} is nothing that can be read or moved here")
        return None
    names = _names(config)
    if not names:
        left_out.append(f"{where}: it has no name that can be said")
        return None
    device_class = config.get("device_class")
    kind = device_class[:CLASS_CHARS] if isinstance(device_class, str) and device_class.isidentifier() else ""
    risky = component in DANGEROUS or (component in ("cover", "button") and kind in DANGEROUS_CLASSES)
    device = Device(
        id=_identity(config), names=names, domain=component, device_class=kind, driver=driver,
        risk="dangerous" if risky else "write",
    )  # fmt: skip
    available = _availability(config)
    points: list[Point] = []
    for point in points_of(component, config):
        made = replace(point, address={**point.address, **available})
        try:
            _check(made)
            codec_of(device, made, max_chars=limits.max_text_chars)
        except InputError as error:
            left_out.append(f"{where}: {error}"[:400])
        else:
            points.append(made)
    if not points:
        left_out.append(f"{where}: nothing of it can be read or set")
        return None
    return replace(device, points=tuple(points))


def _check(point: Point) -> None:
    """:raises InputError: it is not what a map may hold."""
    if point.low is not None and point.high is not None and point.low >= point.high:
        raise InputError(f"{point.name}: from {point.low:g} to {point.high:g} is no range")
    if point.step is not None and point.step <= 0:
        raise InputError(f"{point.name}: {point.step:g} is no step")
    if (point.kind == "choice") != bool(point.choices) or any(choice != said(choice) for choice in point.choices):
        raise InputError(f"{point.name}: its choices cannot be said")
    if point.unit != said(point.unit) or len(point.unit) > UNIT_CHARS:
        raise InputError(f"{point.name}: its unit cannot be said")
    for word in _words_of(point):
        if not isinstance(word, str | bool) and finite(word) is None:
            raise InputError(f"{point.name}: {str(word)[:40]!r} is no payload that can be sent or told")


def _words_of(point: Point) -> list[Json]:
    """What a message says is sent or told on the wire."""
    pairs, states = point.address.get("words"), point.address.get("available")
    words = [pair[1] for pair in pairs if isinstance(pair, list)] if isinstance(pairs, list) else []
    for state in states if isinstance(states, list) else []:
        words += [state.get("online"), state.get("offline")] if isinstance(state, dict) else []
    return words


def _names(config: Settings) -> tuple[str, ...]:
    """A component's own name stands behind its device's; one without is the device itself."""
    device = config.get("device")
    whole = said(device.get("name") if isinstance(device, dict) else None)
    own = said(config.get("name"))
    if own and whole and not own.lower().startswith(whole.lower()):
        return (f"{whole} {own}"[:NAME_CHARS], own)
    return tuple(name for name in (own or whole,) if name)


def _area(config: Settings) -> Area | None:
    device = config.get("device")
    name = said(device.get("suggested_area") if isinstance(device, dict) else None)
    return Area(slug(name.lower()), (name,)) if slug(name) else None


def _identity(config: Settings) -> str:
    for name in ("unique_id", "object_id"):
        value = config.get(name)
        if isinstance(value, str) and slug(value):
            return slug(value)
    return "unnamed"


def slug(text: str) -> str:
    """A text as an id: what a map admits, and nothing else."""
    return re.sub(r"[^\w.:/@+-]+", "_", text).strip("_.:/@+-")[:ID_CHARS]


def said(value: Json) -> str:
    """A name on one line, in printable characters; empty where it is none."""
    if not isinstance(value, str):
        return ""
    text = " ".join(value.split())
    return text if text.isprintable() and len(text) <= NAME_CHARS else ""


def _availability(config: Settings) -> dict[str, Json]:
    listed = config.get("availability")
    entries = listed if isinstance(listed, list) else [listed] if isinstance(listed, dict) else []
    if not entries and config.get("availability_topic"):
        entries = [{
            "topic": config.get("availability_topic"), "value_template": config.get("availability_template"),
            "payload_available": config.get("payload_available", "online"),
            "payload_not_available": config.get("payload_not_available", "offline"),
        }]  # fmt: skip
    available: list[Json] = []
    for entry in entries:
        if isinstance(entry, dict):
            read = entry.get("value_template")
            available.append({
                "topic": entry.get("topic"), "online": entry.get("payload_available", "online"),
                "offline": entry.get("payload_not_available", "offline"), **({"read": read} if read else {}),
            })  # fmt: skip
    if not available:
        return {}
    return {"available": available, "available_mode": config.get("availability_mode", "latest")}
