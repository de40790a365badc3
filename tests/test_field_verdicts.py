"""Verdicts: they follow from what was measured by the rule that is quoted, or there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.env import Env
from tests.field_kit import EXAMPLE, Field, hourly

ZH, EN = "果园施药作业规定(示例)", "Orchard spraying rules (example)"
COLD, COLD_EN = "冷藏库发货规定(示例)", "Cold store shipping rules (example)"
CALM = {
    "风速": hourly(2.0, 30),
    "气温": hourly(15.0, 30),
    "相对湿度": hourly(60.0, 30),
    "降雨量": hourly(0.0, 90),
    "库温": hourly(5.0, 30, every=1 / 6, since=0.05),
}
WIND = "第一条 风速大于 3 m/s 时,不得打药。"


def field(env: Env, rules: str, other: str = "第一条 总则。", **values: list[tuple[float, float]]) -> Field:
    return Field(env, {ZH: rules, EN: other}, {**CALM, **values})


def test_yes_only_where_every_rule_is_met(env: Env) -> None:
    """The figures with source and time, the rule word for word with its article, the comparison, the verdict."""
    result = field(env, WIND).ask("今天适合打药吗?")
    assert result.notes[0]["zh"].startswith("结论:现在符合下列“打药”的全部规定(1 条)")
    figure, rule = result.records
    assert "2 m/s(2024-12-15 20:20,1 个值,来源 station.csv)" in figure.line["zh"]
    assert rule.source == "M1 第一条" and "“风速大于 3 m/s 时,不得打药”:风速 2 m/s ≤ 3 m/s → 满足" in rule.line["zh"]
    assert "wind speed 2 m/s ≤ 3 m/s → met" in rule.line["en"]


def test_no_says_why(env: Env) -> None:
    """One rule that is broken is enough, and it comes first."""
    made = field(
        env, "第一条 相对湿度应在 40% 至 90% 之间方可打药。\n\n第二条 风速大于 3 m/s 时,不得打药。", 风速=[(0.5, 4.2)]
    )
    result = made.ask("今天适合打药吗?")
    assert result.notes[0]["zh"] == "结论:现在不符合“打药”的规定:风速 4.2 m/s > 3 m/s [M1 第二条]"
    rules = [record for record in result.records if record.kind == "rule"]
    assert [record.fields["met"] for record in rules] == [False, True]
    assert "against the rules for spraying: wind speed 4.2 m/s > 3 m/s [M1 第二条]" in made.verdict(
        "Can I spray?", "en"
    )


@pytest.mark.parametrize(
    ("wind", "met"), [(2.9, "符合"), (3.0, "符合"), (3.1, "不符合")], ids=["below", "on the threshold", "above"]
)
def test_the_threshold_itself(env: Env, wind: float, met: str) -> None:
    """More than 3 is not 3."""
    assert field(env, WIND, 风速=[(0.1, wind)]).verdict("今天适合打药吗?").startswith(f"结论:现在{met}")


def test_a_stale_or_silent_sensor_leaves_it_open(env: Env) -> None:
    """What is too old, missing or beyond the sensor's range says nothing about now."""
    for values in ([(9.0, 1.0)], [], [(0.5, 999.0)], [(-5.0, 1.0)]):
        said = field(env, WIND, 风速=values).verdict("今天适合打药吗?")
        assert said.startswith("结论:无法判断“打药”:风速未知"), said


def test_a_gap_in_a_span(env: Env) -> None:
    """A day of rain with hours missing is not known, unless what fell is too much already."""
    rule = "第一条 过去 24 小时降雨量超过 5 mm 的,不得打药。"
    holed = [(back, 0.2) for back, _ in hourly(0, 30) if not 8 < back < 12]
    assert "2024-12-15 08:20 至 2024-12-15 13:20 没有数据" in field(env, rule, 降雨量=holed).verdict("今天适合打药吗?")
    wet = [(back, 1.0) for back, _ in holed]
    assert "过去 24 小时累计降雨量 20 mm > 5 mm" in field(env, rule, 降雨量=wet).verdict("今天适合打药吗?")


