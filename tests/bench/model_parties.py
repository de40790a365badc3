"""Who is measured by `make bench-model`, behind one interface: ours, llama-cpp-python, llama-server and a bare loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from tests.bench.children import Child
from tests.bench.llama_server import Server, ServerMissing
from tests.bench.model_work import Asked, Loaded

__all__ = ["OURS", "PEER", "SERVER", "Bench", "Party", "Said", "cpu_ratio", "interleave", "median_of", "why_missing"]

OURS, AGENT, PEER, SERVER, BARE = "ours", "our agent", "llama-cpp-python", "llama-server", "bare"
Said = dict[str, Any]


class Party(Protocol):
    """Who answers."""

    def reply(self, asked: Asked) -> Said:
        """What was said and what it took; `missing` with the reason where it cannot be."""
        ...


class Process:
    """A party in a process of its own that speaks JSON lines."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def reply(self, asked: Asked) -> Said:
        """See `Party`."""
        return self._child.ask(do="reply", **asked.to_json())

    def together(self, requests: Sequence[Asked]) -> Said:
        """All at once."""
        return self._child.ask(do="together", requests=[asked.to_json() for asked in requests])

    def ready(self) -> None:
        """Wait until it is loaded."""
        self.reply(Asked("You are ready.", "?", 1))

    def facts(self) -> Said:
        """Peak memory in bytes and, of ours, the time that checking the digest took."""
        return self._child.ask(do="facts")


class Missing:
    """A party that is not there."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def reply(self, asked: Asked) -> Said:
        """The reason."""
        return {"missing": self._reason}


@dataclass(frozen=True, slots=True)
class Bench:
    """What is there to measure with."""

    models: Mapping[str, Loaded]
    """qwen3-vl-2b (random), qwen2.5-1.5b, qwen2.5-0.5b."""
    server: Path | str
    """The program; else why it is missing."""
    repetitions: int
    folder: Path
    """Empty, for states that outlive a process."""

    @contextmanager
    def ours(self, loaded: Loaded) -> Iterator[Process]:
        """Our side."""
        with Child("tests.bench.model_ours", loaded.to_json()) as child:
            yield Process(child)

    @contextmanager
    def bare(self, loaded: Loaded) -> Iterator[Process]:
        """The bare loop."""
        with Child("tests.bench.model_bare", loaded.to_json()) as child:
            yield Process(child)

    @contextmanager
    def peer(self, loaded: Loaded) -> Iterator[Process]:
        """llama-cpp-python."""
        with Child("tests.bench.model_peer", loaded.to_json()) as child:
            yield Process(child)

    @contextmanager
    def serving(self, loaded: Loaded) -> Iterator[Server | Missing]:
        """llama-server, or its absence."""
        if isinstance(self.server, str):
            yield Missing(f"peer missing: {self.server}")
            return
        try:
            server = Server(self.server, loaded)
        except ServerMissing as error:
            yield Missing(f"peer missing: {error}")
            return
        with server:
            yield server

    @contextmanager
    def all(self, loaded: Loaded) -> Iterator[dict[str, Party]]:
        """All three, in the order in which they take turns."""
        with ExitStack() as stack:
            yield {
                OURS: stack.enter_context(self.ours(loaded)),
                PEER: stack.enter_context(self.peer(replace(loaded, sha256="", kept=None))),
                SERVER: stack.enter_context(self.serving(loaded)),
            }


def interleave(parties: Mapping[str, Party], requests: Sequence[Asked]) -> dict[str, list[Said]]:
    """Everyone answers the first request, then everyone the second: what else the machine does falls on all."""
    said: dict[str, list[Said]] = {name: [] for name in parties}
    for asked in requests:
        for name, party in parties.items():
            said[name].append(party.reply(asked))
    return said


@dataclass(frozen=True, slots=True)
class AsAgent:
    """Our side, asked for a call as the agent makes it."""

    ours: Party

    def reply(self, asked: Asked) -> Said:
        """As `Party.reply`."""
        return self.ours.reply(replace(asked, schema=False, agent=True))


def median_of(said: Sequence[Said], key: str) -> float | None:
    """Of one figure; None where it was not measured."""
    values = [one[key] for one in said if key in one]
    return float(median(values)) if values else None


def cpu_ratio(one: Sequence[Said], other: Sequence[Said]) -> float | None:
    """Processor time of one over that of the other; None where it was not measured."""
    mine, theirs = median_of(one, "cpu_ms"), median_of(other, "cpu_ms")
    return mine / theirs if mine and theirs else None


def why_missing(said: Mapping[str, Sequence[Said]]) -> str:
    """Who did not answer, and why; empty where all did."""
    reasons = {one["missing"] for many in said.values() for one in many if "missing" in one}
    return "; ".join(sorted(reasons))
