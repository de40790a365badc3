"""What all animals have in common: they stand upright, look at us, and hold out their arms in the same way.

An animal is a set of parts over one frame, so that whatever is worn or held fits every one of them:

    head   about (500, 395), 380 wide, 320 high
    body   from (500, 520) down to 852; feet at (432, 842) and (568, 842)
    arms   from the shoulders (396, 616) and (604, 616)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plugins.painter.drawing.coats import INK, PALE_INK, Coat, is_dark
from plugins.painter.drawing.shapes import blob, dot, ellipse, limb, mix, path, stroke

__all__ = [
    "BODY", "LEFT_HAND", "RAISED_HAND", "Animal", "Mood", "Part", "arm_down", "arm_front", "arm_raised",
    "cheeks", "eyes", "foot", "nothing", "plain_body", "round_head", "smile",
]  # fmt: skip

Part = Callable[[Coat], str]
"""Draws a part in a coat."""
Mood = str
"""awake | sleeping | happy"""
BODY = "M500,520C606,520 646,622 654,712C664,806 600,852 500,852C400,852 336,806 346,712C354,622 394,520 500,520Z"
LEFT_HAND = (358, 740)
RAISED_HAND = (768, 590)
"""Of the arm on our right, when it holds something."""


def nothing(coat: Coat) -> str:
    """No such part."""
    return ""


@dataclass(frozen=True, slots=True)
class Animal:
    """One animal: its parts from the back to the front."""

    coat: Coat
    head: Part
    """One shape."""
    ears: Callable[[Coat, float], str]
    """Ears of a size; 1 is its own."""
    face: Part
    """Muzzle, nose, mouth."""
    body: Part
    """One shape."""
    belly: Part = nothing
    tail: Part = nothing
    mane: Part = nothing
    """Behind head and ears."""
    marks: Part = nothing
    """On the head, under the face."""
    crest: Part = nothing
    """On top of the head, over it."""
    ears_over: bool = False
    """Ears hang over the head."""
    eye_dx: float = 78
    eye_y: float = 405
    eye_r: float = 23
    eyes_on: str = "main"
    """Which colour of the coat lies around the eyes; `pale` is none of them, and always light."""
    eyes_above: bool = False
    """Eyes stand on top of the head, so bow and flower go between them."""
    top: float = 242
    """Where the head ends above: hats sit there."""
    limbs: str = "main"
    """Which colour of the coat arms and feet have."""
    feet: str = ""
    """The same for feet alone."""

    def limb_color(self, coat: Coat) -> str:
        """Of arms."""
        return str(getattr(coat, self.limbs))

    def foot_color(self, coat: Coat) -> str:
        """Of feet."""
        return str(getattr(coat, self.feet or self.limbs))


def round_head(coat: Coat) -> str:
    """The head that most animals have: wide, with full cheeks."""
    points = [(500, 236), (610, 262), (680, 345), (690, 432), (640, 515), (500, 552)]
    left = [(1000 - x, y) for x, y in reversed(points[1:5])]
    return blob([*points, *left], coat.main)


def plain_body(coat: Coat) -> str:
    """The body that most animals have."""
    return path(BODY, coat.main)


def belly_of(color: str) -> str:
    """A lighter patch on the body."""
    return ellipse(500, 716, 100, 116, color, line="")


def light_belly(coat: Coat) -> str:
    """A belly in the light colour of the coat."""
    return belly_of(coat.light)


def foot(x: float, color: str) -> str:
    """A foot about its middle."""
    return ellipse(x, 842, 66, 38, color)


def arm_down(color: str) -> str:
    """The arm on our left, hanging."""
    return limb("M396,616C356,648 340,695 358,740", color, 50)


def arm_raised(color: str) -> str:
    """The arm on our right, lifted to hold something."""
    return limb("M604,624C650,652 724,644 768,590", color, 48)


def arm_front(color: str) -> str:
    """The arm on our left, reaching before the belly."""
    return limb("M396,616C350,652 356,716 424,734", color, 50)


def cheeks(coat: Coat, y: float = 460, dx: float = 128) -> str:
    """Two rosy cheeks."""
    pink = mix(coat.main, "#f0898f", 0.55)
    return "".join(ellipse(500 + side * dx, y, 30, 20, pink, line="", opacity=0.7) for side in (-1, 1))


def smile(x: float = 500, y: float = 470, *, wide: float = 34, color: str = INK) -> str:
    """A mouth under a nose: two small bows."""
    low = y + wide * 0.62
    return stroke(
        f"M{x - wide},{y}C{x - wide + 4},{low} {x - 4},{low} {x},{y}C{x + 4},{low} {x + wide - 4},{low} {x + wide},{y}",
        color,
        width=7,
    )


def eyes(animal: Animal, coat: Coat, mood: Mood) -> str:
    """Both eyes in a mood."""
    return "".join(_eye(500 + side * animal.eye_dx, animal, coat, mood, side) for side in (-1, 1))


def _eye(x: float, animal: Animal, coat: Coat, mood: Mood, side: int) -> str:
    y, r = animal.eye_y, animal.eye_r
    dark = animal.eyes_on != "pale" and is_dark(str(getattr(coat, animal.eyes_on)))
    ink = PALE_INK if dark and mood != "awake" else INK
    if mood == "sleeping":
        lashes = "".join(
            stroke(f"M{x + k * r * 0.75:g},{y + 12 - abs(k) * 4:g}l{k * 6},{10 - abs(k) * 3}", ink, width=5)
            for k in (-1, 0, 1)
        )
        return stroke(f"M{x - r - 6:g},{y}Q{x:g},{y + 26:g} {x + r + 6:g},{y}", ink, width=8) + lashes
    if mood == "happy":
        return stroke(f"M{x - r - 5:g},{y + 10:g}Q{x:g},{y - 30:g} {x + r + 5:g},{y + 10:g}", ink, width=9)
    ring = dot(x, y, r + 9, "#fffdf8") if dark else ""
    return (
        ring
        + ellipse(x, y, r, r * 1.16, INK, line="")
        + dot(x + 7, y - 9, r * 0.38, "#ffffff")
        + dot(x - 6, y + 9, r * 0.2, "#ffffff", 0.9)
    )
