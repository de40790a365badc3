"""Frames between a parent and its worker, over a Unix stream socket.

A frame is a fixed head (mark, two lengths, number of descriptors), a header in JSON and, where there is one, an
attachment of plain bytes. A module may be anybody's, so a frame is never pickled: all that it can spell is JSON. Both
lengths are bounded, and are checked before anything is read or sent. Buffers too large for that cross as descriptors of
sealed memory (`agent.workers.shared`), from the parent to the worker only.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.errors import WorkerError
from agent.values import Json

__all__ = ["Bounds", "Channel", "Frame", "FrameError"]

_HEAD = struct.Struct("!4sIIB")
_MARK = b"WKF1"
_READ_BYTES = 1 << 20
_CLOSED_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class FrameError(WorkerError):
    """The other side does not keep to the protocol, or a frame would not."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one frame may hold."""

    header_bytes: int
    """Of the JSON."""
    attachment_bytes: int
    descriptors: int = 0
    """Open files that may come in with it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    header: Mapping[str, Json]
    attachment: bytes = b""
    descriptors: tuple[int, ...] = ()
    """Open files; whoever takes the frame closes them."""


class Channel:
    """One end. Any number of threads may send; one may receive."""

    def __init__(self, end: socket.socket, bounds: Bounds) -> None:
        """
        :param end: its time-out is the time that a started frame may take to cross.
        """
        self._end = end
        self._bounds = bounds
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """To wait on."""
        return self._end.fileno()

    def send(
        self, header: Mapping[str, Json], *, attachment: bytes | memoryview = b"", descriptors: Sequence[int] = ()
    ) -> None:
        """Send one frame, whole.

        :raises FrameError: it is beyond the bounds, or not JSON; nothing was sent.
        :raises OSError: the other side is gone, or does not read; the channel is of no more use.
        """
        try:
            body = json.dumps(header, allow_nan=False, separators=(",", ":")).encode("ascii")
        except (TypeError, ValueError, RecursionError) as error:
            raise FrameError(f"a message to a worker has to be JSON: {error}") from None
        self._check(len(body), len(attachment))
        head = _HEAD.pack(_MARK, len(body), len(attachment), len(descriptors))
        with self._sending:
            if descriptors:
                sent = socket.send_fds(self._end, [head], list(descriptors))
                self._end.sendall(head[sent:] + body)
            else:
                self._end.sendall(head + body)
            if attachment:
                self._end.sendall(attachment)

    def receive(self) -> Frame | None:
        """The next frame; None where the other side has closed.

        :raises FrameError: garbage, beyond the bounds, cut off, or too slow.
        """
        found: list[int] = []
        try:
            head = self._head(found)
            if head is None:
                return None
            mark, header_bytes, attachment_bytes, count = _HEAD.unpack(head)
            if mark != _MARK or count != len(found):
                raise FrameError(f"it sent {head!r:.60} where a message begins")
            self._check(header_bytes, attachment_bytes)
            header = _parse(self._exactly(header_bytes))
            return Frame(header, self._exactly(attachment_bytes), tuple(found))
        except BaseException as error:
            for descriptor in found:
                os.close(descriptor)
            if isinstance(error, TimeoutError):
                raise FrameError("it stopped in the middle of a message") from None
            raise

    def shut(self) -> None:
        """Tell the other side that this was all; both directions end."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the socket, once nobody receives any more."""
        self.shut()
        with self._sending:
            self._end.close()

    def _check(self, header_bytes: int, attachment_bytes: int) -> None:
        most = self._bounds
        if header_bytes > most.header_bytes:
            raise FrameError(f"a message of {header_bytes} bytes; workers.max_header_bytes is {most.header_bytes}")
        if attachment_bytes > most.attachment_bytes:
            raise FrameError(
                f"an attachment of {attachment_bytes} bytes; workers.max_attachment_bytes is {most.attachment_bytes}"
            )

    def _head(self, found: list[int]) -> bytes | None:
        if self._bounds.descriptors:
            data, descriptors, _, _ = socket.recv_fds(
                self._end, _HEAD.size, self._bounds.descriptors, flags=_CLOSED_ON_EXEC
            )
            found += descriptors
        else:
            data = self._end.recv(_HEAD.size)
        if not data:
            return None
        return data + self._exactly(_HEAD.size - len(data))

    def _exactly(self, count: int) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            part = self._end.recv(min(count - len(taken), _READ_BYTES))
            if not part:
                raise FrameError(f"it closed after {len(taken)} of {count} bytes of a message")
            taken += part
        return bytes(taken)


def _parse(data: bytes) -> dict[str, Json]:
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"it sent a message that is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise FrameError("it sent a message that is not an object")
    return header
