"""Conversations held in the model's memory side by side: which one a prompt goes on with, and which one makes room.

A prompt continues the lane that starts like it. Where that lane would lose a conversation by it, the common start is
shared with a lane of its own, which costs nothing: so the instructions are read once for all, and going back and forth
between conversations is free until the memory is full. Then the lane that was longest not used is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from agent.errors import ModelError
from agent.model.llama_context import NativeContext, OutOfCells, Row
from agent.model.prefix import Entry, Memory, common_prefix, positions_of

__all__ = ["Lane", "Lanes"]

Result = TypeVar("Result")

TAIL_TOKENS = 32
"""What a lane may lose without being worth a lane of its own."""


class Lane(Memory):
    """One conversation in memory."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.busy = False
        """A reply is being made in it."""
        self.used = 0
        """Grows with every use of any lane."""


class Lanes:
    """The lanes of one context. Not safe for use from two threads at once."""

    def __init__(self, context: NativeContext) -> None:
        self._context = context
        self._lanes = [Lane(number) for number in range(context.lanes)]
        self._uses = 0

    def take(self, prompt: Sequence[Entry], ends: Sequence[int] = ()) -> Lane:
        """A lane that holds as much of a prompt's beginning as any, and nothing else; `give` it back.

        :param prompt: the last entry is always left to be read: its logits are wanted.
        :param ends: of the portions in which it is read. A lane that goes on otherwise keeps whole ones only.
        :raises OutOfCells: all lanes are busy.
        """
        idle = [lane for lane in self._lanes if not lane.busy]
        if not idle:
            raise OutOfCells(f"all {len(self._lanes)} lanes of the model are in use")
        held = {lane.number: _held(lane, prompt[:-1], ends) for lane in self._lanes}
        best = max(self._lanes, key=lambda lane: (held[lane.number], not lane.busy, lane.used))
        keep = held[best.number]
        others = [lane for lane in idle if lane is not best]
        if best.busy or (len(best.entries) - keep > TAIL_TOKENS and others):
            lane = min(others, key=lambda lane: (bool(lane.entries), lane.used))
            self.cut(lane, 0)
            self._share(best, lane, keep)
        else:
            lane = best
            self.cut(lane, keep)
        lane.busy = True
        self._touch(lane)
        return lane

    @property
    def busy(self) -> bool:
        """A reply is being made in one of them."""
        return any(lane.busy for lane in self._lanes)

    def give(self, lane: Lane) -> None:
        """The reply in it is over; what it holds stays."""
        lane.busy = False
        self._touch(lane)

    def cut(self, lane: Lane, count: int) -> None:
        """Keep the first `count` entries of a lane."""
        lane.cut(count)
        self._context.forget(lane.position, lane=lane.number)

    def pieces(self, tokens: Sequence[int]) -> list[Sequence[int]]:
        """Tokens in batches, so that something else may come between."""
        most = self._context.batch_tokens
        return [tokens[start : start + most] for start in range(0, len(tokens), most)]

    def read(self, lane: Lane, tokens: Sequence[int], stop: Callable[[], bool], *, wanted: Sequence[int] = ()) -> bool:
        """Run tokens in a lane; the logits that are wanted are then in the context, in order.

        :param wanted: numbers of tokens, all within the last batch; empty is the last token's.
        :return: False when `stop` said so; the lane then holds what was finished.
        :raises ModelError: llama.cpp failed; the lane is as before.
        """

        done = 0

        def work() -> None:
            nonlocal done
            try:
                done += self._context.decode(
                    tokens[done:], lane.position + done, stop, lane=lane.number, wanted=[at - done for at in wanted]
                )
            except OutOfCells as full:
                done += full.done
                raise

        try:
            self.with_room(work)
        except ModelError:
            self._context.forget(lane.position, lane=lane.number)
            raise
        lane.add(tokens[:done])
        return done == len(tokens)

    def batch_room(self, tokens: int) -> int:
        """How many more the last batch of so many tokens takes."""
        return -tokens % self._context.batch_tokens

    def read_rows(self, parts: Sequence[tuple[Lane, Sequence[int], int]]) -> None:
        """Run tokens in several lanes at once.

        :param parts: lane, tokens, and how many of the last tokens' logits are wanted; they are then in the context,
            in order.
        :raises ModelError: llama.cpp failed; the lanes are as before.
        """
        rows = [
            Row(lane.number, token, lane.position + i, wanted=i >= len(tokens) - wanted)
            for lane, tokens, wanted in parts
            for i, token in enumerate(tokens)
        ]
        self.with_room(lambda: self._context.decode_rows(rows))
        for lane, tokens, _ in parts:
            lane.add(tokens)

    def with_room(self, work: Callable[[], Result]) -> Result:
        """Do it, and where the memory is full, forget idle lanes until it fits.

        :raises OutOfCells: it does not fit with all idle lanes forgotten.
        """
        while True:
            try:
                return work()
            except OutOfCells:
                idle = [lane for lane in self._lanes if lane.entries and not lane.busy]
                if not idle:
                    raise
                self.cut(min(idle, key=lambda lane: lane.used), 0)

    def _share(self, source: Lane, target: Lane, count: int) -> None:
        entries = source.entries[:count]
        self._context.share(source.number, target.number, positions_of(entries))
        target.add(entries)

    def _touch(self, lane: Lane) -> None:
        self._uses += 1
        lane.used = self._uses


def _held(lane: Lane, prompt: Sequence[Entry], ends: Sequence[int]) -> int:
    """Entries of a prompt that can be taken over from a lane."""
    same = common_prefix(lane.entries, prompt)
    return same if same == len(lane.entries) else max((end for end in ends if end <= same), default=0)
