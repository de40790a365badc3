"""From a whole frame to intents: one for each device, area or floor that was named, with slots, devices and writes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.api import Json, Language, Said, say
from agent.settings import UnderstandingSettings
from plugins.devices.understanding.frames import Frame, Target
from plugins.devices.understanding.lasting import OPPOSITE, back_again
from plugins.devices.understanding.names import Home
from plugins.devices.understanding.normalise import Words
from plugins.devices.understanding.order_values import Order, Step
from plugins.devices.understanding.orders import order_of
from plugins.devices.understanding.questions import Question, question_of
from plugins.devices.understanding.reading import Context, Intent, States
from plugins.devices.understanding.resolve import Choice, Wanted, choose, counted
from plugins.devices.understanding.slots import kind_slots
from plugins.devices.understanding.writes import Steps, changes, written
from plugins.devices.values import Device, Write

__all__ = ["Reading", "intents_of"]

_LOCKABLE = ("cover.door", "cover.gate", "cover.window", "cover.garage", "cover.shutter")
_LOCKED_WORDS = ("lock", "unlock", "locked", "unlocked")
_BARE = ("scene", "script", "light", "switch", "fan", "media_player", "input_boolean", "climate", "button")
_SHOWN_CHARS = 80

Found = tuple[list[Intent], list[str], list[str]]
"""Intents, what is left, why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an utterance is read against."""

    home: Home
    language: Language
    words: Words
    context: Context
    states: States | None
    settings: UnderstandingSettings

    @property
    def here(self) -> str:
        area = self.home.area(self.context.area) if self.context.area else None
        return area.id if area else ""


def intents_of(reading: Reading, frame: Frame) -> Found:
    """The intents of one frame; a frame that is not understood is left, with why."""
    text = reading.words.cut(frame.start, frame.end) or (frame.carried and reading.words.text) or ""
    shown = text[:_SHOWN_CHARS]
    if frame.never:
        return [], [], [f"{shown!r}: is not to be done"]
    at = _somewhere(reading, frame)
    if frame.unknown and not at:
        return [], [text], [f"{shown!r}: {', '.join(frame.unknown)} is not known"]
    frame = _kind_there(reading.home, _with_locks(frame))
    domains = _domains(reading.home, frame)
    reading_only = bool(domains) and set(domains) <= {"sensor", "binary_sensor", "weather"}
    if not frame.verb and not frame.valued and (frame.states or frame.attr or reading_only) and frame.target.said:
        frame = replace(frame, asks=frame.asks or ("what",))
    if frame.asked:
        if frame.between or frame.nth:
            return [], [text], [f"{shown!r}: a question with a range or an ordinal is not known"]
        return _asked(reading, frame, domains, text)
    if not frame.does:
        return _bare(reading, frame, domains, text)
    order = order_of(frame, _domains(reading.home, frame))
    if order is None and frame.borrowed:  # not about what was spoken of before, but complete in itself
        frame = replace(frame, target=Target())
        order = order_of(frame, ())
    if order is None:
        return [], [text], [f"{shown!r}: no order is known that says this"]
    return _ordered(reading, frame, order, text)


def _with_locks(frame: Frame) -> Frame:
    """Doors, gates and windows that are locked are locks."""
    locking = frame.verb in ("lock", "unlock") or set(frame.states) & set(_LOCKED_WORDS)
    if locking and any(noun in _LOCKABLE for noun in frame.target.nouns):
        return replace(frame, target=replace(frame.target, nouns=("lock",)))
    return frame


def _kind_there(home: Home, frame: Frame) -> Frame:
    """ "the bedroom too", after a name: what was named before stands for its kind."""
    target = frame.target
    if not (frame.carried and target.names and target.areas):
        return frame
    known = [device for device in home.devices() if any(device.id in sense.ids for sense in target.names)]
    if not known or any(device.area in area.ids for device in known for area in target.areas):
        return frame
    said = [kind for kind in sorted(home.kinds[known[0].id]) if kind.startswith(known[0].domain)]
    return replace(frame, target=replace(target, names=(), nouns=(said[-1],) if said else (known[0].domain,)))


def _domains(home: Home, frame: Frame) -> tuple[str, ...]:
    """Of what is named; the kinds that its words say, else of the devices with that name."""
    target = frame.target
    found: list[str] = []
    if target.names:
        ids = {device_id for sense in target.names for device_id in sense.ids}
        same = {sense.value for sense in target.names} & {sense.value for sense in target.areas}
        if not (same and frame.attr and not target.nouns):
            found = [device.domain for device in home.devices() if device.id in ids]
    elif target.nouns:
        found = [noun.partition(".")[0] for noun in target.nouns]
        named = [device.domain for device in home.devices() if set(found) & home.kinds[device.id] & {"pump"}]
        found = named or found
    return tuple(dict.fromkeys(found))


def _ordered(reading: Reading, frame: Frame, order: Order, text: str) -> Found:
    domains = order.domains
    named = set(_domains(reading.home, frame)) & set(domains)
    wanted = Wanted(
        domains=tuple(domain for domain in domains if not named or domain in named),
        changes=lambda device: changes(order, device, reading.states),
    )
    intents: list[Intent] = []
    why: list[str] = []
    if frame.duration and not (frame.lasts and order.intent in OPPOSITE):
        return [], [text], [f"{text[:_SHOWN_CHARS]!r}: how long something is to last is not understood"]
    for choice in _chosen(reading, _roaming(frame, order), wanted):
        intent = _order_intent(reading, frame, order, choice, text)
        intent = _which_value(intent, frame.between) if frame.between else intent
        intents.append(intent)
        why.append(_explained(text, frame, intent, choice))
    if frame.duration:
        if any(i.problem is None and not back_again(reading.home, i, frame.duration) for i in intents):
            return [], [text], [f"{text[:_SHOWN_CHARS]!r}: it is not undone by the clock"]
        intents = [one for intent in intents for one in (intent, *back_again(reading.home, intent, frame.duration))]
    return intents, [], why


def _chosen(reading: Reading, frame: Frame, wanted: Wanted) -> list[Choice]:
    """What is meant. Of several, the second is nobody's guess: it is asked back which."""
    if not frame.nth:
        return choose(reading.home, frame, wanted, reading.here)
    every = replace(frame, target=replace(frame.target, every=True))
    return [counted(reading.home, choice, frame.nth) for choice in choose(reading.home, every, wanted, reading.here)]


