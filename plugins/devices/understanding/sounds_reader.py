"""A reader for speech: where another reader met no name that it knows, names that sound like it are tried.

What was read without that stays as it was, and exact where it was; what is read only because a name was put right takes
the path `names` and is never exact, so that a person is asked. A text in which every name is known is never touched.

Before that, what a part does is tried: a recogniser writes 吊到 for 调到, which sounds the same. Device and value stand
there as the person said them, so such a part is as exact as it would have been. At the head of a clause this is tried
also where known words stand: 大开 is "more" and "on", and there it is 打开.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from plugins.devices.understanding.lexicon import phrases_of
from plugins.devices.understanding.normalise import is_cjk, normalise
from plugins.devices.understanding.reading import Context, Intent, Reader, States, Understood
from plugins.devices.understanding.sounds import Names, names_of
from plugins.devices.understanding.tokens import Trie, tokens_of
from plugins.devices.values import DeviceMap

__all__ = ["SoundReader"]

_HEAD = re.compile(r"(?:^|[,;!\uff0c\uff1b\uff01。、\s]|请|帮我|给我|再|并|然后|就|去)$")
"""What stands before the head of a clause."""


class SoundReader:
    """Wraps a reader; keeps the names of the last home it read for."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: tuple[DeviceMap, Names] | None = None

    def read(self, text: str, devices: DeviceMap, context: Context, states: States | None) -> Understood:
        """As the reader does; and once more with names put right, where a part was left or a name is unknown."""
        understood = self._with_heads(self._reader.read(text, devices, context, states), devices, context, states)
        understood = self._with_verbs(understood, devices, context, states)
        missed = [*understood.left, *(i.text for i in understood.intents if i.problem is not None and not i.devices)]
        names = self._names(devices) if missed else None
        mended, why = understood.text, list(understood.why)
        for part in dict.fromkeys(missed):
            found = names.mended(part, may_be_wrong=_is_strange) if names is not None else None
            if found is not None and mended.count(part) == 1:
                mended = mended.replace(part, found.text)
                why.append(f"{part!r} sounds like {found.text!r}")
        if mended == understood.text:
            return understood
        anew = self._reader.read(mended, devices, context, states)
        if len(anew.left) >= len(missed) or any(_key(i) not in map(_key, anew.intents) for i in _sound(understood)):
            return understood
        before = [_key(intent) for intent in understood.intents]
        intents = tuple(i if _key(i) in before else replace(i, path="names", exact=False) for i in anew.intents)
        return replace(anew, text=understood.text, intents=intents, why=(*why, *anew.why))

    def _with_heads(
        self, understood: Understood, devices: DeviceMap, context: Context, states: States | None
    ) -> Understood:
        """Read again with the verbs that clauses begin with by their sound, where not all of it was exact as it was."""
        text = understood.text
        if not understood.left and all(intent.exact for intent in understood.intents):
            return understood
        named = names_of(devices)
        heads = [h for h in _verbs().heard(text) if h.distance == 0 and _HEAD.search(text[: h.start])]
        heads = [h for h in heads if not any(text[h.start : h.end] in name for name in named)]
        mended, why = text, list(understood.why)
        for head in sorted(heads, key=lambda h: -h.start):
            if len({other.name for other in heads if other.start == head.start}) == 1:
                mended = mended[: head.start] + head.name + mended[head.end :]
                why.append(f"{text[head.start : head.end]!r} sounds the same as {head.name!r}")
        return self._if_whole(mended, why, understood, devices, context, states)

    def _with_verbs(
        self, understood: Understood, devices: DeviceMap, context: Context, states: States | None
    ) -> Understood:
        """Read again with a verb that sounds the same, where that makes sense of all that was left."""
        mended, why = understood.text, list(understood.why)
        for part in understood.left:
            found = _verbs().mended(part, farthest=0.0)
            if found is not None and mended.count(part) == 1:
                mended = mended.replace(part, found.text)
                why.append(f"{part!r} sounds the same as {found.text!r}")
        return self._if_whole(mended, why, understood, devices, context, states)

    def _if_whole(
        self,
        mended: str,
        why: Sequence[str],
        understood: Understood,
        devices: DeviceMap,
        context: Context,
        states: States | None,
    ) -> Understood:
        """What is read of a text with other verbs; as it was where that leaves something, or names nothing."""
        if mended == understood.text:
            return understood
        anew = self._reader.read(mended, devices, context, states)
        if anew.left or any(intent.problem is not None and not intent.devices for intent in anew.intents):
            return understood
        return replace(anew, text=understood.text, why=(*why, *anew.why))

    def _names(self, devices: DeviceMap) -> Names:
        if self._known is None or self._known[0] is not devices:
            self._known = (devices, Names(names_of(devices)))
        return self._known[1]


@cache
def _verbs() -> Names:
    """What is done to devices, in Chinese: English words for it sound like too much else."""
    return Names(phrase for phrases in phrases_of("verb").values() for phrase in phrases if is_cjk(phrase[0]))


def _is_strange(stretch: str) -> bool:
    """Whether a stretch holds something that is no known word: "bedroom" is not a Bathroom that was heard wrong."""
    return any(token.unknown for token in tokens_of(normalise(stretch), Trie()))


def _sound(understood: Understood) -> list[Intent]:
    """What was understood as it stood."""
    return [intent for intent in understood.intents if intent.problem is None or intent.devices]


def _key(intent: Intent) -> tuple[object, ...]:
    return intent.name, sorted(map(str, intent.slots.items())), intent.devices, intent.writes
