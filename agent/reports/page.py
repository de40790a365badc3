"""A report as one HTML file: no script, nothing fetched, drawings inside; made for screen, phone and paper."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from agent.reports.outline import Outline, drawings, outline
from agent.reports.report import Report
from agent.reports.risk import RISK_WORDS
from agent.reports.svg import to_svg
from agent.reports.words import WORDS
from agent.settings import ReportSettings

__all__ = ["to_html"]

_WIDTH = 380.0
"""Of a drawing: two stand side by side on a screen, and one fills a phone so that its text can be read."""


def to_html(report: Report, settings: ReportSettings) -> str:
    """The whole file; whatever came from a log or a manual is escaped."""
    charts = {}
    for language in report.languages:
        scenes = drawings(report, language, settings, half=_WIDTH, whole=_WIDTH)
        charts[language] = [Markup(to_svg(scene)) for scene in scenes]

    def word(name: str, page: Outline) -> str:
        return WORDS[name][page.language]

    return _template().render(
        pages=[outline(report, language) for language in report.languages],
        charts=charts,
        risk=report.risk,
        matrix=settings.matrix,
        w=word,
        risk_word=lambda page: report.risk.word[page.language],
        matrix_word=lambda row, column, page: RISK_WORDS[settings.matrix[row - 1][column - 1]][page.language],
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.j2")
