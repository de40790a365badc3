"""Spans in which a series is not as it is otherwise, by one rule for every series.

    1. the readings fall into even cells (their median), at most `grid_cells`
    2. what repeats by the day or the week, and what moves slowly, is taken away where the series is long enough for it
    3. the rest is held against its own quartiles, upwards and downwards apart; the correlation time is measured
    4. Page's cumulative sum adds up by how much, and for how long, it lies beyond `slack` deviations
    5. an alarm is a sum that a Gaussian series of this correlation time reaches once in `alarm_days`

Rule 5 is where the threshold comes from: for an Ornstein-Uhlenbeck process and a slack of 1.5 the sum exceeds 0.58 τ
ln(N/30) once in N correlation times τ (simulated, τ from one to thirty cells; `tests/bench/detection.py` draws such
series again). Real series have heavier tails, so that `alarm_days` is a year where one alarm a month is bearable. The
same is done with the logarithm of the roughness (median step between cells), which finds a series that begins to
flutter or goes quiet. All data up to the end are looked at together.

What comes back week after week is how this machine works: of many alarms only those stay that stand out among them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from agent.settings import MaintenanceSettings
from plugins.maintenance.values import Array, Episode

__all__ = ["Grid", "find_episodes", "grid_of"]

_SLACK = 1.5
"""Deviations that do not count; the two constants below belong to it."""
_GROWTH, _ONSET = 0.58, 30.0
_CLIP, _CLIP_ROUGH = 8.0, 4.0
"""Deviations that one cell counts at most, so that a single wild reading, or a single restless hour, is no span."""
_ROUGH_CELLS = 12
"""Steps whose median is one cell of roughness."""
_QUARTILE, _TENTH = 0.6745, 1.2816
"""Of a Gaussian, in deviations."""
_FAR = 0.5
"""How much of the outer tenth counts: where most readings are one and the same value, the quartiles say nothing."""
_FEW = 6
_LEAST_CELLS = 60
_LEAST_TAUS = 12
"""Correlation times that a record must span: a shorter one does not show what is usual."""
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Grid:
    """A series in even cells."""

    start: float
    """Seconds, the beginning of the first cell."""
    step: float
    """Seconds of one cell."""
    values: Array
    """Median of each cell; NaN where it is empty."""

    def at(self, cell: int) -> float:
        """The middle of a cell in seconds."""
        return self.start + (cell + 0.5) * self.step


def grid_of(times: Array, values: Array, max_cells: int) -> Grid | None:
    """Even cells as wide as the usual distance between readings; None where there are too few readings.

    :param times: ascending, distinct, finite.
    """
    if len(times) < _LEAST_CELLS:
        return None
    span = float(times[-1] - times[0])
    step = max(float(np.median(np.diff(times))), span / max_cells)
    if not np.isfinite(step) or step <= 0:
        return None
    cells = np.floor((times - times[0]) / step + 0.5).astype(np.int64)
    edges = np.flatnonzero(np.diff(cells)) + 1
    middles = np.full(int(cells[-1]) + 1, np.nan)
    if len(edges) + 1 == len(cells):
        middles[cells] = values
    else:
        firsts = np.concatenate(([0], edges))
        for first, last in zip(firsts, [*edges, len(cells)], strict=True):
            middles[cells[first]] = np.median(values[first:last])
    return Grid(float(times[0]) - step / 2, step, middles)


def find_episodes(grid: Grid, settings: MaintenanceSettings) -> list[Episode]:
    """Spans that stand out, in order of time; empty where nothing does or where the record is too short to tell."""
    rest = grid.values - _usual(grid, settings)
    found = _page(grid, rest, ("high", "low"), settings)
    rough = _roughness(grid, rest)
    if rough is not None:
        found += _page(rough, rough.values, ("rough", "calm"), settings)
    kept: list[Episode] = []
    for episode in sorted(found, key=lambda e: (e.kind in ("rough", "calm"), e.start)):
        # A leap is rough at its edges: what is known as high or low is not told again.
        if not any(k.start <= episode.end and episode.start <= k.end for k in kept):
            kept.append(_with_values(episode, grid))
    return sorted(kept, key=lambda e: e.start)


def _usual(grid: Grid, settings: MaintenanceSettings) -> Array:
    """What each cell would be on an ordinary day."""
    values = grid.values
    usual = np.full(len(values), float(np.nanmedian(values)))
    window = round(settings.baseline_days * _DAY / grid.step)
    if len(values) >= 2 * window:
        usual = _running_median(values, window)
    for period in (_DAY, 7 * _DAY):
        usual = usual + _season(values - usual, grid, period, settings)
    return usual


def _running_median(values: Array, window: int) -> Array:
    """Centred, at 32 places a window; between them on straight lines."""
    middles = np.unique(np.append(np.arange(0, len(values), max(1, window // 32)), len(values) - 1))
    levels = []
    for middle in middles:
        low = min(max(0, middle - window // 2), len(values) - window)
        part = values[low : low + window]
        levels.append(float(np.nanmedian(part)) if np.isfinite(part).any() else float(np.nanmedian(values)))
    return np.interp(np.arange(len(values)), middles, levels)


def _season(rest: Array, grid: Grid, period: float, settings: MaintenanceSettings) -> Array:
    """The median by time of day or week; zero unless that narrows the spread in both halves of the record."""
    nothing = np.zeros(len(rest))
    slots = round(period / max(grid.step, period / 168))
    if slots < 4 or len(rest) * grid.step < settings.season_cycles * period:
        return nothing
    slot = (((grid.start + (np.arange(len(rest)) + 0.5) * grid.step) % period) / period * slots).astype(np.int64)
    half = len(rest) // 2
    gains = []
    for learnt, tried in ((slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))):
        profile = _by_slot(rest[learnt], slot[learnt], slots)
        before, after = _spread(rest[tried]), _spread(rest[tried] - profile[slot[tried]])
        gains.append(1 - after / before if before > 0 else 0.0)
    return _by_slot(rest, slot, slots)[slot] if min(gains) >= settings.season_gain else nothing


def _by_slot(rest: Array, slot: np.ndarray[tuple[int], np.dtype[np.int64]], slots: int) -> Array:
    profile = np.zeros(slots)
    for k in range(slots):
        part = rest[slot == k]
        part = part[np.isfinite(part)]
        profile[k] = float(np.median(part)) if len(part) else 0.0
    return profile


def _spread(values: Array) -> float:
    """Mean distance from the median: unlike the median distance it sees what is so on two days of seven."""
    kept = values[np.isfinite(values)]
    return float(np.mean(np.abs(kept - np.median(kept)))) if len(kept) else 0.0


def _roughness(grid: Grid, rest: Array) -> Grid | None:
    """Log of the median step between neighbours, in blocks; None where the series is too short or mostly still."""
    steps = np.abs(np.diff(rest))
    width = _ROUGH_CELLS
    blocks = len(steps) // width
    known = steps[np.isfinite(steps)]
    if blocks < _LEAST_CELLS or not len(known) or np.median(known) <= 0:
        return None
    table = steps[: blocks * width].reshape(blocks, width)
    enough = np.isfinite(table).sum(axis=1) >= width // 2
    levels = np.full(blocks, np.nan)
    levels[enough] = np.nanmedian(table[enough], axis=1)
    floor = float(np.median(known)) / 20
    return Grid(grid.start, grid.step * width, np.log(np.maximum(levels, floor)))


def _page(
    grid: Grid,
    rest: Array,
    kinds: tuple[Literal["high", "rough"], Literal["low", "calm"]],
    settings: MaintenanceSettings,
) -> list[Episode]:
    """Page's test on both sides."""
    known = rest[np.isfinite(rest)]
    if len(known) < _LEAST_CELLS:
        return []
    middle = float(np.median(known))
    down, up = _scales(known)
    limit, least = (_CLIP, 1.0) if kinds[0] == "high" else (_CLIP_ROUGH, 2.0)
    tau = max(least, _memory(np.clip(rest - middle, -3 * down, 3 * up)))
    if len(known) < _LEAST_TAUS * tau:
        return []
    per_alarm = max(settings.alarm_days * _DAY / (grid.step * tau), 10 * _ONSET)
    threshold = _GROWTH * float(np.log(per_alarm / _ONSET)) * tau
    limit = min(limit, _SLACK + threshold / 2)  # it takes more than one cell
    found = []
    for kind, sign, scale in ((kinds[0], 1, up), (kinds[1], -1, down)):
        if scale > 0:
            z = np.clip(sign * (rest - middle) / scale, -limit, limit)
            found += _runs(grid, z, kind, threshold, max(1, round(tau)))
    return _rare(found, len(rest) * grid.step / (7 * _DAY), 2 * tau * grid.step)


