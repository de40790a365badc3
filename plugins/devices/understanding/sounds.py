"""Names that a speech recogniser spelt wrong: 出房灯 for 厨房灯, "kitschen lamb" for Kitchen Lamp.

    heard      every stretch of the text that sounds like a name of the home, and how far it is from it
    certain    the closest one, where no other name is nearly as close; else nothing: a guess moves the wrong device
    mended     the text with that name written right, to be read again

What is read from a mended text is never exact: the person did not write that name, so the path is `names` and the box
asks, or says back what it understood. Only parts that nothing was made of are mended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from plugins.devices.understanding.sounds_en import distance, sound_of
from plugins.devices.understanding.sounds_zh import Syllable, can_read, cost_of, readings_of
from plugins.devices.values import DeviceMap

__all__ = ["Heard", "Mended", "Names", "names_of"]

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z0-9']+")
_MOST = 0.2
"""A stretch further from a name than this, on average over its sounds, is something else."""
_MOST_SHORT = 0.13
"""The same, of Chinese names of two characters: half of all pairs differ by no more than two sounds."""
_MOST_ONE = 0.5
"""One character further off than this is another word."""
_MARGIN = 0.1
"""The next name has to be so much further away."""
_LEAST_SOUNDS = 4
"""Of an English name; shorter ones sound like everything."""
_LEAST_CHARACTERS = 2
_MOST_WORDS = 8
"""Of an English name as it is heard."""
_LEAST_SHARED = 0.6
_BEGIN_ALIKE = dict(zip("bpdtgkvfCSsJlr", "pbtdkgfvSCzCrl", strict=True))


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of a text that sounds like a name."""

    start: int
    end: int
    name: str
    """In the home's spelling."""
    distance: float
    """0 sounds the same."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A text with names written right."""

    text: str
    heard: tuple[Heard, ...]
    """What was put right, in its order; places are those of the text before."""


class Names:
    """The names of one home, made ready to be heard. Make it once for a map: it is the work of milliseconds."""

    def __init__(self, names: Iterable[str]) -> None:
        """:param names: of devices, areas and floors."""
        distinct = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
        self._plain = {_plain(name) for name in distinct}
        self._chinese = tuple(
            (name, tuple(readings_of(c) for c in _spoken(name)))
            for name in distinct
            if can_read() and _HAN.search(name) and len(_spoken(name)) >= _LEAST_CHARACTERS
        )
        self._places: dict[Syllable, list[tuple[int, int]]] = {}
        for number, (_, syllables) in enumerate(self._chinese):
            for at, readings in enumerate(syllables):
                for reading in readings:
                    self._places.setdefault(reading, []).append((number, at))
        self._english: dict[tuple[str, int], list[tuple[str, str, int]]] = {}
        for name in distinct:
            words = _WORD.findall(name)
            if not _HAN.search(name) and len(sounds := _sounds(words)) >= _LEAST_SOUNDS:
                self._english.setdefault((sounds[0], len(sounds)), []).append((name, sounds, len(words)))

    def heard(self, text: str) -> tuple[Heard, ...]:
        """Everything in a text that sounds like a name and is spelt differently, closest first."""
        found = [*self._in_chinese(text), *self._in_english(text)]
        return tuple(sorted(found, key=lambda h: (h.distance, h.start - h.end)))

    def certain(self, text: str) -> Heard | None:
        """The one name that a text sounds like; None where there is none, or another is nearly as close."""
        return _certain(self.heard(text))

    def mended(
        self,
        text: str,
        *,
        most: int = 4,
        farthest: float = 1.0,
        may_be_wrong: Callable[[str], bool] = lambda stretch: True,
    ) -> Mended | None:
        """The text with every certain name written right; None where there is none.

        :param most: names that are put right at most.
        :param farthest: no name that is further off than this.
        :param may_be_wrong: whether a stretch may be a name that was spelt wrong; a word that people say is none.
        """
        found = [
            heard
            for heard in self.heard(text)
            if heard.distance <= farthest and may_be_wrong(text[heard.start : heard.end])
        ]
        done: list[Heard] = []
        while len(done) < most and found:
            best = _certain(found)
            if best is not None:
                done.append(best)
            taken = best or found[0]
            found = [heard for heard in found if not _overlap(heard, taken)]
        for heard in sorted(done, key=lambda h: -h.start):
            text = text[: heard.start] + heard.name + text[heard.end :]
        return Mended(text, tuple(sorted(done, key=lambda h: h.start))) if done else None

    def _in_chinese(self, text: str) -> Iterator[Heard]:
        """Only where at least one character sounds exactly right: with none, all of them together are too far off."""
        places = [(i, c) for i, c in enumerate(text) if c.isalnum()]
        readings = [readings_of(c) for _, c in places] if self._chinese and _HAN.search(text) else []
        tries = {
            (number, here - at)
            for here, read in enumerate(readings)
            for reading in read
            for number, at in self._places.get(reading, ())
        }
        for number, at in sorted(tries):
            name, syllables = self._chinese[number]
            size = len(syllables)
            if not 0 <= at <= len(readings) - size:
                continue
            most = _MOST_SHORT if size <= _LEAST_CHARACTERS else _MOST
            found = _cost(readings[at : at + size], syllables, most * size)
            start, end = places[at][0], places[at + size - 1][0] + 1
            if found is not None and _plain(text[start:end]) not in self._plain:
                yield Heard(start, end, name, found / size)

    def _in_english(self, text: str) -> Iterator[Heard]:
        words = list(_WORD.finditer(text)) if self._english else []
        for at in range(len(words)):
            for taken in range(1, min(_MOST_WORDS, len(words) - at) + 1):
                heard = _sounds([word.group() for word in words[at : at + taken]])
                start, end = words[at].start(), words[at + taken - 1].end()
                for name, sounds, size in self._like(heard):
                    if abs(size - taken) > 1 or _shared(heard, sounds) < _LEAST_SHARED:
                        continue
                    far = distance(heard, sounds)
                    if far <= _MOST and _plain(text[start:end]) not in self._plain:
                        yield Heard(start, end, name, far)

    def _like(self, heard: str) -> Iterator[tuple[str, str, int]]:
        """Names that begin alike and are about as long."""
        for first in _starts(heard):
            for size in range(len(heard) - 2, len(heard) + 3):
                yield from self._english.get((first, size), ())


