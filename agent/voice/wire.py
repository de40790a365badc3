"""Events of the Wyoming protocol, read within bounds.

An event is a line of JSON, `{"type", "data_length", "payload_length", …}`, then that much JSON and that much sound. The
package `wyoming` has the events; it reads whatever lengths a line promises, so that is done here.
https://github.com/OHF-Voice/wyoming
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, BinaryIO

from wyoming.event import Event

from agent.errors import InputError
from agent.settings import VoiceSettings

__all__ = ["read_event", "receive_event", "text_of"]

_AGAIN = "send events of the Wyoming protocol"


async def read_event(reader: asyncio.StreamReader, settings: VoiceSettings) -> Event | None:
    """The next event; None where the other side has gone.

    :param reader: made with the limit `max_event_bytes`.
    :raises InputError: it is none, or beyond the limits.
    :raises TimeoutError: nothing came for `idle_seconds`, or the rest of it took longer than `event_seconds`.
    """
    try:
        async with asyncio.timeout(settings.idle_seconds):
            line = await reader.readline()
        if not line:
            return None
        head, more, payload = _head(line, settings)
        async with asyncio.timeout(settings.event_seconds):
            data = await reader.readexactly(more)
            sound = await reader.readexactly(payload)
    except ValueError:  # readline's own, of a line that is too long
        raise _too_long("line", settings.max_event_bytes, "max_event_bytes") from None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return _event(head, data, sound)


def receive_event(stream: BinaryIO, settings: VoiceSettings) -> Event | None:
    """The same of a socket's file, whose own time limit holds.

    :raises InputError: it is none, or beyond the limits.
    :raises OSError: nothing came in time.
    """
    line = stream.readline(settings.max_event_bytes + 1)
    if not line:
        return None
    if len(line) > settings.max_event_bytes:
        raise _too_long("line", settings.max_event_bytes, "max_event_bytes")
    head, more, payload = _head(line, settings)
    data, sound = stream.read(more), stream.read(payload)
    return None if len(data) < more or len(sound) < payload else _event(head, data, sound)


def text_of(event: Event, key: str, most: int) -> str:
    """A text that an event carries; empty where it carries none.

    :param most: characters; the rest is cut off.
    """
    value = event.data.get(key)
    return value[:most] if isinstance(value, str) else ""


def _head(line: bytes, settings: VoiceSettings) -> tuple[dict[str, Any], int, int]:
    """:return: the line, and how many bytes of data and of sound follow it."""
    head = _object(line)
    if not isinstance(head.get("type"), str):
        raise InputError(f"an event has no type; {_AGAIN}")
    more = _length(head.get("data_length"), settings.max_event_bytes, "max_event_bytes")
    return head, more, _length(head.get("payload_length"), settings.max_payload_bytes, "max_payload_bytes")


def _length(told: object, most: int, setting: str) -> int:
    if told is None:
        return 0
    if isinstance(told, bool) or not isinstance(told, int) or told < 0:
        raise InputError(f"an event promises {told!r:.40} bytes; {_AGAIN}")
    if told > most:
        raise _too_long("event", most, setting)
    return told


def _event(head: dict[str, Any], data: bytes, sound: bytes) -> Event:
    own = head.get("data")
    found = own if isinstance(own, dict) else {}
    return Event(head["type"], {**found, **(_object(data) if data else {})}, sound or None)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"an event is not JSON: {error}; {_AGAIN}") from None
    if not isinstance(value, dict):
        raise InputError(f"an event is not a JSON object; {_AGAIN}")
    return value


def _too_long(what: str, most: int, setting: str) -> InputError:
    return InputError(f"the {what} is longer than {most} bytes (voice.{setting}); send less at once")
