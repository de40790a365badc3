"""Which events go before a failure more often than chance would have it.

Failures that follow one another within the time that is looked back are one, so that a burst does not count many times.
An event goes before one when it came within so many seconds before it. By chance that happens as often as the windows
after it have a share in the windows after all events: quiet times, in which nothing comes, count for nothing. The lift
is how many times more often it does; the probability is that of chance alone doing as well (binomial), multiplied with
how many kinds of events were looked at, for with many some look like a pattern by luck.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """All of them; a burst counts once."""
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
    span = _covered([moment.at for moment in moments], seconds)
    all_failures = [m.at for m, failed in zip(moments, is_failure, strict=True) if failed]
    failures = [at for before, at in pairwise([-math.inf, *all_failures]) if at - before >= seconds]
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
