"""The risk level: likelihood of a stop in the days ahead × consequence of one, by the matrix of the settings.

Likelihood is a probability with its grounds: urgent alarms as a Poisson process with the rate of history and period
together, and the worst finding (watch, plan, act now: 0.1, 0.35, 0.7); the higher of the two counts. No history and no
finding: the likelihood is 1 and the report says on how little that rests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.reports.alarms import AlarmFigures
from agent.reports.numbers import lasting
from agent.reports.values import Machine, Sign
from agent.settings import ReportSettings, Risk
from agent.values import Said, say

__all__ = ["RISK_WORDS", "RiskLevel", "risk_of"]

RISK_WORDS: dict[Risk, Said] = {
    "low": say("低", "low"),
    "medium": say("中", "medium"),
    "high": say("高", "high"),
    "critical": say("极高", "critical"),
}
CONSEQUENCE_WORDS: tuple[Said, ...] = (
    say("影响很小", "unnoticed"),
    say("出力下降", "output falls"),
    say("停产", "output stops"),
    say("危及人身、环境或设备", "danger or damage"),
)
_BY_SEVERITY = (0.0, 0.1, 0.35, 0.7)


@dataclass(frozen=True, slots=True)
class RiskLevel:
    """A cell of the matrix, and how it was found."""

    level: Risk
    likelihood: int
    """Row, 1 to 4."""
    consequence: int
    """Column, 1 to 4."""
    probability: float
    """Of a stop in the days ahead."""
    grounds: tuple[Said, ...]
    known: bool = True
    """False where nothing could be looked at; then the cell means nothing."""

    @property
    def word(self) -> Said:
        """As it is shown."""
        return RISK_WORDS[self.level] if self.known else say("未知", "unknown")


def risk_of(
    machine: Machine,
    alarms: AlarmFigures,
    signs: Sequence[Sign],
    settings: ReportSettings,
    *,
    has_log: bool = True,
    has_values: bool = True,
) -> RiskLevel:
    """Find the cell.

    :param has_log: whether alarms could be read at all; without them a low level would mean nothing by itself.
    :param has_values: likewise measured values.
    """
    grounds, probability, days = [], 0.0, settings.ahead_days
    hours = alarms.urgent_between_hours
    if hours is not None:
        probability = 1 - math.exp(-days * 24 / hours)
        apart, chance = lasting(hours), "> 99%" if probability > 0.99 else f"{probability:.0%}"
        grounds.append(
            say(
                f"高级别报警平均每 {apart['zh']}一次,未来 {days:g} 天再次发生的概率约 {chance}(泊松)",
                f"an urgent alarm every {apart['en']} on average, so again within {days:g} days with a probability of "
                f"about {chance} (Poisson)",
            )
        )
    worst = max((s for s in signs if s.present), key=lambda s: s.severity, default=None)
    if worst is not None and _BY_SEVERITY[min(worst.severity, 3)] > 0:
        by_sign = _BY_SEVERITY[min(worst.severity, 3)]
        grounds.append(say(f"{worst.line['zh']}:按规则计 {by_sign:.0%}", f"{worst.line['en']}: {by_sign:.0%} by rule"))
        probability = max(probability, by_sign)
    known = has_log or has_values or bool(signs)
    if not has_log:
        grounds.append(say("报警记录不可用,未计入", "the alarm log was not available and is not counted"))
    if not grounds:
        grounds.append(say("没有高级别报警,也没有异常发现", "no urgent alarm and no finding"))
    likelihood = 1 + sum(probability >= edge for edge in settings.likelihood_edges)
    said = settings.consequences.get(machine.name) or machine.consequence
    consequence = min(max(said or settings.consequence, 1), 4)
    word = CONSEQUENCE_WORDS[consequence - 1]
    source = say("设置默认值", "default of the settings") if not said else say("设备资料", "data of the machine")
    grounds.append(
        say(
            f"停机后果 {consequence} 级({word['zh']},{source['zh']})",
            f"consequence of a stop {consequence} ({word['en']}, {source['en']})",
        )
    )
    level = settings.matrix[likelihood - 1][consequence - 1]
    return RiskLevel(level, likelihood, consequence, probability, tuple(grounds), known)
