"""The tool that knows the books: find the passages that answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, cast

from agent.api import Binds, DatabaseError, Env, Language, Passage, Said, Tool, ToolResult, TurnView, say, tool
from knowledge.contradictions import Contradiction, find_contradictions
from knowledge.errors import KnowledgeError
from knowledge.machines import documents_about
from knowledge.question import language_of_question
from knowledge.said import said_share
from knowledge.search import Found, Hit, find
from knowledge.store import KnowledgeStore
from plugins.manuals.meanings import MeaningOfBox

__all__ = ["ManualTools", "open_store"]

_EXPLAIN = "什么|代表|意思|含义|处理|怎么|怎样|如何|原因|为什么|步骤|手册|规定"
_EXPLAIN_EN = "mean|what|how|why|fix|cause|do about|should i|procedure|manual|steps"
_SEARCH_CUES = tuple(f"{_EXPLAIN}|{_EXPLAIN_EN}".split("|"))
_SEARCH_EXAMPLES = (
    "这个红灯是什么意思?",
    "What does this lamp mean?",
    "过滤器压差高怎么处理?",
    "轴承多久加一次油?",
    "排气温度高是什么原因?",
    "What does low oil pressure mean?",
    "How long must the belt run in?",
    "How do I clear alarm A7?",
    "what should I do?",
    "Why did the dryer stop?",
    "压缩机怎么启停?",
    "油位低怎么办?",
    "What tools are needed for this job?",
    "这个灯为什么亮?",
    "这条规定从什么时候起执行?",
    "What does the yellow light mean?",
    "How do I start and stop it?",
)

_MAX_CONTRADICTIONS = 3
"""That one answer tells of."""


def open_store(env: Env) -> KnowledgeStore:
    """The store of this box; touches nothing."""
    return KnowledgeStore(env.home.knowledge_db, env.settings.knowledge.busy_seconds)


class ManualTools:
    """The tools over one store."""

    def __init__(self, env: Env) -> None:
        self._settings = env.settings.knowledge
        self._store = open_store(env)
        self._meaning = MeaningOfBox(env)
        self._told: set[str] = set()

    def tools(self) -> Iterable[Tool]:
        """As the model sees them."""
        found = tool(
            risk="read",
            cues=_SEARCH_CUES,
            examples=_SEARCH_EXAMPLES,
            closeness=self._closeness,
            said_share=self._said_share,
        )
        return [found(self.search_manuals)]

    def search_manuals(
        self,
        turn: TurnView,
        query: Annotated[str, Binds("alarm", "tag", "label", "phrase")],
        manual: Annotated[str, Binds("manual")] = "",
        machine: Annotated[str, Binds("machine")] = "",
    ) -> ToolResult:
        """Find what the manuals say: meaning, causes, steps, limits, rules."""
        try:
            found = self._find(query, turn.language, manual, machine)
            passages = tuple(self._passage(hit) for hit in found.hits)
        except KnowledgeError as error:
            raise DatabaseError(str(error)) from None
        notes = self._how_it_was_sought(found)
        if not passages:
            return ToolResult(
                notes=(say(f"手册中没有找到“{query}”", f"the manuals say nothing about “{query}”"), *notes)
            )
        told = (_contradicts(passages, clash) for clash in find_contradictions(passages)[:_MAX_CONTRADICTIONS])
        return ToolResult(passages=passages, notes=(*told, *notes))

    def _find(self, query: str, language: Language, manual: str, machine: str) -> Found:
        documents = [manual] if manual else None
        if machine:
            about = documents_about(self._store, machine)
            documents = [document for document in about if not manual or document == manual]
        meaning = self._meaning.get()
        limit = self._settings.max_passages
        found = find(self._store, query, limit=limit, language=language, documents=documents, meaning=meaning)
        if meaning is not None and not found.by_meaning:
            self._meaning.renew_behind(self._store)
        return found

    def _how_it_was_sought(self, found: Found) -> tuple[Said, ...]:
        """What is missing where words alone decided, each said once."""
        if found.by_meaning:
            return ()
        why = "encoder" if self._meaning.get() is None else "index"
        if why in self._told:
            return ()
        self._told.add(why)
        if why == "encoder":
            return (
                say(
                    "手册只按文字查找：没有句向量权重，请运行 `watchkeeper weights pull embed`",
                    "the manuals were searched by words alone: no sentence encoder here, "
                    "run `watchkeeper weights pull embed`",
                ),
            )
        return (
            say(
                "手册这次只按文字查找：含义索引正在重建",
                "the manuals were searched by words alone this time: the index of meanings is being made anew",
            ),
        )

    def _closeness(self, question: str, texts: Sequence[str]) -> Sequence[float] | None:
        """Cosines of whole sentences; only told apart within passages that were already found to be about it."""
        meaning = self._meaning.get()
        return None if meaning is None else meaning.alike(question, texts)

    def _said_share(self, question: str, text: str, language: Language) -> float:
        """Whether a text speaks of all that is asked, or only of something near it."""
        return said_share(question, text, self._meaning.get(), same=language == language_of_question(question))

    def _passage(self, hit: Hit) -> Passage:
        """The whole section where it is not too long, so that a list of steps is complete."""
        text = hit.text
        pieces = self._store.section_of(hit.document, hit.section_order)
        if len(pieces) > 1 and sum(len(piece) for piece in pieces) <= self._settings.section_chars:
            text = "\n\n".join(pieces)
        language = cast(Language, hit.language)
        return Passage(hit.document, hit.title, hit.section, hit.heading, hit.page, text, language, hit.score, hit.path)


def _contradicts(passages: Sequence[Passage], clash: Contradiction) -> Said:
    first, second = passages[clash.first].citation, passages[clash.second].citation
    return say(
        f"手册说法不一：{first}“{clash.first_quote}”，{second}“{clash.second_quote}”",
        f"the manuals contradict each other: {first} “{clash.first_quote}”, {second} “{clash.second_quote}”",
    )
