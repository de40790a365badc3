"""A picture: place, animal and what it wears, holds and does, laid over each other from the back to the front.

What an animal can be given takes one of its slots, so that two features never stand in each other's way; only hands
there are two of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from plugins.painter.drawing import held, wear
from plugins.painter.drawing.animals import ANIMALS
from plugins.painter.drawing.coats import COLORS, Coat, coat_of, is_dark
from plugins.painter.drawing.figure import Animal, Part, arm_down, arm_front, arm_raised, eyes, foot
from plugins.painter.drawing.places import PLACES
from plugins.painter.drawing.shapes import CANVAS, clipped, ellipse, group, mirrored, mix, stroke

__all__ = ["SLOTS", "TINTED", "Chosen", "draw", "draw_alone", "draw_place"]

SLOTS: Mapping[str, str] = {
    **dict.fromkeys(COLORS, "coat"),
    "stripes": "pattern", "spots": "pattern", "hearts": "pattern", "big_ears": "ears",
    "sleeping": "mood", "happy": "mood",
    "hat": "head", "crown": "head", "bow": "side", "flower": "side", "glasses": "face", "scarf": "neck",
    "sweater": "body", "skirt": "body", "cape": "back", "wings": "back", "boots": "feet",
    "balloon": "hand", "umbrella": "hand", "icecream": "hand", "lollipop": "hand", "wand": "hand",
    "ball": "front", "book": "front", "gift": "front",
}  # fmt: skip
"""Feature → what of the animal it takes."""
_OWN_COLORS: Mapping[str, tuple[str, str]] = {
    "hat": ("#e58a80", "#8fbce6"), "crown": ("#f5d77c", "#f3c06a"), "bow": ("#ef9fb4", "#e58a80"),
    "flower": ("#f4b3c6", "#fbf7f0"), "glasses": ("#7d6a86", "#5b7fa8"), "scarf": ("#8fbce6", "#e58a80"),
    "sweater": ("#e58a80", "#8fbce6"), "skirt": ("#f4b3c6", "#bba3dd"), "cape": ("#e58a80", "#8fbce6"),
    "wings": ("#fdf7ea", "#cfe4f5"), "boots": ("#f5d77c", "#8fbce6"), "balloon": ("#e58a80", "#8fbce6"),
    "umbrella": ("#8fbce6", "#f4b3c6"), "icecream": ("#f4b3c6", "#f7e6a8"), "lollipop": ("#ef9fb4", "#9ecb94"),
    "wand": ("#f5d77c", "#f4b3c6"), "ball": ("#e58a80", "#8fbce6"), "book": ("#8fbce6", "#e58a80"),
    "gift": ("#bba3dd", "#f0b077"),
}  # fmt: skip
"""What a thing is coloured where nobody says: the first, or the second on an animal that has much the same."""
TINTED = frozenset({*_OWN_COLORS, "stripes", "spots", "hearts"})
"""Features that may have a colour of their own."""
_HELD: Mapping[str, Callable[[str], str]] = {
    "balloon": held.balloon, "umbrella": held.umbrella, "icecream": held.icecream, "lollipop": held.lollipop,
    "wand": held.wand,
}  # fmt: skip
_FRONT: Mapping[str, Callable[[str], str]] = {"ball": held.ball, "book": held.book, "gift": held.gift}
_PATTERNS: Mapping[str, Callable[[str], str]] = {
    "stripes": wear.stripes,
    "spots": wear.spots,
    "hearts": wear.hearts,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """One feature of an animal."""

    name: str
    """A key of `SLOTS`."""
    tint: str | None = None
    """A colour of its own, of `COLORS`; only for `TINTED`."""


class _Dressed:
    """An animal with its features, ready to be laid out."""

    def __init__(self, name: str, features: Sequence[Chosen]) -> None:
        self.animal: Animal = ANIMALS[name]
        names = [one.name for one in features]
        self.coat: Coat = coat_of(self.animal.coat, next((n for n in names if n in COLORS), None))
        self.names = frozenset(names)
        self.hands = [one for one in features if SLOTS[one.name] == "hand"]
        self.colors = {one.name: self._color(one) for one in features if one.tint or one.name in _OWN_COLORS}
        self.mood = next((n for n in names if SLOTS[n] == "mood"), "awake")

    def _color(self, one: Chosen) -> str:
        if one.tint is not None:
            return COLORS[one.tint]
        first, second = _OWN_COLORS[one.name]
        return second if _near(first, self.coat.main) else first

    def worn(self, name: str, draw_it: Callable[[Animal, str], str]) -> str:
        """A thing, where the animal has it."""
        return draw_it(self.animal, self.colors[name]) if name in self.names else ""

    def pattern(self, within: Part, name: str) -> str:
        """The pattern of the fur inside one part."""
        found = next((one for one in self.names if one in _PATTERNS), None)
        if found is None:
            return ""
        plain = self.coat.light if is_dark(self.coat.main) else self.coat.dark
        color = self.colors.get(found) or (mix(self.coat.main, "#e0687c", 0.62) if found == "hearts" else plain)
        return clipped(_PATTERNS[found](color), within(self.coat), name)


def draw(animal: str, features: Sequence[Chosen], place: str) -> str:
    """The picture as SVG, 1000 × 1000.

    :param animal: a key of `ANIMALS`.
    :param features: no two of one slot, but for hands.
    :param place: a key of `PLACES`.
    :raises KeyError: one of them is unknown.
    """
    scene, dressed = PLACES[place], _Dressed(animal, features)
    figure = _figure(dressed)
    glow = f'<circle cx="500" cy="540" r="440" fill="url(#glow)" opacity="{scene.glow:g}"/>'
    shadow = ellipse(500, 876, 190, 26, scene.shadow, line="", opacity=0.32)
    moved = group(figure, "translate(500 880) scale(0.94) translate(-500 -880)")
    return _page(scene.draw() + glow + shadow + moved + scene.front())


def draw_alone(animal: str, features: Sequence[Chosen]) -> str:
    """An animal on a plain card."""
    return _page(_figure(_Dressed(animal, features)))


def draw_place(place: str) -> str:
    """A place without anybody."""
    return _page(PLACES[place].draw() + PLACES[place].front())


def _page(content: str) -> str:
    glow = (
        '<radialGradient id="glow"><stop offset="0" stop-color="#fffdf6" stop-opacity="0.95"/>'
        '<stop offset="0.6" stop-color="#fffdf6" stop-opacity="0.5"/>'
        '<stop offset="1" stop-color="#fffdf6" stop-opacity="0"/></radialGradient>'
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {CANVAS} {CANVAS}"><defs>{glow}</defs>{content}</svg>'


def _figure(one: _Dressed) -> str:
    return _behind(one) + _trunk(one) + _head(one) + _before(one)


def _behind(one: _Dressed) -> str:
    canopies = [held.umbrella_canopy(one.colors["umbrella"])] if "umbrella" in one.names else []
    if canopies and one.hands[0].name != "umbrella":
        canopies = [mirrored(canopies[0])]
    return (
        "".join(canopies) + one.worn("cape", wear.cape) + one.worn("wings", wear.wings) + one.animal.tail(one.coat)
        + one.animal.mane(one.coat)
    )  # fmt: skip


def _trunk(one: _Dressed) -> str:
    animal, coat = one.animal, one.coat
    feet = foot(432, animal.foot_color(coat)) + foot(568, animal.foot_color(coat))
    body = animal.body(coat) + animal.belly(coat) + one.pattern(animal.body, "body")
    body += one.worn("sweater", wear.sweater) + one.worn("skirt", wear.skirt)
    return (
        body
        + feet
        + one.worn("boots", wear.boots)
        + _resting_arms(one)
        + one.worn("cape", wear.cape_knot)
        + one.worn("scarf", wear.scarf)
    )


def _resting_arms(one: _Dressed) -> str:
    """Those that hold nothing lie under the head, and under a scarf."""
    if any(name in _FRONT for name in one.names):
        return ""
    left = "" if len(one.hands) > 1 else _arm(one)
    right = "" if one.hands else mirrored(_arm(one))
    return left + right


def _arm(one: _Dressed) -> str:
    color = one.animal.limb_color(one.coat)
    return wear.sleeve(one.colors["sweater"], one.coat, color) if "sweater" in one.names else arm_down(color)


def _head(one: _Dressed) -> str:
    animal, coat = one.animal, one.coat
    ears = animal.ears(coat, 1.5 if "big_ears" in one.names else 1.0)
    head = animal.head(coat) + one.pattern(animal.head, "head") + animal.marks(coat)
    laid = head + ears if animal.ears_over else ears + head
    on_top = (
        one.worn("hat", wear.hat)
        + one.worn("crown", wear.crown)
        + one.worn("bow", wear.bow)
        + one.worn("flower", wear.flower)
    )
    return (
        laid + animal.crest(coat) + animal.face(coat) + eyes(animal, coat, one.mood) + one.worn("glasses", wear.glasses)
        + on_top
    )  # fmt: skip


def _before(one: _Dressed) -> str:
    color = one.animal.limb_color(one.coat)
    arm = one.colors.get("sweater", color)
    front = next((name for name in sorted(one.names) if name in _FRONT), None)
    drawn = ""
    if front is not None:
        drawn += _FRONT[front](one.colors[front]) + arm_front(arm)
        drawn += "" if one.hands else mirrored(arm_front(arm))
    for n, thing in enumerate(one.hands):
        lifted = arm_raised(arm)
        whole = _HELD[thing.name](one.colors[thing.name]) + lifted
        drawn += whole if n == 0 else mirrored(whole)
    return drawn + _mood_signs(one)


def _mood_signs(one: _Dressed) -> str:
    if one.mood == "sleeping":
        z, letters = "M-26,-28H26L-26,28H26", ((238, 176, 1.0), (182, 112, 0.78), (142, 62, 0.58))
        return "".join(
            group(stroke(z, "#fffdf8", width=30) + stroke(z, "#8c86b8", width=15), f"translate({x} {y}) scale({k})")
            for x, y, k in letters
        )
    if one.mood == "happy":
        return wear.heart_at(214, 190, 0.8, "#f09aa8", line=None) + wear.heart_at(164, 116, 0.5, "#f4b3c6", line=None)
    return ""


def _near(first: str, second: str) -> bool:
    """Whether two colours are hard to tell apart."""
    return sum(abs(int(first[n : n + 2], 16) - int(second[n : n + 2], 16)) for n in (1, 3, 5)) < 70
