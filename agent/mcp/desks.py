"""Who answers programs: the agent of this process alone, or the one of a server, in its queue."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import anyio
from anyio import to_thread

from agent.errors import PhotoError
from agent.mcp.program_calls import Called, offered, run_call
from agent.orders import Heard
from agent.tools import Tool
from agent.turn import Agent
from agent.values import Json

__all__ = ["AgentDesk", "decoded"]


class AgentDesk:
    """An agent that answers one program, one request after another."""

    def __init__(self, agent: Agent, who: str) -> None:
        """
        :param who: the program, for the trail.
        """
        self._agent = agent
        self._who = who
        self._turns = anyio.Lock()

    def tools(self) -> Mapping[str, Tool]:
        """Those that can be called, by name."""
        return offered(self._agent)

    async def call(self, request: Any, name: str, arguments: Mapping[str, Json]) -> Called:
        """As `Desk.call`."""
        async with self._turns:
            return await to_thread.run_sync(lambda: run_call(self._agent, name, arguments, who=self._who))

    async def ask(self, request: Any, question: str, photo: str | None) -> Mapping[str, Any]:
        """As `Desk.ask`."""
        picture = decoded(photo)
        async with self._turns:
            heard = Heard(relayed=True)
            record = await to_thread.run_sync(lambda: self._agent.ask(question, photo=picture, heard=heard))
        return record.to_json()


def decoded(photo: str | None) -> bytes | None:
    """:raises PhotoError: it is no base64."""
    if not photo:
        return None
    try:
        return base64.b64decode(photo.partition(",")[2] if photo[:5].lower() == "data:" else photo, validate=True)
    except (binascii.Error, ValueError):
        raise PhotoError("the photo is not base64; encode the bytes of its file") from None
