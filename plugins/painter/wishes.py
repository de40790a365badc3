"""What a child wishes for: one animal, one or two features, one place; how it is said back, and what is said where
something is missing.

A hint never repeats what was typed, and never says that it was bad: whatever is not on the cards is simply not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.api import InputError, Said, say
from plugins.painter.drawing.compose import SLOTS, TINTED, Chosen
from plugins.painter.lexicon import Lexicon, load_lexicon

__all__ = ["HINTS", "MOST_FEATURES", "NotYet", "Wish", "caption", "wish_of"]

MOST_FEATURES = 2
HINTS: Mapping[str, Said] = {
    "short": say(
        "再多说一点点:一只小动物、它的样子、它在哪里。",
        "Tell me a little more: an animal, what it has, and where it is.",
    ),
    "long": say("太长啦,说短一点点就好。", "That is very long. A few words are enough."),
    "words": say(
        "有的词我还不会画呢,点下面的卡片选一选吧!", "I cannot paint some of these words yet. Let's pick from the cards!"
    ),
    "animal": say("想画哪一只小动物呢?", "Which animal shall I paint?"),
    "animals": say("一次画一只小动物哦。", "One animal at a time, please."),
    "feature": say("它是什么样子的?选一样或两样吧。", "What does it have? Pick one or two things."),
    "features": say("一次最多选两样哦。", "Two things at most, please."),
    "place": say("它在哪里玩呢?", "Where is it?"),
    "places": say("一次去一个地方哦。", "One place at a time, please."),
    "together": say("这两样放不到一起,换一样试试吧!", "These two do not fit together. Try another one!"),
}
"""Kind → what a child is told."""


class NotYet(InputError):
    """A wish that is not complete, or holds words that are not drawn."""

    def __init__(self, kind: str, language: str = "en") -> None:
        super().__init__(HINTS[kind]["zh" if language == "zh" else "en"])
        self.kind = kind
        """A key of `HINTS`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A picture that can be drawn. Made by `wish_of`."""

    animal: str
    features: tuple[Chosen, ...]
    """In the order of the cards, so that one wish has one form however it was said."""
    place: str

    @property
    def key(self) -> str:
        """The same for all ways to say it."""
        told = [one.name + (f":{one.tint}" if one.tint else "") for one in self.features]
        return "|".join((self.animal, *told, self.place))


def wish_of(animals: Sequence[str], features: Sequence[Chosen], places: Sequence[str], *, language: str = "en") -> Wish:
    """One wish of what was chosen.

    :raises NotYet: something is missing, too much, unknown, or in the way of something else.
    """
    lexicon = load_lexicon()
    wanted = tuple(sorted(set(features), key=lambda one: list(SLOTS).index(one.name) if one.name in SLOTS else -1))
    known = all(one.name in SLOTS and (not one.tint or _may_tint(one)) for one in wanted)
    if not (known and set(animals) <= set(lexicon.animals) and set(places) <= set(lexicon.places)):
        raise NotYet("words", language)
    for kind, many, found, most in (
        ("animal", "animals", set(animals), 1),
        ("feature", "features", set(wanted), MOST_FEATURES),
        ("place", "places", set(places), 1),
    ):
        if not 1 <= len(found) <= most:
            raise NotYet(many if found else kind, language)
    if _in_the_way(wanted):
        raise NotYet("together", language)
    return Wish(animals[0], wanted, places[0])


def caption(wish: Wish) -> Said:
    """The wish in a sentence of each language, in our own words."""
    lexicon = load_lexicon()
    return say(_in_chinese(wish, lexicon), _in_english(wish, lexicon))


def _may_tint(one: Chosen) -> bool:
    return one.name in TINTED and one.tint in load_lexicon().colors


def _in_the_way(features: Sequence[Chosen]) -> bool:
    """Two of one slot; but there are two hands, for two different things."""
    slots = [SLOTS[one.name] for one in features]
    names = [one.name for one in features]
    return len(set(names)) < len(names) or any(slots.count(slot) > 1 for slot in slots if slot != "hand")


def _in_chinese(wish: Wish, lexicon: Lexicon) -> str:
    told = []
    for one in wish.features:
        tint = lexicon.colors[one.tint].zh[0] if one.tint else ""
        color = lexicon.colors.get(one.name)
        told.append(color.zh[0] if color else lexicon.features[one.name].zh_said.format(tint))
    return f"{'、'.join(told)}的{lexicon.animals[wish.animal].zh[0]},在{lexicon.places[wish.place].zh[0]}"


def _in_english(wish: Wish, lexicon: Lexicon) -> str:
    name = lexicon.animals[wish.animal].en[0]
    before, behind, apart = list[str](), list[str](), ""
    for one in wish.features:
        tint = f"{one.tint} " if one.tint else ""
        if f"{one.name} {name}" in lexicon.phrases:  # a red panda is another animal
            apart = f", {one.name},"
        elif one.name in lexicon.colors:
            before.append(one.name)
        elif lexicon.features[one.name].before:
            before.append(lexicon.features[one.name].en_said)
        else:
            behind.append(_with_article(lexicon.features[one.name].en_said.format(tint)))
    animal = _with_article(" ".join(["a", *before, name]))
    having = f" with {' and '.join(behind)}" if behind else ""
    told = f"{animal}{apart}{having} {lexicon.places[wish.place].en[0]}"
    return told[0].upper() + told[1:]


def _with_article(text: str) -> str:
    return f"an {text[2:]}" if text.startswith("a ") and text[2] in "aeiou" else text
