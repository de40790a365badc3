"""The tool that knows the books: find the passages that answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, cast

from agent.api import Binds, DatabaseError, Env, Language, Passage, Tool, ToolResult, TurnView, say, tool
from knowledge.errors import KnowledgeError
from knowledge.search import Hit, search
from knowledge.store import KnowledgeStore

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
    "What does the yellow light mean?",
    "How do I start and stop it?",
)


def open_store(env: Env) -> KnowledgeStore:
    """The store of this box; touches nothing."""
    return KnowledgeStore(env.home.knowledge_db, env.settings.knowledge.busy_seconds)


class ManualTools:
    """The tools over one store."""

    def __init__(self, env: Env) -> None:
        self._settings = env.settings.knowledge
        self._store = open_store(env)

    def tools(self) -> Iterable[Tool]:
        """As the model sees them."""
        return [tool(risk="read", cues=_SEARCH_CUES, examples=_SEARCH_EXAMPLES)(self.search_manuals)]

    def search_manuals(
        self, turn: TurnView, query: Annotated[str, Binds("alarm", "tag", "label", "phrase")]
    ) -> ToolResult:
        """Find what the manuals say: meaning, causes, steps, limits, rules."""
        try:
            hits = search(self._store, query, limit=self._settings.max_passages, language=turn.language)
            passages = tuple(self._passage(hit) for hit in hits)
        except KnowledgeError as error:
            raise DatabaseError(str(error)) from None
        if not passages:
            return ToolResult(notes=(say(f"手册中没有找到“{query}”", f"the manuals say nothing about “{query}”"),))
        return ToolResult(passages=passages)

    def _passage(self, hit: Hit) -> Passage:
        """The whole section where it is not too long, so that a list of steps is complete."""
        text = hit.text
        pieces = self._store.section_of(hit.document, hit.section_order)
        if len(pieces) > 1 and sum(len(piece) for piece in pieces) <= self._settings.section_chars:
            text = "\n\n".join(pieces)
        language = cast(Language, hit.language)
        return Passage(hit.document, hit.title, hit.section, hit.heading, hit.page, text, language, hit.score)
