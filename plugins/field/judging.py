"""What the rules come to: each held against its figures, then one verdict.

Three-valued: so, not so, not known. One rule that is clearly broken says no. Otherwise a rule that cannot be decided, a
sentence that was not compared, or two rules for one thing that lead to different ends leave it open. Only where every
rule is met does it say yes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from agent.api import Language, Said, say
from knowledge.units import factor_between
from plugins.field.figures import Measured, Span, span_of
from plugins.field.values import Comparison, Op, Rule

__all__ = ["Checked", "Judged", "Verdict", "clashing", "distinct", "judge", "verdict_of"]

Verdict = Literal["yes", "no", "open", "contradicted", "none"]
_OPPOSITE: dict[Op, Op] = {"gt": "le", "ge": "lt", "lt": "ge", "le": "gt", "in": "out", "out": "in"}
_SIDE = {"gt": "low", "ge": "low", "lt": "high", "le": "high", "in": "both", "out": "none"}
_ROUNDING = 1e-9
"""Decimal thresholds and sums of decimals differ by less than this where they are equal."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One comparison held against what was measured."""

    comparison: Comparison
    holds: bool | None
    value: float | None
    """What decided, in the figure's own unit."""
    measured: Measured
    span: Span
    lacking: Said | None
    """Why it is not known."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule: whether it is met."""

    rule: Rule
    met: bool | None
    checked: tuple[Checked, ...]


def judge(rule: Rule, figures: Mapping[str, Measured]) -> Judged:
    """Hold a rule against the figures."""
    demanded = rule.effect != "forbid"
    checked = tuple(_check(one, figures[one.figure.name], each=demanded) for one in rule.comparisons)
    truths = [one.holds for one in checked]
    if rule.every:
        holds = False if False in truths else None if None in truths else True
    else:
        holds = True if True in truths else None if None in truths else False
    if rule.effect == "allow":
        return Judged(rule, holds or None, checked)
    return Judged(rule, holds if demanded or holds is None else not holds, checked)


def verdict_of(judged: Sequence[Judged], *, unchecked: bool) -> Verdict:
    """The verdict of all rules together.

    :param unchecked: whether there is a sentence that could not be compared.
    """
    if not judged and not unchecked:
        return "none"
    torn = {id(one) for pair in clashing(judged) for one in pair if pair[0].met is not pair[1].met}
    if any(one.met is False and id(one) not in torn for one in judged):
        return "no"
    if torn:
        return "contradicted"
    return "open" if unchecked or any(one.met is None for one in judged) else "yes"


def clashing(judged: Sequence[Judged]) -> list[tuple[Judged, Judged]]:
    """Pairs of rules that limit one thing on one side, for the same scopes, by different thresholds."""
    pairs = []
    for i, one in enumerate(judged):
        for other in judged[i + 1 :]:
            if set(one.rule.scopes) == set(other.rule.scopes) and _clash(one.rule, other.rule):
                pairs.append((one, other))
    return pairs


def distinct(judged: Sequence[Judged], language: Language) -> list[Judged]:
    """Rules that say the same in two editions once, in the reader's language where there is one."""
    kept: dict[object, Judged] = {}
    for one in judged:
        rule = one.rule
        key = tuple(sorted(_limits(rule).items())), rule.every, rule.effect, rule.scopes
        if key not in kept or (rule.language == language != kept[key].rule.language):
            kept[key] = one
    return list(kept.values())


def _clash(one: Rule, other: Rule) -> bool:
    if len(one.comparisons) > 1 and one.every != other.every and len(other.comparisons) > 1:
        return False
    mine, theirs = _limits(one), _limits(other)
    return any(mine[key] != theirs[key] for key in mine.keys() & theirs.keys())


