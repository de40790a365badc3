"""Opens a rung of the ladder: verified files → process → what it is loaded with → a test question, once on this box.

What is loaded is what was verified: the model's process opens the very files that were read, by the descriptors that
are held here as long as the rung lives, also when its process is started again. A file that was touched since is
noticed before and after each reply, and the reply is not believed.

    projector bad, model good      the same model, without its eyes
    a new version does not work    it is rejected, and the version before answers
    a file found bad in mid-use    `on_bad` is told at once; next time all of it is read before it is used
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from agent.env import Env
from agent.errors import ModelError, NotEnoughMemory, WeightsError, WeightsUnreadable
from agent.model.falls import REMOTE, Fall, fall_of
from agent.model.golden import allowed_seconds, prove, prove_remote
from agent.model.machine import MachineNotes, Remembered, Settled, settle
from agent.model.opened import HeldModel, OpenRung, name_files
from agent.model.protocol import Model
from agent.model.remote import RemoteModel
from agent.model.result_cache import with_result_cache
from agent.model.rules import RulesModel
from agent.model.worker import WorkerModel
from agent.weights.catalogue import Entry
from agent.weights.held import VerifiedFiles
from agent.weights.ladder import RULES, look_at_machine

__all__ = ["RungOpener", "forget_computed", "open_rung"]

_MODEL = "model"
_STATES, _REPLIES = "prefix", "replies.db"
"""In the home's cache: what models computed."""


def open_rung(name: str, env: Env) -> Model:
    """Load one rung.

    :raises WeightsError: its files are missing or not what they should be.
    :raises ModelError: it does not load, or not into the memory that is free, or fails its test question.
    """
    return RungOpener(env).open(name)


@dataclass(frozen=True, slots=True)
class _Files:
    """What a rung is loaded from."""

    verified: VerifiedFiles
    remarks: tuple[Fall, ...]
    """In what way they are not the whole present version."""


