"""The manuals plugin: whole sections with their place, readings against limits, names in a question, the kb command."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import typer
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from agent.env import Env, load_env
from agent.errors import ManualError, ToolFailed
from agent.perception import Perception, Reading
from agent.tools import Tool, TurnView
from agent.values import Language, ToolResult
from knowledge.store import StoredLimit
from plugins import manuals
from plugins.manuals.limits import compare, limits_for

PLANT_CLOCK = datetime(2024, 12, 15, 20, 50)
EXAMPLE = Path(__file__).parent.parent / "deploy" / "example"


@pytest.fixture
def blank(tmp_path: Path) -> Env:
    return load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})


@pytest.fixture
def plant(blank: Env) -> Env:
    assert command(blank, "kb", "add", str(EXAMPLE / "manuals")).exit_code == 0
    return blank


def command(env: Env, *words: str) -> Result:
    cli = typer.Typer()

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env

    manuals.register_commands(cli)
    return CliRunner().invoke(cli, list(words))


def run(env: Env, name: str, turn: TurnView, **arguments: str) -> ToolResult:
    tools: dict[str, Tool] = {tool.name: tool for tool in manuals.register_tools(env)}
    return tools[name].run(arguments, turn)


def view(readings: tuple[Reading, ...] = (), language: Language = "zh", *, photo: bool = True) -> TurnView:
    perception = Perception((), readings, (), (), (900, 600), 1.0) if photo else None
    return TurnView("哪些读数超限?", language, PLANT_CLOCK, perception)


def reading(label: str, value: str | None, unit: str, *flags: str, at: tuple[int, int] = (0, 0)) -> Reading:
    return Reading(label, value, unit, "printed", (*at, at[0] + 40, at[1] + 20), 0.9, flags)


def limit(name: str, low: float | None, high: float | None, unit: str, document: str = "M1") -> StoredLimit:
    return StoredLimit(document, "3.2", None, name, low, high, unit, "", "zh" if document == "M1" else "en")


def test_a_passage_is_the_whole_section(plant: Env) -> None:
    """The first passage is the section of the alarm in the turn's language, with every step of its list."""
    zh = run(plant, "search_manuals", view(), query="循环变频故障").passages
    assert (zh[0].citation, zh[0].heading, zh[0].language) == ("M1 §6.2", "循环变频故障", "zh")
    assert "1. 确认备用循环泵已自动投入" in zh[0].text and "6. 24 小时内再次跳闸时不得复位" in zh[0].text
    en = run(plant, "search_manuals", view(language="en"), query="循环变频故障").passages
    assert en[0].citation == "M2 §6.2" and "\n6. If it trips again" in en[0].text
    assert len(zh) <= plant.settings.knowledge.max_passages


def test_a_cut_section_is_given_whole(blank: Env, tmp_path: Path) -> None:
    """A section that was cut for search comes back in one piece where the settings allow its length."""
    text = "# Book\n\n## 1 Flushing\n\n" + "\n\n".join(f"Paragraph {i}: flushing {'word ' * 90}" for i in range(4))
    (tmp_path / "m.md").write_text(text, "utf-8")
    command(blank, "kb", "add", str(tmp_path / "m.md"))
    found = run(blank, "search_manuals", view(language="en"), query="flushing").passages
    assert len(found) == 1 and "Paragraph 0" in found[0].text and "Paragraph 3" in found[0].text


def test_what_is_not_in_the_manuals_is_said(plant: Env) -> None:
    """No passage, and a note that says so in both languages."""
    result = run(plant, "search_manuals", view(), query="锅炉爆管")
    assert result.passages == () and result.notes[0]["zh"] == "手册中没有找到“锅炉爆管”"


def test_no_store_is_a_failed_tool(blank: Env) -> None:
    """Without manuals the turn goes on: the tool fails in one line that says what to do."""
    with pytest.raises(ToolFailed, match="watchkeeper kb add"):
        run(blank, "search_manuals", view(), query="x")
    with pytest.raises(ToolFailed, match="watchkeeper kb add"):
        run(blank, "check_limits", view())
    assert list(manuals.find_terms("循环变频故障", blank)) == []
    assert [finding.ok for finding in manuals.check_health(blank)] == [False]