def _rare(found: list[Episode], weeks: float, pause: float) -> list[Episode]:
    """More than one spell a week is the tail of what is usual: it halves with every median excess, down to one a month.

    :param pause: seconds; episodes that are no farther apart, or than they last, are one spell.
    """
    spells: list[list[Episode]] = []
    for episode in sorted(found, key=lambda e: e.start):
        last = spells[-1][-1] if spells else None
        if last and episode.start - last.end <= max(pause, last.end - last.start, episode.end - episode.start):
            spells[-1].append(episode)
        else:
            spells.append([episode])
    if len(spells) <= max(_FEW, weeks):
        return found
    strengths = [max(episode.strength for episode in spell) for spell in spells]
    excess = float(np.median(strengths)) - 1
    least = 1 + excess * float(np.log2(len(spells) / max(1.0, weeks / 4)))
    return [episode for spell, top in zip(spells, strengths, strict=True) if top >= least for episode in spell]


def _scales(known: Array) -> tuple[float, float]:
    """A deviation downwards and upwards: from the quartile, or from a far outer tenth.

    Never below the smallest step that is seen often: a spread below it is the display's, not the machine's.
    """
    tenth, low, middle, high, ninth = (float(q) for q in np.percentile(known, (10, 25, 50, 75, 90)))
    steps = np.abs(np.diff(known))
    steps = steps[steps > 0]
    least = float(np.percentile(steps, 5)) if len(steps) else 0.0
    down = max((middle - low) / _QUARTILE, (middle - tenth) / _TENTH * _FAR, least)
    up = max((high - middle) / _QUARTILE, (ninth - middle) / _TENTH * _FAR, least)
    return down, up


