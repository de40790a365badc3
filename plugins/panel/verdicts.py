"""Comparisons with the manuals' limits in words: a verdict behind the reading, and notes on what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.api import Perception, Record, Said, say
from agent.panel_records import reading_record
from knowledge.store import StoredLimit
from plugins.panel.limits import Comparison, Outcome, citation_of

__all__ = ["compared_record", "count_note", "is_outside", "left_out_notes", "verdict_of"]

_NAMED = 6
"""Labels that a note lists before it says how many more there are."""
_LEFT_OUT: dict[Outcome, Said] = {
    "no-limit": say("个读数在手册中没有上下限", "readings without a limit in the manuals"),
    "no-value": say("个读数没有可信的数值", "readings without a value that can be trusted"),
    "other-unit": say("个读数的单位与手册不一致,未作比较", "readings in another unit than the manuals, not compared"),
}


def is_outside(comparison: Comparison) -> bool:
    """Whether the reading is beyond one of its limits."""
    return comparison.outcome in ("above", "below")


def compared_record(perception: Perception, comparison: Comparison) -> Record:
    """A reading with its verdict and the place of the limit in the manuals; a plain one where none was used."""
    limit = _used(comparison)
    if limit is None:
        return reading_record(perception, comparison.index)
    record = reading_record(perception, comparison.index, verdict_of(comparison))
    bounds = {"outcome": comparison.outcome, "low": limit.low, "high": limit.high, "limit_unit": limit.unit}
    return replace(record, fields={**record.fields, **bounds}, source=citation_of(limit))


def verdict_of(comparison: Comparison) -> Said:
    """How a reading stands to its limit, in words; empty where it was held against none."""
    limit = _used(comparison)
    if limit is None:
        return say("", "")
    low, high = (f"{_plain(bound)} {limit.unit}".strip() for bound in (limit.low, limit.high))
    if comparison.outcome == "above":
        return say(f"高于上限 {high}", f"is above the high limit {high}")
    if comparison.outcome == "below":
        return say(f"低于下限 {low}", f"is below the low limit {low}")
    if limit.low is None:
        return say(f"未超过上限 {high}", f"is not above the high limit {high}")
    if limit.high is None:
        return say(f"不低于下限 {low}", f"is not below the low limit {low}")
    both = f"{_plain(limit.low)}–{_plain(limit.high)} {limit.unit}".strip()
    return say(f"在 {both} 范围内", f"is within {both}")


def count_note(compared: Sequence[Comparison]) -> Said:
    """How many readings were held against a limit, and how many are beyond it."""
    held = sum(1 for c in compared if _used(c))
    outside = sum(1 for c in compared if is_outside(c))
    return say(
        f"共比较 {held} 个读数,{outside} 个越限",
        f"readings compared with the manuals' limits: {held}; out of range: {outside}",
    )


def left_out_notes(
    perception: Perception, compared: Sequence[Comparison], outcomes: Sequence[Outcome]
) -> Iterator[Said]:
    """Readings that were not compared, for these reasons, and limits on which the manuals disagree."""
    for outcome in outcomes:
        group = [c for c in compared if c.outcome == outcome]
        if group:
            what, names = _LEFT_OUT[outcome], _labels(perception, group)
            yield say(f"{len(group)} {what['zh']}:{names['zh']}", f"{what['en']}: {len(group)} ({names['en']})")
    for comparison in compared:
        for other in comparison.also:
            name, place = perception.readings[comparison.index].label, citation_of(other)
            row = f"{_plain(other.low)} – {_plain(other.high)} {other.unit}".strip()
            yield say(f"注意:{place} 给出的{name}上下限不同:{row}", f"note: {place} has other limits for {name}: {row}")


def _used(comparison: Comparison) -> StoredLimit | None:
    """The limit that the reading was held against."""
    return comparison.limit if comparison.outcome in ("above", "below", "within") else None


def _labels(perception: Perception, compared: Sequence[Comparison]) -> Said:
    labels = list(dict.fromkeys(perception.readings[c.index].label for c in compared))
    more = len(labels) - _NAMED
    tail = say(f" 等 {len(labels)} 种", f" and {more} more") if more > 0 else say("", "")
    zh = "、".join(label or "(无标签)" for label in labels[:_NAMED])
    en = ", ".join(label or "(no label)" for label in labels[:_NAMED])
    return say(zh + tail["zh"], en + tail["en"])


def _plain(bound: float | None) -> str:
    return "—" if bound is None else f"{bound:g}"
