"""The measures of `make score-panels`: one panel's labels against what was read from it.

Every measure is a count of what is right and of how many there are; what is wrong is said in words for `--show`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.panel_truth import Panel, Value, is_printed, key, same_label, same_number, same_unit

__all__ = ["Score", "score_panel"]

Seen = Mapping[str, Any]
"""What `Perception.to_json` gives."""
_ANALOGUE = ("gauge", "bar", "slider")
_COLORS = {
    "red": "red|dark magenta|magenta|pink",
    "amber": "orange|amber|yellow",
    "yellow": "yellow|amber|lime",
    "green": "green|teal|lime",
    "blue": "blue|violet|cyan|teal",
    "white": "white|light grey",
    "grey": "grey|gray|silver|white",
    "magenta": "magenta|pink|violet|purple",
    "dark": "dark|black|grey",
}
"""Colours of ours → words that people use for them."""
_LIT = re.compile(r"\b(?:lit|on|active|hot|high|alarm|open|ok)\b", re.IGNORECASE)
_UNLIT = re.compile(r"\b(?:unlit|off|inactive|others off)\b", re.IGNORECASE)
_CANNOT_TELL = re.compile(r"cannot tell|same|unsure", re.IGNORECASE)


@dataclass
class Score:
    """Right and all, by measure, and what was wrong."""

    right: dict[str, int] = field(default_factory=dict)
    all: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    trusted: list[tuple[float, bool]] = field(default_factory=list)
    """Confidence of a reading whose label is known, and whether its value is right."""

    def count(self, measure: str, right: bool, what: str = "") -> None:
        """One more."""
        self.all[measure] = self.all.get(measure, 0) + 1
        self.right[measure] = self.right.get(measure, 0) + right
        if not right and what:
            self.wrong.append(f"{measure}: {what}")

    def add(self, other: Score) -> None:
        """All of another one."""
        for measure, count in other.all.items():
            self.all[measure] = self.all.get(measure, 0) + count
            self.right[measure] = self.right.get(measure, 0) + other.right[measure]
        self.wrong += other.wrong
        self.trusted += other.trusted

    def share(self, measure: str) -> float | None:
        """Right of all; None where there was nothing to score."""
        return self.right[measure] / self.all[measure] if self.all.get(measure) else None


def score_panel(panel: Panel, seen: Seen) -> Score:
    """All measures of one panel."""
    score, texts = Score(), [str(text["text"]) for text in seen["texts"]]
    _score_texts(score, panel, texts)
    readings = list(seen["readings"])
    printed = [value for value in panel.values if value.tolerance is None]
    measure = "segments" if panel.is_segments else "readings"
    matched = _score_printed(score, measure, panel, printed, readings)
    rest = [r for i, r in enumerate(readings) if i not in matched]
    rest = _score_analogue(score, [value for value in panel.values if value.tolerance is not None], rest)
    _score_others(score, panel, rest)
    _score_lamps(score, panel, list(seen["lamps"]))
    _score_alarms(score, panel, list(seen["alarms"]))
    names = [key(button["label"]) for button in seen.get("buttons", ())]
    for button in panel.buttons:
        wanted = key(re.sub(r"\(.*", "", button))
        score.count("buttons", any(wanted == name or (len(wanted) > 1 and wanted in name) for name in names), button)
    return score


def _score_texts(score: Score, panel: Panel, texts: Sequence[str]) -> None:
    keys = [key(text) for text in texts]
    for text in panel.texts:
        score.count("texts", any(key(text) in found for found in keys), text)


def _score_printed(score: Score, measure: str, panel: Panel, wanted: Sequence[Value], ours: Sequence[Seen]) -> set[int]:
    """Count printed readings; returns which of ours are one of them."""
    names = [*panel.texts]
    taken: dict[int, int] = {}
    for rule in (_is_whole, _has_label, _has_value):
        for number, value in enumerate(wanted):
            if number in taken.values():
                continue
            left = (i for i in range(len(ours)) if i not in taken)
            free = (i for i in left if rule is _is_whole or ours[i]["kind"] not in _ANALOGUE)
            free = (i for i in free if rule(ours[i], value, names))
            index = next(free, None)
            if index is not None:
                taken[index] = number
    by_truth = {number: index for index, number in taken.items()}
    for number, value in enumerate(wanted):
        reading = ours[by_truth[number]] if number in by_truth else None
        whole = reading is not None and _is_whole(reading, value, names)
        score.count(measure, whole, f"{_said(value)} | read: {_told(reading)}")
        score.count(f"{measure}, value", reading is not None and same_number(reading["value"], value.value))
    _score_trust(score, wanted, ours, by_truth)
    return set(taken)


def _score_trust(score: Score, wanted: Sequence[Value], ours: Sequence[Seen], by_truth: Mapping[int, int]) -> None:
    """Values that stand where a labelled one does, and are another one."""
    for number, index in by_truth.items():
        reading, value = ours[index], wanted[number]
        if reading["value"] is None:
            continue
        right = same_number(reading["value"], value.value) or _is_same(reading, value)
        score.trusted.append((float(reading["score"]), right))
        score.count("no silent error", right or bool(reading["flags"]), f"{_said(value)} | read: {_told(reading)}")


def _score_analogue(score: Score, wanted: Sequence[Value], ours: Sequence[Seen]) -> list[Seen]:
    """Count what was estimated; returns the readings that are none of these."""
    rest = list(ours)
    for value in wanted:
        others = [other for other in wanted if other is not value]
        near = [
            r for r in rest if _analogue_rank(r, value) < 3 and not any(_is_nearer(r, other, value) for other in others)
        ]
        reading = min(near, key=lambda r: _analogue_rank(r, value), default=None)
        if reading is not None:
            rest.remove(reading)
        number = None if reading is None else _number(reading["value"])
        score.count("gauges abstained", number is None)
        if number is not None and reading is not None and value.tolerance is not None:
            right = abs(number - float(value.value)) <= value.tolerance + 1e-9
            score.count("gauges", right, f"{_said(value)} ± {value.tolerance} | read: {_told(reading)}")
            score.count("no silent error", right or bool(reading["flags"]), f"{_said(value)} | read: {_told(reading)}")
    return rest


def _is_nearer(reading: Seen, other: Value, value: Value) -> bool:
    """Its label is the other one's."""
    return same_label(reading["label"], other.label) and not same_label(reading["label"], value.label)


