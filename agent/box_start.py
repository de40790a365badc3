"""Which profile the processes of this box run with, found once and held as long as one of them lives.

A model that is loaded takes most of a box's memory, so whoever starts beside a server must not conclude from what is
left that the box is a smaller one: it would read photos with another reader and know other limits. The first process
looks at the memory and writes down what it chose; those that start while one is alive take that. The kernel tells who
lives: each process holds a shared lock on the note, and only who gets it alone looks anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from agent.boxes import BoxChoice, Profile, choose_profile, fill_in, profile_named
from agent.env import Env
from agent.weights.ladder import look_at_machine

__all__ = ["fitted"]

_NOTE = "box"
"""In the home's cache."""
_NOTE_BYTES = 100


@contextmanager
def fitted(env: Env) -> Iterator[Env]:
    """The box with the settings of its profile, for as long as this process uses it."""
    machine = look_at_machine(env.weights.folder)
    named = profile_named(env.settings.box.profile)
    note = -1
    try:
        if named is not None:
            profile, why = named, "by the settings (box.profile)"
        else:
            note = _open_note(env)
            profile, why = _of_box(note, machine.free_ram_bytes)
        settings = fill_in(env.settings, profile, cores=machine.cores)
        yield replace(env, settings=settings, box=BoxChoice(profile.name, why, pinned=named is not None))
    finally:
        if note >= 0:
            os.close(note)


def _open_note(env: Env) -> int:
    """Its descriptor; -1 where the home cannot be written, and each process looks for itself."""
    try:
        return os.open(env.home.cache / _NOTE, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600)
    except OSError:
        return -1


def _of_box(note: int, free_bytes: int) -> tuple[Profile, str]:
    """The profile of the processes that live, else the one for the memory that is free now."""
    chosen = choose_profile(free_bytes)
    by_memory = f"by memory: {free_bytes / 1e9:.1f} GB free"
    if note < 0:
        return chosen, by_memory
    try:
        fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return _of_others(note) or (chosen, by_memory)
    try:
        os.ftruncate(note, 0)
        os.pwrite(note, chosen.name.encode(), 0)
    except OSError:
        by_memory += "; a full disk keeps it from being noted"
    fcntl.flock(note, fcntl.LOCK_SH)
    return chosen, by_memory


def _of_others(note: int) -> tuple[Profile, str] | None:
    """What those chose that hold the note; None where it says nothing that we know."""
    try:
        fcntl.flock(note, fcntl.LOCK_SH)
        said = os.pread(note, _NOTE_BYTES, 0).decode("ascii", "replace")
    except OSError:
        return None
    profile = profile_named(said)
    return None if profile is None else (profile, "as the process that began first, which still runs")
