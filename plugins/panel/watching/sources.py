"""Where frames come from: photos that arrive in a folder, a camera of this box, an RTSP stream.

A photo in a folder is taken once, when it has stopped growing; one that cannot be decoded is reported and left alone. A
camera or a stream is drained all the time, so that what is read is what is there now; when it goes away it is opened
again, after waits that double.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import InputError, Photo, PhotoError, load_photo, photo_of
from agent.settings import PhotoSettings, WatchingSettings
from plugins.panel.scaling import scaled_by

__all__ = ["Source", "SourceError", "open_source"]

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"})
_CAMERA = re.compile(r"(?:/dev/video)?(\d{1,3})")
_STREAM = re.compile(r"rtsps?://[^\s]+", re.IGNORECASE)
_TICK_SECONDS = 0.05


class SourceError(InputError):
    """What is to be watched is not there."""


class Source(Protocol):
    """Photos, one after the other."""

    name: str
    """For people and for the log."""

    def frames(self, stopped: Callable[[], bool]) -> Iterator[Photo | str]:
        """Photos as they come, and in between what went wrong, in one line; ends when it is stopped.

        A source with nothing left to give and nothing to wait for ends by itself.
        """
        ...


def open_source(text: str, settings: WatchingSettings, photos: PhotoSettings, *, once: bool) -> Source:
    """What a person named.

    :param text: a folder, `/dev/video0` or `0`, or an address that begins with rtsp.
    :param once: end with what is there now, instead of waiting for more.
    :raises SourceError: it is none of these, or not there.
    """
    if not text.strip():
        raise SourceError("nothing was named to watch; give a folder, /dev/video0 or rtsp://…")
    if _STREAM.fullmatch(text):
        return Camera(text, _without_password(text), settings, photos, once=once)
    number = _CAMERA.fullmatch(text)
    if number and not Path(text).is_dir():
        return Camera(int(number[1]), f"camera {number[1]}", settings, photos, once=once)
    if "://" in text:
        raise SourceError(f"{_without_password(text)}: only rtsp streams are watched, besides folders and cameras")
    folder = Path(text)
    if not folder.is_dir():
        raise SourceError(f"{text}: no such folder or camera; give a folder, /dev/video0 or rtsp://…")
    return Folder(folder, settings, photos, once=once)


class Folder:
    """Photos that are put into a folder, oldest first."""

    def __init__(self, folder: Path, settings: WatchingSettings, photos: PhotoSettings, *, once: bool) -> None:
        self.name = folder.name or str(folder)
        self._folder = folder
        self._settings = settings
        self._photos = photos
        self._once = once

    def frames(self, stopped: Callable[[], bool]) -> Iterator[Photo | str]:
        """See `Source`. Photos that lie there at the start are taken too."""
        taken: dict[Path, tuple[int, int]] = {}
        growing: dict[Path, tuple[int, int]] = {}
        while not stopped():
            there = self._there()
            taken = {path: taken[path] for path, _ in there if path in taken}
            for path, state in there:
                if taken.get(path) == state or (not self._once and growing.get(path) != state):
                    growing[path] = state
                    continue
                taken[path] = state
                yield self._photo(path)
                if stopped():
                    return
            if self._once:
                return
            _wait(self._settings.poll_seconds, stopped)

    def _there(self) -> list[tuple[Path, tuple[int, int]]]:
        """Files with size and time of change, oldest first."""
        found = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path.name.startswith(".") or path.suffix.lower() not in _SUFFIXES:
                continue
            try:
                stat = path.stat()
            except OSError:
                continue
            if not stat.st_size and not self._once:
                continue  # somebody has only begun to write it
            found.append((stat.st_mtime_ns, path, (stat.st_size, stat.st_mtime_ns)))
        return [(path, state) for _, path, state in sorted(found)]

    def _photo(self, path: Path) -> Photo | str:
        try:
            return load_photo(path, self._photos)
        except PhotoError as error:
            return str(error)


class Camera:
    """Frames of a camera or a stream. What OpenCV buffers is thrown away, so that no frame is old."""

    def __init__(
        self, address: int | str, name: str, settings: WatchingSettings, photos: PhotoSettings, *, once: bool
    ) -> None:
        self.name = name
        self._address = address
        self._settings = settings
        self._photos = photos
        self._once = once

    def frames(self, stopped: Callable[[], bool]) -> Iterator[Photo | str]:
        """See `Source`."""
        wait = self._settings.poll_seconds
        while not stopped():
            grabber = _Grabber(self._address)
            try:
                got = False
                while not stopped():
                    frame = grabber.newest(self._settings.frame_seconds, stopped)
                    if frame is None:
                        break
                    got, wait = True, self._settings.poll_seconds
                    yield self._photo(frame)
                    if self._once:
                        return
            finally:
                grabber.close()
            if stopped():
                return
            yield f"{self.name}: {'no more frames come' if got else 'cannot be opened'}; trying again in {wait:g} s"
            if self._once:
                return
            _wait(wait, stopped)
            wait = min(2 * wait, self._settings.retry_seconds)

    def _photo(self, frame: NDArray[np.uint8]) -> Photo | str:
        height, width = frame.shape[:2]
        if height * width > self._photos.work_pixels:
            scale = (self._photos.work_pixels / (height * width)) ** 0.5
            frame = scaled_by(frame, scale)
        return photo_of(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8), self.name)


class _Grabber:
    """A thread that keeps the newest frame."""

    def __init__(self, address: int | str) -> None:
        self._ready = threading.Condition()
        self._frame: NDArray[np.uint8] | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, args=(address,), daemon=True, name="frames")
        self._thread.start()

    def newest(self, seconds: float, stopped: Callable[[], bool]) -> NDArray[np.uint8] | None:
        """A frame that was not given out before; None where none came in time, or none will."""
        until = time.monotonic() + seconds
        with self._ready:
            while self._frame is None and not self._ended and time.monotonic() < until and not stopped():
                self._ready.wait(_TICK_SECONDS)
            frame, self._frame = self._frame, None
            return frame

    def close(self) -> None:
        """Stop; a thread that hangs in a driver is left behind, and ends with the process."""
        self._ended = True
        self._thread.join(2.0)

    def _run(self, address: int | str) -> None:
        capture: Any = cv2.VideoCapture(address)
        try:
            while not self._ended and capture.isOpened():
                done, frame = capture.read()
                if not done:
                    break
                with self._ready:
                    self._frame = frame
                    self._ready.notify_all()
        finally:
            capture.release()
            with self._ready:
                self._ended = True
                self._ready.notify_all()


def _wait(seconds: float, stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stopped() and (left := until - time.monotonic()) > 0:
        time.sleep(min(_TICK_SECONDS, left))


def _without_password(address: str) -> str:
    return re.sub(r"//[^/@]*@", "//", address)
