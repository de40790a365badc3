"""The drawn picture: every animal takes every feature and stands in every place, and what was wished is to be seen."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from plugins.painter.cards import cards
from plugins.painter.drawing.animals import ANIMALS
from plugins.painter.drawing.coats import COLORS
from plugins.painter.drawing.compose import SLOTS, TINTED, Chosen, draw, draw_alone, draw_place
from plugins.painter.drawing.places import PLACES
from plugins.painter.vector import draw_png
from plugins.painter.wishes import NotYet, Wish, wish_of

SIDE = 128
Pixels = npt.NDArray[np.int16]


def pixels(svg: str) -> Pixels:
    data = resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE, background="#ffffff", skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16)


def differing(first: Pixels, second: Pixels) -> float:
    """Share of the picture that differs visibly."""
    return float((np.abs(first - second).max(axis=2) > 24).mean())


@pytest.mark.parametrize("animal", sorted(ANIMALS))
def test_every_feature_is_seen_on_every_animal(animal: str) -> None:
    """Each changes the picture of each animal, and no two change it alike."""
    plain = pixels(draw_alone(animal, ()))
    seen = {name: pixels(draw_alone(animal, (Chosen(name),))) for name in SLOTS}
    shares = {name: differing(plain, one) for name, one in seen.items()}
    own = [name for name, share in shares.items() if share < 0.002]
    assert all(name in COLORS for name in own) and len(own) <= 1, own  # a pig that is pink already
    alike = [pair for pair in combinations(seen, 2) if differing(seen[pair[0]], seen[pair[1]]) < 0.002]
    assert not alike


@pytest.mark.parametrize("color", sorted(COLORS))
def test_a_pattern_is_seen_on_every_colour(color: str) -> None:
    """Stripes on a black cat are seen, and on a white one."""
    plain = pixels(draw_alone("cat", (Chosen(color),)))
    for name in ("stripes", "spots", "hearts"):
        patterned = pixels(draw_alone("cat", (Chosen(color), Chosen(name))))
        assert float((np.abs(plain - patterned).max(axis=2) > 20).mean()) > 0.01, name


def test_no_two_animals_and_no_two_places_look_alike() -> None:
    """Also where they have the same colour."""
    drawn = [pixels(draw_alone(animal, (Chosen("blue"),))) for animal in ANIMALS]
    places = [pixels(draw_place(place)) for place in PLACES]
    assert min(differing(*pair) for pair in combinations(drawn, 2)) > 0.02
    assert min(differing(*pair) for pair in combinations(places, 2)) > 0.2


@pytest.mark.parametrize("animal", sorted(ANIMALS))
def test_nothing_covers_an_eye(animal: str) -> None:
    """Whatever is worn, held or grown, alone or two together: both eyes stay as they are."""
    one = ANIMALS[animal]
    spots = [(int(one.eye_y / 1000 * SIDE), int((500 + side * one.eye_dx) / 1000 * SIDE)) for side in (-1, 1)]
    free = [name for name, slot in SLOTS.items() if slot not in ("coat", "mood", "face")]
    plain = pixels(draw_alone(animal, ()))
    for first in [*free, *(("umbrella", "balloon"), ("hat", "bow"), ("crown", "flower"), ("hat", "big_ears"))]:
        names = (first,) if isinstance(first, str) else first
        seen = pixels(draw_alone(animal, tuple(Chosen(name) for name in names)))
        for y, x in spots:
            assert (seen[y - 1 : y + 2, x - 1 : x + 2] == plain[y - 1 : y + 2, x - 1 : x + 2]).all(), names


@pytest.mark.parametrize("animal", sorted(ANIMALS))
def test_a_face_is_seen_in_every_colour(animal: str) -> None:
    """Eyes, open, closed and smiling, stand out from what is around them."""
    one = ANIMALS[animal]
    y, x, r = (round(value / 1000 * SIDE) for value in (one.eye_y, 500 + one.eye_dx, one.eye_r * 1.4))
    for color in (*COLORS, None):
        for mood in ("awake", "sleeping", "happy"):
            wanted = [*([Chosen(color)] if color else []), *([Chosen(mood)] if mood != "awake" else [])]
            around = pixels(draw_alone(animal, tuple(wanted)))[y - r : y + r, x - r : x + r].astype(float).mean(axis=2)
            assert np.percentile(around, 98) - np.percentile(around, 2) > 60, (color, mood)


@pytest.mark.parametrize("color", sorted(COLORS))
def test_a_coat_has_the_colour_that_was_wished(color: str) -> None:
    """Most of the animal's own surface, for every animal."""
    wanted = np.array([int(COLORS[color][n : n + 2], 16) for n in (1, 3, 5)])
    for animal in ANIMALS:
        plain, dyed = pixels(draw_alone(animal, ())), pixels(draw_alone(animal, (Chosen(color),)))
        near = (np.abs(dyed - wanted).max(axis=2) < 8).mean()
        assert near > 0.04, (animal, near)
        assert dyed.shape == plain.shape


