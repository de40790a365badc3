"""Several replies of any model: side by side where it can make them so, else one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.errors import BadReply
from agent.messages import Reply
from agent.model.protocol import ManyAtOnce, Model, ReplyLimits, Request

__all__ = ["replies_of"]


def replies_of(model: Model, requests: Sequence[Request], limits: ReplyLimits) -> Sequence[Reply | Exception]:
    """Side by side where a model can, else one after another.

    :raises ModelError: the model failed.
    """
    if isinstance(model, ManyAtOnce):
        return model.reply_many(requests, limits=limits) if requests else []
    replies: list[Reply | Exception] = []
    for one in requests:
        within = replace(one.limits, deadline=limits.deadline, cancelled=limits.cancelled)
        try:
            replies.append(model.reply(one.messages, one.tools, bound=one.bound, limits=within))
        except BadReply as error:
            replies.append(error)
    return replies
