"""Steps as arguments of a call, which a person can read and approve, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from agent.api import Json, ToolFailed
from plugins.screen.values import Expect, Role, Step, Target, Verb

__all__ = ["READING", "arguments_of", "step_of"]

READING: frozenset[Verb] = frozenset({"look", "wait", "scroll"})
"""What changes nothing of the plant."""
_ROLES: Mapping[str, Role] = {role: role for role in get_args(Role)}
_VERBS: Mapping[str, Verb] = {verb: verb for verb in get_args(Verb)}
_MOST_SECONDS = 600.0


def arguments_of(screen: str, step: Step) -> dict[str, Json]:
    """A step as a call; what is not said is left out.

    :raises ToolFailed: it expects more than one call can say.
    """
    target, to = step.target, step.to or Target()
    told = [one for one in step.expect if one.target is not None]
    seen = [one for one in step.expect if one.target is None]
    if len(told) > 1 or len(seen) > 1 or any(one.target != step.target for one in told):
        raise ToolFailed("a call expects one text that shows, one that hides, and one value of its own target")
    seconds = max((one.within_seconds for one in step.expect), default=0.0)
    given: dict[str, Json] = {
        "text": target.text,
        "role": target.role or "",
        "near": target.near,
        "within": target.within,
        "field": target.field,
        "value": step.value,
        "unit": step.unit,
        "to": to.text,
        "to_within": to.within,
        "shows": seen[0].shows if seen else "",
        "hides": seen[0].hides if seen else "",
        "holds": told[0].value if told else "",
        "seconds": seconds if seconds != Expect().within_seconds else 0.0,
    }
    return {"screen": screen, "verb": step.verb, **{name: value for name, value in given.items() if value}}


def step_of(arguments: Mapping[str, Json]) -> Step:
    """The step that a call means.

    :raises ToolFailed: it is none.
    """

    def word(name: str) -> str:
        value = arguments.get(name, "")
        if not isinstance(value, str):
            raise ToolFailed(f"screen_step: {name} is a text")
        return value.strip()

    verb, role = _VERBS.get(word("verb")), _ROLES.get(word("role"))
    if verb is None:
        raise ToolFailed(f"screen_step: {word('verb')[:40]!r} is nothing to do; known are {', '.join(_VERBS)}")
    if word("role") and role is None:
        raise ToolFailed(f"screen_step: {word('role')[:40]!r} is no role; known are {', '.join(_ROLES)}")
    target = Target(word("text"), role, word("near"), word("within"), word("field"))
    needs_target = verb in ("click", "double_click", "type", "set", "drag")
    if needs_target and not (target.text or target.field):
        raise ToolFailed(f"screen_step: {verb} needs the name of what is meant, as text or field")
    if verb in ("type", "set", "press") and not word("value"):
        raise ToolFailed(f"screen_step: {verb} needs a value")
    to = Target(word("to"), within=word("to_within")) if word("to") else None
    if verb == "drag" and to is None:
        raise ToolFailed("screen_step: drag needs `to`, the name of what it is dragged to")
    return Step(verb, target, word("value"), word("unit"), to, _expected(arguments, target), verb not in READING)


def _expected(arguments: Mapping[str, Json], target: Target) -> tuple[Expect, ...]:
    seconds = arguments.get("seconds") or Expect().within_seconds
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _MOST_SECONDS:
        raise ToolFailed(f"screen_step: seconds is a number up to {_MOST_SECONDS:g}")
    shows, hides, holds = (str(arguments.get(name) or "").strip() for name in ("shows", "hides", "holds"))
    found = []
    if shows or hides:
        found.append(Expect(shows, hides, within_seconds=float(seconds)))
    if holds:
        unit = str(arguments.get("unit") or "").strip()
        found.append(Expect(target=target, value=holds, unit=unit, within_seconds=float(seconds)))
    return tuple(found)