def test_readings_out_of_range(plant: Env) -> None:
    """Each reading beyond a limit is a record with its number, the limit, its place and the limit's source."""
    readings = (
        reading("供水温度", "90.0", "℃", at=(800, 10)),
        reading("NO.1循环泵频率", "19.5", "Hz"),
        reading("回水温度", "65.1", "℃"),
        reading("瞬时热量", "62.7", "GJ"),
        reading("水箱液位", None, "%", "no-value"),
        reading("供水压力", "620", "kg"),
        reading("", "78.9", "KW/h", "unlabelled"),
    )
    result = run(plant, "check_limits", view(readings))
    assert [(r.id, r.line["zh"], r.source) for r in result.records] == [
        ("R1", "供水温度 90.0 ℃ 高于上限 85 ℃(右上)", "M1 §3.2"),
        ("R2", "NO.1循环泵频率 19.5 Hz 低于下限 25 Hz(左上)", "M1 §3.2"),
    ]
    assert [note["en"] for note in result.notes] == [
        "readings compared with the manuals' limits: 3; out of range: 2",
        "readings without a limit in the manuals: 2 (瞬时热量, (no label))",
        "readings without a value that can be trusted: 1 (水箱液位)",
        "readings in another unit than the manuals, not compared: 1 (供水压力)",
    ]
    english = run(plant, "check_limits", view(readings, "en")).records[0]
    assert english.line["en"] == "供水温度 90.0 ℃ is above the high limit 85 ℃ (upper right)"
    assert english.source == "M2 §3.2" and english.fields["value"] == "90.0"


def test_limits_of_one_label(plant: Env) -> None:
    """A named label is compared alone; one that the photo has not is said."""
    readings = (reading("供水温度", "90.0", "℃"), reading("供水压力", "66.0", "Mpa"))
    assert [r.id for r in run(plant, "check_limits", view(readings), label="供水压力").records] == ["R2"]
    assert "没有读数" in run(plant, "check_limits", view(readings), label="水箱液位").notes[0]["zh"]
    with pytest.raises(ToolFailed, match="no photo"):
        run(plant, "check_limits", view(photo=False))


def test_which_limit_belongs_to_a_label() -> None:
    """Same name, one of several machines, or one of two languages; a part of a name is not enough."""
    known = [
        limit("循环泵频率", 25, 45, "Hz"),
        limit("压力", 0, 1, "MPa"),
        limit("Tank level (水箱液位)", 30, 85, "%", "M2"),
    ]
    assert [x.name for x in limits_for("NO.1 循环泵频率", known, "zh")] == ["循环泵频率"]
    assert [x.name for x in limits_for("2#循环泵频率", known, "zh")] == ["循环泵频率"]
    assert [x.name for x in limits_for("水箱液位", known, "zh")] == ["Tank level (水箱液位)"]
    assert limits_for("供水压力", known, "zh") == []
    assert limits_for("补水泵频率", known, "zh") == []
    assert limits_for("", known, "zh") == []


def test_units_are_converted_or_not_compared() -> None:
    """kPa is held against MPa; a reading without unit, or with a foreign one, is not compared at all."""
    known = [limit("压力", 0.2, 0.6, "MPa")]
    told = compare(
        [reading("压力", v, u) for v, u in (("650", "kPa"), ("0.5", "Mpa"), ("0.9", ""), ("9", "℃"))], known, "zh"
    )
    assert [c.outcome for c in told] == ["above", "within", "other-unit", "other-unit"]


def test_two_manuals_that_disagree_are_shown(plant: Env, tmp_path: Path) -> None:
    """The first manual's limit is used, and a note names the other one's."""
    (tmp_path / "n.md").write_text(
        "# 新版\n\n## 2 限值\n\n| 参数 | 下限 | 上限 | 单位 |\n|-|-|-|-|\n| 供水温度 | 55 | 80 | ℃ |\n", "utf-8"
    )
    command(plant, "kb", "add", str(tmp_path / "n.md"))
    notes = run(plant, "check_limits", view((reading("供水温度", "70", "℃"),))).notes
    assert notes[-1]["en"] == "note: M4 §2 has other limits for 供水温度: 55 – 80 ℃"


