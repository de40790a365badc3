"""Gateways: boxes of one plant in homes of their own, which share a model server, a log database, a broker."""

from __future__ import annotations

from pathlib import Path

from agent.commands.ask import build_agent
from agent.env import Env, load_env
from agent.plugin_host import load_plugins
from agent.turn import Agent
from knowledge.ingest import add_file
from knowledge.store import KnowledgeStore

__all__ = ["MANUAL", "Gateway"]

MANUAL = """# {name}

## {code}: fault of the {name} fan

Meaning: the fan of the {name} stands still and the drive of the {name} is too hot.

What to do for fault {code}:

1. Switch the {name} off and wait for {minutes} minutes.
2. Clean the {name} filter, then acknowledge {code}.
"""
QUICK = {
    "WATCHKEEPER_LADDER__REST_SECONDS": "0.2",
    "WATCHKEEPER_LADDER__REST_MOST_SECONDS": "0.4",
    "WATCHKEEPER_LADDER__FOLLOW_SECONDS": "0.05",
    "WATCHKEEPER_LADDER__TURNS_BELOW": "1",
}


class Gateway:
    """One box: its home, its manual, and an agent."""

    def __init__(self, folder: Path, name: str, code: str, minutes: int, **settings: str) -> None:
        """
        :param settings: SECTION__NAME in place of the defaults.
        """
        self.name, self.code, self.minutes = name, code, minutes
        variables = {f"WATCHKEEPER_{key}": value for key, value in settings.items()}
        home = {"WATCHKEEPER_HOME": str(folder / name), "WATCHKEEPER_MODEL__NAME": "rules"}
        self.env: Env = load_env({**home, **QUICK, **variables})
        self._add_manual(folder / f"{name}.md")
        self.agent: Agent = build_agent(self.env, load_plugins())

    def ask(self, what: str) -> tuple[str, str]:
        """Who answered, and what."""
        record = self.agent.ask(what)
        return record.rung, record.answer.text

    def close(self) -> None:
        """End the agent."""
        self.agent.close()

    def _add_manual(self, path: Path) -> None:
        path.write_text(MANUAL.format(name=self.name, code=self.code, minutes=self.minutes), encoding="utf-8")
        limits = self.env.settings.knowledge
        store = KnowledgeStore(self.env.home.knowledge_db, limits.busy_seconds)
        add_file(
            store, path, max_bytes=limits.max_file_bytes, max_pages=limits.max_pages, passage_chars=limits.passage_chars
        )
