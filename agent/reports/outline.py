"""A report in one language as an outline that both renderings follow: tiles, drawings, sections, lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.quotes import Quote
from agent.reports.causes import Cause, Reason
from agent.reports.charts import calendar, pareto
from agent.reports.curves import spectrum_chart, trend_chart
from agent.reports.numbers import lasting, rough
from agent.reports.report import Report
from agent.reports.scene import Scene
from agent.reports.words import WORDS
from agent.settings import ReportSettings
from agent.values import Language

__all__ = ["CauseView", "Outline", "QuoteView", "Tile", "drawings", "outline"]


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that is seen first."""

    name: str
    value: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class CauseView:
    """A cause and why."""

    name: str
    percent: int
    grounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuoteView:
    """An action: its topic and the quotes, each with its source."""

    topic: str
    quotes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """All text of one language."""

    language: Language
    title: str
    plant: str
    period: str
    made: str
    summary: str
    tiles: tuple[Tile, ...]
    seen: tuple[tuple[str, bool], ...]
    """Line, and whether it is grave."""
    causes: tuple[CauseView, ...]
    grounds: tuple[str, ...]
    actions: tuple[QuoteView, ...]
    watch: tuple[str, ...]
    missing: tuple[str, ...]
    by: str


def outline(report: Report, language: Language) -> Outline:
    """The text."""
    return Outline(
        language=language,
        title=report.title[language],
        plant=report.plant,
        period=f"{report.start:%Y-%m-%d %H:%M} – {report.end:%Y-%m-%d %H:%M}",
        made=f"{report.made_at:%Y-%m-%d %H:%M}",
        summary=report.summary[language],
        tiles=_tiles(report, language),
        seen=tuple((_cited(line.line[language], line.ids), line.grave) for line in report.seen),
        causes=tuple(_cause(cause, language) for cause in report.causes),
        grounds=tuple(ground[language] for ground in report.risk.grounds),
        actions=_actions(report, language),
        watch=tuple(line[language] for line in report.watch),
        missing=tuple(line[language] for line in report.missing),
        by=_by(report, language),
    )


def drawings(
    report: Report, language: Language, settings: ReportSettings, *, half: float, whole: float, height: float = 220.0
) -> list[Scene]:
    """The pictures.

    :param half: width of those that may stand side by side; the first two, or none.
    :param whole: width of the others, `height` their height.
    """
    scenes: list[Scene] = []
    if report.alarms.events:
        scenes.append(pareto(report.alarms, language, settings, width=half))
    if report.alarms.events or report.alarms.history:
        scenes.append(calendar(report.alarms, report.start, report.end, language, width=half))
    for figures in report.series:
        scenes.append(
            trend_chart(
                figures.trend, report.start, report.end, report.alarms.events, language, width=whole, height=height
            )
        )
    scenes += [spectrum_chart(spectrum, language, width=whole, height=height) for spectrum in report.spectra]
    return scenes


def _tiles(report: Report, language: Language) -> tuple[Tile, ...]:
    alarms = report.alarms
    tiles = [Tile(WORDS["alarms"][language], str(alarms.count) if report.has_log else "–")]
    if alarms.expected is not None:
        tiles.append(Tile(WORDS["expected"][language], f"{alarms.expected:.1f}"))
    if alarms.between_hours is not None:
        value, _, unit = lasting(alarms.between_hours)[language].partition(" ")
        tiles.append(Tile(WORDS["between"][language], value, unit))
    if alarms.cleared_minutes is not None:
        tiles.append(Tile(WORDS["cleared"][language], rough(alarms.cleared_minutes), WORDS["minutes"][language]))
    if alarms.count:
        tiles.append(Tile(WORDS["standing"][language], str(len(alarms.standing))))
    return tuple(tiles)


def _actions(report: Report, language: Language) -> tuple[QuoteView, ...]:
    """Topics with the same quotes together, so that a list of steps stands once; last those without any."""
    merged: dict[tuple[tuple[str, str], ...], QuoteView] = {}
    for action in report.actions:
        topic = action.topic[language]
        quotes = tuple((quote.text, _source(quote, language)) for spoken, quote in action.quotes if spoken == language)
        before = merged.get(quotes)
        merged[quotes] = QuoteView(f"{before.topic} · {topic}" if before else topic, quotes)
    return tuple(sorted(merged.values(), key=lambda view: not view.quotes))


def _cause(cause: Cause, language: Language) -> CauseView:
    prior = f"{WORDS['prior'][language]} {cause.prior:.0%}"
    return CauseView(
        cause.name[language],
        round(cause.probability * 100),
        (prior, *(_ground(reason, language) for reason in cause.reasons)),
    )


def _ground(reason: Reason, language: Language) -> str:
    return f"×{reason.ratio:g} {_cited(reason.line[language], reason.ids)}"


def _cited(line: str, ids: Sequence[str]) -> str:
    return f"{line} {''.join(f'[{one}]' for one in ids)}".rstrip()


def _source(quote: Quote, language: Language) -> str:
    passage = quote.passage
    page = f", {WORDS['page'][language]} {passage.page}" if passage.page else ""
    return f"{quote.citation} · {passage.title} · {passage.heading}{page}"


def _by(report: Report, language: Language) -> str:
    if report.chosen_by == report.worded_by == "rules":
        return WORDS["by_rules"][language]
    said = [WORDS["by_computed"][language]]
    for name, rung in (("by_chosen", report.chosen_by), ("by_worded", report.worded_by)):
        said += [WORDS[name][language].format(rung=rung)] if rung != "rules" else []
    return ";".join(said) + "。" if language == "zh" else "; ".join(said) + "."
