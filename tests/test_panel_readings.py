"""Readings of a photo held against the manuals' limits: which limit belongs to which, and what is told of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plugins.panel as panel
from agent.env import Env, load_env
from agent.errors import DatabaseError, ToolFailed
from agent.perception import Box, Perception, Reading
from agent.settings import TurnSettings
from agent.tools import TurnView
from agent.values import Language, ToolResult
from knowledge.ingest import add_file
from knowledge.store import KnowledgeStore, StoredLimit
from plugins.panel.limits import compare, limits_for

PLANT_CLOCK = datetime(2024, 12, 15, 20, 50)
MANUALS = Path(__file__).parent.parent / "deploy" / "example" / "manuals"
CORNER: Box = (0, 0, 40, 20)


@pytest.fixture
def blank(tmp_path: Path) -> Env:
    return load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})


@pytest.fixture
def plant(blank: Env) -> Env:
    add_manuals(blank, sorted(MANUALS.iterdir()))
    return blank


def add_manuals(env: Env, files: Iterable[Path]) -> None:
    knowledge = env.settings.knowledge
    for file in files:
        add_file(
            KnowledgeStore(env.home.knowledge_db),
            file,
            max_bytes=knowledge.max_file_bytes,
            max_pages=knowledge.max_pages,
            passage_chars=knowledge.passage_chars,
        )


def reading(label: str, value: str | None, unit: str, *flags: str, box: Box = CORNER) -> Reading:
    return Reading(label, value, unit, "printed", box, 0.9, flags)


def limit(name: str, low: float | None, high: float | None, unit: str, document: str = "M1") -> StoredLimit:
    return StoredLimit(document, "3.2", None, name, low, high, unit, "", "zh" if document == "M1" else "en")


def ask(env: Env, readings: tuple[Reading, ...], language: Language = "zh", **arguments: str) -> ToolResult:
    """The tool, for all readings where the test says nothing else."""
    tool = next(tool for tool in panel.register_tools(env) if tool.name == "panel_readings")
    perception = Perception((), readings, (), (), (900, 600), 1.0)
    return tool.run({"show": "all", **arguments}, TurnView("?", language, PLANT_CLOCK, perception))


SEEN = (
    reading("供水温度", "90.0", "℃", box=(800, 10, 840, 30)),
    reading("NO.1循环泵频率", "19.5", "Hz"),
    reading("回水温度", "65.1", "℃"),
    reading("瞬时热量", "62.7", "GJ"),
    reading("水箱液位", None, "%", "no-value"),
    reading("供水压力", "620", "kg"),
    reading("", "78.9", "KW/h", "unlabelled"),
)


def test_readings_out_of_range(plant: Env) -> None:
    """Each reading beyond a limit is a record with its number, the limit, its place and the limit's source."""
    result = ask(plant, SEEN, show="out of range")
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
    english = ask(plant, SEEN, "en", show="out of range").records[0]
    assert english.line["en"] == "供水温度 90.0 ℃ is above the high limit 85 ℃ (upper right)"
    assert english.source == "M2 §3.2"
    assert english.fields == {
        "label": "供水温度",
        "value": "90.0",
        "unit": "℃",
        "flags": "",
        "position": "upper right",
        "outcome": "above",
        "low": 60,
        "high": 85,
        "limit_unit": "℃",
    }


@pytest.mark.parametrize(
    ("seen", "zh", "en", "cited"),
    [
        (
            reading("供水温度", "90.0", "℃", box=(860, 10, 900, 30)),
            "供水温度 90.0 ℃ 高于上限 85 ℃(右上)",
            "供水温度 90.0 ℃ is above the high limit 85 ℃ (upper right)",
            "M1 §3.2",
        ),
        (
            reading("补水泵频率", "12", "Hz"),
            "补水泵频率 12 Hz 低于下限 20 Hz(左上)",
            "补水泵频率 12 Hz is below the low limit 20 Hz (upper left)",
            "M1 §3.2",
        ),
        (
            reading("水箱液位", "80", "%", box=(430, 580, 470, 600)),
            "水箱液位 80 % 在 30–85 % 范围内(下方)",
            "水箱液位 80 % is within 30–85 % (bottom)",
            "M1 §3.2",
        ),
        (
            reading("集水坑池液位", "20", "%"),
            "集水坑池液位 20 % 未超过上限 60 %(左上)",
            "集水坑池液位 20 % is not above the high limit 60 % (upper left)",
            "M1 §3.2",
        ),
        (
            reading("瞬时热量", "62.7", "GJ"),
            "瞬时热量 62.7 GJ (左上)",
            "瞬时热量 62.7 GJ (upper left)",
            "",
        ),
        (
            reading("供水温度", "96.0", "℃", "disagrees"),
            "供水温度 96.0 ℃ (左上; 两次识读不一致,请核对)",
            "供水温度 96.0 ℃ (upper left; two readings of it disagree, check it)",
            "",
        ),
    ],
)
def test_a_reading_with_its_verdict(plant: Env, seen: Reading, zh: str, en: str, cited: str) -> None:
    """Asked for by label, a reading says how it stands to its limit, whatever was to be shown; no limit, no verdict."""
    for show in ("all", "out of range"):
        (record,) = ask(plant, (seen,), show=show, label=seen.label).records
        assert (record.line, record.source) == ({"zh": zh, "en": en}, cited)


