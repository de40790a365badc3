"""`screen_step` and `read_screen`. No step is offered to a model: it is called for what a person typed or approved.

Reading is offered where a question speaks of a screen by its name; what it finds are records of now, and whatever the
texts on the screen say, they are data.
"""

from __future__ import annotations

from agent.api import InputError, Json, Record, Said, Tool, ToolFailed, ToolResult, TurnView, say, tool
from plugins.screen.actuator import ScreenActuator
from plugins.screen.likeness import plain
from plugins.screen.screens import Screens
from plugins.screen.values import Control, Sight
from plugins.screen.wording import stands

__all__ = ["ScreenTools"]

_CUES = ("屏幕", "画面", "screen", "hmi")
_EXAMPLES = (
    "锅炉屏幕上现在回水压力多少?",
    "What does the boiler screen show for the return pressure?",
    "触摸屏上现在显示什么?",
)
_ORDERS = ("点击", "按下", "设为", "设置为", "打开", "关闭", "click", "press", "set ", "open ", "close ", "switch ")


def _never(part: str) -> bool:
    return False


class ScreenTools:
    """The tools over the screens of a box."""

    def __init__(self, screens: Screens, actuator: ScreenActuator, *, most_records: int) -> None:
        self._screens = screens
        self._actuator = actuator
        self._most = most_records

    def tools(self) -> list[Tool]:
        """Both."""
        actuator = self._actuator

        def back(**arguments: Json) -> bool | None:
            return actuator.read_back(arguments)

        @tool(risk="write", asked=_never, read_back=back, actuator=actuator)
        def screen_step(
            screen: str,
            verb: str,
            text: str = "",
            role: str = "",
            near: str = "",
            within: str = "",
            field: str = "",
            value: str = "",
            unit: str = "",
            to: str = "",
            to_within: str = "",
            shows: str = "",
            hides: str = "",
            holds: str = "",
            seconds: float = 0.0,
        ) -> ToolResult:
            """Do one thing on a screen, and read what came of it."""
            given: dict[str, Json] = {
                "screen": screen, "verb": verb, "text": text, "role": role, "near": near, "within": within,
                "field": field, "value": value, "unit": unit, "to": to, "to_within": to_within, "shows": shows,
                "hides": hides, "holds": holds, "seconds": seconds,
            }  # fmt: skip
            return actuator.run(given)

        return [screen_step, tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=self.is_asked)(self.read_screen)]

    def is_asked(self, part: str) -> bool:
        """Whether a question is about what a screen shows; an order is none."""
        lowered = part.casefold()
        return self._screens.meant(part) is not None and not any(word in lowered for word in _ORDERS)

    def read_screen(self, turn: TurnView) -> ToolResult:
        """What a screen of the plant shows now: its values, lamps and alarms."""
        name = self._screens.meant(turn.question)
        if name is None:
            known = ", ".join(self._screens.names)
            raise ToolFailed(f"it was not said which screen; there is {known or 'none'}")
        try:
            with self._screens.use(name) as operator:
                sight = operator.looker.look()
        except InputError as error:
            raise ToolFailed(str(error)) from None
        return self._told(name, sight, turn.question)

    def _told(self, name: str, sight: Sight, question: str) -> ToolResult:
        shown = [c for c in sight.controls if c.role in ("field", "value", "lamp", "checkbox", "switch", "row")]
        asked = plain(question)
        named = [c for c in shown if len(plain(c.name)) > 1 and plain(c.name) in asked]
        longest = max((len(plain(c.name)) for c in named), default=0)
        chosen = [c for c in named if len(plain(c.name)) == longest] or shown
        records = tuple(
            Record(f"S{number}", "reading", _line(name, control, sight), _fields(name, control, sight))
            for number, control in enumerate(chosen[: self._most], start=1)
        )
        notes: list[Said] = [] if records else [stands(sight)]
        if sight.dialog:
            notes.append(
                say(
                    f"屏幕 {name} 上有窗口“{sight.dialog}”。",
                    f"A window lies above the screen {name}: “{sight.dialog}”.",
                )
            )
        if len(chosen) > self._most:
            notes.append(
                say(f"共 {len(chosen)} 项,列出 {self._most} 项。", f"{self._most} of {len(chosen)} are listed.")
            )
        return ToolResult(records=records, notes=tuple(notes), truncated=len(chosen) > self._most)


def _line(name: str, control: Control, sight: Sight) -> Said:
    at = f"{sight.at:%H:%M:%S}"
    if control.role == "row":
        return say(f"{control.name}(屏幕 {name},{at})", f"{control.name} (screen {name}, {at})")
    shown = f"{control.value} {control.unit}".strip() if control.value else ""
    zh, en = shown or "没有读出数值", shown or "no value could be read"
    return say(f"{control.name} {zh}(屏幕 {name},{at})", f"{control.name} {en} (screen {name}, {at})")


def _fields(name: str, control: Control, sight: Sight) -> dict[str, str | int | float | bool | None]:
    return {
        "screen": name,
        "label": control.name,
        "value": control.value,
        "unit": control.unit,
        "time": sight.at.isoformat(timespec="seconds"),
    }
