"""A procedure that a person asks for in words: the whole of an utterance is one, or nothing is.

By the name of what it sets (把回水压力上限改成0.6 MPa) or by its own (执行 … / run …). What is found waits for a
person, step by step; a value out of range, and a procedure that nobody approved, are said and nothing waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.api import InputError, ToolCall, ToolFailed, say
from agent.orders import Order, Orders
from plugins.screen.likeness import plain
from plugins.screen.procedures.actuator import ProcedureActuator
from plugins.screen.procedures.filling import checked_values
from plugins.screen.procedures.runs import TOOL, Call
from plugins.screen.procedures.values import Procedure

__all__ = ["read_procedure_order"]

_MOST_CHARS = 200
_SETS = (
    re.compile(
        r"(?:请|麻烦|帮我)*(?:你)?(?:把|将)?(?P<name>.+?)的?(?:数值|值)?"
        r"(?:改成|改为|改到|设成|设为|设到|设置为|设置成|设定为|调成|调为|调到|调整为|调整到|修改为|修改成)(?P<value>.+)"
    ),
    re.compile(
        r"(?:please\s+)?(?:set|change|adjust|raise|lower)\s+(?:the\s+)?(?P<name>.+?)\s+to\s+(?P<value>.+)", re.I
    ),
)
_RUNS = (
    re.compile(r"(?:请|麻烦|帮我)*(?:执行|运行)(?:流程)?(?P<name>.+)"),
    re.compile(r"(?:please\s+)?(?:run|carry out)\s+(?:the\s+procedure\s+)?(?P<name>.+)", re.I),
)
_ENDS = " \t。.!!\"“”'"


def read_procedure_order(words: str, actuator: ProcedureActuator) -> Orders | None:
    """The procedure that an utterance asks for; None where it asks for none.

    :raises DatabaseError: `watch.db` cannot be used.
    """
    text = words.strip(_ENDS)
    if len(text) > _MOST_CHARS or not any(pattern.fullmatch(text) for pattern in (*_SETS, *_RUNS)):
        return None  # most questions: no file is read for them
    found = {procedure.key: (procedure, given) for procedure, given in _asked(text, actuator)}
    if not found:
        return None
    if len(found) > 1:
        names = ", ".join(sorted(found))
        return _told(f"有几个流程都符合:{names};请说流程的名字", f"several procedures fit: {names}; say its name")
    ((procedure, given),) = found.values()
    return _order(procedure, given, actuator)


def _asked(text: str, actuator: ProcedureActuator) -> Iterator[tuple[Procedure, dict[str, str]]]:
    for procedure in actuator.shelf.each():
        if len(procedure.parameters) == 1:
            (parameter,) = procedure.parameters
            names = {plain(name) for name in (*parameter.name.values(), *parameter.also)}
            for pattern in _SETS:
                if (match := pattern.fullmatch(text)) and plain(match["name"]) in names:
                    yield procedure, {parameter.key: match["value"].strip(_ENDS)}
        names = {plain(name) for name in (*procedure.name.values(), *procedure.also, procedure.key)}
        if any((match := pattern.fullmatch(text)) and plain(match["name"]) in names for pattern in _RUNS):
            yield procedure, {}


def _order(procedure: Procedure, given: dict[str, str], actuator: ProcedureActuator) -> Orders:
    """The first stage, or the one that a run of the same waits for."""
    try:
        values = checked_values(procedure, given)
        call = Call(procedure.key, procedure.digest, "", 1, values)
        waiting = actuator.runs.waiting(call)
        known = Call.of(waiting.arguments) if waiting else None
        call = known or actuator.worded(Call(procedure.key, procedure.digest, actuator.runs.fresh(), 1, values))
    except (InputError, ToolFailed) as error:
        return _told(f"{procedure.name['zh']}:没有执行。{error}", f"{procedure.name['en']}: not done; {error}")
    said = say(f"{procedure.name['zh']}({call.does})", f"{procedure.name['en']} ({call.does})")
    return Orders((Order(said, ToolCall(TOOL, call.to_json())),))


def _told(zh: str, en: str) -> Orders:
    return Orders((Order(say(zh, en)),))
