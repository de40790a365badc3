"""All animals by name."""

from __future__ import annotations

from collections.abc import Mapping

from plugins.painter.drawing.birds import DUCK, FROG, OWL, PENGUIN
from plugins.painter.drawing.figure import Animal
from plugins.painter.drawing.pets import CAT, COW, DOG, MOUSE, PIG, RABBIT, SHEEP
from plugins.painter.drawing.spiky import DINOSAUR, HEDGEHOG
from plugins.painter.drawing.wild import BEAR, ELEPHANT, FOX, KOALA, LION, MONKEY, PANDA, TIGER

__all__ = ["ANIMALS"]

ANIMALS: Mapping[str, Animal] = {
    "cat": CAT, "dog": DOG, "rabbit": RABBIT, "bear": BEAR, "panda": PANDA, "duck": DUCK, "elephant": ELEPHANT,
    "lion": LION, "monkey": MONKEY, "mouse": MOUSE, "pig": PIG, "cow": COW, "sheep": SHEEP, "fox": FOX,
    "tiger": TIGER, "koala": KOALA, "frog": FROG, "penguin": PENGUIN, "owl": OWL, "hedgehog": HEDGEHOG,
    "dinosaur": DINOSAUR,
}  # fmt: skip
