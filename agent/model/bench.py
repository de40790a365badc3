"""Measures a model on this box and picks what to load it with. Each trial runs in a process of its own.

Order: threads with f16, then the packed context with the best number of threads, then each projector. A trial whose
process dies, hangs or does not fit costs its row. Among trials that differ by less than the noise the one with fewer
threads, or the smaller projector, wins; a packed context has to be faster to win, because it rounds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import WorkerError
from agent.model.cores import Cores
from agent.model.machine import PROJECTOR, Remembered
from agent.model.room import KvType
from agent.settings import ModelSettings, WorkerSettings
from agent.values import Json
from agent.workers.launch import WorkerSpec
from agent.workers.supervisor import Supervisor

__all__ = ["Bench", "Row", "calibrate_projector", "is_disturbed", "pick", "projectors_of", "thread_counts"]

MODULE = "agent.model.trial"
"""What runs in the process: `make` loads a model, `meter` does not."""
EVERY_COUNT = 4
"""Up to so many threads each number is tried, then powers of two and what is half way between them."""
READ_SHARE = 10
"""A turn reads about ten tokens for each that it writes."""
PHOTO_CONTEXT_TOKENS = 1_024
PHOTOS = 2
"""The quicker one counts."""


@dataclass(frozen=True, slots=True)
class Row:
    """One trial. 0 stands for what was not measured."""

    threads: int
    kv_type: KvType
    projector: str = ""
    """Role; empty where only text was tried."""
    read_tok_s: float = 0.0
    write_tok_s: float = 0.0
    first_token_ms: float = 0.0
    """Loading, and reading a prompt of `bench_prompt_tokens`."""
    load_ms: float = 0.0
    encode_ms: float = 0.0
    """Of a small photo."""
    peak_bytes: int = 0
    others: float = 0.0
    """Share of the box that other programs took meanwhile, 0 to 1."""
    problem: str = ""
    """Why there are no figures."""

    @property
    def cost(self) -> float:
        """Seconds for one written token and what is read for it."""
        return READ_SHARE / self.read_tok_s + 1 / self.write_tok_s if self.read_tok_s and self.write_tok_s else 0.0


class Bench:
    """The trials of one model on this box."""

    def __init__(
        self,
        files: Mapping[str, Path],
        cores: Cores,
        settings: ModelSettings,
        workers: WorkerSettings,
        *,
        quick: bool = False,
        module: str = MODULE,
    ) -> None:
        """
        :param files: role → path, verified.
        :param settings: nothing in it is open any more; see `agent.model.machine.settle`.
        :param module: what runs in the process.
        """
        self._files = files
        self._cores = cores
        self._settings = settings
        self._workers = workers
        self._module = module
        self._seconds = settings.bench_quick_seconds if quick else settings.bench_trial_seconds
        self._photos = 1 if quick else PHOTOS
        self._counts = thread_counts(cores, quick=quick)
        self._kinds: tuple[KvType, ...] = ("q8_0",) if settings.flash_attention else ()

    @property
    def trials(self) -> int:
        """Rows that there will be."""
        return len(self._counts) + len(self._kinds) + len(projectors_of(self._files))

    def rows(self) -> Iterator[Row]:
        """Run the trials, one after the other."""
        tried = []
        for threads in self._counts:
            tried.append(self._text(Row(threads, "f16")))
            yield tried[-1]
        best = _least(tried, self._settings.bench_noise)
        threads = best.threads if best else self._cores.useful
        for kind in self._kinds:
            yield self._text(Row(threads, kind))
        for role in projectors_of(self._files):
            yield self.photo(Row(threads, "f16", role))

    def bandwidth(self, threads: int) -> float:
        """Bytes per second that so many threads read from memory; 0 where that cannot be told."""
        # One thread each: the library that multiplies would bring its own.
        spec = WorkerSpec("bench", f"{self._module}:meter", environment={"OPENBLAS_NUM_THREADS": "1"})
        try:
            return _number(self._call(spec, {}, "bandwidth", {"threads": threads})[0], "bytes_per_s")
        except WorkerError:
            return 0.0

    def _text(self, row: Row) -> Row:
        arguments: dict[str, Json] = {
            "prompt_tokens": self._settings.bench_prompt_tokens,
            "reply_tokens": self._settings.bench_reply_tokens,
            "seconds": self._seconds,
        }
        return self._try(row, "text", arguments)

    def photo(self, row: Row) -> Row:
        """Fill in what looking at a photo costs with the projector of a row."""
        return self._try(row, "photo", {"photos": self._photos, "seconds": self._seconds})

    def _try(self, row: Row, method: str, arguments: Mapping[str, Json]) -> Row:
        """Fill a row in. Nothing that goes wrong reaches further."""
        changes = {"threads": row.threads, "kv_type": row.kv_type}
        if row.projector:  # a photo needs little room, and clearing much of it takes time
            changes["context_tokens"] = min(self._settings.context_tokens, PHOTO_CONTEXT_TOKENS)
        config: dict[str, Json] = {
            "path": str(self._files["model"]),
            "projector": str(self._files[row.projector]) if row.projector else "",
            "settings": self._settings.model_copy(update=changes).model_dump(mode="json"),
        }
        try:
            found, report = self._call(WorkerSpec("bench", f"{self._module}:make"), config, method, arguments)
        except WorkerError as error:
            return replace(row, problem=str(error))
        if not (_number(found, "write_tok_s") or _number(found, "encode_ms")):
            return replace(row, problem=f"no figures came within {4 * self._seconds:.0f} s")
        return replace(
            row,
            read_tok_s=_number(found, "read_tok_s"),
            write_tok_s=_number(found, "write_tok_s"),
            first_token_ms=_number(found, "first_token_ms"),
            encode_ms=_number(found, "encode_ms"),
            peak_bytes=int(_number(found, "peak_bytes")),
            others=_number(found, "others"),
            load_ms=_number(report, "load_ms"),
        )

    def _call(
        self, spec: WorkerSpec, config: Mapping[str, Json], method: str, arguments: Mapping[str, Json]
    ) -> tuple[object, object]:
        """One process, one call.

        :return: what it gave, and what it said of itself.
        :raises WorkerError: it could not be loaded, died, or took too long.
        """
        limit = self._settings.bench_limit_seconds
        once = self._workers.model_copy(update={"start_seconds": limit, "breaker_deaths": 1})
        worker = Supervisor(spec, once)
        try:
            worker.start(config)
            result = worker.call(method, arguments, deadline=time.monotonic() + limit)
            return result.value, worker.report
        finally:
            worker.stop()


def thread_counts(cores: Cores, *, quick: bool = False) -> tuple[int, ...]:
    """Numbers of threads worth trying on a box, smallest first."""
    if quick:
        return tuple(sorted({max(1, cores.useful // 2), cores.useful}))
    steps = {count for power in range(2, 11) for count in (2**power, 3 * 2 ** (power - 1))}
    tried = {*range(1, EVERY_COUNT + 1), *steps, cores.useful, cores.big, cores.physical, cores.allowed}
    return tuple(sorted(count for count in tried if count <= cores.allowed))


def projectors_of(files: Mapping[str, Path]) -> Mapping[str, Path]:
    """The vision halves among the files of a model, role → path, smallest first."""
    found = {role: path for role, path in files.items() if role.split("-")[0] == PROJECTOR}
    smallest_first = sorted(found.items(), key=lambda item: item[1].stat().st_size)
    by_path = {path: role for role, path in reversed(smallest_first)}  # one file may stand for another
    return {role: path for role, path in smallest_first if by_path[path] == role}


def pick(rows: Sequence[Row], *, noise: float) -> Remembered | None:
    """The best of what was measured; None where no trial worked.

    :param noise: share by which equal trials differ.
    """
    text = [row for row in rows if row.cost and not row.projector]
    plain = _least([row for row in text if row.kv_type == "f16"], noise)
    if plain is None:
        return None
    packed = [row for row in text if row.kv_type != "f16" and row.cost < plain.cost * (1 - noise)]
    best = min(packed, key=lambda row: row.cost, default=plain)
    return Remembered(
        threads=best.threads,
        kv_type=best.kv_type,
        projector=_quickest(rows, noise),
        read_tok_s=round(best.read_tok_s, 2),
        write_tok_s=round(best.write_tok_s, 2),
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def is_disturbed(rows: Sequence[Row], *, share: float) -> bool:
    """Whether other programs took so much of the box that the best of these trials may not be the best.

    :param share: of the box, 0 to 1.
    """
    return max((row.others for row in rows), default=0.0) > share


def calibrate_projector(
    files: Mapping[str, Path], cores: Cores, settings: ModelSettings, workers: WorkerSettings, *, module: str = MODULE
) -> Remembered:
    """Which of a model's projectors is the faster here, for a first start: a few small photos, a few seconds.

    :return: with the projector alone; empty where there is nothing to choose, or no trial worked.
    """
    roles = projectors_of(files)
    if len(roles) < 2:
        return Remembered()
    bench = Bench(files, cores, settings, workers, quick=True, module=module)
    threads = settings.threads or cores.useful
    rows = [bench.photo(Row(threads, "f16", role)) for role in roles]
    return Remembered(projector=_quickest(rows, settings.bench_noise))


def _least(rows: Sequence[Row], noise: float) -> Row | None:
    """The one with the fewest threads among those that are as good as the best."""
    working = [row for row in rows if row.cost]
    if not working:
        return None
    least = min(row.cost for row in working)
    return min((row for row in working if row.cost <= least * (1 + noise)), key=lambda row: row.threads)


def _quickest(rows: Sequence[Row], noise: float) -> str:
    """The projector that encodes fastest; the one that takes less memory where they are alike."""
    seen = [row for row in rows if row.projector and row.encode_ms]
    least = min((row.encode_ms for row in seen), default=0.0)
    alike = [row for row in seen if row.encode_ms <= least * (1 + noise)]
    return min(alike, key=lambda row: row.peak_bytes).projector if alike else ""


def _number(value: object, name: str) -> float:
    """A figure that another process gave; 0 where it is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return float(found) if isinstance(found, int | float) and math.isfinite(found) and found > 0 else 0.0