def _limits(rule: Rule) -> dict[tuple[str, str, float, str], tuple[float, float]]:
    """What is allowed of each figure by a rule, in its own unit: a lower or an upper bound, or both."""
    found: dict[tuple[str, str, float, str], tuple[float, float]] = {}
    for one in rule.comparisons:
        op = _OPPOSITE[one.op] if rule.effect == "forbid" else one.op
        factor = factor_between(one.unit, one.figure.unit or one.unit) or 1.0
        key = one.figure.name, one.fold, one.span_seconds
        low, high = round(one.low * factor, 9), round(one.high * factor, 9)
        if _SIDE[op] in ("low", "both"):
            found[*key, "low"] = (low, low)
        if _SIDE[op] in ("high", "both"):
            found[*key, "high"] = (high, high)
    return found


def _check(comparison: Comparison, measured: Measured, *, each: bool) -> Checked:
    """One comparison.

    :param each: where it counts every value of a span: whether all have to satisfy it; else one is enough.
    """
    span = span_of(measured, comparison.span_seconds)
    factor = factor_between(measured.unit, comparison.unit)
    if factor is None:
        why = say(
            f"单位 {measured.unit} 与规定的 {comparison.unit} 不能比较",
            f"{measured.unit} cannot be compared with {comparison.unit}",
        )
        return Checked(comparison, None, None, measured, span, why)
    if not len(span.values):
        return Checked(comparison, None, None, measured, span, span.lacking)
    values = span.values * factor
    if not comparison.span_seconds:
        holds = _holds(comparison, float(values[0])) if span.whole else None
        return Checked(comparison, holds, float(span.values[0]), measured, span, span.lacking)
    return _check_span(comparison, measured, span, values, factor, each=each)


def _check_span(
    comparison: Comparison, measured: Measured, span: Span, values: np.ndarray, factor: float, *, each: bool
) -> Checked:
    """Over a span, also where a part of it settles the matter."""
    match comparison.fold:
        case "sum":
            decisive = float(values.sum())
            early = comparison.op in ("gt", "ge", "lt", "le") and bool((values >= 0).all())
            settled = early and _holds(_as(comparison, "ge"), decisive) and comparison.op != "gt"
            settled = settled or (early and _holds(_as(comparison, "gt"), decisive))
        case "max":
            decisive = float(values.max())
            settled = comparison.op in ("gt", "ge", "lt", "le") and _holds(_as(comparison, "gt"), decisive)
        case "min":
            decisive = float(values.min())
            settled = comparison.op in ("gt", "ge", "lt", "le") and _holds(_as(comparison, "lt"), decisive)
        case "mean":
            decisive, settled = float(values.mean()), False
        case _:
            decisive = _farthest(comparison, values, each=each)
            settled = _holds(comparison, decisive) is not each
    holds = _holds(comparison, decisive) if span.whole or settled else None
    return Checked(comparison, holds, decisive / factor, measured, span, None if holds is not None else span.lacking)


def _farthest(comparison: Comparison, values: np.ndarray, *, each: bool) -> float:
    """The value that decides for all: where one is enough the one that fits best, where all have to the one that fits
    least."""
    outside = np.maximum(comparison.low - values, values - comparison.high)
    match comparison.op:
        case "gt" | "ge":
            fit = values
        case "lt" | "le":
            fit = -values
        case "in":
            fit = -outside
        case _:
            fit = outside
    return float(values[int(fit.argmin() if each else fit.argmax())])


def _as(comparison: Comparison, op: Op) -> Comparison:
    return Comparison(comparison.figure, op, comparison.low, comparison.high, comparison.unit)


def _holds(comparison: Comparison, value: float) -> bool:
    low, high = comparison.low, comparison.high
    slack = _ROUNDING * max(1.0, abs(low), abs(high))
    match comparison.op:
        case "gt":
            return value > high + slack
        case "ge":
            return value >= low - slack
        case "lt":
            return value < low - slack
        case "le":
            return value <= high + slack
        case "in":
            return low - slack <= value <= high + slack
        case _:
            return value < low - slack or value > high + slack
