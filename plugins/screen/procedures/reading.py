"""A procedure from its YAML file. Whatever is not exactly as it should be is refused, with its line and what to do.

Bounded before it is read: bytes, depth, no anchors, no key twice. Every scalar is text, so that neither 是 nor Yes, nor
0.60, becomes something else; only the schema says what is a number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agent.api import InputError, Json, ToolFailed, say
from agent.settings import ProcedureSettings
from plugins.screen.procedures.values import Parameter, Procedure, ProcedureStep
from plugins.screen.steps import step_of
from plugins.screen.values import Verb

__all__ = ["NAME", "PLACEHOLDER", "read_procedure", "read_step"]

NAME = re.compile(r"[\w\-]{1,64}")
PLACEHOLDER = re.compile(r"\{(?P<key>\w+)(?P<before> before)?\}")
_FILLED = ("value", "shows", "hides", "holds")
"""Where a parameter may stand; never in the name of what is used."""
_HARMLESS = ("click", "look", "wait", "scroll")
_VERBS: tuple[Verb, ...] = get_args(Verb)
_DEEPEST = 8
Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Called = Annotated[Word, StringConstraints(min_length=1)]
Where = tuple[str | int, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Names(_Strict):
    zh: Called
    en: Called
    also: tuple[Called, ...] = Field(default=(), max_length=16)


class _Parameter(_Names):
    unit: Word = ""
    least: float | None = Field(default=None, alias="from", allow_inf_nan=False)
    most: float | None = Field(default=None, alias="to", allow_inf_nan=False)
    decimals: int = Field(default=3, ge=0, le=9)
    choices: tuple[Called, ...] = Field(default=(), max_length=40)


class _Undo(_Strict):
    look: Word | None = None
    click: Called | None = None
    double_click: Called | None = None
    type: Called | None = None
    set: Called | None = None
    press: Called | None = None
    drag: Called | None = None
    scroll: Word | None = None
    wait: Word | None = None
    role: Called | None = None
    near: Called | None = None
    within: Called | None = None
    value: Called | None = None
    unit: Called | None = None
    to: Called | None = None
    to_within: Called | None = None
    shows: Called | None = None
    hides: Called | None = None
    holds: Called | None = None
    seconds: float | None = Field(default=None, gt=0, le=600)
    harmless: bool = False


class _Step(_Undo):
    undo: tuple[_Undo, ...] = ()


class _File(_Strict):
    name: _Names
    screen: Called
    parameters: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")], _Parameter] = {}
    steps: tuple[_Step, ...] = Field(min_length=1)


def read_procedure(path: Path, limits: ProcedureSettings) -> Procedure:
    """Of one file.

    :raises InputError: it cannot be read, is too large, or something in it is wrong: with its line and what to do.
    """
    if not NAME.fullmatch(path.stem):
        raise InputError(f"{path}: name the file with letters, digits, - and _ only")
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_file_bytes + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > limits.max_file_bytes:
        raise InputError(
            f"{path}: larger than procedures.max_file_bytes ({limits.max_file_bytes}); part it into several"
        )
    try:
        raw, lines = _parsed(data.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is no UTF-8; save it as UTF-8") from None
    try:
        found = _File.model_validate(raw)
    except ValidationError as error:
        raise _wrong(path, error, lines) from None
    made = _made(path, found, lines, hashlib.sha256(data).hexdigest())
    _check(path, made, limits)
    return made


def read_step(text: str) -> ProcedureStep:
    """One step as it stands in a file: `click: 保存, shows: 请确认`.

    :raises InputError: it is none.
    """
    raw, lines = _parsed("{" + text + "}", "the step")
    try:
        found = _Undo.model_validate(raw)
    except ValidationError as error:
        raise _wrong(Path("the step"), error, lines) from None
    return _step(Path("the step"), found, 1)


def _parsed(text: str, name: str) -> tuple[Any, dict[Where, int]]:
    """Scalars as text, and the line of each place."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise InputError(f"{name}:{line}: nested too deeply; steps are a plain list")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise InputError(f"{name}:{line}: no anchors (& and *) here; write it out")
            if getattr(event, "tag", None):
                raise InputError(f"{name}:{line}: no tags (!) here; write plain text")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or "not YAML"
        raise InputError(f"{name}{at}: {why}; put texts with : or # into quotes") from None
    lines: dict[Where, int] = {}
    return _plain(node, (), lines, name), lines


def _plain(node: yaml.Node | None, where: Where, lines: dict[Where, int], name: str) -> Any:
    line = node.start_mark.line + 1 if node is not None else 1
    lines[where] = line
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in made:
                raise InputError(f"{name}:{key.start_mark.line + 1}: this key stands here twice; leave one")
            made[key.value] = _plain(value, (*where, key.value), lines, name)
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, index), lines, name) for index, item in enumerate(node.value)]
    return node.value if isinstance(node, yaml.ScalarNode) else None