def test_only_a_low_limit(blank: Env, tmp_path: Path) -> None:
    """A limit with one bound is said as that bound."""
    (tmp_path / "m.md").write_text(
        "# 手册\n\n## 2 限值\n\n| 参数 | 下限 | 单位 |\n|-|-|-|\n| 油压 | 0.2 | MPa |\n", "utf-8"
    )
    add_manuals(blank, [tmp_path / "m.md"])
    line = ask(blank, (reading("油压", "0.3", "MPa"),)).records[0].line
    assert line == {
        "zh": "油压 0.3 MPa 不低于下限 0.2 MPa(左上)",
        "en": "油压 0.3 MPa is not below the low limit 0.2 MPa (upper left)",
    }


def test_all_readings(plant: Env) -> None:
    """Those out of range come first, ids stay those of the photo, and another unit is said."""
    result = ask(plant, (*SEEN[2:], *SEEN[:2]))
    assert [r.id for r in result.records] == ["R6", "R7", "R1", "R2", "R3", "R4", "R5"]
    assert [note["en"] for note in result.notes] == [
        "readings in another unit than the manuals, not compared: 1 (供水压力)"
    ]


def test_readings_of_one_label(plant: Env) -> None:
    """All with that label, else those whose label contains it; a label that is not there is said."""
    assert [r.id for r in ask(plant, SEEN, label="供水温度").records] == ["R1"]
    assert [r.id for r in ask(plant, SEEN, label="温度").records] == ["R1", "R3"]
    missing = ask(plant, SEEN, label="阀位", show="out of range")
    assert not missing.records and missing.notes[0] == {
        "zh": "照片上没有读到“阀位”的读数。",
        "en": 'No readings labelled "阀位" were read from the photo.',
    }
    assert not ask(plant, ()).records and ask(plant, ()).notes[0]["en"] == "No readings were read from the photo."


def test_no_photo_is_a_failed_tool(plant: Env) -> None:
    """The tool is offered only with a photo, and fails in one line without."""
    tool = next(tool for tool in panel.register_tools(plant) if tool.name == "panel_readings")
    assert tool.needs_photo and tool.risk == "read" and tool.description == "Readings on the photo with their limits."
    with pytest.raises(ToolFailed, match="no photo"):
        tool.run({"show": "all"}, TurnView("?", "zh", PLANT_CLOCK, None))
    with pytest.raises(ToolFailed, match="show"):
        ask(plant, SEEN, show="some")


def test_without_manuals(blank: Env, tmp_path: Path) -> None:
    """Readings are told without verdict; which are out of range cannot be said, and is not. Asking makes no store."""
    for label in ("供水温度", "回水温度"):
        (record,) = ask(blank, SEEN, label=label).records
        assert record.line["zh"].endswith(" ℃ (右上)" if label == "供水温度" else " ℃ (左上)") and not record.source
    assert len(ask(blank, SEEN).records) == len(SEEN) and not ask(blank, SEEN).notes
    missing = ask(blank, SEEN, show="out of range")
    assert not missing.records and len(missing.notes) == 1
    assert "无法判断读数是否超限" in missing.notes[0]["zh"] and "no reading can be judged" in missing.notes[0]["en"]
    assert not blank.home.knowledge_db.exists()
    (tmp_path / "m.md").write_text("# 手册\n\n没有上下限。\n", "utf-8")
    add_manuals(blank, [tmp_path / "m.md"])
    assert ask(blank, SEEN, show="out of range") == missing


def test_manuals_that_cannot_be_read(plant: Env) -> None:
    """A locked or damaged store is for a person to put right; a reading is still told, without verdict."""
    with closing(sqlite3.connect(plant.home.knowledge_db)) as other:
        other.execute("PRAGMA journal_mode = DELETE")  # no -wal beside it, which would be read instead
    plant.home.knowledge_db.write_bytes(b"this is not a database" * 100)
    with pytest.raises(DatabaseError, match="damaged or not a store of manuals"):
        ask(plant, SEEN, show="out of range")
    result = ask(plant, SEEN, label="供水温度")
    assert result.records[0].line["en"] == "供水温度 90.0 ℃ (upper right)"
    assert "无法读取" in result.notes[0]["zh"] and "damaged" in result.notes[0]["en"]


def test_long_results_say_that_they_are_cut(plant: Env) -> None:
    """More readings than a model may see are cut after those out of range, and the note gives the whole count."""
    small = replace(plant, settings=plant.settings.model_copy(update={"turn": TurnSettings(panel_items=3)}))
    result = ask(small, (*SEEN[2:], *SEEN[:2]))
    assert result.truncated and [r.id for r in result.records] == ["R6", "R7", "R1"]
    assert result.notes[-1]["en"] == "There are 7 readings; the first 3 are listed."
    assert ask(small, SEEN[:2] * 2, show="out of range").truncated


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
    add_manuals(plant, [tmp_path / "n.md"])
    notes = ask(plant, (reading("供水温度", "70", "℃"),), show="out of range").notes
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
