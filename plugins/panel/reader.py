"""One photo to one perception: text, numbers checked by a second look, layout, lamps.

A reader drops a decimal point or a sign with full confidence, so every number of a reading is checked against its own
ink and against further looks; see `plugins.panel.trust`.
"""

from __future__ import annotations

import time
from dataclasses import replace

from agent.api import Perception, Photo, Text
from agent.settings import PanelSettings
from plugins.panel.lamps import find_lamps
from plugins.panel.layout import Layout, in_reading_order, understand
from plugins.panel.ocr import OcrEngine
from plugins.panel.trust import check_numbers, marked

__all__ = ["PARSER", "read_panel"]

PARSER = "1"
"""Version of what is made of the texts; a cached perception of another version is read again."""


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
        checked = check_numbers(photo.pixels, engine, texts, layout, settings)
        if checked.texts != texts:
            texts, layout = checked.texts, understand(checked.texts, photo.size)
        layout = replace(layout, readings=marked(layout, checked))
    lamps = find_lamps(photo.pixels, texts, skip=layout.in_tables | layout.label_sources)
    took = (time.perf_counter() - started) * 1000
    unread = "" if engine is not None else notes[-1] if notes else "this box has no reader"
    kept = notes if engine is not None else notes[:-1]
    return Perception(texts, layout.readings, lamps, layout.alarms, photo.size, took, photo.digest, kept, unread)