def _memory(rest: Array) -> float:
    """Cells after which the autocorrelation has fallen below 1/e."""
    known = np.isfinite(rest)
    centred = np.where(known, rest - np.nanmean(rest), 0.0)
    size = 1 << (2 * len(centred) - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    sums = np.fft.irfft(power, size)[: len(centred)]
    counts = np.maximum(np.fft.irfft(np.abs(np.fft.rfft(known.astype(float), size)) ** 2, size)[: len(centred)], 1.0)
    along = sums / counts
    if along[0] <= 0:
        return 1.0
    below = np.flatnonzero(along / along[0] < np.exp(-1))
    return float(below[0]) if len(below) else float(len(rest))


def _runs(
    grid: Grid, z: Array, kind: Literal["high", "low", "rough", "calm"], threshold: float, rest_cells: int
) -> list[Episode]:
    """Where the sum passes the threshold: from its first rise to its highest point."""
    found: list[Episode] = []
    total, start, raised, peak, peak_at, empty = 0.0, 0, -1, 0.0, 0, 0
    last = len(z) - 1
    for i, value in enumerate(z.tolist()):
        if value != value:  # nothing was read: the sum waits, but not for ever
            empty += 1
            over = empty > rest_cells
        else:
            empty = 0
            if total <= 0:
                start = i
            total = max(0.0, total + value - _SLACK)
            if total > peak:
                peak, peak_at = total, i
            if raised < 0 and total >= threshold:
                raised = i
            # An alarm ends where the sum has lost as much as raised it: the next one begins at nothing.
            over = total <= 0 or (raised >= 0 and peak - total >= threshold)
        if (over or i == last) and raised >= 0:
            where = (grid.at(start), grid.at(raised), grid.at(peak_at))
            found.append(Episode(kind, *where, peak / threshold, 0.0, 0.0, open=peak_at >= last - 1))
        if over:
            total, raised, peak = 0.0, -1, 0.0
    return found


def _with_values(episode: Episode, grid: Grid) -> Episode:
    """The figures that are told of it."""
    steps = episode.kind in ("rough", "calm")
    wider = _ROUGH_CELLS // 2 if steps else 0
    first = max(0, int((episode.start - grid.start) / grid.step) - wider)
    last = int((episode.end - grid.start) / grid.step) + 1 + wider
    part, whole = grid.values[first:last], grid.values
    if steps:
        part, whole = np.abs(np.diff(part)), np.abs(np.diff(whole))
    part, whole = part[np.isfinite(part)], whole[np.isfinite(whole)]
    if not len(part):
        return replace(episode, extreme=float(np.median(whole)), usual=float(np.median(whole)))
    extreme = np.median(part) if steps else part.max() if episode.kind == "high" else part.min()
    return replace(episode, extreme=float(extreme), usual=float(np.median(whole)))
