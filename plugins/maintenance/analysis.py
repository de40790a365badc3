"""What the signals of a machine say: each looked at by its kind, then held against the alarms of the same time.

signals → quality → figures → zone, frequencies (recordings) | direction, change, episodes, limits (series)
        → alarms inside an episode → findings, the gravest first
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from agent.api import AlarmEvent, Said, Spectrum, Trend, say
from agent.settings import MaintenanceSettings
from plugins.maintenance.machines import Sheet, SignalSheet
from plugins.maintenance.series import look_at_series
from plugins.maintenance.sources import Source
from plugins.maintenance.spectra import to_millimetres
from plugins.maintenance.values import Analysis, Episode, Features, Finding, Signal, Wave
from plugins.maintenance.waves import look_at_wave, zone_finding
from plugins.maintenance.wording import at, joined
from plugins.maintenance.zones import Zones

__all__ = ["analyse", "wall_seconds"]

_SHOWN_TEXTS = 3
_BEFORE_SECONDS = 3_600.0
"""An alarm so long before an episode belongs to it."""


@dataclass(slots=True)
class _Gathered:
    features: list[Features]
    findings: list[Finding]
    episodes: dict[str, tuple[Episode, ...]]
    trends: list[Trend]
    spectra: list[Spectrum]
    missing: list[Said]


def analyse(
    machine: Sheet,
    signals: Sequence[Source],
    events: Sequence[AlarmEvent],
    now: datetime,
    *,
    zones: Zones,
    settings: MaintenanceSettings,
    period: timedelta = timedelta(days=7),
) -> Analysis:
    """Look at everything; a signal that cannot be read to its end is told as missing.

    :param now: the plant's clock; its offset is left aside, as times of signals are wall clock.
    :param period: up to now; readings before it show what is usual.
    """
    end = wall_seconds(now)
    span = (end - period.total_seconds(), end)
    gathered = _Gathered([], [], {}, [], [], [])
    if not signals:
        gathered.missing.append(say("没有这台设备的信号", "no signal of this machine"))
    for number, source in enumerate(signals, start=1):
        sid, signal = f"S{number}", source.signal
        try:
            if isinstance(signal, Wave):
                _add_wave(gathered, signal, sid, source.sheet, machine, zones, settings)
            else:
                _add_series(gathered, signal, sid, source.sheet, machine, zones, span, settings)
        except OSError as error:
            why = f"{signal.source}: {error.strerror or 'cannot be read'}"
            gathered.missing.append(say(why, why))
    gathered.findings += _coinciding(gathered, events, {f"S{n}": s.signal.name for n, s in enumerate(signals, start=1)})
    ranked = sorted(gathered.findings, key=lambda finding: (not finding.present, -finding.severity))
    return Analysis(
        machine.name,
        tuple(gathered.features),
        tuple(ranked),
        gathered.episodes,
        tuple(gathered.trends),
        tuple(gathered.spectra),
        tuple(gathered.missing),
    )


def wall_seconds(moment: datetime) -> float:
    """Seconds since 1970 of a clock's face."""
    return moment.replace(tzinfo=UTC).timestamp()


def _add_wave(
    gathered: _Gathered,
    wave: Wave,
    sid: str,
    own: SignalSheet | None,
    machine: Sheet,
    zones: Zones,
    settings: MaintenanceSettings,
) -> None:
    speed = (own.speed_rpm if own else 0.0) or machine.speed_rpm
    look = look_at_wave(wave, sid, machine, speed, zones, settings)
    gathered.features.append(look.features)
    gathered.findings += look.findings
    gathered.missing += look.missing
    gathered.spectra += look.spectra


def _add_series(
    gathered: _Gathered,
    signal: Signal,
    sid: str,
    own: SignalSheet | None,
    machine: Sheet,
    zones: Zones,
    span: tuple[float, float],
    settings: MaintenanceSettings,
) -> None:
    if not signal.dated and len(signal.times):  # nobody knows when it was: all of it is told
        span = (float("-inf"), float("inf"))
    look = look_at_series(signal, sid, own, span, settings)
    gathered.features.append(look.features)
    gathered.findings += look.findings
    gathered.episodes[sid] = look.episodes
    trend, unit = look.trend, to_millimetres(signal.unit)
    zone_class, usual = zones.of(machine.zone_class), look.features.value("median")
    if zone_class is not None and usual is not None and unit is not None and unit[1] == 0:
        gathered.findings.append(zone_finding(signal.name, sid, usual * unit[0], zone_class, zones))
        if trend is not None and unit[0] == 1:
            trend = replace(trend, levels=(*trend.levels, *zones.levels(zone_class)), quantity="vibration")
    if trend is not None:
        gathered.trends.append(trend)


def _coinciding(gathered: _Gathered, events: Sequence[AlarmEvent], names: dict[str, str]) -> list[Finding]:
    """Alarms that came while a series stood out."""
    found = []
    for sid, episodes in gathered.episodes.items():
        for episode in episodes:
            inside = [
                event for event in events if episode.start - _BEFORE_SECONDS <= wall_seconds(event.at) <= episode.end
            ]
            if not inside:
                continue
            common = Counter(event.text for event in inside).most_common(_SHOWN_TEXTS)
            listed = ", ".join(f"{text} ×{count}" for text, count in common)
            since = at(episode.start)
            line = say(
                f"{since} 起的异常期间有 {len(inside)} 条报警:{listed}",
                f"{len(inside)} alarms during the anomaly from {since}: {listed}",
            )
            figures = {"alarms": len(inside)}
            ids = (sid, *(event.id for event in inside[:_SHOWN_TEXTS]))
            found.append(
                Finding(
                    "anomaly.alarms", 1, joined(names[sid], line), figures, ids, start=episode.start, end=episode.end
                )
            )
    return found
