"""Which workers this process supervises, and how often each was started: for whoever measures the box."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from agent.workers.states import State

__all__ = ["count_start", "enter", "process_starts", "supervised"]

_MOST_NAMES = 64
_OTHER = "other"


class Supervised(Protocol):
    """What is told of a worker."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> State: ...


_lock = threading.Lock()
_known: weakref.WeakSet[Supervised] = weakref.WeakSet()
_starts: Counter[str] = Counter()


def enter(worker: Supervised) -> None:
    """There is one more, for as long as somebody holds it."""
    with _lock:
        _known.add(worker)


def count_start(name: str) -> None:
    """A process of a worker was started; names beyond a bound are counted together."""
    with _lock:
        _starts[name if name in _starts or len(_starts) < _MOST_NAMES else _OTHER] += 1


def supervised() -> list[Supervised]:
    """Those that there are now."""
    with _lock:
        return list(_known)


def process_starts() -> Mapping[str, int]:
    """By name of the worker, since this process began."""
    with _lock:
        return dict(_starts)
