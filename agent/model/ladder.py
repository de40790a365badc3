"""The ladder in use: the best rung answers; one that cannot is left, the next answers, and the answer says so.

A rung whose process dies in the middle is asked once more, in a new process. If that dies too, the next rung answers
this turn, and the next turn begins with the better one again; after two such turns it is left for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.bound import CallBound, PickBound
from agent.env import Env
from agent.errors import BadReply, ModelDied, ModelError, PromptTooLong, WeightsError
from agent.messages import Message, Reply
from agent.model.machine import MachineNotes, Settled, settle
from agent.model.protocol import Bound, Model, ReplyLimits
from agent.model.remote import RemoteModel
from agent.model.result_cache import with_result_cache
from agent.model.rules import RulesModel
from agent.model.worker import WorkerModel
from agent.tools import Tool
from agent.weights.held import VerifiedFiles
from agent.weights.ladder import RULES, choose_rungs, look_at_machine

__all__ = ["Fall", "Ladder", "build_ladder", "open_rung"]

REMOTE = "remote"
"""Name of the rung on the plant's network."""
_TURNS_TO_DIE = 2
"""A rung that died twice in each of so many turns is left for good."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A rung that could not answer, or not at once."""

    rung: str
    reason: str
    started_again: bool = False
    """Its process died, was started again, and answered."""

    def to_json(self) -> dict[str, object]:
        return {"rung": self.rung, "reason": self.reason, "started_again": self.started_again}


