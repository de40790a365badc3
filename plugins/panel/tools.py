"""What a model may ask of the photo of its turn."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Annotated

from agent.api import Binds, Perception, Record, Said, Tool, ToolFailed, ToolResult, TurnView, say, tool
from agent.panel_records import lamp_record, reading_record

__all__ = ["panel_tools"]

_READING_CUES = "读数|数值|示数|多少|几度|温度|压力|流量|液位|频率|超限|超标|超出|范围"
_READING_CUES_EN = "reading|value|temperature|pressure|flow|level|frequency|range|how much"
_LAMP_CUES = "灯|指示|亮|闪|颜色|红色|黄色|绿色|lamp|light|indicator|lit"
READING_CUES = tuple(f"{_READING_CUES}|{_READING_CUES_EN}".split("|"))
LAMP_CUES = tuple(_LAMP_CUES.split("|"))


def panel_tools(max_records: int) -> list[Tool]:
    """The tools, each returning at most this many records."""

    @tool(risk="read", cues=READING_CUES, examples=("出口温度是多少?",), needs_photo=True)
    def panel_readings(turn: TurnView, label: Annotated[str | None, Binds("label")] = None) -> ToolResult:
        """Values shown on the photographed panel, all or those with one label."""
        perception = _seen(turn)
        names = [reading.label for reading in perception.readings]
        records = [reading_record(perception, index) for index in _matching(names, label)]
        return _result(records, say("读数", "readings"), label, max_records)

    @tool(risk="read", cues=LAMP_CUES, examples=("哪些灯亮着?",), needs_photo=True)
    def panel_lamps(turn: TurnView) -> ToolResult:
        """Lamps and coloured status fields on the photographed panel, with colour and state."""
        perception = _seen(turn)
        records = [lamp_record(perception, index) for index in range(len(perception.lamps))]
        return _result(records, say("指示灯或状态字段", "lamps or status fields"), None, max_records)

    return [panel_readings, panel_lamps]


def _seen(turn: TurnView) -> Perception:
    if turn.perception is None:
        raise ToolFailed("there is no photo in this turn; ask the person for one")
    return turn.perception


def _matching(names: Sequence[str], label: str | None) -> list[int]:
    """Indices of names equal to the label, else of those that contain it or are contained in it."""
    if label is None:
        return list(range(len(names)))
    wanted = _folded(label)
    equal = [i for i, name in enumerate(names) if _folded(name) == wanted]
    return equal or [i for i, name in enumerate(names) if name and (wanted in _folded(name) or _folded(name) in wanted)]


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def _result(records: list[Record], what: Said, label: str | None, max_records: int) -> ToolResult:
    shown = tuple(records[:max_records])
    if not records:
        about = say(f"“{label}”的", f' labelled "{label}"') if label else say("", "")
        none = say(
            f"照片上没有读到{about['zh']}{what['zh']}。", f"No {what['en']}{about['en']} were read from the photo."
        )
        return ToolResult(notes=(none,))
    if len(records) == len(shown):
        return ToolResult(records=shown)
    cut = say(
        f"共读到 {len(records)} 项{what['zh']},这里列出前 {len(shown)} 项。",
        f"{len(records)} {what['en']} were read; the first {len(shown)} are listed.",
    )
    return ToolResult(records=shown, notes=(cut,), truncated=True)