class RungOpener:
    """Opens the rungs of one ladder."""

    def __init__(self, env: Env, *, on_bad: Callable[[str, str], None] | None = None) -> None:
        """
        :param on_bad: told a rung and a reason, from another thread, when a file in use turns out bad. With it, slow
            storage gets a first look only before the rung answers, and a new version that does not work is rejected.
        """
        self._env = env
        self._on_bad = on_bad
        self._suspects: set[str] = set()

    @cached_property
    def _notes(self) -> MachineNotes:
        return MachineNotes(self._env.home.cache)

    def open(self, name: str) -> Model:
        """Load a rung; one that passed its test question here before need not do so again.

        :raises WeightsError: its files are missing or not what they should be.
        :raises ModelError: it does not load, or not into the memory that is free, or fails its test question.
        """
        if name == RULES:
            return RulesModel()
        if name == REMOTE:
            return RemoteModel(self._env.settings.remote)
        return self._proven(name, anew=False)

    def open_anew(self, name: str) -> Model:
        """Load a rung that fell, and let it prove itself. Raises as `open`."""
        if name not in (RULES, REMOTE):
            return self._proven(name, anew=True)
        model = self.open(name)
        if name == REMOTE:
            try:
                prove_remote(model, seconds=self._env.settings.remote.read_seconds)
            except BaseException:
                model.close()
                raise
        return model

    def has_room(self, name: str) -> bool:
        """Whether a rung can be loaded beside what is loaded now."""
        if name in (RULES, REMOTE):
            return True
        free = look_at_machine(self._env.weights.folder).free_ram_bytes
        return free >= self._env.weights.catalogue.entry(name).ram_bytes

    def _proven(self, name: str, *, anew: bool) -> Model:
        settings = self._env.settings
        model, key, present = self._load(name)
        known_ms = self._notes.recall(key).golden_ms
        if not settings.ladder.golden or (known_ms and not anew):
            return model
        seconds = allowed_seconds(settings.ladder, known_ms)
        try:
            took = prove(model, start_seconds=settings.workers.start_seconds, seconds=seconds)
        except BaseException as error:
            model.close()
            if present and not known_ms and self._rejects(name, error):
                return self._proven(name, anew=anew)
            raise
        if not known_ms:
            with contextlib.suppress(OSError):  # a full disk: it is asked again next time
                self._notes.remember(key, Remembered(golden_ms=took))
        return model

    def _rejects(self, name: str, error: BaseException) -> bool:
        """Set aside a version that verifies and never worked here; whether there is one before it."""
        if self._on_bad is None or not isinstance(error, ModelError) or isinstance(error, NotEnoughMemory):
            return False
        try:
            self._env.weights.reject(name, str(error))
        except WeightsError:
            return False
        return True

    def _load(self, name: str) -> tuple[Model, str, bool]:
        """The model, by what its test is remembered, and whether it is the present version."""
        env, settings = self._env, self._env.settings
        entry = env.weights.catalogue.entry(name)
        # What is missing is said before a process is started for it.
        files = None if env.weights.status(name).present else self._files(entry)
        worker = WorkerModel(name, settings=settings.model, workers=settings.workers)
        try:
            files = files or self._files(entry)
            verified = files.verified
            held = {role: verified.held(role) for role in verified}
            free = look_at_machine(env.weights.folder).free_ram_bytes
            known = self._notes.recall(verified.digests[_MODEL])
            settled = settle(settings.model, held, free_bytes=free, remembered=known)
            digests = _cache_digests(verified, settled)
            cache = {"folder": str(env.home.cache / _STATES), **digests}
            worker.load(held[_MODEL], projector=settled.projector, cache=cache, settings=settled.settings)
        except BaseException as error:
            worker.close()
            if files is not None and isinstance(error, ModelError):
                name_files(error, files.verified)
            raise
        model = with_result_cache(HeldModel(worker, verified), env, weights_digest=_digest(digests))
        key = _digest({**digests, "kv_type": settled.plan.kv_type})
        return OpenRung(model, pick=entry.rules_pick, remarks=files.remarks), key, not verified.previous

    def _files(self, entry: Entry) -> _Files:
        """
        :raises WeightsError: they cannot be used, not even without the projector.
        """
        store, name = self._env.weights, entry.name
        on_bad = self._found_bad if self._on_bad is not None and name not in self._suspects else None
        try:
            files = store.verified(name, on_bad=on_bad)
        except OSError as error:
            place = store.folder / name
            raise WeightsUnreadable(f"{name}: {place} cannot be read: {error.strerror}; check the disk") from None
        except WeightsError as error:
            blind = self._without_eyes(entry, error)
            if blind is None:
                raise
            return _Files(blind, (replace(fall_of(name, error), kind="blind"),))
        remarks = (Fall(name, files.previous, kind="previous"),) if files.previous else ()
        return _Files(files, remarks)

    def _without_eyes(self, entry: Entry, error: WeightsError) -> VerifiedFiles | None:
        """The model alone, where nothing is wrong but with its projector."""
        file = next((file for file in entry.required if file.role == _MODEL), None)
        if entry.kind != "vision" or file is None or not error.faults or file.name in error.faults:
            return None
        found = self._env.weights.check_one(entry, file)
        if found is None or found.problem or found.held is None:
            return None
        path, expected = self._env.weights.path(entry, file), self._env.weights.expected(entry, file)
        return VerifiedFiles({_MODEL: path}, {_MODEL: found.held}, {_MODEL: expected.sha256})

    def _found_bad(self, name: str, file: str, reason: str) -> None:
        """From another thread: what was computed with these files meanwhile is forgotten too."""
        self._suspects.add(name)
        forget_computed(self._env)
        if self._on_bad is not None:
            self._on_bad(name, f"{name}: {file} {reason}, found while it was in use")


def forget_computed(env: Env) -> None:
    """Remove states and replies that a model with wrong bytes may have left under the name of the right one."""
    shutil.rmtree(env.home.cache / _STATES, ignore_errors=True)
    for end in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            (env.home.cache / f"{_REPLIES}{end}").unlink(missing_ok=True)


def _cache_digests(files: VerifiedFiles, settled: Settled) -> dict[str, str]:
    """What the states of a model depend on."""
    roles = {"weights_sha256": _MODEL, "projector_sha256": settled.projector_role}
    return {key: files.digests[role] for key, role in roles.items() if role}


def _digest(digests: Mapping[str, str]) -> str:
    """One digest over all that is named."""
    return hashlib.sha256(" ".join(digests.values()).encode()).hexdigest()
