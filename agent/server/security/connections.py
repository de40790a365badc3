"""Connections before there is a request: how many, from where, and how long one may take to say what it wants.

uvicorn waits for headers for ever; here a connection that has not brought a whole head in time is closed, and so is one
too many, or one from a network that is not served, before anything of it is read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from agent.server.security.networks import Networks
from agent.settings import ServerSettings

__all__ = ["guarded_protocol"]


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

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect_nothing()
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

        def _expect_head(self) -> None:
            self._deadline = self.loop.call_later(settings.header_seconds, self.transport.abort)

        def _expect_nothing(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return GuardedProtocol
