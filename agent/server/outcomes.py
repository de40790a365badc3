"""What became of a command after its turn had ended: a device that was away came back and was read, or a person
answered what waited. What the answer said stays, and `later` is beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.journal import Journal

__all__ = ["with_decisions", "with_outcome"]

_DECIDED = frozenset({"confirmed", "failed", "unsure", "refused", "expired"})
_KNOWN = {"command_confirmed": "confirmed", "command_failed": "failed"}


def with_outcome(answer: Mapping[str, Any], kind: str, at: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer as a later row of the trail leaves it.

    :param kind: of the row; any but the end of a command changes nothing.
    :param at: when it was written.
    """
    came = _KNOWN.get(kind)
    if came is None or not any(_is_about(one, body) for one in answer.get("done", ())):
        return answer
    later = {"came": came, "at": at}
    return {**answer, "done": [{**one, "later": later} if _is_about(one, body) else one for one in answer["done"]]}


def with_decisions(answer: Mapping[str, Any], journal: Journal) -> Mapping[str, Any]:
    """An answer with what persons decided since, of each call that it left waiting.

    :raises DatabaseError: the journal cannot be read.
    """
    done = [{**one, **_decided(one, journal)} for one in answer.get("done", ())]
    return {**answer, "done": done} if done else answer


def _decided(one: Mapping[str, Any], journal: Journal) -> dict[str, Any]:
    approval = str(one.get("approval", ""))
    if one.get("came") != "waits" or not approval:
        return {}
    found = journal.entry("command", approval) or journal.entry("approval", approval)  # a command has its approval's id
    return {"later": {"came": found.state}} if found is not None and found.state in _DECIDED else {}


def _is_about(one: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return one.get("came") == "unsure" and bool(one.get("command")) and one["command"] == body.get("command")
