"""One photo to one perception: text, numbers checked by a second look, layout, lamps.

A reader drops a decimal point or a sign with full confidence, so every number of a reading is read again at another
scale.
Where the looks differ, a third one decides which is shown, and the reading is flagged.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace

from agent.api import Perception, Photo, Reading, Text
from agent.settings import PanelSettings
from plugins.panel.grammar import plain
from plugins.panel.lamps import find_lamps
from plugins.panel.layout import Layout, in_reading_order, understand
from plugins.panel.ocr import OcrEngine

__all__ = ["PARSER", "read_panel"]

PARSER = "1"
"""Version of what is made of the texts; a cached perception of another version is read again."""
_DOUBT = 0.5
"""The score of a reading that two looks disagree on is at most this."""


def read_panel(photo: Photo, engine: OcrEngine | None, settings: PanelSettings, notes: tuple[str, ...]) -> Perception:
    """Read a panel.

    :param engine: None where this box has no OCR weights; the perception is then empty but for its notes.
    """
    started = time.perf_counter()
    texts: tuple[Text, ...] = ()
    layout = Layout((), (), (), frozenset())
    if engine is not None:
        texts = in_reading_order(engine.read(photo.pixels))
        layout = understand(texts, photo.size)
        texts, doubted = _checked(photo, engine, texts, layout, settings)
        layout = understand(texts, photo.size)
        layout = replace(layout, readings=_marked(layout, doubted))
    lamps = find_lamps(photo.pixels, texts, skip=layout.in_tables | layout.label_sources)
    took = (time.perf_counter() - started) * 1000
    return Perception(texts, layout.readings, lamps, layout.alarms, photo.size, took, photo.digest, notes)


def _checked(
    photo: Photo, engine: OcrEngine, texts: tuple[Text, ...], layout: Layout, settings: PanelSettings
) -> tuple[tuple[Text, ...], frozenset[int]]:
    """Texts as the majority of looks reads them, and the indices of those whose digits were in doubt."""
    checked, doubted = list(texts), set()
    numbered = [i for i in sorted(set(layout.sources)) if _figures(texts[i].text)]
    second = engine.read_boxes(photo.pixels, [texts[i].box for i in numbered], margin=settings.check_margin)
    differing = [
        (i, look) for i, look in zip(numbered, second, strict=True) if _figures(look.text) != _figures(texts[i].text)
    ]
    third = engine.read_boxes(photo.pixels, [texts[i].box for i, _ in differing], margin=settings.check_margin / 3)
    for (index, look), last in zip(differing, third, strict=True):
        doubted.add(index)
        if look.text and _figures(last.text) == _figures(look.text):
            checked[index] = last
    return tuple(checked), frozenset(doubted)


def _figures(text: str) -> str:
    """Everything in a text that makes up its numbers: digits, signs and points, in order."""
    line = plain(text)
    found = re.findall(r"[+\-]?\s*\d[\d.,\s]*|[+\-]?[.,]\d+", line)
    return " ".join(re.sub(r"\s+", "", part).rstrip(".,") for part in found)


def _marked(layout: Layout, doubted: frozenset[int]) -> tuple[Reading, ...]:
    readings: Sequence[Reading] = layout.readings
    return tuple(
        replace(r, flags=(*r.flags, "disagrees"), score=min(r.score, _DOUBT)) if source in doubted and r.value else r
        for r, source in zip(readings, layout.sources, strict=True)
    )
