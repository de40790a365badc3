"""The sets of `make score-commands`: their lines, and whether what was understood of one is right.

    ohf        one intent with its slots, exactly, as OHF-Voice/intents has them
    assist     a home's states afterwards, exactly
    compound   ours: the writes, all of them and no others; and the questions and timers beside them

What moves is every write of an intent without a problem. A device that moves and was not meant is counted apart from
what was merely not understood: it is the worst that can happen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.devices.understanding.reading import Intent, Understood
from plugins.devices.values import DeviceMap, Write
from tests.bench.home_simulator import SimulatedHome, differences, home_with, merged

__all__ = ["Case", "Verdict", "assist_cases", "compound_cases", "judge", "moves", "ohf_cases"]

OURS = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a set."""

    kind: str
    """ohf, assist or compound."""
    group: str
    """What it is reported under: its language, its part of the set."""
    text: str
    home: Mapping[str, Any]
    """With the states before."""
    area: str
    """Where it is said; empty: nowhere."""
    line: Mapping[str, Any]
    """As the file has it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one line."""

    right: bool
    wrong: tuple[str, ...]
    """Devices that moved and were not meant."""
    said: str
    """What was made of it, for a person."""


def ohf_cases(folder: Path, language: str) -> list[Case]:
    """The sentences of one language; none where the file is missing."""
    return [
        Case("ohf", language, line["text"], line.get("home") or {}, _area(line), line)
        for line in _lines(folder / f"{language}.jsonl")
    ]


def assist_cases(folder: Path, language: str = "en") -> list[Case]:
    """The commands with homes; none where the files are missing."""
    lines = _lines(folder / f"assist_{language}.jsonl")
    homes = json.loads((folder / "assist_homes.json").read_text("utf-8")) if lines else {}
    return [
        Case("assist", language, line["text"], home_with(homes[line["home"]], line.get("setup")), _area(line), line)
        for line in lines
    ]


def compound_cases(half: str = "") -> list[Case]:
    """Ours. :param half: dev or held; empty is both."""
    homes = json.loads((OURS / "compound_homes.json").read_text("utf-8"))
    return [
        Case(
            "compound",
            f"{line['language']} {line['set']}",
            line["text"],
            home_with(homes[line["home"]], line["setup"]),
            _area(line),
            line,
        )
        for line in _lines(OURS / "compound_commands.jsonl")
        if half in ("", line["set"])
    ]


def moves(understood: Understood) -> tuple[Write, ...]:
    """Everything that would be written."""
    return tuple(write for intent in understood.intents if intent.problem is None for write in intent.writes)


def judge(case: Case, understood: Understood, devices: DeviceMap) -> Verdict:
    """Whether it is right, and what moved that should not have."""
    writes = moves(understood)
    if case.kind == "ohf":
        right, wrong = _judge_ohf(case.line, understood.intents, writes, devices)
    elif case.kind == "assist":
        right, wrong = _judge_assist(case, writes)
    else:
        right, wrong = _judge_compound(case, understood.intents, writes)
    return Verdict(right, tuple(dict.fromkeys(wrong)), shown(understood))


def shown(understood: Understood) -> str:
    """What was understood, in a line."""
    parts = []
    for intent in understood.intents:
        slots = " ".join(f"{key}={value}" for key, value in intent.slots.items())
        written = ", ".join(f"{w.device}.{w.point}={w.value}" for w in intent.writes)
        problem = f" !! {intent.problem['en']}" if intent.problem else ""
        parts.append(f"{intent.name}({slots}) → [{written}]{problem}")
    left = f"   left: {' | '.join(understood.left)}" if understood.left else ""
    return "; ".join(parts) + left


def _judge_ohf(
    line: Mapping[str, Any], intents: Sequence[Intent], writes: Sequence[Write], devices: DeviceMap
) -> tuple[bool, list[str]]:
    right = len(intents) == 1 and intents[0].name == line["intent"] and _same(intents[0].slots, line["slots"])
    return right, [w.device for w in writes if not _meant(line, w.device, devices)]


