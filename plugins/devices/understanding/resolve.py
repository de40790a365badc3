"""Which devices of the home a target means: all that fit, or none and why.

Principles: a name means its device; a place with a kind means all of the kind there; "all" means all; without a
place the area one stands in is meant; else one must be the only one of its kind, or the only one the order would
change. Anything else is ambiguous: nothing moves, and it is asked back which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from agent.api import Said, say
from plugins.devices.understanding.frames import Frame, Target
from plugins.devices.understanding.kinds import any_kind
from plugins.devices.understanding.lexicon import Sense, squeezed
from plugins.devices.understanding.names import Home
from plugins.devices.understanding.normalise import normalise
from plugins.devices.understanding.places import on_floor
from plugins.devices.understanding.places import there as lying_there
from plugins.devices.understanding.refusals import no_here, no_place, none_such, which_one
from plugins.devices.values import Device

__all__ = ["Choice", "Wanted", "choose", "counted"]

_TELLING_CHARS = 3


_MOST_KINDS = 2


_LOCKABLE = ("cover.door", "cover.gate", "cover.window", "cover.garage", "cover.shutter")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the devices must be able to do."""

    domains: tuple[str, ...] = ()
    """Empty: any."""
    changes: Callable[[Device], bool | None] = lambda device: None
    """Whether the order would change something on it; None: not known."""
    asks: bool = False
    """Only a question: many may be meant."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One target, resolved."""

    slots: Mapping[str, str] = field(default_factory=dict)
    """name, area, floor: in the home's spelling."""
    nouns: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    problem: Said | None = None
    exact: bool = False
    why: str = ""


def choose(home: Home, frame: Frame, wanted: Wanted, here: str) -> list[Choice]:
    """One choice for each name, area or floor that was said.

    :param here: id of the area one stands in; empty: not known.
    """
    target = frame.target
    excluded = _excluded(home, target, wanted, here)
    choices: list[Choice] = []
    if _elsewhere(home, target):
        target = replace(target, names=(), nouns=target.plain)
    for sense in target.names:
        choice = _named(home, sense, target, frame, wanted, here)
        if choice is not None:
            choices.append(choice)
    if choices:
        return [_without(choice, excluded) for choice in choices]
    floors = () if target.areas else target.floors
    places = [("area", sense) for sense in target.areas] + [("floor", sense) for sense in floors]
    if not places:
        return [_without(_by_kind(home, target, frame, wanted, here), excluded)]
    return [_without(_placed(home, kind, sense, target, wanted), excluded) for kind, sense in places]


def counted(home: Home, choice: Choice, nth: int) -> Choice:
    """Of all that fit, the n-th that a person speaks of: the only one there is, or a question back."""
    if choice.problem is not None or (nth == 1 and len(choice.devices) == 1):
        return choice
    if nth > len(choice.devices):
        count = len(choice.devices)
        few = say(f"这里只有 {count} 个,没有第 {nth} 个。", f"There are only {count} of them, and no number {nth}.")
        return replace(choice, devices=(), problem=few)
    return replace(choice, devices=(), problem=which_one(home, list(choice.devices)))


def _elsewhere(home: Home, target: Target) -> bool:
    """客厅空调, where 空调 is the name of one that is not known to stand in the living room: the kind is meant."""
    if target.plain != ("climate",) or not target.areas:
        return False
    ids = {device_id for sense in target.names for device_id in sense.ids}
    named = [device for device in home.devices() if device.id in ids]
    return not any(device.area in area.ids for device in named for area in target.areas)


def _able(device: Device, wanted: Wanted) -> bool:
    return not wanted.domains or device.domain in wanted.domains


def _excluded(home: Home, target: Target, wanted: Wanted, here: str) -> frozenset[str]:
    found: set[str] = set()
    for one in target.but:
        but = one if one.of_a_kind else replace(one, nouns=target.nouns)
        frame = Frame(0, 0, target=replace(but, every=True, but=()))
        found |= {device.id for choice in choose(home, frame, wanted, here) for device in choice.devices}
    return frozenset(found)


def _without(choice: Choice, excluded: frozenset[str]) -> Choice:
    if not excluded:
        return choice
    return replace(choice, devices=tuple(device for device in choice.devices if device.id not in excluded))


