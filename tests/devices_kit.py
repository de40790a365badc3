"""A house of simulated devices that counts what is written to it, and an agent that may move them."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pluggy

from agent import hookspecs
from agent.audit import Trail
from agent.env import Env, load_env
from agent.hookspecs import PROJECT
from agent.model.ladder import Ladder
from agent.model.protocol import Model
from agent.model.rules import RulesModel
from agent.plugin_host import LoadedPlugin, PluginHost
from agent.settings import DriverSettings
from agent.turn import Agent
from plugins.devices.drivers.driver import MaybeSent, NotRead, Offline, Seen
from plugins.devices.house import MakeOne
from plugins.devices.plugin import DevicesPlugin
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context, Intent, Reader, States, Understood
from plugins.devices.understanding.sounds_reader import SoundReader
from plugins.devices.values import Device, DeviceMap, Point, State, Value, Write

__all__ = ["HOUSE", "Bed", "FakeDriver", "WordReader", "quick_folder", "real_reader"]

HOUSE = """
[[floor]]
id = "f1"
names = ["一楼", "ground floor"]

[[area]]
id = "hall"
names = ["泵房", "pump hall"]
floor = "f1"

[[area]]
id = "living"
names = ["客厅", "living room"]

[[device]]
id = "ac"
names = ["客厅空调", "living room air conditioner"]
domain = "climate"
area = "living"
driver = "sim"
[[device.point]]
name = "temperature"
kind = "number"
unit = "°C"
low = 16
high = 30
step = 0.5
writable = true
read_back = { tolerance = 0.2, within_seconds = 0.4 }
[[device.point]]
name = "power"
kind = "bool"
writable = true
read_back = { within_seconds = 0.4 }

[[device]]
id = "lamp"
names = ["台灯", "desk lamp"]
domain = "light"
area = "living"
driver = "sim"
[[device.point]]
name = "power"
kind = "bool"
writable = true
read_back = { within_seconds = 0.4 }
[[device.point]]
name = "color"
kind = "color"
writable = true
read_back = { within_seconds = 0.4 }

[[device]]
id = "V-12"
names = ["V-12", "十二号阀", "valve 12"]
domain = "valve"
area = "hall"
driver = "sim"
[[device.point]]
name = "open"
kind = "bool"
writable = true
read_back = { within_seconds = 0.4 }
[[device.interlock]]
point = "open"
value = true
device = "P-3"
seen = "power"
forbids = [true]

