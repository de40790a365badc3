"""Panels that were learnt: found again in another view, only their fields read, every value checked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from agent.cli import build_cli
from agent.env import Env
from agent.perception import Box, Lamp, Perception, Reading, Text
from agent.photo import load_photo, photo_of
from agent.plugin_host import PluginHost, load_plugins
from agent.settings import PanelSettings
from plugins.panel.profiles import ProfileError, ProfileStore, aligned, learn, read_known

PANEL = Path(__file__).parent / "data" / "panels" / "fuxa__fuxa-thinglinks_f23.png"
SETTINGS = PanelSettings()
WORDS = ("SUPPLY", "RETURN", "PUMP", "VALVE", "TANK", "BOILER", "HEATER", "DRAIN")


def drawn(values: Sequence[str] = ("41.5", "7.02"), lamp: tuple[int, int, int] = (200, 30, 30)) -> NDArray[np.uint8]:
    """A small panel: words that stay, two values, one lamp."""
    pixels = np.full((480, 640, 3), 45, np.uint8)
    rng = np.random.default_rng(5)
    for number, word in enumerate(WORDS):
        place = (30 + 300 * (number % 2), 60 + 100 * (number // 2))
        cv2.putText(pixels, word, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (220, 220, 220), 2)
        cv2.rectangle(
            pixels, (place[0], place[1] + 14), (place[0] + 40, place[1] + 30), rng.integers(60, 200, 3).tolist(), -1
        )
    for number, value in enumerate(values):
        cv2.putText(pixels, value, (180 + 300 * number, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (240, 240, 90), 2)
    cv2.circle(pixels, (320, 420), 22, lamp, -1)
    return pixels


SEEN = Perception(
    texts=(
        *(
            Text(word, (28 + 300 * (i % 2), 38 + 100 * (i // 2), 140 + 300 * (i % 2), 64 + 100 * (i // 2)), 0.99)
            for i, word in enumerate(WORDS)
        ),
        Text("41.5", (178, 38, 240, 64), 0.99),
        Text("7.02", (478, 38, 540, 64), 0.99),
    ),
    readings=(
        Reading("SUPPLY", "41.5", "°C", "printed", (178, 38, 240, 64), 0.99),
        Reading("RETURN", "7.02", "bar", "printed", (478, 38, 540, 64), 0.99),
    ),
    lamps=(Lamp("FAULT", "red", "lit", (300, 400, 342, 442)),),
    alarms=(),
    size=(640, 480),
    ms=1.0,
)
PROFILE = learn("boiler-1", drawn(), SEEN)


class Eyes:
    """Reads what the test says, in the order of the fields: a first and a second look."""

    name = "eyes"

    def __init__(self, first: Sequence[str], second: Sequence[str] | None = None) -> None:
        self._looks = {False: list(first), True: list(first if second is None else second)}

    def read(self, pixels: NDArray[np.uint8]) -> tuple[Text, ...]:
        raise AssertionError("known fields are read without looking for text")

    def read_boxes(
        self, pixels: NDArray[np.uint8], boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        return tuple(Text(word, box, 0.99) for word, box in zip(self._looks[other], boxes, strict=True))

    def close(self) -> None: ...


def read(*first: str, second: Sequence[str] | None = None, **last: float) -> tuple[Reading, ...]:
    return read_known(photo_of(drawn(), "p"), PROFILE, Eyes(first, second), SETTINGS, last).readings


def test_a_profile_is_what_stays_and_what_changes() -> None:
    """Words without digits are anchors, values are fields with room for one more digit but not into a neighbour."""
    assert len(PROFILE.anchors) == len(WORDS) and [f.decimals for f in PROFILE.fields] == [1, 2]
    left, top, right, bottom = PROFILE.fields[0].box
    assert 140 <= left < 178 and 240 < right <= 328 and (top, bottom) == (38, 64)


def test_too_little_is_not_learnt() -> None:
    """A panel is known again by its words, and is worth knowing by its values."""
    with pytest.raises(ProfileError, match="only 0 fixed texts"):
        learn("x", drawn(), replace(SEEN, texts=()))
    with pytest.raises(ProfileError, match="no reading or lamp"):
        learn("x", drawn(), replace(SEEN, readings=(), lamps=()))


def test_a_profile_survives_its_file(tmp_path: Path) -> None:
    """Quotes, new lines and Chinese in labels; a range that a person wrote into the file is used."""
    store = ProfileStore(tmp_path)
    odd = replace(PROFILE.fields[0], label='温度 "入口"\n\\ \x7f')
    path = store.save(replace(PROFILE, fields=(odd, PROFILE.fields[1])))
    path.write_text(path.read_text().replace("decimals = 2", "decimals = 2\nlow = 0\nhigh = 10"))
    loaded = store.load("boiler-1")
    assert loaded.fields[0].label == '温度 "入口"\n\\ '
    assert loaded.fields[1] == replace(PROFILE.fields[1], low=0.0, high=10.0)
    assert loaded.lamps == PROFILE.lamps and np.array_equal(loaded.reference, PROFILE.reference)
    assert store.names() == ["boiler-1"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 65, "a b", "."])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    """It becomes a file's."""
    with pytest.raises(ProfileError, match="letters, digits"):
        ProfileStore(tmp_path).load(name)
    with pytest.raises(ProfileError, match="letters, digits"):
        ProfileStore(tmp_path).save(replace(PROFILE, name=name))