class Ladder:
    """A `Model` that is the best of several. A rung that failed is not tried again until this process restarts."""

    def __init__(self, rungs: Sequence[str], open_one: Callable[[str], Model]) -> None:
        """
        :param rungs: best first.
        :param open_one: loads a rung by name; raises WeightsError or ModelError where it cannot.
        """
        self._rungs = list(rungs)
        self._left = list(rungs)
        self._open = open_one
        self._model: Model | None = None
        self._restarts: list[Fall] = []
        self._deaths: dict[str, int] = {}
        self._died: list[Fall] = []
        self.falls: list[Fall] = []

    @property
    def name(self) -> str:
        """The rung that answers now."""
        return self._model.name if self._model else (self._left[0] if self._left else "none")

    @property
    def sees(self) -> bool:
        """Whether that rung takes photos."""
        return self._current().sees

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As `Model.reply`, by the first rung that can.

        :raises ModelError: no rung can.
        """
        while True:
            model = self._current()

            def ask(model: Model = model) -> Reply:
                return model.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)

            try:
                return self._ask_twice(model.name, ask, limits)
            except PromptTooLong:
                raise
            except (ModelError, BadReply) as error:
                if len(self._left) == 1:
                    raise ModelError(f"no rung can answer; the last was {model.name}: {error}") from error
                self._fall(str(error), died=isinstance(error, ModelDied))

    def settle(self) -> tuple[Fall, ...]:
        """What fell so far and what died in this turn, for its answer. The next turn tries again what died."""
        falls = (*self.falls, *self._restarts)
        again = {fall.rung for fall in self._died if self._deaths[fall.rung] < _TURNS_TO_DIE}
        if again:
            self.close()
            self._left = [rung for rung in self._rungs if rung in again or rung in self._left]
            self.falls = [fall for fall in self.falls if fall not in self._died or fall.rung not in again]
        self._restarts.clear()
        self._died.clear()
        return falls

    def close(self) -> None:
        """Free the rung in use."""
        if self._model:
            self._model.close()
            self._model = None

    def _current(self) -> Model:
        while self._model is None:
            if not self._left:
                raise ModelError("no rung is left")
            try:
                self._model = self._open(self._left[0])
            except (WeightsError, ModelError) as error:
                self._fall(str(error))
        return self._model

    def _ask_twice(self, name: str, ask: Callable[[], Reply], limits: ReplyLimits) -> Reply:
        """Ask; where the process dies over it, ask the new one."""
        try:
            return ask()
        except ModelDied as error:
            if limits.expired():  # it did not stop when it was told to, and was killed for that
                return Reply("", "aborted")
            reply = ask()
            self._restarts.append(Fall(name, str(error), started_again=True))
            return reply

    def _fall(self, reason: str, *, died: bool = False) -> None:
        fall = Fall(self._left.pop(0), reason)
        self.falls.append(fall)
        if died:
            self._died.append(fall)
            self._deaths[fall.rung] = self._deaths.get(fall.rung, 0) + 1
        self.close()


def build_ladder(env: Env) -> Ladder:
    """The ladder of this box: its settings, its memory and the files it has."""
    machine = look_at_machine(env.weights.folder)
    rungs = choose_rungs(machine, env.weights.present(), wanted=env.settings.model.name)
    remote = (REMOTE,) if env.settings.remote.enabled else ()
    ladder = Ladder((*remote, *rungs), lambda name: open_rung(name, env))
    ladder.falls += _set_aside_before(env, rungs)
    return ladder


def open_rung(name: str, env: Env) -> Model:
    """Load one rung.

    :raises WeightsError: its files are missing or not what they should be.
    :raises ModelError: it does not load, or not into the memory that is free.
    """
    if name == RULES:
        return RulesModel()
    if name == REMOTE:
        return RemoteModel(env.settings.remote)
    entry = env.weights.catalogue.entry(name)
    if not env.weights.status(name).present:
        env.weights.verified(name)  # says what is missing, before a process is started for it
    model = WorkerModel(name, settings=env.settings.model, workers=env.settings.workers)
    try:
        files = env.weights.verified(name)
        settled = _settle(env, files)
        digests = _cache_digests(files, settled)
        cache = {"folder": str(env.home.cache / "prefix"), **digests}
        model.load(files["model"], projector=settled.projector, cache=cache, settings=settled.settings)
    except BaseException:
        model.close()
        raise
    remembering = with_result_cache(model, env, weights_digest=_digest(digests))
    return _HelpedByRules(remembering, pick=entry.rules_pick)


def _settle(env: Env, files: VerifiedFiles) -> Settled:
    """With what a rung is loaded here and now: by what was measured on this box, its cores and its memory."""
    free = look_at_machine(env.weights.folder).free_ram_bytes
    known = MachineNotes(env.home.cache).recall(files.digests["model"])
    return settle(env.settings.model, files, free_bytes=free, remembered=known)


def _cache_digests(files: VerifiedFiles, settled: Settled) -> dict[str, str]:
    """What the states of a model depend on."""
    roles = {"weights_sha256": "model", "projector_sha256": settled.projector_role}
    return {key: files.digests[role] for key, role in roles.items() if role}


def _digest(digests: Mapping[str, str]) -> str:
    """One digest over all the files that a rung was loaded from."""
    return hashlib.sha256(" ".join(digests.values()).encode()).hexdigest()


class _HelpedByRules:
    """A model to which the rules say what they would reply: where it agrees, mostly, it needs no pass to say so. For a
    model that points at quotes worse than they do, they do that alone."""

    def __init__(self, model: Model, *, pick: bool) -> None:
        """
        :param pick: the rules point at the quotes.
        """
        self._model = model
        self._rules = RulesModel()
        self._pick = pick
        self.name = model.name
        self.sees = model.sees

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As `Model.reply`."""
        if self._pick and isinstance(bound, PickBound):
            return self._rules.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)
        if isinstance(bound, CallBound | PickBound):
            draft = self._rules.reply(messages, tools, bound=bound, limits=limits).text
            limits = replace(limits, draft=draft)
        return self._model.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)

    def close(self) -> None:
        """Free the model."""
        self._model.close()


def _set_aside_before(env: Env, rungs: Sequence[str]) -> list[Fall]:
    """Models found bad at an earlier start, not yet repaired, and wanted: the answer goes on saying so."""
    wanted = env.settings.model.name
    models = {model.name for model in env.weights.catalogue.chat_models if wanted in ("auto", model.name)}
    found = {item.file.split("/")[0]: f"{item.file} {item.reason}" for item in env.weights.set_aside()}
    return [Fall(name, reason) for name, reason in found.items() if name in models and name not in rungs]
