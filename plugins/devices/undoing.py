"""Putting back what the last orders changed: each device gets the value that it showed before, by a command of its own.

Only a point whose value was read before it was set can be put back. Spoken, an undo waits for a person, for these words
name no device and no value; `watchkeeper undo` is typed by somebody who sees what it will write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.api import Env, InputError, ToolCall, say
from agent.clock import Span
from agent.commands.approvals import open_approvals
from agent.journal import Entry, Journal
from agent.orders import Order, Orders
from plugins.devices.house import House
from plugins.devices.wording import called, shown

__all__ = ["is_undo", "last_commands", "undo_of", "undo_orders"]

_UNDO = re.compile(
    r"(?:请|麻烦|帮我|给我)*(?:把)?(?:刚才|刚刚|上一[个条步次])?的?(?:操作|命令|指令|动作)?(?:撤销|撤回|还原|恢复原样|恢复原状)"
    r"(?:一下|掉)?(?:刚才|刚刚|上一[个条步次])?的?(?:操作|命令|指令|动作|设置)?[吧了]?"
    r"|(?:please |can you |could you )?(?:undo|revert)(?: (?:it|that|this|the last (?:one|command|action|change|order)"
    r"|what you (?:just )?did|what i (?:just )?said))?(?: please| again)?",
    re.IGNORECASE,
)
_DONE = ("confirmed", "unsure")
_NOTHING = say("没有可以撤销的操作。", "There is nothing to undo.")


def is_undo(words: str) -> bool:
    """Whether all that is said is to undo what was done last."""
    return _UNDO.fullmatch(words.strip(" \t\r\n。.!！,，")) is not None


def undo_orders(env: Env, house: House) -> Orders:
    """The orders that put back what the last turn changed."""
    with open_approvals(env) as (_, commands):
        entries = last_commands(commands.journal, env.settings.devices.undo_hours)
    orders = [order for entry in entries if (order := undo_of(entry, house)) is not None]
    return Orders(tuple(orders) or (Order(_NOTHING),), (), "rules", ("undo of the last turn",))


def last_commands(journal: Journal, hours: float, *, wanted: str = "") -> Sequence[Entry]:
    """The commands to put back, last one first.

    :param wanted: id of one command, or of a turn; empty: all of the last turn that sent any.
    :raises InputError: there is none of that id.
    """
    now = journal.clock()
    sent = [
        e for e in journal.entries("command", *_DONE) if "before" in e.body and Span(e.begun, hours * 3600).holds(now)
    ]
    if wanted:
        chosen = [e for e in sent if wanted in (e.id, e.turn)]
        if not chosen:
            raise InputError(f"{wanted[:40]}: no command of that id can be undone; leave it out for the last one")
    else:
        chosen = [e for e in sent if e.turn == sent[-1].turn] if sent else []
    return chosen[::-1]


def undo_of(entry: Entry, house: House) -> Order | None:
    """The order that puts back one command; None where the map has changed since."""
    arguments = entry.body.get("arguments")
    before = entry.body.get("before")
    if not isinstance(arguments, dict) or not isinstance(before, bool | int | float | str):
        return None
    device = house.device(str(arguments.get("device")))
    point = device.point(str(arguments.get("point"))) if device else None
    if device is None or point is None:
        return None
    value = before if isinstance(before, bool | str) else float(before)
    name, now = called(device), shown(point, value)
    said = say(f"{name['zh']} → {now['zh']}", f"{name['en']} → {now['en']}")
    call = {"device": device.id, "point": point.name, "value": value, "unit": point.unit}
    return Order(said, ToolCall("write_point", call))
