"""Readings and lamps of a photo as records: R1 is the first reading, L1 the first lamp, in both languages.

The same ids are used wherever a panel is spoken of, so that answer, tool result and prompt mean the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.perception import Box, Perception
from agent.values import Record, Said, say

__all__ = ["FLAG_WORDS", "lamp_record", "position_words", "reading_record"]

_COLUMNS_ZH, _COLUMNS_EN = ("左", "中", "右"), ("left", "", "right")
_ROWS_ZH, _ROWS_EN = ("上", "中", "下"), ("upper", "", "lower")
_COLORS_ZH = {
    "red": "红",
    "amber": "橙",
    "yellow": "黄",
    "green": "绿",
    "blue": "蓝",
    "white": "白",
    "grey": "灰",
    "magenta": "品红",
    "dark": "暗",
}
FLAG_WORDS: Mapping[str, Said] = {
    "unlabelled": say("没有标签", "no label"),
    "ambiguous": say("标签不确定", "the label may be another one"),
    "unit-unsure": say("单位不确定", "the unit may be another one"),
    "no-unit": say("单位没有读到", "its unit was not read"),
    "disagrees": say("两次识读不一致,请核对", "two readings of it disagree, check it"),
    "clipped": say("数字可能被截断", "digits may be cut off"),
    "low-score": say("识读把握不大", "hard to read"),
    "bad-format": say("数字格式可疑,请核对", "written unlike its kind, check it"),
    "out-of-range": say("超出可能的范围,请核对", "beyond what it can be, check it"),
    "over-range": say("指针超出刻度", "the pointer is beyond its scale"),
    "needle-disagrees": say("指针与印出的数值不符", "pointer and printed value disagree"),
    "between": say("转轮停在两个数字之间", "a wheel stands between two digits"),
    "jumped": say("与上次的数值相差可疑", "differs suspiciously from the value before"),
    "no-scale": say("没有刻度,按比例估计", "without a scale, estimated from its length"),
}
"""Flag of a reading → what it means; `no-value` is said in the value's place."""
_NO_VERDICT = say("", "")


def reading_record(perception: Perception, index: int, verdict: Said = _NO_VERDICT) -> Record:
    """Reading number `index` (from 0) as a record.

    :param verdict: how it stands to its limits, said behind the value.
    :raises IndexError: there is no such reading.
    """
    reading = perception.readings[index]
    where = position_words(reading.box, perception.size)
    label, value = reading.label, reading.value
    doubts = _doubts(reading.flags)
    play = "" if reading.uncertainty is None or value is None else f" ± {reading.uncertainty:g}"
    shown = "无数值" if value is None else value + play
    zh = f"{label or '(无标签)'} {shown}{_unit(reading.unit)} {verdict['zh']}({where['zh']}{doubts['zh']})"
    shown = "no value" if value is None else value + play
    held = f"{verdict['en']} " if verdict["en"] else ""
    en = f"{label or '(no label)'} {shown}{_unit(reading.unit)} {held}({where['en']}{doubts['en']})"
    fields = {
        "label": label,
        "value": value,
        "unit": reading.unit,
        "flags": ",".join(reading.flags),
        "position": where["en"],
    }
    return Record(f"R{index + 1}", "reading", say(zh, en), fields)


def lamp_record(perception: Perception, index: int) -> Record:
    """Lamp number `index` (from 0) as a record; what a photo cannot tell, the line says.

    :raises IndexError: there is no such lamp.
    """
    lamp = perception.lamps[index]
    where = position_words(lamp.box, perception.size)
    color = _COLORS_ZH.get(lamp.color, lamp.color)
    match lamp.state:
        case "lit":
            zh, en = f"为{color}色,点亮", f"is {lamp.color}, lit"
        case "unlit":
            zh, en = f"为{color}色,未点亮", f"is {lamp.color}, not lit"
        case _:
            zh = f"字段为暗{color}底色,照片无法判断是否点亮"
            en = f"stands on a dim {lamp.color} field; the photo cannot show whether it is lit"
    fields = {"label": lamp.label, "color": lamp.color, "state": lamp.state, "position": where["en"]}
    line = say(f"“{lamp.label}”{zh}({where['zh']})", f"“{lamp.label}” {en} ({where['en']})")
    return Record(f"L{index + 1}", "lamp", line, fields)


def position_words(box: Box, size: tuple[int, int]) -> Said:
    """Where a box stands on the photo, in thirds: 右上, upper right."""
    width, height = size
    column = min(2, int(3 * (box[0] + box[2]) / 2 / max(1, width)))
    row = min(2, int(3 * (box[1] + box[3]) / 2 / max(1, height)))
    if row == 1 and column == 1:
        return say("中部", "centre")
    zh = {(0, 1): "上方", (2, 1): "下方", (1, 0): "左侧", (1, 2): "右侧"}.get((row, column))
    en = {(0, 1): "top", (2, 1): "bottom", (1, 0): "left", (1, 2): "right"}.get((row, column))
    return say(zh or _COLUMNS_ZH[column] + _ROWS_ZH[row], en or f"{_ROWS_EN[row]} {_COLUMNS_EN[column]}")


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _doubts(flags: tuple[str, ...]) -> Said:
    words = [FLAG_WORDS[flag] for flag in flags if flag in FLAG_WORDS]
    return say("".join(f"; {said['zh']}" for said in words), "".join(f"; {said['en']}" for said in words))
