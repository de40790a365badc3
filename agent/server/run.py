"""The server as a process: listen, tell the supervisor that it is ready and lives, stop in order."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from agent.console import complain, emit
from agent.errors import InputError, SettingsError
from agent.server.app import make_app
from agent.server.security.connections import guarded_protocol
from agent.server.security.networks import Networks, is_loopback
from agent.server.security.tokens import TokenBook
from agent.server.service import Service
from agent.server.supervisor import Supervisor
from agent.settings import ServerSettings
from agent.turn import Agent

__all__ = ["BoxServer", "run_server", "server_config"]

_BACKLOG = 256


class BoxServer(uvicorn.Server):
    """uvicorn's server, which says how it is and lets go of those who listen when it stops."""

    def __init__(self, config: uvicorn.Config, service: Service, supervisor: Supervisor) -> None:
        super().__init__(config)
        self._service = service
        self._supervisor = supervisor
        self._beats: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._supervisor.ready()
        self._beats = asyncio.create_task(self._beat())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._supervisor.stopping()
        self._service.hang_up()
        await super().shutdown(sockets=sockets)
        if self._beats is not None:
            self._beats.cancel()

    async def _beat(self) -> None:
        """Say that it lives as long as the thread of the turns does."""
        while self._supervisor.beat_seconds is not None:
            if self._service.queue.alive:
                self._supervisor.alive()
            await asyncio.sleep(self._supervisor.beat_seconds)


def run_server(agent: Agent) -> None:
    """Serve until a signal ends it.

    :raises SettingsError: it would be open to people who cannot be told apart, or its certificate cannot be used.
    :raises InputError: the address cannot be listened on.
    """
    settings = agent.env.settings.server
    tokens = TokenBook(agent.env.home.tokens)
    _refuse_open(settings, tokens)
    service = Service(agent)
    try:
        config = server_config(make_app(service), settings)
        _load_certificate(config)
        listening = _listen(settings)
    except BaseException:
        agent.close()
        raise
    signal.signal(signal.SIGTERM, lambda number, frame: None)  # uvicorn raises it once more when all is closed
    where = _address(settings, listening)
    emit({"listens": where}, as_json=False, human=f"listens on {where}; the model is being loaded")
    with listening, suppress(KeyboardInterrupt):
        BoxServer(config, service, Supervisor()).run(sockets=[listening])


def server_config(app: FastAPI, settings: ServerSettings) -> uvicorn.Config:
    """How uvicorn runs it: by h11 alone, believing no header about who asked, and logging no requests."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=guarded_protocol(settings),
        ws="none",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="error",
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.stop_seconds,
        h11_max_incomplete_event_size=settings.max_header_bytes,
        ssl_certfile=settings.certificate_file,
        ssl_keyfile=settings.key_file,
    )


def _refuse_open(settings: ServerSettings, tokens: TokenBook) -> None:
    networks = Networks(settings.networks)
    if is_loopback(settings.host):
        return
    if tokens.is_empty:
        raise SettingsError(
            f"server.host is {settings.host} and nobody has a token; make one first: "
            "watchkeeper tokens add NAME --role ask"
        )
    if networks.only_loopback:
        complain("server.networks holds loopback only, so nobody else is served; add your network to it")
    if settings.certificate_file is None:
        complain("without TLS: whoever is on the network can read tokens and photos; set server.certificate_file")


def _load_certificate(config: uvicorn.Config) -> None:
    if (config.ssl_certfile is None) != (config.ssl_keyfile is None):
        raise SettingsError("server.certificate_file and server.key_file belong together; give both or none")
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{config.ssl_certfile}: cannot be used with its key ({error}); give PEM files") from None


def _listen(settings: ServerSettings) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)  # asyncio sends at once only what it knows to be TCP
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise InputError(f"{where}: cannot be listened on ({error.strerror}); choose another server.port") from None
    listening.set_inheritable(False)
    return listening


def _address(settings: ServerSettings, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    scheme = "https" if settings.certificate_file else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
