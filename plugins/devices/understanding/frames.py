"""What one clause says, before it is known what of the home it means: a frame of verb, values, question and target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from plugins.devices.understanding.lexicon import Sense
from plugins.devices.understanding.numbers import Amount, Duration
from plugins.devices.understanding.tokens import Token

__all__ = ["Frame", "Target", "frame_of"]

_PLACES = ("area", "areas", "floor", "place", "name", "piece")
_RANK = (
    "lock", "unlock", "mute", "unmute", "dock", "stop", "pause", "resume", "next", "previous", "clean", "mow", "press",
    "toggle", "open", "close", "off", "on", "light_up", "raise", "lower", "cancel", "start", "play", "set", "add",
    "remove", "complete",
)  # fmt: skip
"""Which verb of several is meant: "start cleaning" cleans, "set the TV to mute" mutes."""
_IMPLIED = {"clean": "vacuum", "mow": "lawn_mower"}
_TARGET_KINDS = (
    "name",
    "piece",
    "word",
    "area",
    "areas",
    "floor",
    "noun",
    "place",
    "everything",
    "it",
    "one",
    "all",
    "other",
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is spoken of, in the person's words."""

    names: tuple[Sense, ...] = ()
    areas: tuple[Sense, ...] = ()
    floors: tuple[Sense, ...] = ()
    nouns: tuple[str, ...] = ()
    """light, cover.curtain …; several where a word means several kinds."""
    noun_text: str = ""
    special: str = ""
    """A closer kind: tv, fresh_air, desk_lamp."""
    many: bool = False
    """A plural."""
    every: bool = False
    """All of them was said."""
    places: tuple[str, ...] = ()
    """here, home, up, down, outside."""
    everything: bool = False
    it: bool = False
    other: bool = False
    one: bool = False
    """"the bedroom one": the kind is that of before."""
    but: tuple[Target, ...] = ()
    """Left out on purpose."""
    words: tuple[str, ...] = ()
    """Words that several names share: all drip valves."""

    @property
    def said(self) -> bool:
        return bool(self.of_a_kind or self.areas or self.floors or self.places)

    @property
    def placed(self) -> bool:
        return bool(self.areas or self.floors or [place for place in self.places if place != "home"])

    @property
    def of_a_kind(self) -> bool:
        return bool(self.names or self.nouns or self.words or self.everything or self.it)


@dataclass(frozen=True, slots=True)
class Frame:
    """One clause."""

    start: int
    end: int
    verb: str = ""
    verbs: tuple[str, ...] = ()
    attr: str = ""
    amounts: tuple[Amount, ...] = ()
    duration: Duration | None = None
    color: str = ""
    kelvin: str = ""
    level: str = ""
    modes: tuple[str, ...] = ()
    change: str = ""
    """brightness.up, any.down …"""
    bit: str = ""
    states: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    target: Target = field(default_factory=Target)
    unknown: tuple[str, ...] = ()
    too: bool = False
    no: bool = False
    never: bool = False
    chinese: bool = False
    """The verb is Chinese: 打开 a lock unlocks it."""
    verb_last: bool = False
    """The verb stands after what it is about."""
    to: bool = False
    """The amount is what is wanted: "up to 90"."""
    by: bool = False
    """The amount is a difference: "by two degrees"."""
    near: str = ""
    """Id of the area that was spoken of just before; where a device of the kind is there, it is meant."""
    carried: bool = False
    """Something of it was said in a clause before."""

    @property
    def asked(self) -> bool:
        return bool(self.asks)

    @property
    def valued(self) -> bool:
        return bool(self.amounts or self.color or self.kelvin or self.level or self.modes or self.change)

    @property
    def does(self) -> bool:
        """Whether it says what to do, or asks."""
        return bool(self.verb or self.valued or self.asked or self.states)