def test_one_moment_with_two_values_is_none(env: Env) -> None:
    """Rain that was told twice counts once; told twice and differently it is a gap."""
    rule = "第一条 过去 24 小时降雨量超过 5 mm 的,不得打药。"
    twice = hourly(0.2, 30) * 2
    assert "符合" in field(env, rule, 降雨量=twice).verdict("今天适合打药吗?")
    torn = [*hourly(0.2, 30), (5.5, 0.4)]
    assert field(env, rule, 降雨量=torn).verdict("今天适合打药吗?").startswith("结论:无法判断")


def test_rules_that_contradict_each_other(env: Env) -> None:
    """Two thresholds for one thing: both are shown, and no verdict where they lead to different ends."""
    second = "Article 1. Do not spray when the wind speed is above 5 m/s."
    torn = field(env, WIND, second, 风速=[(0.1, 4.0)]).ask("今天适合打药吗?")
    assert torn.notes[0]["zh"].startswith("结论:规定互相矛盾")
    assert {record.source for record in torn.records if record.kind == "rule"} == {"M1 第一条", "M2 §Article 1"}
    assert "不符合" in field(env, WIND, second, 风速=[(0.1, 6.0)]).verdict("今天适合打药吗?")
    assert "现在符合" in field(env, WIND, second, 风速=[(0.1, 1.0)]).verdict("今天适合打药吗?")


def test_another_crop_and_another_chemical(env: Env) -> None:
    """A rule for wheat says nothing of citrus, and one for a chemical nothing of another."""
    rules = (
        "第一条 本规定适用于柑橘和小麦。\n\n第二条 小麦打药时,风速不得超过 2 m/s。\n\n"
        "第三条 柑橘打药时,风速不得超过 5 m/s。"
    )
    made = field(env, rules, 风速=[(0.1, 3.0)])
    assert made.verdict("今天柑橘适合打药吗?").startswith("结论:现在符合")
    assert made.verdict("今天小麦适合打药吗?").startswith("结论:现在不符合")
    assert "规定没有提到水稻" in made.verdict("今天水稻适合打药吗?")
    either = made.ask("今天适合打药吗?")
    assert "请说明是哪一个" in either.notes[0]["zh"] and len([r for r in either.records if r.kind == "rule"]) == 2
    assert "规定没有提到草甘膦" in made.verdict("今天用草甘膦打药可以吗?")


def test_a_rule_for_one_thing_only_does_not_rule_another(env: Env) -> None:
    """What is limited to lime sulphur is told beside the verdict, and decides where it was named."""
    rules = f"{WIND}\n\n第二条 使用石硫合剂打药的,过去 3 天累计降雨量不得超过 8 mm。"
    made = field(env, rules, 降雨量=hourly(0.2, 90))
    general = made.ask("今天适合打药吗?")
    assert general.notes[0]["zh"].startswith("结论:现在符合") and "(仅 石硫合剂)" in general.records[-1].line["zh"]
    assert made.verdict("今天用石硫合剂打药可以吗?").startswith("结论:现在不符合")


def test_a_sentence_that_cannot_be_compared_forbids_a_yes(env: Env) -> None:
    """It is quoted, and a person has to read it; a no stands all the same."""
    rules = f"{WIND}\n\n第二条 花期气温高于 25 ℃ 时不得打药。"
    made = field(env, rules)
    result = made.ask("今天适合打药吗?")
    assert result.notes[0]["zh"].startswith("结论:无法判断") and "1 条规定程序不能核对" in result.notes[1]["zh"]
    assert any("花期气温高于 25 ℃ 时不得打药" in record.line["zh"] for record in result.records)
    assert "不符合" in field(env, rules, 风速=[(0.1, 4.0)]).verdict("今天适合打药吗?")


def test_exceptions_are_not_overlooked(env: Env) -> None:
    """A rule that says what it does not hold for is no rule for that."""
    rules = f"{WIND}\n\n第二条 本规定对小麦打药不适用。"
    assert field(env, rules).verdict("今天小麦适合打药吗?").startswith("结论:无法判断")


