"""What a row of the trail says of a turn, in words for the person who waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.values import Said, say

__all__ = ["ENDS", "step_of"]

ENDS = ("turn_finished", "turn_failed", "turn_interrupted")
"""Rows that close a turn; they are told as its answer or its error."""
_PLAIN: Mapping[str, Said] = {
    "turn_started": say("开始处理", "Begun"),
    "photo_read": say("已读取照片", "The photo was read"),
    "looked_closer": say("仔细看了照片的一处", "Looked closer at a part of the photo"),
    "tool_failed": say("没有查到", "It could not be looked up"),
    "line_worded": say("正在概括", "Words are put to it"),
    "history_left_out": say("略去了较早的提问", "Earlier questions were left out"),
    "approval_waiting": say("等待批准", "It waits for approval"),
    "command_sending": say("正在发出指令", "A command is being sent"),
    "command_confirmed": say("指令已回读确认", "A command was confirmed by reading back"),
    "command_failed": say("指令没有完成", "A command was not done"),
    "command_unsure": say("指令已发出,没有得到确认", "A command was sent and not confirmed"),
}
_REPLIED = say("模型已选定查什么或引用什么", "The model chose what to look up or to quote")
_BY_RULES = say("按规则选定", "Chosen by rules")


def step_of(kind: str, at: str, body: Mapping[str, Any]) -> dict[str, object] | None:
    """A step as the page shows it; None where the row is nothing for a person."""
    said = _said(kind, body)
    return None if said is None else {"kind": kind, "at": at, "text": dict(said)}


def _said(kind: str, body: Mapping[str, Any]) -> Said | None:
    if kind == "photo_read" and "texts" in body:
        texts, readings = body.get("texts"), body.get("readings")
        return say(
            f"照片上读到 {texts} 处文字、{readings} 个读数", f"The photo shows {texts} texts, {readings} readings"
        )
    if kind == "tool_called":
        arguments = body.get("arguments")
        given = "、".join(str(v) for v in arguments.values() if v) if isinstance(arguments, dict) else ""
        return say(f"查询 {body.get('name')}:{given}", f"Looks up {body.get('name')}: {given}")
    if kind == "tool_returned":
        cited = [str(one) for one in body.get("cited") or ()]
        told = ", ".join(cited[:4]) + (" …" if len(cited) > 4 else "")
        return say(f"查到 {len(cited)} 条 {told}".rstrip(), f"{len(cited)} found {told}".rstrip())
    if kind == "model_replied":
        return _BY_RULES if body.get("rung") == "rules" else _REPLIED
    return _PLAIN.get(kind)
