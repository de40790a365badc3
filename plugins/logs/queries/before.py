"""Which events go before a failure more often than chance would have it.

An event goes before a failure when it came within so many seconds before it. By chance that happens as often as the
time that its windows cover has a share in all the time of the log. The lift is how many times more often it does; the
probability is that of chance alone doing as well (binomial). With many kinds of events some look like a pattern by
luck, so it has to stay small even when multiplied with how many were looked at.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from plugins.logs.interface import Moment

__all__ = ["Precursor", "find_precursors"]

_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Precursor:
    """An event that goes before a failure."""

    tag: str
    text: str
    before: int
    """Failures that it went before."""
    failures: int
    lift: float
    chance: float
    """Probability that chance alone does as well, over all kinds that were looked at."""
    total: int
    """How often it came in all."""


def find_precursors(
    moments: Sequence[Moment], is_failure: Sequence[bool], *, seconds: float, least: int, lift: float
) -> list[Precursor]:
    """Events that go before failures, the surest first.

    :param moments: all events in order of time.
    :param is_failure: which of them are the failure.
    """
    if not moments:
        return []
    span = moments[-1].at - moments[0].at + seconds
    failures = [m.at for m, failed in zip(moments, is_failure, strict=True) if failed]
    others: dict[tuple[str, str], list[float]] = {}
    for moment, failed in zip(moments, is_failure, strict=True):
        if not failed:
            others.setdefault((moment.tag, moment.text), []).append(moment.at)
    found = []
    for (tag, text), times in others.items():
        before = sum(1 for at in failures if _came(times, at - seconds, at))
        share = min(1.0, _covered(times, seconds) / span)
        expected = share * len(failures)
        chance = min(1.0, _tail(before, len(failures), share) * len(others))
        if before >= least and expected > 0 and before / expected >= lift and chance < _CHANCE:
            found.append(Precursor(tag, text, before, len(failures), before / expected, chance, len(times)))
    return sorted(found, key=lambda p: (p.chance, -p.before, p.tag, p.text))


def _came(times: Sequence[float], start: float, end: float) -> bool:
    """Whether one came from `start` on and before `end`."""
    at = bisect_left(times, start)
    return at < len(times) and times[at] < end


def _covered(times: Sequence[float], seconds: float) -> float:
    """Seconds that lie within so many after one of the times."""
    total, reached = 0.0, -math.inf
    for at in times:
        total += at + seconds - max(at, reached)
        reached = max(reached, at + seconds)
    return total


def _tail(successes: int, tries: int, share: float) -> float:
    """Probability of at least so many successes."""
    if share >= 1.0 or successes <= 0:
        return 1.0
    terms = (math.comb(tries, k) * share**k * (1 - share) ** (tries - k) for k in range(successes, tries + 1))
    if tries <= 500:
        return min(1.0, sum(terms))
    mean, spread = tries * share, math.sqrt(tries * share * (1 - share))
    return 0.5 * math.erfc((successes - 0.5 - mean) / (spread * math.sqrt(2)))
