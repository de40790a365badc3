"""The ladder of this box: its settings, its memory, the files that it has, and those that it had.

A rung whose files were found bad or are gone since is part of the ladder, and down: the answer says so until it is
repaired, and then it answers again.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.env import Env
from agent.model.falls import REMOTE, Fall, FallKind
from agent.model.ladder import Ladder
from agent.model.module_model import ModuleRungs
from agent.model.rungs import RungOpener, forget_computed
from agent.model.standing import Openers
from agent.weights.catalogue import Entry
from agent.weights.ladder import RULES, choose_rungs, look_at_machine
from agent.weights.repairer import Repairer

__all__ = ["build_ladder", "rungs_of"]


def build_ladder(env: Env) -> Ladder:
    """The ladder of this box."""
    rungs, down = rungs_of(env)
    remote = (REMOTE,) if env.settings.remote.enabled else ()
    modules = ModuleRungs(env)
    chosen = modules.names if env.settings.model.name == "auto" else ()  # else a person has named a model

    def on_bad(rung: str, reason: str) -> None:
        ladder.struck(rung, reason)

    opener = RungOpener(env, on_bad=on_bad)
    ladder = Ladder(
        (*remote, *chosen, *rungs),
        modules.beside(Openers(opener.open, opener.open_anew, opener.has_room)),
        settings=env.settings.ladder,
        mend=lambda on_repaired: _BoxMender(env, on_repaired),
    )
    for fall in down:
        ladder.found_down(fall)
    if env.weights.set_aside():
        forget_computed(env)  # by a model whose file was found bad behind its work, and then the power went
    return ladder


def rungs_of(env: Env) -> tuple[tuple[str, ...], tuple[Fall, ...]]:
    """All rungs, best first, and which of them are known to be down.

    :raises SettingsError: the settings name a model that there is not.
    """
    wanted = env.settings.model.name
    machine = look_at_machine(env.weights.folder).within(env.settings.model.max_ram_bytes)
    models = env.weights.catalogue.chat_models
    here = {*env.weights.present(), *(model.name for model in models if _lacks_only_eyes(env, model))}
    lost = {model.name: fall for model in models if model.name not in here and (fall := _lost(env, model))}
    usable = choose_rungs(machine, here, wanted=wanted, catalogue=env.weights.catalogue)
    with_lost = choose_rungs(machine, {*here, *lost}, wanted=wanted, catalogue=env.weights.catalogue)
    names = {*usable, *(name for name in with_lost if name in lost)}
    order = [wanted, *(model.name for model in models), RULES]
    rungs = tuple(name for name in dict.fromkeys(order) if name in names)
    return rungs, tuple(lost[name] for name in rungs if name in lost)


def _lacks_only_eyes(env: Env, model: Entry) -> bool:
    """Whether the language half of a model that sees is here."""
    files = {file.role: file for file in env.weights.status(model.name).files}
    return model.kind == "vision" and "model" in files and files["model"].state == "present"


def _lost(env: Env, model: Entry) -> Fall | None:
    """What was here of an entry and cannot be used any more; None where it never was here."""
    aside = env.weights.set_aside(model.name)
    if aside:
        reason = "; ".join(f"{item.file} {item.reason}" for item in aside)
        kind: FallKind = "damaged"
        files = tuple((item.file.split("/")[-1], item.fault) for item in aside)
        return Fall(model.name, reason, kind=kind, files=files)
    gone = [file.name for file in model.required if _is_gone(env, model, file.role)]
    if not gone:
        return None
    reason = f"{', '.join(gone)} was here and is gone; get it again: watchkeeper weights pull {model.name}"
    return Fall(model.name, reason, kind="missing", files=tuple((name, "missing") for name in gone))


def _is_gone(env: Env, model: Entry, role: str) -> bool:
    path = env.weights.where(model.name)[role]
    note = None if path.exists() else env.weights.manifest(path)
    return note is not None and note.by_box


class _BoxMender:
    """A repairer for what this box has had. A model that nobody ever fetched is not fetched unasked."""

    def __init__(self, env: Env, on_repaired: Callable[[str], None]) -> None:
        self._env = env
        self._on_repaired = on_repaired
        self._aside = _names_aside(env)
        """Entries of which something is set aside, and that were asked for."""
        self._lacking = set[str]()
        """Entries that were asked for because something is not here; anybody may bring it."""
        self._repairer = Repairer(env.weights, self._repaired).start()

    def want(self, name: str) -> None:
        """A rung fell over its files."""
        if name in (REMOTE, RULES):
            return
        entry = self._env.weights.catalogue.entry(name)
        if _lost(self._env, entry) or any(path.exists() for path in self._env.weights.where(name).values()):
            if not self._env.weights.status(name).present:
                self._lacking.add(name)
            self._repairer.want(name)

    def look(self) -> None:
        """Readers of panels find their own files bad, and say so by setting them aside; a person may have repaired."""
        for name in _names_aside(self._env) - self._aside:
            self._aside.add(name)
            self._repairer.want(name)
        for name in list(self._lacking):
            if self._env.weights.status(name).present:
                self._repaired(name)

    def close(self) -> None:
        """End after the try that is under way."""
        self._repairer.close()

    def _repaired(self, name: str) -> None:
        self._aside.discard(name)
        self._lacking.discard(name)
        self._on_repaired(name)


def _names_aside(env: Env) -> set[str]:
    return {item.file.split("/")[0] for item in env.weights.set_aside()}
