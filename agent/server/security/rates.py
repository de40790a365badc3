"""So many a minute: of each client, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Rate"]

_MOST_KEYS = 10_000


class Rate:
    """A bucket for each key that fills evenly; what finds it empty is too much."""

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(a_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Whether one more is within the rate; it is counted."""
        with self._lock:
            left = self._now(key)
            self._keep(key, left - 1 if left >= 1 else left)
            return left >= 1

    def has(self, key: str) -> bool:
        """Whether one more would be within the rate; nothing is counted."""
        with self._lock:
            return self._now(key) >= 1

    def _now(self, key: str) -> float:
        left, at = self._left.get(key, (self._most, 0.0))
        return min(self._most, left + (self._clock() - at) * self._most / 60)

    def _keep(self, key: str, left: float) -> None:
        self._left[key] = (left, self._clock())
        self._left.move_to_end(key)
        while len(self._left) > _MOST_KEYS:
            self._left.popitem(last=False)