def _wrong(path: Path, error: ValidationError, lines: Mapping[Where, int]) -> InputError:
    """The first thing that is wrong, at the nearest place that stands in the file."""
    first = error.errors()[0]
    where: Where = tuple(first["loc"])
    at = where
    while at and at not in lines:
        at = at[:-1]
    spelt = ".".join(str(part) for part in where) or "the file"
    plainly = {"extra_forbidden": "this is not known here", "model_type": "`key: value` is to stand here"}
    what = plainly.get(first["type"], first["msg"])
    return InputError(f"{path}:{lines.get(at, 1)}: {spelt[:100]}: {what}; see the example procedures")


def _made(path: Path, found: _File, lines: Mapping[Where, int], digest: str) -> Procedure:
    parameters = tuple(
        Parameter(
            key, say(one.zh, one.en), one.also, one.unit, one.least, one.most, one.decimals, one.choices
        )
        for key, one in found.parameters.items()
    )  # fmt: skip
    steps = tuple(
        _step(
            path,
            one,
            lines[("steps", index)],
            tuple(_step(path, back, lines[("steps", index, "undo", n)]) for n, back in enumerate(one.undo)),
        )
        for index, one in enumerate(found.steps)
    )
    return Procedure(
        path.stem, say(found.name.zh, found.name.en), found.name.also, found.screen, parameters, steps, digest
    )


def _step(path: Path, found: _Undo, line: int, undo: tuple[ProcedureStep, ...] = ()) -> ProcedureStep:
    told = {key: value for key, value in found.model_dump(exclude={"undo", "harmless"}).items() if value is not None}
    verbs = [verb for verb in _VERBS if verb in told]
    if len(verbs) != 1:
        raise InputError(f"{path}:{line}: a step has one of {', '.join(_VERBS)}; part it into several")
    verb, name = verbs[0], told.pop(verbs[0])
    arguments: dict[str, Json] = {"verb": verb, ("value" if verb == "press" else "text"): name, **told}
    try:
        step_of(arguments)
    except ToolFailed as error:
        raise InputError(f"{path}:{line}: {error}") from None
    if found.harmless and (verb not in _HARMLESS or (verb == "click" and "shows" not in told)):
        raise InputError(
            f"{path}:{line}: only {', '.join(_HARMLESS)} can be harmless, and a click only with `shows`: what it opens"
        )
    return ProcedureStep(arguments, line, found.harmless, undo)


def _check(path: Path, procedure: Procedure, limits: ProcedureSettings) -> None:
    """What no schema says: limits, ranges, and that every parameter is known and used."""
    count = sum(1 + len(step.undo) for step in procedure.steps)
    if count > limits.max_steps or len(procedure.parameters) > limits.max_parameters:
        raise InputError(
            f"{path}: {count} steps and {len(procedure.parameters)} parameters; at most {limits.max_steps} and "
            f"{limits.max_parameters}, so that a person can review them; part it"
        )
    for one in procedure.parameters:
        if (one.least is None) != (one.most is None) or (one.least is None) != bool(one.choices):
            raise InputError(f"{path}: parameters.{one.key}: give `from` and `to`, or else `choices`")
        if one.least is not None and one.most is not None and one.least > one.most:
            raise InputError(f"{path}: parameters.{one.key}: from {one.least:g} is more than to {one.most:g}")
    used = {key for step in procedure.steps for key in _used(path, step, procedure.parameters, undoes=False)}
    for step in procedure.steps:
        for back in step.undo:
            _used(path, back, procedure.parameters, undoes=True)
    if unused := [one.key for one in procedure.parameters if one.key not in used]:
        raise InputError(f"{path}: parameters.{unused[0]}: no step uses it; write {{{unused[0]}}} where it belongs")


def _used(path: Path, step: ProcedureStep, parameters: Sequence[Parameter], *, undoes: bool) -> set[str]:
    """Parameters of one step, checked for the places where they stand and for their units."""
    known, found = {one.key: one for one in parameters}, set[str]()
    for name, text in step.arguments.items():
        for match in PLACEHOLDER.finditer(str(text)):
            key = match["key"]
            if key not in known or name not in _FILLED or (match["before"] and not undoes):
                raise InputError(
                    f"{path}:{step.line}: {match[0]} cannot stand in `{name}`; parameters stand in "
                    f"{', '.join(_FILLED)}, known are {', '.join(known) or 'none'}, and `before` is for undo"
                )
            unit = str(step.arguments.get("unit") or "")
            if name == "value" and unit != known[key].unit:
                raise InputError(
                    f"{path}:{step.line}: the unit is {unit or 'missing'}, that of {key} is "
                    f"{known[key].unit or 'none'}; make them one"
                )
            found.add(key)
    return found
