"""Which column of an export is what, from its heading in Chinese or English."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agent.api import InputError
from knowledge.tokens import fold
from plugins.logs.interface import COLUMNS

__all__ = ["Columns", "find_columns", "guess_columns", "plain_heading"]

_HEADINGS: dict[str, tuple[str, ...]] = {
    "cleared": (
        "恢复时间",
        "解除时间",
        "消除时间",
        "结束时间",
        "cleared",
        "clear time",
        "cleared at",
        "time cleared",
        "end time",
        "end",
        "return time",
        "rtn time",
        "return to normal",
    ),
    "time": (
        "时间",
        "报警时间",
        "发生时间",
        "触发时间",
        "开始时间",
        "日期时间",
        "日期",
        "time / date",
        "date / time",
        "timestamp",
        "datetime",
        "date time",
        "event time",
        "alarm time",
        "start time",
        "time",
        "date",
        "raised",
        "occurred",
    ),
    "tag": (
        "位号",
        "点名",
        "测点",
        "变量名",
        "变量",
        "标签",
        "点位",
        "tag",
        "tag name",
        "tagname",
        "point",
        "source",
        "variable",
        "signal",
    ),
    "text": (
        "报警内容",
        "报警描述",
        "报警信息",
        "报警文本",
        "报警名称",
        "事件描述",
        "事件",
        "内容",
        "描述",
        "说明",
        "信息",
        "报警",
        "text",
        "message",
        "description",
        "alarm text",
        "alarm message",
        "alarm",
        "event",
        "alarm name",
    ),
    "priority": ("优先级", "级别", "报警级别", "等级", "报警等级", "priority", "severity", "level", "prio"),
    "state": ("报警状态", "状态", "alarm state", "state", "status", "ack state"),
    "area": ("区域", "站场", "场站", "车间", "装置", "位置", "area", "plant area", "site", "zone", "location", "unit"),
}
"""Ours → headings, in the order in which they are preferred."""
_BLANKS = re.compile(r"[\s_]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each of our columns stands in a row."""

    places: dict[str, int]
    names: dict[str, str]

    def further(self, headings: Sequence[str]) -> dict[str, int]:
        """Heading → place of the columns that are none of ours."""
        taken = set(self.places.values())
        return {name.strip(): at for at, name in enumerate(headings) if at not in taken and name.strip()}

    def headings(self) -> dict[str, str]:
        """Our name → the heading it was taken from."""
        return dict(self.names)

    def pick(self, cells: Sequence[str]) -> dict[str, str]:
        """Our columns of a row; empty where the row or the file has none."""
        width = len(cells)
        picked = dict.fromkeys(COLUMNS, "")
        for ours, at in self.places.items():
            if at < width:
                picked[ours] = cells[at].strip()
        if "text" not in self.places:
            picked["text"] = picked["tag"]
        if "tag" not in self.places:
            picked["tag"] = ""
        return picked


def plain_heading(heading: str) -> str:
    """A heading in small letters, with single blanks."""
    return _BLANKS.sub(" ", fold(heading)).strip()


def find_columns(headings: Sequence[str]) -> dict[str, int]:
    """Our names → where their columns stand, as far as the headings tell."""
    known = [plain_heading(heading) for heading in headings]
    places: dict[str, int] = {}
    for ours, words in _HEADINGS.items():
        at = next((known.index(w) for w in words if w in known and known.index(w) not in places.values()), None)
        if at is not None:
            places[ours] = at
    for ours in ("tag", "text", "priority", "state", "area"):
        if ours not in places:
            at = _by_last_word(known, _HEADINGS[ours], places.values())
            places |= {} if at is None else {ours: at}
    return places


def _by_last_word(known: Sequence[str], words: Sequence[str], taken: Collection[int]) -> int | None:
    """The first heading that ends with one of our words: "source tag", 设备位号."""
    for at, heading in enumerate(known):
        ends = (heading.rsplit(" ", 1)[-1] in words) if heading.isascii() else heading.endswith(_chinese(words))
        if ends and at not in taken:
            return at
    return None


def _chinese(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if not word.isascii())


def guess_columns(headings: Sequence[str], file: str) -> tuple[Columns, list[str]]:
    """Find our columns, and say what a person should know about the guess.

    :raises InputError: no column is the time, or none says what happened; names the headings found.
    """
    places = find_columns(headings)
    missing = "time" if "time" not in places else "tag or text" if not {"tag", "text"} & set(places) else ""
    if missing:
        raise InputError(
            f"{file}: no column is the {missing} (headings: {', '.join(headings)[:200]});"
            f" rename one to {missing.split()[0]}"
        )
    notes = []
    if "text" not in places:
        notes.append("no column says what happened; the tag is taken as the text")
    return Columns(places, {ours: headings[at] for ours, at in places.items()}), notes
