"""What a word is in its clause, where it could be several: a verb or a thing, a state or a preposition; and whether a
clause asks, or only asks in form.
"""

from __future__ import annotations

from itertools import pairwise

from plugins.devices.understanding.lexicon import Sense
from plugins.devices.understanding.tokens import Token

__all__ = ["apart", "asks", "parted", "requests", "role_of"]

_PLACES = ("area", "areas", "floor", "place", "name", "piece")


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


def requests(tokens: list[Token]) -> bool:
    """ "could you turn it off?", "你能开灯吗": a question in form only. What asks to be told stays one."""
    first = next((token for token in tokens if not token.has("polite", "then", "and", "mark", "func")), None)
    told = any(token.value("ask") not in ("", "is") for token in tokens)
    return bool(first and first.has("request") and not told and any(token.has("verb", "particle") for token in tokens))


def parted(token: Token) -> tuple[Token, ...]:
    """In a question "switch on" is a switch and its state."""
    head, _, tail = token.text.partition(" ")
    if head != "switch" or tail not in ("on", "off"):
        return (token,)
    at = token.start + len(head)
    noun, state = Sense("noun", "switch"), (Sense("state", tail), Sense("particle", tail))
    return (Token(token.start, at, head, (noun,)), Token(token.end - len(tail), token.end, tail, state))


def asks(tokens: list[Token]) -> bool:
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


def apart(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
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
    return kept, [token for token in excluded if token.has(*_TARGET_KINDS) or token.unknown or token.amount]


def _ends_exception(token: Token) -> bool:
    verb = token.has("verb") and not token.has("noun")
    return verb or token.has("except_end", "mark") or token.value("func") == "ba"


def role_of(tokens: list[Token], at: int, asking: bool) -> str:
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