def frame_of(tokens: list[Token], *, question: bool = False) -> Frame:
    """Read one clause's tokens.

    :param question: the clause, or all of the utterance, is marked as one.
    """
    asking = (question or _asks(tokens)) and not _requests(tokens)
    tokens = [part for token in tokens for part in (_parted(token) if asking else (token,))]
    kept, excluded = _apart(tokens)
    frame = Frame(tokens[0].start, tokens[-1].end)
    verbs: list[tuple[int, str]] = []
    states: list[str] = []
    for at, token in enumerate(kept):
        role = _role(kept, at, asking)
        if role == "verb":
            verbs.append((at, _verb(token)))
        elif role == "state":
            states.append(token.value("state") or _STATE_OF.get(token.value("verb"), token.value("verb")))
        elif role == "particle":
            verbs.append((at, {"up": "raise", "down": "lower"}.get(token.value("particle"), token.value("particle"))))
        else:
            frame = _take(frame, token, role)
    target = _target([token for at, token in enumerate(kept) if _role(kept, at, asking) == "target"])
    names = [verb for _, verb in verbs]
    none = any(token.text == "no" and after.has("noun") for token, after in pairwise(tokens))
    if any(verb in _IMPLIED for verb in names) and not target.nouns:
        target = replace(target, nouns=tuple(_IMPLIED[verb] for verb in names if verb in _IMPLIED)[:1])
    if excluded:
        target = replace(target, but=(_target(excluded),), every=True)
    first_target = next((at for at, token in enumerate(kept) if _role(kept, at, asking) == "target"), len(kept))
    return replace(
        frame,
        to=any(_leads_value(kept, at) for at, token in enumerate(kept) if _towards(token)),
        verb=next((verb for verb in _RANK if verb in names), names[0] if names else ""),
        verbs=tuple(names),
        states=tuple(states),
        asks=(frame.asks or ("is",)) if asking else (),
        target=target,
        never=frame.never or none,
        chinese=any(not kept[at].text.isascii() for at, _ in verbs),
        verb_last=bool(verbs) and verbs[0][0] > first_target,
    )


def _towards(token: Token) -> bool:
    """ "to", 到; and a Chinese verb that ends so: 调到."""
    return token.value("func") == "to" or (token.has("verb") and token.text.endswith(("到", "成", "为", "至", "在")))


def _leads_value(tokens: list[Token], at: int) -> bool:
    after = next((token for token in tokens[at + 1 :] if token.value("func") != "the"), None)
    return after is not None and (after.amount is not None or after.has("level"))


_STATE_OF = {"close": "closed"}
_ORDER = ("target", "attr")


def _requests(tokens: list[Token]) -> bool:
    """ "could you turn it off?", "你能开灯吗": a question in form only. What asks to be told stays one."""
    first = next((token for token in tokens if not token.has("polite", "then", "and", "mark", "func")), None)
    told = any(token.value("ask") not in ("", "is") for token in tokens)
    return bool(first and first.has("request") and not told and any(token.has("verb", "particle") for token in tokens))


def _parted(token: Token) -> tuple[Token, ...]:
    """In a question "switch on" is a switch and its state."""
    head, _, tail = token.text.partition(" ")
    if head != "switch" or tail not in ("on", "off"):
        return (token,)
    at = token.start + len(head)
    noun, state = Sense("noun", "switch"), (Sense("state", tail), Sense("particle", tail))
    return (Token(token.start, at, head, (noun,)), Token(token.end - len(tail), token.end, tail, state))


def _asks(tokens: list[Token]) -> bool:
    """A clause asks where it begins with a question word, or where a Chinese one stands anywhere in it."""
    if any(token.has("ask") and not token.text.isascii() for token in tokens):
        return True
    if any(token.text == "是" and after.has("verb", "state") for token, after in pairwise(tokens)):
        return True
    content = [token for token in tokens if not token.has("polite", "func", "mark")]
    if len(content) > 1 and content[-1].text == "不":
        return True
    if content and all(token.value("attr") in ("time", "date") for token in content):
        return True
    first = next((token for token in tokens if not token.has("polite", "too", "then", "and", "mark")), None)
    return bool(first and first.has("ask"))


