"""Lamps: what on a panel shows a state by its colour.

Order: fields that bear their label → discs, stack lights, badges → symbols of equipment and warning signs → words and
values in colour; on a photo of real lamps, those that shine. What was found first keeps its place. Nothing guesses:
colours of plain buttons, charts and brands are no lamps, and a state that cannot be told is `unsure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.api import Box, Lamp, Popup, Text
from plugins.panel.geometry import height, overlap_x, overlap_y
from plugins.panel.lights.colors import Pixels, color_name, commonest, difference
from plugins.panel.lights.dots import find_dots
from plugins.panel.lights.fields import Field, near
from plugins.panel.lights.frames import find_frames
from plugins.panel.lights.leds import find_leds
from plugins.panel.lights.lit_fields import is_signal, lit_fields
from plugins.panel.lights.marks import Mark, can_label
from plugins.panel.lights.pilots import find_badges, find_pilots, find_stacks
from plugins.panel.lights.regions import Scene, clip, scene_of
from plugins.panel.lights.siblings import find_siblings
from plugins.panel.lights.sights import Sight, sight_of
from plugins.panel.lights.signs import find_signs
from plugins.panel.lights.symbols import find_symbols
from plugins.panel.lights.tags import find_switches, find_tags
from plugins.panel.lights.tinted import tinted_texts
from plugins.panel.lights.words import press_alone

__all__ = ["color_name", "find_lamps"]

_FLAT = 7.0
"""Deviation, in grey levels, of a spot on a screen."""
_CAPTION, _LOW = 40, 2.4
"""A text on a field that differs this much from its surroundings is a caption or a button, and names no symbol;
its field is at most so many text heights high.
"""


def find_lamps(
    pixels: Pixels,
    texts: Sequence[Text],
    *,
    skip: frozenset[int] = frozenset(),
    popups: Sequence[Popup] = (),
    sight: Sight | None = None,
) -> tuple[Lamp, ...]:
    """Lamps on a panel: fields first, in the order of their texts, then round ones, symbols and texts.

    :param pixels: height × width × 3, RGB, at least one pixel.
    :param skip: indices of texts that belong to tables or only name a reading.
    :param popups: windows over the panel; one in a signal colour is an alarm.
    :param sight: of these pixels and texts, where it is at hand.
    """
    sight = sight_of(scene_of(pixels), texts) if sight is None else sight
    scene, seen, fields, discs, marks = sight.scene, sight.texts, sight.fields, sight.discs, sight.marks
    names = [text for i, text in enumerate(seen) if i not in skip and can_label(text)]
    captions = {i for field in fields if _is_caption(field) for i in field.texts}
    plain = [text for i, text in enumerate(seen) if i not in captions and i not in skip and can_label(text)]
    lamps = [lit_fields(fields, seen, skip=skip), find_tags(scene, seen, skip)]
    lamps.append(find_dots(scene, discs, seen, skip))
    if scene.camera:
        lamps += [find_leds(scene, seen), find_pilots(scene, _flat(scene, marks), names)]
        lamps.append(_compared(find_pilots(scene, discs, names)))
        lamps.append(find_symbols([disc for disc in discs if disc.shape == "other"], plain))
    else:
        lamps += [
            find_badges(marks, seen),
            find_stacks(marks, names),
            find_signs(scene, sight.standing, marks, seen, skip),
            find_switches(scene, marks, names),
            find_pilots(scene, marks, names),
            find_symbols(marks, plain),
            find_frames(scene, sight.standing.strong, seen, skip),
            tinted_texts(scene, seen, skip=skip, buttons=_on_buttons(fields, skip)),
        ]
    found = _apart(lamps)
    found += find_siblings(scene, found, {disc.box for disc in discs}, names)
    alarms = [lamp for popup in popups if (lamp := _alarm(pixels, popup)) is not None]
    return tuple(alarms + [replace(lamp, box=scene.whole(lamp.box)) for lamp in found])


def _alarm(pixels: Pixels, popup: Popup) -> Lamp | None:
    left, top, right, bottom = clip(popup.box, pixels)
    color = commonest(pixels[top:bottom:4, left:right:4])
    return Lamp(popup.title, color_name(color), "lit", popup.box) if is_signal(color) else None


def _flat(scene: Scene, marks: Sequence[Mark]) -> list[Mark]:
    """Those without the highlights and shades of a real thing: spots on a screen that a camera took."""
    flat = []
    for mark in marks:
        left, top, right, bottom = mark.box
        by_x, by_y = (right - left) // 4, (bottom - top) // 4
        core = scene.pixels[top + by_y : bottom - by_y, left + by_x : right - by_x].reshape(-1, 3)
        if len(core) and float(core.std(axis=0).max()) <= _FLAT:
            flat.append(mark)
    return flat


def _on_buttons(fields: Sequence[Field], skip: frozenset[int]) -> frozenset[int]:
    """Texts of buttons in a row or column, whose colour is that of their danger."""
    found = set[int]()
    for field in fields:
        beside = (other for other in fields if other is not field and overlap_y(other.box, field.box) > 0)
        row = [other for other in beside if abs(height(other.box) - height(field.box)) <= 2]
        if press_alone(field.label) and skip.isdisjoint(field.texts) and any(near(k.box, field.box) for k in row):
            found.update(field.texts)
    return frozenset(found)


def _compared(lamps: Sequence[Lamp]) -> list[Lamp]:
    """Real things on a photo: plastic is bright too, so lit is one that is brighter than another of its colour."""
    at_rest = {lamp.color for lamp in lamps if lamp.state == "unlit"}
    return [lamp if lamp.state != "lit" or lamp.color in at_rest else replace(lamp, state="unsure") for lamp in lamps]


def _is_caption(field: Field) -> bool:
    low = height(field.box) <= _LOW * height(field.text_box)
    return low and difference(field.color, field.around) > _CAPTION


def _apart(found: Iterable[Sequence[Lamp]]) -> list[Lamp]:
    """Without those that lie on one that was found before."""
    kept: list[Lamp] = []
    for lamps in found:
        taken = [lamp.box for lamp in kept]
        kept += [lamp for lamp in lamps if not any(_meet(lamp.box, box) for box in taken)]
    return kept


def _meet(a: Box, b: Box) -> bool:
    return overlap_x(a, b) > 0 and overlap_y(a, b) > 0