def _analogue_rank(reading: Seen, value: Value) -> int:
    """0 for the best candidate, 3 for none: a printed value with the right label, a pointer, a pointer elsewhere."""
    number, label = _number(reading["value"]), same_label(reading["label"], value.label)
    close = number is not None and value.tolerance is not None and abs(number - float(value.value)) <= value.tolerance
    if close and (label or reading["kind"] in _ANALOGUE):
        return 0
    if label:
        return 1
    return 2 if reading["kind"] in _ANALOGUE else 3


def _score_others(score: Score, panel: Panel, rest: Iterable[Seen]) -> None:
    """Readings that nobody labelled. Of a series, labels may name the first and the last only."""
    families = {_without_digits(value.label) for value in panel.values}
    families |= {_without_digits(text) for text in panel.texts}
    for reading in rest:
        if reading["value"] is None:
            continue
        known = _without_digits(reading["label"]) in families and reading["label"]
        of_label = any(
            same_label(reading["label"], v.label) and same_number(reading["value"], v.value) for v in panel.values
        )
        score.count("reported", bool(known or of_label or reading["flags"]), _told(reading))


def _score_lamps(score: Score, panel: Panel, ours: list[Seen]) -> None:
    """Lamps with a printed label by that label; those that the labels describe, by colour and state alone."""
    left = list(ours)
    matched = set()
    for by_label in (True, False):
        for number, lamp in enumerate(panel.lamps):
            if number in matched or (not by_label and is_printed(lamp["label"], panel.texts)):
                continue
            others = () if by_label else panel.lamps
            free = (x for x in left if not any(same_label(x["label"], other["label"]) for other in others))
            match = next((x for x in free if _same_lamp(x, lamp, by_label=by_label)), None)
            if match is not None:
                left.remove(match)
                matched.add(number)
    for number, lamp in enumerate(panel.lamps):
        nearly = [f"{x['label']} {x['color']} {x['state']}" for x in ours if same_label(x["label"], lamp["label"])]
        what = f"{lamp['label']} {lamp['color']} {lamp['state']} | read: {nearly}"
        score.count("lamps", number in matched, what)


