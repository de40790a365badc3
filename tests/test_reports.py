"""What a maintenance report promises: figures that are so, causes that are argued, quotes that exist."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from agent.bound import SchemaBound
from agent.claims import numbers_in
from agent.env import Env
from agent.errors import InputError, SettingsError
from agent.reports.alarms import alarm_figures
from agent.reports.causes import load_causes
from agent.reports.compose import ReportWriter
from agent.reports.curves import spectrum_chart, trend_chart
from agent.reports.files import keep_within, write_files
from agent.reports.glyphs import FONT_FILE, known_characters, shown_as
from agent.reports.page import to_html
from agent.reports.pdf import to_pdf
from agent.reports.readings import series_figures, signs_of
from agent.reports.report import Report
from agent.reports.risk import risk_of
from agent.reports.seen import summary_facts
from agent.reports.svg import to_svg
from agent.reports.values import Evidence, Machine
from agent.reports.wording import line_of, plain_line, wording_request
from agent.settings import ReportSettings
from agent.values import Language, Passage, say
from tests.reports_kit import END, PERIOD, PUMP, START, Plant, Writing, event, rich, trend

SETTINGS = ReportSettings()


def write(
    env: Env, plant: Plant, model: Writing | None = None, languages: tuple[Language, ...] = ("zh", "en")
) -> Report:
    return ReportWriter(env, plant.host(), model).write("P-7", PERIOD, languages)


def test_a_report_is_whole_by_rules_alone(env: Env) -> None:
    """Without a model: figures, causes, risk, quotes with their places, and it says who wrote it."""
    report = write(env, Plant())
    assert report.alarms.count == 5 and report.worded_by == report.chosen_by == "rules"
    assert {cause.id for cause in report.causes} >= {"overload", "bearing"}
    assert report.risk.level in ("high", "critical") and report.risk.consequence == 3
    quotes = [quote for action in report.actions for _, quote in action.quotes]
    assert quotes and all(quote.passage.citation.startswith("M") for quote in quotes)
    assert "5" in report.summary["en"]


def test_every_quote_stands_in_a_manual(env: Env) -> None:
    """Nothing is quoted that is not there word for word; where the manuals are silent, that is said."""
    plant = Plant()
    for action in write(env, plant).actions:
        for _, quote in action.quotes:
            source = quote.passage.text
            assert all(line.strip() in source for line in quote.text.splitlines())
    plant.passages = (Passage("M9", "x", "1", "Painting", 1, "Paint the fence:\n\n1. Take a brush.", "en"),)
    report = write(env, plant)
    assert all(not action.quotes for action in report.actions)
    assert "The manuals say nothing about it." in to_html(report, SETTINGS)


def test_the_line_at_the_head_is_made_of_facts_alone(env: Env) -> None:
    """A model leads with any of them, in any of their wordings; whatever else it says, the facts stand there."""
    kept = write(env, Plant(), Writing())
    assert kept.worded_by == "scripted" and kept.summary["en"].startswith("Overall the risk is ")
    assert "5 次" in kept.summary["zh"] and "5 alarms" not in write(env, Plant()).summary["zh"]
    for bad in ("本期报警 7 次。", "风险等级极高。", "5 alarms.", "", kept.summary["zh"].replace("5 次", "4 次")):
        report = write(env, Plant(), Writing([bad, kept.summary["en"]]))
        assert report.summary["zh"] == write(env, Plant()).summary["zh"], bad
        assert report.summary["en"] == kept.summary["en"] and report.worded_by == "rules"


def close(section: str, heading: str, step: str) -> Passage:
    """One of several passages that answer as well as each other."""
    return Passage(
        "M1", "泵手册", section, heading, 9, f"过载跳闸处理步骤:\n\n1. {step}。\n2. 复位后观察十分钟。", "zh"
    )


def test_a_quote_is_asked_for_only_where_several_come_close(env: Env) -> None:
    """A section named after the alarm leaves no choice; of two alike the model's stands, or the first by rules."""
    model = Writing(pick="B")
    assert write(env, Plant(), model, ("zh",)).chosen_by == "rules" and not model.picks()
    plant = Plant(passages=(close("6.2", "电机跳闸", "断电上锁挂牌"), close("6.3", "热继电器跳闸", "检查热继电器")))
    chosen = write(env, plant, model, ("zh",))
    assert chosen.chosen_by == "scripted" and "检查热继电器" in chosen.actions[0].quotes[0][1].text
    for nonsense in ("?", "Q"):
        report = write(env, plant, Writing(pick=nonsense), ("zh",))
        assert report.chosen_by == "rules" and "断电上锁挂牌" in report.actions[0].quotes[0][1].text
    silent = write(env, plant, Writing(pick="N"), ("zh",))
    assert silent.chosen_by == "scripted" and not any(a.quotes for a in silent.actions[:1])


