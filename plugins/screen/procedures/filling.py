"""A procedure with a person's values: each checked against its range and unit, and parted into stages.

A stage is what one approval is for: one writing step, and the harmless ones before it (after the last, also those that
follow). What takes it back is parted in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agent.api import InputError, Json, Said, say
from plugins.screen.expecting import same_unit
from plugins.screen.procedures.reading import PLACEHOLDER
from plugins.screen.procedures.values import Parameter, Procedure, ProcedureStep
from plugins.screen.steps import READING, step_of
from plugins.screen.values import Outcome, Step, Target
from plugins.screen.wording import step_said, told

__all__ = [
    "Filled",
    "checked_value",
    "checked_values",
    "fill",
    "held_by",
    "stage_said",
    "stages",
    "step_in_words",
    "undo_of",
]

_CHINESE = re.compile("[\u3400-\u9fff]")
_VALUE = re.compile(r"(?P<number>[+-]?\d{1,12}(?:\.\d{1,12})?)\s*(?P<unit>[^\d\s].{0,15})?")


@dataclass(frozen=True, slots=True)
class Filled:
    """A step with its values."""

    step: Step
    source: ProcedureStep


def checked_values(procedure: Procedure, given: Mapping[str, str]) -> dict[str, str]:
    """A person's values, each in its range.

    :param given: parameter → what the person wrote; its unit may stand behind it.
    :return: parameter → value without unit.
    :raises InputError: one is missing, unknown, out of its range or in another unit.
    """
    known = {one.key: one for one in procedure.parameters}
    if unknown := sorted(set(given) - set(known)):
        raise InputError(f"{unknown[0][:40]}: no parameter of {procedure.key}; it takes {', '.join(known) or 'none'}")
    if missing := [key for key in known if key not in given]:
        one = known[missing[0]]
        raise InputError(f"{missing[0]} is missing ({one.name['en']}, {range_of(one)}); give --set {missing[0]}=VALUE")
    return {key: checked_value(known[key], given[key]) for key in known}


def checked_value(parameter: Parameter, text: str) -> str:
    """One value, without its unit.

    :raises InputError: out of its range, or in another unit.
    """
    called, text = f"{parameter.key} ({parameter.name['zh']}, {parameter.name['en']})", text.strip()
    if parameter.choices:
        if text not in parameter.choices:
            raise InputError(f"{called}: {text[:40]!r} is not to choose; one of {range_of(parameter)}")
        return text
    found = _VALUE.fullmatch(text)
    if found is None:
        raise InputError(f"{called}: {text[:40]!r} is no number; write it as 0.6 or 0.6{parameter.unit}")
    number, unit = found["number"], found["unit"] or ""
    if unit and not (parameter.unit and same_unit(unit, parameter.unit)):
        raise InputError(
            f"{called}: it is given in {parameter.unit or 'no unit'}, not in {unit[:16]}; convert it first"
        )
    assert parameter.least is not None
    assert parameter.most is not None
    if not parameter.least <= float(number) <= parameter.most:
        raise InputError(f"{called}: {number} is out of its range, {range_of(parameter)}")
    if len(number.partition(".")[2]) > parameter.decimals:
        raise InputError(f"{called}: {number} has more than {parameter.decimals} decimals; round it yourself")
    return number


def range_of(parameter: Parameter) -> str:
    """What may be given."""
    if parameter.choices:
        return ", ".join(parameter.choices)
    return f"{parameter.least:g} to {parameter.most:g} {parameter.unit}".strip()


def stages(steps: Sequence[ProcedureStep]) -> tuple[tuple[ProcedureStep, ...], ...]:
    """Steps by what one approval is for."""
    found: list[list[ProcedureStep]] = [[]]
    for step in steps:
        found[-1].append(step)
        if _writes(step):
            found.append([])
    rest = found.pop()
    if rest and found:
        found[-1] += rest
    elif rest:
        found.append(rest)
    return tuple(tuple(one) for one in found)


def undo_of(procedure: Procedure, stage: int) -> tuple[ProcedureStep, ...]:
    """What takes back all that was done up to and including a stage; empty where nothing is said.

    :param stage: counted from one.
    """
    for one in reversed(stages(procedure.steps)[:stage]):
        for step in reversed(one):
            if step.undo:
                return step.undo
    return ()


def fill(step: ProcedureStep, values: Mapping[str, str], before: Mapping[str, str]) -> Filled:
    """A step with its values in place.

    :param before: parameter → what its field held before.
    :raises InputError: what a field held before is wanted and not known.
    """

    def value(match: re.Match[str]) -> str:
        held = before if match["before"] else values
        if match["key"] not in held:
            raise InputError(f"line {step.line}: what {match['key']} was before is not known; set it back by hand")
        return held[match["key"]]

    filled: dict[str, Json] = {
        name: PLACEHOLDER.sub(value, text) if isinstance(text, str) else text for name, text in step.arguments.items()
    }
    return Filled(replace(step_of(filled), writes=_writes(step)), step)


def held_by(step: ProcedureStep) -> str:
    """The parameter that is set here, so that what its field held before is kept; empty where none is."""
    match = PLACEHOLDER.fullmatch(str(step.arguments.get("value", "")))
    return match["key"] if match and step.arguments["verb"] == "set" and not match["before"] else ""


def stage_said(steps: Sequence[Filled]) -> Said:
    """What a stage does, in words for whoever approves it."""
    said = [step_in_words(one.step) for one in steps]
    return say(",然后".join(one["zh"] for one in said), ", then ".join(one["en"] for one in said))


def step_in_words(step: Step, outcome: Outcome | None = None) -> Said:
    """A step, and what came of it, each language with the names of its own."""
    zh, en = (_with_names(step, chinese=chinese) for chinese in (True, False))
    if outcome is None:
        return say(step_said(zh)["zh"], step_said(en)["en"])
    return say(told(zh, outcome)["zh"], told(en, outcome)["en"])


def _with_names(step: Step, *, chinese: bool) -> Step:
    def narrowed(target: Target) -> Target:
        text, near, within = (_names_in(name, chinese=chinese) for name in (target.text, target.near, target.within))
        return replace(target, text=text, near=near, within=within)

    return replace(step, target=narrowed(step.target), to=narrowed(step.to) if step.to else None)


def _names_in(text: str, *, chinese: bool) -> str:
    """Of the names with | between, those of one language; all where none is of it."""
    given = [name.strip() for name in text.split("|")]
    mine = [name for name in given if bool(_CHINESE.search(name)) is chinese]
    return " | ".join(mine or given)


def _writes(step: ProcedureStep) -> bool:
    return not step.harmless and step.arguments["verb"] not in READING
