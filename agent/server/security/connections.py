"""Connections: how many, from where, how long one may take to say what it wants, and to take what it is told.

uvicorn waits for headers for ever, and for whoever does not read. Here a connection that has not brought a whole head
in time is closed, and so is one too many, or one from a network that is not served, before anything of it is read. One
that takes nothing of what waits for it, from one look to the next, is closed too: an answer or a stream that nobody
reads would be kept for ever.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from agent.server.security.networks import Networks
from agent.settings import ServerSettings

__all__ = ["guarded_protocol"]

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: on, no seconds."""


def guarded_protocol(settings: ServerSettings) -> type[asyncio.Protocol]:
    """The protocol of a server with these limits; connections are counted over all of it."""
    networks = Networks(settings.networks)
    open_now: Counter[str] = Counter()

    class GuardedProtocol(H11Protocol):
        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            super().__init__(config, server_state, app_state, _loop)
            self._deadline: asyncio.TimerHandle | None = None
            self._next_look: asyncio.TimerHandle | None = None
            self._unread = 0
            self._address = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._address = self.client[0] if self.client else ""
            open_now[self._address] += 1
            if (
                self._address not in networks
                or open_now[self._address] > settings.most_connections_each
                or open_now.total() > settings.most_connections
            ):
                transport.abort()
                return
            self._expect_head()
            self._next_look = self.loop.call_later(settings.unread_seconds, self._look)

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect_nothing()
            if self._next_look is not None:
                self._next_look.cancel()
            open_now[self._address] -= 1
            if open_now[self._address] <= 0:
                del open_now[self._address]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            waiting = self.cycle is None or self.cycle.response_complete
            if waiting and self._deadline is None:
                self._expect_head()
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:
                self._expect_nothing()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._expect_nothing()

        def resume_writing(self) -> None:
            self._unread = 0
            super().resume_writing()

        def _look(self) -> None:
            """Whether less waits to be read than at the look before; what was taken and filled again was resumed."""
            unread = self.transport.get_write_buffer_size()
            if 0 < self._unread <= unread:
                self._let_go()
                return
            self._unread = unread
            self._next_look = self.loop.call_later(settings.unread_seconds, self._look)

        def _let_go(self) -> None:
            """Close without offering what waits any longer: the system would keep that, too."""
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()

        def _expect_head(self) -> None:
            self._deadline = self.loop.call_later(settings.header_seconds, self.transport.abort)

        def _expect_nothing(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return GuardedProtocol
