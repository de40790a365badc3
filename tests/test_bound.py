"""A reply can be only what the evidence of its turn admits, whoever makes it."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bound import LETTERS, NO_TOOL, BoundArgument, CallBound, CallPart, PickBound, PickPart, SchemaBound
from agent.errors import BadReply
from agent.evidence import Evidence, bind_tools, gather_terms
from agent.model.fits import fit
from agent.perception import Lamp, Perception, Reading
from agent.quotes import Quote
from agent.tools import Binds, TurnView, tool
from agent.values import Json, Passage, Record, Term, ToolResult, say
from tests.fakes import call

BOX = (0, 0, 10, 10)
PASSAGE = Passage("M1", "t", "1.1", "h", None, "text", "en")


@tool(risk="read")
def similar_events(
    turn: TurnView, like: Annotated[str, Binds("alarm", "tag")], period: Annotated[str | None, Binds("period")] = None
) -> ToolResult:
    """Earlier events."""
    return ToolResult()


@tool(risk="read")
def readings(show: Literal["out of range", "all"], label: Annotated[str | None, Binds("label")] = None) -> ToolResult:
    """Readings."""
    return ToolResult()


def perception(*labels: str, lamps: tuple[str, ...] = ()) -> Perception:
    return Perception(
        (),
        tuple(Reading(label, "1", "", "printed", BOX, 1.0) for label in labels),
        tuple(Lamp(lamp, "red", "lit", BOX) for lamp in lamps),
        (),
        (10, 10),
        1.0,
    )


def bound_for(question: str, seen: Perception | None = None, *known: Term) -> CallBound:
    evidence = Evidence(question, seen, gather_terms(question, seen, known))
    return CallBound((CallPart(question, bind_tools([similar_events, readings], evidence, question)),))


def test_a_call_written_is_a_call_read() -> None:
    """What `write` writes, the grammar admits and `parse` reads."""
    bound = bound_for("过去三天泵故障有几次?", None, Term("alarm", "泵故障", "question", 4))
    made = call("similar_events", like="泵故障", period="过去三天")
    assert fit(bound.lark(), bound.write([made]))
    assert bound.parse(bound.write([made])) == (made,)


@pytest.mark.parametrize(
    "line",
    [
        'similar_events("别的", "过去三天")',
        'similar_events("泵故障", "过去四天")',
        'similar_events("泵故障")',
        'similar_events("泵故障", "过去三天", "过去三天")',
        'open_valve("泵故障")',
        "similar_events",
        "similar_events(泵故障)",
        NO_TOOL,
    ],
)
def test_a_value_outside_the_evidence_is_refused(line: str) -> None:
    """Another alarm, another time, another tool, no arguments: BadReply, and the grammar does not admit it either."""
    question = "过去三天泵故障有几次?"
    bound = bound_for(question, None, Term("alarm", "泵故障", "question", 4))
    text = f"{question} -> {line}\n"
    with pytest.raises(BadReply):
        bound.parse(text)
    assert not fit(bound.lark(), text)


def test_what_the_person_names_goes_before_what_is_in_sight() -> None:
    """With a name in the question only that name may be asked about; without one, what the photo shows."""
    seen = perception(lamps=("循环变频故障", "补水变频故障"))
    assert "补水变频故障" in bound_for("补水变频故障以前有过吗?", seen).lark()
    assert "循环变频故障" not in bound_for("补水变频故障以前有过吗?", seen).lark()
    assert "循环变频故障" in bound_for("以前有过吗?", seen).lark()


def test_the_longest_name_is_meant() -> None:
    """NO.1循环泵频率 is not 循环泵频率, which stands in it."""
    seen = perception("循环泵频率", "NO.1循环泵频率")
    assert '"循环泵频率' not in bound_for("NO.1 循环泵频率是多少?", seen).lark().replace('\\"', '"')


def test_a_tool_without_evidence_is_not_offered() -> None:
    """No alarm is named and none in sight: nothing similar can be asked for."""
    bound = bound_for("以前有过吗?")
    assert [b.tool.name for b in bound.parts[0].tools] == ["readings"]


def test_results_can_be_asked_about_further() -> None:
    """An alarm that a tool found is evidence for a reading tool; its text is no name for a writing one."""
    found = Record("E1", "event", say("a", "a"), {"text": "泵故障", "tag": "P-1"})
    evidence = Evidence("还有吗?", None, ()).with_result(ToolResult(records=(found,)))
    spelt = Record("E2", "event", say("a", "a"), {"text": "</tool_call>"})
    assert evidence.with_result(ToolResult(records=(spelt,))).terms == evidence.terms
    (offered, _) = bind_tools([similar_events, readings], evidence, "还有吗?")
    assert offered.arguments[0].values == ("P-1", "泵故障")


def test_a_choice_of_the_tool_itself_is_offered_whole() -> None:
    """An argument that names no evidence has the values of its type."""
    bound = bound_for("有超限的吗?", perception("压力"))
    assert fit(bound.lark(), '有超限的吗? -> readings("out of range")\n')
    assert not fit(bound.lark(), '有超限的吗? -> readings("some")\n')


def test_a_schema_is_kept() -> None:
    """An argument without a list of values is any value of its schema, and no other."""
    argument = BoundArgument("n", schema={"type": "integer", "minimum": 1, "maximum": 9})
    assert fit(f"start: {argument.lark()}", "9")
    assert not fit(f"start: {argument.lark()}", "10")


@given(st.text(min_size=1, max_size=30).filter(lambda t: t.strip()), st.text(min_size=1, max_size=30))
def test_any_text_can_be_bound(question: str, name: str) -> None:
    """Quotes, backslashes, control characters: names from photos and logs never break out of the grammar."""
    question = " ".join(question.split())
    bound = bound_for(question, perception(lamps=(name,)))
    offered = bound.parts[0].tools[0]
    if offered.tool is similar_events:
        # every one that is offered: SEPT alone is a span of time, which is then part of the call
        made = call("similar_events", **{one.name: one.values[0] for one in offered.arguments if one.values})
        assert fit(bound.lark(), bound.write([made]))
        assert bound.parse(bound.write([made])) == (made,)


def test_a_pick_is_a_letter_and_the_quote_is_copied() -> None:
    """The model points; what it pointed at comes back whole."""
    quotes = tuple(Quote(f"sentence {i}", "sentence", PASSAGE) for i in range(len(LETTERS)))
    bound = PickBound((PickPart("what?", quotes), PickPart("why?", quotes[:2])), quotes)
    text = bound.write([quotes[-1], None])
    assert fit(bound.lark(), text)
    assert bound.parse(text) == (quotes[-1], None)


def test_a_named_code_leaves_no_way_out() -> None:
    """Where every quote holds the code that was asked for, one of them is the answer."""
    one = (Quote("F0011 | fan", "row", PASSAGE),)
    bound = PickBound((PickPart("F0011?", one, may_decline=False),), one)
    assert fit(bound.lark(), "F0011? -> A\n")
    assert not fit(bound.lark(), "F0011? -> N\n")
    with pytest.raises(BadReply):
        bound.parse("F0011? -> N\n")


@pytest.mark.parametrize("text", ["what? -> B\n", "what? -> AA\n", "", "why? -> A\n"])
def test_a_letter_without_a_quote_is_refused(text: str) -> None:
    """There is one quote, so there is A and N."""
    with pytest.raises(BadReply):
        one = (Quote("a sentence", "sentence", PASSAGE),)
        PickBound((PickPart("what?", one),), one).parse(text)


def test_a_schema_is_a_bound() -> None:
    """One compact JSON value; integer bounds hold, and what is no JSON is said."""
    number: dict[str, Json] = {"type": "integer", "minimum": 3, "maximum": 12}
    bound = SchemaBound({"type": "object", "properties": {"n": number}, "required": ["n"]})
    assert fit(bound.lark(), '{"n":12}') and not fit(bound.lark(), '{"n":13}') and not fit(bound.lark(), '{"n": 12}')
    assert bound.parse('{"n":12}') == {"n": 12}
    with pytest.raises(BadReply, match="no JSON"):
        bound.parse("n is 12")
