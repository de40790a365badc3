"""`watchkeeper voice serve`: the Wyoming server, the satellites that are called, and the microphone, until Ctrl-C.

The server listens on loopback unless told otherwise: the protocol has no passwords, and who reaches it may speak for
the people of the house. Asynchronous at the edge only: ears, mouth and turns run in threads and processes of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial

from wyoming.satellite import RunSatellite

from agent.console import complain
from agent.due import DueKeeper
from agent.env import Env
from agent.errors import InputError
from agent.orders import Due
from agent.plugin_host import PluginHost
from agent.settings import VoiceSettings
from agent.turn import Agent
from agent.voice.addresses import address_of
from agent.voice.brain import Brain
from agent.voice.microphone import listen
from agent.voice.sentences import spoken_language
from agent.voice.session import Session
from agent.voice.voice import Voice

__all__ = ["WyomingServer", "serve"]


def serve(env: Env, plugins: PluginHost, make: Callable[[], Agent], *, microphone: bool, area: str) -> None:
    """Serve until interrupted.

    :param make: opens the agent.
    :raises InputError: the address is taken, a satellite's makes no sense, or there is no microphone.
    """
    settings = env.settings.voice
    for address in settings.satellites:
        address_of(address)
    voice = Voice(env, lambda: plugins.names_to_hear(env))
    brain = due = None
    try:
        brain = Brain(make)
        server = WyomingServer(voice, brain, settings)
        due = DueKeeper(partial(brain.run_due, server.ring), seconds=env.settings.devices.timer_poll_seconds)
        due.start()
        complain(*filter(None, (voice.deaf, voice.mute)))
        voice.warm()
        stop = threading.Event()
        if microphone:
            threading.Thread(target=listen, args=(voice, brain, settings, area, stop), daemon=True).start()
        asyncio.run(_until_stopped(server))
        stop.set()
    finally:
        if due is not None:
            due.close()
        voice.close()
        if brain is not None:
            brain.close()


async def _until_stopped(server: WyomingServer) -> None:
    """Serve until Ctrl-C, or until the system says stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.run(stop)


class WyomingServer:
    """Takes connections, and makes those to satellites."""

    def __init__(self, voice: Voice, brain: Brain, settings: VoiceSettings) -> None:
        self._voice, self._brain, self._settings = voice, brain, settings
        self._open = 0
        self._sessions = set[Session]()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = 0
        """Where it listens, once `started` is entered."""

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set.

        :raises InputError: the address cannot be used.
        """
        async with self.started():
            complain(f"voice: listening on tcp://{self._settings.host}:{self.port}")
            calls = [asyncio.create_task(self._keep(place, area)) for place, area in self._settings.satellites.items()]
            await stop.wait()
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Listening, for as long as it is entered.

        :raises InputError: the address cannot be used.
        """
        settings = self._settings
        try:
            server = await asyncio.start_server(
                self._take, settings.host, settings.port, limit=settings.max_event_bytes
            )
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise InputError(f"{where}: cannot listen: {error.strerror}; change [voice] host or port") from None
        self._loop = asyncio.get_running_loop()
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield

    def ring(self, due: Due) -> bool:
        """Have what is due said by the satellites in its area. From any thread; it does not wait until they have.

        :return: False where none is there, or the box has no voice: then it is told otherwise.
        """
        area = due.area.casefold()
        there = [session for session in list(self._sessions) if session.satellite_area.casefold() == area]
        if self._loop is None or not (area and there and self._voice.speaks):
            return False
        language = spoken_language(due.words, "en")
        for session in there:
            asyncio.run_coroutine_threadsafe(session.announce(due.said[language], language), self._loop)
        return True

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection that somebody made."""
        if self._open >= self._settings.most_connections:
            writer.close()  # one more would take the place of those that are here
            return
        with contextlib.suppress(asyncio.CancelledError):  # the server stops; nobody waits for this task
            await self._serve(reader, writer, "")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, area: str) -> None:
        self._open += 1
        try:
            await self._run(self._session(reader, writer, area))
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, area: str) -> Session:
        return Session(reader, writer, voice=self._voice, brain=self._brain, settings=self._settings, area=area)

    async def _run(self, session: Session) -> None:
        """Answer it, and know that it is there."""
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    async def _keep(self, address: str, area: str) -> None:
        """A satellite that is called, and called again when it was gone."""
        host, port = address_of(address)
        settings = self._settings
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(settings.connect_seconds):
                    reader, writer = await asyncio.open_connection(host, port, limit=settings.max_event_bytes)
                session = self._session(reader, writer, area)
                try:
                    await session.send(RunSatellite())
                    await self._run(session)
                finally:
                    writer.close()
            await asyncio.sleep(settings.retry_seconds)
