"""The devices of this box: the map, one driver for each connection, and what devices show.

Connections are opened when something is first looked at or moved, and stay open. One that cannot be used takes no other
with it: its devices cannot be read, and say why.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from agent.api import Env, InputError
from agent.settings import DeviceSettings, DriverSettings
from plugins.devices.drivers.driver import Driver, DriverError
from plugins.devices.drivers.registry import make_driver
from plugins.devices.maps.toml import LoadedMap, load_map
from plugins.devices.values import Device, DeviceMap, Point, State

__all__ = ["House", "Snapshot", "open_house"]

MakeOne = Callable[[str, Sequence[Device], DriverSettings], Driver]
_UNKNOWN = State(None)


class House:
    """Everything that can be read and moved here. Safe for use from several threads."""

    def __init__(
        self,
        loaded: LoadedMap,
        settings: DeviceSettings,
        limits: DriverSettings,
        *,
        make: MakeOne = make_driver,
    ) -> None:
        """
        :param make: makes the driver of a connection.
        """
        self.map: DeviceMap = loaded.devices
        self.doubtful = loaded.doubtful
        self.warnings = loaded.warnings
        self.settings = settings
        self._limits = limits
        self._make = make
        self._lock = threading.Lock()
        self._drivers: dict[str, Driver | InputError] = {}
        self._opened: dict[str, float] = {}
        self._by_id = {device.id: device for device in loaded.devices.devices}
        self._kept: dict[tuple[str, str], tuple[float, State]] = {}

    def device(self, device_id: str) -> Device | None:
        """As `DeviceMap.device`, for maps of thousands."""
        return self._by_id.get(device_id)

    def driver(self, device: Device) -> Driver:
        """What moves a device; opened if it is not.

        :raises InputError: it has no connection, or that cannot be made; what to do.
        """
        name = device.driver
        if not name:
            raise InputError(f"{device.id}: the map of devices names no driver for it")
        with self._lock:
            if name not in self._drivers:
                mine = [one for one in self.map.devices if one.driver == name]
                try:
                    driver = self._make(name, mine, self._limits)
                    driver.open()
                    self._opened[name] = time.monotonic()
                    self._drivers[name] = driver
                except InputError as error:
                    self._drivers[name] = error
            found = self._drivers[name]
        if isinstance(found, InputError):
            raise found
        return found

    def look(self, device: Device, point: Point, *, seconds: float | None = None, after: float | None = None) -> State:
        """What a point shows now; a state without value where it cannot be had in time.

        :param after: as `Driver.read` has it.
        """
        try:
            driver = self.driver(device)
            limit = self.settings.read_seconds if seconds is None else seconds
            state = driver.read(device, point, seconds=limit, after=after)
        except (DriverError, InputError):
            return _UNKNOWN
        with self._lock:
            self._kept[device.id, point.name] = (time.monotonic(), state)
        return state

    def look_surely(self, device: Device, point: Point) -> State:
        """The same, for rules: a value of unknown age counts only where the device is known to be there."""
        state = self.look(device, point)
        return state if state.at > 0 or self.online(device) else _UNKNOWN

    def online(self, device: Device) -> bool | None:
        """Whether it can be reached; None: nobody says, or its connection is being made. False where it cannot be."""
        try:
            there = self.driver(device).online(device)
        except InputError:
            return False
        fresh = time.monotonic() - self._opened.get(device.driver, 0.0) < self._limits.offline_seconds
        return None if there is False and fresh else there

    def lately(self, device_id: str, point: str) -> State | None:
        """What was read within the last moments; None: nothing."""
        with self._lock:
            found = self._kept.get((device_id, point))
        return found[1] if found and time.monotonic() - found[0] < self.settings.fresh_seconds else None

    def snapshot(self) -> Snapshot:
        """What devices show, for the understanding of one utterance."""
        return Snapshot(self)

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            drivers, self._drivers = list(self._drivers.values()), {}
        for driver in drivers:
            if not isinstance(driver, InputError):
                driver.close()


class Snapshot:
    """`States` of one moment: each point is looked at once, and all together take no longer than the limit."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seen: dict[tuple[str, str], State] = {}
        self._until = time.monotonic() + house.settings.states_seconds

    def state(self, device: str, point: str) -> State:
        """What it shows; without value where that is not known."""
        key = (device, point)
        if key not in self._seen:
            self._seen[key] = self._house.lately(device, point) or self._look(device, point)
        return self._seen[key]

    def _look(self, device_id: str, name: str) -> State:
        device = self._house.device(device_id)
        point = device.point(name) if device else None
        left = self._until - time.monotonic()
        if device is None or point is None or not device.driver or left <= 0 or self._house.online(device) is False:
            return _UNKNOWN
        return self._house.look(device, point, seconds=min(left, self._house.settings.read_seconds))


def open_house(env: Env, *, make: MakeOne = make_driver) -> House | None:
    """The house of this box; None where it has no map of devices.

    :raises InputError: the map is wrong.
    """
    settings = env.settings.devices
    path = settings.map or env.home.devices
    if settings.map is None and not path.is_file():
        return None
    return House(load_map(path.expanduser(), settings), settings, env.settings.drivers, make=make)
