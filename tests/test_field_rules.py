"""Rules as they are written: thresholds, spans and what follows are read from the sentence, or it is not understood."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.field.questions import understand
from tests.field_kit import example_vocabulary

KNOWN = example_vocabulary()
DAY = 86_400.0


@pytest.mark.parametrize(
    ("sentence", "compared", "effect"),
    [
        ("风速大于 3 m/s 时,不得打药。", [("风速", "gt", 3, 3, 0)], "forbid"),
        ("风速3m/s以上不得打药", [("风速", "ge", 3, 3, 0)], "forbid"),
        ("打药时风速不得超过 3 米/秒", [("风速", "le", 3, 3, 0)], "demand"),
        ("气温低于 5 ℃ 或高于 30 ℃ 的,禁止打药", [("气温", "lt", 5, 5, 0), ("气温", "gt", 30, 30, 0)], "forbid"),
        ("打药时相对湿度应在 40%~90% 之间", [("相对湿度", "in", 40, 90, 0)], "demand"),
        ("过去24小时降雨量超过 5 毫米的,不得打药", [("降雨量", "gt", 5, 5, DAY)], "forbid"),
        ("最近三天的累计降雨量不得大于 8mm,方可打药", [("降雨量", "le", 8, 8, 3 * DAY)], "demand"),
        ("气温 -5 ℃ 以下停止打药", [("气温", "le", -5, -5, 0)], "forbid"),
        ("库温在 2 ℃ 至 8 ℃ 之间方可发货。", [("库温", "in", 2, 8, 0)], "demand"),
        ("Do not spray when the wind is above 3 m/s.", [("风速", "gt", 3, 3, 0)], "forbid"),
        ("Wind must not exceed 10.8 km/h while spraying.", [("风速", "le", 10.8, 10.8, 0)], "demand"),
        ("Never spray if more than 5 mm of rain has fallen in the past 24 hours.",
         [("降雨量", "gt", 5, 5, DAY)], "forbid"),
        ("Shipping is allowed only when the store temperature is between 2 and 8 °C.",
         [("库温", "in", 2, 8, 0)], "demand"),
        ("风速小于 2 m/s 时可以打药", [("风速", "lt", 2, 2, 0)], "allow"),
        ("Spraying may be carried out when the wind is below 2 m/s.", [("风速", "lt", 2, 2, 0)], "allow"),
        ("The 72-hour rainfall must be less than 8 mm for spraying.", [("降雨量", "lt", 8, 8, 3 * DAY)], "demand"),
    ],
)  # fmt: skip
def test_what_a_rule_says(sentence: str, compared: list[tuple[str, str, float, float, float]], effect: str) -> None:
    """Figure, side, threshold, span and effect are those of the words, in both languages."""
    understood = KNOWN.understand(sentence)
    assert understood is not None
    assert [(c.figure.name, c.op, c.low, c.high, c.span_seconds) for c in understood.comparisons] == compared
    assert understood.effect == effect


@pytest.mark.parametrize(
    "sentence",
    [
        "花期风速大于 3 m/s 时不得打药",  # only while it flowers
        "叶面气温高于 30 ℃ 时不得打药",  # of another thing
        "无人机打药时风速不得超过 5 m/s",  # only from the air
        "风速大于 3 级时不得打药",  # another unit
        "除柑橘外,风速大于 3 m/s 时不得打药",
        "风速大于 3 m/s 时不得打药,经场长批准的除外",
        "未来 24 小时降雨量超过 5 mm 的,不得打药",  # a forecast
        "降雨量超过 5 mm 的,不得打药",  # in how long?
        "风速大于 3 m/s,气温高于 30 ℃ 时,不得打药",  # each or both?
        "降雨时不得打药",
        "风速大于 3 m/s 时可不打药",
        "风速小于 3 m/s 时不得停止打药",
        "风速大于 3 m/s 时,应佩戴护目镜打药",
        "Do not stop spraying when the wind is below 3 m/s.",
        "库温高于 8 ℃ 超过 30 分钟的,禁止发货",
        "风速大于 3 m/s 时不得在鱼塘边打药",
        "Do not spray near ponds when the wind is above 3 m/s.",
        "Do not spray from the air when the wind is above 3 m/s.",
        "Unless approved, do not spray when the wind is above 3 m/s.",
        "Do not spray when gusts of wind are above 3 m/s.",
        "Do not spray when rainfall is above 5 mm.",
        "最高气温高于 30 ℃ 时不得打药",  # the highest of which time?
    ],
)
def test_half_understood_is_not_understood(sentence: str) -> None:
    """A word that may restrict a rule, a unit or a span that is not clear: nothing is compared."""
    assert KNOWN.understand(sentence) is None


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["风速", "气温", "相对湿度"]),
    st.sampled_from([("大于", "gt"), ("不超过", "le"), ("低于", "lt"), ("不低于", "ge"), ("≥", "ge")]),
    st.integers(-200, 500),
)
def test_the_threshold_is_the_number_that_stands_there(name: str, side: tuple[str, str], tenths: int) -> None:
    """Any number, with sign and decimals, on the side that is written."""
    unit = {"风速": "m/s", "气温": "℃", "相对湿度": "%"}[name]
    understood = KNOWN.understand(f"{name}{side[0]} {tenths / 10:.1f} {unit} 时,不得打药")
    assert understood is not None
    (only,) = understood.comparisons
    assert (only.figure.name, only.op, only.low, only.high) == (name, side[1], tenths / 10, tenths / 10)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=120))
def test_no_text_of_a_manual_breaks_it(text: str) -> None:
    """Whatever stands in a manual or a question, something or nothing is understood."""
    KNOWN.understand(text)
    KNOWN.understand(f"风速大于{text}3 m/s {text}不得打药")
    KNOWN.lead_effect(text)
    understand(f"{text}打药吗?", KNOWN)


@pytest.mark.parametrize(
    "question",
    ["怎么打药?", "打药的步骤是什么?", "什么时候适合打药?", "打药前要准备什么?", "How do I spray?", "When can I spray?",
     "Which nozzle should I use for spraying?", "循环泵故障怎么处理?", "昨天有几次报警?",
     "气温多少度不能打药?", "昨天的最大风速是多少?", "平均气温多少?"],
)  # fmt: skip
def test_other_questions_are_not_taken(question: str) -> None:
    """How, when and what are for the manuals."""
    assert understand(question, KNOWN) is None


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("今天适合打药吗?", ()),
        ("最近三天降雨量多少?今天适合打药吗?", ()),
        ("现在果园里能不能打药?", ()),
        ("Is it okay to spray the citrus today?", ()),
        ("Can we ship from the cold store now?", ()),
        ("今天能打药不?", ()),
        ("今天葡萄适合打药吗?", ("葡萄",)),
        ("Can I spray the vineyard today?", ("vineyard",)),
        ("冷库能打药吗?", ("冷库",)),
        ("今天适合用多菌灵打药吗?", ("多菌灵",)),
    ],
)
def test_every_word_of_a_question_counts(question: str, left: tuple[str, ...]) -> None:
    """A crop, a chemical or a place that the sheet does not know is told, and never left out."""
    ask = understand(question, KNOWN)
    assert ask is not None and ask.decision is not None
    assert ask.left == left


@pytest.mark.parametrize(
    "question", ["今天下午适合打药吗?", "昨天能打药吗?", "Could I spray at 5 pm?", "Can I spray tonight?"]
)
def test_another_time_is_not_now(question: str) -> None:
    """Only now can be decided."""
    ask = understand(question, KNOWN)
    assert ask is not None and ask.other_time