[[device]]
id = "P-3"
names = ["P-3", "三号泵", "pump 3"]
domain = "switch"
area = "hall"
driver = "sim"
risk = "dangerous"
[[device.point]]
name = "power"
kind = "bool"
writable = true
read_back = { within_seconds = 0.4 }
"""


@dataclass
class FakeDriver:
    """Devices that do what they are told, unless a flaw is set."""

    values: dict[tuple[str, str], Value] = field(default_factory=dict)
    writes: list[tuple[str, str, Value]] = field(default_factory=list)
    flaws: dict[str, str] = field(default_factory=dict)
    """Device → wrong, silent, late, offline, dies (after sending), refuses to be read."""
    late_seconds: float = 0.2
    told_at: dict[tuple[str, str], float] = field(default_factory=dict)
    file: Path | None = None
    """Also written there, for processes that die."""
    opened: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    before_write: Callable[[], None] | None = None

    def open(self) -> None:
        self.opened += 1

    def close(self) -> None: ...

    def watch(self, seen: Seen) -> None: ...

    def online(self, device: Device) -> bool | None:
        return self.flaws.get(device.id) != "offline"

    def read(self, device: Device, point: Point, *, seconds: float, after: float | None = None) -> State:
        key = (device.id, point.name)
        if self.flaws.get(device.id) in ("offline", "unread"):
            raise Offline(f"{device.id}: gone")
        with self.lock:
            told = self.told_at.get(key, 0.0)
            if key not in self.values or (after is not None and not after <= told <= time.monotonic()):
                raise NotRead(f"{device.id}: nothing new")
            return State(self.values[key], time.time())

    def write(self, device: Device, point: Point, value: Value, *, seconds: float) -> None:
        flaw, key = self.flaws.get(device.id), (device.id, point.name)
        if self.before_write:
            self.before_write()
        if flaw == "offline":
            raise Offline(f"{device.id}: gone")
        with self.lock:
            self.writes.append((device.id, point.name, value))
            if self.file:
                with self.file.open("a", encoding="utf-8") as file:
                    file.write(f"{device.id} {point.name} {value}\n")
            if flaw == "wrong":
                shown: Value = (not value) if isinstance(value, bool) else 21.0
            else:
                shown = value
            if flaw != "silent":
                self.values[key] = shown
                self.told_at[key] = time.monotonic() + (self.late_seconds if flaw == "late" else 0.0)
        if flaw == "dies":
            raise MaybeSent(f"{device.id}: the connection broke")


class WordReader:
    """A reader for tests of everything behind it: "set ID POINT VALUE", parted by commas; never a question."""

    _ONE = re.compile(r"(maybe )?set (\S+) (\S+) (\S+)(?: (\S+))?")

    def read(self, text: str, devices: DeviceMap, context: Context, states: States | None) -> Understood:
        intents, left = [], []
        for part in (p.strip() for p in text.split(",")):
            found = self._ONE.fullmatch(part)
            if found is None:
                left.append(part)
                continue
            value: Value = {"on": True, "off": False}.get(found[4], found[4])
            if isinstance(value, str):
                with suppress(ValueError):
                    value = float(value)
            write = Write(found[2], found[3], value, found[5] or "")
            intents.append(Intent("HassSet", {}, part, (found[2],), (write,), exact=not found[1]))
        return Understood(text, "en", tuple(intents), tuple(left))


class Bed:
    """A box with a house."""

    def __init__(
        self,
        home: Path,
        *,
        text: str = HOUSE,
        reader: Callable[[Env], Reader] = lambda env: WordReader(),
        model: Model | None = None,
        more: Sequence[tuple[str, object]] = (),
        driver: FakeDriver | None = None,
        make: MakeOne | None = None,
        settings: str = "",
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        for name, content in (("devices.toml", text), ("watchkeeper.toml", settings)):
            if not (home / name).exists():
                (home / name).write_text(content, encoding="utf-8")
        self.env: Env = load_env({"WATCHKEEPER_HOME": str(home)})
        self.driver = driver or FakeDriver()
        self.driver.values.setdefault(("P-3", "power"), False)
        self.plugin = DevicesPlugin(reader, make or self._make)
        self.host = _host([("devices", self.plugin), *more])
        used = model or RulesModel()
        self.agent = Agent(
            self.env, self.host, Ladder([used.name], lambda name: used), Trail(self.env.home.watch_db, busy_seconds=2)
        )

    def _make(self, name: str, devices: Sequence[Device], limits: DriverSettings) -> Any:
        return self.driver

    def say(self, words: str, **more: Any) -> list[str]:
        """What came of it, line by line: came, text."""
        record = self.agent.ask(words, **more)
        return [f"{one.came}|{one.line[record.answer.language]}" for one in record.done]

    def approve(self) -> None:
        """A person says yes to all that waits."""
        for request in self.agent.approvals.waiting():
            self.agent.approvals.answer(request.id, approve=True, person="Li")

    def states(self) -> list[str]:
        """Where its commands stand."""
        states = ("planned", "approved", "sending", "sent", "confirmed", "failed", "unsure", "expired")
        return [e.state for e in self.agent.journal.entries("command", *states)]

    def close(self) -> None:
        self.agent.close()


def _host(plugins: Sequence[tuple[str, object]]) -> PluginHost:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    for name, plugin in plugins:
        manager.register(plugin, name=name)
    return PluginHost(manager, [LoadedPlugin(name, "tests", "") for name, _ in plugins])


@contextmanager
def quick_folder() -> Iterator[Path]:
    """In memory where that can be had: homes are made and synced by the hundred."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as name:
        yield Path(name)


def real_reader(env: Env) -> Reader:
    """The one that ships."""
    return SoundReader(RuleReader(env.settings.understanding))
