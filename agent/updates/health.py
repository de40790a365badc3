"""Do new weights work? A model has to load and to answer a plain question in time; other weights have to verify."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

from agent.env import Env
from agent.messages import Message
from agent.model.protocol import ReplyLimits
from agent.model.rungs import open_rung
from agent.weights.catalogue import Entry
from agent.weights.store import WeightStore

__all__ = ["try_weights"]

_QUESTION = Message("user", "What is two and three? Answer in a few words.")
_REPLY_TOKENS = 12


def try_weights(env: Env, store: WeightStore, entry: Entry) -> str:
    """What is wrong with an entry whose files verify; empty where it works.

    :param store: that knows the entry.
    :raises ModelError: it does not load.
    :raises WeightsError: its files are gone again.
    """
    if entry.kind not in ("vision", "text"):
        return ""
    seconds = env.settings.updates.health_seconds
    limits = ReplyLimits(max_tokens=_REPLY_TOKENS, deadline=time.monotonic() + seconds)
    with closing(open_rung(entry.name, replace(env, weights=store))) as model:
        reply = model.reply([_QUESTION], (), bound=None, limits=limits)
    if reply.stopped == "aborted":
        return f"{entry.name} did not answer within {seconds:.0f} s"
    return "" if reply.text.strip() else f"{entry.name} loads and says nothing"
