"""One photo to one perception: text, numbers checked by a second look, layout, lamps.

A reader drops a decimal point or a sign with full confidence, so every number of a reading is read again at another
scale, and by another model where there is one. Where the looks differ, a third one decides which is shown, and the
reading is flagged.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from agent.api import Perception, Photo, Reading, Text
from agent.settings import PanelSettings
from plugins.panel.grammar import is_state, numbers_in, tokens_of
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
        checked, doubted = _checked(photo, engine, texts, layout, settings)
        if checked != texts:
            texts, layout = checked, understand(checked, photo.size)
        layout = replace(layout, readings=_marked(layout, doubted))
    lamps = find_lamps(photo.pixels, texts, skip=layout.in_tables | layout.label_sources)
    took = (time.perf_counter() - started) * 1000
    unread = "" if engine is not None else notes[-1] if notes else "this box has no reader"
    kept = notes if engine is not None else notes[:-1]
    return Perception(texts, layout.readings, lamps, layout.alarms, photo.size, took, photo.digest, kept, unread)


def _checked(
    photo: Photo, engine: OcrEngine, texts: tuple[Text, ...], layout: Layout, settings: PanelSettings
) -> tuple[tuple[Text, ...], frozenset[int]]:
    """Texts as the majority of looks reads them, and the indices of those whose digits were in doubt."""
    checked, doubted = list(texts), set()
    numbered = [i for i in sorted(set(layout.sources)) if _values(texts[i])]
    second = engine.read_boxes(photo.pixels, [texts[i].box for i in numbered], margin=settings.check_margin, other=True)
    differing = [(i, look) for i, look in zip(numbered, second, strict=True) if not _confirms(look, texts[i])]
    third = engine.read_boxes(photo.pixels, [texts[i].box for i, _ in differing], margin=settings.check_margin / 3)
    for (index, look), last in zip(differing, third, strict=True):
        doubted.add(index)
        if _values(last) and _confirms(look, last) and not _confirms(texts[index], last):
            checked[index] = last
    return tuple(checked), frozenset(doubted)


def _values(text: Text) -> list[str]:
    """The numbers in a text that are values, with sign and point; digits that belong to names do not count."""
    return [token.text for token in tokens_of(text, 0) if token.kind == "value" and not is_state(token.text)]


def _confirms(look: Text, read: Text) -> bool:
    """Another look shows the same values, whatever it makes of the words and units around them."""
    shown = numbers_in(look.text)
    return all(value in shown for value in _values(read))


def _marked(layout: Layout, doubted: frozenset[int]) -> tuple[Reading, ...]:
    readings: Sequence[Reading] = layout.readings
    return tuple(
        replace(r, flags=(*r.flags, "disagrees"), score=min(r.score, _DOUBT)) if source in doubted and r.value else r
        for r, source in zip(readings, layout.sources, strict=True)
    )
