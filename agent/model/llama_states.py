"""Stretches of the model's memory brought back from disk before a reply, and put there after it.

A prompt is kept in stretches: its stable beginning, then up to the end of each photo. They are restored one by one as
far as they are there, behind what the lane holds already.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.model.lanes import Lane, Lanes
from agent.model.llama_context import NativeContext, OutOfCells
from agent.model.prefix import Entry, positions_of
from agent.model.prefix_cache import PrefixCache

__all__ = ["States"]


class States:
    """What is kept for one context."""

    def __init__(self, context: NativeContext, lanes: Lanes, cache: PrefixCache | None) -> None:
        self._context = context
        self._lanes = lanes
        self._cache = cache if cache is not None and cache.on else None

    def restore(self, lane: Lane, prompt: Sequence[Entry], ends: Sequence[int]) -> None:
        """Fill a lane with the stretches of a prompt that are on disk.

        :param ends: of the stretches, as `prefix.boundaries` gives them.
        """
        if self._cache is None:
            return
        for start, end in zip([0, *ends], ends, strict=False):
            if len(lane.entries) >= end:
                continue
            if not self._cache.has(prompt[:end], start):
                return
            state = self._cache.load(prompt[:end], start)
            self._lanes.cut(lane, start)
            if state is None or not self._put_back(lane, state, prompt[start:end]):
                return

    def keep(self, lane: Lane, prompt: Sequence[Entry], ends: Sequence[int]) -> None:
        """Put the stretches of a prompt on disk that are in its lane and not there yet."""
        if self._cache is None:
            return
        for start, end in zip([0, *ends], ends, strict=False):
            if len(lane.entries) < end:
                return
            if not self._cache.has(prompt[:end], start):
                first, last = positions_of(prompt[:start]), positions_of(prompt[:end])
                self._cache.save(prompt[:end], self._context.state(lane.number, first, last), start)

    def _put_back(self, lane: Lane, state: bytearray, entries: Sequence[Entry]) -> bool:
        def work() -> None:
            if not self._context.restore(lane.number, state):
                raise OutOfCells("the state does not fit the memory")

        try:
            self._lanes.with_room(work)
        except OutOfCells:
            return False
        lane.add(entries)
        return True
