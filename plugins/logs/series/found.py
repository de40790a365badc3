"""Lines and records of an answer about series as they come together."""

from __future__ import annotations

from dataclasses import dataclass

from agent.api import Record, Said, say
from agent.values import Scalar
from plugins.logs.interface import Points, Signal
from plugins.logs.series.wording import moment, number

__all__ = ["COMPUTED", "LISTED", "Found"]

LISTED = 10
"""Gaps, windows or values that an answer lists."""
COMPUTED = 8
"""Digits of a computed figure."""


@dataclass(slots=True)
class Found:
    """Lines and records as they come together."""

    notes: list[Said]
    records: dict[str, Record]

    def add(self, zh: str, en: str) -> None:
        self.notes.append(say(zh, en))

    def point(self, points: Points, at: int, signal: Signal, name: tuple[str, str] = ("", "")) -> None:
        """A stored value as a record; the same one once."""
        shown, unit = number(points.values[at]), f" {signal.unit}" if signal.unit else ""
        time, row = moment(points.wall[at]), f"V{int(points.rows[at])}"
        zh = f"{signal.tag} {name[0]} {shown}{unit},时间 {time}".replace("  ", " ")
        en = f"{signal.tag} {name[1]} {shown}{unit} at {time}".replace("  ", " ")
        if row in self.records and self.records[row].line["zh"] != zh:
            row = f"{row}.{len(self.records)}"
        fields: dict[str, Scalar] = {
            "time": time,
            "series": signal.tag,
            "value": float(points.values[at]),
            "unit": signal.unit,
        }
        self.records[row] = Record(row, "value", say(zh, en), fields)
