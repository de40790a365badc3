"""The same question on the same evidence with the same weights gets the reply that it got before, without a pass of
the model.

The key is a digest over everything that shapes a reply: every message with the pixels of its photo, the tools, the
grammar, the limits, the weights, the model's settings and the versions of what decodes. Only the model's words are
kept: tools run again, so a log row of this morning is in the answer.

Used only where the turn says so (`ReplyLimits.reusable`: nothing that was offered in it changes anything) and for
greedy decoding; kept only where the reply ended by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib.metadata import version

from agent.box_key import box_secret
from agent.env import Env
from agent.messages import Message, Reply, Usage
from agent.model.many import replies_of
from agent.model.protocol import Bound, Model, ReplyLimits, Request
from agent.model.reply_store import ReplyStore
from agent.settings import ModelSettings
from agent.tools import Tool

__all__ = ["CachedModel", "with_result_cache"]

_FORMAT = 1
_LIBRARIES = ("watchkeeper", "llama-cpp-python", "llguidance")
_NOT_SHAPING = {"deadline", "lookup_tokens", "reusable"}
"""Limits that end a reply, speed it up or say what it is for. Every other one is part of the key, but for functions."""
_OWN_SETTINGS = "result_cache_"


class CachedModel:
    """A `Model` that remembers what another one said."""

    def __init__(self, model: Model, store: ReplyStore, weights_digest: str, settings: ModelSettings) -> None:
        """
        :param weights_digest: of all the files that the model was loaded from.
        """
        self._model = model
        self._store = store
        shape = {
            name: value
            for name, value in settings.model_dump(mode="json").items()
            if not name.startswith(_OWN_SETTINGS)
        }
        versions = [version(library) for library in _LIBRARIES]
        self._shape = [_FORMAT, model.name, weights_digest, shape, versions]

    @property
    def name(self) -> str:
        """The model's own."""
        return self._model.name

    @property
    def sees(self) -> bool:
        """Whether the model does."""
        return self._model.sees

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As `Model.reply`; a reply that was kept comes at once and whole, and its usage says so."""
        if not limits.reusable or limits.temperature != 0 or limits.expired():
            return self._model.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)
        key = self._key(messages, tools, bound, limits)
        text = self._store.get(key)
        if text is not None:
            if on_text is not None:
                on_text(text)
            return _again(text)
        reply = self._model.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)
        if reply.stopped == "done":
            self._store.put(key, reply.text)
        return reply

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """As `ManyAtOnce.reply_many`; only what was not said before is asked for."""
        keys = [self._key_of(request) for request in requests]
        kept = [self._store.get(key) if key else None for key in keys]
        asked = [n for n, text in enumerate(kept) if text is None]
        fresh = dict(zip(asked, replies_of(self._model, [requests[n] for n in asked], limits), strict=True))
        for n, reply in fresh.items():
            key = keys[n]
            if key and isinstance(reply, Reply) and reply.stopped == "done":
                self._store.put(key, reply.text)
        return [fresh[n] if text is None else _again(text) for n, text in enumerate(kept)]

    def _key_of(self, request: Request) -> str:
        """Empty where a reply is not to be kept."""
        limits = request.limits
        keeps = limits.reusable and limits.temperature == 0
        return self._key(request.messages, request.tools, request.bound, limits) if keeps else ""

    def close(self) -> None:
        """Free the model and close the store."""
        self._store.close()
        self._model.close()

    def _key(self, messages: Sequence[Message], tools: Sequence[Tool], bound: Bound | None, limits: ReplyLimits) -> str:
        asked = [
            self._shape,
            [[m.role, m.text, m.photo.digest if m.photo is not None else None] for m in messages],
            [tool.specification() for tool in tools],
            bound.lark() if bound is not None else None,
            _plain(limits),
        ]
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _again(text: str) -> Reply:
    return Reply(text, "done", Usage(cached_replies=1))


def _plain(limits: ReplyLimits) -> dict[str, object]:
    """The limits that shape a reply."""
    values = {f.name: getattr(limits, f.name) for f in fields(limits) if f.name not in _NOT_SHAPING}
    return {name: value for name, value in values.items() if not callable(value)}


def with_result_cache(model: Model, env: Env, *, weights_digest: str) -> Model:
    """The model with the box's cache of replies before it, or as it is where the settings keep none."""
    settings = env.settings.model
    if not settings.result_cache_rows or not settings.result_cache_bytes:
        return model
    store = ReplyStore(
        env.home.cache / "replies.db",
        max_rows=settings.result_cache_rows,
        max_bytes=settings.result_cache_bytes,
        busy_seconds=settings.result_cache_busy_seconds,
        secret=box_secret(env.home.box_key),
    )
    return CachedModel(model, store, weights_digest, settings)
