"""The manuals: what an alarm means and what to do about it.

The store and the search are `knowledge`; this plugin gives them to the agent and to the command line.
"""

from __future__ import annotations

from collections.abc import Iterable

import typer

from agent.api import Env, Finding, Term, Tool, hookimpl
from knowledge.errors import KnowledgeError
from knowledge.machines import machines_in, manuals_in
from knowledge.tokens import place_of
from plugins.manuals.commands import commands
from plugins.manuals.meaning_commands import embed_manuals, say_machines
from plugins.manuals.tools import ManualTools, open_store

__all__ = ["check_health", "find_terms", "register_commands", "register_tools"]


@hookimpl
def register_tools(env: Env) -> Iterable[Tool]:
    """`search_manuals`."""
    return ManualTools(env).tools()


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`watchkeeper kb`."""
    app = commands()
    app.command("about")(say_machines)
    app.command("embed")(embed_manuals)
    cli.add_typer(app, name="kb")


@hookimpl
def find_terms(question: str, env: Env) -> Iterable[Term]:
    """Alarms, fault codes and limit names of the manuals that stand in a question; none where there is no store.

    A heading in two languages gives the alarm as it is printed on the panel, in whichever language it was said. A
    machine that manuals are about, and a manual's title or id, narrow the search to those.
    """
    store = open_store(env)
    try:
        names = store.names_in(question)
        machines = machines_in(store, question)
        manuals = manuals_in(store, question)
    except KnowledgeError:
        return []  # the tool that is called next says what is wrong with the store
    terms = [Term(n.kind, n.value, "question", place_of(n.folded, question)) for n in names if n.kind != "phrase"]
    terms += [Term("machine", name, "question", place_of(name, question)) for name in machines[:1]]
    terms += [Term("manual", manual, "question", place) for manual, place in manuals[:1]]
    return list(dict.fromkeys(terms))


@hookimpl
def check_health(env: Env) -> Iterable[Finding]:
    """Whether the manuals can be read, and how many there are."""
    try:
        documents = open_store(env).documents()
    except KnowledgeError as error:
        return [Finding("manuals", False, str(error))]
    if not documents:
        return [Finding("manuals", False, f"{env.home.knowledge_db}: empty; run `watchkeeper kb add FILE`")]
    passages, limits = sum(d.passages for d in documents), sum(d.limits for d in documents)
    return [Finding("manuals", True, f"{len(documents)} manuals, {passages} passages, {limits} limits")]
