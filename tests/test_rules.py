"""The rung without weights chooses among the same bounds, and says nothing where it has nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import pytest

from agent.asks import asked_for, offered_quotes
from agent.bound import CallBound, CallPart, PickBound, PickPart
from agent.errors import ModelError
from agent.evidence import Evidence, bind_tools, gather_terms
from agent.messages import Message, ToolCall
from agent.model.protocol import ReplyLimits
from agent.model.rules import RulesModel
from agent.perception import Lamp, Perception
from agent.quotes import Quote
from agent.tools import Binds, TurnView, tool
from agent.values import Passage, Term, ToolResult

SEEN = Perception((), (), (Lamp("风机故障", "red", "lit", (0, 0, 1, 1)),), (), (9, 9), 1.0)
PASSAGE = Passage("M1", "t", "4.1", "风机故障", None, "", "zh")
MEANING = Quote("风机故障表示风机已停。", "sentence", PASSAGE)
CAUSE = Quote("可能原因:\n- 过载", "steps", PASSAGE)
STEPS = Quote("处理步骤:\n1. 断电。", "steps", PASSAGE)
OTHER = Quote("处理步骤:\n1. 关阀。", "steps", replace(PASSAGE, heading="水箱液位低"))


@tool(risk="read", cues=("以前", "before"), examples=("以前出现过吗?",))
def similar_events(
    turn: TurnView, like: Annotated[str, Binds("alarm")], period: Annotated[str | None, Binds("period")] = None
) -> ToolResult:
    """Earlier events."""
    return ToolResult()


@tool(risk="read", cues=("什么意思", "怎么", "mean"), examples=("这个灯什么意思?", "多久加一次油?"))
def search_manuals(turn: TurnView, query: Annotated[str, Binds("alarm", "phrase")]) -> ToolResult:
    """Manuals."""
    return ToolResult()


@tool(risk="read", cues=("读数",), examples=(("有超限的吗?", {"show": "out of range"}), ("列出读数", {"show": "all"})))
def readings(turn: TurnView, show: Literal["out of range", "all"]) -> ToolResult:
    """Readings."""
    return ToolResult()


def choose(question: str, *, seen: Perception | None = SEEN, may_decline: bool = False) -> ToolCall | None:
    known = [Term("alarm", "风机故障", "question", 0)] if "风机故障" in question else []
    evidence = Evidence(question, seen, gather_terms(question, seen, known))
    tools = bind_tools([similar_events, search_manuals, readings], evidence, question)
    bound = CallBound((CallPart(question, tools, may_decline),))
    reply = RulesModel().reply([Message("user", question)], (), bound=bound, limits=ReplyLimits(10))
    return bound.parse(reply.text)[0]


@pytest.mark.parametrize(
    ("question", "tool_name", "arguments"),
    [
        ("风机故障以前出现过吗?最近三天", "similar_events", {"like": "风机故障", "period": "最近三天"}),
        ("这个灯什么意思?", "search_manuals", {"query": "风机故障"}),
        ("轴承多久加一次油?", "search_manuals", {"query": "轴承多久加一次油?"}),
        ("列出所有读数", "readings", {"show": "all"}),
        ("读数有超限的吗?", "readings", {"show": "out of range"}),
    ],
)
def test_a_part_calls_the_tool_of_its_cue(question: str, tool_name: str, arguments: dict[str, str]) -> None:
    """The longest cue decides, then the most alike example; arguments come from the evidence."""
    call = choose(question)
    assert call is not None
    assert (call.tool, call.arguments) == (tool_name, arguments)


def test_small_talk_calls_nothing() -> None:
    """What asks nothing and holds no cue needs no tool."""
    assert choose("你好", seen=None, may_decline=True) is None


@pytest.mark.parametrize(
    ("part", "quote"),
    [
        ("风机故障怎么处理?", STEPS),
        ("风机故障是什么原因?", CAUSE),
        ("风机故障什么意思?", MEANING),
        ("What should I do about 风机故障?", STEPS),
        ("站长电话多少?", None),
    ],
)
def test_a_quote_of_the_asked_kind_is_picked(part: str, quote: Quote | None) -> None:
    """Steps for 'what to do', a cause for 'why', and silence where nothing is shared."""
    quotes = (MEANING, CAUSE, STEPS, OTHER)
    bound = PickBound((PickPart(part, offered_quotes(part, part, quotes, most=4)),), quotes)
    reply = RulesModel().reply([Message("user", part)], (), bound=bound, limits=ReplyLimits(10))
    assert bound.parse(reply.text) == (quote,)


def test_a_named_code_leaves_only_what_holds_it() -> None:
    """F0011 is not F0012, however alike the rest."""
    rows = tuple(Quote(f"code | name\nF001{i} | fault {i}", "row", PASSAGE) for i in range(4))
    assert offered_quotes("What is F0011?", "What is F0011?", rows, most=4) == (rows[1],)


@pytest.mark.parametrize(
    ("part", "asked"),
    [("为什么停机?", "cause"), ("怎么停机?", "steps"), ("停机是什么意思?", "meaning"), ("停机要多久?", "fact")],
)
def test_what_a_part_asks_for(part: str, asked: str) -> None:
    """A clear sign, or nothing."""
    assert asked_for(part) == asked


def test_rules_word_nothing() -> None:
    """Free text is refused, so that the ladder knows."""
    with pytest.raises(ModelError):
        RulesModel().reply([Message("user", "hi")], (), bound=None, limits=ReplyLimits(10))
