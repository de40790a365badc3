"""A procedure from one showing: what a person used, by its name as it was read before, and what changed after it.

    Shown      what the person did and where: from a page, or typed as a step
    Seen       a look, and when its picture was taken at the latest
    steps_of   names for places, expectations from changes; what cannot be named is a problem, never a place

A step is named only by a look from before it that is younger than the click before it: what stood there then, not what
came up later. A name that means two things is told apart by its role, or by what it stands in or beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from agent.api import Json
from agent.perception import number_of
from plugins.screen.finding import CLICKED, FILLED, find
from plugins.screen.likeness import plain
from plugins.screen.pictures import area, centre, holds
from plugins.screen.values import Control, Role, Sight, Target, Verb

__all__ = ["Recorded", "Seen", "Shown", "expected", "file_text", "steps_of", "target_of"]

_ROLES: frozenset[Role] = frozenset(
    {"button", "field", "tab", "menu", "item", "row", "checkbox", "switch", "link", "text"}
)
_TELLING: Mapping[Role, int] = {"field": 0, "button": 1, "tab": 2, "menu": 2, "checkbox": 2, "text": 3}
"""Which new names say best that a page is there: what stands on it always."""
_SURE = 0.9
_FEW = 3
_TITLE_LINES = 2.0
"""Of its own height: so far from the upper edge of its frame a title stands at most."""
_NEAREST = 8
_LEAST_CHARS = 2


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that a person did."""

    verb: Verb
    place: tuple[int, int]
    """In pixels of the picture; kept nowhere."""
    at: float
    """By the monotonic clock."""
    value: str = ""
    problem: str = ""
    """Why it cannot be written down; empty where it can."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A look."""

    at: float
    """When its picture had been taken, by the monotonic clock."""
    sight: Sight


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a showing gave."""

    steps: tuple[Mapping[str, Json], ...] = ()
    """As a file has them."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Value that was set → unit of its field."""
    problems: tuple[str, ...] = ()


def steps_of(shown: Sequence[Shown], seen: Sequence[Seen]) -> Recorded:
    """Names and expectations for what was shown.

    :param seen: in their order.
    """
    steps: list[Mapping[str, Json]] = []
    units: dict[str, str] = {}
    problems: list[str] = []
    clicked = float("-inf")
    for number, one in enumerate(shown, start=1):
        before = next((look for look in reversed(seen) if look.at <= one.at), None)
        ends = shown[number].at if number < len(shown) else float("inf")
        after = next((look for look in seen if one.at < look.at <= ends and not look.sight.busy), None)
        late = before is None or before.at < clicked
        clicked = one.at if one.verb != "set" else clicked
        if one.problem or late or before is None:
            problems.append(
                f"{number}: {one.problem or 'too soon after the one before; wait until it was written down'}"
            )
            continue
        made = _step(one, before.sight)
        if isinstance(made, str):
            problems.append(f"{number}: {made}")
            continue
        told, unit = made
        if one.verb == "set":
            units[one.value] = unit
        elif after is not None:
            told |= expected(before.sight, after.sight)
        steps.append(told)
    return Recorded(tuple(steps), units, tuple(problems))


def target_of(sight: Sight, control: Control) -> Target | None:
    """Words that mean exactly this control on this sight; None where none do."""
    tiers = FILLED if control.role == "field" else CLICKED
    for target in _targets(sight, control):
        found = find(sight, target, tiers).control
        if found is not None and found.box == control.box:
            return target
    return None


def expected(before: Sight, after: Sight) -> dict[str, Json]:
    """What came of a step, as what has to be so when it is done again; nothing where nothing lasting shows."""
    if after.dialog and after.dialog != before.dialog:
        return {"shows": after.dialog}
    old = {plain(name) for name in _names(before)}
    fresh = [c for c in after.controls if plain(c.name) not in old and _is_lasting(c)]
    if fresh:
        few = len(fresh) <= _FEW
        return {"shows": min(fresh, key=lambda c: 0 if few and c.role == "text" else _TELLING.get(c.role, 4)).name}
    if before.dialog and not after.dialog:
        return {"hides": before.dialog}
    return {}


