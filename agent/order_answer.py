"""What became of orders as parts of an answer, and the record of a turn that was nothing but orders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from agent.actuator import Came, Outcome
from agent.answer import Answer, AnswerPart
from agent.journal import NEXT, Entry, Journal
from agent.messages import ToolCall, Usage
from agent.model.falls import Fall
from agent.orders import Done, Order, Orders
from agent.prompt import detect_language
from agent.tools import Tool
from agent.turn_record import TurnRecord
from agent.values import Language, Said, say

__all__ = ["known_now", "no_more_than", "order_parts", "order_record", "ordered_calls", "said_before", "utterance_turn"]

_BEFORE = say("这句话已收到过,没有再次执行。", "This was said before; nothing was done again.")
_STOOD: Mapping[str, Said] = {
    "confirmed": say("当时已完成并回读确认", "it was done then and confirmed"),
    "failed": say("当时没有完成", "it was not done then"),
    "expired": say("当时没有发出", "it was not sent then"),
}
_OPEN = say("当时已发出,没有确认", "it was sent then and not confirmed")


def order_parts(done: Sequence[Done], language: Language) -> tuple[AnswerPart, ...]:
    """One line for each order."""
    lines = tuple(line for one in done for line in one.line[language].splitlines() if line)
    return (AnswerPart("", lines, ()),) if lines else ()


def no_more_than(orders: Orders | None, done: Sequence[Done], question: str) -> tuple[Orders, tuple[Done, ...]]:
    """Orders alone: what is left over is said not to have been understood, and not asked about."""
    left = (question,) if orders is None else orders.left
    lost = [say(f"没有听懂:{part}", f"Not understood: {part}") for part in left]
    told = [Done(Order(line), "refused", line) for line in lost]
    return Orders(tuple(d.order for d in (*done, *told)), (), orders.path if orders else "rules"), (*done, *told)


def ordered_calls(done: Sequence[Done]) -> tuple[ToolCall, ...]:
    """The calls of orders, in order."""
    return tuple(one.order.call for one in done if one.order.call is not None)


def order_record(
    turn: str,
    question: str,
    language: Language,
    done: Sequence[Done],
    rung: str,
    falls: tuple[Fall, ...],
    ms: dict[str, float],
) -> TurnRecord:
    """A turn in which everything was ordered and nothing asked."""
    answer = Answer(language, order_parts(done, language), ())
    return TurnRecord(
        turn, question, answer, rung, falls, None, ordered_calls(done), Usage(), ms, (), tuple(done)
    )  # fmt: skip


def utterance_turn(utterance: str) -> str:
    """The turn of an utterance: the same for each time that it is delivered."""
    return f"u{hashlib.sha256(utterance.encode('utf-8', 'backslashreplace')).hexdigest()[:23]}"


def known_now(entry: Entry, tools: Iterable[Tool]) -> Said:
    """What became of a command that nobody knew about when its turn ended."""
    came: Came = "confirmed" if entry.state == "confirmed" else "failed"
    tool = next((tool for tool in tools if tool.name == entry.body.get("tool")), None)
    line = _STOOD[came]
    if tool is not None and tool.actuator is not None:
        line = tool.actuator.told(entry.body.get("arguments") or {}, Outcome(came))
    return say(f"先前没有确认的指令已查明:{line['zh']}", f"known now of a command that was not confirmed: {line['en']}")


def said_before(turn: str, question: str, journal: Journal, tools: Iterable[Tool]) -> TurnRecord:
    """An utterance that was delivered again: what became of its commands, as the journal has it."""
    states = {state for after in NEXT["command"].values() for state in after}
    by_name = {tool.name: tool for tool in tools}
    done = [Done(Order(_BEFORE), "told", _BEFORE)]
    for entry in journal.entries("command", *sorted(states)):
        if entry.turn == turn:
            call = ToolCall(str(entry.body.get("tool")), entry.body.get("arguments") or {})
            tool = by_name.get(call.tool)
            outcome = Outcome("repeated", _STOOD.get(entry.state, _OPEN))
            line = tool.actuator.told(call.arguments, outcome) if tool and tool.actuator else outcome.why or _BEFORE
            done.append(Done(Order(line, call), outcome.came, line, entry.id))
    return order_record(turn, question, detect_language(question), done, "rules", (), {})