def _apart(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """What is spoken of, and what of it is left out."""
    kept: list[Token] = []
    excluded: list[Token] = []
    inside = False
    for token in tokens:
        if token.has("except"):
            inside = True
        elif inside and _ends_exception(token):
            inside = False
            kept.append(token)
        elif inside:
            excluded.append(token)
        else:
            kept.append(token)
    return kept, [token for token in excluded if token.has(*_TARGET_KINDS) or token.unknown]


def _ends_exception(token: Token) -> bool:
    verb = token.has("verb") and not token.has("noun")
    return verb or token.has("except_end", "mark") or token.value("func") == "ba"


def _role(tokens: list[Token], at: int, asking: bool) -> str:
    """What a token with several senses is in this clause."""
    token = tokens[at]
    if token.has("name", "area", "areas", "floor", "piece", "word"):
        return "target"
    others = [other for index, other in enumerate(tokens) if index != at]
    if token.has("particle") and token.has("func"):
        return _preposition(tokens, at, others, asking)
    if asking and token.has("state", "verb") and (token.has("state") or token.value("verb") in _ASKED_VERBS):
        return "state"
    if token.has("verb") and token.has("noun"):
        before = [other for other in tokens[:at] if not other.has("polite", "then", "and", "func")]
        elsewhere = any(other.has("verb") and not other.has("noun") for other in others)
        return "target" if before or elsewhere else "verb"
    if token.has("verb"):
        return "verb"
    if token.has("particle"):
        return "particle"
    if token.has("state") and not token.has("place"):
        return "state"
    for kind in ("mode", "kelvin", "color"):
        if token.has(kind) and token.has("noun"):
            return "target"
    if token.has("attr") and token.has("noun"):
        return "attr" if token.value("attr") == "mode" and not _scene_near(tokens, at) else "target"
    return "target" if token.has(*_TARGET_KINDS) else "other"


_ASKED_VERBS = ("on", "off", "open", "close", "lock", "unlock", "play")


def _scene_near(tokens: list[Token], at: int) -> bool:
    return at > 0 and tokens[at - 1].has("name")


def _preposition(tokens: list[Token], at: int, others: list[Token], asking: bool) -> str:
    """on and off: a particle (turn it on), a state (is it on), or a preposition (on the first floor)."""
    after = next((token for token in tokens[at + 1 :] if not (token.has("func") and not token.has("particle"))), None)
    towards = after is not None and after.has(*_PLACES) and not after.has("particle")
    if asking:
        elsewhere = any(other.has("state", "particle") or other.value("verb") in _ASKED_VERBS for other in others)
        return "other" if towards and elsewhere else "state"
    busy = any(
        (other.has("verb") and other.value("verb") not in ("set",) and not other.has("noun"))
        or other.has("color", "kelvin", "level", "change")
        or other.amount
        or (other.has("particle") and other is not tokens[at])
        for other in others
    )
    return "other" if towards and busy else "particle"


def _verb(token: Token) -> str:
    """The strongest of its verbs."""
    values = [sense.value for sense in token.senses if sense.kind == "verb"]
    return next((verb for verb in _RANK if verb in values), values[0])


def _take(frame: Frame, token: Token, role: str) -> Frame:
    """One token that is no verb."""
    if token.unknown:
        return replace(frame, unknown=(*frame.unknown, token.text)) if any(map(str.isalnum, token.text)) else frame
    if token.duration and not token.has("name"):
        return replace(frame, duration=token.duration)
    if role == "target":
        return frame
    if token.amount and not token.has("one", "func", "bit"):
        return replace(frame, amounts=(*frame.amounts, token.amount))
    for kind in ("change", "color", "kelvin", "level", "bit"):
        if token.has(kind):
            value = token.value(kind)
            return replace(frame, **{kind: value}, modes=_modes(frame, token))  # type: ignore[arg-type]
    if token.has("mode"):
        return replace(frame, modes=_modes(frame, token))
    if token.has("attr"):
        return replace(frame, attr=frame.attr or token.value("attr"))
    if token.has("ask"):
        return replace(frame, asks=(*frame.asks, token.value("ask")))
    flags = {kind: True for kind in ("too", "no", "never") if token.has(kind)}
    if frame.asks and token.text == "不":
        return frame
    if token.value("func") == "by":
        flags["by"] = True
    return replace(frame, **flags) if flags else frame  # type: ignore[arg-type]


def _modes(frame: Frame, token: Token) -> tuple[str, ...]:
    return (*frame.modes, *(sense.value for sense in token.senses if sense.kind == "mode"))


def _target(tokens: list[Token]) -> Target:
    names, areas, floors = [], [], []
    target = Target()
    for token in tokens:
        named = [sense for sense in token.senses if sense.kind in ("name", "piece")]
        names += named[:1]
        areas += [sense for sense in token.senses if sense.kind in ("area", "areas")][:1]
        floors += [sense for sense in token.senses if sense.kind == "floor"]
        if token.has("noun") and not named:
            nouns = tuple(dict.fromkeys(sense.value for sense in token.senses if sense.kind == "noun"))
            many = any(sense.many for sense in token.senses if sense.kind == "noun")
            target = replace(
                target, nouns=nouns, noun_text=token.text, special=token.value("special"), many=target.many or many
            )
        if token.has("word"):
            target = replace(target, words=(*target.words, token.value("word")))
        if token.has("place") and not token.has("area", "floor", "name"):
            target = replace(target, places=(*target.places, token.value("place")))
        flags = {kind: True for kind in ("everything", "it", "other", "one") if token.has(kind)}
        if token.has("all", "other", "everything"):
            flags["every"] = True
        target = replace(target, **flags) if flags else target  # type: ignore[arg-type]
    return replace(target, names=tuple(names), areas=tuple(areas), floors=tuple(floors))