def _same_lamp(read: Seen, lamp: Mapping[str, str], *, by_label: bool) -> bool:
    """Colour and state as labelled."""
    words = _COLORS.get(read["color"], read["color"])
    if not re.search(words, lamp["color"], re.IGNORECASE):
        return False
    if by_label and not same_label(read["label"], lamp["label"]) and not _parted(read["label"], lamp["label"]):
        return False
    state = lamp["state"]
    if _CANNOT_TELL.search(state):
        return bool(read["state"] == "unsure")
    if _UNLIT.search(state) and not state.lower().startswith("on"):
        return bool(read["state"] in ("unlit", "unsure"))
    return not _LIT.search(state) or bool(read["state"] in ("lit", "unsure"))


def _parted(read: str, label: str) -> bool:
    """One of the things that a label speaks of, as in `racks 5, 6 and 9` or `ZONE A ALARM lamp`."""
    ours = set(re.findall(r"\w+", key(read).casefold())) | set(re.findall(r"\w+", read.casefold()))
    theirs = set(re.findall(r"\w+", label.casefold()))
    return bool(ours) and ours <= theirs


def _score_alarms(score: Score, panel: Panel, ours: Sequence[Seen]) -> None:
    for row in panel.alarms:
        wanted = {name: key(cell) for name, cell in row.items() if name != "color" and cell}
        right = any(_same_row(wanted, read) for read in ours)
        score.count("alarms", right, " | ".join(row.values()))


def _same_row(wanted: Mapping[str, str], read: Seen) -> bool:
    """Every labelled cell is one of the row's, or the end of one that also says where it came from."""
    cells = [key(str(cell)) for name, cell in read.items() if name not in ("box", "roles")]
    cells += [key(str(cell)) for cell in dict(read.get("roles", {})).values()]
    together = "".join(cells)
    return all(cell in cells or (len(cell) > 3 and cell in together) for cell in wanted.values())


def _is_whole(reading: Seen, value: Value, names: Sequence[str]) -> bool:
    if not _is_same(reading, value):
        return False
    return same_label(reading["label"], value.label) or not is_printed(value.label, names)


def _is_same(reading: Seen, value: Value) -> bool:
    """The same value in the same unit, wherever the one ends and the other begins: `16m`, `16 m`."""
    if reading["value"] is None:
        return False
    if same_number(reading["value"], value.value) and same_unit(reading["unit"], value.unit):
        return True
    return same_number(reading["value"] + reading["unit"], value.value + value.unit)


def _has_label(reading: Seen, value: Value, names: Sequence[str]) -> bool:
    return bool(reading["label"]) and same_label(reading["label"], value.label)


def _has_value(reading: Seen, value: Value, names: Sequence[str]) -> bool:
    return same_number(reading["value"], value.value)


def _number(value: str | None) -> float | None:
    try:
        return None if value is None else float(value.replace(",", "."))
    except ValueError:
        return None


def _without_digits(text: str) -> str:
    return re.sub(r"\d+", "#", key(text).casefold())


def _said(value: Value) -> str:
    return f"{value.label} = {value.value} {value.unit}".strip()


def _told(reading: Seen | None) -> str:
    if reading is None:
        return "nothing"
    flags = f" {reading['flags']}" if reading["flags"] else ""
    return f"{reading['label']} = {reading['value']} {reading['unit']}{flags} ({reading['kind']}, {reading['score']})"
