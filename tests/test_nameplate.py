"""Type plates from their texts: fields with flags, types that are the same or look so, lists that say it or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.env import Env
from agent.perception import Perception, Text
from agent.settings import NameplateSettings
from agent.tools import TurnView
from agent.values import Language, ToolResult
from plugins.nameplate.lists import look_up
from plugins.nameplate.plate import read_plate
from plugins.nameplate.reflections import may_hide
from plugins.nameplate.tools import PlateTools, is_asked
from plugins.nameplate.types import differs_by_one, in_cell, plain_type
from tests.field_kit import add_manuals

EXAMPLE = Path(__file__).parent.parent / "deploy" / "example" / "nameplate"
LIMITS = NameplateSettings()
PLATE = ("三相异步电动机", "型号 Y2-132M-4", "编号 090317", "功率 7.5 kW", "电压380 V", "转速", "1440 r/min",
         "绝缘等级F", "防护等级 IP55", "出厂日期2009-03", "华东电机制造有限公司")  # fmt: skip


def seen(texts: Sequence[str | tuple[str, float]], *, beside: bool = True) -> Perception:
    """Texts one under the other; one that follows a bare label stands to its right."""
    made: list[Text] = []
    for i, one in enumerate(texts):
        text, score = (one, 0.97) if isinstance(one, str) else one
        top = 100 + 60 * i
        if beside and made and made[-1].text == "转速":
            made.append(Text(text, (320, made[-1].box[1], 320 + 18 * len(text), made[-1].box[3]), score))
        else:
            made.append(Text(text, (100, top, 100 + 18 * len(text), top + 36), score))
    return Perception(tuple(made), (), (), (), (1600, 1200), 1.0, "photo")


def with_lists(env: Env, *texts: str) -> PlateTools:
    paths = sorted(EXAMPLE.glob("*.md")) if not texts else []
    for i, text in enumerate(texts):
        paths.append(env.home.folder / f"list-{i}.md")
        paths[-1].write_text(text, encoding="utf-8")
    add_manuals(env, *paths)
    return PlateTools(env)


def ask(tools: PlateTools, question: str, perception: Perception | None, language: Language = "zh") -> ToolResult:
    assert is_asked(question)
    view = TurnView(question, language, datetime(2024, 12, 15, 20, 50), perception)
    return tools.tools()[0].run({"asked": question}, view)


def test_fields_of_a_plate() -> None:
    """Labels with their values, beside them or in the same text, units apart, the maker by what firms are called."""
    plate = read_plate(seen(PLATE), LIMITS)
    assert plate is not None and all(field.is_sure for field in plate.fields)
    assert {field.name: (field.value, field.unit) for field in plate.fields} == {
        "product": ("三相异步电动机", ""), "type": ("Y2-132M-4", ""), "maker": ("华东电机制造有限公司", ""),
        "serial": ("090317", ""), "year": ("2009-03", ""), "power": ("7.5", "kW"), "voltage": ("380", "V"),
        "speed": ("1440", "r/min"), "insulation": ("F", ""), "protection": ("IP55", ""),
    }  # fmt: skip
    assert plate.field("power").number == 7.5 and plate.field("year").number == 2009  # type: ignore[union-attr]


def test_an_english_plate_with_two_pairs_in_one_text() -> None:
    """A reader often joins neighbours; each label takes what stands before the next one."""
    plate = read_plate(
        seen(("TYPE  Y2-132M-4", "SPEED 1465 r/minFREQ. 50 Hz", "SERIAL NO. N40817", "VOLTAGE 220/380 V", "IP54")),
        LIMITS,
    )
    assert plate is not None
    got = {field.name: f"{field.value} {field.unit}".strip() for field in plate.fields}
    assert got == {"type": "Y2-132M-4", "serial": "N40817", "voltage": "220/380 V", "frequency": "50 Hz",
                   "speed": "1465 r/min", "protection": "IP54"}  # fmt: skip


def test_what_is_not_sure_carries_a_flag() -> None:
    """A low score, a unit that is cut off, a value of another form, two values for one thing."""
    plate = read_plate(
        seen((("型号 Y2-132M-4", 0.6), "转速 1460 r/mi", "防护等级 IP", "电压 380 V", "电压 400 V", "功率 7.5 kW")),
        LIMITS,
    )
    assert plate is not None
    flags = {field.name: field.flags for field in plate.fields}
    assert flags == {"type": ("low-score",), "speed": ("unit-unsure",), "protection": ("bad-form",),
                     "voltage": ("two-values",), "power": ()}  # fmt: skip


def test_a_panel_is_no_plate() -> None:
    """A few readings without a type are not taken for one."""
    assert read_plate(seen(("供水温度 56.2 ℃", "1号泵 运行", "系统报警")), LIMITS) is None


@pytest.mark.parametrize(
    ("plate", "cell", "likeness"),
    [
        ("Y2-132M-4", "Y2-132M-4", "same"),
        ("Ｙ２－132M－4", "Y2-132M-4", "same"),
        ("y2 - 132m - 4", "Y132S-4、Y2-132M-4", "same"),
        ("Y2-132M1-4", "Y2-132M-4", "no"),
        ("Y2-132M-4", "Y2-132M1-4, Y2-132M2-4", "no"),
        ("Y2-132M-6", "Y2-132M-4", "no"),
        ("YB2-132M-4", "Y2-132M-4", "no"),
        ("Y2-I32M-4", "Y2-132M-4", "perhaps"),
        ("Y2-16OM-4", "Y2-160M-4", "perhaps"),
        ("Y2132M-4", "Y2-132M-4", "perhaps"),
        ("JO2-42-4", "JO2 系列", "same"),
        ("J02-42-4", "JO2系列", "perhaps"),
        ("JO2-42-4", "JO2 series", "same"),
        ("JO3-42-4", "JO2 系列", "no"),
        ("Y132S-4", "Y 系列", "perhaps"),
        ("S7-400/10", "S7-30/10~S7-1600/10", "same"),
        ("S7-2000/10", "S7-30/10~S7-1600/10", "no"),
        ("S7-400/35", "S7-30/10~S7-1600/10", "no"),
        ("S9-400/10", "S7-30/10～S7-1600/10", "no"),
    ],
)
def test_when_two_types_are_the_same(plate: str, cell: str, likeness: str) -> None:
    """Only in so many characters; what is drawn alike is perhaps the same; a series and a range are what they say."""
    assert in_cell(plain_type(plate), cell) == likeness


@settings(max_examples=150, deadline=None)
@given(st.from_regex(r"[A-Z]{1,3}[2-9]?-[0-9]{2,3}[A-Z][1-3]?-[2-8]", fullmatch=True), st.data())
def test_one_changed_character_is_another_type(kind: str, data: st.DataObject) -> None:
    """Whatever is added, left out or changed, it is never the same."""
    at = data.draw(st.integers(0, len(kind) - 1))
    char = data.draw(st.sampled_from("ABCXYZ0123456789"))
    for other in (kind[:at] + char + kind[at:], kind[:at] + kind[at + 1 :], kind[:at] + char + kind[at + 1 :]):
        if plain_type(other) != plain_type(kind):
            assert in_cell(plain_type(other), kind) != "same"
            assert differs_by_one(kind, other)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=8), st.text(max_size=40))
def test_no_text_breaks_it(texts: list[str], cell: str) -> None:
    """Whatever a photo or a list holds, a plate is read or not."""
    plate = read_plate(seen([*texts, f"型号 {cell}", f"功率{cell}kW"], beside=False), LIMITS)
    assert plate is None or json.dumps([field.to_json() for field in plate.fields])
    in_cell(plain_type("".join(texts)), cell)


def test_listed_with_article_and_successor(env: Env) -> None:
    """The row word for word, where it stands, and what the list puts in its place, in both languages."""
    tools = with_lists(env)
    result = ask(tools, "这台电机要淘汰吗?", seen(PLATE))
    assert result.notes[0]["zh"] == "结论:Y2-132M-4 在淘汰清单内 [M1 第一条];清单给出的替代型号:YE4-132M-4"
    plate, row, *_ = result.records
    assert plate.line["zh"] == "型号:Y2-132M-4" and row.source == "M1 第一条"
    assert "4 | 三相异步电动机 | Y2-132M-4 | YE4-132M-4" in row.line["zh"]
    english = ask(tools, "Is this motor to be phased out?", seen(PLATE), "en").notes[0]["en"]
    assert english == (
        "Verdict: Y2-132M-4 is on the list to be phased out [M2 §Article 1]; successor by the list: YE4-132M-4"
    )


def test_near_misses_are_never_listed(env: Env) -> None:
    """One character more, a doubt of the reader, a condition in the row: said, and no plain yes."""
    tools = with_lists(env)
    other = ask(tools, "这台电机要淘汰吗?", seen(("型号 Y2-132M1-4",))).notes[0]["zh"]
    assert "没有列出 Y2-132M1-4" in other and "Y2-132M-4 在清单内,但与它不是同一型号" in other
    doubtful = ask(tools, "这台电机要淘汰吗?", seen((("型号 Y2-132M-4", 0.7),))).notes[0]["zh"]
    assert doubtful.startswith("结论:无法判断:铭牌型号读作 Y2-132M-4(识读把握不大,请核对)")
    alike = ask(tools, "这台电机要淘汰吗?", seen(("型号 J02-42-4",))).notes[0]["zh"]
    assert alike.startswith("结论:无法判断") and "JO2" in alike
    bound = ask(tools, "这台电机要淘汰吗?", seen(("型号 YB-132M-4",))).notes[0]["zh"]
    assert "带有条件,请人工核对" in bound


def test_without_plate_or_list_nothing_is_said(env: Env) -> None:
    """No list: no verdict. No plate: how to take the photo. A type in the question needs no photo."""
    empty = PlateTools(env)
    assert "没有淘汰清单" in ask(empty, "这台电机要淘汰吗?", seen(PLATE)).notes[0]["zh"]
    tools = with_lists(env, "# 设备台账\n\n| 序号 | 型号 |\n|---|---|\n| 1 | Y2-132M-4 |\n")
    assert "没有淘汰清单" in ask(tools, "这台电机要淘汰吗?", seen(PLATE)).notes[0]["zh"]
    listed = with_lists(env)
    assert "没有读到铭牌" in ask(listed, "这台电机要淘汰吗?", seen(())).notes[0]["zh"]
    assert "没有照片" in ask(listed, "这台电机要淘汰吗?", None).notes[0]["zh"]
    assert "Y2-132M-4 在淘汰清单内" in ask(listed, "Y2-132M-4 在淘汰目录里吗?", None).notes[0]["zh"]


def test_what_the_plate_says(env: Env) -> None:
    """Asked for the plate, every field is a record with its own id."""
    result = ask(PlateTools(env), "铭牌上写了什么?", seen(PLATE))
    assert [record.id for record in result.records] == [f"P{i}" for i in range(1, 11)]
    assert "功率:7.5 kW" in [record.line["zh"] for record in result.records]


@pytest.mark.parametrize(
    "question", ["怎么清洁铭牌?", "淘汰从什么时候开始执行?", "How do I mount the nameplate?", "油压高怎么办?"]
)
def test_other_questions_are_not_taken(question: str) -> None:
    """How and when are for the manuals."""
    assert not is_asked(question)


def test_a_reflection_beside_a_type() -> None:
    """Burnt out next to the text on a grey plate is a reflection; a white plate is none; grease is a thick spot."""
    grey = np.full((200, 600, 3), 180, np.uint8)
    assert not may_hide(grey, (100, 80, 240, 116))
    shiny = grey.copy()
    shiny[70:130, 245:300] = 255
    assert may_hide(shiny, (100, 80, 240, 116))
    assert not may_hide(np.full((200, 600, 3), 255, np.uint8), (100, 80, 240, 116))
    for plate in (180, 30, 255):
        greasy = np.full((200, 600, 3), plate, np.uint8)
        cv2.putText(greasy, "Y160M-4", (100, 112), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (255 - plate,) * 3, 3)
        assert not may_hide(greasy, (100, 80, 260, 116))
        cv2.circle(greasy, (285, 98), 16, (90, 80, 60) if plate > 100 else (120, 120, 110), -1)
        assert may_hide(greasy, (100, 80, 260, 116))


def test_the_lists_are_bounded(env: Env) -> None:
    """Of a list that is longer than the settings allow, the first rows are looked at."""
    rows = "\n".join(f"| {i} | AX{i}-4 | BX{i}-4 |" for i in range(50))
    tools = with_lists(env, f"# 淘汰清单\n\n| 序号 | 型号 | 替代 |\n|---|---|---|\n{rows}\n")
    assert len(tools.entries()) == 50
    assert look_up("AX7-4", tools.entries(), sure=True).entries[0].successor == "BX7-4"
