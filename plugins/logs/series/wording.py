"""How figures of series are written: names in both languages, numbers, instants and lengths of time."""

from __future__ import annotations

from datetime import UTC, datetime

from plugins.logs.series.asked import Limit

__all__ = ["FIGURES", "duration", "moment", "number", "side_name"]

FIGURES: dict[str, tuple[str, str]] = {
    "maximum": ("最大值", "maximum"),
    "minimum": ("最小值", "minimum"),
    "range": ("变化范围", "range"),
    "mean": ("平均值", "mean"),
    "median": ("中位数", "median"),
    "deviation": ("标准差", "standard deviation"),
    "sum": ("总和", "sum"),
    "count": ("个数", "count"),
    "first": ("第一个值", "first value"),
    "last": ("最后一个值", "last value"),
}
_DIGITS = 10


def number(value: float, digits: int = _DIGITS) -> str:
    """A value as it is stored, without the noise of its binary form; computed ones to six digits."""
    shown = f"{float(value):.{digits}g}"
    if "e" in shown and abs(float(value)) < 1e15 and abs(float(value)) >= 1:
        return f"{float(value):.0f}"
    return shown


def moment(wall: float) -> str:
    """An instant on the plant's clock, to the second."""
    return f"{datetime.fromtimestamp(float(wall), UTC):%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> tuple[str, str]:
    """A length of time in the unit that suits it, in Chinese and in English."""
    for size, zh, en in ((86_400, "天", "days"), (3600, "小时", "hours"), (60, "分钟", "minutes")):
        if seconds >= size and (seconds >= 2 * size or seconds % size == 0):
            count = number(seconds / size, 4)
            return f"{count} {zh}", f"{count} {en.removesuffix('s') if count == '1' else en}"
    count = number(seconds, 4)
    return f"{count} 秒", f"{count} s"


def side_name(limit: Limit) -> tuple[str, str]:
    """The side of a limit, in Chinese and in English."""
    low = f"{limit.low:.10g}"
    if limit.side == "between":
        return f"介于 {low} 和 {limit.high:.10g}", f"between {low} and {limit.high:.10g}"
    mark = "≥" if limit.side == "above" else "≤"
    if limit.inclusive:
        return f"{mark} {low}", f"{mark} {low}"
    return (f"高于 {low}", f"above {low}") if limit.side == "above" else (f"低于 {low}", f"below {low}")
