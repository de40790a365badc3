"""A field with rules and measured values of a test's choosing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agent.env import Env
from agent.series import Series
from agent.settings import FieldSettings
from agent.tools import TurnView
from agent.values import Language, ToolResult
from knowledge.ingest import add_file
from knowledge.store import KnowledgeStore
from plugins.field.conditions import Vocabulary
from plugins.field.sheet import load_sheet
from plugins.field.tools import FieldTools

__all__ = ["EXAMPLE", "NOW", "Field", "add_manuals", "example_vocabulary", "hourly"]

EXAMPLE = Path(__file__).parent.parent / "deploy" / "example" / "field"
NOW = datetime(2024, 12, 15, 20, 50)
Values = Mapping[str, Sequence[tuple[float, float]]]
"""Tag → (hours before now, value)."""


def add_manuals(env: Env, *paths: Path) -> KnowledgeStore:
    """Put files into the store of a box."""
    limits = env.settings.knowledge
    store = KnowledgeStore(env.home.knowledge_db, limits.busy_seconds)
    bounds = {"max_bytes": limits.max_file_bytes, "max_pages": limits.max_pages, "passage_chars": limits.passage_chars}
    for path in paths:
        add_file(store, path, **bounds)
    return store


def hourly(value: float, hours: int, *, every: float = 1.0, since: float = 0.5) -> list[tuple[float, float]]:
    """The same value again and again."""
    return [(since + i * every, value) for i in range(int(hours / every))]


def example_vocabulary() -> Vocabulary:
    """The names of the example's sheet."""
    return Vocabulary(load_sheet(EXAMPLE / "field.toml", FieldSettings()))


class Field:
    """The example's sheet over rule documents and values."""

    def __init__(self, env: Env, rules: Mapping[str, str], values: Values) -> None:
        """:param rules: title → text; the titles of the example's manuals are those that its sheet names."""
        (env.home.folder / "field.toml").write_text((EXAMPLE / "field.toml").read_text("utf-8"), encoding="utf-8")
        paths = []
        for number, (title, text) in enumerate(rules.items()):
            paths.append(env.home.folder / f"rules-{number}.md")
            paths[-1].write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
        add_manuals(env, *paths)
        self.values = dict(values)
        self.tool = FieldTools(env, self.read).tools()[0]

    def read(self, tags: Sequence[str], start: datetime, end: datetime) -> tuple[Series, ...]:
        """A `SeriesReader`."""
        found = []
        for tag in tags:
            stamped = sorted((NOW - timedelta(hours=back), value) for back, value in self.values.get(tag, ()))
            kept = [(at, value) for at, value in stamped if start <= at < end]
            if kept:
                at = np.array([moment.replace(tzinfo=UTC).timestamp() for moment, _ in kept])
                found.append(Series(tag, "", at, np.array([value for _, value in kept]), "station.csv", len(kept)))
        return tuple(found)

    def ask(self, question: str, language: Language = "zh") -> ToolResult:
        """What the tool says of a part of a question."""
        assert self.tool.asked is not None and self.tool.asked(question), question
        return self.tool.run({"asked": question}, TurnView(question, language, NOW, None))

    def verdict(self, question: str, language: Language = "zh") -> str:
        """The first note: the verdict."""
        return self.ask(question, language).notes[0][language]
