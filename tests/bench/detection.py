"""`make score-detection [DATA=FOLDER]`: anomalies found and false alarms, on labelled series and on drawn ones.

DATA is a folder with `nab` and `skab` below it; without it only drawn series are scored. Three ways stand in the table:
ours, and two plain ones (fences of the whole series, fences of a running day), which show what ours is worth.
An episode that touches a labelled window finds it; one that touches none is a false alarm. All of a series is looked at
together, as for a report; `evening by evening` is what a box would have told at the time, from the past alone, as the
detectors in NAB's own table. The NAB score is its standard
profile: a find counts the more the earlier in its window, a false alarm costs 0.11, a missed window 1, and the
sum is put between 0 (nothing said) and 100 (everything found at once). Published by Lavin and Ahmad, ICMLA 2015.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import exp
from pathlib import Path

import numpy as np

from agent.errors import InputError
from agent.settings import MaintenanceSettings
from plugins.maintenance.detection import find_episodes, grid_of
from plugins.maintenance.quality import clean
from plugins.maintenance.table_file import read_table
from plugins.maintenance.values import Array, Signal
from tests.bench.drawn_series import DEPARTURES, TEMPERS, all_normal, draw
from tests.bench.table import Row, at_least, at_most, print_rows, told

WINDOWS = Path(__file__).parents[1] / "data" / "signals" / "nab_windows.json"
MONTH = 30 * 86_400.0
Span = tuple[float, float, float]
"""Start, when it was certain, end."""
Way = Callable[[Array, Array], list[Span]]


def ours(times: Array, values: Array) -> list[Span]:
    """What the product does."""
    settings = MaintenanceSettings()
    grid = grid_of(times, values, settings.grid_cells)
    return [(e.start, e.raised, e.end) for e in find_episodes(grid, settings)] if grid else []


def fences(times: Array, values: Array) -> list[Span]:
    """Five robust deviations from the median of the whole."""
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return _spans(times, np.abs(values - middle) > 5 * max(spread, 1e-12))


def running_fences(times: Array, values: Array) -> list[Span]:
    """Five robust deviations from the readings of the day before."""
    step = float(np.median(np.diff(times)))
    width = max(12, min(round(86_400 / step), len(values) // 10))
    out = np.zeros(len(values), bool)
    for start in range(width, len(values), max(1, width // 8)):
        before = values[start - width : start]
        middle = float(np.median(before))
        spread = 1.4826 * float(np.median(np.abs(before - middle)))
        part = slice(start, start + max(1, width // 8))
        out[part] = np.abs(values[part] - middle) > 5 * max(spread, 1e-12)
    return _spans(times, out)


def day_by_day(times: Array, values: Array) -> list[Span]:
    """Ours, asked every evening with what was known by then; an alarm counts from the evening that first told it."""
    settings = MaintenanceSettings()
    told: list[Span] = []
    for evening in np.arange(times[0] + 7 * 86_400, times[-1] + 86_400, 86_400):
        known = times <= evening
        grid = grid_of(times[known], values[known], settings.grid_cells)
        for episode in find_episodes(grid, settings) if grid else []:
            news = episode.end > evening - 2 * 86_400
            if news and not any(start <= episode.end and episode.start <= end for start, _, end in told):
                told.append((episode.start, float(min(evening, times[-1])), episode.end))
    return told


WAYS: dict[str, Way] = {"ours": ours, "whole fences": fences, "running fences": running_fences}


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--seeds", type=int, default=4, help="drawn series of each temper")
    parser.add_argument("--show", action="store_true", help="print every episode on labelled series")
    options = parser.parse_args()
    rows: list[Row] = []
    if options.data:
        rows += _nab(options.data, show=options.show) + _skab(options.data)
    rows += _drawn(options.seeds)
    print_rows(rows)


def counted(spans: Sequence[Span], windows: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Windows found, and episodes outside of all of them."""
    found = sum(any(start <= last and end >= first for start, _, end in spans) for first, last in windows)
    return found, sum(not any(s <= last and e >= first for first, last in windows) for s, _, e in spans)


def nab_score(times: Array, spans: Sequence[Span], windows: Sequence[tuple[float, float]]) -> float:
    """Standard profile; an episode is one detection, made when it is raised."""
    probation = min(0.15 * len(times), 750)
    raised = np.unique([int(np.searchsorted(times, at)) for _, at, _ in spans])
    inside = dict.fromkeys(windows, -1.0)
    wrong, last_end = 0.0, None
    ends = [(int(np.searchsorted(times, a)), int(np.searchsorted(times, b))) for a, b in windows]
    for i in raised:
        if i < probation:
            continue
        for window, (first, last) in zip(windows, ends, strict=True):
            if first <= i <= last:
                inside[window] = max(inside[window], _sigmoid(-(last - i + 1) / (last - first + 1)) / _sigmoid(-1.0))
                break
        else:
            before = [(f, e) for f, e in ends if e < i]
            last_end = before[-1] if before else None
            away = 3.0 if last_end is None else (i - last_end[1]) / max(1, last_end[1] - last_end[0])
            wrong += 0.11 * (_sigmoid(away) if away < 3 else -1.0)
    least, most = -float(len(windows)), float(len(windows))
    return 100 * (sum(inside.values()) + wrong - least) / (most - least)


