"""Questions in other words: numbers as words, misspelt words, two series, changes, amounts; and files that lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.env import Env
from agent.errors import InputError
from agent.settings import LogSettings
from agent.tools import TurnView
from plugins.logs.database import LogDatabase
from plugins.logs.importing import import_csv
from plugins.logs.matching import find_terms, meant_by
from plugins.logs.numerals import with_digits
from plugins.logs.queries.asked import understand as understand_events
from plugins.logs.series.asked import understand
from plugins.logs.spelling import respelled
from plugins.logs.sql_tool import SqlTool
from plugins.logs.tools import LogTools
from tests.bench.series_plants import draw_plants
from tests.bench.series_questions import written

Said = Callable[[str, str], str]
START = "time,supply temp,return temp,energy\n"
ROWS = [(f"2024-03-0{d} {h:02}:00", 6 + h / 10, 11 + h / 4, 10 * d) for d in range(4, 8) for h in range(24)]


@pytest.fixture
def said(env: Env, tmp_path: Path) -> Said:
    """What a log tool answers, in English."""
    source = tmp_path / "hall.csv"
    source.write_text(START + "".join(f"{','.join(map(str, row))}\n" for row in ROWS), encoding="utf-8")
    import_csv(source, env.log_path, env.settings.logs)
    tools = {tool.name: tool for tool in LogTools(env).tools()}

    def ask(question: str, tool: str = "series_statistics") -> str:
        asked = tools[tool].asked
        assert asked is not None and asked(question), question
        view = TurnView(question, "en", datetime(2024, 3, 9, tzinfo=UTC), None)
        result = tools[tool].run({"asked": question}, view)
        return " | ".join([*(note["en"] for note in result.notes), *(record.line["en"] for record in result.records)])

    return ask


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("大于一百二十的", "大于120的"), ("一千二百零五", "1205"), ("一百二", "120"), ("三万五", "35000"),
        ("负十", "-10"), ("二十三点六", "23.6"), ("above forty eight", "above 48"),
        ("one hundred and twenty five", "125"), ("minus two point five", "-2.5"),
    ],
)  # fmt: skip
def test_numbers_as_words(text: str, digits: str) -> None:
    """A limit may be written out, in either language."""
    assert with_digits(text) == digits


@pytest.mark.parametrize(
    "text", ["一号泵", "one of the pumps", "有一点高", "百分之几", "十点到十一点", "二月三日", "two days"]
)
def test_what_is_no_number_stays(text: str) -> None:
    """Names, times and turns of phrase are left as they are."""
    assert with_digits(text) == text


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=60))
def test_any_text_has_its_digits(text: str) -> None:
    """No text breaks the reading of numbers or of spelling."""
    respelled(with_digits(text), {"median", "average"})
    understand(text)


def test_misspelt_words() -> None:
    """One letter more, less, other or in its neighbour's place; names with digits and words of two meanings stay."""
    assert respelled("averge medain maximun p1ump", {"average", "median", "maximum", "p2ump"}) == (
        "average median maximum p1ump"
    )
    assert respelled("abcde", {"abcdf", "abcdg"}) == "abcde"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("By how much is the return temp higher than the supply temp on average?", "mean 6.725"),
        ("Which has the higher mean, supply temp or return temp?", "higher mean: return temp, by 6.725"),
        ("When was the return temp below the supply temp?", "return temp was never below supply temp"),
        ("correlation of supply and return temp", "correlation (Pearson): 1"),
        ("biggest rise in supply temp from one reading to the next", "largest rise from one value to the next: 0.1"),
        ("How much did the energy change from start to end?", "changed by 30 from the first"),
        ("rate of change of the supply temp per hour on 2024-03-05", "0.1 per h"),
        ("total energy used on 2024-03-06", "sum: 1440"),
        ("which day used the most energy?", "2024-03-07, 1680"),
        ("on which weekday is the energy use highest?", "星期四 (Thursday)"),
        ("top 2 highest return temp readings", "16.75 at 2024-03-05"),
        ("averge supply temprature", "mean: 7.15"),
        ("How many readings of the return temp exceed sixteen?", ": 12 of 96"),
    ],
)  # fmt: skip
def test_answers_in_other_words(said: Said, question: str, expected: str) -> None:
    """Each is understood as meant, and computed from the values."""
    assert expected in said(question)


def test_of_one_series_there_is_no_correlation(said: Said) -> None:
    """A relation that cannot be computed is not answered by something else."""
    with pytest.raises(AssertionError):
        said("What is the correlation of the supply temp?")