@pytest.mark.parametrize(
    "body",
    ["", "field = 1", "[[field]]\nlabel = 1", "x = ", "[[lamp]]\nlabel='a'\nbox=[0,0,9999,5]\ncolor='r'\nstate='lit'"],
)
def test_a_damaged_profile_is_one_line(tmp_path: Path, body: str) -> None:
    """A person may have edited it."""
    store = ProfileStore(tmp_path)
    path = store.save(PROFILE)
    path.write_text(body)
    if body:
        with pytest.raises(ProfileError, match="not a profile"):
            store.load("boiler-1")
    path.with_suffix(".png").write_bytes(b"no picture")
    with pytest.raises(ProfileError, match="not a profile"):
        store.load("boiler-1")
    with pytest.raises(ProfileError, match="no such panel is known"):
        store.load("boiler-2")


def test_a_value_that_two_looks_agree_on_is_plain() -> None:
    """The unit is the profile's."""
    first, second = read("41.6", "7.02")
    assert (first.value, first.unit, first.flags) == ("41.6", "°C", ()) and second.flags == ()


@pytest.mark.parametrize(
    ("first", "second", "flags"),
    [
        (("416", "7.02"), ("416", "7.02"), ("bad-format", "jumped")),
        (("41.6", "7.02"), ("41.8", "7.02"), ("disagrees",)),
        (("", "7.02"), ("", "7.02"), ("no-value",)),
        (("41.6 42.0", "7.02"), ("41.6", "7.02"), ("no-value",)),
        (("-41.6", "7.02"), ("-41.6", "7.02"), ("jumped",)),
        (("4.2", "7.02"), ("4.2", "7.02"), ("jumped",)),
    ],
)
def test_what_speaks_against_a_value_is_a_flag(
    first: tuple[str, str], second: tuple[str, str], flags: tuple[str, ...]
) -> None:
    """A lost point, two readings, nothing, several values, a sign or a power of ten since the look before."""
    reading, _ = read(*first, second=second, SUPPLY=41.5)
    assert reading.flags == flags and reading.score <= 0.5


def test_a_value_outside_its_range_is_doubted() -> None:
    """The range is the profile's."""
    profile = replace(PROFILE, fields=(replace(PROFILE.fields[0], low=0.0, high=40.0), PROFILE.fields[1]))
    seen = read_known(photo_of(drawn(), "p"), profile, Eyes(("41.6", "7.02")), SETTINGS)
    assert seen.readings[0].flags == ("out-of-range",) and seen.readings[1].flags == ()


