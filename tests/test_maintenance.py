"""A machine's condition from its data sheet to the answer: the tool, the report's evidence, the command, the doctor."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from agent.env import Env
from agent.errors import InputError, ToolFailed
from agent.reports.values import AlarmEvent
from agent.times import Period
from agent.tools import Tool, TurnView
from plugins import maintenance
from plugins.maintenance.analysis import analyse
from plugins.maintenance.commands import add_commands
from plugins.maintenance.machines import Sheet
from plugins.maintenance.sources import Source, sources_of
from plugins.maintenance.tools import sheets_of
from plugins.maintenance.values import Signal
from plugins.maintenance.zones import load_zones
from tests.bench.detection import counted, nab_score
from tests.bench.drawn_series import draw
from tests.wave_drawings import SETTINGS, Array, shaking, write_wav

EXAMPLE = Path(__file__).parent.parent / "deploy" / "example"
NOW = datetime(2024, 12, 15, 20, 50)
VIEW = TurnView("", "zh", NOW, None)


@pytest.fixture
def plant(env: Env) -> Env:
    """The example plant's machines and signals."""
    shutil.copy(EXAMPLE / "machines.toml", env.home.folder)
    shutil.copytree(EXAMPLE / "signals", env.home.folder / "signals")
    return env


def named(tools: Iterable[Tool]) -> Tool:
    (tool,) = tools
    return tool


def series(times: Array, values: Array) -> Signal:
    return Signal("FT-1", "m3/h", times, values)


