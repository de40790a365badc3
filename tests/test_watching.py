"""Watching a panel: frames are read when something changed, events are said once, the log keeps both."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from agent.api import AlarmRow, Lamp, Observation, Perception, Photo, PhotoError, Reading, SeenEvent, photo_of
from agent.settings import LogSettings, PhotoSettings, WatchingSettings
from plugins.logs.recording import record_observation
from plugins.panel.watching import FrameGate, SourceError, Watcher, events_between, open_source
from plugins.panel.watching.sources import Camera

QUICK = WatchingSettings(poll_seconds=0.02, frame_seconds=2.0, retry_seconds=0.05)
PHOTOS = PhotoSettings()
EMPTY = Perception((), (), (), (), (640, 480), 1.0, "p")
NOW = datetime(2026, 3, 5, 8, 30, tzinfo=UTC)
OUTSIDE = Reading("p", "9.9", "bar", "printed", (0, 0, 9, 9), 0.5, ("out-of-range",))
LIT = Lamp("FAULT", "red", "lit", (10, 10, 30, 30))
ROW = AlarmRow({"t": "08:00:01", "m": "low"}, (0, 0, 9, 9), {"time": "2026-03-05 08:00:01", "tag": "P1", "text": "low"})


def screen(number: str = "41.5", seed: int = 0) -> NDArray[np.uint8]:
    """A dark screen with one number, and a little noise."""
    pixels = np.full((900, 1400, 3), 40, np.uint8)
    cv2.putText(pixels, number, (700, 450), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (230, 230, 230), 2)
    noise = np.random.default_rng(seed).integers(-3, 4, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def test_the_gate_lets_a_changed_digit_through_and_no_noise() -> None:
    """One digit of 20 pixels on a large screen is enough; another frame of the same screen is not."""
    gate = FrameGate(QUICK.gate_levels)
    assert gate.is_new(screen("41.5"))
    assert not any(gate.is_new(screen("41.5", seed)) for seed in range(1, 6))
    assert gate.is_new(screen("41.6", 9))
    gate.forget()
    assert gate.is_new(screen("41.6", 10))


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5)])
def test_the_gate_takes_any_size(shape: tuple[int, int]) -> None:
    """A camera may give anything."""
    gate = FrameGate(QUICK.gate_levels)
    assert gate.is_new(np.zeros((*shape, 3), np.uint8)) and gate.is_new(np.full((*shape, 3), 255, np.uint8))


def test_what_stands_at_the_first_look_is_said_once() -> None:
    """Alarm rows, lit lamps in an alarm's colour and values out of range are events when they come and when they go."""
    seen = replace(EMPTY, alarms=(ROW,), lamps=(LIT,), readings=(OUTSIDE,))
    first = events_between(None, seen)
    assert [(e.kind, e.tag, e.state) for e in first] == [
        ("alarm", "P1", "active"),
        ("lamp", "FAULT", "active"),
        ("range", "p", "active"),
    ]
    assert events_between(seen, seen) == ()
    calm = replace(seen, lamps=(replace(LIT, state="unlit"),), readings=(replace(OUTSIDE, value="5.0", flags=()),))
    assert [(e.kind, e.state) for e in events_between(seen, calm)] == [("lamp", "cleared"), ("range", "cleared")]


def test_what_cannot_be_told_is_no_event() -> None:
    """An unsure lamp, a misread value, a row that was scrolled away."""
    before = replace(EMPTY, alarms=(ROW,), lamps=(LIT,), readings=(replace(OUTSIDE, flags=()),))
    unsure = replace(before, alarms=(), lamps=(replace(LIT, state="unsure"),))
    doubted = replace(unsure, readings=(replace(OUTSIDE, flags=("disagrees", "out-of-range")),))
    assert events_between(before, unsure) == () == events_between(before, doubted)


def test_a_panel_that_cannot_be_seen_is_an_event_with_an_end() -> None:
    """A camera that was pushed aside; the next look at the panel begins anew."""
    blind = replace(EMPTY, unread="the photo does not show the panel")
    assert [(e.kind, e.state) for e in events_between(EMPTY, blind)] == [("panel", "active")]
    assert events_between(blind, blind) == ()
    assert [(e.kind, e.state) for e in events_between(blind, replace(EMPTY, lamps=(LIT,)))] == [
        ("panel", "cleared"),
        ("lamp", "active"),
    ]


class Script:
    """A source that gives what the test says."""

    name = "script"

    def __init__(self, frames: list[Photo | str]) -> None:
        self._frames = frames

    def frames(self, stopped: Callable[[], bool]) -> Iterator[Photo | str]:
        yield from self._frames


def test_a_frame_is_read_only_where_it_differs() -> None:
    """Two equal frames are one reading; a photo that cannot be read is a problem, and the next one is tried."""
    told: list[Observation] = []
    problems: list[str] = []
    lasts: list[dict[str, float]] = []

    def read(photo: Photo, last: Mapping[str, float]) -> Perception:
        lasts.append(dict(last))
        if photo.name == "bad":
            raise PhotoError("bad: too dark")
        return replace(EMPTY, readings=(Reading("p", "4.5", "bar", "printed", (0, 0, 9, 9), 0.99),))

    a, b = screen("1.0"), screen("2.0")
    frames = [photo_of(a, "1"), photo_of(a, "2"), "it is gone", photo_of(b, "bad"), photo_of(b, "3")]
    watcher = Watcher(
        Script(frames),
        "p",
        FrameGate(QUICK.gate_levels),
        read,
        told=told.append,
        problem=problems.append,
        now=lambda: NOW,
    )
    count = watcher.run(lambda: False)
    assert (count.frames, count.read, count.problems) == (4, 2, 2)
    assert problems == ["it is gone", "bad: too dark"]
    assert lasts == [{}, {"p": 4.5}, {"p": 4.5}] and [o.source for o in told] == ["p", "p"]


