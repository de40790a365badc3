"""Timers and delays: which timer is meant, by how long it was, by name or by area; what is to be done, and when.

"1小时后关灯" and "turn off the lights in 5 minutes" start a timer with the words of the order; those are read when
it is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.api import Json
from plugins.devices.understanding.clock import DUE
from plugins.devices.understanding.normalise import Words
from plugins.devices.understanding.numbers import Duration
from plugins.devices.understanding.roles import asks, requests
from plugins.devices.understanding.spans import between, order_words, trimmed
from plugins.devices.understanding.tokens import Token

__all__ = ["TimerWords", "delay_of", "timer_of"]

Lengths = Sequence[tuple[int, Duration]]
"""Where a length of time stands among the tokens, and how long it is."""
_VERBS = {
    "cancel": "HassCancelTimer", "stop": "HassCancelTimer", "off": "HassCancelTimer", "remove": "HassCancelTimer",
    "pause": "HassPauseTimer", "resume": "HassUnpauseTimer",
}  # fmt: skip
_MORE, _LESS = ("add", "raise"), ("remove", "lower")
_STARTS = ("start", "set", "on")
_AFTER = ("后", "之后", "以后", "过后")
_BEFORE = ("in", "after")
_LATER = ("later", "from now")


@dataclass(frozen=True, slots=True)
class TimerWords:
    """An intent about a timer."""

    intent: str
    slots: dict[str, Json]
    end: int
    """Position behind the last word it took."""


def timer_of(words: Words, tokens: Sequence[Token]) -> TimerWords | None:
    """A clause that speaks of a timer."""
    at = next((index for index, token in enumerate(tokens) if "timer" in _nouns(token)), None)
    if at is None:
        return None
    verb = _verb(tokens)
    durations = [(index, token.duration) for index, token in enumerate(tokens) if token.duration]
    asked = any(token.has("ask") or token.value("attr") == "state" for token in tokens)
    every = any(token.has("all") for token in tokens)
    end = tokens[-1].end
    if verb in (*_MORE, *_LESS) and durations and not (verb == "remove" and len(durations) == 1 and _meant(tokens, at)):
        changed = _changed(tokens, at, durations)
        intent = "HassIncreaseTimer" if verb in _MORE else "HassDecreaseTimer"
        slots = dict(changed[1].parts) | _which(words, tokens, at, [one for one in durations if one is not changed])
        return TimerWords(intent, slots, end)
    if durations and not asked and (more := _another(tokens, durations)):
        slots = dict(more[1].parts) | _which(words, tokens, at, [one for one in durations if one is not more])
        return TimerWords("HassIncreaseTimer", slots, end)
    if verb in _VERBS and not asked:
        if every and verb in ("cancel", "stop", "off", "remove"):
            return TimerWords("HassCancelAllTimers", _area(tokens), end)
        return TimerWords(_VERBS[verb], _which(words, tokens, at, durations), end)
    if asked and verb not in _STARTS:
        return TimerWords("HassTimerStatus", _which(words, tokens, at, durations), end)
    if durations:
        return TimerWords("HassStartTimer", _started(words, tokens, at, durations[0]), end)
    return None


def _another(tokens: Sequence[Token], durations: Lengths) -> tuple[int, Duration] | None:
    """ "give it another 5 minutes", "five more minutes": a length of time that is put on top."""
    for one in durations:
        if one[0] and tokens[one[0] - 1].text in ("another", "extra", "additional"):
            return one
    return None


def _nouns(token: Token) -> set[str]:
    return {sense.value for sense in token.senses if sense.kind == "noun"}


def _verb(tokens: Sequence[Token]) -> str:
    found = [_known_verb(token) for token in tokens]
    starts = next((i for i, verb in enumerate(found) if verb in ("start", "set") and _times(tokens, i + 1)), None)
    if starts is not None and any(token.has("verb", "particle") for token in tokens[:starts]):
        return found[starts]  # an order stands before it: "关灯设置1小时计时器"
    return next((verb for verb in found if verb), "")


def _known_verb(token: Token) -> str:
    values = [sense.value for sense in token.senses if sense.kind == "verb"]
    return next((value for value in values if value in (*_VERBS, *_MORE, *_LESS, *_STARTS)), "")


def _times(tokens: Sequence[Token], at: int) -> bool:
    """Whether a length of time or the timer stands here."""
    return at < len(tokens) and (tokens[at].duration is not None or "timer" in _nouns(tokens[at]))


def _meant(tokens: Sequence[Token], at: int) -> bool:
    """Whether the one duration stands right beside the timer: "delete the 5 minute timer"."""
    return at > 0 and tokens[at - 1].duration is not None


def _changed(
    tokens: Sequence[Token], at: int, durations: Lengths
) -> tuple[int, Duration]:  # fmt: skip
    """Of two lengths, the one that is added or taken: the one that does not say which timer."""
    free = [one for one in durations if not _says_which(tokens, at, one[0])] or durations
    return free[0]


def _says_which(tokens: Sequence[Token], at: int, index: int) -> bool:
    """Right before the timer, or behind it with "for"."""
    if index < at:
        return not trimmed(tokens[index + 1 : at])
    gap = tokens[at + 1 : index]
    return any(token.text == "for" for token in gap) and not any(token.value("func") in ("by", "to") for token in gap)


def _which(
    words: Words, tokens: Sequence[Token], at: int, durations: Lengths
) -> dict[str, Json]:  # fmt: skip
    """start_*, area or name: how the person tells this timer from others."""
    slots: dict[str, Json] = {}
    for _, duration in durations[:1]:
        slots |= {f"start_{part}": value for part, value in duration.parts}
    return slots or _area(tokens) or _name(words, tokens, at)


def _area(tokens: Sequence[Token]) -> dict[str, Json]:
    area = next((sense.value for token in tokens for sense in token.senses if sense.kind == "area"), "")
    return {"area": area} if area else {}


def _name(words: Words, tokens: Sequence[Token], at: int) -> dict[str, Json]:
    """What the timer is called: before it, or after "named", "called", "for"."""
    marker = next((index for index, token in enumerate(tokens) if token.has("named")), None)
    if marker is None:
        behind = [index for index, token in enumerate(tokens) if index > at and token.text == "for"]
        follows = [index for index in behind if index + 1 < len(tokens) and not tokens[index + 1].duration]
        marker = follows[0] if follows else None
    if marker is not None:
        begin = marker + 1
        end = next((index for index in range(begin, len(tokens)) if _stops(tokens, index)), len(tokens))
        name = between(words, tokens[begin:end])
        return {"name": name} if name else {}
    begin = at
    while begin > 0 and not _leads(tokens[begin - 1]):
        begin -= 1
    name = between(words, tokens[begin:at])
    return {"name": name} if name else {}


def _stops(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if token.duration or token.value("func") == "by" or "timer" in _nouns(token):
        return True
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    return token.text == "for" and bool(following and following.duration)


def _leads(token: Token) -> bool:
    """What a name cannot begin with: the verb, a length of time, a question word."""
    verb = token.value("verb") in _VERBS or token.value("verb") in (*_MORE, *_LESS, *_STARTS)
    return verb or bool(token.duration) or token.has("ask") or token.text in ("my", "the", "from", "to", "off")


def _started(
    words: Words, tokens: Sequence[Token], at: int, length: tuple[int, Duration]
) -> dict[str, Json]:  # fmt: skip
    index, duration = length
    slots: dict[str, Json] = dict(duration.parts)
    before = list(tokens[: min(index, at)])
    starts = [i for i, token in enumerate(before) if token.value("verb") in _STARTS]
    opener = starts[-1] if starts else len(before)
    command = before[:opener]
    if any(token.has("verb") for token in command) and opener < len(before):
        return slots | {"conversation_command": between(words, command)}
    return slots | _name(words, tokens, at)


def delay_of(words: Words, tokens: Sequence[Token]) -> TimerWords | None:
    """A clause that says when: "in 1 hour turn off the lights", "10分钟后关灯"; the rest is the order."""
    if sum(token.duration is not None for token in tokens) > 1:
        return None  # which of them is meant is not known
    if asks(list(tokens)) and not requests(list(tokens)):
        return None
    for index, token in enumerate(tokens):
        if token.duration is None:
            continue
        begin, end = index, index + 1
        before = tokens[index - 1] if index else None
        after = tokens[end] if end < len(tokens) else None
        if token.has(DUE):
            pass
        elif words.low.startswith(_AFTER, token.end):
            tail = max((word for word in _AFTER if words.low.startswith(word, token.end)), key=len)
            edge = token.end + len(tail)
            end = next((i for i in range(end, len(tokens)) if tokens[i].start >= edge), len(tokens))
        elif after is not None and words.low[token.end :].lstrip().startswith(_LATER):
            end += 2 if after.text == "from" else 1
        elif before is not None and before.text in _BEFORE:
            begin -= 1
        else:
            continue
        command = order_words(words, tokens[end:]) if begin == 0 or not _verbs(tokens[:begin]) else ""
        command = _around(words, tokens[:begin], command) or command or order_words(words, tokens[:begin])
        if command and _verbs((*tokens[:begin], *tokens[end:])):
            slots: dict[str, Json] = dict(token.duration.parts)
            return TimerWords("HassStartTimer", slots | {"conversation_command": command}, tokens[-1].end)
    return None


def _around(words: Words, before: Sequence[Token], after: str) -> str:
    """ "把灯晚上十点关掉": what it is about stands before the time, what is to be done behind it."""
    about = any(token.has("name", "area", "floor", "noun", "piece", "it", "word") for token in before)
    if not after or not about or _verbs(before):
        return ""
    joint = "" if not after[0].isascii() else " "
    return f"{order_words(words, before)}{joint}{after}"


def _verbs(tokens: Sequence[Token]) -> bool:
    return any(token.has("verb", "particle") for token in tokens)
