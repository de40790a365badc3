"""One free line of a model, where the quote that answers is in the other language; dropped where a claim in it has no
evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.claims import unsupported
from agent.errors import BadReply, ModelError
from agent.loop import Findings
from agent.model.protocol import Model, ReplyLimits
from agent.prompt import gist_messages
from agent.settings import TurnSettings
from agent.values import Language

__all__ = ["word_line"]


def word_line(
    findings: Findings,
    language: Language,
    model: Model,
    settings: TurnSettings,
    note: Callable[[str, dict[str, Any]], None],
    *,
    reusable: bool,
) -> str:
    """One line in the person's language where the quote is in the other; empty where it cannot be backed.

    :param note: writes a step to the trail.
    :param reusable: whether the reply may come from the cache.
    """
    foreign = next((f.quote for f in findings.parts if f.quote and f.quote.passage.language != language), None)
    if foreign is None or model.name == "rules" or findings.stopped:
        return ""
    limits = ReplyLimits(max_tokens=settings.gist_tokens, reusable=reusable)
    try:
        reply = model.reply(gist_messages(foreign, language), (), bound=None, limits=limits)
    except (ModelError, BadReply):
        return ""
    line = " ".join(reply.text.split())
    problem = unsupported(line, [foreign.text]) if reply.stopped == "done" else "it was cut off"
    note("line_worded", {"line": line, "dropped": problem, "cached": reply.usage.cached_replies > 0})
    return "" if problem else line