def _meant(line: Mapping[str, Any], device_id: str, devices: DeviceMap) -> bool:
    """Whether a device is among those that the slots of a line speak of. Questions and timers speak of none to move."""
    device, slots = devices.device(device_id), line["slots"]
    if device is None or any(word in line["intent"] for word in ("Get", "Timer", "List", "Broadcast", "Nevermind")):
        return False
    names = {device.domain: "domain", device.device_class: "device_class"}
    if any(slot in slots and slots[slot] != value for value, slot in names.items() if value):
        return False
    area = next((a for a in devices.areas if a.id == device.area), None)
    if "area" in slots and area is not None and slots["area"] not in area.names:
        return False
    return "name" not in slots or slots["name"] in device.names


def _judge_assist(case: Case, writes: Sequence[Write]) -> tuple[bool, list[str]]:
    home = SimulatedHome(case.home)
    home.apply(writes)
    expected, ignore = case.line.get("expect_changes"), case.line.get("ignore_changes")
    wanted = merged(home.before, expected)
    meant = differences(wanted, home.before)
    wrong = [device for device in home.moved if device not in (expected or {}) or device not in meant]
    return not differences(home.states, wanted, ignore), wrong


def _judge_compound(case: Case, intents: Sequence[Intent], writes: Sequence[Write]) -> tuple[bool, list[str]]:
    line = case.line
    readings = [line["expect"], *line.get("alternatives", ())]
    meant = {expected["device"] for reading in readings for expected in reading}
    home = SimulatedHome(case.home)
    home.apply(writes)
    if line.get("changes_only"):
        right = any(_ends_alike(case, reading, home) for reading in readings)
        wrong = [device for device in home.moved if device not in meant]
    else:
        right = any(_written(reading, writes) for reading in readings)
        wrong = [write.device for write in writes if write.device not in meant]
    beside = all(_understood(want, intents) for want in line.get("intents", ()))
    return right and beside, wrong


def _ends_alike(case: Case, reading: Sequence[Mapping[str, Any]], home: SimulatedHome) -> bool:
    wanted = SimulatedHome(case.home)
    wanted.apply(Write(e["device"], e["point"], e["value"]) for e in reading)
    return not differences(home.states, wanted.states)


def _written(reading: Sequence[Mapping[str, Any]], writes: Sequence[Write]) -> bool:
    """Each expected write is there, and each write is expected. What lights or starts a device beside a share of it
    says nothing else."""
    last = {_key(write): write for write in writes}
    left = [write for write in last.values() if not _implied(write, last)]
    for expected in reading:
        found = next((w for w in last.values() if w.device == expected["device"] and _fits(expected, w)), None)
        if found is None:
            return False
        left = [write for write in left if write is not found]
    return not left


def _fits(expected: Mapping[str, Any], write: Write) -> bool:
    options = expected.get("any_of", (expected,))
    return any(_key(write)[1] == _point(o["point"]) and _value_fits(o, write) for o in options)


def _value_fits(option: Mapping[str, Any], write: Write) -> bool:
    value = _position(write.point, write.value)
    if "low" in option:
        return not isinstance(value, bool | str) and option["low"] <= value <= option["high"]
    return _equal(value, _position(option["point"], option["value"]))


def _implied(write: Write, written: Mapping[tuple[str, str], Write]) -> bool:
    shares = ("brightness", "color", "color_temp", "speed")
    return write.point == "power" and write.value is True and any((write.device, s) in written for s in shares)


def _key(write: Write) -> tuple[str, str]:
    return write.device, _point(write.point)


def _point(name: str) -> str:
    return "position" if name == "open" else name


def _position(point: str, value: Any) -> Any:
    return (100.0 if value else 0.0) if point == "open" else value


def _understood(want: Mapping[str, Any], intents: Iterable[Intent]) -> bool:
    return any(
        intent.name in want["any_of"] and all(_equal(intent.slots.get(k), v) for k, v in want["slots"].items())
        for intent in intents
    )


def _same(slots: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return set(slots) == set(wanted) and all(_equal(slots[key], wanted[key]) for key in wanted)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(float(one) - float(other)) < 1e-6
    return bool(one == other)


def _area(line: Mapping[str, Any]) -> str:
    return str((line.get("context") or {}).get("area", ""))


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
