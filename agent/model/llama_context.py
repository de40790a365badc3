"""llama.cpp's memory of one model: several lanes in one pool of cells, decoded, shared, cut back, kept and restored.

A lane is a conversation of its own. What two lanes start with alike is held once (`share`), and a stretch of a lane can
be taken out as bytes and put back after a restart (`state`, `restore`). Positions are llama.cpp's: after an image they
have moved by fewer steps than it takes cells.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model.cores import physical_cores
from agent.model.heat import Governor
from agent.model.llama_library import last_complaint, library
from agent.model.llama_native import NativeModel
from agent.settings import ModelSettings

__all__ = ["ABORTED", "NativeContext", "OutOfCells", "Row"]

GGML_TYPES = {"auto": 1, "f16": 1, "q8_0": 8, "q4_0": 2}
ABORTED = 2
"""What llama_decode returns when the abort callback said so."""
NO_CELLS = 1
"""What it returns, with nothing changed, when the pool has no room."""
ABORT_TOKENS = 32
"""A pass over fewer tokens takes milliseconds and is not interrupted."""


class OutOfCells(ModelError):
    """The lanes together fill the context; another lane has to be forgotten first."""

    done = 0
    """Tokens of a long read that were taken before, and are still there."""


@dataclass(frozen=True, slots=True)
class Row:
    """One token of a pass over several lanes."""

    lane: int
    token: int
    position: int
    wanted: bool
    """Its logits are read afterwards."""


class NativeContext:
    """Memory and passes of a loaded model. Freed by `close`, before the model."""

    def __init__(self, native: NativeModel, settings: ModelSettings, *, lanes: int) -> None:
        """
        :param lanes: conversations that can be held at once; one more is kept for moving stretches about.
        :raises ModelError: the settings do not fit the model.
        """
        self._place = native.path
        self._vocabulary_size = native.vocabulary_size
        self._lib = library(spin=settings.spin)
        self._stop: Callable[[], bool] | None = None
        self._raised: BaseException | None = None
        self._abort = self._lib.ggml_abort_callback(self._asked_to_abort)
        self._never = self._lib.ggml_abort_callback()
        self._batch: Any = None
        self._wanted = 0
        self.lanes = lanes
        self.threads = self._most_threads = settings.threads or physical_cores()
        self._governor = Governor(settings, self.threads)
        self.handle: Any = self._open(native, settings)
        """llama.cpp's context, for the vision side."""
        self.tokens: int = self._lib.llama_n_ctx(self.handle)
        """Cells of the pool."""
        self.batch_tokens: int = self._lib.llama_n_batch(self.handle)
        self._memory = self._lib.llama_get_memory(self.handle)
        self._batch = self._lib.llama_batch_init(self.batch_tokens, 0, 1)
        rows = (self.batch_tokens,)
        fields = ("token", "pos", "logits", "n_seq_id")
        self._rows = {name: np.ctypeslib.as_array(getattr(self._batch, name), rows) for name in fields}
        self._rows["n_seq_id"][:] = 1

    def _open(self, native: NativeModel, settings: ModelSettings) -> Any:
        lib = self._lib
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = min(settings.context_tokens, native.trained_tokens)
        parameters.n_batch = min(settings.batch_tokens, parameters.n_ctx)
        parameters.n_ubatch = min(settings.micro_batch_tokens, parameters.n_batch)
        parameters.n_seq_max = self.lanes + 1
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = self.threads
        parameters.type_k = parameters.type_v = GGML_TYPES[settings.kv_type]
        flash = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if settings.flash_attention else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.flash_attn_type = flash
        parameters.no_perf = True
        last_complaint()
        context = lib.llama_init_from_model(native.handle, parameters)
        if not context:
            raise ModelError(
                f"{native.path}: no context of {parameters.n_ctx} tokens with kv_type {settings.kv_type}"
                f" and flash_attention {settings.flash_attention}{last_complaint()}"
            )
        return context

    def decode(
        self,
        tokens: Sequence[int],
        position: int,
        stop: Callable[[], bool],
        *,
        lane: int = 0,
        wanted: Sequence[int] = (),
    ) -> int:
        """Run tokens of one lane; the logits that are wanted are then in `logits`, in order.

        :param position: of the first token.
        :param stop: asked while long passes run and between passes.
        :param wanted: numbers of tokens, all within the last `batch_tokens`; empty is the last one.
        :return: how many were taken; fewer than given when `stop` said so, and the rest left no trace.
        :raises OutOfCells: no room; it says how many were taken.
        :raises ModelError: llama.cpp failed; what was before `position` is still there.
        """
        done = 0
        while done < len(tokens):
            if stop():
                return done
            part = tokens[done : done + self.batch_tokens]
            last = done + len(part) == len(tokens)
            self._fill(part, np.arange(position + done, position + done + len(part)), [lane] * len(part))
            self._want([at - done for at in wanted or (len(tokens) - 1,)] if last else ())
            code = self.interruptible(stop, self._run) if len(part) >= ABORT_TOKENS else self._run()
            if code == ABORTED:
                self.forget(position + done, lane=lane)
                return done
            if code == NO_CELLS:
                full = self._failure(code, f"at {position + done}")
                assert isinstance(full, OutOfCells)
                full.done = done
                raise full
            if code != 0:
                self.forget(position, lane=lane)
                raise self._failure(code, f"at {position + done}")
            done += len(part)
        return done

    def decode_rows(self, rows: Sequence[Row]) -> None:
        """One short pass over several lanes; the logits of the wanted rows are then in `logits`, in order.

        :raises OutOfCells: no room.
        :raises ModelError: llama.cpp failed; the lanes are then unchanged.
        """
        self._fill([row.token for row in rows], [row.position for row in rows], [row.lane for row in rows])
        self._want([index for index, row in enumerate(rows) if row.wanted])
        code = self._run()
        if code != 0:
            for row in rows:
                self.forget(row.position, lane=row.lane)
            raise self._failure(code, f"over {len({row.lane for row in rows})} lanes")

    def _failure(self, code: int, where: str) -> ModelError:
        kind = OutOfCells if code == NO_CELLS else ModelError
        return kind(f"{self._place}: llama_decode returned {code} {where}{last_complaint()}")

    def _fill(self, tokens: Sequence[int], positions: Sequence[int] | NDArray[Any], lanes: Sequence[int]) -> None:
        count = len(tokens)
        self._batch.n_tokens = count
        self._rows["token"][:count] = tokens
        self._rows["pos"][:count] = positions
        self._rows["logits"][:count] = 0
        for row, lane in enumerate(lanes):
            self._batch.seq_id[row][0] = lane

    def _want(self, rows: Sequence[int]) -> None:
        self._rows["logits"][list(rows)] = 1
        self._wanted = len(rows)

    def _run(self) -> int:
        self._set_threads(min(self._most_threads, self._governor.threads()))
        return int(self._lib.llama_decode(self.handle, self._batch))

    def interruptible(self, stop: Callable[[], bool], work: Callable[[], int]) -> int:
        """Run native work that asks `stop` between its steps.

        :return: what the work returned.
        """
        self._stop = stop
        self._lib.llama_set_abort_callback(self.handle, self._abort, None)
        try:
            code = work()
        finally:
            self._lib.llama_set_abort_callback(self.handle, self._never, None)
            self._stop = None
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        return code

    def _asked_to_abort(self, _: Any) -> bool:
        try:
            return self._stop is not None and self._stop()
        except BaseException as error:  # it must not pass through native code
            self._raised = error
            return True

    def logits(self, index: int = -1) -> NDArray[np.float32]:
        """Of one of the wanted tokens of the last pass, shape (vocabulary,); a view that the next pass overwrites.

        :param index: among the wanted ones; negative from the end.
        """
        pointer = self._lib.llama_get_logits_ith(self.handle, index if index < 0 else index - self._wanted)
        return np.ctypeslib.as_array(pointer, (self._vocabulary_size,))

    def use_threads(self, threads: int) -> None:
        """For the passes from now on; fewer while the box is hot."""
        self._most_threads = threads

    def _set_threads(self, threads: int) -> None:
        if threads != self.threads:
            self.threads = threads
            self._lib.llama_set_n_threads(self.handle, threads, threads)

    def forget(self, position: int, *, lane: int = 0) -> None:
        """Drop everything of a lane at and after a position."""
        self._lib.llama_memory_seq_rm(self._memory, lane, position, -1)

    def share(self, source: int, target: int, end: int) -> None:
        """Let an empty lane start with what another holds before position `end`; it is held once."""
        self._lib.llama_memory_seq_cp(self._memory, source, target, 0, end)

    def state(self, lane: int, start: int, end: int) -> bytes:
        """What a lane holds from position `start` up to `end`, for `restore`."""
        spare = self.lanes
        self._lib.llama_memory_seq_cp(self._memory, lane, spare, start, end)
        try:
            size = self._lib.llama_state_seq_get_size(self.handle, spare)
            buffer = (ctypes.c_ubyte * size)()
            written = self._lib.llama_state_seq_get_data(self.handle, buffer, size, spare)
            return bytes(memoryview(buffer)[:written])
        finally:
            self.forget(0, lane=spare)

    def restore(self, lane: int, state: bytearray) -> bool:
        """Put what `state` gave behind what the lane holds.

        :param state: from the same weights and settings, unchanged since; the lane ends where it began.
        :return: False where llama.cpp does not take it; the lane is then as before.
        """
        spare = self.lanes
        buffer = (ctypes.c_ubyte * len(state)).from_buffer(state)
        try:
            if self._lib.llama_state_seq_set_data(self.handle, buffer, len(state), spare) != len(state):
                return False
            self._lib.llama_memory_seq_cp(self._memory, spare, lane, 0, -1)
            return True
        finally:
            self.forget(0, lane=spare)

    def close(self) -> None:
        """Free everything. Calling it twice is fine."""
        if self._batch is not None:
            self._lib.llama_batch_free(self._batch)
            self._batch = None
        if self.handle:
            self._lib.llama_free(self.handle)
            self.handle = None