def test_a_folder_gives_photos_once_when_they_are_whole(tmp_path: Path) -> None:
    """Oldest first; what is still growing waits, what is no photo is a line, hidden and other files are left alone."""
    for name in ("b.png", "a.png"):
        Image.fromarray(screen(name)).save(tmp_path / name)
        time.sleep(0.02)
    (tmp_path / "c.jpg").write_bytes(b"\xff\xd8no")
    (tmp_path / ".part.png").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    source = open_source(str(tmp_path), QUICK, PHOTOS, once=True)
    found = list(source.frames(lambda: False))
    assert [f if isinstance(f, str) else f.name for f in found[:2]] == ["b.png", "a.png"]
    assert len(found) == 3 and isinstance(found[2], str) and "c.jpg" in found[2]


def test_a_photo_that_arrives_later_is_taken(tmp_path: Path) -> None:
    """The watch goes on until it is stopped; one that was taken while it was being written is taken again."""
    stop = threading.Event()
    got: list[str] = []

    def run() -> None:
        for frame in open_source(str(tmp_path), QUICK, PHOTOS, once=False).frames(stop.is_set):
            got.append("problem" if isinstance(frame, str) else frame.name)
            if isinstance(frame, Photo):
                stop.set()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.1)
    Image.fromarray(screen()).save(tmp_path / "whole.png.part", "PNG")
    data = (tmp_path / "whole.png.part").read_bytes()
    (tmp_path / "late.png").write_bytes(data[: len(data) // 2])
    time.sleep(0.2)
    (tmp_path / "late.png").write_bytes(data)
    thread.join(10)
    stop.set()
    assert got[-1] == "late.png" and got[:-1] in ([], ["problem"])


def test_a_camera_gives_its_newest_frame_and_is_opened_again(tmp_path: Path) -> None:
    """A film stands in for the camera: frames, then its end, then the next try; large frames come at the work size."""
    film = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"MJPG"), 25, (1400, 900))
    for number in range(5):
        writer.write(screen(str(number)))
    writer.release()
    stop = threading.Event()
    small = PHOTOS.model_copy(update={"work_pixels": 100_000})
    seen: list[Photo | str] = []
    for frame in Camera(str(film), "film", QUICK, small, once=False).frames(stop.is_set):
        seen.append(frame)
        if isinstance(frame, str):
            stop.set()
    assert isinstance(seen[0], Photo) and seen[0].size[0] * seen[0].size[1] <= 101_000
    assert isinstance(seen[-1], str) and "no more frames come; trying again" in seen[-1]


def test_a_camera_that_is_not_there_is_one_line() -> None:
    """Once means once."""
    (line,) = Camera("/nowhere.avi", "camera 9", QUICK, PHOTOS, once=True).frames(lambda: False)
    assert isinstance(line, str) and line.startswith("camera 9: cannot be opened")


@pytest.mark.parametrize("named", ["http://10.0.0.1/video", "/no/such/folder", "ftp://x", ""])
def test_what_is_no_source_is_refused(named: str) -> None:
    """Addresses other than rtsp are never fetched; a password is not repeated."""
    with pytest.raises(SourceError):
        open_source(named, QUICK, PHOTOS, once=True)
    with pytest.raises(SourceError) as refused:
        open_source("http://me:secret@host/x", QUICK, PHOTOS, once=True)
    assert "secret" not in str(refused.value)


def test_a_stream_shows_no_password() -> None:
    """Its name goes to the log and to the terminal."""
    assert open_source("rtsp://me:secret@10.0.0.1/1", QUICK, PHOTOS, once=True).name == "rtsp://10.0.0.1/1"


def rows(log: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(log)) as db:
        return db.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


def observation(*events: SeenEvent, readings: tuple[Reading, ...] = ()) -> Observation:
    return Observation(NOW, "boiler-1", replace(EMPTY, readings=readings), events)


def test_the_log_keeps_readings_with_their_doubts(tmp_path: Path) -> None:
    """A flagged value is kept as printed and counts as no number."""
    good = Reading("供水温度", "90.0", "℃", "printed", (0, 0, 9, 9), 0.99)
    doubted = replace(good, value="9.00", flags=("disagrees",))
    thousands = replace(good, value="1,234")
    record_observation(observation(readings=(good, doubted, thousands)), tmp_path / "log.db", LogSettings())
    first, second, third = rows(tmp_path / "log.db", "readings")
    assert third[4:6] == (1234.0, "1,234")
    assert first[1:8] == ("2026-03-05 08:30:00+00:00", "boiler-1", "供水温度", 90.0, "90.0", "℃", "")
    assert second[4:8] == (None, "9.00", "℃", "disagrees")


def test_the_log_keeps_an_event_once_and_says_when_it_cleared(tmp_path: Path) -> None:
    """The same row on every look is one event; a lamp that goes out ends it; one that comes again is another."""
    log, settings = tmp_path / "log.db", LogSettings()
    row = SeenEvent("P1", "low", "alarm", "active", "high", "05/03/2026 08:00:01")
    lamp = SeenEvent("FAULT", "FAULT red", "lamp", "active")
    for _ in range(3):
        record_observation(observation(row, lamp), log, settings)
    record_observation(observation(replace(lamp, state="cleared")), log, settings)
    record_observation(observation(lamp), log, settings)
    kept = rows(log, "events")
    assert [(r[2], r[3], r[6], r[7] is not None) for r in kept] == [
        ("P1", "low", "boiler-1", False),
        ("FAULT", "FAULT red", "boiler-1", True),
        ("FAULT", "FAULT red", "boiler-1", False),
    ]
    assert str(kept[0][1]).startswith("2026-0")
