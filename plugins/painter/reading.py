"""A wish in the words of a child, read: every word has to be one that is drawn, in a sense in which it is drawn.

A colour belongs to what it stands before: 红帽子 is a red hat, 红色的小猫 戴帽子 a red cat. A verb and a preposition
have to fit what follows: a hat is worn, not eaten, and a cat on a ball is not drawn as one that holds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from plugins.painter.drawing.compose import SLOTS, TINTED, Chosen
from plugins.painter.lexicon import Token, is_chinese, load_lexicon, tokens, units
from plugins.painter.wishes import NotYet, Wish, wish_of

__all__ = ["read_wish"]


def read_wish(text: str, *, least_words: int, most_words: int, max_chars: int, language: str = "") -> Wish:
    """Read a wish.

    :param least_words: Chinese letters and English words; with `most_words` its bounds.
    :param max_chars: of the whole text, whatever it is made of.
    :param language: in which a hint is worded; empty is that of the text.
    :raises NotYet: it is no wish that is drawn; the message is for a child.
    """
    language = language or ("zh" if is_chinese(text[:max_chars]) else "en")
    if len(text) > max_chars or units(text) > most_words:
        raise NotYet("long", language)
    found = tokens(text)
    if any(token.kind == "unknown" for token in found):
        raise NotYet("words", language)
    if units(text) < least_words:
        raise NotYet("short", language)
    if not _is_sensible(found):
        raise NotYet("words", language)
    animals = [token.name for token in found if token.kind == "animal"]
    places = [token.name for token in found if token.kind == "place"]
    features = _features(found)
    if features is None:
        raise NotYet("words", language)
    return wish_of(list(dict.fromkeys(animals)), features, list(dict.fromkeys(places)), language=language)


def _is_sensible(found: Sequence[Token]) -> bool:
    """Whether each verb and preposition has what it belongs to."""
    for n, token in enumerate(found):
        if token.kind == "after" and (n == 0 or found[n - 1].kind not in ("place", "after")):
            return False
        if token.kind == "lead" and not _leads_to(token, found[n + 1 :]):
            return False
    return True


def _leads_to(lead: Token, rest: Sequence[Token]) -> bool:
    then = next((token for token in rest if token.kind != "color"), None)
    if then is None:
        return False
    may = load_lexicon().leads[lead.name]
    if then.kind == "place":
        return "places" in may and rest[0] is then
    if then.kind == "lead":
        return lead.name == "where"
    return then.kind == "feature" and (then.name in may or "*" in may)


def _features(found: Sequence[Token]) -> list[Chosen] | None:
    """Features with the colours that belong to them; None where a colour belongs to something that has its own."""
    chosen: list[Chosen] = []
    tint: str | None = None
    for n, token in enumerate(found):
        if token.kind == "color":
            then = found[n + 1] if n + 1 < len(found) else None
            if then is None or then.gap or then.kind in ("animal", "lead") or _is_mood(then):
                if token.linked and then is not None and then.kind == "lead" and not then.gap:
                    return None
                chosen.append(Chosen(token.name))
            elif then.kind == "feature" and then.name in TINTED:
                tint = token.name
            else:
                return None
        elif token.kind == "feature":
            chosen.append(Chosen(token.name, tint))
            tint = None
    return chosen


def _is_mood(token: Token) -> bool:
    return token.kind == "feature" and SLOTS[token.name] == "mood"