def _sigmoid(place: float) -> float:
    return 2 / (1 + exp(5 * place)) - 1


def nab_rows(folder: Path) -> list[Row]:
    """What we find of the labelled windows of a folder."""
    return [row for row in _nab(folder, show=False) if ", ours:" in row.row]


def _nab(folder: Path, *, show: bool) -> list[Row]:
    labels, rows = json.loads(WINDOWS.read_text(encoding="utf-8")), []
    for path in sorted(folder.rglob("*.csv")):
        if path.name not in labels:
            continue
        signal = _series(read_table(path, MaintenanceSettings())[0])
        windows = [(_seconds(a), _seconds(b)) for a, b in labels[path.name]]
        months = float(signal.times[-1] - signal.times[0]) / MONTH
        for name, way in {**WAYS, "ours, evening by evening": day_by_day}.items():
            spans = way(signal.times, signal.values)
            found, wrong = counted(spans, windows)
            score = nab_score(signal.times, spans, windows)
            title = f"{path.stem}, {name}"
            ranked = name == "ours" and path.stem.startswith("machine")
            rows += [
                at_least(f"{title}: windows of {len(windows)}", found, len(windows)) if ranked else told(title, found),
                at_most(f"{title}: false alarms a month", wrong / months, 1)
                if ranked
                else told(f"{title}: false alarms a month", wrong / months),
                told(f"{title}: NAB score, standard profile", score),
            ]
            if show:
                for start, at, end in spans:
                    print(
                        path.stem,
                        name,
                        *(datetime.fromtimestamp(t, UTC).isoformat(" ", "minutes") for t in (start, at, end)),
                    )
    return rows


def _skab(folder: Path) -> list[Row]:
    """Every channel by itself; a second is called anomalous where an episode of any channel covers it."""
    hits = misses = wrong = right = files = windows = found = 0
    for path in sorted(folder.rglob("*.csv")):
        signals = {s.name: s for s in _tables(path)}
        if not {"anomaly", "changepoint"} <= set(signals):
            continue
        files += 1
        truth = signals["anomaly"].values > 0.5
        times = signals["anomaly"].times
        said = np.zeros(len(times), bool)
        for name, signal in signals.items():
            if name in ("anomaly", "changepoint"):
                continue
            ordered = _series(signal)
            for start, _, end in ours(ordered.times, ordered.values):
                said |= (times >= start) & (times <= end)
        hits, misses = hits + int((said & truth).sum()), misses + int((~said & truth).sum())
        wrong, right = wrong + int((said & ~truth).sum()), right + int((~said & ~truth).sum())
        edges = np.flatnonzero(np.diff(np.concatenate(([0], truth.astype(int), [0]))))
        windows += len(edges) // 2
        found += sum(bool(said[a:b].any()) for a, b in zip(edges[::2], edges[1::2], strict=True))
    if not files:
        return []
    return [
        told(f"SKAB, {files} runs: windows found of {windows}", found),
        told("SKAB: F1 of seconds", 2 * hits / max(1, 2 * hits + misses + wrong)),
        told("SKAB: share of ordinary seconds called anomalous", wrong / max(1, wrong + right)),
        told("SKAB: share of anomalous seconds missed", misses / max(1, hits + misses)),
    ]


def _drawn(seeds: int) -> list[Row]:
    rows = []
    for name, way in WAYS.items():
        wrong = dict.fromkeys(TEMPERS, 0)
        months = 0.0
        for series in all_normal(seeds):
            wrong[series.temper] += len(way(series.times, series.values))
            months += float(series.times[-1] - series.times[0]) / MONTH
        whole = sum(wrong.values()) / months
        title = f"drawn, {name}: false alarms a month"
        rows.append(at_most(title, whole, 1) if name == "ours" else told(title, whole))
        if name == "ours":
            rows += [told(f"   {temper}", count / (months / len(TEMPERS))) for temper, count in wrong.items()]
        for departure in DEPARTURES:
            found = whole_count = 0
            for temper in TEMPERS:
                for seed in range(seeds):
                    series = draw(temper, departure, seed)
                    found += counted(way(series.times, series.values), [series.window])[0]
                    whole_count += 1
            rows.append(told(f"drawn, {name}: found {departure}", found / whole_count))
    return rows


def _series(signal: Signal) -> Signal:
    return clean(signal, "S1")[0]


def _tables(path: Path) -> list[Signal]:
    try:
        return read_table(path, MaintenanceSettings())
    except InputError:  # a folder may hold tables of alarms too
        return []


def _seconds(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1)).total_seconds()


def _spans(times: Array, out: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[Span]:
    """Runs of what lies out, joined over pauses of an hour or five steps."""
    pause = max(3_600.0, 5 * float(np.median(np.diff(times))))
    spans: list[Span] = []
    for at in times[out].tolist():
        if spans and at - spans[-1][2] <= pause:
            spans[-1] = (spans[-1][0], spans[-1][1], at)
        else:
            spans.append((at, at, at))
    return spans


if __name__ == "__main__":
    main()
