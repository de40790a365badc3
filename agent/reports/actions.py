"""What the manuals say to do: a quote for each topic, word for word, with the place where it stands.

Topics are the alarms that weigh most and the likely causes. Passages come from whatever tool of the plugins searches a
phrase; a quote that shares too little with its topic is not offered, and where nothing is left the report says that the
manuals are silent. Among several the model points at one (the rules do where there is none); it never writes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.asks import likeness, offered_quotes
from agent.bound import LETTERS, PickBound, PickPart
from agent.env import Env
from agent.errors import SeenByModel, ToolUnavailable, WatchkeeperError
from agent.messages import Message
from agent.model.protocol import ReplyLimits, Request
from agent.plugin_host import PluginHost
from agent.prompt import pick_message
from agent.quotes import Quote, quotes_of
from agent.reports.alarms import AlarmFigures
from agent.reports.causes import Cause
from agent.reports.report import Action
from agent.settings import TurnSettings
from agent.tools import Tool, TurnView
from agent.values import Language, Passage, Said

__all__ = ["Choice", "Search", "Topic", "pick_request", "picked", "topics_of"]

_LEAST = 0.34
"""A quote that shares less than this with its topic is about something else."""
_OFFERED = 3
_KEPT = 500
"""Searches that are remembered: machines of one plant have the same alarms and causes."""
_SYSTEM = (
    "You are Watchkeeper, a maintenance assistant. For each topic pick the quote of the manuals that says what to do, "
    "by its letter."
)
_ASK: Said = {"zh": "{topic}怎么处理?", "en": "What should be done about {topic}?"}


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to act on."""

    name: Said
    search: Said


@dataclass(frozen=True, slots=True)
class Choice:
    """The quotes that one topic may be answered with, in one language."""

    topic: Topic
    language: Language
    part: PickPart


def topics_of(alarms: AlarmFigures, causes: Sequence[Cause], most: int) -> tuple[Topic, ...]:
    """Urgent alarms and frequent ones first, then causes, each text once."""
    urgent = {e.text for e in alarms.urgent}
    bars = sorted(alarms.bars, key=lambda bar: (bar.text not in urgent, -bar.count))
    texts = dict.fromkeys(bar.text for bar in bars if bar.text)
    topics = [Topic({"zh": t, "en": t}, {"zh": t, "en": t}) for t in list(texts)[: max(most - min(len(causes), 2), 1)]]
    topics += [Topic(cause.name, cause.search) for cause in causes]
    return tuple(topics[:most])


class Search:
    """Looks topics up with the plugins' own tools; made once for many reports."""

    def __init__(self, env: Env, plugins: PluginHost) -> None:
        self._env = env
        self._tools = [tool for tool in plugins.tools(env) if tool.risk == "read" and _phrase_of(tool)]
        self._known: dict[tuple[str, Language], tuple[Passage, ...]] = {}

    @property
    def is_there(self) -> bool:
        """Whether anything can be looked up."""
        return bool(self._tools)

    def choices(self, topics: Sequence[Topic], languages: Sequence[Language], settings: TurnSettings) -> list[Choice]:
        """What can be quoted on each topic, in each language.

        :raises WatchkeeperError: the manuals cannot be read.
        """
        made = []
        for topic in topics:
            for language in languages:
                quotes = self._quotes(topic, language, settings)
                part = _ASK[language].format(topic=topic.name[language])
                made.append(Choice(topic, language, PickPart(part, quotes)))
        return made

    def _quotes(self, topic: Topic, language: Language, settings: TurnSettings) -> tuple[Quote, ...]:
        asked = _ASK[language].format(topic=topic.name[language])
        phrase = topic.search[language]
        passages = self._passages(phrase, language)
        quotes = [quote for passage in passages for quote in quotes_of(passage, asked, settings)]
        near = [q for q in quotes if _near(phrase, q)]
        near = [q for q in near if q.passage.language == language] or near
        return offered_quotes(asked, phrase, near, most=_OFFERED) if near else ()

    def _passages(self, phrase: str, language: Language) -> tuple[Passage, ...]:
        key = (phrase, language)
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            view = TurnView(phrase, language, self._env.now(), None)
            self._known[key] = tuple(p for tool in self._tools for p in _found(tool, phrase, view))
        return self._known[key]


