"""A reply of the model itself: where the client brings functions of its own, or wants a form of its own.

Nothing of the plant is looked up, no tool of this box runs and nothing is moved: the client has the loop. The grammar
is tried here before the model sees it, so that what a client sends cannot bring down the rung that answers everybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.errors import BadReply, ModelError
from agent.messages import Message, Reply, ToolCall
from agent.model.fits import fit
from agent.model.protocol import ReplyLimits
from agent.panel_records import lamp_record, reading_record
from agent.photo import load_photo
from agent.server.openai.calls import ChatBound, call_text, described
from agent.server.openai.request import ChatMessage, ChatRequest
from agent.server.problems import Problem
from agent.server.routes.turns import decoded_photo
from agent.turn import Agent
from agent.values import say

__all__ = ["Direct", "DirectReply", "photo_of"]

_MOST_SHOWN_CHARS = 4_000
"""Of what was read from a photo, for a model that does not see."""


@dataclass(frozen=True, slots=True)
class DirectReply:
    """What the model said."""

    reply: Reply
    text: str
    calls: tuple[ToolCall, ...]


class Direct:
    """One request, checked; `run` is called in the thread of the queue."""

    def __init__(self, request: ChatRequest, agent: Agent) -> None:
        """
        :raises Problem: a schema of it cannot be bound, or a picture is no data URI.
        """
        settings = agent.env.settings.server.openai
        self._agent = agent
        self._request = request
        self._settings = settings
        self.bound = ChatBound(
            tuple(request.functions),
            request.response_format.schema_of(),
            request.must_call and bool(request.tools),
            settings.most_calls if request.parallel_tool_calls else 1,
        )
        self._words = ChatBound((), self.bound.form, False, 1)
        self.photo = photo_of(request.messages)
        _try(self.bound)

    def run(self, cancelled: Callable[[], bool], on_text: Callable[[str], None] | None) -> DirectReply:
        """Ask the model.

        :raises ModelError: no rung can; the rules word nothing.
        """
        ladder = self._agent.ladder
        ladder.begin_turn()
        try:
            return self._asked(cancelled, on_text)
        finally:
            ladder.settle()

    def _asked(self, cancelled: Callable[[], bool], on_text: Callable[[str], None] | None) -> DirectReply:
        messages = self._messages()
        reply = self._reply(messages, self.bound, cancelled, on_text)
        calls = self.bound.parse(reply.text) if reply.stopped == "done" else ()
        fresh = tuple(call for call in calls if call not in self._made())
        if calls and not fresh and not self.bound.must_call:  # it was done, and small models go on doing it
            reply = self._reply(messages, self._words, cancelled, on_text)
            return DirectReply(reply, reply.text, ())
        return DirectReply(reply, "" if calls else reply.text, fresh or calls)

    def _reply(
        self,
        messages: Sequence[Message],
        bound: ChatBound,
        cancelled: Callable[[], bool],
        on_text: Callable[[str], None] | None,
    ) -> Reply:
        request, settings = self._request, self._settings
        wanted = request.max_completion_tokens or request.max_tokens or settings.reply_tokens
        limits = ReplyLimits(
            max_tokens=min(wanted, settings.reply_tokens),
            temperature=request.temperature,
            seed=abs(request.seed),
            deadline=time.monotonic() + settings.reply_seconds,
            cancelled=cancelled,
        )
        plain = not bound.functions and bound.form is None
        tools = [described(one) for one in self.bound.functions]
        return self._agent.ladder.reply(messages, tools, bound=None if plain else bound, limits=limits, on_text=on_text)

    def _messages(self) -> list[Message]:
        """System first and once; pictures for a model that sees, what was read of them for one that does not."""
        given = self._request.messages
        system = "\n\n".join(one.text for one in given if one.role in ("system", "developer") and one.text)
        last = max((n for n, one in enumerate(given) if one.images), default=-1)
        messages = [Message("system", system)] if system else []
        for n, one in enumerate(given):
            if one.role == "user":
                messages.append(self._with_photo(one.text) if n == last else Message("user", one.text))
            elif one.role == "assistant":
                made = call_text([(call.function.name, call.function.arguments) for call in one.tool_calls or ()])
                messages.append(Message("assistant", "\n".join(filter(None, (one.text, made)))))
            elif one.role in ("tool", "function"):
                messages.append(Message("tool", one.text))
        return messages

    def _with_photo(self, text: str) -> Message:
        agent = self._agent
        if self.photo is None:
            return Message("user", text)
        photo = load_photo(self.photo, agent.env.settings.photo)
        if agent.ladder.sees:
            return Message("user", text, photo)
        seen = agent.plugins.perceive(photo, agent.env)
        if seen is None:
            return Message("user", text)
        records = [reading_record(seen, n) for n in range(len(seen.readings))]
        records += [lamp_record(seen, n) for n in range(len(seen.lamps))]
        lines = [record.line["en"] for record in records] or [one.text for one in seen.texts]
        return Message("user", f"{text}\n\nOn the photo:\n" + "\n".join(lines)[:_MOST_SHOWN_CHARS])

    def _made(self) -> list[ToolCall]:
        """Calls that were made since the person spoke last."""
        made: list[ToolCall] = []
        for one in self._request.messages:
            if one.role == "user":
                made = []
            for call in one.tool_calls or ():
                made += self._known(call.function.name, call.function.arguments)
        return made

    def _known(self, name: str, arguments: str) -> tuple[ToolCall, ...]:
        try:
            return self.bound.parse(f'{{"name": "{name}", "arguments": {arguments}}}')
        except BadReply:
            return ()


def photo_of(messages: Sequence[ChatMessage]) -> bytes | None:
    """The picture that was shown last.

    :raises Problem: its address is no data URI.
    """
    shown = [url for one in messages if one.role == "user" for url in one.images]
    if not shown:
        return None
    if shown[-1][:5].lower() != "data:":
        told = say("图片须以 data URI 给出。", "image_url: give a data URI; this box fetches nothing from elsewhere")
        raise Problem(400, "image_url", told)
    return decoded_photo(shown[-1])


def _try(bound: ChatBound) -> None:
    """:raises Problem: llguidance does not take the grammar."""
    if not bound.functions and bound.form is None:
        return
    try:
        fit(bound.lark(), "")
    except ModelError as error:
        told = f"its schemas make no grammar: {str(error).splitlines()[0][:200]}"
        raise Problem(400, "invalid_request", say("JSON schema 无法使用。", told)) from None