def test_what_machines_share_is_asked_once(env: Env) -> None:
    """Ten machines with the same alarm and the same books make one question."""
    machines = tuple(replace(PUMP, name=f"P-{n}") for n in range(10))
    plant = Plant(
        passages=(close("6.2", "电机跳闸", "断电上锁挂牌"), close("6.3", "热继电器跳闸", "检查热继电器")),
        machines=machines,
    )
    model = Writing(pick="B")
    writer = ReportWriter(env, plant.host(), model)
    made = [report for _, report in writer.write_many([m.name for m in machines], PERIOD, ("zh",))]
    parts = [part.text for bound in model.picks() for part in bound.parts]
    assert parts and len(parts) == len(set(parts))
    assert all(isinstance(report, Report) and report.chosen_by == "scripted" for report in made)


def test_manuals_are_silent_only_where_they_are(env: Env) -> None:
    """A quote in one language stands on the page of the other too, and a list of steps once on a page."""
    plant = Plant(passages=tuple(p for p in Plant().passages if p.language == "zh"))
    report = write(env, plant)
    action = report.actions[0]
    assert {language for language, _ in action.quotes} == {"zh", "en"}
    page = to_html(write(env, Plant(evidence=replace(rich(), events=(event(1, 30, "过载跳闸"),)))), SETTINGS)
    assert page.count("Turn the shaft by hand") == 1


def test_a_machine_is_answered_from_its_own_book(env: Env) -> None:
    """Where its manual says something, others are not quoted; where it is silent, they are."""
    other = Passage("M5", "风机手册", "2.1", "过载跳闸", 3, "过载跳闸处理步骤:\n\n1. 松开皮带。\n2. 盘车。", "zh")
    plant = Plant(passages=(other, *Plant().passages), machines=(replace(PUMP, document="泵手册"),))
    report = write(env, plant, languages=("zh",))
    assert {q.passage.document for a in report.actions for _, q in a.quotes} == {"M1"}
    plant.passages = (other,)
    report = write(env, plant, languages=("zh",))
    assert {q.passage.document for a in report.actions for _, q in a.quotes} == {"M5"}


def test_floods_are_found_and_end(env: Env) -> None:
    """More than ten alarms in ten minutes is a flood, eleven spread over an hour is none; two floods are two."""
    burst = [event(n, 100 - n / 60) for n in range(11)] + [event(50 + n, 40 - n / 60) for n in range(13)]
    spread = [event(200 + n, 20 - n / 6) for n in range(11)]
    events = sorted([*burst, *spread], key=lambda e: e.at)
    found = alarm_figures(events, START, END, history_from=None, settings=SETTINGS).floods
    assert [flood.count for flood in found] == [11, 13]


def test_counts_belong_to_their_period() -> None:
    """The start belongs to it, the end does not; what came before is history, and its rate is over its own days."""
    events = [event(1, 24 * 7), event(2, 0), event(3, 24 * 8), event(4, 24 * 17)]
    events.sort(key=lambda e: e.at)
    figures = alarm_figures(events, START, END, history_from=START - timedelta(days=10), settings=SETTINGS)
    assert [e.id for e in figures.events] == ["E1"] and len(figures.history) == 2
    assert figures.expected == pytest.approx(1.4) and figures.between_hours == pytest.approx(168)


@given(st.lists(st.floats(0, 167.9), max_size=60), st.integers(0, 90))
def test_bars_and_days_add_up(hours: list[float], days: int) -> None:
    """Whatever comes: kinds and days sum to the alarms, no flood holds more than there are."""
    events = sorted((event(n, h, f"a{n % 4}") for n, h in enumerate(hours)), key=lambda e: e.at)
    figures = alarm_figures(events, START, END, history_from=START - timedelta(days=days), settings=SETTINGS)
    assert sum(bar.count for bar in figures.bars) == figures.count
    assert sum(count for _, count in figures.days) == figures.count + len(figures.history)
    assert all(flood.count <= figures.count for flood in figures.floods)


