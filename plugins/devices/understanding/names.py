"""What a home's devices, areas and floors are called, ready to be found in an utterance.

A name is found whatever its spacing, capitals and English plural; a floor with and without its word; a room that is
named in one language by the usual name in the other. A piece of a name that no other device has stands for the
device too, but is never exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from plugins.devices.understanding.lexicon import Sense, phrases_of, plural, rooms, squeezed
from plugins.devices.understanding.normalise import is_cjk, normalise
from plugins.devices.understanding.numbered import Numbered, numbered
from plugins.devices.understanding.numbers import amount_at, chinese_number
from plugins.devices.understanding.tokens import Token, Trie, tokens_of, words_trie
from plugins.devices.values import Area, Device, DeviceMap, Floor

__all__ = ["Home", "index"]

_FLOOR_WORDS = ("floor", "storey", "story", "level")
_FLOOR_SIGNS = ("楼", "层")
_ORDINALS = {
    "ground": 0, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "top": 50, "attic": 60, "basement": -1,
    "cellar": -1, "upstairs": 40, "downstairs": 0, "upper": 40, "lower": 0,
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "楼上": 40, "楼下": 0, "阁楼": 60,
    "负一": -1, "地下": -1, "顶": 50,
}  # fmt: skip
_NUMBERED = re.compile(r"[一二三四五六七八九十]{1,3}(?=号|楼|栋|区|室|层|机|泵|线)")
_MIN_PIECE_CHARS = 2


@dataclass(frozen=True, slots=True)
class Home:
    """A map with its names indexed."""

    map: DeviceMap
    names: Trie
    kinds: dict[str, frozenset[str]]
    """Device id → what its names and class say it is: cover.curtain, light …"""
    words: dict[str, frozenset[str]]
    """Device id → single words of its names."""
    levels: dict[str, int]
    """Floor id → how high it lies; floors whose name does not say are missing."""
    outdoors: frozenset[str]
    """Ids of areas that lie outside."""
    groups: dict[str, tuple[str, ...]]
    """Stem of an area's name → ids, where several areas differ in a number only: bedroom → bedroom_1, bedroom_2."""
    numbered: Numbered
    """Devices that a number tells apart."""

    def devices(self) -> tuple[Device, ...]:
        return self.map.devices

    def area(self, name_or_id: str) -> Area | None:
        """By id, or by any of its names."""
        wanted = squeezed(normalise(name_or_id).low)
        for area in self.map.areas:
            if area.id == name_or_id or wanted in {squeezed(normalise(name).low) for name in (area.id, *area.names)}:
                return area
        return None


def index(devices: DeviceMap) -> Home:
    """Everything that can be named in a home."""
    names = Trie()
    for area in devices.areas:
        _add_all(names, area.names, "area", area.id)
    _add_rooms(names, devices.areas)
    _add_short(names, devices.areas)
    whole = {normalise(name).low for floor in devices.floors for name in floor.names}
    for floor in devices.floors:
        for name in floor.names:
            low = normalise(name).low
            for form in {form for form in _floor_forms(low) if form == low or form not in whole}:
                names.add(form, Sense("floor", name, (floor.id,)))
    groups = _groups(devices.areas)
    for stem, ids in groups.items():
        names.add(stem, Sense("areas", stem, ids))
        names.add(plural(stem), Sense("areas", stem, ids, many=True))
    places = {phrase for phrases in phrases_of("place").values() for phrase in phrases}
    weather = {device.id for device in devices.devices if device.domain == "weather"}
    todo = {device.id for device in devices.devices if device.domain == "todo"}
    for name, ids in _by_name(devices.devices).items():
        if weather >= set(ids) and normalise(name).low in places:
            continue  # a forecast for "home" makes no other use of that word its own
        domains = tuple(dict.fromkeys(device.domain for device in devices.devices if device.id in ids))
        sense = Sense("name", name, ids, domains=domains)
        _add(names, name, sense)
        for list_word in ("list", "清单") if todo & set(ids) else ():
            names.add(f"{normalise(name).low}{list_word}", sense)
    kinds, words = _parts(devices, names)
    return Home(
        devices,
        names,
        kinds,
        words,
        _levels(devices.floors),
        _outdoors(devices.areas),
        groups,
        numbered(devices.devices),
    )


def _add_all(trie: Trie, names: Iterable[str], kind: str, owner: str) -> None:
    shown = ""
    for name in names:
        shown = shown or name
        _add(trie, name, Sense(kind, shown, (owner,)))


def _add(trie: Trie, name: str, sense: Sense) -> None:
    low = normalise(name).low
    if not squeezed(low):
        return
    trie.add(low, sense)
    if any(map(is_cjk, low)):
        trie.add(re.sub(r"(?<!\d)\d{1,2}(?!\d)", lambda match: chinese_number(int(match[0])), low), sense)
        trie.add(_NUMBERED.sub(lambda match: f"{amount_at(match[0], 0)[0].value:g}", low), sense)  # type: ignore[index]
    if sense.kind == "name" and low[-1].isascii() and low[-1].isalpha() and not low.endswith("s"):
        trie.add(plural(low), replace(sense, many=True))


