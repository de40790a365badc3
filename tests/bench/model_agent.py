"""The tools of `make bench-model`'s call row as our agent has them: typed functions, arguments bound to the evidence of
the question, calls in its own form, foreseen by its rules. The peers are told the same tools as a JSON schema.
"""

from __future__ import annotations

from typing import Annotated, Literal

from agent.bound import CallBound, CallPart
from agent.evidence import Evidence, bind_tools, gather_terms
from agent.messages import Message
from agent.model.protocol import ReplyLimits
from agent.model.rules import RulesModel
from agent.prompt import system_message
from agent.tools import Binds, TurnView, tool
from agent.values import Term, ToolResult
from tests.bench.model_work import ALARMS, AREAS

__all__ = ["CALL_TOKENS", "SYSTEM", "call_bound", "call_limits"]

CALL_TOKENS = 80
Alarm = Annotated[str, Binds("alarm")]
Period = Annotated[str | None, Binds("period")]
Area = Annotated[str | None, Binds("area")]


@tool(
    risk="read",
    cues=("类似", "以前", "happened before"),
    examples=("电机过载以前出现过吗?", "Has the dryer tripped like this before?"),
)
def similar_events(turn: TurnView, like: Alarm, period: Period = None, area: Area = None) -> ToolResult:
    """Earlier events of an alarm: when, where, how long."""
    return ToolResult()


@tool(
    risk="read",
    cues=("几次", "多少次", "how often"),
    examples=(("油压低这个月每天几次?", {"per": "day"}), ("How often did each hall see it?", {"per": "area"})),
)
def count_events(turn: TurnView, like: Alarm, per: Literal["day", "area"], period: Period = None) -> ToolResult:
    """How often an alarm came, per day or per area."""
    return ToolResult()


@tool(
    risk="read",
    cues=("手册", "怎么处理", "manual"),
    examples=(("滤网堵塞怎么处理?", {"what": "steps"}), ("What does the manual say about it?", {"what": "meaning"})),
)
def search_manual(turn: TurnView, about: Alarm, what: Literal["meaning", "causes", "steps"]) -> ToolResult:
    """The section of the manual about an alarm, with its steps."""
    return ToolResult()


@tool(
    risk="read",
    cues=("读数", "画面", "panel"),
    examples=(("画面上油泵间的读数是多少?", {"what": "readings"}), ("Which lamps are lit?", {"what": "lamps"})),
)
def read_panel(turn: TurnView, what: Literal["readings", "lamps", "tables"], area: Area = None) -> ToolResult:
    """Readings and lamps of the photographed panel, in one area."""
    return ToolResult()


@tool(
    risk="read",
    cues=("修过", "维修", "repaired"),
    examples=("上个月油泵间修过什么?", "What was repaired in hall 2?"),
)
def maintenance_history(turn: TurnView, area: Annotated[str, Binds("area")], period: Period = None) -> ToolResult:
    """What was repaired in an area, when and by whom."""
    return ToolResult()


TOOLS = (similar_events, count_events, search_manual, read_panel, maintenance_history)
SYSTEM: Message = system_message(TOOLS)


def call_bound(question: str) -> CallBound:
    """What the call for a question may be."""
    names = [("alarm", name) for name in ALARMS] + [("area", name) for name in AREAS]
    found = [Term(kind, name, "question", question.find(name)) for kind, name in names if name in question]
    evidence = Evidence(question, None, gather_terms(question, None, found, ()))
    return CallBound((CallPart(question, bind_tools(TOOLS, evidence, question)),))


def call_limits(bound: CallBound) -> ReplyLimits:
    """With what the rules foresee."""
    limits = ReplyLimits(CALL_TOKENS)
    draft = RulesModel().reply([], TOOLS, bound=bound, limits=limits).text
    return ReplyLimits(CALL_TOKENS, draft=draft)
