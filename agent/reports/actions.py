"""What the manuals say to do: a quote for each topic, word for word, with the place where it stands.

Topics are the alarms that weigh most and the likely causes. Passages come from whatever tool of the plugins searches a
phrase, of the machine's own books before all others; a quote that shares too little with its topic is not offered, and
where nothing is left the report says that the manuals are silent. Where one quote is clearly the best it stands; where
several come close the model points at one (the rules do where there is none; see `agent.reports.picking`). It never
writes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.asks import likeness, offered
from agent.bound import PickPart
from agent.env import Env
from agent.errors import SeenByModel, ToolUnavailable, WatchkeeperError
from agent.plugin_host import PluginHost
from agent.quotes import Quote, plain, quotes_of
from agent.ranking import Ranked
from agent.reports.alarms import AlarmFigures
from agent.reports.causes import Cause
from agent.reports.report import Action
from agent.reports.values import Machine
from agent.settings import TurnSettings
from agent.tools import Tool, TurnView
from agent.values import Json, Language, Passage, Said, Term

__all__ = ["Choice", "Search", "Topic", "actions_of", "manual_problem", "topics_of"]

_LEAST = 0.34
"""A quote that shares less than this with its topic is about something else."""
_CLEAR = 0.75
"""What is less good than this beside the best is no choice: a small model is led astray more often than it helps."""
_OFFERED = 3
_KEPT = 500
"""Searches that are remembered: machines of one plant have the same alarms and causes."""
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
        self._env, self._plugins = env, plugins
        self._tools = [tool for tool in plugins.tools(env) if tool.risk == "read" and _phrase_of(tool)]
        self._known: dict[tuple[str, Language, tuple[Term, ...]], tuple[Passage, ...]] = {}

    @property
    def is_there(self) -> bool:
        """Whether anything can be looked up."""
        return bool(self._tools)

    def choices(
        self, machine: Machine, topics: Sequence[Topic], languages: Sequence[Language], settings: TurnSettings
    ) -> list[Choice]:
        """What can be quoted on each topic, in each language.

        :raises WatchkeeperError: the manuals cannot be read.
        """
        named = f"{machine.name} {machine.document}"
        books = tuple(term for term in self._plugins.find_terms(named, self._env) if term.kind in ("manual", "machine"))
        made = []
        for topic in topics:
            for language in languages:
                asked = _ASK[language].format(topic=topic.name[language])
                quotes = self._quotes(machine, books, topic, language, settings)
                made.append(Choice(topic, language, PickPart(asked, quotes)))
        return made

    def _quotes(
        self, machine: Machine, books: tuple[Term, ...], topic: Topic, language: Language, settings: TurnSettings
    ) -> tuple[Quote, ...]:
        """Of the machine's own books where they say something, else of all."""
        asked = _ASK[language].format(topic=topic.name[language])
        phrase, own = topic.search[language], machine.document.casefold()
        near: list[Quote] = []
        for narrowed in [books, ()] if books else [()]:
            passages = self._passages(phrase, language, narrowed)
            quotes = [quote for passage in passages for quote in quotes_of(passage, asked, settings)]
            near = near or [q for q in quotes if likeness(phrase, f"{q.passage.heading} {q.text}") >= _LEAST]
        near = [q for q in near if own and own in q.passage.title.casefold()] or near
        near = [q for q in near if q.passage.language == language] or near
        return _close(topic.name[language], offered(asked, phrase, near, most=_OFFERED)) if near else ()

    def _passages(self, phrase: str, language: Language, books: tuple[Term, ...]) -> tuple[Passage, ...]:
        key = (phrase, language, books)
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            view = TurnView(phrase, language, self._env.now(), None)
            found = [p for tool in self._tools for p in _found(tool, phrase, books, view)]
            self._known[key] = tuple(found)
        return self._known[key]


def actions_of(choices: Sequence[Choice], pick: Callable[[Choice], Quote | None]) -> tuple[Action, ...]:
    """The actions, a quote for each language. Where the manuals say something in one language only, that is quoted in
    the other too: they are not silent.

    :param pick: the quote of a choice; None where none of them answers it.
    """
    found: dict[tuple[str, str], tuple[Said, dict[Language, Quote | None]]] = {}
    for choice in choices:
        name = choice.topic.name
        found.setdefault((name["zh"], name["en"]), (name, {}))[1][choice.language] = pick(choice)
    actions = []
    for name, by_language in found.values():
        other = next((quote for quote in by_language.values() if quote), None)
        quotes = tuple((language, quote or other) for language, quote in by_language.items())
        actions.append(Action(name, tuple((language, quote) for language, quote in quotes if quote)))
    return tuple(actions)


def manual_problem(search: Search, error: WatchkeeperError | None) -> Said | None:
    """Why no manual is cited."""
    if error is not None:
        return {"zh": f"手册无法查询:{error}", "en": f"the manuals could not be searched: {error}"}
    return None if search.is_there else {"zh": "没有可检索的手册", "en": "there are no manuals to search"}


def _close(topic: str, ranked: Sequence[Ranked]) -> tuple[Quote, ...]:
    """Those between which there is a choice: a section that is named after the topic leaves none beside it, and of a
    quote that holds another the better one is enough."""
    name = plain(topic)
    named = [one for one in ranked if name and name in plain(one.quote.passage.heading)] or list(ranked)
    kept: list[Quote] = []
    for one in named:
        words = plain(one.quote.text)
        if one.score >= _CLEAR * named[0].score and not any(_holds(plain(q.text), words) for q in kept):
            kept.append(one.quote)
    return tuple(kept)


def _holds(one: str, other: str) -> bool:
    return one in other or other in one


def _found(tool: Tool, phrase: str, books: Sequence[Term], view: TurnView) -> tuple[Passage, ...]:
    """Nothing where the phrase is not what the tool is for, or where it knows no such books.

    :raises WatchkeeperError: what it needs is not there.
    """
    narrowing = _narrowing(tool, books)
    if books and not narrowing:
        return ()
    try:
        return tool.run({_phrase_of(tool): phrase, **narrowing}, view).passages
    except ToolUnavailable:
        raise
    except SeenByModel:
        return ()


def _narrowing(tool: Tool, books: Sequence[Term]) -> Mapping[str, Json]:
    """The arguments that keep a search within books; a manual says more than a machine."""
    for kind in ("manual", "machine"):
        for parameter in tool.parameters:
            values = [term.value for term in books if term.kind == kind]
            if values and kind in parameter.binds and not parameter.required:
                return {parameter.name: values[0]}
    return {}


def _phrase_of(tool: Tool) -> str:
    """The one argument that takes any phrase; empty where the tool needs something else."""
    needed = [p for p in tool.parameters if p.required]
    return needed[0].name if len(needed) == 1 and "phrase" in needed[0].binds else ""