def _by_name(devices: Iterable[Device]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    spelled: dict[str, str] = {}
    for device in devices:
        for name in device.names:
            known = spelled.setdefault(squeezed(normalise(name).low), name)
            if device.id not in found.get(known, ()):
                found[known] = (*found.get(known, ()), device.id)
    return found


def _add_rooms(trie: Trie, areas: Iterable[Area]) -> None:
    """A room's usual names in the other language, where they mean one area only."""
    owners: dict[str, list[tuple[str, str]]] = {}
    taken = {squeezed(normalise(name).low) for area in areas for name in area.names}
    for area in areas:
        for name in area.names:
            key = normalise(name).low
            for english, chinese in rooms():
                others = chinese if key in english else english if key in chinese else ()
                for other in others:
                    owners.setdefault(other, []).append((area.names[0], area.id))
    for other, found in owners.items():
        if len({owner for _, owner in found}) == 1 and squeezed(other) not in taken:
            trie.add(other, Sense("area", found[0][0], (found[0][1],)))


def _add_short(trie: Trie, areas: Iterable[Area]) -> None:
    """ "the bedroom" for the Main Bedroom, where it is the only one."""
    known = {phrase for both in rooms() for phrases in both for phrase in phrases}
    whole = {normalise(name).low for area in areas for name in area.names}
    owners: dict[str, dict[str, str]] = {}
    for area in areas:
        for name in area.names:
            low = normalise(name).low
            for phrase in known - whole:
                if low.endswith(phrase if is_cjk(phrase[0]) else f" {phrase}"):
                    owners.setdefault(phrase, {})[area.id] = area.names[0]
    for phrase, found in owners.items():
        if len(found) == 1:
            ((area_id, shown),) = found.items()
            trie.add(phrase, Sense("area", shown, (area_id,)))


def _floor_forms(low: str) -> set[str]:
    """The name, and the name with or without the word for a storey."""
    forms = {low} if len(low) > 1 else set()
    if is_cjk(low[0]) if low else False:
        stem = low.rstrip("".join(_FLOOR_SIGNS))
        return forms | {stem + sign for sign in _FLOOR_SIGNS if stem}
    stem = re.sub(rf"\s+(?:{'|'.join(_FLOOR_WORDS)})$", "", low)
    return forms | {f"{stem} floor"} | ({low + " floor"} if stem != low else set())


def _levels(floors: Iterable[Floor]) -> dict[str, int]:
    found: dict[str, int] = {}
    for floor in floors:
        for name in floor.names:
            low = normalise(name).low
            if number := re.search(r"-?\d+", low):
                found.setdefault(floor.id, int(number[0][:4]))
            for word, level in _ORDINALS.items():
                if (word in low.split()) if word.isascii() else (word in low):
                    found.setdefault(floor.id, level)
    return found


def _outdoors(areas: Iterable[Area]) -> frozenset[str]:
    words = phrases_of("outdoors").get("area", ())
    found = set()
    for area in areas:
        for name in area.names:
            low = normalise(name).low
            if any((word in low.split()) if word.isascii() else (word in low) for word in words):
                found.add(area.id)
    return frozenset(found)


def _groups(areas: Iterable[Area]) -> dict[str, tuple[str, ...]]:
    """Stems that a number tells apart; a stem that is an area itself names that one."""
    found: dict[str, list[str]] = {}
    whole = {normalise(name).low for area in areas for name in area.names}
    for area in areas:
        for name in area.names:
            low = normalise(name).low
            stem = re.sub(r"[\s#]*(?:\d{1,3}|[一二三四五六七八九十]|[a-z](?<=\s[a-z]))$", "", low).strip()
            if stem and stem != low and stem not in whole and area.id not in found.get(stem, ()):
                found.setdefault(stem, []).append(area.id)
    return {stem: tuple(ids) for stem, ids in found.items() if len(ids) > 1}


def _parts(devices: DeviceMap, names: Trie) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """What each device's names say of its kind; and pieces of names, added to the trie, that only it has."""
    places = Trie()
    for area in devices.areas:
        _add_all(places, area.names, "area", area.id)
    for english, chinese in rooms():
        _add_all(places, (*english, *chinese), "area", "")
    kinds: dict[str, frozenset[str]] = {}
    words: dict[str, frozenset[str]] = {}
    pieces: dict[str, set[str]] = {}
    for device in devices.devices:
        found = {device.domain} | ({f"{device.domain}.{device.device_class}"} if device.device_class else set())
        own: set[str] = set()
        for name in device.names:
            row = tokens_of(normalise(name), places)
            if not device.device_class:
                found |= {sense.value for token in row for sense in token.senses if sense.kind == "noun"}
            found |= {f"special.{token.value('special')}" for token in row if token.has("special")}
            own |= {token.text for token in row}
            for piece in _unknown_runs(row, name):
                pieces.setdefault(piece, set()).add(device.names[0])
                own.add(piece)
        kinds[device.id], words[device.id] = frozenset(found), frozenset(own)
    known = {key for key in pieces if any(end == len(key) for end, _ in words_trie().matches(key, 0))}
    for piece, owners in pieces.items():
        if len(owners) == 1 and piece not in known:
            ids = tuple(device.id for device in devices.devices if device.names[0] in owners)
            names.add(piece, Sense("piece", next(iter(owners)), ids, text=piece))
        elif piece not in known:
            names.add(piece, Sense("word", piece))
    return kinds, words


def _unknown_runs(row: tuple[Token, ...], name: str) -> list[str]:
    """What of a name is no word that other names share; nothing where that is all of it."""
    runs: list[str] = []
    last = -1
    for token in row:
        if not token.unknown or not any(map(str.isalnum, token.text)) or token.text == "号":
            continue
        if runs and token.start == last and is_cjk(token.text[0]):
            runs[-1] += token.text
        else:
            runs.append(token.text)
        last = token.end
    return [run for run in runs if len(run) >= _MIN_PIECE_CHARS and len(run) < len(name)]