def names_of(devices: DeviceMap) -> tuple[str, ...]:
    """Every name in a map."""
    named = [d.names for d in devices.devices] + [a.names for a in devices.areas] + [f.names for f in devices.floors]
    return tuple(dict.fromkeys(name for names in named for name in names))


def _certain(found: Sequence[Heard]) -> Heard | None:
    """The first of them, if no other name is nearly as close at the same place."""
    if not found:
        return None
    best = found[0]
    rivals = (h for h in found if h.name != best.name and _overlap(h, best) and not _inside(h, best))
    return None if any(h.distance - best.distance < _MARGIN for h in rivals) else best


def _cost(heard: Sequence[tuple[Syllable, ...]], meant: Sequence[tuple[Syllable, ...]], most: float) -> float | None:
    """Of all characters together; None where it is more than that, or one of them is another word."""
    total = 0.0
    for one, other in zip(heard, meant, strict=True):
        cost = cost_of(one, other)
        total += cost
        if cost > _MOST_ONE or total > most:
            return None
    return total


def _starts(sounds: str) -> set[str]:
    """First sounds that a name may have which is heard like this."""
    return {sounds[:1], _BEGIN_ALIKE.get(sounds[:1], sounds[:1])}


def _shared(one: str, other: str) -> float:
    """The part of all sounds that both have, wherever: quick to tell, and no more than a hint."""
    both = sum(min(one.count(sound), other.count(sound)) for sound in set(one))
    return both / max(len(one), len(other), 1)


def _sounds(words: Sequence[str]) -> str:
    """Of several words, as one: a recogniser cuts them where it likes."""
    return re.sub(r"(.)\1+", r"\1", "".join(sound_of(word) for word in words))


def _spoken(name: str) -> str:
    return "".join(c for c in name if c.isalnum())


def _plain(text: str) -> str:
    return _spoken(text).casefold()


def _overlap(one: Heard, other: Heard) -> bool:
    return one.start < other.end and other.start < one.end


def _inside(one: Heard, other: Heard) -> bool:
    """Whether it is a part of a longer name that was heard."""
    return other.start <= one.start and one.end <= other.end and one.end - one.start < other.end - other.start
