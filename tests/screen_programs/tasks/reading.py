"""Tasks from their files: in one language and at one scale, as steps of the agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from plugins.screen.values import Expect, Step, Target, Verb
from tests.screen_programs.opened import SIZES, Program

__all__ = ["Lie", "Task", "Variant", "read_lies", "read_tasks", "variants"]

FOLDER = Path(__file__).parent
KINDS = ("desktop", "web")
VERBS = frozenset(get_args(Verb))
PATIENCE_SECONDS = Expect().within_seconds
KNOWN = VERBS | {"role", "near", "within", "value", "unit", "to", "shows", "hides", "holds", "seconds"}


@dataclass(frozen=True, slots=True)
class Variant:
    """How a program looks."""

    language: str
    scale: float


@dataclass(frozen=True, slots=True)
class Lie:
    """What the program is told while a step is done."""

    step: int
    """Counted from one."""
    look: int
    """Of the step, after which it is told; counted from one."""
    command: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that is wanted, in one language."""

    name: str
    program: Program
    steps: tuple[Step, ...]
    done: Mapping[str, Any]
    """What has to be so at the end, as the program has it."""
    may: frozenset[str]
    """What may be pressed."""
    ends: str = "confirmed"
    """confirmed | stopped | either"""
    lie: Lie | None = None

    @property
    def label(self) -> str:
        late = f" (look {self.lie.look})" if self.lie else ""
        return f"{self.program.kind}, {self.program.language}, {self.program.scale:g}: {self.name}{late}"

    def is_slow(self, step: Step) -> bool:
        """Whether the program takes its time over it."""
        return "slow-ms" in self.program.twists or any(one.within_seconds > PATIENCE_SECONDS for one in step.expect)


def variants() -> list[Variant]:
    """Both languages at all scales."""
    return [Variant(language, scale) for scale in SIZES for language in ("zh", "en")]


def read_tasks(*, every: bool = False) -> list[Task]:
    """Each task in one variant, so that all variants have as many; or in every one."""
    return _read(KINDS, every=every)


def read_lies(*, every: bool = False) -> list[Task]:
    """Those that lie, or cannot be done."""
    return _read([f"{kind}_lies" for kind in KINDS], every=every)


def _read(names: Sequence[str], *, every: bool) -> list[Task]:
    tasks = []
    for name in names:
        found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        for index, row in enumerate(found):
            chosen = variants() if every else [variants()[index % len(variants())]]
            tasks += [
                _task(name.removesuffix("_lies"), {**row, "look": look}, variant)
                for variant in chosen
                for look in row.get("lie", {}).get("looks", (0,))
            ]
    return tasks


def _task(kind: str, row: Mapping[str, Any], variant: Variant) -> Task:
    language = variant.language
    program = Program(kind, language, variant.scale, row.get("start", {}), row.get("twists", {}))
    lie = None
    if told := dict(row.get("lie", {})):
        lie = Lie(told.pop("step"), row["look"], {key: _in(language, told[key]) for key in set(told) - {"looks"}})
    steps = tuple(_step(step, language) for step in row["steps"])
    ends = row.get("ends", "confirmed")
    return Task(row["name"], program, steps, row.get("done", {}), frozenset(row["may"]), ends, lie)


def _step(row: Mapping[str, Any], language: str) -> Step:
    unknown = set(row) - KNOWN
    verbs = VERBS & set(row)
    if unknown or len(verbs) != 1:
        raise ValueError(f"{row}: {unknown or 'one verb is needed'}")
    verb: Verb = next(iter(verbs))
    said = {key: _in(language, value) for key, value in row.items()}
    target = Target(said[verb], row.get("role"), said.get("near", ""), said.get("within", ""))
    expect = []
    if "shows" in row or "hides" in row:
        expect.append(Expect(shows=said.get("shows", ""), hides=said.get("hides", "")))
    if "holds" in row:
        expect.append(Expect(target=target, value=said["holds"], unit=said.get("unit", "")))
    seconds = row.get("seconds")
    return Step(
        verb,
        target,
        value=said.get("value", ""),
        unit=said.get("unit", ""),
        to=Target(said["to"]) if "to" in row else None,
        expect=tuple(
            Expect(one.shows, one.hides, one.target, one.value, one.unit, seconds or one.within_seconds)
            for one in expect
        ),
    )


def _in(language: str, text: Any) -> Any:
    """`Chinese|English` in one of both; anything else as it is."""
    if not isinstance(text, str) or "|" not in text:
        return text
    return text.split("|")[language == "en"]