def file_text(name: Mapping[str, str], screen: str, recorded: Recorded, parameters: Mapping[str, str]) -> str:
    """A file to be reviewed: what has to be added by hand stands in it as a remark.

    :param name: zh and en.
    :param parameters: name → the value that was shown for it.
    """
    by_value = {value: key for key, value in parameters.items()}
    steps = []
    ranges: dict[str, Json] = {}
    for step in recorded.steps:
        told, value = dict(step), str(step.get("value", ""))
        if "set" in told and value in by_value:
            key, unit = by_value[value], recorded.units.get(value, "")
            told["value"] = f"{{{key}}}"
            called = str(told["set"])
            ranges[key] = {"zh": called, "en": called, **({"unit": unit} if unit else {}), **_only(value)}
        steps.append(told)
    body: dict[str, Json] = {"name": dict(name), "screen": screen}
    text = yaml.safe_dump(body | ({"parameters": ranges} if ranges else {}), allow_unicode=True, sort_keys=False)
    lines = [
        "# Recorded by being shown once; review it before you approve it:",
        "# - names in the other language: 保存 | Save",
        "# - the range of each parameter (it holds only the value that was shown)",
        "# - harmless: true where a click only opens something; undo: what takes a step back",
        *(f"# NOT recorded, step {problem}" for problem in recorded.problems),
    ]
    written = yaml.safe_dump({"steps": steps}, allow_unicode=True, sort_keys=False, width=110, default_flow_style=None)
    return "\n".join(lines) + "\n" + text + written


def _only(value: str) -> dict[str, Json]:
    """A range of one value, to be widened by who reviews it."""
    number = number_of(value)
    return {"choices": [value]} if number is None else {"from": number, "to": number}


def _step(one: Shown, before: Sight) -> tuple[dict[str, Json], str] | str:
    """The step as a file has it, and the unit of its field; or why it is none."""
    if one.verb == "press":
        return {"press": one.value}, ""
    wanted = {"field"} if one.verb == "set" else _ROLES
    under = [c for c in before.controls if c.role in wanted and holds(c.box, one.place)]
    if not under:
        return "nothing that has a name was used; name it in the file by hand"
    control = min(under, key=lambda c: (c.source != "said", area(c.box)))
    target = target_of(before, control)
    if target is None:
        return f"“{control.name}” is not the only one of its name, and nothing beside it tells it apart"
    told: dict[str, Json] = {one.verb: target.text}
    told |= {key: value for key in ("role", "within", "near") if (value := getattr(target, key))}
    if one.verb == "set":
        told |= {"value": one.value, **({"unit": control.unit} if control.unit else {})}
    return told, control.unit


def _targets(sight: Sight, control: Control) -> Iterator[Target]:
    yield Target(control.name)
    yield Target(control.name, control.role)
    beside = sorted(
        (c for c in sight.controls if c.role == "text" and plain(c.name) != plain(control.name)),
        key=lambda c: _distance(c, control),
    )[:_NEAREST]
    names = list(dict.fromkeys([*_titles(sight, control), *(c.name for c in beside if _is_lasting(c))]))
    yield from (Target(control.name, control.role, within=name) for name in names)
    yield from (Target(control.name, control.role, near=name) for name in names)


def _titles(sight: Sight, control: Control) -> Iterator[str]:
    """Of the frames that it is in, the smallest first: what a group is called stays, whatever else is in it."""
    for left, top, right, bottom in sight.frames:
        if not holds((left, top, right, bottom), centre(control.box)):
            continue
        for text in sight.seen.texts:
            high = text.box[3] - text.box[1]
            is_on_top = abs(text.box[1] - top) <= _TITLE_LINES * high and holds(
                (left, 0, right, bottom), centre(text.box)
            )
            if is_on_top and text.box[3] <= control.box[1] and bottom - top > _TITLE_LINES * high:
                yield text.text


def _distance(one: Control, other: Control) -> float:
    (x, y), (to_x, to_y) = centre(one.box), centre(other.box)
    return abs(x - to_x) + 2.0 * abs(y - to_y)


def _names(sight: Sight) -> Iterator[str]:
    yield from (c.name for c in sight.controls)
    yield from (text.text for text in sight.seen.texts)


def _is_lasting(control: Control) -> bool:
    """A name, and no value, time or count."""
    return (
        control.score >= _SURE
        and len(plain(control.name)) >= _LEAST_CHARS
        and not any(char.isdigit() for char in control.name)
    )