def _which_value(intent: Intent, between: str) -> Intent:
    """Neither of two values, but a question back."""
    asked = say(f"{between} 之间,要哪一个值?", f"Which value is meant, of {between}?")
    slots = {name: value for name, value in intent.slots.items() if name in ("name", "area", "floor", "domain")}
    return replace(intent, slots=slots, writes=(), problem=intent.problem or asked, exact=False)


def _roaming(frame: Frame, order: Order) -> Frame:
    """A robot goes to the place that is said; it need not stand there."""
    target = frame.target
    if order.domains != ("vacuum",) or not (target.areas or target.floors):
        return frame
    near = target.areas[0].ids[0] if target.areas else ""
    return replace(frame, target=replace(target, areas=(), floors=()), near=near)


def _order_intent(reading: Reading, frame: Frame, order: Order, choice: Choice, text: str) -> Intent:
    slots: dict[str, Json] = dict(choice.slots)
    kind = choice.nouns[0] if choice.nouns else order.kind
    if "name" not in slots:
        slots |= kind_slots(order.intent, reading.language, kind)
    slots = dict(order.slots) | slots
    if order.domains == ("vacuum",):
        areas, floors = frame.target.areas, frame.target.floors
        if areas or floors:
            slots["area" if areas else "floor"] = (areas or floors)[0].value
    steps = Steps(reading.settings.step_percent, reading.settings.step_degrees)
    writes: list[Write] = []
    problem: Said | None = choice.problem
    values: list[Json] = []
    for device in choice.devices:
        one = written(order, device, reading.states, steps)
        writes += one.writes
        values += [one.value] if one.value is not None else []
        problem = problem or (one.problem if len(choice.devices) == 1 else None)
    if choice.devices and not writes and problem is None:
        problem = say("这些设备都做不到这件事。", "None of these devices can do that.")
    if order.slot and values and len(set(map(str, values))) == 1:
        slots[order.slot] = _whole(values[0])
    stepped = any(isinstance(setting, Step) and not setting.delta for row in order.settings.values() for setting in row)
    exact = choice.exact and not (order.guessed or stepped or problem)
    touched = tuple(device.id for device in choice.devices)
    done = () if problem else tuple(writes)
    return Intent(order.intent, slots, text, touched, done, problem, "rules", exact)


