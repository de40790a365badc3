"""Answers in the field: what was measured, the rule word for word with its article, and the verdict that follows.

Figures come from whatever stores or reads them (the log, a station's file, a sensor on a bus), rules from the manuals,
thresholds from the rules alone. Start at `tools`.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.api import Env, Finding, InputError, SeriesReader, Tool, hookimpl
from knowledge.errors import KnowledgeError
from knowledge.store import KnowledgeStore
from plugins.field.conditions import Vocabulary
from plugins.field.rules import read_rules
from plugins.field.sheet import Sheet, load_sheet, sheet_path
from plugins.field.tools import tools_of

__all__ = ["check_health", "register_tools"]


@hookimpl
def register_tools(env: Env, series: SeriesReader | None) -> Iterable[Tool]:
    """`field_check`, where there is a `field.toml`."""
    return tools_of(env, series)


@hookimpl
def check_health(env: Env) -> Iterable[Finding]:
    """Whether the sheet can be read, and how many rules stand behind each decision."""
    path = sheet_path(env.home, env.settings.field)
    try:
        sheet = load_sheet(path, env.settings.field)
        if not sheet.figures:
            return [Finding("field", True, f"none; write {path} to ask whether something may be done")]
        return [_counted(sheet, env)]
    except (InputError, KnowledgeError) as error:
        return [Finding("field", False, str(error))]


def _counted(sheet: Sheet, env: Env) -> Finding:
    store = KnowledgeStore(env.home.knowledge_db, env.settings.knowledge.busy_seconds)
    told, sound = [], True
    for decision in sheet.decisions:
        book = read_rules(store, decision, Vocabulary(sheet), env.settings.field, env.settings.turn)
        name = decision.called()["en"]
        lacking = f", not in the manuals: {', '.join(book.missing)}" if book.missing else ""
        told.append(f"{name}: {len(book.rules)} rules, {len(book.unchecked)} to be checked by a person{lacking}")
        sound &= bool(book.rules) and not book.missing
    return Finding("field", sound, "; ".join([f"{len(sheet.figures)} figures", *told]))
