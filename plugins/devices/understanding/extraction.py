"""One clause's tokens as a frame."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from plugins.devices.understanding.frames import Frame, Target
from plugins.devices.understanding.ranges import BETWEEN, NTH
from plugins.devices.understanding.roles import apart, asks, parted, requests, role_of
from plugins.devices.understanding.tokens import Token

__all__ = ["frame_of"]

_RANK = (
    "lock", "unlock", "mute", "unmute", "dock", "stop", "pause", "resume", "next", "previous", "clean", "mow", "press",
    "toggle", "open", "close", "off", "on", "light_up", "raise", "lower", "cancel", "start", "play", "set", "add",
    "remove", "complete",
)  # fmt: skip
"""Which verb of several is meant: "start cleaning" cleans, "set the TV to mute" mutes."""


_IMPLIED = {"clean": "vacuum", "mow": "lawn_mower"}


def frame_of(tokens: list[Token], *, question: bool = False) -> Frame:
    """Read one clause's tokens.

    :param question: the clause, or all of the utterance, is marked as one.
    """
    asking = (question or asks(tokens)) and not requests(tokens)
    tokens = [part for token in tokens for part in (parted(token) if asking else (token,))]
    kept, excluded = apart(tokens)
    lost = tuple(token.text for token in excluded if token.unknown and any(map(str.isalnum, token.text)))
    lost += tuple(token.text for token in excluded if token.amount and not token.has("one", "name", "area", "floor"))
    lost += () if asking else (*_stated(tokens), *_some(tokens))
    frame = Frame(tokens[0].start, tokens[-1].end, unknown=lost)
    keeps = any(token.value("keep") for token in kept) and not any(token.amount or token.has("level") for token in kept)
    verbs: list[tuple[int, str]] = []
    states: list[str] = []
    for at, token in enumerate(kept):
        role = role_of(kept, at, asking)
        if role == "verb":
            verbs.append((at, _verb(token)))
        elif role == "state":
            states.append(token.value("state") or _STATE_OF.get(token.value("verb"), token.value("verb")))
        elif role == "particle":
            verbs.append((at, {"up": "raise", "down": "lower"}.get(token.value("particle"), token.value("particle"))))
        else:
            frame = _take(frame, token, role)
    target = _target([token for at, token in enumerate(kept) if role_of(kept, at, asking) == "target"])
    names = [verb for _, verb in verbs]
    if "clean" in names and any(kept[at].text == "send" for at, _ in verbs):
        names.remove("dock")  # sent out, not home
    none = any(token.text == "no" and after.has("noun") for token, after in pairwise(tokens))
    if any(verb in _IMPLIED for verb in names) and not target.nouns:
        target = replace(target, nouns=tuple(_IMPLIED[verb] for verb in names if verb in _IMPLIED)[:1])
    if target.nouns and any(token.text in _TOGETHER for token in kept):
        target = replace(target, together=True)
    if excluded:
        target = replace(target, but=(_target(excluded),), every=True)
    first_target = next((at for at, token in enumerate(kept) if role_of(kept, at, asking) == "target"), len(kept))
    return replace(
        frame,
        to=any(_leads_value(kept, at) for at, token in enumerate(kept) if _towards(token)),
        verb=next((verb for verb in _RANK if verb in names), names[0] if names else ""),
        verbs=tuple(names),
        states=tuple(states),
        asks=(frame.asks or ("is",)) if asking else (),
        target=target,
        never=frame.never or none or keeps,
        keeps=keeps,
        lasts=any(_lasting(tokens, at) for at in range(len(tokens))),
        chinese=any(not kept[at].text.isascii() for at, _ in verbs),
        verb_last=bool(verbs) and verbs[0][0] > first_target,
    )


def _some(tokens: list[Token]) -> tuple[str, ...]:
    """ "one of the lamps", "the first to come": which of several is not known, and never all of them."""
    found = [one.text for one, after in pairwise(tokens) if one.text in ("one", "1", "any") and _of(after)]
    return (*found, *(after.text for the, after in pairwise(tokens) if _the_first(the, after)))


def _the_first(the: Token, after: Token) -> bool:
    return the.text == "the" and after.text == "first" and not after.has(NTH, "name", "piece")


def _of(token: Token) -> bool:
    return token.text.split()[:1] == ["of"]


def _stated(tokens: list[Token]) -> tuple[str, ...]:
    """ "it's 22 degrees", "the temperature is 22": what makes an English clause a statement, where no verb orders."""
    if any(token.has("verb", "particle") for token in tokens):
        return ()
    said = tuple(token.text for token in tokens if token.text == "it's" or token.value("ask") == "is")
    return tuple(word for word in said if word.isascii())


def _lasting(tokens: list[Token], at: int) -> bool:
    """ "for ten minutes", 开十分钟: no time of day, and nothing that lies ahead."""
    token = tokens[at]
    if token.duration is None or token.has("due") or (at + 1 < len(tokens) and tokens[at + 1].has("later")):
        return False
    if token.text.isascii():
        return at > 0 and tokens[at - 1].text == "for"
    return at > 0 and tokens[at - 1].has("verb", "name", "noun", "func")


def _towards(token: Token) -> bool:
    """ "to", 到; and a Chinese verb that ends so: 调到."""
    return token.value("func") == "to" or (token.has("verb") and token.text.endswith(("到", "成", "为", "至", "在")))


def _leads_value(tokens: list[Token], at: int) -> bool:
    after = next((token for token in tokens[at + 1 :] if token.value("func") != "the"), None)
    if after is None or (tokens[at].text == "at" and not (after.amount and after.amount.unit)):
        return False  # "at 7" is a time of day
    return after.amount is not None or after.has("level")


_TOGETHER = ("都", "全都", "全")
_THERE = ("there", "那里", "那边", "那儿")
_STATE_OF = {"close": "closed"}


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
    if token.has(NTH):
        return replace(frame, nth=int(token.value(NTH)))
    if token.has(BETWEEN):
        frame = replace(frame, between=token.value(BETWEEN))
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
    flags |= {"at": True} if token.text == "at" else {}
    flags |= {"there": True} if token.text in _THERE else {}
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
        nouns = tuple(dict.fromkeys(sense.value for sense in token.senses if sense.kind == "noun"))
        if nouns and named:
            target = replace(target, plain=nouns)
        elif nouns:
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