def _whole(value: Json) -> Json:
    return int(value) if isinstance(value, float) and value == int(value) else value


def _explained(text: str, frame: Frame, intent: Intent, choice: Choice) -> str:
    said = frame.verb or frame.change or frame.attr or "value"
    end = f"problem: {intent.problem['en']}" if intent.problem else f"{len(choice.devices)} devices"
    return f"{text[:_SHOWN_CHARS]!r}: {said} → {intent.name}; {choice.why} → {end}"


def _asked(reading: Reading, frame: Frame, domains: tuple[str, ...], text: str) -> Found:
    zone = _zone(frame, reading) or _somewhere(reading, frame)
    question = question_of(frame, domains, zone=zone)
    if question is None:
        return [], [text], [f"{text[:_SHOWN_CHARS]!r}: a question that is not known"]
    if question.placeless:
        return [Intent(question.intent, question.slots, text)], [], [f"{text[:_SHOWN_CHARS]!r}: {question.intent}"]
    intents, why = [], []
    for choice in _question_choices(reading, frame, question):
        intent = _question_intent(reading, question, choice, text)
        intents.append(intent)
        why.append(f"{text[:_SHOWN_CHARS]!r}: asks → {intent.name}; {choice.why}")
    return intents, [], why


def _zone(frame: Frame, reading: Reading) -> str:
    """Where a person is asked to be, as said: the state of a person is a place's name."""
    if (
        "home" in frame.target.places
        or "home" in frame.states
        or any(sense.value == "家" for sense in frame.target.names)
    ):
        return "家" if reading.language == "zh" else "home"
    return ""


def _somewhere(reading: Reading, frame: Frame) -> str:
    """The place that a person is asked to be at, which may be called anything: "is Jane at work"."""
    people = _domains(reading.home, frame) == ("person",)
    return ("" if reading.language == "zh" else " ").join(frame.unknown) if people and frame.asked else ""


def _question_choices(reading: Reading, frame: Frame, question: Question) -> list[Choice]:
    if question.kind or (question.domains == ("person",) and "person" in frame.target.nouns):
        people = tuple(device for device in reading.home.devices() if device.domain == "person")
        return [Choice({}, ("person",), people, why="everybody")]
    domains = question.domains
    if question.intent == "HassGetState" and frame.target.nouns and not frame.target.names:
        domains = (*domains, "binary_sensor") if any("." in noun for noun in frame.target.nouns) else domains
    return choose(reading.home, frame, Wanted(domains=domains, asks=True), reading.here)


def _question_intent(reading: Reading, question: Question, choice: Choice, text: str) -> Intent:
    slots: dict[str, Json] = dict(choice.slots)
    kind = question.kind or (choice.nouns[0] if choice.nouns else "")
    if "name" not in slots:
        slots |= kind_slots(question.intent, reading.language, kind)
    slots |= question.slots
    return Intent(question.intent, slots, text, tuple(device.id for device in choice.devices), (), choice.problem)


def _bare(reading: Reading, frame: Frame, domains: tuple[str, ...], text: str) -> Found:
    """Only a name: a scene or a script is run, a device is turned on; never without asking, for no verb was said."""
    target: Target = frame.target
    if not (target.names and domains and set(domains) & set(_BARE)) or (target.nouns and not target.names):
        return [], [text], [f"{text[:_SHOWN_CHARS]!r}: nothing is said that is to be done"]
    order = order_of(replace(frame, verb="on"), domains)
    if order is None:
        return [], [text], [f"{text[:_SHOWN_CHARS]!r}: nothing is said that is to be done"]
    intents, left, why = _ordered(reading, replace(frame, verb="on"), order, text)
    return [replace(intent, exact=False) for intent in intents], left, why


def _devices(choice: Choice) -> tuple[Device, ...]:
    return choice.devices
