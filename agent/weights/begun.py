"""A verification under way, so that a loader may begin at once and answer only when it is over.

The loader gets the open files whose size and header chunks were right; their other bytes may still be wrong. What it
makes of them must not answer before `result` came back and `same` says that exactly these files were verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

from agent.weights.chunks import ReadFailed, Shortened, chunk_count, hash_chunk
from agent.weights.digest import Expected, open_weight
from agent.weights.held import Held, VerifiedFiles

__all__ = ["Begun", "open_early"]


class Begun:
    """What may be loaded now, and the outcome later."""

    def __init__(self, early: Mapping[str, Held], check: Callable[[], VerifiedFiles]) -> None:
        """
        :param early: by role; empty where nothing may be loaded before it is verified.
        :param check: verifies; run in a thread of its own.
        """
        self._early = dict(early)
        self._outcome: Future[VerifiedFiles] = Future()
        Thread(target=self._run, args=(check,), name="weights-check", daemon=True).start()

    @property
    def early(self) -> dict[str, Path]:
        """Role → path by which a process of this user opens exactly that file, as long as this object lives."""
        return {role: held.path for role, held in self._early.items()}

    def result(self, seconds: float | None = None) -> VerifiedFiles:
        """Wait for the end of the verification.

        :raises WeightsError: as `WeightStore.verified`.
        :raises TimeoutError: it is not over after so long.
        """
        return self._outcome.result(seconds)

    def same(self, files: VerifiedFiles) -> bool:
        """Whether the files that were given early are the ones that were verified, and nobody wrote to them since."""
        return bool(self._early) and all(
            held.unchanged() and files.is_held(role, held) for role, held in self._early.items()
        )

    def _run(self, check: Callable[[], VerifiedFiles]) -> None:
        try:
            self._outcome.set_result(check())
        except BaseException as error:  # for whoever waits
            self._outcome.set_exception(error)


def open_early(path: Path, expected: Expected) -> Held | None:
    """A file whose size and first chunks, as far as its header goes, are right; None where that cannot be told."""
    if expected.note is None or not expected.chunks or path.is_symlink():
        return None
    try:
        with open_weight(path) as held:
            if held is None or held.size != expected.note.size:
                return None
            for number in range(min(chunk_count(expected.note.header_bytes), len(expected.chunks))):
                if hash_chunk(held.descriptor, number, held.size) != expected.chunks[number]:
                    return None
            return held
    except (OSError, ReadFailed, Shortened):
        return None
