"""Shopping and to-do lists, announcements, things to be played: intents that carry the person's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.api import Json
from plugins.devices.understanding.normalise import Words
from plugins.devices.understanding.spans import between, trimmed
from plugins.devices.understanding.tokens import Token

__all__ = ["Carried", "announcement_of", "item_of", "played_of", "small_talk_of"]

_ACTIONS = {"add": "Add", "complete": "Complete", "remove": "Remove", "set": "Add", "play": "Add", "cancel": "Remove"}
_GENERIC = (
    "music",
    "media",
    "something",
    "some music",
    "playback",
    "音乐",
    "歌",
    "歌曲",
    "点音乐",
    "首歌",
    "媒体",
    "节目",
    "一下",
)


@dataclass(frozen=True, slots=True)
class Carried:
    """An intent with words in it."""

    intent: str
    slots: dict[str, Json]
    devices: tuple[str, ...] = ()


def announcement_of(words: Words, tokens: Sequence[Token]) -> Carried | None:
    """All that follows the verb is the message, whatever it says."""
    first = next((index for index, token in enumerate(tokens) if not token.has("polite", "then", "mark", "func")), None)
    if first is None or tokens[first].value("verb") != "announce":
        return None
    message = words.cut(tokens[first].end, len(words.text))
    return Carried("HassBroadcast", {"message": message}) if message else None


def small_talk_of(tokens: Sequence[Token]) -> Carried | None:
    """Words that ask for nothing: never mind, hello."""
    core = [token for token in tokens if not token.has("mark") and (not token.has("polite") or token.has("verb"))]
    intents = {"never_mind": "HassNevermind", "greet": "HassRespond"}
    if len(core) == 1 or (core and all(token.value("verb") in intents for token in core)):
        intent = intents.get(core[0].value("verb"))
        return Carried(intent, {}) if intent else None
    return None


def item_of(words: Words, tokens: Sequence[Token]) -> Carried | None:
    """An item that is put on, ticked off or taken off a list."""
    kinds = [{sense.value for sense in token.senses if sense.kind == "noun"} for token in tokens]
    todo = next((index for index, token in enumerate(tokens) if _todo(token)), None)
    shopping = next((index for index, kind in enumerate(kinds) if "shopping_list" in kind), None)
    any_list = next((index for index, kind in enumerate(kinds) if "list" in kind), None)
    listed = todo if todo is not None else shopping if shopping is not None else any_list
    if listed is None:
        return _bought(words, tokens)
    verb = _list_verb(tokens, listed)
    if verb is None:
        return None
    action = _ACTIONS[_action(tokens[verb])]
    taken = {listed, verb} | ({any_list} if todo is not None and any_list is not None else set())
    item = _remainder(words, tokens, taken)
    if not item:
        return None
    if todo is not None:
        sense = next(sense for sense in tokens[todo].senses if sense.kind == "name")
        return Carried(f"HassList{action}Item", {"item": item, "name": sense.value}, sense.ids)
    # A shopping list has no intent that removes: what is off it is done.
    return Carried(f"HassShoppingList{'Add' if action == 'Add' else 'Complete'}Item", {"item": item})


def _todo(token: Token) -> bool:
    return any(sense.kind == "name" and "todo" in sense.domains for sense in token.senses)


def _list_verb(tokens: Sequence[Token], listed: int) -> int | None:
    order = [index for index, token in enumerate(tokens) if _action(token) and index != listed]
    strong = [index for index in order if _action(tokens[index]) not in ("set", "play")]
    return next(iter(strong or order), None)


def _action(token: Token) -> str:
    return next((sense.value for sense in token.senses if sense.kind == "verb" and sense.value in _ACTIONS), "")


def _remainder(words: Words, tokens: Sequence[Token], taken: set[int]) -> str:
    """The one run of words that is neither the verb nor the list."""
    runs: list[list[Token]] = [[]]
    for index, token in enumerate(tokens):
        if index in taken:
            runs.append([])
        else:
            runs[-1].append(token)
    found = [between(words, run) for run in runs if _worded(run)]
    return found[0] if len(found) == 1 else ""


def _worded(run: Sequence[Token]) -> bool:
    return any(not token.has("particle") for token in trimmed(run))


def _bought(words: Words, tokens: Sequence[Token]) -> Carried | None:
    """ "记得买牛奶", "苹果买好了": shopping without a list being named."""
    first = trimmed(tokens)
    if first and first[0].value("verb") == "remember":
        item = between(words, first[1:])
        return Carried("HassShoppingListAddItem", {"item": item}) if item else None
    last = first[-1] if first else None
    if last and "买" in last.text and last.value("verb") == "complete":
        item = between(words, first[:-1])
        return Carried("HassShoppingListCompleteItem", {"item": item}) if item else None
    return None


def played_of(words: Words, tokens: Sequence[Token]) -> Carried | None:
    """Something to look for and play, on what and where; "play music" alone only goes on."""
    first = next((index for index, token in enumerate(tokens) if not _opening(token)), None)
    if first is None:
        return None
    play = next((index for index, token in enumerate(tokens) if token.value("verb") == "play"), None)
    if any(token.value("verb") in ("next", "previous") for token in tokens):
        return None
    if play is None or (play != first and not _only_where(tokens[first:play])):
        return None
    rest, slots, devices = _where(tokens[play + 1 :])
    head, more, before = _where(tokens[first:play]) if play != first else ((), {}, ())
    if head and trimmed(head):
        return None
    rest = trimmed(rest)
    query, kind = _query(words, rest)
    if not query or words.low[rest[0].start : rest[-1].end] in _GENERIC:
        return None
    slots = {"search_query": query} | more | slots | ({"media_class": kind} if kind else {})
    return Carried("HassMediaSearchAndPlay", slots, devices or before)


def _opening(token: Token) -> bool:
    return token.has("polite", "then", "mark", "and") and not token.has("verb")


def _only_where(tokens: Sequence[Token]) -> bool:
    return all(token.has("area", "name", "func", "place") or "media_player" in _nouns(token) for token in tokens)


def _nouns(token: Token) -> set[str]:
    return {sense.value for sense in token.senses if sense.kind == "noun"}


def _where(tokens: Sequence[Token]) -> tuple[Sequence[Token], dict[str, Json], tuple[str, ...]]:
    """Player and area at the end (or at the beginning), and what is left."""
    slots: dict[str, Json] = {}
    devices: tuple[str, ...] = ()
    kept = list(tokens)
    while kept:
        last = kept[-1]
        led = len(kept) > 1 and any(token.has("func") for token in kept[-3:-1])
        name = next((sense for sense in last.senses if sense.kind == "name" and "media_player" in sense.domains), None)
        area = next((sense for sense in last.senses if sense.kind == "area"), None)
        if last.has("polite", "mark", "func") or (last.value("place") == "here" and led):
            kept.pop()
        elif name and (led or len(kept) == len(tokens) == 1) and "name" not in slots:
            slots["name"], devices = name.value, name.ids
            kept.pop()
        elif area and led and "area" not in slots:
            slots["area"] = area.value
            kept.pop()
        else:
            break
    return kept, slots, devices


def _query(words: Words, rest: Sequence[Token]) -> tuple[str, str]:
    """What is looked for, and its kind where the person says it: the artist Queen, Thriller album."""
    if not rest:
        return "", ""
    if rest[0].has("media_class") and len(rest) > 1:
        return between(words, rest[1:]), rest[0].value("media_class")
    if rest[-1].has("media_class") and len(rest) > 1:
        return between(words, rest[:-1]), rest[-1].value("media_class")
    return between(words, rest), ""
