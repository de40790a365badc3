"""States by colour beyond plain fields: lamps drawn in space, dots, tags, switches, frames, signs, lamps at rest."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.perception import Lamp, Text
from plugins.panel.lights.lamps import find_lamps

DARK, LIGHT, WHITE = (24, 26, 34), (198, 198, 198), (255, 255, 255)
GREEN, RED, AMBER, BLUE = (20, 200, 60), (225, 35, 35), (255, 165, 10), (40, 120, 240)
Color = tuple[int, int, int]


def blank(ground: Color, *, wide: int = 700, high: int = 400) -> np.ndarray:
    return np.full((high, wide, 3), ground, np.uint8)


def name(label: str, middle: int, top: int, *, tall: int = 16) -> Text:
    half = len(label) * tall // 4
    return Text(label, (middle - half, top, middle + half, top + tall), 1.0)


def ball(pixels: np.ndarray, at: tuple[int, int], radius: int, color: Color, *, glow: float = 0.0) -> None:
    """A lamp with a rim, a highlight, a shaded edge, and a glow that fades into its ground."""
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    far = np.hypot(columns - at[0], rows - at[1]) / radius
    halo = np.clip(1.6 - far, 0, 1)[..., None] * glow
    pixels[:] = (pixels * (1 - halo) + np.array(color) * halo).astype(np.uint8)
    cv2.circle(pixels, at, radius + 3, (140, 140, 140), -1, cv2.LINE_AA)
    shade = np.clip(1.1 - 0.35 * far, 0, 1)[..., None]
    light = np.clip(0.75 - 2.2 * np.hypot(columns - at[0] + radius / 3, rows - at[1] + radius / 3) / radius, 0, 1)
    inside = far <= 1
    shaded = np.array(color) * shade
    pixels[inside] = (shaded + (255 - shaded) * light[..., None])[inside].astype(np.uint8)


def states(lamps: tuple[Lamp, ...]) -> dict[str, tuple[str, str]]:
    return {lamp.label: (lamp.color, lamp.state) for lamp in lamps}


@pytest.mark.parametrize("ground", [DARK, LIGHT, WHITE])
@pytest.mark.parametrize("radius", [12, 22])
def test_lamps_drawn_in_space_are_lit_or_at_rest(ground: Color, radius: int) -> None:
    """Highlight, rim and glow do not hide the colour; a dark one beside lit ones is at rest."""
    pixels = blank(ground)
    lamps = {"RUN": GREEN, "FAULT": RED, "READY": (10, 70, 25)}
    for n, color in enumerate(lamps.values()):
        ball(pixels, (120 + 160 * n, 100), radius, color, glow=0.4 if max(color) > 150 else 0.0)
    found = states(find_lamps(pixels, [name(label, 120 + 160 * n, 140) for n, label in enumerate(lamps)]))
    assert found == {"RUN": ("green", "lit"), "FAULT": ("red", "lit"), "READY": ("green", "unlit")}


def test_a_lamp_at_rest_that_hardly_shows_is_found_by_its_siblings() -> None:
    """A dark diode on a dark front, where a lit one stands beside its name too."""
    pixels = blank((40, 42, 46))
    cv2.circle(pixels, (100, 100), 8, GREEN, -1, cv2.LINE_AA)
    for x in (180, 260):
        cv2.circle(pixels, (x, 100), 8, (49, 50, 54), -1, cv2.LINE_AA)
    texts = [name(label, 100 + 80 * n, 116, tall=14) for n, label in enumerate(("RUN", "OUT1", "AL1", "AL2"))]
    found = states(find_lamps(pixels, texts))
    assert found["RUN"] == ("green", "lit")
    assert {label for label, (_, state) in found.items() if state == "unlit"} == {"OUT1", "AL1"}


def table(*, dated: bool = False) -> tuple[np.ndarray, list[Text]]:
    """Three rows with a dot before the state in the last column."""
    pixels, texts = blank(WHITE), []
    for n, (row, state, color) in enumerate((("Flow", "OK", GREEN), ("Level", "WARN", AMBER), ("Oil", "OK", GREEN))):
        y = 60 + 40 * n
        cv2.circle(pixels, (400, y), 6, color, -1, cv2.LINE_AA)
        first = f"2025-03-0{n + 1} 10:20:30" if dated else f"{10 + n}.5"
        texts += [Text(row, (20, y - 8, 90, y + 8), 1.0), Text(first, (150, y - 8, 300, y + 8), 1.0)]
        texts.append(Text(state, (412, y - 8, 460, y + 8), 1.0))
    return pixels, texts


def test_a_dot_in_a_table_is_named_by_its_row() -> None:
    """What is in a state is what the row is about, not the word for the state."""
    pixels, texts = table()
    found = states(find_lamps(pixels, texts, skip=frozenset(range(len(texts)))))
    assert found == {"Flow": ("green", "lit"), "Level": ("amber", "lit"), "Oil": ("green", "lit")}


def test_a_row_of_an_event_tells_its_own_colour() -> None:
    """Alarm rows are reported as such; their dots are not told a second time."""
    pixels, texts = table(dated=True)
    assert not find_lamps(pixels, texts, skip=frozenset(range(len(texts))))


@pytest.mark.parametrize(
    ("ground", "field", "ink", "color"),
    [
        (WHITE, (246, 255, 237), (56, 158, 13), "green"),
        (WHITE, (255, 241, 240), (207, 19, 34), "red"),
        ((20, 20, 20), (42, 18, 21), (232, 71, 73), "red"),
    ],
)
def test_a_word_on_a_pale_field_of_its_hue_is_a_tag(ground: Color, field: Color, ink: Color, color: str) -> None:
    """Web screens show states so; a reader's box may be larger than the tag."""
    pixels = blank(ground)
    cv2.rectangle(pixels, (100, 100), (170, 121), field, -1)
    cv2.rectangle(pixels, (100, 100), (170, 121), tuple((a + b) // 2 for a, b in zip(field, ink, strict=True)), 1)
    cv2.putText(pixels, "Alarm", (108, 116), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    (lamp,) = find_lamps(pixels, [Text("Alarm", (98, 99, 172, 123), 1.0)])
    assert (lamp.label, lamp.color, lamp.state) == ("Alarm", color, "lit")


@pytest.mark.parametrize(("on", "track", "state"), [(True, BLUE, "lit"), (False, (175, 175, 175), "unlit")])
def test_a_switch_is_on_where_colour_and_place_say_so(on: bool, track: Color, state: str) -> None:
    """Coloured with its disc at the right is on, grey with its disc at the left is off."""
    pixels = blank((240, 242, 245))
    for x in (211, 233):
        cv2.circle(pixels, (x, 100), 11, track, -1, cv2.LINE_AA)
    cv2.rectangle(pixels, (211, 89), (233, 111), track, -1)
    cv2.circle(pixels, (233 if on else 211, 100), 9, WHITE, -1, cv2.LINE_AA)
    (lamp,) = find_lamps(pixels, [Text("Auto mode", (100, 92, 180, 108), 1.0)])
    assert (lamp.label, lamp.state) == ("Auto mode", state)


def frames(colors: list[Color]) -> tuple[np.ndarray, list[Text]]:
    pixels, texts = blank(DARK), []
    for n, color in enumerate(colors):
        cv2.rectangle(pixels, (40 + 160 * n, 80), (160 + 160 * n, 150), color, 3)
        texts.append(Text(f"Rack {n + 1}", (60 + 160 * n, 105, 120 + 160 * n, 121), 1.0))
    return pixels, texts


def test_frames_that_differ_in_colour_say_something() -> None:
    """Boxes of one size, whose outline is the state of what is in them."""
    found = states(find_lamps(*frames([GREEN, RED, GREEN, BLUE])))
    assert {label: color for label, (color, _) in found.items()} == {
        "Rack 1": "green", "Rack 2": "red", "Rack 3": "green", "Rack 4": "blue",
    }  # fmt: skip


def test_frames_of_one_colour_are_style() -> None:
    """They say nothing."""
    assert not find_lamps(*frames([GREEN] * 4))


@pytest.mark.parametrize("ground", [DARK, WHITE])
def test_a_warning_triangle_speaks_for_the_message_beside_it(ground: Color) -> None:
    """Its label is the message, not the kind of the sign."""
    pixels = blank(ground)
    cv2.fillPoly(pixels, [np.array([(100, 130), (124, 130), (112, 108)])], AMBER)
    cv2.rectangle(pixels, (111, 116), (113, 122), ground, -1)
    cv2.rectangle(pixels, (111, 125), (113, 127), ground, -1)
    (lamp,) = find_lamps(pixels, [Text("Pump 3: high temperature", (136, 110, 330, 128), 1.0)])
    assert (lamp.label, lamp.color, lamp.state) == ("Pump 3: high temperature", "amber", "lit")


def test_coloured_letters_are_no_signs() -> None:
    """A red word has round and pointed letters with holes."""
    pixels = blank(WHITE)
    cv2.putText(pixels, "BOARD 0A8", (100, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.0, RED, 3, cv2.LINE_AA)
    assert not find_lamps(pixels, [Text("BOARD 0A8", (98, 104, 270, 134), 1.0)])
