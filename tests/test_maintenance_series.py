"""Series: what is wrong with them is said first; what is usual is left alone, what stands out is found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.maintenance.detection import find_episodes, grid_of
from plugins.maintenance.machines import SignalSheet
from plugins.maintenance.quality import clean
from plugins.maintenance.series import SeriesLook, look_at_series
from plugins.maintenance.trend import change_against, theil_sen
from plugins.maintenance.values import Array, Episode, Signal
from tests.bench.drawn_series import Drawn, draw, normal
from tests.wave_drawings import SETTINGS

EVER = (-math.inf, math.inf)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def series(values: Array, step: float = 300.0) -> Signal:
    return Signal("TT-1", "°C", 1.7e9 + step * np.arange(len(values)), np.asarray(values, dtype=float))


def keys(look: SeriesLook) -> set[str]:
    return {finding.key for finding in look.findings if finding.present}


def episodes(drawn: Drawn) -> list[Episode]:
    grid = grid_of(drawn.times, drawn.values, SETTINGS.grid_cells)
    assert grid is not None
    return find_episodes(grid, SETTINGS)


def noise(count: int = 2_000, seed: int = 0) -> Array:
    return 60 + np.random.default_rng(seed).standard_normal(count)


def test_a_disordered_series_is_set_in_order_and_said() -> None:
    """Order, doubles, contradictions and what is no number are counted; the first reading of a stamp is kept."""
    times = np.array([3.0, 1.0, 2.0, 2.0, math.nan, 5.0, 4.0])
    values = np.array([30.0, 10.0, 20.0, 99.0, 1.0, math.inf, 40.0])
    ordered, findings = clean(Signal("x", "", times, values), "S1")
    assert ordered.times.tolist() == [1, 2, 3, 4]
    assert ordered.values.tolist() == [10, 20, 30, 40]
    counts = {finding.key: finding.figures["count"] for finding in findings}
    assert counts["quality.not_finite"] == 2
    assert counts["quality.unsorted"] == 1
    assert counts["quality.doubled"] == counts["quality.contradicting"] == 1


def stopped(signal: Signal) -> Signal:
    return replace(
        signal, times=np.delete(signal.times, slice(500, 800)), values=np.delete(signal.values, slice(500, 800))
    )


def changed(where: slice, value: float) -> Callable[[Signal], Signal]:
    def change(signal: Signal) -> Signal:
        values = signal.values.copy()
        values[where] = value
        return replace(signal, values=values)

    return change


FLAWS: dict[str, Callable[[Signal], Signal]] = {
    "quality.gaps": stopped,
    "quality.stuck": changed(slice(500, 700), 61.0),
    "quality.clipped": lambda s: replace(s, values=np.minimum(np.repeat(s.values, 4)[: len(s.values)], 60.5)),
    "quality.spikes": changed(slice(900, 901), 500.0),
    "quality.constant": changed(slice(None), 60.0),
    "quality.short": lambda s: replace(s, times=s.times[:5], values=s.values[:5]),
    "quality.empty": lambda s: replace(s, times=s.times[:0], values=s.values[:0]),
}


@pytest.mark.parametrize("key", FLAWS)
def test_each_flaw_is_flagged_in_both_languages(key: str) -> None:
    """A gap, a stuck, clipped, spiky, constant, short or empty series is told as that; a sound one is not."""
    assert not clean(series(noise()), "S1")[1]
    found = [finding for finding in clean(FLAWS[key](series(noise())), "S1")[1] if finding.key == key]
    assert found and found[0].line["zh"] and found[0].line["en"] and found[0].evidence == ("S1",)


@pytest.mark.parametrize("temper", ["wander", "jitter", "daily", "drift", "coarse", "gappy"])
def test_what_is_usual_raises_no_alarm(temper: str) -> None:
    """Noise, memory, days, slow drifts, coarse steps and gaps are no anomalies."""
    assert [e for seed in range(2) for e in episodes(normal(temper, seed))] == []


@pytest.mark.parametrize("departure", ["up", "down", "ramp", "dropout", "flutter", "still"])
def test_a_departure_is_found_where_it_is(departure: str) -> None:
    """A span that is higher, lower, restless or still is found, and nothing else is."""
    drawn = draw("daily", departure, 3)
    found = episodes(drawn)
    assert found
    assert all(e.start <= drawn.window[1] + 86_400 and e.end >= drawn.window[0] for e in found)


def test_a_wild_reading_alone_is_no_anomaly() -> None:
    """One reading far out is a spike of the quality report, not a state of the machine."""
    values = noise()
    values[1_000] = 1e6
    look = look_at_series(series(values), "S1", None, EVER, SETTINGS)
    assert "quality.spikes" in keys(look)
    assert not look.episodes


def test_a_slope_is_told_with_its_interval() -> None:
    """The true slope lies in the interval, and the finding tells it by the day."""
    values = noise() + 0.5 * np.arange(2_000) * 300 / 86_400
    slope = theil_sen(series(values).times, values)
    assert slope is not None and slope.certain
    assert slope.low <= 0.5 <= slope.high
    assert slope.per_day == pytest.approx(0.5, abs=0.1)


def test_no_slope_where_there_is_none() -> None:
    """A wandering series without direction is rarely called rising or falling."""
    called = 0
    for seed in range(20):
        drawn = normal("wander", seed)
        slope = theil_sen(drawn.times, drawn.values)
        called += slope is not None and slope.certain
    assert called <= 2


def test_a_change_is_measured_in_usual_deviations() -> None:
    """Five deviations are five; readings that never moved have no deviation."""
    change = change_against(noise(500), noise(500, seed=1) + 5)
    assert change is not None and change.deviations == pytest.approx(5, abs=0.6)
    assert change_against(np.full(50, 1.0), noise(50)) is None


def test_limits_are_told_whether_crossed_or_kept() -> None:
    """A limit of the data sheet that was kept is told too: it speaks against causes."""
    sheet = SignalSheet(tag="TT-1", high=70.0, low=59.5)
    look = look_at_series(series(noise()), "S1", sheet, EVER, SETTINGS)
    limits = {finding.key: finding.present for finding in look.findings if finding.key.startswith("limit.")}
    assert limits == {"limit.high": False, "limit.low": True}


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_values_break_it_and_no_figure_is_made_up(rows: list[tuple[float, float]]) -> None:
    """Whatever was read, figures are finite and lie between the least and the most that was read."""
    times, values = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], float)
    look = look_at_series(Signal("x", "u", times, values), "S1", None, EVER, SETTINGS)
    good = values[np.isfinite(times) & np.isfinite(values)]
    for figure in look.features.figures:
        assert math.isfinite(figure.value)
        if figure.key in ("low", "high", "last", "median"):
            assert good.min() <= figure.value <= good.max()


@given(st.integers(0, 400), st.sampled_from([0.0, 1e-9, 1.0, 1e300]), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_any_scale_is_looked_at(count: int, size: float, seed: int) -> None:
    """Tiny, huge and vanishing values go through without a warning."""
    draws = np.random.default_rng(seed)
    look = look_at_series(series(size * draws.standard_normal(count)), "S1", None, EVER, SETTINGS)
    assert all(math.isfinite(figure.value) for figure in look.features.figures)


@given(st.integers(0, 10_000), st.floats(0, 0.98), st.integers(1, 400), st.sampled_from([1.0, 300.0, 7_200.0]))
@settings(max_examples=60, deadline=None)
def test_any_pattern_of_gaps_is_searched(seed: int, lost: float, run: int, step: float) -> None:
    """Whatever is missing, the search ends, without a warning, and tells of values that were read."""
    draws = np.random.default_rng(seed)
    values = noise(1_500, seed) * draws.choice([1.0, 5.0], 1_500, p=[0.9, 0.1])
    values[int(draws.integers(0, 1_400)) :] += float(draws.choice([0.0, 30.0]))
    kept = np.repeat(draws.random(1_500 // run + 1) > lost, run)[:1_500]
    whole = series(values, step)
    look = look_at_series(replace(whole, times=whole.times[kept], values=values[kept]), "S1", None, EVER, SETTINGS)
    for episode in look.episodes:
        if episode.kind in ("high", "low"):
            assert values.min() <= episode.extreme <= values.max()
