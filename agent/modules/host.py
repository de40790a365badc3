"""The modules of a box in one process: opens them, swaps them, follows what another program chose, takes back.

A swap: the choice is locked → the swap is written down → the new version is verified, started, tried → the choice is
replaced on disk → calls go to the new one → the old one drains. Whatever fails is written down as rejected, and the
version before goes on. A version that dies in its first calls is taken back by itself.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.env import Env
from agent.errors import ModuleError, SwapFailed
from agent.modules.candidate import candidate_of
from agent.modules.module import Candidate, Module, Swapped
from agent.modules.notes import Choice
from agent.modules.store import Installed, ModuleStore
from agent.weights.ladder import look_at_machine

__all__ = ["ModuleHost"]


class ModuleHost:
    """Safe for use from several threads."""

    def __init__(self, env: Env, *, free_bytes: Callable[[], int] | None = None) -> None:
        """Starts nothing.

        :param free_bytes: memory that is free now; for tests.
        """
        self.env = env
        self.store = ModuleStore(env.home.modules, env.settings.modules)
        self.notes: list[str] = []
        """What a person should know: versions taken back, swaps that were interrupted."""
        self._free_bytes = free_bytes or (lambda: look_at_machine(Path(env.home.folder)).free_ram_bytes)
        self._lock = threading.Lock()
        self._open: dict[str, Module] = {}
        self._seen: dict[str, object] = {}
        self._failures: dict[str, tuple[float, SwapFailed | ModuleError]] = {}
        self._closed = threading.Event()
        self._follower: threading.Thread | None = None
        self._recovered = False

    def chosen(self, kind: str) -> tuple[str, ...]:
        """Modules of a kind that have a version to answer with."""
        self._recover()
        found = []
        for name in self.store.names():
            current = self.store.choice(name).current
            with contextlib.suppress(ModuleError):
                if current and self.store.installed(name, current).manifest.module.kind == kind:
                    found.append(name)
        return tuple(found)

    def open(self, name: str) -> Module:
        """The module, started with the version that was chosen; where that does not start, with the one before.

        :raises ModuleError: none was chosen, or none can be started.
        :raises SwapFailed: none comes up.
        """
        self._recover()
        with self._lock:
            module = self._open.get(name)
            if module is None or module.state == "empty":
                self._raise_recent(name)
                mark = self._mark(name)  # before the choice is read: what changes meanwhile is followed
                module = module or self._made(name)
                try:
                    self._start(module)
                except (SwapFailed, ModuleError) as error:
                    self._failures[name] = time.monotonic(), error
                    raise
                self._open[name] = module
                self._seen[name] = mark
            if self._follower is None:
                self._follower = threading.Thread(target=self._follow, name="follow modules", daemon=True)
                self._follower.start()
        return module

    def version(self, name: str) -> str:
        """The version that was chosen; empty where there is none."""
        return self.store.choice(name).current

    def bundle_sha256(self, name: str) -> str:
        """Of the bundle that the chosen version came from; empty where there is none."""
        version = self.version(name)
        try:
            return self.store.installed(name, version).sha256 if version else ""
        except ModuleError:
            return ""

    def install_bundle(self, path: Path) -> Installed:
        """Install what came with an update, and let it answer if it proves itself.

        :raises ModuleError: it is no sound bundle, or the module is pinned.
        :raises NeedsPerson: it asks for something that nobody has agreed to.
        :raises SwapFailed: it did not prove itself; what answered before goes on.
        """
        made = self.store.install(path)
        self.swap(made.name, made.version)
        return made

    def swap(self, name: str, version: str, *, alone: bool = False) -> Swapped:
        """Let another version answer: here, at the next start, and in every agent that runs.

        :param alone: stop the old one first; else only where memory does not hold both.
        :raises SwapFailed: it did not prove itself; what answered before goes on.
        :raises ModuleError: it is not installed, not sound, or the module is pinned.
        """
        with self.store.locked(name):
            choice = self.store.choice(name)
            if choice.pinned and choice.current != version:
                raise ModuleError(f"{name}: is pinned to {choice.current}; watchkeeper modules pin {name} --off")
            self.store.installed_folder(name, version)
            return self._swap(name, version, lambda before: _chosen(before, version), alone=alone)

    def rollback(self, name: str) -> Swapped:
        """Let the version before answer again, pinned or not.

        :raises ModuleError: there is none before.
        :raises SwapFailed: it did not prove itself either; what answered before goes on.
        """
        with self.store.locked(name):
            choice = self.store.choice(name)
            if not choice.previous:
                raise ModuleError(f"{name}: there is no version before {choice.current or 'the first'}; install one")
            back = choice.previous
            return self._swap(name, back, lambda before: replace(_chosen(before, back), pinned=False))

    def hand_over(self, name: str, version: str) -> None:
        """Choose a version without a trial here, where memory holds no second one; whoever runs it tries it first.

        :raises ModuleError: it is not installed or not sound, or the module is pinned.
        """
        with self.store.locked(name):
            if self.store.choice(name).pinned:
                raise ModuleError(f"{name}: is pinned; watchkeeper modules pin {name} --off")
            self.store.verified(name, version)
            self.store.choose(name, lambda before: replace(_chosen(before, version), unproved=True))

    def close(self) -> None:
        """Stop all. Calling it twice is fine."""
        self._closed.set()
        with self._lock:
            modules = list(self._open.values())
            self._open.clear()
        for module in modules:
            module.close()
        if self._follower is not None and self._follower is not threading.current_thread():
            self._follower.join(self.env.settings.modules.drain_seconds)

    def _raise_recent(self, name: str) -> None:
        """One that did not start is not started again with every call."""
        when, error = self._failures.get(name, (-math.inf, None))
        if error is not None and time.monotonic() < when + self.env.settings.modules.retry_seconds:
            raise error.with_traceback(None)

    def _recover(self) -> None:
        with self._lock:
            if not self._recovered:
                self._recovered = True
                self.notes += self.store.recover()

    def _swap(self, name: str, version: str, change: Callable[[Choice], Choice], *, alone: bool = False) -> Swapped:
        """The swap itself, under the lock of the module."""
        module = self._open.get(name)
        here = module or self._made(name)
        self.store.begin(name, version)
        try:
            candidate = candidate_of(self.store.verified(name, version), self.env, self.store)
            done = here.swap(candidate, commit=lambda: self.store.choose(name, change), alone=alone)
        except SwapFailed as error:
            self._reject(name, version, str(error))
            raise
        finally:
            self.store.end(name)
            if module is None:
                here.close()
        return done

    def _reject(self, name: str, version: str, reason: str) -> None:
        """Write it down; where the disk takes no note, it is said all the same."""
        with contextlib.suppress(ModuleError):
            self.store.reject(name, version, reason)

    def _made(self, name: str) -> Module:
        settings = self.env.settings.modules
        return Module(name, settings, free_bytes=self._free_bytes, relapsed=lambda *how: self._take_back(name, *how))

    def _start(self, module: Module) -> None:
        """The chosen version, else the one before."""
        choice = self.store.choice(module.name)
        if not choice.current:
            raise ModuleError(f"{module.name}: no version was chosen; watchkeeper modules swap {module.name} VERSION")
        try:
            module.swap(self._candidate(module.name, choice.current, proved=not choice.unproved))
            if choice.unproved:
                self.store.choose(module.name, lambda before: replace(before, unproved=False))
        except (SwapFailed, ModuleError) as error:
            if not choice.previous:
                raise
            module.swap(self._candidate(module.name, choice.previous, proved=True))
            self._reject(module.name, choice.current, str(error))
            self.store.choose(module.name, lambda before: _back(before, choice.previous))
            self.notes.append(f"{error}; {choice.previous} answers again")

    def _candidate(self, name: str, version: str, *, proved: bool) -> Candidate:
        candidate = candidate_of(self.store.verified(name, version), self.env, self.store)
        return replace(candidate, prove=lambda supervisor, tolerated: None) if proved else candidate

    def _take_back(self, name: str, version: str, reason: str) -> None:
        """A version only looked sound; called in a thread of its own."""
        why = f"it died in its first calls: {reason}"
        with contextlib.suppress(ModuleError, SwapFailed), self.store.locked(name):
            choice = self.store.choice(name)
            if choice.current != version or self._closed.is_set():
                return
            self._reject(name, version, why)
            if not choice.previous or choice.previous in choice.rejected:
                self.notes.append(f"{name} {version}: {why}; there is no version before it")
                return
            back = choice.previous
            self._swap(name, back, lambda before: _back(before, back))
            self.notes.append(f"{name} {version}: {why}; {back} answers again")

    def _follow(self) -> None:
        """Another program chose another version: swap to it here too."""
        while not self._closed.wait(self.env.settings.modules.follow_seconds):
            for name, module in list(self._open.items()):
                mark = self._mark(name)
                if mark != self._seen.get(name):
                    with contextlib.suppress(ModuleError):
                        self._adopt(name, module)
                        self._seen[name] = mark

    def _adopt(self, name: str, module: Module) -> None:
        with self.store.locked(name):
            choice = self.store.choice(name)
            if not choice.current or choice.current == module.version or self._closed.is_set():
                return
            before = module.version
            try:
                module.swap(candidate_of(self.store.verified(name, choice.current), self.env, self.store))
                if choice.unproved:
                    self.store.choose(name, lambda now: replace(now, unproved=False))
            except (SwapFailed, ModuleError) as error:
                self._reject(name, choice.current, str(error))
                self.store.choose(name, lambda now: _back(now, before))
                self.notes.append(str(error))

    def _mark(self, name: str) -> object:
        """Changes whenever the choice does: each one is another file."""
        try:
            found = self.store.choice_file(name).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


def _chosen(before: Choice, version: str) -> Choice:
    """What it is once a version has proved itself."""
    previous = before.current if before.current != version else before.previous
    rejected = {other: why for other, why in before.rejected.items() if other != version}
    return replace(before, current=version, previous=previous, rejected=rejected, unproved=False)


def _back(before: Choice, version: str) -> Choice:
    """What it is once a version was taken back: the one that failed is none to go back to."""
    return replace(before, current=version, previous="", unproved=False)
