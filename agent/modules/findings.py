"""What `watchkeeper doctor` says of modules: which version answers, what did not prove itself, what is enforced."""

from __future__ import annotations

from collections.abc import Iterator

from agent.env import Env
from agent.errors import ModuleError
from agent.hookspecs import Finding
from agent.modules.confine import enforceable
from agent.modules.store import ModuleStore

__all__ = ["module_findings"]


def module_findings(env: Env) -> Iterator[Finding]:
    """Look at every module without starting it; nothing where there is none."""
    store = ModuleStore(env.home.modules, env.settings.modules)
    names = store.names()
    for name in names:
        yield _module(store, name)
    if names:
        told = ", ".join(f"{what}: {how}" for what, how in enforceable().items())
        yield Finding("modules are kept to what they asked for", True, told)


def _module(store: ModuleStore, name: str) -> Finding:
    title, choice = f"module {name}", store.choice(name)
    if not choice.current:
        return Finding(title, True, f"installed, none answers; to change that: watchkeeper modules swap {name} VERSION")
    try:
        store.verified(name, choice.current)
    except ModuleError as error:
        return Finding(title, False, str(error))
    told = f"{choice.current} answers" + (", pinned" if choice.pinned else "")
    told += ", not tried yet" if choice.unproved else ""
    told += "".join(f"; {version} did not prove itself: {why}" for version, why in choice.rejected.items())
    return Finding(title, True, told)
