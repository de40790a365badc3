"""Whether a series can be trusted, before anything is computed from it: first set in order, then looked at.

`clean` sorts by time, leaves out what is no number and what stands twice (the first reading is kept), and says so. It
changes no value. Every finding states how many readings are concerned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.api import say
from plugins.maintenance.values import Array, Finding, Signal
from plugins.maintenance.wording import at, joined, number, with_unit

__all__ = ["LEAST_VALUES", "clean", "longest_run"]

LEAST_VALUES = 12
"""Fewer readings give no figure but themselves."""
_MOST, _MOST_SECONDS = 1e100, 1e12
"""What is larger is no reading and no time; NaN is not smaller either."""
_GAP_STEPS = 5.0
"""A pause of more than so many usual steps between readings is a gap."""
_STUCK_RUNS = 20
"""A value that stands for so many times the usual run of equal values, and for at least so many readings, is stuck."""
_CLIPPED_RUN = 3
_SPIKE = 12.0
"""Times the usual distance from both neighbours."""


def clean(signal: Signal, sid: str) -> tuple[Signal, list[Finding]]:
    """The series in order, and what was wrong with it.

    :param sid: S1, S2 …: what findings refer to.
    """
    length = min(len(signal.times), len(signal.values))
    times, values = signal.times[:length].astype(np.float64), signal.values[:length].astype(np.float64)
    counts = {"unreadable": signal.skipped, "not_finite": 0, "unsorted": 0, "doubled": 0, "contradicting": 0}
    finite = (np.abs(times) < _MOST_SECONDS) & (np.abs(values) < _MOST)
    counts["not_finite"] = int(length - finite.sum())
    times, values = times[finite], values[finite]
    counts["unsorted"] = int((np.diff(times) < 0).sum()) if len(times) else 0
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    first = np.concatenate(([True], np.diff(times) > 0)) if len(times) else np.zeros(0, bool)
    counts["doubled"] = int((~first).sum())
    if counts["doubled"]:
        kept = values[first][np.cumsum(first) - 1]
        counts["contradicting"] = int((kept != values).sum())
    cleaned = replace(signal, times=times[first], values=values[first])
    return cleaned, [*_order_findings(signal, counts, length, sid), *_shape_findings(cleaned, sid)]


def longest_run(values: Array) -> tuple[int, int]:
    """Length and first index of the longest run of equal values; (0, 0) of nothing."""
    if not len(values):
        return 0, 0
    starts, lengths = _runs(values)
    best = int(lengths.argmax())
    return int(lengths[best]), int(starts[best])


def _order_findings(signal: Signal, counts: dict[str, int], length: int, sid: str) -> Iterator[Finding]:
    lines = {
        "unreadable": ("行没有可读的数值或时间", "rows without a readable value or time"),
        "not_finite": (
            "个值不是可用的数(NaN、无穷),未使用",
            "values are no usable numbers (NaN, infinite) and are left out",
        ),
        "unsorted": ("处时间倒退,已按时间排序", "times go backwards; sorted by time"),
        "doubled": ("个时间戳重复,只用第一个值", "stamps stand twice; the first value is used"),
        "contradicting": ("个重复时间戳的值互相矛盾", "doubled stamps have another value each time"),
    }
    for key, count in counts.items():
        if count:
            zh, en = lines[key]
            line = joined(signal.name, say(f"{count} {zh}", f"{count} {en}"))
            severity = 1 if count > 0.01 * max(1, length) else 0
            yield Finding(f"quality.{key}", severity, line, {"count": count, "of": length}, (sid,))


def _shape_findings(signal: Signal, sid: str) -> Iterator[Finding]:
    values, times, name = signal.values, signal.times, signal.name
    if len(values) == 0:
        yield Finding("quality.empty", 1, joined(name, say("没有可用的数值", "no usable value")), {"count": 0}, (sid,))
        return
    if len(values) < LEAST_VALUES:
        line = say(f"只有 {len(values)} 个值,不足以评估", f"only {len(values)} values: too few to judge")
        yield Finding("quality.short", 1, joined(name, line), {"count": len(values)}, (sid,))
        return
    yield from _gaps(signal, sid)
    if values.min() == values.max():
        shown = with_unit(float(values[0]), signal.unit)
        line = say(f"全部 {len(values)} 个值都是 {shown}", f"all {len(values)} values are {shown}")
        figures = {"count": len(values), "value": float(values[0])}
        yield Finding("quality.constant", 1, joined(name, line), figures, (sid,), start=times[0], end=times[-1])
        return
    yield from _stuck(signal, sid)
    yield from _clipped(signal, sid)
    yield from _spikes(signal, sid)


def _gaps(signal: Signal, sid: str) -> Iterator[Finding]:
    steps = np.diff(signal.times)
    usual = float(np.median(steps))
    wide = steps > _GAP_STEPS * usual
    if not wide.any():
        return
    longest = int(steps.argmax())
    missing = float((steps[wide] - usual).sum())
    share = missing / float(signal.times[-1] - signal.times[0])
    start, end = float(signal.times[longest]), float(signal.times[longest + 1])
    where = f"{at(start, dated=signal.dated)} – {at(end, dated=signal.dated)}"
    longest_zh, longest_en = _long(end - start)["zh"], _long(end - start)["en"]
    line = say(
        f"{int(wide.sum())} 处缺数,共缺 {share:.1%} 的时间;最长 {longest_zh}({where})",
        f"{_many(int(wide.sum()), 'gap')}, {share:.1%} of the time in all; the longest {longest_en} ({where})",
    )
    figures = {"count": int(wide.sum()), "share": share, "longest_seconds": end - start}
    severity = 1 if share > 0.05 else 0
    yield Finding("quality.gaps", severity, joined(signal.name, line), figures, (sid,), start=start, end=end)


def _stuck(signal: Signal, sid: str) -> Iterator[Finding]:
    starts, lengths = _runs(signal.values)
    usual = float(np.percentile(np.repeat(lengths, lengths), 50))
    longest = int(lengths.argmax())
    if lengths[longest] < _STUCK_RUNS * max(1.0, usual):
        return
    first, count = int(starts[longest]), int(lengths[longest])
    start, end = float(signal.times[first]), float(signal.times[first + count - 1])
    shown = with_unit(float(signal.values[first]), signal.unit)
    where = f"{at(start, dated=signal.dated)} – {at(end, dated=signal.dated)}"
    line = say(f"卡在 {shown},连续 {count} 个值({where})", f"stuck at {shown} for {count} readings ({where})")
    figures = {"count": count, "value": float(signal.values[first])}
    yield Finding("quality.stuck", 1, joined(signal.name, line), figures, (sid,), start=start, end=end)


def _clipped(signal: Signal, sid: str) -> Iterator[Finding]:
    """Flat tops: at the full scale, or runs at the very highest or lowest value."""
    values = signal.values
    starts, lengths = _runs(values)
    for side, extreme in (("top", float(values.max())), ("bottom", float(values.min()))):
        flat = (values[starts] == extreme) & (lengths >= _CLIPPED_RUN)
        count = int(lengths[flat].sum())
        known = signal.limit > 0 and abs(extreme) >= signal.limit
        if known or (flat.sum() >= 3 and count < len(values) / 2):
            shown = with_unit(extreme, signal.unit)
            count = count if not known else int((values == extreme).sum())
            line = say(
                f"{count} 个值停在{'上' if side == 'top' else '下'}限 {shown},可能被削波",
                f"{count} readings stand at the {side} {shown}: it is probably clipped there",
            )
            figures = {"count": count, "value": extreme}
            yield Finding("quality.clipped", 1, joined(signal.name, line), figures, (sid,))


def _spikes(signal: Signal, sid: str) -> Iterator[Finding]:
    """Single readings far from both neighbours, on the same side of them."""
    values = signal.values
    before, after = values[1:-1] - values[:-2], values[1:-1] - values[2:]
    away = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    low, high = np.percentile(values, (25, 75))
    usual = max(float(np.percentile(np.maximum(np.abs(before), np.abs(after)), 75)), float(high - low) / _SPIKE)
    found = np.flatnonzero(away > _SPIKE * usual) + 1
    if usual <= 0 or not len(found):
        return
    worst = found[int(away[found - 1].argmax())]
    value, when = float(values[worst]), float(signal.times[worst])
    shown = with_unit(value, signal.unit)
    line = say(
        f"{len(found)} 个孤立尖峰,最大的 {shown}({at(when, dated=signal.dated)})",
        f"{_many(len(found), 'single spike')}, the largest {shown} ({at(when, dated=signal.dated)})",
    )
    figures = {"count": len(found), "value": value}
    yield Finding("quality.spikes", 0, joined(signal.name, line), figures, (sid,), start=when, end=when)


def _runs(values: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts = np.concatenate(([0], np.flatnonzero(np.diff(values) != 0) + 1))
    return starts, np.diff(np.append(starts, len(values)))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _long(seconds: float) -> dict[str, str]:
    for size, zh, en in ((86_400.0, "天", "d"), (3_600.0, "小时", "h"), (60.0, "分钟", "min")):
        if seconds >= size:
            return {"zh": f"{number(seconds / size)} {zh}", "en": f"{number(seconds / size)} {en}"}
    return {"zh": f"{number(seconds)} 秒", "en": f"{number(seconds)} s"}
