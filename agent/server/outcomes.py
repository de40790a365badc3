"""What became known of a command after its turn had ended: a device that was away came back and was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["with_outcome"]

_KNOWN = {"command_confirmed": "confirmed", "command_failed": "failed"}


def with_outcome(answer: Mapping[str, Any], kind: str, at: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer as a later row of the trail leaves it: what it said stays, and `later` is beside it.

    :param kind: of the row; any but the end of a command changes nothing.
    :param at: when it was written.
    """
    came = _KNOWN.get(kind)
    if came is None or not any(_is_about(one, body) for one in answer.get("done", ())):
        return answer
    later = {"came": came, "at": at}
    return {**answer, "done": [{**one, "later": later} if _is_about(one, body) else one for one in answer["done"]]}


def _is_about(one: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return one.get("came") == "unsure" and bool(one.get("command")) and one["command"] == body.get("command")
