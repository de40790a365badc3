"""Where a repository lies: a folder (a USB stick, a share) or a web server. Both are trusted with nothing.

A folder gives regular files below itself, never through a link that leads out. A web server has to answer in time, to
go on where it was asked to, and to send at no less than a minimum pace; redirects are not followed, because a
repository is a plain tree of files and an attacker on the network would only lead elsewhere.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Protocol

import httpx

from agent.errors import UpdateError
from agent.settings import UpdateSettings

__all__ = ["FolderPlace", "Place", "PlaceFailed", "WebPlace", "open_place"]

Why = Literal["missing", "offline", "slow", "broken"]
Opened = tuple[int, Iterator[bytes]]
"""The byte that the pieces begin at, and the pieces."""

_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)")


class PlaceFailed(Exception):
    """A file could not be had. The text is the reason."""

    def __init__(self, message: str, why: Why) -> None:
        super().__init__(message)
        self.why: Why = why
        """`missing`: there is no such file. `offline`: nobody answers. `slow`: it would take forever."""


class Place(Protocol):
    """A tree of files."""

    name: str
    """As the person wrote it."""

    def open(self, path: str, at: int = 0) -> AbstractContextManager[Opened]:
        """A file from some byte on; a place that cannot start there starts at 0 and says so.

        :raises PlaceFailed: now or while the pieces are taken.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


def open_place(where: str, settings: UpdateSettings) -> Place:
    """The place that a person named.

    :param where: an http or https address, or a folder.
    :raises UpdateError: it is neither.
    """
    if re.match(r"https?://", where, re.IGNORECASE):
        try:
            return WebPlace(where, settings)
        except httpx.InvalidURL as error:
            raise UpdateError(f"{where}: is no address: {error}; write it like http://10.0.0.5/updates") from None
    if re.match(r"[a-z][a-z0-9+.-]*://", where, re.IGNORECASE):
        raise UpdateError(f"{where}: only http, https and folders are known; give one of those")
    folder = Path(os.path.expanduser(where))  # noqa: PTH111 - never raises
    if not os.path.isdir(folder / "metadata"):  # noqa: PTH112 - never raises
        raise UpdateError(f"{where}: no repository is here (no folder `metadata`); plug in the stick or correct --from")
    return FolderPlace(folder, settings)


class FolderPlace:
    """A repository in a folder."""

    def __init__(self, folder: Path, settings: UpdateSettings) -> None:
        self.name = str(folder)
        self._folder = folder
        self._settings = settings

    @contextmanager
    def open(self, path: str, at: int = 0) -> Iterator[Opened]:
        descriptor = self._open(path)
        try:
            os.lseek(descriptor, at, os.SEEK_SET)
            yield at, self._pieces(descriptor, path)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Nothing is held."""

    def _open(self, path: str) -> int:
        place = self._folder / path
        try:
            if not place.parent.resolve().is_relative_to(self._folder.resolve()):
                raise PlaceFailed(f"{path} leads out of {self.name}", "broken")
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise PlaceFailed(f"{path} is not in {self.name}", "missing") from None
        except (OSError, RuntimeError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise PlaceFailed(f"{place} cannot be read: {reason}", "broken") from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise PlaceFailed(f"{place} is no plain file", "broken")
        return descriptor

    def _pieces(self, descriptor: int, path: str) -> Iterator[bytes]:
        try:
            while piece := os.read(descriptor, self._settings.read_bytes):
                yield piece
        except OSError as error:
            raise PlaceFailed(f"{self.name}/{path} cannot be read: {error.strerror}", "broken") from None


class WebPlace:
    """A repository on a web server."""

    def __init__(self, url: str, settings: UpdateSettings) -> None:
        """
        :raises httpx.InvalidURL: it is no address.
        """
        self.name = url
        self._base = url.rstrip("/")
        self._host = httpx.URL(url).host
        self._settings = settings
        self._client = httpx.Client(
            timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"Accept-Encoding": "identity", "User-Agent": "watchkeeper"},
        )

    @contextmanager
    def open(self, path: str, at: int = 0) -> Iterator[Opened]:
        headers = {"Range": f"bytes={at}-"} if at else {}
        begun = _Begun(self._settings.read_seconds)
        try:
            with (
                begun,
                self._client.stream(
                    "GET", f"{self._base}/{path}", headers=headers, extensions={"trace": begun.trace}
                ) as response,
            ):
                begun.answered()
                start = self._accept(response, path, at)
                yield start, _paced(response.iter_raw(), self._host, self._settings)
        except httpx.HTTPError as error:
            raise self._failed(error, path, late=begun.late) from None

    def close(self) -> None:
        self._client.close()

    def _accept(self, response: httpx.Response, path: str, at: int) -> int:
        """Where the body begins."""
        status = response.status_code
        if status in (403, 404, 410):
            raise PlaceFailed(f"{self._host} has no {path}", "missing")
        if status == 416:
            return self._restart(path)
        if status not in (200, 206):
            why: Why = "offline" if status in (408, 425, 429) or status >= 500 else "broken"
            raise PlaceFailed(f"{self._host} answers {status} to {path}", why)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise PlaceFailed(f"{self._host} sends {path} in another encoding", "broken")
        if status == 200:
            return 0
        told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if told is None or int(told[1]) != at:
            return self._restart(path)
        return at

    def _restart(self, path: str) -> int:
        raise PlaceFailed(f"{self._host} cannot go on with {path} where it was left", "broken")

    def _failed(self, error: httpx.HTTPError, path: str, *, late: bool) -> PlaceFailed:
        if late:
            return PlaceFailed(f"{self._host} takes too long to answer for {path}", "slow")
        match error:
            case httpx.ConnectTimeout() | httpx.ConnectError():
                return PlaceFailed(f"{self._host} cannot be reached", "offline")
            case httpx.TimeoutException():
                return PlaceFailed(f"{self._host} went silent at {path}", "slow")
            case httpx.RemoteProtocolError() | httpx.ReadError():
                return PlaceFailed(f"{self._host} broke off at {path}", "offline")
            case _:
                return PlaceFailed(f"{self._host}: {error or type(error).__name__}", "broken")


class _Begun:
    """Bounds the time until the head of an answer is here: a time-out for each read does not, when bytes drip in."""

    def __init__(self, seconds: float) -> None:
        self.late = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Told by the client what happens on the connection."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")

    def answered(self) -> None:
        """The head is here."""
        self._timer.cancel()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.late = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _paced(pieces: Iterator[bytes], host: str, settings: UpdateSettings) -> Iterator[bytes]:
    """The same, until too little comes."""
    begun, taken = time.monotonic(), 0
    for piece in pieces:
        taken += len(piece)
        passed = time.monotonic() - begun
        if passed >= settings.slow_seconds:
            if taken < passed * settings.slow_bytes_per_second:
                raise PlaceFailed(f"{host} sends less than {settings.slow_bytes_per_second:.0f} bytes a second", "slow")
            begun, taken = time.monotonic(), 0
        yield piece
