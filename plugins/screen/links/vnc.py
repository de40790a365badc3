"""A screen over VNC (RFB 3.3 to 3.8, RFC 6143): an HMI panel or an industrial PC as it is.

vncdotool speaks the protocol; its client is a state machine that is fed with bytes, so it is driven from here over a
plain socket with a deadline for each call, and no event loop or thread runs beside.

A look asks for all that changed and, along with it, for one pixel whether it changed or not: the answer to that pixel
proves that the server is alive and that the picture is one of now. The pointer is left out of the picture, or it would
cover what is under it.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import numpy as np
from PIL import Image
from vncdotool.client import VNCDoToolClient, VNCDoToolFactory
from vncdotool.const import AuthTypes
from vncdotool.keys import Key

from agent.api import InputError, Photo, ToolFailed, photo_of
from agent.settings import ScreenSettings
from plugins.screen.links.opening import first_line, refuse_outside
from plugins.screen.values import Control

__all__ = ["VncLink", "open_link"]

_PORT = 5900
_ADDRESS = re.compile(r"(?:vnc://)?(\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+)(?::(\d{1,5}))?/?")
_CHUNK_BYTES = 262_144
_LATIN_END, _UNICODE_KEYS = 0x100, 0x0100_0000
_BYTES_A_PIXEL = 4
_MESSAGE_BYTES = 65_536
"""Of anything that is no picture: a name, a clipboard, a reason."""
_WHEEL_UP, _WHEEL_DOWN = 4, 5
_DRAG_STEPS = 8
_ASK_AGAIN_SECONDS = 0.25
_KEYS = {
    "Enter": Key.Return, "Backspace": Key.BackSpace, "Control": Key.ControlLeft, "Shift": Key.ShiftLeft,
    **{name: Key[name] for name in ("Tab", "Escape", "Delete", "Up", "Down", "Left", "Right")},
    **{name: Key[name] for name in ("Home", "End", "PageUp", "PageDown", *(f"F{n}" for n in range(1, 13)))},
}  # fmt: skip


def open_link(name: str, settings: ScreenSettings) -> VncLink:
    """A link that connects when it is first used.

    :raises InputError: the address is wrong, or the password cannot be read.
    """
    return VncLink(name, settings)


class _Wire:
    """What the client sends through: a socket that never waits beyond the deadline of the call it serves."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.lost = ""
        self._socket = socket.create_connection((host, port), timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        """Send it whole.

        :raises OSError: it cannot be sent in time.
        """
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def read(self, most_seconds: float) -> bytes:
        """What has come, at least one byte.

        :raises TimeoutError: nothing came in so many seconds.
        :raises OSError: it is too late, or the other side has closed.
        """
        self._socket.settimeout(min(self._left(), most_seconds))
        data = self._socket.recv(_CHUNK_BYTES)
        if not data:
            raise ConnectionError("the server has closed the connection")
        return data

    def loseConnection(self) -> None:  # noqa: N802 - as the client calls it
        self.lost = self.lost or "the server speaks another protocol, or refuses"

    def close(self) -> None:
        self._socket.close()

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ConnectionError("it does not answer in time")
        return left


class _Client(VNCDoToolClient):
    """The protocol, with a bound on everything that a server can send."""

    SUPPORTED_AUTHS = {AuthTypes.NONE, AuthTypes.VNC_AUTHENTICATION}  # noqa: RUF012 - as its parent has it
    ready = False
    resized = False
    pixels_allowed = 0
    answers = 0
    wanted: tuple[int, int] | None = None
    """The pixel whose answer is waited for."""

    def expect(self, handler: Callable[..., None], size: int, *args: object, **kwargs: object) -> None:
        most = max(_MESSAGE_BYTES, self.pixels_allowed * _BYTES_A_PIXEL)
        if size > most:
            raise ConnectionError(f"the server announces {size} bytes at once")
        super().expect(handler, size, *args, **kwargs)

    def vncConnectionMade(self) -> None:  # noqa: N802
        self.check_size(self.width, self.height)
        super().vncConnectionMade()
        # Its parent would take the first rectangle for the whole, wherever that belongs.
        self.screen = Image.new("RGB", (self.width, self.height))
        self.ready = True

    def vncProtocolError(self, reason: str) -> None:  # noqa: N802
        raise ConnectionError(str(reason)[:200])

    def vncAuthFailed(self, reason: object) -> None:  # noqa: N802
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise PermissionError(text[:200])

    def vncRequestPassword(self) -> None:  # noqa: N802
        if self.factory.password is None:
            raise PermissionError("it asks for a password; set password_file")
        self.sendPassword(self.factory.password)

    def updateDesktopSize(self, width: int, height: int) -> None:  # noqa: N802
        self.check_size(width, height)
        self.resized = self.resized or (width, height) != (self.width, self.height)
        self.width, self.height = width, height
        super().updateDesktopSize(width, height)

    def commitUpdate(self, rectangles: list[tuple[int, int, int, int]] | None = None) -> None:  # noqa: N802
        self.answers += 1
        for x, y, wide, high in rectangles or ():
            if x + wide > self.width or y + high > self.height:
                raise ConnectionError(f"the server draws outside its screen of {self.width}×{self.height}")
            if self.wanted and x <= self.wanted[0] < x + wide and y <= self.wanted[1] < y + high:
                self.wanted = None

    def check_size(self, width: int, height: int) -> None:
        """
        :raises ConnectionError: the screen is empty, or larger than allowed.
        """
        if not 0 < width * height <= self.pixels_allowed:
            raise ConnectionError(f"its screen has {width}×{height} pixels; max_pixels is {self.pixels_allowed}")


class VncLink:
    """One screen over VNC."""

    def __init__(self, name: str, settings: ScreenSettings) -> None:
        """
        :raises InputError: the address is wrong, or the password cannot be read.
        """
        found = _ADDRESS.fullmatch(settings.address.strip())
        if found is None or not 0 < int(found[2] or _PORT) < 65_536:
            raise InputError(f"screen {name}: {settings.address!r:.100} is no address; write host:5900")
        self.name = name
        self._host, self._port = found[1].strip("[]"), int(found[2] or _PORT)
        self._settings = settings
        self._password = first_line(settings.password_file, name) if settings.password_file else None
        self._open: tuple[_Wire, _Client] | None = None
        self._size: tuple[int, int] | None = None
        """Of the picture that was looked at last."""
        self._looks = 0

    def look(self) -> Photo:
        """The picture as it is now."""
        try:
            wire, client = self._connected()
            for _ in range(3):  # a screen that changes its size is asked anew
                self._ask(wire, client)
                if not client.resized:
                    break
        except (OSError, ValueError, TypeError, AssertionError, IndexError) as error:
            raise self._failed(error) from None
        if client.screen is None or client.resized:
            raise self._failed(ConnectionError("it sent no picture"))
        self._size = (client.width, client.height)
        return photo_of(np.asarray(client.screen)[: client.height, : client.width], self.name)

    def named(self) -> Sequence[Control]:
        """VNC says nothing."""
        return ()

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        client = self._at((x, y))
        self._send(lambda: client.mouseMove(x, y))
        for _ in range(times):
            self._send(lambda: client.mouseDown(1))
            time.sleep(self._settings.hold_seconds)
            self._send(lambda: client.mouseUp(1))
            time.sleep(self._settings.key_seconds)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        client = self._at(start, end)
        self._send(lambda: client.mouseMove(*start))
        self._send(lambda: client.mouseDown(1))
        for step in range(1, _DRAG_STEPS + 1):
            place = [round(a + (b - a) * step / _DRAG_STEPS) for a, b in zip(start, end, strict=True)]
            time.sleep(self._settings.hold_seconds)
            self._send(partial(client.mouseMove, *place))
        time.sleep(self._settings.hold_seconds)
        self._send(lambda: client.mouseUp(1))

    def scroll(self, x: int, y: int, *, notches: int) -> None:
        client = self._at((x, y))
        self._send(lambda: client.mouseMove(x, y))
        for _ in range(abs(notches)):
            self._send(lambda: client.mousePress(_WHEEL_DOWN if notches > 0 else _WHEEL_UP))
            time.sleep(self._settings.key_seconds)

    def type(self, text: str) -> None:
        for char in text:
            code = ord(char)
            self._stroke(code if code < _LATIN_END else _UNICODE_KEYS | code)

    def press(self, key: str) -> None:
        parts = key.split("+")
        codes = [_KEYS.get(part) or (ord(part.lower()) if len(part) == 1 else 0) for part in parts]
        if not all(codes):
            raise ToolFailed(f"screen {self.name}: {key[:40]!r} is no key that can be pressed")
        self._stroke(*codes)

    def close(self) -> None:
        """Let go of the connection; the next look makes a new one."""
        opened, self._open, self._size = self._open, None, None
        if opened is not None:
            opened[0].close()

    def _connected(self) -> tuple[_Wire, _Client]:
        """
        :raises OSError: nobody answers, or it is no VNC server.
        """
        if self._open is not None:
            self._open[0].deadline = time.monotonic() + self._settings.look_seconds
            return self._open
        wire = _Wire(self._host, self._port, self._settings.connect_seconds)
        factory = VNCDoToolFactory()
        factory.password, factory.nocursor = self._password, True
        client = _Client()
        client.factory, client.pixels_allowed = factory, self._settings.max_pixels
        self._open = wire, client
        client.makeConnection(wire)  # type: ignore[no-untyped-call]
        while not client.ready:
            self._feed(wire, client, self._settings.connect_seconds)
        client.framebufferUpdateRequest(incremental=False)
        wire.deadline = time.monotonic() + self._settings.look_seconds
        return self._open

    def _ask(self, wire: _Wire, client: _Client) -> None:
        self._looks += 1
        client.wanted = (client.width - 1 - self._looks % min(8, client.width), client.height - 1)
        client.resized, whole = False, client.resized or self._size is None
        client.framebufferUpdateRequest(incremental=not whole)
        client.framebufferUpdateRequest(*client.wanted, 1, 1)
        while client.wanted is not None and not client.resized:
            answered = client.answers
            with suppress(TimeoutError):
                self._feed(wire, client, _ASK_AGAIN_SECONDS)
                if client.answers == answered:
                    continue
            if client.wanted is not None:
                # TigerVNC forgets what is asked for once it has sent a part of it.
                client.framebufferUpdateRequest(*client.wanted, 1, 1)

    def _feed(self, wire: _Wire, client: _Client, most_seconds: float) -> None:
        client.dataReceived(wire.read(most_seconds))
        if wire.lost:
            raise ConnectionError(wire.lost)

    def _at(self, *places: tuple[int, int]) -> _Client:
        """The client, where what was looked at last is still what these places belong to."""
        for place in places:
            if problem := refuse_outside(self.name, place, self._size):
                raise ToolFailed(problem)
        if self._open is None:
            raise ToolFailed(f"screen {self.name}: the connection was lost since it was looked at; look again")
        client = self._open[1]
        if (client.width, client.height) != self._size:
            raise ToolFailed(f"screen {self.name}: its size has changed since it was looked at; look again")
        return client

    def _stroke(self, *codes: int) -> None:
        if self._open is None:
            raise ToolFailed(f"screen {self.name}: the connection was lost since it was looked at; look again")
        client = self._open[1]
        for code in codes:
            self._send(partial(client.keyEvent, code, down=True))
        for code in reversed(codes):
            self._send(partial(client.keyEvent, code, down=False))
        time.sleep(self._settings.key_seconds)

    def _send(self, what: Callable[[], object]) -> None:
        assert self._open is not None
        self._open[0].deadline = time.monotonic() + self._settings.look_seconds
        try:
            what()
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> ToolFailed:
        """Whatever went wrong: the connection is given up, since nobody knows where in the stream it stands."""
        self.close()
        why = str(error) or type(error).__name__
        hint = "see password_file" if isinstance(error, PermissionError) else "see that its VNC server runs"
        return ToolFailed(f"screen {self.name} ({self._host}:{self._port}): {why}; {hint}")
