"""What a model may ask of the photo of its turn: its readings, held against the manuals' limits, and its lamps."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from agent.api import (
    Binds,
    DatabaseError,
    Env,
    Perception,
    Record,
    Said,
    Tool,
    ToolFailed,
    ToolResult,
    TurnView,
    say,
    tool,
)
from agent.panel_records import lamp_record
from knowledge.errors import KnowledgeError
from knowledge.store import KnowledgeStore, StoredLimit
from plugins.panel.limits import compare
from plugins.panel.verdicts import compared_record, count_note, is_outside, left_out_notes

__all__ = ["PanelTools"]

_READING_CUES = "读数|数值|示数|几度|温度|压力|流量|液位|频率"
_READING_CUES_EN = "reading|value|temperature|pressure|flow|level|frequency|range"
_LIMIT_CUES = "超限|越限|超标|超出|范围|上限|下限|偏高|偏低|正常吗|是否正常|异常"
_LIMIT_CUES_EN = "out of range|limit|too high|too low|normal|within|abnormal"
_LAMP_CUES = "灯|指示|亮|闪|颜色|红色|黄色|绿色|lamp|light|indicator|lit"
READING_CUES = tuple(f"{_READING_CUES}|{_LIMIT_CUES}|{_READING_CUES_EN}|{_LIMIT_CUES_EN}".split("|"))
LAMP_CUES = tuple(_LAMP_CUES.split("|"))
_READING_EXAMPLES = (
    ("Which values exceed their limits?", {"show": "out of range"}),
    ("油压正常吗?", {"show": "out of range"}),
    ("出口温度是多少?", {"show": "all"}),
    ("有没有超出上下限的读数?", {"show": "out of range"}),
    ("What does the flow meter show?", {"show": "all"}),
    ("Is everything all right?", {"show": "out of range"}),
    ("显示所有数值", {"show": "all"}),
)
_LAMP_EXAMPLES = ("哪些灯亮着?", "Is the red lamp on?", "哪个指示灯是红的?")
_READINGS = say("读数", "readings")
_LAMPS = say("指示灯或状态字段", "lamps or status fields")
_NO_LIMITS = say(
    "这台设备上没有手册给出上下限,无法判断读数是否超限;用 `watchkeeper kb add 文件` 添加手册。",
    "No manual on this box gives limits, so no reading can be judged; add manuals with `watchkeeper kb add FILE`.",
)


class PanelTools:
    """The tools over the photo of a turn and the limits in the manuals."""

    def __init__(self, env: Env) -> None:
        self._max_records = env.settings.turn.panel_items
        self._store = KnowledgeStore(env.home.knowledge_db, env.settings.knowledge.busy_seconds)

    def tools(self) -> list[Tool]:
        """As the model sees them."""
        return [
            tool(risk="read", cues=READING_CUES, examples=_READING_EXAMPLES, needs_photo=True)(self.panel_readings),
            tool(risk="read", cues=LAMP_CUES, examples=_LAMP_EXAMPLES, needs_photo=True)(self.panel_lamps),
        ]

    def panel_readings(
        self,
        turn: TurnView,
        show: Literal["out of range", "all"],
        label: Annotated[str | None, Binds("label")] = None,
    ) -> ToolResult:
        """Readings on the photo with their limits."""
        perception, wanted = _seen(turn), (label or "").strip()
        named = _matching([reading.label for reading in perception.readings], wanted)
        if not named:
            return ToolResult(notes=(_none_read(_READINGS, wanted),))
        if not wanted and show == "out of range":
            return self._out_of_range(turn, perception)
        return self._listed(turn, perception, named)

    def panel_lamps(self, turn: TurnView) -> ToolResult:
        """Lamps and coloured status fields on the photographed panel, with colour and state."""
        perception = _seen(turn)
        if not perception.lamps:
            return ToolResult(notes=(_none_read(_LAMPS),))
        return self._cut([lamp_record(perception, index) for index in range(len(perception.lamps))], _LAMPS, ())

    def _out_of_range(self, turn: TurnView, perception: Perception) -> ToolResult:
        """Only the readings beyond a limit, and what was not compared.

        :raises DatabaseError: the manuals are there and cannot be read.
        """
        limits = self._limits()
        if not limits:
            return ToolResult(notes=(_NO_LIMITS,))
        compared = compare(perception.readings, limits, turn.language)
        records = [compared_record(perception, c) for c in compared if is_outside(c)]
        left_out = left_out_notes(perception, compared, ("no-limit", "no-value", "other-unit"))
        return self._cut(records, _READINGS, (count_note(compared), *left_out))

    def _listed(self, turn: TurnView, perception: Perception, wanted: Iterable[int]) -> ToolResult:
        """These readings, those beyond a limit first; without verdicts where the manuals cannot be read."""
        limits: list[StoredLimit] = []
        notes: list[Said] = []
        try:
            limits = self._limits()
        except DatabaseError as error:
            notes.append(
                say(f"手册中的上下限无法读取:{error}", f"the limits in the manuals could not be read: {error}")
            )
        compared = compare(perception.readings, limits, turn.language)
        chosen = sorted((compared[index] for index in wanted), key=lambda c: not is_outside(c))
        notes += left_out_notes(perception, chosen, ("other-unit",))
        return self._cut([compared_record(perception, c) for c in chosen], _READINGS, notes)

    def _limits(self) -> list[StoredLimit]:
        """The limits of all manuals; none where there are no manuals.

        :raises DatabaseError: locked, damaged, or of an older shape.
        """
        if not self._store.path.exists():
            return []
        try:
            return self._store.limits()
        except KnowledgeError as error:
            raise DatabaseError(str(error)) from None

    def _cut(self, records: Sequence[Record], what: Said, notes: Iterable[Said]) -> ToolResult:
        """As many records as a model may see, and a note where there are more."""
        most = self._max_records
        if len(records) <= most:
            return ToolResult(records=tuple(records), notes=tuple(notes))
        cut = say(
            f"共有 {len(records)} 项{what['zh']},这里列出前 {most} 项。",
            f"There are {len(records)} {what['en']}; the first {most} are listed.",
        )
        return ToolResult(records=tuple(records[:most]), notes=(*notes, cut), truncated=True)


def _seen(turn: TurnView) -> Perception:
    if turn.perception is None:
        raise ToolFailed("there is no photo in this turn; ask the person for one")
    return turn.perception


def _matching(names: Sequence[str], label: str) -> list[int]:
    """Indices of names equal to the label, else of those that contain it or are contained in it; all for no label."""
    if not label:
        return list(range(len(names)))
    wanted = _folded(label)
    equal = [i for i, name in enumerate(names) if _folded(name) == wanted]
    return equal or [i for i, name in enumerate(names) if name and (wanted in _folded(name) or _folded(name) in wanted)]


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def _none_read(what: Said, label: str = "") -> Said:
    about = say(f"“{label}”的", f' labelled "{label}"') if label else say("", "")
    return say(f"照片上没有读到{about['zh']}{what['zh']}。", f"No {what['en']}{about['en']} were read from the photo.")
