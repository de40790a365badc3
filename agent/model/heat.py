"""How many threads a reply may use now: fewer while the box is hot, and again more when it has cooled.

A box without a fan that runs into its thermal limit is slowed by the kernel to a fraction, for minutes. Rules, in
order:
1. Sensors are asked at most every `model.heat_seconds`; what they say that cannot be is passed over.
2. A sensor within `heat_margin_c` of its trip point is hot. So is a frequency cap below the highest one seen, unless
   the sensors are cool: then a person has set it.
3. While it is hot a quarter of the threads goes, again after `heat_dwell_seconds`, and without that wait beyond the
   trip point itself.
4. When every sensor was `heat_hysteresis_c` cooler than that for three times as long, a quarter comes back.
5. The quota of a container caps the rest. There is always one thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from agent.model.cores import cpu_quota, read_number, read_text
from agent.settings import ModelSettings
from agent.values import Said, say

__all__ = ["Governor", "Heat", "Zone", "describe", "read_heat", "said_of_heat"]

SENSIBLE_C = (1.0, 150.0)
"""A sensor that says anything else is off, broken or a stub."""
SENSIBLE_TRIP_C = (40.0, 130.0)
"""A trip point elsewhere is unset, or is not about heat."""
ELSEWHERE = ("wifi", "iwl", "wlan", "batt", "charg", "nvme", "modem", "usb", "dimm")
"""Kinds of sensors that sit on parts which threads do not heat."""
PROCESSOR = ("cpu", "pkg", "soc", "core", "cluster", "k10temp")
"""Kinds that sit on the processor, and so count without a trip point too."""
PROCESSOR_CHIPS = ("coretemp", "k10temp", "zenpower", "via_cputemp")
"""Drivers of sensors inside processors."""
SLOWING_TRIPS = ("passive", "hot", "critical")
"""Kinds of trip points that slow or stop a box, the one to mind first; `active` only starts a fan."""
BELOW_CRITICAL_C = 10.0
"""Where a sensor names only the point at which the box is switched off, slowing should begin this much earlier."""
CAPPED = 0.95
"""A frequency limit below this share of the one at the start is a brake; smaller steps are boost states."""
STEP_SHARE = 4
COOL_DWELLS = 3


@dataclass(frozen=True, slots=True)
class Zone:
    """One temperature sensor."""

    name: str
    """As the kernel calls it, for example soc-thermal."""
    temp_c: float
    trip_c: float
    """Where the kernel begins to slow the box."""


@dataclass(frozen=True, slots=True)
class Heat:
    """What the box says of its temperature."""

    zones: tuple[Zone, ...]
    """Those whose reading can be true."""
    cap: float
    """Highest frequency allowed over the highest there is, of the core that is held back most; 1 without a limit."""

    @property
    def hottest(self) -> Zone | None:
        """The one nearest to its trip point, or farthest beyond it."""
        return max(self.zones, key=lambda zone: zone.temp_c - zone.trip_c, default=None)


class Governor:
    """The threads of one loaded model. Asked between tokens, which costs a look at the clock."""

    def __init__(
        self,
        settings: ModelSettings,
        cores: int,
        sysfs: Path = Path("/sys"),
        clock: Callable[[], float] = time.monotonic,
        *,
        proc: Path = Path("/proc"),
    ) -> None:
        """
        :param cores: threads when the box is cool.
        :param sysfs: where the kernel shows its sensors.
        :param clock: seconds, never going back.
        """
        self.most = max(1, cores)
        self.why = ""
        """Why there are fewer than `most`, as one line; empty when there are not."""
        self._settings = settings
        self._sysfs = sysfs
        self._proc = proc
        self._clock = clock
        self._threads = self._allowed = self.most
        self._free_cap = 0.0
        self._next = -math.inf if settings.heat_seconds > 0 else math.inf
        self._moved = -math.inf
        self._cool_since = math.inf

    def threads(self) -> int:
        """How many to use for the next pass."""
        now = self._clock()
        if now >= self._next:
            self._next = now + self._settings.heat_seconds
            self._look(now)
        return min(self._threads, self._allowed)

    def _look(self, now: float) -> None:
        heat = read_heat(self._sysfs, limit_c=self._settings.heat_limit_c)
        self._free_cap = max(self._free_cap, heat.cap)
        over_c = max((zone.temp_c - zone.trip_c for zone in heat.zones), default=-math.inf)
        hot_c = -self._settings.heat_margin_c
        cool = over_c < hot_c - self._settings.heat_hysteresis_c
        braked = heat.cap < self._free_cap * CAPPED and not (cool and heat.zones)
        if braked or over_c >= hot_c:
            self._warm(now, over_c, heat)
        elif cool:
            self._cool(now)
        else:
            self._cool_since = math.inf
        self._heed_quota()

    def _warm(self, now: float, over_c: float, heat: Heat) -> None:
        self._cool_since = math.inf
        waited = now - self._moved >= self._settings.heat_dwell_seconds
        if self._threads > 1 and (waited or over_c >= 0):
            self._threads = max(1, self._threads - self._step)
            self._moved = now
        if self._threads < self.most:
            self.why = f"{self._threads} of {self.most} threads: {describe(heat)}"

    def _cool(self, now: float) -> None:
        self._cool_since = min(self._cool_since, now)
        since = max(self._cool_since, self._moved)
        if self._threads < self.most and now - since >= COOL_DWELLS * self._settings.heat_dwell_seconds:
            self._threads = min(self.most, self._threads + self._step)
            self._moved = now
            self.why = f"{self._threads} of {self.most} threads: the box is cooling"

    @property
    def _step(self) -> int:
        return max(1, self.most // STEP_SHARE)

    def _heed_quota(self) -> None:
        quota = cpu_quota(self._sysfs, self._proc)
        self._allowed = self.most if quota is None else max(1, min(self.most, int(quota)))
        if self._allowed < self._threads:
            self.why = f"{self._allowed} of {self.most} threads: the CPU quota is {quota:.1f}"
        elif self._threads == self.most:
            self.why = ""


def read_heat(sysfs: Path = Path("/sys"), *, limit_c: float) -> Heat:
    """Look at the sensors once. Whatever is missing, unreadable or cannot be is left out.

    :param limit_c: the trip point of a processor's sensor that names none.
    """
    thermal = _zones(sysfs / "class" / "thermal", limit_c)
    zones = tuple(chain(thermal, _processor_chips(sysfs / "class" / "hwmon", limit_c)))
    return Heat(zones, min(_caps(sysfs / "devices" / "system" / "cpu"), default=1.0))


def describe(heat: Heat) -> str:
    """How near to its limit the box is, for logs."""
    return said_of_heat(heat)["en"]


def said_of_heat(heat: Heat) -> Said:
    """The same for people."""
    zh, en = list[str](), list[str]()
    if (hottest := heat.hottest) is not None:
        zh.append(f"{hottest.name} {hottest.temp_c:.0f} °C,到 {hottest.trip_c:.0f} °C 时降速")
        en.append(f"{hottest.name} {hottest.temp_c:.0f} °C, slowed at {hottest.trip_c:.0f} °C")
    if heat.cap < CAPPED:
        zh.append(f"主频限制在 {heat.cap:.0%}")
        en.append(f"clock held at {heat.cap:.0%}")
    return say(";".join(zh) or "没有温度传感器", ", ".join(en) or "no temperature sensors")


def _zones(folder: Path, limit_c: float) -> Iterator[Zone]:
    for place in sorted(folder.glob("thermal_zone*")):
        name = read_text(place / "type")
        temp_c = _celsius(place / "temp")
        if temp_c is None or not SENSIBLE_C[0] <= temp_c <= SENSIBLE_C[1] or read_text(place / "mode") == "disabled":
            continue
        if any(word in name.lower() for word in ELSEWHERE):
            continue
        trip_c = _trip(place)
        if trip_c is None and any(word in name.lower() for word in PROCESSOR):
            trip_c = limit_c
        if trip_c is not None:
            yield Zone(name or place.name, temp_c, trip_c)


def _processor_chips(folder: Path, limit_c: float) -> Iterator[Zone]:
    """The processor's own sensors, which on many PCs are no thermal zones."""
    for place in sorted(folder.glob("hwmon*")):
        if (name := read_text(place / "name")) in PROCESSOR_CHIPS:
            for path in sorted(place.glob("temp*_input")):
                temp_c = _celsius(path)
                critical_c = _celsius(path.with_name(path.name.replace("_input", "_crit")))
                sensible = critical_c is not None and SENSIBLE_TRIP_C[0] <= critical_c <= SENSIBLE_TRIP_C[1]
                if temp_c is not None and SENSIBLE_C[0] <= temp_c <= SENSIBLE_C[1]:
                    yield Zone(name, temp_c, critical_c - BELOW_CRITICAL_C if sensible and critical_c else limit_c)


def _trip(zone: Path) -> float | None:
    """The lowest sensible point at which the kernel slows the box, by this sensor."""
    found: dict[str, float] = {}
    for place in zone.glob("trip_point_*_type"):
        kind = read_text(place)
        trip_c = _celsius(place.with_name(place.name.removesuffix("type") + "temp"))
        if trip_c is not None and SENSIBLE_TRIP_C[0] <= trip_c <= SENSIBLE_TRIP_C[1]:
            found[kind] = min(trip_c, found.get(kind, math.inf))
    for kind in SLOWING_TRIPS:
        if kind in found:
            return found[kind] - (BELOW_CRITICAL_C if kind == "critical" else 0.0)
    return None


def _celsius(path: Path) -> float | None:
    """The kernel writes thousandths."""
    number = read_number(path)
    return None if number is None else number / 1_000


def _caps(folder: Path) -> Iterator[float]:
    for place in folder.glob("cpu[0-9]*/cpufreq"):
        limit, highest = read_number(place / "scaling_max_freq"), read_number(place / "cpuinfo_max_freq")
        if limit is not None and highest is not None and 0 < limit <= highest:
            yield limit / highest