def test_a_direction_is_told_only_where_it_is_certain() -> None:
    """A climb is; noise, a constant, one point and nothing are not."""
    noise = np.random.default_rng(3).normal(10, 1, 200)
    climb = series_figures(trend(list(np.linspace(1, 5, 100))))
    assert climb is not None and climb.change == pytest.approx(4, rel=0.1)
    for values in (list(noise), [3.0] * 50, [3.0]):
        figures = series_figures(trend(values))
        assert figures is not None and figures.change is None
    assert series_figures(trend([])) is None
    assert series_figures(trend([1.0, float("nan")])) is None


def test_limits_are_counted_as_crossings() -> None:
    """Two visits beyond a limit are two, with their share; a limit that was kept speaks against causes."""
    figures = series_figures(trend([1, 5, 5, 1, 1, 6, 1, 1, 1, 1], high=4.5))
    assert figures is not None
    (crossing,) = figures.crossings
    assert (crossing.times, crossing.share, crossing.still) == (2, pytest.approx(0.3), False)
    assert [(s.key, s.present) for s in signs_of(figures)] == [("vibration.high", True)]
    kept = series_figures(trend([1, 2, 3], high=4.5))
    assert kept is not None and [(s.key, s.present) for s in signs_of(kept)] == [("vibration.high", False)]


def test_a_cause_needs_its_evidence(env: Env) -> None:
    """No sign, no alarm: no cause. Else its odds are the prior's times the ratios that are shown."""
    plant = Plant(evidence=Evidence(events=(event(1, 30, "门打开"),), history_from=START))
    assert write(env, plant).causes == ()
    plant.evidence = Evidence(events=(event(1, 30, "电机过载"),), history_from=START)
    (cause,) = [c for c in write(env, plant).causes if c.id == "overload"]
    odds = cause.prior / (1 - cause.prior)
    for reason in cause.reasons:
        odds *= reason.ratio
    assert cause.probability == pytest.approx(odds / (1 + odds)) and any("E1" in r.ids for r in cause.reasons)


def test_order_of_events_is_evidence(env: Env) -> None:
    """A trip minutes after a loss of the supply points at the supply; hours after it does not."""

    def chance(hours: float) -> float:
        events = (event(1, 30 + hours, "电源失电"), event(2, 30, "变频故障"))
        plant = Plant(evidence=Evidence(events=events, history_from=START))
        return next(c.probability for c in write(env, plant).causes if c.id == "supply-dip")

    assert chance(0.1) > 0.8 > chance(5)


def test_no_probability_is_certain(env: Env) -> None:
    """Rules and history are never surer than the settings allow."""
    assert all(c.probability <= SETTINGS.most_probability for c in write(env, Plant()).causes)


def test_the_table_of_causes_is_checked(tmp_path: Path) -> None:
    """The shipped table is sound; a wrong row of one's own is named with its place."""
    assert {row.id for row in load_causes().cause} >= {"bearing", "imbalance", "fouling", "cavitation", "overload"}
    wrong = tmp_path / "causes.toml"
    wrong.write_text('[[cause]]\nid = "x"\nzh = "x"\nen = "x"\nprior = 2\nsearch = {}\nwatch = {}\nevidence = []\n')
    with pytest.raises(SettingsError, match=r"cause\.0"):
        load_causes(wrong)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_causes(tmp_path / "none.toml")


def test_risk_follows_the_matrix() -> None:
    """Each cell is reached by its likelihood and consequence, and the grounds are told."""
    quiet = alarm_figures((), START, END, history_from=START, settings=SETTINGS)
    sign = rich().signs[0]
    for severity, row in ((0, 0), (1, 1), (2, 2), (3, 3)):
        for consequence in (1, 2, 3, 4):
            machine = replace(PUMP, consequence=consequence)
            risk = risk_of(machine, quiet, [replace(sign, severity=severity)], SETTINGS)
            assert risk.level == SETTINGS.matrix[row][consequence - 1] and risk.grounds


