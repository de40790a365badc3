"""Which quote answers a topic, where several come close: asked of the model once, however many machines lead to it.

Machines of one plant have the same alarms, causes and books, so of a night's hundred reports few questions are left to
be asked after the first of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.bound import PickBound, PickPart
from agent.errors import BadReply
from agent.messages import Message
from agent.model.protocol import ReplyLimits, Request
from agent.prompt import pick_message
from agent.quotes import Quote
from agent.reports.actions import Choice
from agent.settings import TurnSettings

__all__ = ["Picks"]

_KEPT = 1_000
_TOGETHER = 12
"""Quotes of one question; more of them make a small model point past the right one."""
_SYSTEM = (
    "You are Watchkeeper, a maintenance assistant. For each topic pick the quote of the manuals that says what to do, "
    "by its letter."
)


class Picks:
    """What was chosen so far."""

    def __init__(self, settings: TurnSettings) -> None:
        self._settings = settings
        self._known: dict[object, tuple[Quote | None, str]] = {}

    def requests(self, choices: Iterable[Choice]) -> list[Request]:
        """Asks for what is not known yet, each once."""
        if len(self._known) > _KEPT:
            self._known.clear()
        open_parts = {
            _key(c.part): c.part for c in choices if len(c.part.quotes) > 1 and _key(c.part) not in self._known
        }
        groups: list[list[PickPart]] = []
        shown: set[Quote] = set()
        for part in open_parts.values():
            texts = {known.text for known in groups[-1]} if groups else set()
            if not groups or len(shown | set(part.quotes)) > _TOGETHER or part.text in texts:
                groups.append([])
                shown = set()
            groups[-1].append(part)
            shown |= set(part.quotes)
        return [self._request(group) for group in groups]

    def learn(self, request: Request, text: str, rung: str) -> None:
        """What the model said to a request.

        :raises BadReply: it does not fit.
        """
        bound = request.bound
        if not isinstance(bound, PickBound):
            raise BadReply("this was no question for a quote")
        for part, quote in zip(bound.parts, bound.parse(text), strict=True):
            self._known[_key(part)] = (quote, rung)

    def of(self, choice: Choice) -> Quote | None:
        """The quote of a choice: the model's where it was asked, else the best by the rules; None where none fits."""
        quotes = choice.part.quotes
        known = self._known.get(_key(choice.part))
        return known[0] if known else (quotes[0] if quotes else None)

    def by(self, choices: Iterable[Choice]) -> str:
        """The rung that pointed at any of them; empty where none did."""
        return next((known[1] for c in choices if (known := self._known.get(_key(c.part)))), "")

    def _request(self, parts: Sequence[PickPart]) -> Request:
        quotes = tuple(dict.fromkeys(quote for part in parts for quote in part.quotes))
        bound = PickBound(tuple(parts), quotes)
        messages = [Message("system", _SYSTEM), pick_message(bound, self._settings)]
        return Request(messages, (), bound, ReplyLimits(max_tokens=bound.most_bytes(), reusable=True))


def _key(part: PickPart) -> object:
    return part.text, tuple((quote.citation, quote.text) for quote in part.quotes)