def test_without_rules_there_is_no_verdict(env: Env, tmp_path: Path) -> None:
    """No rule, no manual, another time, an unknown word: it says which."""
    assert "没有“打药”的规定" in field(env, "第一条 施药人员应戴口罩。").verdict("今天适合打药吗?")
    made = field(env, WIND)
    assert "明天" in made.verdict("明天适合打药吗?") and "结论" not in made.verdict("明天适合打药吗?")
    assert "“葡萄”没看懂" in made.verdict("今天葡萄适合打药吗?")
    assert "没有 《冷藏库发货规定(示例)》" in made.verdict("今天能发货吗?")


def test_another_document_does_not_rule(env: Env) -> None:
    """Only the manuals that the sheet names decide, whatever else speaks of spraying."""
    made = Field(env, {ZH: WIND, EN: "General.", "茶园打药规定": "第一条 风速大于 1 m/s 时,不得打药。"}, CALM)
    assert made.verdict("今天适合打药吗?").startswith("结论:现在符合")


def test_a_list_with_its_lead_and_a_table_of_limits(env: Env) -> None:
    """Each item is a rule of its own with its own citation; a row of limits demands that the figure lies within."""
    rules = (
        "第一条 有下列情形之一的,不得打药:\n\n（一）风速大于 3 m/s 的;\n\n（二）气温低于 5 ℃ 的。\n\n"
        "## 打药条件\n\n| 项目 | 下限 | 上限 | 单位 |\n|---|---|---|---|\n| 相对湿度 | 40 | 90 | % |\n"
    )
    result = field(env, rules, 气温=[(0.2, 3.0)]).ask("今天适合打药吗?")
    assert "[M1 第一条（二）]" in result.notes[0]["zh"]
    assert [r.source for r in result.records if r.kind == "rule"] == [
        "M1 第一条（二）",
        "M1 第一条（一）",
        "M1 §打药条件",
    ]


def test_the_cold_store(env: Env) -> None:
    """The same mechanism: one warm reading within the day forbids, also after it is cold again."""
    rules = {COLD: (EXAMPLE / "3-cold-store-zh.md").read_text("utf-8").split("\n", 2)[2], COLD_EN: "General."}
    warm = {"库温": [*CALM["库温"], (10.0, 9.4)]}
    made = Field(env, rules, {**CALM, **warm})
    assert made.verdict("今天能发货吗?") == (
        "结论:现在不符合“冷库发货”的规定:过去 24 小时库温 9.4 °C > 8 °C [M1 第一条]"
    )
    made.values["库温"] = CALM["库温"]
    assert "符合下列“冷库发货”的全部规定(2 条)" in made.verdict("冷库现在能发货吗?")


def test_figures_alone(env: Env) -> None:
    """How much rain fell: added up over the span that is asked for, with its source."""
    result = field(env, WIND, 降雨量=hourly(0.5, 90)).ask("最近三天降雨量多少?")
    (record,) = result.records
    assert record.fields["value"] == 36.0 and record.fields["whole"] is True
    assert "累计 36 mm(2024-12-12 20:50 – 2024-12-15 20:50,72 个值,来源 station.csv)" in record.line["zh"]
    assert "风速:2 m/s" in field(env, WIND).ask("现在风速多少?").records[0].line["zh"]


def test_a_day_that_is_over(env: Env) -> None:
    """Yesterday's rain is of yesterday alone; of a day without values it is said so."""
    made = field(env, WIND, 降雨量=[(back, 1.0 if 21 < back <= 45 else 5.0) for back, _ in hourly(0, 90)])
    record = made.ask("昨天降雨量多少?").records[0]
    assert record.fields["value"] == 24.0 and "2024-12-14 00:00 – 2024-12-15 00:00" in record.line["zh"]
    assert "没有数据" in field(env, WIND, 降雨量=hourly(1.0, 10)).ask("昨天降雨量多少?").records[0].line["zh"]


def test_where_it_is_allowed_it_is_not_forbidden_elsewhere(env: Env) -> None:
    """ "May be done below 2 m/s" says nothing of 2.5: no verdict."""
    made = field(env, "第一条 风速小于 2 m/s 时可以打药。", 风速=[(0.1, 2.5)])
    assert made.verdict("今天适合打药吗?") == "结论:无法判断“打药”:风速 2.5 m/s ≥ 2 m/s [M1 第一条]"
    made.values["风速"] = [(0.1, 1.5)]
    assert made.verdict("今天适合打药吗?").startswith("结论:现在符合")