def pick_request(choices: Sequence[Choice], settings: TurnSettings) -> Request | None:
    """Asks which quote; None where no topic has a choice."""
    bound = _bound(choices)
    if bound is None:
        return None
    messages = [Message("system", _SYSTEM), pick_message(bound, settings)]
    most = bound.most_bytes()
    return Request(messages, (), bound, ReplyLimits(max_tokens=most, reusable=True))


def picked(choices: Sequence[Choice], text: str | None) -> tuple[Action, ...]:
    """The actions of a reply.

    :param text: of the model; None where it was not asked or could not answer, then the first quote that has most in
        common with its topic.
    :raises BadReply: the reply does not fit.
    """
    bound = _bound(choices)
    by_part: dict[str, Quote | None] = {}
    if bound is not None and text is not None:
        by_part = {part.text: quote for part, quote in zip(bound.parts, bound.parse(text), strict=True)}
    actions: dict[str, Action] = {}
    for choice in choices:
        quotes = choice.part.quotes
        best = max(quotes, key=lambda q: _shared(choice, q)) if quotes else None
        quote = by_part.get(choice.part.text, best)
        key = choice.topic.name["zh"] + choice.topic.name["en"]
        action = actions.get(key) or Action(choice.topic.name, ())
        actions[key] = replace(action, quotes=(*action.quotes, (choice.language, quote)) if quote else action.quotes)
    return tuple(_merged(list(actions.values())))


def _merged(actions: Sequence[Action]) -> list[Action]:
    """Topics with the same quotes together; one that is silent beside others that are not stays by itself."""
    merged: dict[object, Action] = {}
    for action in actions:
        said = tuple((language, quote.text, quote.citation) for language, quote in action.quotes)
        key = said or (action.topic["zh"], action.topic["en"])
        before = merged.get(key)
        topic = action.topic
        if before is not None:
            topic = {"zh": f"{before.topic['zh']};{topic['zh']}", "en": f"{before.topic['en']}; {topic['en']}"}
        merged[key] = replace(action, topic=topic)
    return list(merged.values())


def manual_problem(search: Search, error: WatchkeeperError | None) -> Said | None:
    """Why no manual is cited."""
    if error is not None:
        return {"zh": f"手册无法查询:{error}", "en": f"the manuals could not be searched: {error}"}
    return None if search.is_there else {"zh": "没有可检索的手册", "en": "there are no manuals to search"}


def _bound(choices: Sequence[Choice]) -> PickBound | None:
    """Only where there is something to choose between, each part once, as far as the letters reach."""
    parts: dict[str, PickPart] = {}
    shown: dict[Quote, None] = {}
    for choice in choices:
        fresh = [q for q in choice.part.quotes if q not in shown]
        if len(choice.part.quotes) > 1 and len(shown) + len(fresh) <= len(LETTERS):
            parts.setdefault(choice.part.text, choice.part)
            shown |= dict.fromkeys(choice.part.quotes)
    return PickBound(tuple(parts.values()), tuple(shown)) if parts else None


def _found(tool: Tool, phrase: str, view: TurnView) -> tuple[Passage, ...]:
    """Nothing where the phrase is not what the tool is for.

    :raises WatchkeeperError: what it needs is not there.
    """
    try:
        return tool.run({_phrase_of(tool): phrase}, view).passages
    except ToolUnavailable:
        raise
    except SeenByModel:
        return ()


def _near(phrase: str, quote: Quote) -> bool:
    return likeness(phrase, f"{quote.passage.heading} {quote.text}") >= _LEAST


def _shared(choice: Choice, quote: Quote) -> float:
    return likeness(choice.topic.search[choice.language], f"{quote.passage.heading} {quote.text}")


def _phrase_of(tool: Tool) -> str:
    """The one argument that takes any phrase; empty where the tool needs something else."""
    needed = [p for p in tool.parameters if p.required]
    return needed[0].name if len(needed) == 1 and "phrase" in needed[0].binds else ""