def test_a_lamp_is_lit_or_not_by_its_brightness_when_it_was_learnt() -> None:
    """A dark one is out; its colour is that of now."""
    for color, state in (((200, 30, 30), "lit"), ((60, 8, 8), "unlit"), ((30, 200, 30), "lit")):
        seen = read_known(photo_of(drawn(lamp=color), "p"), PROFILE, Eyes(("41.5", "7.02")), SETTINGS)
        assert seen.lamps[0].state == state
    assert seen.lamps[0].color == "green"


def test_another_view_is_brought_to_the_one_that_was_learnt() -> None:
    """A photo from a slant and farther away."""
    corners = np.array([[0, 0], [640, 0], [640, 480], [0, 480]], np.float32)
    place = np.array([[90, 60], [700, 40], [720, 560], [60, 520]], np.float32)
    slanted = cv2.warpPerspective(drawn(), cv2.getPerspectiveTransform(corners, place), (800, 600)).astype(np.uint8)
    view = aligned(PROFILE, slanted)
    assert view is not None and view.shape == (480, 640, 3)
    assert np.abs(view.astype(int) - drawn().astype(int)).mean() < 12


@pytest.mark.parametrize("shape", [(480, 640), (1, 1), (2000, 3), (600, 800)])
def test_a_photo_of_something_else_has_no_readings(shape: tuple[int, int]) -> None:
    """Silence, and the reason."""
    noise = np.random.default_rng(3).integers(0, 255, (*shape, 3), dtype=np.uint8)
    for pixels in (noise, np.zeros((*shape, 3), np.uint8)):
        seen = read_known(photo_of(pixels, "p"), PROFILE, Eyes(()), SETTINGS)
        assert not seen.readings and "does not show the panel boiler-1" in seen.unread


def test_a_page_that_was_turned_is_not_read() -> None:
    """The same frame with other words in it."""
    other = drawn()
    other[20:380] = 45
    cv2.putText(other, "SERVICE PAGE", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (220, 220, 220), 3)
    assert read_known(photo_of(other, "p"), PROFILE, Eyes(()), SETTINGS).unread


@pytest.fixture
def cli(weights_env: Env) -> Iterator[tuple[CliRunner, PluginHost, Env]]:
    host = load_plugins()
    yield CliRunner(), host, weights_env
    host.shutdown(weights_env)


@pytest.mark.weights
def test_learn_then_read_and_watch(cli: tuple[CliRunner, PluginHost, Env], tmp_path: Path) -> None:
    """The commands on a real screen: learnt once, the same photo read by its fields, a watch that fills the log."""
    runner, host, env = cli
    app = build_cli(host, env)

    def run(*arguments: str) -> str:
        done = runner.invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    assert json.loads(run("panel", "learn", str(PANEL), "--name", "plant", "--json"))["fields"] >= 25
    assert json.loads(run("panel", "known", "--json"))["name"] == "plant"
    whole = json.loads(run("panel", str(PANEL), "--json"))
    known = json.loads(run("panel", str(PANEL), "--profile", "plant", "--json", "--overlay", str(tmp_path / "o.png")))
    values = [(r["label"], r["value"]) for r in whole["readings"]]
    same = [(r["label"], r["value"]) in values for r in known["readings"] if not r["flags"]]
    assert all(same) and len(same) >= 25
    assert load_photo(tmp_path / "o.png", env.settings.photo).size == load_photo(PANEL, env.settings.photo).size
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(PANEL.read_bytes())
    (tmp_path / "in" / "2.png").write_bytes(PANEL.read_bytes())
    looks = [
        json.loads(line)
        for line in run("watch", str(tmp_path / "in"), "--profile", "plant", "--once", "--json").splitlines()
    ]
    assert len(looks) == 1 and looks[0]["source"] == "plant"
    with closing(sqlite3.connect(env.home.log_db)) as log:
        count, numbers = log.execute("SELECT count(*), count(value) FROM readings WHERE source = 'plant'").fetchone()
    assert count == len(known["readings"]) and numbers >= 25