@pytest.mark.parametrize("name", sorted(TINTED))
def test_a_thing_has_the_colour_that_was_wished(name: str) -> None:
    """A green hat is green, whoever wears it, and the animal keeps its own colour."""
    for animal in ("bear", "sheep", "elephant"):
        green, purple = (pixels(draw_alone(animal, (Chosen(name, tint),))) for tint in ("green", "purple"))
        changed = np.abs(green - purple).max(axis=2) > 24
        assert changed.any()
        first, second = green[changed].astype(float).mean(axis=0), purple[changed].astype(float).mean(axis=0)
        assert first[1] - first[2] > 8 and second[2] - second[1] > 8, (animal, first, second)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_wish_is_a_sound_drawing_that_keeps_the_face_free(data: st.DataObject) -> None:
    """Well-formed, without anything from elsewhere, the same each time; eyes and ground stay in sight."""
    wish = data.draw(wishes())
    svg = draw(wish.animal, wish.features, wish.place)
    assert svg == draw(wish.animal, wish.features, wish.place)
    root = ET.fromstring(svg)
    tags = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert tags <= {"svg", "defs", "g", "path", "ellipse", "circle", "rect", "clipPath", "linearGradient",
                    "radialGradient", "stop"}  # fmt: skip
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) and set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)
    assert "nan" not in svg and "inf" not in svg and "href" not in svg
    assert pixels(svg).std() > 12


@st.composite
def wishes(draw_one: st.DrawFn) -> Wish:
    while True:
        names = draw_one(st.lists(st.sampled_from(sorted(SLOTS)), min_size=1, max_size=2, unique=True))
        tints = draw_one(st.lists(st.sampled_from([None, *COLORS]), min_size=2, max_size=2))
        chosen = [Chosen(n, t if n in TINTED else None) for n, t in zip(names, tints, strict=False)]
        try:
            return wish_of([draw_one(st.sampled_from(sorted(ANIMALS)))], chosen,
                           [draw_one(st.sampled_from(sorted(PLACES)))])  # fmt: skip
        except NotYet:
            continue


def test_a_picture_is_a_square_png() -> None:
    """Of the size that was asked for, small enough for a tablet on a slow network."""
    data = draw_png(wish_of(["cat"], [Chosen("boots")], ["beach"]), 1024)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG" and image.size == (1024, 1024)
    assert len(data) < 600_000


def test_there_is_a_card_for_everything() -> None:
    """In both languages, no two with the same drawing or the same name."""
    made = cards()
    assert [len(made[kind]) for kind in ("animals", "places")] == [len(ANIMALS), len(PLACES)]
    assert {one["name"] for one in made["features"] + made["colors"]} == set(SLOTS)
    every = [one for kind in made.values() for one in kind]
    assert len({one["svg"] for one in every}) == len(every)
    for language in ("zh", "en"):
        assert len({one[language] for one in every}) >= len(every) - 1  # orange is a colour
        assert all(one[language] for one in every)
