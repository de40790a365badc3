"""One chat completion, from the request to its pieces.

    turn     without functions and without a form of its own it is a turn as every other: the last thing that the
             person said, with the photo shown last; sources stand in the text
    direct   else the model itself replies, in the grammar of the client's functions and form

Each gives pieces of text as they come, and last what was `Answered`. Whoever goes before the end does not want it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool

from agent.errors import BadReply, WatchkeeperError
from agent.server.events import EventLog
from agent.server.live import LiveTurn
from agent.server.openai.direct import Direct, DirectReply, photo_of
from agent.server.openai.request import ChatRequest
from agent.server.openai.threads import Said, Threads
from agent.server.openai.wire import Answered, usage_of
from agent.server.problems import INTERNAL, Problem, problem_of
from agent.server.security.caller import Caller
from agent.server.service import Service
from agent.values import say

__all__ = ["Piece", "Pieces", "answer_directly", "answer_turn", "is_direct"]

Piece = str | Answered | None
"""Some text, or the end; None: nothing new, it goes on."""
Pieces = AsyncGenerator[Piece, None]
_WRONG_FORM = say("模型的回答不合要求的格式,请再试。", "the model's reply was not of the form that was asked for")


def is_direct(request: ChatRequest) -> bool:
    """Whether the client has the loop, or wants a form of its own."""
    return bool(request.tools) or request.response_format.type != "text"


async def answer_turn(request: ChatRequest, service: Service, caller: Caller, threads: Threads) -> Pieces:
    """A turn.

    :raises Problem: why there is no answer.
    """
    said: list[Said] = [(one.role, one.text) for one in request.messages if one.role in ("user", "assistant")]
    last = max((n for n, (role, _) in enumerate(said) if role == "user"), default=-1)
    if last < 0:
        raise Problem(400, "invalid_request", say("没有用户的提问。", "messages: there is none of a user"))
    name = threads.name(caller.client, said[:last])
    turn = await run_in_threadpool(
        service.ask,
        said[last][1],
        client=caller.client,
        photo=photo_of(request.messages),
        conversation=name,
        keep=False,
        relayed=not service.settings.openai.own_words,
    )
    try:
        async for event in turn.log.follow(0, beat_seconds=1.0):
            yield str(event.data["token"]) if event is not None and event.kind == "token" else None
    finally:
        if not turn.log.ended:
            service.cancel(turn)
    answered = _turn_answered(turn)
    threads.keep(caller.client, [*said[: last + 1], ("assistant", answered.text)], name)
    yield answered


async def answer_directly(request: ChatRequest, service: Service, caller: Caller) -> Pieces:
    """A reply of the model.

    :raises Problem: why there is none.
    """
    direct = await run_in_threadpool(Direct, request, service.agent)
    log, gone = EventLog(), threading.Event()
    texts = _Texts(direct, log, live=request.stream and not request.stops)
    waits = service.submit(lambda: direct.run(gone.is_set, texts.add), client=caller.client)
    waits.add_done_callback(lambda done: log.add("answer", {}))
    try:
        async for event in log.follow(0, beat_seconds=1.0):
            yield str(event.data["token"]) if event is not None and event.kind == "token" else None
        made = await asyncio.wrap_future(waits)
    except BadReply:
        raise Problem(502, "bad_reply", _WRONG_FORM) from None
    except WatchkeeperError as error:
        raise problem_of(error) from None
    finally:
        gone.set()
        waits.cancel()
    text, stopped = _until(made.text, request.stops)
    if not made.calls and not texts.told:
        yield text
    yield _direct_answered(made, text, stopped=stopped)


class _Texts:
    """Passes words on as they come; what opens a call is no words."""

    def __init__(self, direct: Direct, log: EventLog, *, live: bool) -> None:
        self._bound, self._log, self._live = direct.bound, log, live
        self._held = ""
        self._is_call: bool | None = None
        self.told = False

    def add(self, text: str) -> None:
        if not self._live or self._is_call:
            return
        self._held += text
        if self._is_call is None:
            self._is_call = self._bound.opens_call(self._held)
        if self._is_call is False:
            self._log.add("token", {"token": self._held})
            self._held, self.told = "", True


def _turn_answered(turn: LiveTurn) -> Answered:
    answer: Mapping[str, Any] | None = turn.answer
    if answer is None:
        raise turn.error or INTERNAL
    tokens = answer["tokens"]
    usage = usage_of(tokens["prompt"], tokens["sampled"] + tokens["forced"], tokens["reused"])
    more = {name: answer[name] for name in ("turn", "citations", "rung")} | {"actions": answer.get("done", [])}
    return Answered(str(answer["answer"]), "stop", usage, more=more)


def _direct_answered(made: DirectReply, text: str, *, stopped: bool) -> Answered:
    used = made.reply.usage
    usage = usage_of(used.prompt_tokens, used.sampled_tokens + used.forced_tokens, used.reused_tokens)
    cut = made.reply.stopped != "done" and not stopped
    return Answered(text, "tool_calls" if made.calls else "length" if cut else "stop", usage, made.calls)


def _until(text: str, stops: list[str]) -> tuple[str, bool]:
    """A text up to the first of what ends it, and whether one did."""
    ends = [at for stop in stops if (at := text.find(stop)) >= 0]
    return (text[: min(ends)], True) if ends else (text, False)