@pytest.mark.parametrize("value", ["85.0", "60", "85.1", "59.9", "-3", "1,5", "##.##", "", "8 5", "nan", "9" * 400])
def test_any_value_is_compared_or_said_to_be_none(value: str) -> None:
    """Bounds themselves are within; what is no number is never compared."""
    outcome = compare([reading("供水温度", value, "℃")], [limit("供水温度", 60, 85, "℃")], "zh")[0].outcome
    expected = {"85.0": "within", "60": "within", "85.1": "above", "59.9": "below", "-3": "below", "1,5": "below"}
    assert outcome == expected.get(value, "above" if value.isdigit() else "no-value")


@given(st.text(max_size=40), st.text(max_size=12), st.text(max_size=8))
def test_any_reading_is_harmless(label: str, value: str, unit: str) -> None:
    """Whatever the photo says, the comparison ends in one of its outcomes."""
    known = [limit("供水温度", 60, 85, "℃"), limit("a (b)", None, 1, "")]
    assert len(compare([reading(label, value, unit)], known, "en")) == 1


def test_names_in_a_question(plant: Env) -> None:
    """Alarms, limit names and fault codes of the books; an English heading gives the lamp text that it names."""

    def found(question: str) -> list[tuple[str, str]]:
        return [(term.kind, term.value) for term in manuals.find_terms(question, plant)]

    assert found("循环变频故障这个报警灯代表什么?") == [("alarm", "循环变频故障")]
    assert found("What does the circulation VFD fault mean?") == [("alarm", "循环变频故障")]
    assert found("供水温度正常吗") == [("label", "供水温度")]
    assert found("变频器报 f0021 怎么办") == [("alarm", "F0021")]
    assert found("F00215?") == []
    assert found("'; DROP TABLE names; --\x00") == []


def test_commands(plant: Env, tmp_path: Path) -> None:
    """add, list, search, show and remove work, with one JSON object a line."""
    again = command(plant, "kb", "add", "--json", str(EXAMPLE / "manuals"))
    assert [json.loads(line)["change"] for line in again.stdout.splitlines()] == ["unchanged"] * 3
    assert [json.loads(x)["id"] for x in command(plant, "kb", "list", "--json").stdout.splitlines()] == [
        "M1",
        "M2",
        "M3",
    ]
    first = json.loads(command(plant, "kb", "search", "循环变频故障", "--json").stdout.splitlines()[0])
    assert (first["document"], first["section"]) == ("M1", "6.2")
    assert "上锁挂牌" in command(plant, "kb", "show", "m1", "§6.2").stdout
    assert "M3 3.1  故障代码表" in command(plant, "kb", "show", "M3").stdout
    assert command(plant, "kb", "remove", "M2").exit_code == 0
    assert len(command(plant, "kb", "list").stdout.splitlines()) == 2
    assert "Example:" in command(plant, "kb", "add", "--help").stdout


def test_commands_tell_what_is_wrong(plant: Env, tmp_path: Path) -> None:
    """A bad file ends with exit code 2 and its reason, and the good ones beside it are in."""
    (tmp_path / "good.md").write_text("# Good\n\nText.", "utf-8")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4 cut")
    result = command(plant, "kb", "add", str(tmp_path / "bad.pdf"), str(tmp_path / "good.md"))
    assert isinstance(result.exception, ManualError) and result.exception.exit_code == 2
    assert "bad.pdf" in str(result.exception) and "M4  added" in result.stdout
    for words in (
        ("kb", "show", "M9"),
        ("kb", "remove", "x"),
        ("kb", "show", "M1", "99"),
        ("kb", "add", str(tmp_path / "no")),
    ):
        assert isinstance(command(plant, *words).exception, ManualError)
