"""One photo to one perception.

    upright        quality measured, turned and straightened where that helps; its texts
    instruments    displays, dials, bars: what is read by its shape, and the texts that belong to it
    layout         label, value and unit of what is printed; alarm rows
    trust          every number against its own ink and further looks; its score says how often such a number is right
    lamps          colours that state something; buttons, windows over the panel

Nothing guesses: what cannot be told carries a flag, has no value, or is left out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Perception, Photo, Reading, Text
from agent.settings import PanelSettings
from plugins.panel.bars.bars import find_bars
from plugins.panel.displays import find_displays
from plugins.panel.displays.tiles import find_tiles
from plugins.panel.gauges import find_gauges
from plugins.panel.instruments import Instrument
from plugins.panel.layouts.areas import find_areas
from plugins.panel.layouts.field_looks import look_in_fields
from plugins.panel.layouts.label_repairs import repaired_label
from plugins.panel.layouts.layout import Layout, in_reading_order, understand
from plugins.panel.layouts.unit_looks import read_units
from plugins.panel.layouts.unit_places import with_told_units, with_unit_doubts
from plugins.panel.lights.buttons import find_buttons
from plugins.panel.lights.lamps import find_lamps
from plugins.panel.lights.popups import find_popups
from plugins.panel.lights.regions import Scene, scene_of
from plugins.panel.lights.sights import sight_of
from plugins.panel.numbers.trust import check_numbers, marked
from plugins.panel.photos.quality import measure_quality
from plugins.panel.photos.upright import Upright, upright
from plugins.panel.tables.cell_looks import look_at_cells
from plugins.panel.tables.row_marks import find_row_marks
from plugins.panel.tables.tables import find_tables
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["PARSER", "read_panel"]

Pixels = NDArray[np.uint8]
PARSER = "3"
"""Version of what is made of the texts; a cached perception of another version is read again."""


def read_panel(photo: Photo, engine: OcrEngine | None, settings: PanelSettings, notes: tuple[str, ...]) -> Perception:
    """Read a panel.

    :param engine: None where this box has no OCR weights; then only what has no text is found.
    """
    started = time.perf_counter()
    if engine is None:
        return _without_reader(photo, notes, started)
    found = upright(photo.pixels, engine, settings)
    texts = in_reading_order(found.texts)
    scene = scene_of(found.pixels)
    instruments = _instruments(found.pixels, texts, engine, scene)
    texts = (*texts, *look_in_fields(found.view, engine, scene, texts, settings))
    texts, layout = _printed(found, texts, instruments, engine, settings)
    own = layout.in_tables | frozenset(index for item in instruments for index in item.sources)
    sight = sight_of(scene, texts)
    popups = find_popups(found.pixels, texts, scene=scene)
    lamps = find_lamps(found.pixels, texts, skip=own | layout.label_sources, popups=popups, sight=sight)
    readings = sorted((*layout.readings, *(item.reading for item in instruments)), key=_place)
    size = found.pixels.shape[1], found.pixels.shape[0]
    return Perception(
        in_reading_order(texts),
        tuple(readings),
        lamps,
        tuple(find_row_marks(found.pixels, layout.alarms)),
        size,
        (time.perf_counter() - started) * 1000,
        photo.digest,
        notes,
        buttons=find_buttons(found.pixels, texts, skip=own, named=layout.label_sources, sight=sight),
        popups=popups,
        quality=found.quality,
        turned=found.turned,
        matrix=None if found.matrix is None else tuple(float(number) for number in found.matrix.ravel()),
    )


def _without_reader(photo: Photo, notes: tuple[str, ...], started: float) -> Perception:
    lamps = find_lamps(photo.pixels, ())
    took = (time.perf_counter() - started) * 1000
    unread = notes[-1] if notes else "this box has no reader"
    quality = measure_quality(photo.pixels)
    return Perception((), (), lamps, (), photo.size, took, photo.digest, notes[:-1], unread, quality=quality)


def _instruments(pixels: Pixels, texts: Sequence[Text], engine: OcrEngine, scene: Scene) -> tuple[Instrument, ...]:
    """What is read by its shape. A place is one instrument only: the first kind that finds something there."""
    found: list[Instrument] = []
    taken: frozenset[int] = frozenset()
    in_tables = frozenset(index for table in find_tables(texts) for index in table.sources)
    for items in (
        find_tiles(scene, texts, engine),
        find_displays(pixels, texts, engine),
        find_gauges(pixels, texts, engine),
        find_bars(pixels, texts, skip=in_tables, scene=scene),
    ):
        new = [item for item in items if not item.sources & taken]
        found += new
        taken |= frozenset(index for item in new for index in item.sources)
    return tuple(found)


def _printed(
    found: Upright,
    texts: tuple[Text, ...],
    instruments: Sequence[Instrument],
    engine: OcrEngine,
    settings: PanelSettings,
) -> tuple[tuple[Text, ...], Layout]:
    """What is printed, its numbers checked; texts as the majority of looks reads them."""
    size = found.pixels.shape[1], found.pixels.shape[0]
    areas = find_areas(found.pixels, texts)
    taken = frozenset(index for item in instruments for index in item.sources)
    layout = understand(texts, size, areas=areas, taken=taken)
    seen = look_at_cells(found.view, engine, texts, layout, settings)
    if seen != texts:
        texts, layout = seen, understand(seen, size, areas=areas, taken=taken)
    checked = check_numbers(found.view, engine, texts, layout, settings)
    if checked.texts != texts:
        texts, layout = checked.texts, understand(checked.texts, size, areas=areas, taken=taken)
    readings = marked(layout, checked)
    readings = read_units(found.view, engine, texts, readings, layout.sources, settings)
    told = with_told_units(readings, texts, layout.alarms)
    named = [replace(reading, label=repaired_label(reading.label, reading.unit)) for reading in with_unit_doubts(told)]
    return texts, replace(layout, readings=tuple(named))


def _place(reading: Reading) -> tuple[int, int]:
    """From the top, then from the left, in steps of a line."""
    return reading.box[1] // 16, reading.box[0]
