"""The deterministic reader: from an utterance to intents, in milliseconds, each with why it was read so.

Order: make the text even; tokens; words that are passed on (an announcement); clauses; timers, lists, things to
play; frames; intents with slots, devices and writes. What is only supposed, reported, quoted or denied orders
nothing. A clause with a word that nothing is known of is left to others: it is never half understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.api import Language
from agent.settings import UnderstandingSettings
from plugins.devices.understanding.clauses import whole_frames
from plugins.devices.understanding.clock import with_times
from plugins.devices.understanding.cutting import Piece, cut
from plugins.devices.understanding.frames import Frame
from plugins.devices.understanding.intents import Reading, intents_of
from plugins.devices.understanding.lists import Carried, announcement_of, item_of, played_of, small_talk_of
from plugins.devices.understanding.names import Home, index
from plugins.devices.understanding.normalise import Words, is_cjk, normalise
from plugins.devices.understanding.numbered import names_for
from plugins.devices.understanding.ranges import with_ordinals, with_ranges
from plugins.devices.understanding.reading import Context, Intent, States, Understood
from plugins.devices.understanding.timers import TimerWords, delay_of, timer_of
from plugins.devices.understanding.tokens import Token, tokens_of
from plugins.devices.values import DeviceMap

__all__ = ["RuleReader"]

_QUOTES = '"“”「」『』《》«»'


class RuleReader:
    """Reads by rules; keeps the index of the last home it read for."""

    def __init__(self, settings: UnderstandingSettings | None = None) -> None:
        self._settings = settings or UnderstandingSettings()
        self._home: Home | None = None

    def read(self, text: str, devices: DeviceMap, context: Context, states: States | None) -> Understood:
        """Everything that was understood of an utterance; what was not, under `left`."""
        words = normalise(text[: self._settings.max_utterance_chars + 1])
        language: Language = "zh" if any(map(is_cjk, words.text)) else "en"
        if len(text) > self._settings.max_utterance_chars:
            return Understood(text, language, (), (words.text,), ("the utterance is too long",))
        home = self._indexed(devices)
        tokens = _tokens(words, home, context)
        if not tokens:
            return Understood(text, language, ())
        reading = Reading(home, language, words, context, states, self._settings)
        return replace(_read(reading, tokens), text=text)

    def _indexed(self, devices: DeviceMap) -> Home:
        if self._home is None or self._home.map is not devices:
            self._home = index(devices)
        return self._home


def _tokens(words: Words, home: Home, context: Context) -> tuple[Token, ...]:
    def again(start: int) -> tuple[Token, ...]:
        rest = Words(words.text[start:], words.low[start:])
        return tuple(replace(t, start=t.start + start, end=t.end + start) for t in tokens_of(rest, home.names))

    tokens = with_ordinals(with_ranges(tokens_of(words, home.names), words.low), words.low)
    return names_for(with_times(tokens, words.low, context.now, again), words.low, home.numbered)


def _read(reading: Reading, tokens: tuple[Token, ...]) -> Understood:
    words = reading.words
    carried = announcement_of(words, tokens) or small_talk_of(tokens)
    if carried:
        return _understood(
            reading, [_carried(reading, carried, words.text)], (), (f"{carried.intent}: whole utterance",)
        )
    why = _unreal(words, tokens)
    if why:
        return _understood(reading, [], (words.text,), (why,))
    intents: list[Intent] = []
    left: list[str] = []
    explained: list[str] = []
    pending: list[Piece] = []
    named: list[Intent] = []
    """What was said of by its name alone."""

    def flush() -> None:
        if pending:
            frames = whole_frames(pending, question=False, earlier=_earlier(reading))
            for frame in frames[: reading.settings.max_clauses]:
                found, rest, said = intents_of(reading, frame)
                intents.extend(found)
                left.extend(rest)
                if not (frame.does or frame.asked):
                    named.extend(intent for intent in found if intent.writes)
                explained.extend(said)
            pending.clear()

    pieces = cut(tokens)
    at = 0
    while at < len(pieces):
        special, taken = _special(words, pieces, at)
        if special is None:
            pending.append(pieces[at])
        else:
            flush()
            said = words.cut(pieces[at].tokens[0].start, pieces[at + taken - 1].tokens[-1].end)
            later = _later(reading, special, intents)
            intents.append(replace(_carried(reading, special, said), later=later))
            explained.append(f"{said!r}: {special.intent} {dict(special.slots)}")
        at += taken
    flush()
    if left and named:  # what is to be done with it stands in the part that was not understood
        intents = [intent for intent in intents if intent not in named]
        left.extend(intent.text for intent in named)
        explained.append(f"{', '.join(i.text for i in named)!r}: a name alone beside {left[0]!r} orders nothing")
    return _understood(reading, intents, tuple(left), tuple(explained))


def _later(reading: Reading, special: Carried, before: Sequence[Intent]) -> tuple[Intent, ...]:
    """What is due when a timer ends: read now, for "it" is what was spoken of now."""
    command = special.slots.get("conversation_command")
    if not isinstance(command, str):
        return ()
    context = replace(
        reading.context, earlier=[*reading.context.earlier, *before] if before else reading.context.earlier
    )
    words = normalise(command)
    inner = replace(reading, words=words, context=context)
    found = _read(inner, _tokens(words, reading.home, context)).intents
    return tuple(intent for intent in found if "Timer" not in intent.name)


def _understood(reading: Reading, intents: list[Intent], left: tuple[str, ...], why: tuple[str, ...]) -> Understood:
    return Understood(reading.words.text, reading.language, tuple(intents), left, why)


def _carried(reading: Reading, carried: Carried, text: str) -> Intent:
    return Intent(carried.intent, carried.slots, text, devices=carried.devices, exact=True)


def _unreal(words: Words, tokens: Sequence[Token]) -> str:
    """Why nothing of it is an order: it is supposed, reported or quoted."""
    for token in tokens:
        if token.has("suppose", "reported", "turned") and not token.has("verb", "name", "area"):
            return f"{token.text!r}: what is supposed, reported or past is no order"
    if any(mark in words.text for mark in _QUOTES) and not any(token.has("ask") for token in tokens):
        return "words in quotation marks are no order"
    return ""


def _earlier(reading: Reading) -> Frame | None:
    """The last thing that was understood before, as a frame; for corrections and answers."""
    if not reading.context.earlier:
        return None
    tokens = _tokens(normalise(reading.context.earlier[-1].text), reading.home, reading.context)
    frames = whole_frames(cut(tokens), question=False, earlier=None) if tokens else []
    return replace(frames[-1], start=0, end=0) if frames else None


def _special(words: Words, pieces: list[Piece], at: int) -> tuple[Carried | None, int]:
    """A timer, a list, a thing to play, with how many pieces it takes."""
    tokens = pieces[at].tokens
    if any(token.has("never") for token in tokens):
        return None, 1
    for taken in (1, 2, 3):
        row = pieces[at : at + taken]
        if len(row) < taken or any(piece.joint in ("stop",) for piece in row[1:]):
            break
        merged = tuple(token for piece in row for token in piece.tokens)
        run = taken > 1 and all(piece.joint == "run" for piece in row[1:])
        found = _one_special(words, merged, alone=taken == 1, run=run)
        if found:
            delayed = isinstance(found, TimerWords) and "conversation_command" in found.slots and _leading(merged)
            more = _delayed_too(pieces, at + taken) if delayed else 0
            if more:
                end = pieces[at + taken + more - 1].tokens[-1].end
                command = str(found.slots["conversation_command"])
                start = words.text.find(command, tokens[0].start)
                found.slots["conversation_command"] = words.cut(start, end)
            return Carried(found.intent, dict(found.slots)) if isinstance(found, TimerWords) else found, taken + more
    return None, 1


def _one_special(words: Words, tokens: Sequence[Token], *, alone: bool, run: bool) -> Carried | TimerWords | None:
    if alone:
        return item_of(words, tokens) or timer_of(words, tokens) or delay_of(words, tokens) or played_of(words, tokens)
    timed = timer_of(words, tokens) if run else None
    if timed and "conversation_command" in timed.slots:
        return timed
    opened = any(token.value("verb") in ("add", "remove", "complete") for token in tokens[:4])
    listed = item_of(words, tokens) if opened else None
    starts = next((token for token in tokens if not token.has("polite", "then", "func")), None)
    return listed or (delay_of(words, tokens) if starts is not None and _leading(tokens) else None)


def _leading(tokens: Sequence[Token]) -> bool:
    """Whether the delay stands first: it is then of all that is joined to it."""
    return any(token.duration for token in tokens[:2])


def _delayed_too(pieces: list[Piece], at: int) -> int:
    count = 0
    while at + count < len(pieces) and pieces[at + count].joint in ("and", "then", "run"):
        if any(token.duration for token in pieces[at + count].tokens):
            break
        count += 1
    return count
