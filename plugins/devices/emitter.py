"""Commands to devices: judged, sent once, read back until the device shows it or its time is over.

What the core asks about calls of `write_point` (`agent.actuator.Actuator`) is answered here. A value counts as read
back only where it came after the command was sent; after a restart, when nobody knows when that was, only where the
device can be asked now or told it since. "It was so before" confirms nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agent.actuator import Heard, Outcome
from agent.api import InputError, Json, Risk, Said, ToolFailed, ToolResult, say
from agent.errors import CommandNotSent
from plugins.devices.drivers.colors import color_distance
from plugins.devices.drivers.driver import DriverError, NotSent, Offline
from plugins.devices.guards import (
    fitted,
    interlocked,
    is_color,
    is_quiet,
    locked,
    same_value,
    wrong_target,
    wrong_value,
)
from plugins.devices.hearing import Hearing
from plugins.devices.house import House
from plugins.devices.values import Device, Point, State, Value, Write
from plugins.devices.wording import came_line

__all__ = ["Emitter"]

_COLOR_SLACK = 0.06
"""Of hue and saturation: lamps tell a colour back in other terms than they are told it."""
_OFFLINE = say("设备离线", "the device is offline")


@dataclass(frozen=True, slots=True)
class _Target:
    """A write whose device and point are there."""

    device: Device
    point: Point
    value: Value
    unit: str


class Emitter:
    """Moves the devices of a house. Safe for use from several threads."""

    def __init__(self, house: House, hearing: Hearing, now: Callable[[], datetime]) -> None:
        """
        :param now: local time of the plant.
        """
        self._house = house
        self._hearing = hearing
        self._now = now
        self._lock = threading.Lock()
        self._lanes = interlocked(house.map)
        self._sent: dict[tuple[str, str], float] = {}
        """Device and point → when its last command went out, by the monotonic clock."""
        self._watched: set[tuple[str, str]] = set()
        """Those whose last command was waited for; later it is only looked at."""
        self._seen: dict[tuple[str, str], Value | None] = {}
        """The same → what it showed when that was read back."""

    def risk(self, arguments: Mapping[str, Json]) -> Risk:
        """Of the device; dangerous in its quiet hours, and where it is not in the map."""
        device = self._house.device(str(arguments.get("device")))
        if device is None or device.risk == "dangerous" or is_quiet(device.quiet, self._now().time()):
            return "dangerous"
        return "write"

    def ordered(self, words: str, heard: Heard, arguments: Mapping[str, Json]) -> bool:
        """Whether the rules alone find exactly this write in the words, with device and value named."""
        if str(arguments.get("device")) in self._house.doubtful:
            return False
        wanted = _write(arguments)
        return any(
            one.device == wanted.device
            and one.point == wanted.point
            and one.unit == wanted.unit
            and same_value(one.value, wanted.value)
            for one in self._hearing.exactly(words, heard)
        )

    def refusal(self, arguments: Mapping[str, Json]) -> Said | None:
        """What stands against a write: map, value, interlocks, a device that is not there."""
        target = self._target(arguments)
        if not isinstance(target, _Target):
            return target
        if self._house.online(target.device) is False:
            return _OFFLINE
        return locked(target.device, target.point, target.value, self._house.map, self._house.look_surely)

    def moves(self, arguments: Mapping[str, Json]) -> str:
        """The device."""
        return str(arguments.get("device"))

    def lane(self, arguments: Mapping[str, Json]) -> str:
        """The device, and all that interlocks tie it to: what one order does decides whether the next may be."""
        device = str(arguments.get("device"))
        return self._lanes.get(device, device)

    def most_a_minute(self, arguments: Mapping[str, Json]) -> int:
        """Of the device; the box's own limit where the map has none."""
        device = self._house.device(str(arguments.get("device")))
        return (device.most_writes_a_minute if device else 0) or self._house.settings.most_writes_a_minute

    def before(self, arguments: Mapping[str, Json]) -> Json:
        """What the point shows now."""
        target = self._target(arguments)
        if not isinstance(target, _Target):
            return None
        return self._house.snapshot().state(target.device.id, _shown_by(target)[1].name).value

    def told(self, arguments: Mapping[str, Json], outcome: Outcome) -> Said:
        """What became of it, with what the device shows."""
        wanted = _write(arguments)
        device = self._house.device(wanted.device)
        point = device.point(wanted.point) if device else None
        if device is None or point is None:
            why = outcome.why or say("", "")
            name = wanted.device[:60]
            return say(f"{name}:没有执行:{why['zh']}", f"{name}: not done: {why['en']}")
        if outcome.came == "unsure" and point.read_back is None and outcome.why is None:
            outcome = replace(outcome, why=say("它没有回读", "it cannot be read back"))
        with self._lock:
            seen = self._seen.get((device.id, point.name))
        return came_line(device, point, fitted(point, wanted.value), outcome, seen)

    def write(self, arguments: Mapping[str, Json]) -> ToolResult:
        """Send it, once; every rule is looked at again, for things may have changed since it was judged.

        :raises CommandNotSent: nothing left the box.
        :raises ToolFailed: it may have; only a read-back can tell.
        """
        key = (str(arguments.get("device")), str(arguments.get("point")))
        with self._lock:
            self._seen[key] = None
        refusal, target = self.refusal(arguments), self._target(arguments)
        if refusal is not None or not isinstance(target, _Target):
            said = refusal or say("不能设置", "it cannot be set")
            raise CommandNotSent(f"{arguments.get('device')}: {said['en']}", said)
        device, point = target.device, target.point
        try:
            driver = self._house.driver(device)
            with self._lock:
                self._sent[key] = time.monotonic()
                self._watched.discard(key)
            driver.write(device, point, target.value, seconds=self._house.settings.write_seconds)
        except InputError as error:
            raise CommandNotSent(str(error)) from None
        except NotSent as error:
            raise CommandNotSent(str(error), _OFFLINE if isinstance(error, Offline) else None) from None
        return ToolResult()

    def read_back(self, arguments: Mapping[str, Json]) -> bool | None:
        """Whether the device shows what was ordered; None where nothing tells.

        Waits as long as the map gives the device where this process sent the command; else it looks once.
        """
        target = self._target(arguments)
        if not isinstance(target, _Target) or target.point.read_back is None:
            return None
        key = (target.device.id, target.point.name)
        with self._lock:
            sent, is_first = self._sent.get(key), key not in self._watched
            self._watched.add(key)
        seen = self._watch(target, sent) if sent is not None and is_first else self._look_once(target, sent)
        with self._lock:
            self._seen[key] = seen
        return None if seen is None else self._is_so(target, seen)

    def _watch(self, target: _Target, sent: float) -> Value | None:
        """The last value that came after the command, as soon as it is the one that was ordered."""
        device, point = _shown_by(target)
        back, settings = target.point.read_back, self._house.settings
        deadline = time.monotonic() + (back.within_seconds if back else 0.0)
        seen: Value | None = None
        while (left := deadline - time.monotonic()) > 0:
            try:
                state = self._house.driver(device).read(
                    device, point, seconds=min(left, settings.read_seconds), after=sent
                )
                seen = state.value if state.value is not None else seen
            except DriverError:  # not there, or nothing new yet
                state = State(None)
            if state.value is not None and self._is_so(target, state.value):
                return state.value
            time.sleep(min(settings.poll_seconds, max(0.0, deadline - time.monotonic())))
        return seen

    def _look_once(self, target: _Target, sent: float | None) -> Value | None:
        device, point = _shown_by(target)
        if self._house.online(device) is False:
            return None
        state = self._house.look(device, point, after=sent)
        return state.value if state.at > 0 else None

    def _is_so(self, target: _Target, seen: Value) -> bool:
        tolerance = target.point.read_back.tolerance if target.point.read_back else 0.0
        if target.point.kind == "color" and isinstance(seen, str) and isinstance(target.value, str):
            return is_color(seen) and color_distance(seen, target.value) <= max(tolerance, _COLOR_SLACK)
        return same_value(seen, target.value, tolerance=tolerance)

    def _target(self, arguments: Mapping[str, Json]) -> _Target | Said:
        """The write, or why it is none."""
        wanted = _write(arguments)
        wrong = wrong_target(self._house.map, wanted.device, wanted.point)
        device = self._house.device(wanted.device)
        point = device.point(wanted.point) if device else None
        if wrong is not None or device is None or point is None:
            return wrong or say("没有这个设备", "there is no such device")
        value = fitted(point, wanted.value)
        return wrong_value(point, value, wanted.unit) or _Target(device, point, value, wanted.unit)


def _shown_by(target: _Target) -> tuple[Device, Point]:
    """Where a write shows."""
    back = target.point.read_back
    return target.device, (target.device.point(back.point) if back else None) or target.point


def _write(arguments: Mapping[str, Json]) -> Write:
    """The call as a write.

    :raises ToolFailed: it is none.
    """
    device, point, value = arguments.get("device"), arguments.get("point"), arguments.get("value")
    unit = arguments.get("unit", "")
    if not (isinstance(device, str) and isinstance(point, str) and isinstance(unit, str)):
        raise ToolFailed("write_point: device, point and unit are words")
    if not isinstance(value, bool | int | float | str):
        raise ToolFailed("write_point: value is true, false, a number or a word")
    return Write(device, point, value if isinstance(value, bool | str) else float(value), unit)