def _named(
    home: Home, sense: Sense, target: Target, frame: Frame, wanted: Wanted, here: str
) -> Choice | None:  # fmt: skip
    """The device of a name; None where the same words name a place and no device that fits."""
    known = [device for device in home.devices() if device.id in sense.ids]
    same = [
        area for area in target.areas if squeezed(normalise(area.value).low) == squeezed(normalise(sense.value).low)
    ]
    areas = [area for area in target.areas if area not in same]
    found = [device for device in known if _able(device, wanted)]
    if same and (not found or target.nouns or frame.attr in ("volume", "temperature", "humidity")):
        return None
    slots = {"name": sense.value}
    if areas:
        slots["area"] = areas[0].value
        inside = [device for device in found if device.area in areas[0].ids]
        found = inside or [device for device in found if not device.area]
    if target.floors:
        slots["floor"] = target.floors[0].value
        found = [device for device in found if on_floor(home, device, target.floors[0].ids) is not False]
    fits = [device for device in found if not target.nouns or any_kind(home, device, target)]
    if sense.kind == "piece" or (target.nouns and fits):
        found = fits if target.nouns or _telling(sense) else []
    if len(found) > 1 and not target.every:
        found = _nearest(found, here, frame.near)
    why = f"{sense.kind} {sense.value!r}"
    if not found:
        return Choice(slots, problem=none_such(sense.value, bool(known)), why=why)
    if len(found) > 1 and not (sense.many or target.many or target.every or wanted.asks):
        return Choice(slots, problem=which_one(home, found), why=why)
    exact = (sense.kind == "name" or _is_code(sense)) and (len(found) == 1 or target.every or sense.many)
    return Choice(slots, (), tuple(found), exact=exact, why=why)


def _telling(sense: Sense) -> bool:
    """Whether a piece of a name is enough without the kind. A Chinese name ends with its kind: 幕布 of 投影幕布 says
    what it is, 石头 of 石头扫地机器人 does not.
    """
    return sense.text.isascii() or len(sense.text) >= _TELLING_CHARS or normalise(sense.value).low.endswith(sense.text)


def _is_code(sense: Sense) -> bool:
    """A tag such as P-3: in a plant that is what a device is called."""
    return any(map(str.isdigit, sense.text)) and any(map(str.isalpha, sense.text))


def _nearest(devices: list[Device], here: str, near: str) -> list[Device]:
    for area in (near, here):
        inside = [device for device in devices if area and device.area == area]
        if inside:
            return inside
    return devices


def _fitting(home: Home, target: Target, wanted: Wanted) -> list[Device]:
    """All devices of the kind that was said, or of the kinds that can do it."""
    if not target.nouns:
        return [d for d in home.devices() if d.domain in wanted.domains and set(target.words) <= home.words[d.id]]
    able = [device for device in home.devices() if _able(device, wanted) and any_kind(home, device, target)]
    able = [device for device in able if set(target.words) <= home.words[device.id]]
    if wanted.domains == ("lock",) or "lock" in wanted.domains:
        lockable = any(noun in _LOCKABLE for noun in target.nouns)
        able += [device for device in home.devices() if lockable and device.domain == "lock" and device not in able]
    closer = [device for device in able if f"special.{target.special}" in home.kinds[device.id]]
    return closer if target.special and closer else able


def _placed(home: Home, kind: str, sense: Sense, target: Target, wanted: Wanted) -> Choice:
    """All of a kind in an area or on a floor."""
    fitting = _fitting(home, target, wanted)
    if kind == "area":
        found = [device for device in fitting if device.area in sense.ids]
        if not found:
            joined = squeezed(normalise(sense.value + target.noun_text).low)
            found = [device for device in home.devices() if _able(device, wanted) and joined in _keys(device)]
    else:
        found = [device for device in fitting if on_floor(home, device, sense.ids)]
    slots = {"floor" if kind == "floor" else "area": sense.value}
    if kind == "area" and target.floors:
        slots["floor"] = target.floors[0].value
        found = [device for device in found if on_floor(home, device, target.floors[0].ids) is not False]
    why = f"{target.noun_text or '/'.join(wanted.domains)} in {sense.value!r}"
    if _vague(target, wanted):
        said = say(f"没有说是{sense.value}的什么。", f"It was not said what in {sense.value} is meant.")
        return Choice(slots, problem=said, why=why)
    found = _like(home, found, target)
    if not found:
        return Choice(
            slots, target.nouns, problem=none_such(f"{sense.value} {target.noun_text}".strip(), False), why=why
        )
    if (
        sense.kind == "areas"
        and len({device.area for device in found}) > 1
        and not (_plural(target, sense) or wanted.asks)
    ):
        return Choice(slots, target.nouns, problem=which_one(home, found), why=why)
    exact = bool(target.nouns) and not any(place in ("up", "down", "outside") for place in target.places)
    return Choice(slots, target.nouns, tuple(found), exact=exact, why=why)