def test_unknown_machines_are_refused(env: Env) -> None:
    """A name that nothing knows is a slip; the message names what there is."""
    with pytest.raises(InputError, match="P-7"):
        ReportWriter(env, Plant().host(), None).write("P-77", PERIOD, ("zh",))
    with pytest.raises(InputError, match="empty"):
        ReportWriter(env, Plant().host(), None).write("  ", PERIOD, ("zh",))


def test_what_is_missing_is_said(env: Env) -> None:
    """No data, a locked log, no manuals: the report is made of the rest and says so."""
    plant = Plant(evidence=Evidence(), passages=())
    report = write(env, plant)
    assert report.alarms.count == 0 and report.causes == ()
    plant.locked = "log.db: locked by another program; close it"
    report = write(env, plant)
    assert not report.risk.known and report.summary["en"] == "The risk level is unknown."
    assert "<b>0</b>" not in to_html(report, SETTINGS), "a count of what could not be read is an invented figure"
    assert to_pdf(report, SETTINGS)
    lines = " ".join(line["en"] for line in report.missing)
    assert "locked by another program" in lines and "no measured values" in lines


def test_one_machine_that_fails_does_not_stop_the_others(env: Env) -> None:
    """In a batch each machine has a report or its error, in order."""
    writer = ReportWriter(env, Plant().host(), None)
    made = list(writer.write_many(["P-7", "nope", "P-7"], PERIOD, ("zh",)))
    assert [type(report).__name__ for _, report in made] == ["Report", "InputError", "Report"]


def test_the_page_runs_nothing_and_fetches_nothing(env: Env) -> None:
    """One file without script or address; text from the log cannot become markup."""
    nasty = "<script>alert(1)</script><img src=x onerror=y>\x00&"
    plant = Plant(evidence=replace(rich(), events=(event(1, 30, nasty), event(2, 20, nasty))))
    page = to_html(write(env, plant), SETTINGS)
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page
    assert not re.search(r"<[^>]*(?:src|href)=|url\(|https?://", page)
    assert page.count("<article") == 2 and page.count('class="chart"') == 8


def test_the_paper_holds_text_that_can_be_found(env: Env) -> None:
    """The PDF has Chinese as text, embeds its font, and a character that the font lacks shows as its number."""
    plant = Plant(evidence=replace(rich(), events=(event(1, 30, "过载跳闸🔥<b>&"),)))
    data = to_pdf(write(env, plant), SETTINGS)
    pdf = pypdfium2.PdfDocument(data)
    text = "".join("".join(page.get_textpage().get_text_range().splitlines()) for page in pdf)
    pdf.close()
    assert "七号泵 维护报告" in text and "过载跳闸[U+1F525]<b>&" in text and "断电上锁挂牌" in text
    assert b"/FontFile2" in data and len(data) < 300_000


@settings(deadline=None)
@example("x", "mm", 1e-45)
@given(st.text(max_size=60), st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_any_text_and_value_can_be_drawn(text: str, unit: str, value: float) -> None:
    """Whatever a log holds, both renderings are made."""
    odd = replace(trend([value, 0.0, value]), name=text, unit=unit)
    scene = trend_chart(odd, START, END, [event(1, 5, text)], "zh", width=400)
    assert "nan" not in to_svg(scene) and to_svg(scene).startswith("<svg")
    flat = replace(odd, values=np.array([value, np.nextafter(value, np.inf), value]))
    assert "nan" not in to_svg(trend_chart(flat, START, END, [], "zh", width=400))
    (spectrum,) = rich().spectra
    assert "<polyline" in to_svg(spectrum_chart(replace(spectrum, name=text), "en", width=300))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["过载", "振动高", "", 'a"b\\', "风险。", "7 次"]), min_size=0, max_size=6))
def test_every_line_says_every_fact(texts: list[str]) -> None:
    """However alarms are called: each line that may be said holds all numbers of the facts and no other."""
    events = [event(n, 20 + n, text) for n, text in enumerate(sorted(texts))]
    figures = alarm_figures(events, START, END, history_from=None, settings=SETTINGS)
    facts = summary_facts(figures, (), (), risk_of(PUMP, figures, (), SETTINGS))
    for language in ("zh", "en"):
        request = wording_request(facts, language, max_tokens=100)
        assert request is not None and isinstance(request.bound, SchemaBound)
        lines = request.bound.schema["enum"]
        assert isinstance(lines, list) and plain_line(facts)[language] in lines
        for line in lines:
            assert line_of(request, json.dumps(line)) == line
            told = {number for fact in facts for wording in fact for number in numbers_in(wording[language])}
            assert set(numbers_in(str(line))) <= told