def test_several_values_and_names_are_told_apart(env: Env, tmp_path: Path) -> None:
    """Two areas, or two alarms, are two questions; a heading may be called by its other names."""
    source = tmp_path / "alarms.csv"
    source.write_text(
        "time,Source tag,Description,Area,设备\n"
        + "".join(
            f"2024-03-04 {h:02}:00,T{h % 3},{'Low oil' if h % 4 else 'High oil'},{'AB'[h % 2]}x,p{h % 2}\n"
            for h in range(12)
        ),
        encoding="utf-8",
    )
    import_csv(source, env.log_path, env.settings.logs)
    tool = next(tool for tool in LogTools(env).tools() if tool.name == "event_statistics")
    view = TurnView("", "en", datetime(2024, 3, 9, tzinfo=UTC), None)
    notes = tool.run({"asked": "How many alarms were there in Ax and Bx?"}, view).notes
    assert [note["en"].rsplit(": ", 1)[1] for note in notes] == ["6 events", "6 events"]
    notes = tool.run({"asked": "Low oil 和 High oil 哪个更多?"}, view).notes
    assert sorted(note["en"].rsplit(": ", 1)[1] for note in notes) == ["3 events", "9 events"]
    log = LogDatabase(env.log_path, env.settings.logs)
    assert log.names("tag") == ["T0", "T1", "T2"]
    asked = understand_events("which equipment has the most alarms?", log)
    assert asked is not None and asked.columns == ("设备",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("time," + ",".join(f"c{i}" for i in range(20_000)) + "\n2024-01-01,1\n", "first line is longer than"),
        ("time,level\n\n", "no row stands under its headings"),
        ("", "it is empty"),
        ("\x00" * 500, "it is empty"),
    ],
)
def test_no_table(tmp_path: Path, content: str, why: str) -> None:
    """A file that holds no table is refused in one line that says so."""
    source = tmp_path / "bad.csv"
    source.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=why):
        import_csv(source, tmp_path / "log.db", LogSettings())


def test_not_a_number_is_no_value(tmp_path: Path) -> None:
    """NaN and infinities make a column no less a signal, and are counted, not stored."""
    source = tmp_path / "nan.csv"
    cells = ("nan", "inf", "-Infinity", "NaN", "#DIV/0!", "4.5")
    source.write_text(
        "time,flow\n" + "".join(f"2024-01-01 00:0{i},{c}\n" for i, c in enumerate(cells)), encoding="utf-8"
    )
    report = import_csv(source, tmp_path / "log.db", LogSettings())
    assert (report.kind, report.added, report.odd["value missing"]) == ("signals", 1, 5)


def test_a_quote_that_nobody_closed(tmp_path: Path) -> None:
    """It swallows rows, and the report says where."""
    source = tmp_path / "quote.csv"
    source.write_text('time,text\n2024-01-01 00:00,"open\n' + "2024-01-01 00:01,x\n" * 200, encoding="utf-8")
    report = import_csv(source, tmp_path / "log.db", LogSettings())
    assert [line for reason, line in report.examples.items() if "quote" in reason] == [[2]]


def test_a_name_beyond_the_list(tmp_path: Path) -> None:
    """A log with more names than are looked through still knows each as it is written."""
    source = tmp_path / "many.csv"
    rows = "".join(f"2024-01-01 00:00:00,T-{i:05},Fault code {i:05}\n" for i in range(3_000))
    source.write_text("time,tag,text\n" + rows, encoding="utf-8")
    few = LogSettings(max_names=1_000)
    import_csv(source, tmp_path / "log.db", few)
    log = LogDatabase(tmp_path / "log.db", few)
    assert [term.value for term in find_terms("How often did Fault code 02999 occur?", log)] == ["Fault code 02999"]
    assert [term.value for term in find_terms("T-02999 报警多少次?", log)] == ["T-02999"]
    assert meant_by("T-02999", log).tags == ("T-02999",) and meant_by("Fault code 02999", log).texts
    assert not find_terms("T-99999'; DROP TABLE events; -- 报警多少次?", log)


def test_written_questions_have_answers(tmp_path: Path) -> None:
    """Every question of the set has facts that were computed from the file's rows; a third is kept back."""
    draw_plants(tmp_path)
    looked_at, held = (written(tmp_path, which) for which in ("open", "held"))
    assert len(looked_at) + len(held) >= 120 and len(held) * 3 >= len(looked_at)
    assert all(one.answer for one in [*looked_at, *held])


def test_sql_is_never_the_first_choice(env: Env, tmp_path: Path) -> None:
    """Of twenty questions about one file each is claimed by a typed tool, which is then offered alone: `sql` is not."""
    draw_plants(tmp_path)
    import_csv(tmp_path / "kiln.csv", env.log_path, env.settings.logs)
    logs = env.settings.logs.model_copy(update={"sql": True})
    allowed = replace(env, settings=env.settings.model_copy(update={"logs": logs}))
    tools = [*LogTools(allowed).tools(), *SqlTool(allowed).tools()]
    assert "sql" in {tool.name for tool in tools}
    questions = [one.question for one in written(tmp_path, "open") if one.file.name == "kiln.csv"][:20]
    assert len(questions) == 20
    for question in questions:
        claimed = [tool.name for tool in tools if tool.asked is not None and tool.asked(question)]
        assert claimed == ["series_statistics"], question
