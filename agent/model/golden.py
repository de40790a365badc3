"""Does a model that loads also think? One question whose answer is certain, under a grammar that allows wrong ones.

A model of any size repeats five digits; one whose weights, cache type or library are wrong does so once in a hundred
thousand. What it took is remembered for this box, so that later "too slow" means slow for this box.
"""

from __future__ import annotations

import time

from agent.errors import ModelUnsound
from agent.messages import Message
from agent.model.protocol import Model, ReplyLimits
from agent.settings import LadderSettings

__all__ = ["GoldenBound", "allowed_seconds", "prove", "prove_remote"]

_DIGITS = "7 2 9 4 8"
_QUESTION = Message("user", f"Repeat exactly: {_DIGITS}")
_TOKENS = 24
_MS = 1_000.0


class GoldenBound:
    """Any five digits."""

    def lark(self) -> str:
        """The grammar."""
        return 'start: /[0-9] [0-9] [0-9] [0-9] [0-9]/ "\\n"'


def allowed_seconds(settings: LadderSettings, known_ms: float) -> float:
    """How long the answer may take.

    :param known_ms: what it took here before; 0 where it was never measured.
    """
    if not known_ms:
        return settings.golden_seconds
    told = settings.golden_factor * known_ms / _MS
    return min(settings.golden_seconds, max(settings.golden_least_seconds, told))


def prove(model: Model, *, start_seconds: float, seconds: float) -> float:
    """Let a model show that it works.

    :param start_seconds: for it to be loaded.
    :param seconds: for the answer, once it is.
    :return: milliseconds that it computed.
    :raises ModelUnsound: it answers wrongly or too late.
    :raises ModelError: it does not load, or failed.
    """
    limits = ReplyLimits(_TOKENS, deadline=time.monotonic() + start_seconds + seconds)
    reply = model.reply([_QUESTION], (), bound=GoldenBound(), limits=limits)
    took = reply.usage.prefill_ms + reply.usage.decode_ms
    if reply.stopped != "done" or took > seconds * _MS:
        raise ModelUnsound(f"{model.name}: it did not answer its test question within {seconds:g} s (ladder.golden_…)")
    if reply.text.strip() != _DIGITS:
        raise ModelUnsound(
            f"{model.name}: it loads and talks nonsense: asked to repeat {_DIGITS}, it said {reply.text.strip()[:40]!r}"
        )
    return took


def prove_remote(model: Model, *, seconds: float) -> None:
    """Let a server show that it answers at all; it may format as it likes.

    :raises ModelUnsound: it says nothing in time.
    :raises ModelError: it cannot be reached.
    """
    limits = ReplyLimits(_TOKENS, deadline=time.monotonic() + seconds)
    reply = model.reply([_QUESTION], (), bound=None, limits=limits)
    if reply.stopped == "aborted" or not reply.text.strip():
        raise ModelUnsound(f"{model.name}: it did not answer its test question within {seconds:g} s (ladder.golden_…)")
