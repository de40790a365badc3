"""The cards of the page: what can be chosen, in both languages, each with a small drawing of it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from plugins.painter.drawing.animals import ANIMALS
from plugins.painter.drawing.coats import COLORS
from plugins.painter.drawing.compose import SLOTS, TINTED, Chosen, draw_alone, draw_place
from plugins.painter.drawing.shapes import blob, stroke
from plugins.painter.lexicon import Names, load_lexicon

__all__ = ["cards"]

_SHOWN_ON = "cat"
_VIEWS = {
    "head": "255 60 490 490", "side": "255 130 430 430", "face": "280 210 440 440", "neck": "270 400 460 460",
    "body": "250 470 500 500", "back": "90 330 820 620", "feet": "290 640 420 260", "hand": "430 20 600 720",
    "front": "280 560 440 320", "ears": "150 60 700 700", "mood": "90 20 700 640", "pattern": "230 130 540 780",
}  # fmt: skip
"""Slot → what of the animal its card shows."""


@cache
def cards() -> dict[str, Any]:
    """Everything that can be chosen, in order, ready for JSON."""
    lexicon = load_lexicon()
    return {
        "animals": [_card(n, lexicon.animals[n], _fitted(draw_alone(n, ()), "40 40 920 900")) for n in ANIMALS],
        "features": [
            {**_card(n, lexicon.features[n], _feature(n)), "slot": slot, "tinted": n in TINTED}
            for n, slot in SLOTS.items() if slot != "coat"
        ],
        "colors": [{**_card(n, lexicon.colors[n], _paint(COLORS[n])), "slot": "coat"} for n in COLORS],
        "places": [_card(n, names, draw_place(n)) for n, names in lexicon.places.items()],
    }  # fmt: skip


def _card(name: str, names: Names, svg: str) -> dict[str, Any]:
    plain = {"zh": names.zh[0], "en": re.sub(r"^(at the|in the|on the|under the|at) ", "", names.en[0])}
    return {"name": name, **plain, "svg": svg}


def _feature(name: str) -> str:
    return _fitted(draw_alone(_SHOWN_ON, (Chosen(name),)), _VIEWS[SLOTS[name]])


def _fitted(svg: str, view: str) -> str:
    return svg.replace('viewBox="0 0 1000 1000"', f'viewBox="{view}"', 1)


def _paint(color: str) -> str:
    rim = [(500, 130), (640, 180), (800, 160), (850, 330), (800, 470), (880, 620), (760, 780), (600, 760), (470, 870),
           (310, 790), (170, 760), (180, 580), (120, 430), (210, 290), (360, 240)]  # fmt: skip
    shine = stroke("M300,400Q340,310 430,300", "#ffffff", width=34, opacity=0.7)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000">{blob(rim, color)}{shine}</svg>'
