"""Orders for later, and the clock: the tools `write_later` and `timer`. Neither is offered to a model.

An order for later is judged when it is said: own words or an approval, bound to device, value and time. What is
dangerous then, by itself or by its quiet hours, is not kept for later: nobody would be there to say yes. When it is
due it is judged once more, sent and read back like any other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from agent.actuator import Heard, Outcome
from agent.api import Json, Risk, Said, Tool, ToolFailed, ToolResult, say, tool
from agent.errors import CommandNotSent
from agent.settings import DeviceSettings
from plugins.devices.emitter import Emitter
from plugins.devices.guards import fitted, is_quiet, same_value, wrong_target, wrong_value
from plugins.devices.hearing import Hearing
from plugins.devices.house import House
from plugins.devices.timer_words import left_words, list_line, time_words
from plugins.devices.timers import Timer, Timers, Which
from plugins.devices.values import Write
from plugins.devices.wording import called, shown

__all__ = ["Later"]

_DANGEROUS = say(
    "这个操作要有人在场批准,不能定时", "it needs a person's approval when it moves, so it is not kept for later"
)
_PASSED = say("时间已过", "that time has passed")
_FAR = say("时间太远", "that is too far ahead")
_FULL = say("定时太多了,先取消一些", "too many timers run; cancel some first")
_NONE = say("没有这样的计时器。", "There is no such timer.")
_CANCELS = ("cancel", "cancel_all")


def _never(part: str) -> bool:
    return False


class Later:
    """What this house keeps for later."""

    def __init__(
        self,
        house: House,
        emitter: Emitter,
        hearing: Hearing,
        timers: Callable[[], Timers],
        now: Callable[[], datetime],
    ) -> None:
        """
        :param timers: opened when they are first needed.
        :param now: local time of the plant.
        """
        self._house, self._emitter, self._hearing = house, emitter, hearing
        self._timers, self._now = timers, now

    @property
    def _settings(self) -> DeviceSettings:
        return self._house.settings

    def tools(self) -> list[Tool]:
        """Both."""

        def back(device: str, point: str, value: bool | float | str, due: int, unit: str = "") -> bool | None:
            arguments = {"device": device, "point": point, "value": value, "due": due, "unit": unit}
            return self._timers().get(_key(arguments)) is not None

        @tool(risk="write", asked=_never, read_back=back, actuator=self)
        def write_later(device: str, point: str, value: bool | float | str, due: int, unit: str = "") -> ToolResult:
            """Set one point of a device at a time: due is in UTC seconds."""
            return self._keep({"device": device, "point": point, "value": value, "due": due, "unit": unit})

        @tool(risk="read", asked=_never)
        def timer(
            action: str,
            seconds: int = 0,
            which: int = 0,
            name: str = "",
            area: str = "",
            said: str = "",
            heard: str = "",
        ) -> ToolResult:
            """Start, cancel, pause, resume, change or tell of timers."""
            return ToolResult(notes=(self._timer(action, seconds, Which(which, name, area), said, heard),))

        return [write_later, timer]

    def risk(self, arguments: Mapping[str, Json]) -> Risk:
        """As of the device now."""
        return self._emitter.risk(arguments)

    def ordered(self, words: str, heard: Heard, arguments: Mapping[str, Json]) -> bool:
        """Whether the rules alone find exactly this write at this time in the words."""
        if str(arguments.get("device")) in self._house.doubtful:
            return False
        due, slack = _due(arguments), self._settings.due_slack_seconds
        now = self._now().timestamp()
        return any(
            one.device == arguments.get("device")
            and one.point == arguments.get("point")
            and one.unit == arguments.get("unit", "")
            and same_value(one.value, _write(arguments).value)
            and abs(now + seconds - due) <= slack
            for one, seconds in self._hearing.exactly_later(words, heard)
        )

    def refusal(self, arguments: Mapping[str, Json]) -> Said | None:
        """What stands against it whenever it is sent; interlocks and the like are looked at then."""
        wanted, due = _write(arguments), _due(arguments)
        device = self._house.device(wanted.device)
        point = device.point(wanted.point) if device else None
        wrong = wrong_target(self._house.map, wanted.device, wanted.point)
        if wrong is not None or device is None or point is None:
            return wrong or say("没有这个设备", "there is no such device")
        ahead = due - self._now().timestamp()
        if ahead < 0:
            return _PASSED
        if ahead > self._settings.timer_days * 86_400:
            return _FAR
        at = datetime.fromtimestamp(due, self._now().tzinfo)
        if device.risk == "dangerous" or is_quiet(device.quiet, at.time()):
            return _DANGEROUS
        return wrong_value(point, fitted(point, wanted.value), wanted.unit)

    def moves(self, arguments: Mapping[str, Json]) -> str:
        """Nothing moves yet."""
        return f"later:{arguments.get('device')}"

    def lane(self, arguments: Mapping[str, Json]) -> str:
        """One after another."""
        return "later"

    def most_a_minute(self, arguments: Mapping[str, Json]) -> int:
        """As of the box."""
        return self._settings.most_writes_a_minute

    def before(self, arguments: Mapping[str, Json]) -> Json:
        """Nothing that could be put back."""
        return None

    def told(self, arguments: Mapping[str, Json], outcome: Outcome) -> Said:
        """That it is kept, or why not."""
        what = self.called(arguments)
        why = outcome.why or say("", "")
        if outcome.came == "confirmed":
            return say(f"{what['zh']}:已记下", f"{what['en']}: noted")
        if outcome.came == "waits":
            return say(
                f"{what['zh']}:等待批准 {outcome.request}", f"{what['en']}: waits for approval {outcome.request}"
            )
        if outcome.came == "repeated":
            return say(f"{what['zh']}:已经记过", f"{what['en']}: was noted before")
        return say(f"{what['zh']}:没有记下。{why['zh']}", f"{what['en']}: not noted; {why['en']}".rstrip("; "))

    def called(self, arguments: Mapping[str, Json]) -> Said:
        """When, which device, what value."""
        wanted = _write(arguments)
        device = self._house.device(wanted.device)
        point = device.point(wanted.point) if device else None
        at = time_words(datetime.fromtimestamp(_due(arguments), self._now().tzinfo), self._now())
        if device is None or point is None:
            return say(f"{at['zh']} {wanted.device[:60]}", f"{at['en']} {wanted.device[:60]}")
        name, value = called(device), shown(point, wanted.value)
        return say(f"{at['zh']} {name['zh']} → {value['zh']}", f"{at['en']} {name['en']} → {value['en']}")

    def _keep(self, arguments: Mapping[str, Json]) -> ToolResult:
        refusal = self.refusal(arguments)
        if refusal is not None:
            raise CommandNotSent(refusal["en"], refusal)
        order = {name: arguments[name] for name in ("device", "point", "value", "unit")}
        now = self._now().timestamp()
        said = self.called(arguments)
        if self._timers().plan(_key(arguments), order, said=said["zh"], now=now, due=_due(arguments)) is None:
            raise CommandNotSent(_FULL["en"], _FULL)
        return ToolResult()

    def _timer(self, action: str, seconds: int, which: Which, said: str, heard: str) -> Said:
        now = self._now()
        if action == "start":
            return self._start(seconds, which, said, heard)
        found = self._timers().open(which)
        if not found:
            return _NONE
        if action == "status":
            lines = [list_line(timer, now) for timer in found[: self._settings.timers_told]]
            return say("\n".join(x["zh"] for x in lines), "\n".join(x["en"] for x in lines))
        if action == "pause":
            found = [timer for timer in found if timer.state == "running"] or found
        if action == "resume":
            found = [timer for timer in found if timer.state == "paused"] or found
        groups = _together(found)
        if len(groups) > 1 and action != "cancel_all":
            lines = [list_line(timer, now) for timer in found[: self._settings.timers_told]]
            return say(
                "是哪一个计时器?" + ";".join(x["zh"] for x in lines),
                "Which timer is meant? " + "; ".join(x["en"] for x in lines),
            )
        return self._changed(action, found, seconds, now)

    def _start(self, seconds: int, which: Which, said: str, heard: str) -> Said:
        if not 0 < seconds <= self._settings.timer_days * 86_400:
            return say("这个时间定不了。", "That length of time cannot be kept.")
        now = self._now()
        made = self._timers().start(said, seconds, now=now.timestamp(), name=which.name, area=which.area, heard=heard)
        if made is None:
            return say(f"{_FULL['zh']}。", f"{_FULL['en'].capitalize()}.")
        left, at = left_words(seconds), time_words(datetime.fromtimestamp(made.due, now.tzinfo), now)
        name = f"{which.name} " if which.name else ""
        return say(f"{name}计时{left['zh']},{at['zh']}到。", f"{name}timer for {left['en']}, until {at['en']}.")

    def _changed(self, action: str, found: Sequence[Timer], seconds: int, now: datetime) -> Said:
        timers, at = self._timers(), now.timestamp()
        count = {
            "cancel": lambda: timers.cancel(found),
            "cancel_all": lambda: timers.cancel(found),
            "pause": lambda: timers.pause(found, now=at),
            "resume": lambda: timers.resume(found, now=at),
            "add": lambda: timers.move(found, seconds, now=at),
            "remove": lambda: timers.move(found, -seconds, now=at),
        }.get(action, lambda: 0)()
        if not count:
            return say("没有改动。", "Nothing was changed.")
        if action in _CANCELS:
            many = len(_together(found))
            return say(f"已取消 {many} 个计时器。", f"{many} timer{'s' if many > 1 else ''} cancelled.")
        lines = [list_line(t, now) for t in (timers.get(found[0].id),) if t is not None]
        return lines[0] if lines else _NONE


def _together(timers: Sequence[Timer]) -> set[str]:
    """Orders that were said together are one timer."""
    return {f"due {timer.due}" if timer.orders else timer.id for timer in timers}


def _key(arguments: Mapping[str, Json]) -> str:
    """The same order for the same second is one."""
    wanted = _write(arguments)
    text = json.dumps([wanted.device, wanted.point, wanted.value, wanted.unit, _due(arguments)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _due(arguments: Mapping[str, Json]) -> int:
    due = arguments.get("due")
    if isinstance(due, bool) or not isinstance(due, int):
        raise ToolFailed("write_later: due is a whole number of UTC seconds")
    return due


def _write(arguments: Mapping[str, Json]) -> Write:
    device, point, value = arguments.get("device"), arguments.get("point"), arguments.get("value")
    unit = arguments.get("unit", "")
    if not (isinstance(device, str) and isinstance(point, str) and isinstance(unit, str)):
        raise ToolFailed("write_later: device, point and unit are words")
    if not isinstance(value, bool | int | float | str):
        raise ToolFailed("write_later: value is true, false, a number or a word")
    return Write(device, point, value if isinstance(value, bool | str) else float(value), unit)