def test_none_is_called_most_frequent_where_several_are(env: Env) -> None:
    """A tie has no winner, and one alarm is told in the singular."""
    tied = alarm_figures([event(1, 9, "a"), event(2, 8, "b")], START, END, history_from=None, settings=SETTINGS)
    line = plain_line(summary_facts(tied, (), (), risk_of(PUMP, tied, (), SETTINGS)))
    assert line["en"].startswith("2 alarms in this period, of 2 kinds;") and "最多" not in line["zh"]
    one = alarm_figures([event(1, 9, "a")], START, END, history_from=None, settings=SETTINGS)
    assert plain_line(summary_facts(one, (), (), risk_of(PUMP, one, (), SETTINGS)))["en"].startswith("1 alarm in this")


def test_files_are_whole_and_kept_within_a_bound(env: Env, tmp_path: Path) -> None:
    """Both formats under a safe name; beyond the bound the oldest go, but none that is waited for."""
    report = write(env, Plant())
    odd = replace(report, machine=Machine("../../etc/x y", say("x", "x")))
    files = write_files(odd, tmp_path, ("html", "pdf"), SETTINGS)
    assert [file.parent for file in files] == [tmp_path, tmp_path] and all(file.stat().st_size for file in files)
    other = write_files(report, tmp_path, ("html",), SETTINGS)
    (tmp_path / "mine.html").write_text("x")
    assert keep_within(tmp_path, 0, set(other)) == 2
    assert other[0].exists() and (tmp_path / "mine.html").exists()


def test_nothing_is_drawn_as_nothing() -> None:
    """No character that the font claims to have comes out empty, and what it lacks is said in others or by number."""
    font = ImageFont.truetype(str(FONT_FILE), 40)
    empty = [chr(c) for c in known_characters() if not chr(c).isspace() and font.getmask(chr(c)).getbbox() is None]
    assert [c for c in empty if unicodedata.category(c) != "Cf"] == []
    assert shown_as("80 ℃, 3 ㎜, 5 ㎥/h, Ⅴ, ∼") == "80 °C, 3 mm, 5 m3/h, V, ~" and shown_as("\U0001f525") == "[U+1F525]"


def test_five_thousand_alarms_are_still_a_report(env: Env) -> None:
    """Long lists end in a number, drawings do not grow with the log, and both files stay small."""
    name = "二次网循环水泵变频调速装置与上位机之间的通讯连接中断超时报警"
    events = tuple(event(n, 167 - n / 30, f"{name}{n % 60}", standing=n % 50 == 0) for n in range(5000))
    report = write(env, Plant(evidence=replace(rich(), events=events)))
    assert len(report.seen) < 25 and any("more alarms that still stand" in line.line["en"] for line in report.seen)
    assert all(len(reason.line["zh"]) < 200 for cause in report.causes for reason in cause.reasons)
    assert len(to_html(report, SETTINGS)) < 300_000 and len(to_pdf(report, SETTINGS)) < 300_000


def test_odd_series_are_drawn_or_named(env: Env) -> None:
    """One point is a dot, a constant a line; what holds no number is said to be missing, and counted nowhere."""
    bad = replace(trend([1.0, float("nan")]), id="S9", name="PT-9")
    one, flat = replace(trend([3.2]), id="S1"), replace(trend([0.0] * 40), id="S2", name="VT-8")
    report = write(env, Plant(evidence=Evidence(trends=(one, flat, bad), history_from=START)))
    assert [s.trend.id for s in report.series] == ["S1", "S2"]
    assert "PT-9" in " ".join(line["en"] for line in report.missing) and "PT-9" not in report.summary["en"]
    assert "No alarm in this period" in report.summary["en"]
    page = to_html(report, SETTINGS)
    assert not re.search(r"\bnan\b|\de-\d", page) and to_pdf(report, SETTINGS)