def _vague(target: Target, wanted: Wanted) -> bool:
    """No kind was said, and what is ordered could be done by many."""
    said = target.nouns or target.words or target.everything
    return not said and not wanted.asks and len(wanted.domains) > _MOST_KINDS


def _plural(target: Target, sense: Sense) -> bool:
    return target.many or target.every or sense.many


def _keys(device: Device) -> set[str]:
    return {squeezed(normalise(name).low) for name in device.names}


def _like(home: Home, found: list[Device], target: Target) -> list[Device]:
    """ "upstairs", "outside" beside another place: only what lies there."""
    for place in target.places:
        if place in ("up", "down", "outside"):
            found = lying_there(home, found, place, "")
    return found


def _by_kind(home: Home, target: Target, frame: Frame, wanted: Wanted, here: str) -> Choice:
    """A kind without an area: everywhere, here, up, down, outside, or wherever there is just one."""
    fitting = _fitting(home, target, wanted)
    what = target.noun_text or "/".join(wanted.domains)
    base = Choice({}, target.nouns, why=what)
    if not (target.nouns or wanted.domains) or (target.it and not target.nouns) or _vague(target, wanted):
        return replace(base, problem=say("没有说是哪个设备。", "It was not said which device is meant."))
    if not fitting:
        return replace(base, problem=none_such(target.noun_text or what, False))
    for place in target.places:
        if place in ("up", "down", "outside"):
            there = lying_there(home, fitting, place, here)
            if not there:
                return replace(base, problem=no_place(place))
            return replace(base, devices=tuple(there), why=f"{what}, {place}")
    if "here" in target.places:
        inside = [device for device in fitting if here and device.area == here]
        if not inside:
            return replace(base, problem=none_such(what, False) if here else no_here())
        return replace(base, devices=tuple(inside), exact=bool(target.nouns), why=f"{what} here")
    if "home" in target.places or target.every or wanted.asks:
        inside = [device for device in fitting if here and device.area == here]
        scoped = inside if inside and not target.every and "home" not in target.places and not wanted.asks else fitting
        return replace(base, devices=tuple(scoped), exact=bool(target.nouns), why=f"all {what}")
    return _only_one(home, base, fitting, target, frame, wanted, here)


def _only_one(
    home: Home, base: Choice, fitting: list[Device], target: Target, frame: Frame, wanted: Wanted, here: str
) -> Choice:  # fmt: skip
    """No place was said: the area spoken of, the area one stands in, the only one, the only one that would change."""
    for area in (frame.near, here):
        inside = [device for device in fitting if area and device.area == area]
        if inside:
            return replace(base, devices=tuple(inside), exact=bool(target.nouns), why=f"{base.why} in {area!r}")
    if target.together:
        return replace(base, devices=tuple(fitting), exact=True, why=f"all {base.why}")
    if len(fitting) == 1:
        return replace(
            base, devices=tuple(fitting), exact=bool(target.nouns) and not target.words, why=f"the only {base.why}"
        )
    areas = {device.area for device in fitting}
    if target.many and len(areas) == 1 and areas != {""}:
        return replace(base, devices=tuple(fitting), exact=True, why=f"{base.why}, all in one area")
    changing = [device for device in fitting if wanted.changes(device)]
    if len(changing) == 1:
        return replace(base, devices=tuple(changing), why=f"the only {base.why} that would change")
    return replace(base, problem=which_one(home, changing or fitting))
