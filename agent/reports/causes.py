"""Likely causes: a table of likelihood ratios, applied to what was found and to the history.

Each cause stands by itself (two may be there at once): its odds are the prior's times the ratio of each piece of
evidence, and a cause without any of the evidence that it needs is not listed. A sign counts as absent only where it was
looked for. The reasons are kept, so that a report can show why. The table is a file and as untrusted as any.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import SettingsError
from agent.reports.alarms import AlarmFigures
from agent.reports.values import AlarmEvent, Machine, Sign
from agent.settings import ReportSettings
from agent.values import Said, say

__all__ = ["Cause", "CauseTable", "Reason", "likely_causes", "load_causes"]

SHIPPED = Path(__file__).parent / "causes.toml"

_NAMED = 3
"""Alarms that a reason names."""


class _Clue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sign: str = ""
    alarm: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    minutes: float = Field(default=10.0, gt=0)
    often: int = Field(default=0, ge=0)
    history: int = Field(default=0, ge=0)
    present: float = Field(gt=0, le=1000)
    absent: float = Field(default=1.0, gt=0, le=1000)
    needed: bool = False


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    zh: str
    en: str
    prior: float = Field(gt=0, lt=1)
    kinds: tuple[str, ...] = ()
    search: Mapping[str, str]
    watch: Mapping[str, str]
    evidence: tuple[_Clue, ...] = Field(min_length=1)


class CauseTable(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cause: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence for or against a cause."""

    line: Said
    ratio: float
    """Above 1 speaks for it, below 1 against it."""
    ids: tuple[str, ...]
    """Of what it rests on: E17, F1, S2."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause that may be so."""

    id: str
    name: Said
    probability: float
    prior: float
    reasons: tuple[Reason, ...]
    """Strongest first."""
    search: Said
    watch: Said


def load_causes(path: Path | None = None) -> CauseTable:
    """Read a table.

    :param path: None is the one that is shipped.
    :raises SettingsError: missing, no TOML, or a row that does not fit; names its place.
    """
    place = path or SHIPPED
    try:
        return CauseTable.model_validate(tomllib.loads(place.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{place}: not valid TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{place}: cannot be read ({error.strerror}); correct [reports] causes") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{place}: {where}: {first['msg']}; correct the table of causes") from None


def likely_causes(
    table: CauseTable, machine: Machine, alarms: AlarmFigures, signs: Sequence[Sign], settings: ReportSettings
) -> tuple[Cause, ...]:
    """The causes with the probability that the evidence gives them, most likely first."""
    fitting = [row for row in table.cause if not row.kinds or not machine.kind or machine.kind in row.kinds]
    causes = [cause for row in fitting if (cause := _judged(row, alarms, signs, settings)) is not None]
    shown = [cause for cause in causes if cause.probability >= settings.least_probability]
    return tuple(sorted(shown, key=lambda c: (-c.probability, c.id))[: settings.shown_causes])


def _judged(row: _Row, alarms: AlarmFigures, signs: Sequence[Sign], settings: ReportSettings) -> Cause | None:
    odds, needed, reasons = row.prior / (1 - row.prior), False, []
    for clue in row.evidence:
        reason, there = _weighed(clue, alarms, signs)
        needed |= there and clue.needed
        if reason is not None and reason.ratio != 1:
            odds *= reason.ratio
            reasons.append(reason)
    if not needed:
        return None
    probability = min(odds / (1 + odds), settings.most_probability)
    reasons.sort(key=lambda r: max(r.ratio, 1 / r.ratio), reverse=True)
    return Cause(
        row.id, say(row.zh, row.en), probability, row.prior, tuple(reasons), _both(row.search), _both(row.watch)
    )


def _weighed(clue: _Clue, alarms: AlarmFigures, signs: Sequence[Sign]) -> tuple[Reason | None, bool]:
    """What a clue says, and whether it is there."""
    if clue.sign:
        return _by_sign(clue, signs)
    if not alarms.events and not alarms.history:
        return None, False
    if clue.before:
        return _by_order(clue, alarms.events)
    found = [e for e in alarms.events if _meant(clue, e)]
    if clue.history:
        found = [e for e in alarms.history if _meant(clue, e)]
        line = say(f"此前 {alarms.history_days:.0f} 天内 {len(found)} 次", f"{len(found)} times in the "
                   f"{alarms.history_days:.0f} days before")  # fmt: skip
        return _reason(clue, line, found, there=len(found) >= clue.history)
    names = dict.fromkeys(e.text for e in found)
    what = [f"{mark.join(list(names)[:_NAMED])}{'…' if len(names) > _NAMED else ''}" for mark in ("、", ", ")]
    there = len(found) >= max(clue.often, 1)
    if not found:
        return _reason(
            clue, say(f"没有此类报警({clue.alarm[0]} 等)", f"no such alarm ({clue.alarm[-1]} …)"), [], there=False
        )
    if clue.often:
        line = say(f"本期重复 {len(found)} 次", f"came {len(found)} times in the period")
    else:
        line = say(f"报警“{what[0]}” {len(found)} 次", f"alarm “{what[1]}”, {len(found)} times")
    return _reason(clue, line, found, there=there)


def _by_sign(clue: _Clue, signs: Sequence[Sign]) -> tuple[Reason | None, bool]:
    same = [s for s in signs if s.key == clue.sign or s.key.startswith(f"{clue.sign}.")]
    there = [s for s in same if s.present]
    if there:
        worst = max(there, key=lambda s: s.severity)
        return Reason(worst.line, clue.present, tuple(dict.fromkeys(s.id for s in there))), True
    if same:
        return Reason(same[0].line, clue.absent, (same[0].id,)), False
    return None, False


def _by_order(clue: _Clue, events: Sequence[AlarmEvent]) -> tuple[Reason | None, bool]:
    after = [e for e in events if _meant(clue, e) and not holds(e.text, clue.before)]
    first = [e for e in events if holds(e.text, clue.before)]
    window = timedelta(minutes=clue.minutes)
    pairs = [(b, a) for a in after for b in first if timedelta(0) <= a.at - b.at <= window]
    if not after or not pairs:
        return None, False
    before, then = pairs[-1]
    minutes = (then.at - before.at).total_seconds() / 60
    line = say(
        f"“{before.text}”之后 {minutes:.0f} 分钟出现“{then.text}”",
        f"“{then.text}” {minutes:.0f} min after “{before.text}”",
    )
    return Reason(line, clue.present, (before.id, then.id)), True


def _reason(clue: _Clue, line: Said, found: Sequence[AlarmEvent], *, there: bool) -> tuple[Reason, bool]:
    return Reason(line, clue.present if there else clue.absent, tuple(e.id for e in found[-3:])), there


def _meant(clue: _Clue, event: AlarmEvent) -> bool:
    return holds(event.text, clue.alarm) and not holds(event.text, clue.unless)


def holds(text: str, words: Sequence[str]) -> bool:
    """Whether a text holds any of the words, in whatever case."""
    folded = text.casefold()
    return any(word.casefold() in folded for word in words)


def _both(texts: Mapping[str, Any]) -> Said:
    zh, en = str(texts.get("zh", "")), str(texts.get("en", ""))
    return say(zh or en, en or zh)
