"""The signals of a machine: the files and tags that its data sheet names, or its tags in the log.

A source that cannot be read is told as missing; the others are looked at all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agent.api import DatabaseError, Env, InputError, Said, Series, SeriesReader, say
from agent.settings import MaintenanceSettings
from plugins.maintenance.machines import Sheet, SignalSheet, machines_path
from plugins.maintenance.readings import read_readings
from plugins.maintenance.spectra import to_millimetres
from plugins.maintenance.table_file import read_table, uniform_rate
from plugins.maintenance.values import Array, Signal, Wave
from plugins.maintenance.wave_file import open_waves

__all__ = ["Source", "read_file", "series_in_files", "sources_of"]

_WAVE_RATE_HZ = 50.0
"""A uniform table with an acceleration or a velocity that is at least so fast is a recording."""
_TABLES = (".csv", ".tsv", ".txt")
_DATABASES = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True, slots=True)
class Source:
    """A signal and what the data sheet says about it."""

    signal: Signal | Wave
    sheet: SignalSheet | None = None


def sources_of(
    sheet: Sheet, env: Env, start: float, end: float, series: SeriesReader | None = None
) -> tuple[list[Source], list[Said]]:
    """Everything that can be read, and what could not be.

    :param start: seconds of the plant's wall clock.
    :param series: reads tags wherever a plugin stores them; None reads the box's own log.
    """
    found: list[Source] = []
    missing: list[Said] = []
    folder = machines_path(env.home, env.settings.maintenance).parent
    for own in (own for own in sheet.signals if own.file is not None):
        try:
            found += [Source(signal, own) for signal in _from_file(folder, own, env)]
        except (InputError, OSError) as error:
            missing.append(say(str(error), str(error)))
    by_tag = {own.tag: own for own in sheet.signals if own.tag}
    tags = list(dict.fromkeys([*by_tag, *sheet.tags])) or ([] if sheet.signals else [sheet.name])
    if tags:
        try:
            for signal in _of_tags(env, tags, start, end, series):
                known = by_tag.get(signal.name)
                found.append(Source(_named(signal, known), known))
        except DatabaseError as error:
            missing.append(say(str(error), str(error)))
    return found, missing


def read_file(
    path: Path, env: Env, *, unit: str = "", full_scale: float = 1.0, rate: float = 0.0
) -> Sequence[Signal | Wave]:
    """The signals of one file, by its ending.

    :raises InputError: it is missing, of a kind that is not read, or cannot be read.
    """
    settings = env.settings.maintenance
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    ending = path.suffix.lower()
    if ending in (".wav", ".wave"):
        return open_waves(path, settings, unit=unit, full_scale=full_scale)
    if ending in _TABLES:
        return [_as_wave(signal, settings) for signal in read_table(path, settings, unit=unit, rate=rate)]
    if ending in _DATABASES:
        return read_readings(env, (), float("-inf"), float("inf"), path=path)
    raise InputError(f"{path}: is no .wav, {', '.join(_TABLES)} or {', '.join(_DATABASES)}")


def series_in_files(
    sheets: Sequence[Sheet], tags: Sequence[str], start: float, end: float, env: Env
) -> Iterator[Series]:
    """Columns of the tables that data sheets name, for other plugins: a station's file is as good as a log.

    :param start: seconds of the plant's wall clock, with `end` a half-open span.
    :raises InputError: a file cannot be read and none has what is asked for.
    """
    folder, wanted = machines_path(env.home, env.settings.maintenance).parent, set(tags)
    problem: Exception | None = None
    files = dict.fromkeys(own for sheet in sheets for own in sheet.signals if own.file is not None)
    for own in (own for own in files if own.file is not None and own.file.suffix.lower() in _TABLES):
        if not wanted:
            return
        try:
            signals = _from_file(folder, own, env)
        except (InputError, OSError) as error:
            problem = error
            continue
        for signal in signals:
            if isinstance(signal, Signal) and signal.dated and signal.name in wanted:
                wanted.discard(signal.name)
                at = np.argsort(signal.times, kind="stable")
                at = at[(signal.times[at] >= start) & (signal.times[at] < end) & np.isfinite(signal.values[at])]
                yield Series(signal.name, signal.unit, signal.times[at], signal.values[at], signal.source, len(at))
    if problem is not None and wanted == set(tags):
        raise InputError(str(problem))


def _of_tags(env: Env, tags: Sequence[str], start: float, end: float, series: SeriesReader | None) -> list[Signal]:
    if series is None:
        return read_readings(env, tags, start, end)
    zone = env.now().tzinfo
    first, last = (datetime.fromtimestamp(at, UTC).replace(tzinfo=zone) for at in (max(start, 0.0), end))
    return [
        Signal(one.name, one.unit, one.at, one.values, source=one.source)
        for one in series(tags, first, last + timedelta(seconds=1))
    ]


def _from_file(folder: Path, own: SignalSheet, env: Env) -> list[Signal | Wave]:
    path = folder / (own.file or "")
    signals = read_file(path, env, unit=own.unit, full_scale=own.full_scale)
    return [_named(signal, own, alone=len(signals) == 1) for signal in signals]


def _named(signal: Signal | Wave, own: SignalSheet | None, *, alone: bool = True) -> Signal | Wave:
    """As the data sheet calls it."""
    if own is None:
        return signal
    return replace(signal, name=(own.name if alone else "") or signal.name, unit=own.unit or signal.unit)


def _as_wave(signal: Signal, settings: MaintenanceSettings) -> Signal | Wave:
    rate = uniform_rate(signal)
    if rate < _WAVE_RATE_HZ or to_millimetres(signal.unit) is None:
        return signal
    values: Array = signal.values[: settings.wave_samples]
    start = float(signal.times[0]) if signal.dated else 0.0

    def blocks(size: int) -> list[Array]:
        return [values[i : i + size] for i in range(0, len(values), size)]

    return Wave(
        signal.name,
        signal.unit,
        rate,
        len(values),
        lambda size: iter(blocks(size)),
        signal.source,
        start=start,
        skipped=signal.skipped,
    )
