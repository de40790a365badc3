"""A person's words as orders: what each intent of the reader means for the devices of this house.

Orders carry `own_words` only where the rules alone found device and value in the words (`Intent.exact`), and where
these are the person's own (`reported`). The core has the words read anew (`exactly`) before it believes that.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import overload

from agent.actuator import Heard
from agent.api import Said, ToolCall, say
from agent.model.protocol import Model
from agent.orders import Order, Orders
from agent.parts import asks_something
from agent.settings import UnderstandingSettings
from plugins.devices.house import House
from plugins.devices.reported import is_reported
from plugins.devices.timer_orders import ANSWERED, answered, seconds_of, timer_orders
from plugins.devices.understanding.model_path import ModelPath
from plugins.devices.understanding.reading import Context, Intent, Reader, Understood
from plugins.devices.values import Area, Device, Floor, Write
from plugins.devices.wording import called, shown

__all__ = ["Hearing"]

_REPORTED = say(
    "这是转述的内容,不当作命令;要执行请直接说。",
    "These are somebody else's words, and order nothing; say it yourself if you want it done.",
)
_ASKS = frozenset({"HassGetState", "HassClimateGetTemperature"})
_ELSEWHERE = re.compile(
    r"怎么|怎样|如何|为什么|为何|谁|什么时候|以前|之前|昨天|历史|手册"
    r"|\b(?:how (?:do|does|can|should|to)|why|who|when|yesterday|before|history|manual)\b",
    re.IGNORECASE,
)
"""A question with such a word is for the manuals or the log."""
_PLACES = ("name", "area", "floor", "preferred_area_id")
_NOTHING = say("这件事本机做不了", "this box cannot do that")
_SHOWN_POINTS = ("power", "open", "position", "locked", "temperature", "current_temperature", "mode", "value", "task")
_MOST_SHOWN = 3
"""Points of one device that a question is answered with."""
_MOST_ASKED = 40
_EARLIER = 3
"""Utterances before this one that are read again for a correction."""


class Hearing:
    """Reads utterances about one house."""

    def __init__(
        self,
        house: House,
        reader: Reader,
        settings: UnderstandingSettings,
        now: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """
        :param now: local time of the plant, for times of day; None where nobody knows it: none is understood.
        """
        self._now = now
        self._house = house
        self._reader = reader
        self._by_model = ModelPath(reader, settings)
        self._lock = threading.Lock()
        self._last: tuple[str, Heard, float, tuple[Write, ...]] | None = None
        named: list[Device | Area | Floor] = [*house.map.devices, *house.map.areas, *house.map.floors]
        self._names = frozenset(" ".join(name.split()).casefold() for one in named for name in one.names)

    def understand(self, words: str, heard: Heard) -> Understood:
        """What the rules read."""
        states = self._house.snapshot()
        context = Context(heard.area, _Earlier(lambda: self._earlier(heard)), self._now())
        return self._reader.read(words, self._house.map, context, states)

    def exactly(self, words: str, heard: Heard) -> tuple[Write, ...]:
        """The writes that the rules alone find in the person's own words; the same for all orders of one utterance,
        also when the first of them has been carried out.
        """
        with self._lock:
            last = self._last
            if last and last[:2] == (words, heard) and time.monotonic() - last[2] < self._house.settings.reread_seconds:
                return last[3]
            if is_reported(words, self._names):
                return ()
            intents = self.understand(words, heard).intents
            found = tuple(w for i in intents if _may_be_free(i) for w in i.writes)
            self._last = (words, heard, time.monotonic(), found)
            return found

    def exactly_later(self, words: str, heard: Heard) -> tuple[tuple[Write, int], ...]:
        """The writes that the rules alone find in the person's own words for later, and in how many seconds."""
        if is_reported(words, self._names):
            return ()
        timers = [intent for intent in self.understand(words, heard).intents if intent.later]
        return tuple(
            (write, seconds_of(timer.slots))
            for timer in timers
            for one in timer.later
            if _may_be_free(timer) and _may_be_free(one)
            for write in one.writes
        )

    def orders(self, words: str, heard: Heard, model: Model | None = None) -> Orders | None:
        """What is ordered or asked of devices; None where the words are about something else.

        :param model: asked about what the rules leave over; None: nobody is. It may only propose.
        """
        understood = self.understand(words, heard)
        if model is not None and (understood.left or not understood.intents) and not is_reported(words, self._names):
            states = self._house.snapshot()
            understood = self._by_model.read(understood, self._house.map, Context(heard.area), states, model)
        about = [intent for intent in understood.intents if self._is_about_devices(intent, heard)]
        if not about:
            return None
        if is_reported(words, self._names) and any(i.writes or i.problem or i.later for i in about):
            return Orders((Order(_REPORTED),), (), "rules", (*understood.why, "reported speech"))
        found = [order for intent in about for order in self._orders(intent, heard)]
        numbered = [_numbered(order, n) for n, order in enumerate(found, start=1)]
        path = next((p for p in ("model", "names") if any(i.path == p for i in about)), "rules")
        others = tuple(i.text for i in understood.intents if i.name in _ASKS and i not in about)
        return Orders(tuple(numbered), (*others, *understood.left), path, understood.why)

    def _is_about_devices(self, intent: Intent, heard: Heard) -> bool:
        """Whether it is for the devices; a question may well be about the photo, the log or the manuals."""
        if intent.name in _ASKS:
            if heard.photo or _ELSEWHERE.search(intent.text):
                return False
            placed = heard.area or any(slot in intent.slots for slot in _PLACES)
            return bool(intent.devices) and bool(placed or intent.name != "HassClimateGetTemperature")
        if intent.name in ANSWERED:
            return not (heard.photo or _ELSEWHERE.search(intent.text))
        if "Timer" in intent.name:
            if "conversation_command" in intent.slots:
                return any(later.writes or later.problem for later in intent.later)
            asked = intent.name == "HassTimerStatus"
            return not (heard.photo or _ELSEWHERE.search(intent.text)) if asked else not asks_something(intent.text)
        return bool(intent.devices or intent.writes or intent.problem is not None)

    def _orders(self, intent: Intent, heard: Heard) -> Iterator[Order]:
        if intent.problem is not None:
            yield Order(intent.problem)
        elif intent.name in ANSWERED:
            yield answered(intent, self._now())
        elif "Timer" in intent.name:
            yield from timer_orders(intent, self._now(), self._said, _may_be_free, heard.area)
        elif intent.name in _ASKS:
            for device_id in intent.devices[:_MOST_ASKED]:
                if (device := self._house.device(device_id)) is not None:
                    yield from self._questions(device, intent)
        elif not intent.writes:
            yield Order(say(f"{intent.text}:{_NOTHING['zh']}", f"{intent.text}: {_NOTHING['en']}"))
        else:
            for write in intent.writes:
                yield self._order(write, intent)

    def _order(self, write: Write, intent: Intent) -> Order:
        call = ToolCall(
            "write_point",
            {"device": write.device, "point": write.point, "value": write.value, "unit": write.unit},
        )
        return Order(self._said(write), call, own_words=_may_be_free(intent))

    def _questions(self, device: Device, intent: Intent) -> Iterator[Order]:
        """The points that answer it."""
        names = [p.name for p in device.points]
        wanted = ["current_temperature", "temperature"] if intent.name == "HassClimateGetTemperature" else _SHOWN_POINTS
        chosen = [n for n in wanted if n in names] or names
        if intent.name == "HassClimateGetTemperature":
            chosen = chosen[:1]
        for name in chosen[:_MOST_SHOWN]:
            yield Order(called(device), ToolCall("device_state", {"device": device.id, "point": name}))

    def _said(self, write: Write) -> Said:
        device = self._house.device(write.device)
        point = device.point(write.point) if device else None
        if device is None or point is None:
            return say(f"{write.device} {write.point} {write.value}", f"{write.device} {write.point} {write.value}")
        name, value = called(device), shown(point, write.value)
        return say(f"{name['zh']} → {value['zh']}", f"{name['en']} → {value['en']}")

    def _earlier(self, heard: Heard) -> list[Intent]:
        """What was understood of the person's words before these."""
        found: list[Intent] = []
        for words in heard.earlier[-_EARLIER:]:
            if not is_reported(words, self._names):
                context = Context(heard.area, tuple(found), self._now())
                found += self._reader.read(words, self._house.map, context, self._house.snapshot()).intents
        return found


class _Earlier(Sequence[Intent]):
    """Read only when a correction asks for it: most utterances are none."""

    def __init__(self, read: Callable[[], list[Intent]]) -> None:
        self._read = read
        self._found: list[Intent] | None = None

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, place: int) -> Intent: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Intent]: ...
    def __getitem__(self, place: int | slice) -> Intent | Sequence[Intent]:
        return self._all()[place]

    def _all(self) -> list[Intent]:
        if self._found is None:
            self._found = self._read()
        return self._found


def _may_be_free(intent: Intent) -> bool:
    return intent.exact and intent.path == "rules" and intent.problem is None


def _numbered(order: Order, number: int) -> Order:
    if order.call is None:
        return order
    return Order(order.said, ToolCall(order.call.tool, order.call.arguments, f"O{number}"), order.own_words)