def run(env: Env, *words: str) -> tuple[int, str]:
    """`watchkeeper signals …`."""
    cli = typer.Typer()

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env

    add_commands(cli)
    result = CliRunner().invoke(cli, ["signals", *words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_the_tool_tells_what_is_wrong_with_a_machine(plant: Env) -> None:
    """The damaged pump's race, its rising temperature and its warm night are told with figures, in both languages."""
    tool = named(maintenance.register_tools(plant, None))
    assert tool.risk == "read"
    result = tool.run({"machine": "循环泵P1"}, VIEW)
    keys = {record.fields["key"] for record in result.records}
    assert {"bearing.outer", "anomaly.high"} <= keys
    assert all(record.line["zh"] and record.line["en"] for record in result.records)
    assert "2024-12-08 20:50" in result.notes[0]["en"]


def test_the_tool_has_nothing_to_say_against_a_good_machine(plant: Env) -> None:
    """The sound pump has no finding but what was looked for and is not there."""
    result = named(maintenance.register_tools(plant, None)).run({"machine": "循环泵P2"}, VIEW)
    assert result.records == ()


def test_a_machine_or_a_time_that_nobody_knows_is_refused(plant: Env) -> None:
    """Neither is guessed."""
    tool = named(maintenance.register_tools(plant, None))
    for arguments in ({"machine": "nowhere"}, {"machine": "循环泵P1", "period": "when the moon is blue"}):
        with pytest.raises(ToolFailed):
            tool.run(arguments, VIEW)


def test_no_machines_no_tool(env: Env) -> None:
    """A box without data sheets is not slowed down by a tool that can say nothing."""
    assert list(maintenance.register_tools(env, None)) == []
    assert [f.ok for f in maintenance.check_health(env)] == [True]


def test_a_machine_is_found_in_a_question(plant: Env) -> None:
    """By its name or by its title, in either language."""
    for question in ("循环泵P1 的振动正常吗?", "How is circulation pump 1 doing?"):
        assert [term.value for term in maintenance.find_terms(question, plant)] == ["循环泵P1"]
    assert list(maintenance.find_terms("What is the weather?", plant)) == []


def test_the_tool_is_offered_where_a_machine_is_named(plant: Env) -> None:
    """It costs no other question anything: a machine's name and a word for its condition are both needed."""
    asked = named(maintenance.register_tools(plant, None)).asked
    assert asked is not None
    assert asked("循环泵P1 的轴承怎么样?") and asked("What is the condition of circulation pump 1?")
    assert not asked("轴承怎么样?") and not asked("循环泵P1 什么时候报警?")


def test_flaws_before_the_period_are_not_told(plant: Env) -> None:
    """A pause weeks ago is no news of this week."""
    machine = next(m for m in maintenance.report_machines(plant) if m.name == "循环泵P1")
    spans = [Period("", NOW - timedelta(days=days), NOW) for days in (7, 60)]
    week, whole = (maintenance.report_evidence(machine, span, plant, None) for span in spans)
    assert week is not None and whole is not None
    assert "quality.gaps" not in {sign.key for sign in week.signs}
    assert "quality.gaps" in {sign.key for sign in whole.signs}


def test_the_report_gets_signs_trends_and_spectra(plant: Env) -> None:
    """Everything that was found goes into the report, what was looked for and is not there included."""
    machine = next(m for m in maintenance.report_machines(plant) if m.name == "循环泵P1")
    evidence = maintenance.report_evidence(machine, Period("", NOW - timedelta(days=7), NOW), plant, None)
    assert evidence is not None
    signs = {sign.key: sign.present for sign in evidence.signs}
    assert signs["bearing.outer"] and not signs["bearing.inner"]
    assert len(evidence.trends) == 2 and all(len(t.at) == len(t.values) > 300 for t in evidence.trends)
    spectrum, envelope = evidence.spectra
    assert any(abs(peak.hertz - 1480 / 60) < 0.5 for peak in spectrum.peaks)
    assert "BPFO" in envelope.peaks[0].name["en"] and abs(envelope.peaks[0].hertz - 88) < 1


def test_a_source_that_cannot_be_read_is_told_and_the_rest_is_used(plant: Env) -> None:
    """A missing recording does not hide the readings."""
    (plant.home.folder / "signals" / "p1-drive-end.wav").unlink()
    machine = next(m for m in maintenance.report_machines(plant) if m.name == "循环泵P1")
    evidence = maintenance.report_evidence(machine, Period("", NOW - timedelta(days=7), NOW), plant, None)
    assert evidence is not None and evidence.trends
    assert any("p1-drive-end.wav" in said["en"] for said in evidence.missing)


def test_a_data_sheet_that_is_not_sound_is_told_by_the_doctor(plant: Env) -> None:
    """And a zone class that is in no table too."""
    path = plant.home.folder / "machines.toml"
    path.write_text("[[machine]]\nname = 'a'\nzone_class = 'huge'\n")
    (finding,) = maintenance.check_health(plant)
    assert not finding.ok and "zone_class" in finding.text
    path.write_text("[[machine")
    (finding,) = maintenance.check_health(plant)
    assert not finding.ok and "machines.toml" in finding.text
    assert list(maintenance.register_tools(plant, None)) == []


def test_alarms_inside_an_episode_belong_to_it() -> None:
    """Alarms that came while a series stood out are told with it, the others are not."""
    drawn = draw("wander", "down", 1)
    start = datetime(1970, 1, 1) + timedelta(seconds=(drawn.window[0] + drawn.window[1]) / 2)
    events = [AlarmEvent("E1", start, "P", "low flow"), AlarmEvent("E2", start - timedelta(days=10), "P", "old")]
    signal = series(drawn.times, drawn.values)
    end = datetime(1970, 1, 1) + timedelta(seconds=float(drawn.times[-1]))
    zones = load_zones(SETTINGS)
    found = analyse(
        Sheet(name="x"), [Source(signal)], events, end, zones=zones, settings=SETTINGS, period=timedelta(days=90)
    )
    (told,) = [finding for finding in found.findings if finding.key == "anomaly.alarms"]
    assert told.evidence == ("S1", "E1")


def test_the_command_checks_a_recording(plant: Env, tmp_path: Path) -> None:
    """Figures as text and as JSON; options that make no sense are refused."""
    path = write_wav(tmp_path / "pump.wav", shaking("outer"), 50.0)
    options = ("--unit", "m/s2", "--full-scale", "50", "--machine", "循环泵P1")
    code, text = run(plant, "check", str(path), *options)
    assert code == 0 and "BPFO" in text
    code, text = run(plant, "check", str(path), *options, "--json")
    found = json.loads(text)
    assert {f["key"] for f in found["findings"] if f["present"] and f["severity"] == 2} == {"bearing.outer"}
    for wrong in (("--rpm", "-5"), ("--full-scale", "0"), ("--machine", "none")):
        with pytest.raises(InputError):
            run(plant, "check", str(path), *wrong)


def test_the_command_checks_a_table_in_chinese(plant: Env) -> None:
    """Every column is a signal, with the times of its anomalies."""
    code, text = run(plant, "check", str(EXAMPLE / "signals" / "p1-readings.csv"), "--lang", "zh")
    assert code == 0
    assert "P1 轴承温度" in text and "高于平常" in text


def test_signals_come_from_files_and_tags(plant: Env) -> None:
    """Tags without a log are told as missing; files are read all the same."""
    sheet = next(s for s in sheets_of(plant) if s.name == "循环泵P2")
    found, missing = sources_of(sheet, plant, 0, 4e9)
    assert [source.signal.unit for source in found] == ["m/s2"]
    assert "no such log" in missing[0]["en"]


def test_the_score_counts_as_published() -> None:
    """NAB's profile: everything at once is 100, silence 0, a late find less, a false alarm costs."""
    times: Array = np.arange(10_000.0)
    windows = [(4_000.0, 5_000.0), (7_000.0, 8_000.0)]
    early = [(4_000.0, 4_000.0, 4_100.0), (7_000.0, 7_000.0, 7_100.0)]
    late = [(4_900.0, 4_990.0, 4_995.0), (7_900.0, 7_990.0, 7_995.0)]
    wrong = [*early, (2_000.0, 2_000.0, 2_001.0)]
    assert nab_score(times, early, windows) == pytest.approx(100, abs=0.1)
    assert nab_score(times, [], windows) == 0
    assert 50 < nab_score(times, late, windows) < 60
    assert nab_score(times, wrong, windows) == pytest.approx(100 - 100 * 0.11 / 4, abs=0.1)
    assert counted(wrong, windows) == (2, 1)
