"""Rows of `make bench-model` about photos, starts and memory, on the true-size random Qwen3-VL-2B."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import get_args

from agent.settings import ModelSettings
from tests.bench import model_table as table
from tests.bench.model_parties import (
    OURS,
    PEER,
    SERVER,
    Bench,
    Party,
    Said,
    cpu_ratio,
    interleave,
    median_of,
    why_missing,
)
from tests.bench.model_table import Line
from tests.bench.model_work import LONG_SYSTEM, PHOTO_QUESTIONS, TOOL_SYSTEM, Asked, Loaded

__all__ = ["memory_lines", "photo_lines", "start_lines"]

LOOK_SYSTEM = "You watch over machines and read their panels."
LEAST_TIMES_LOOK, MOST_SECOND_SHARE, MOST_SECOND_S, MOST_RESTARTED_S, MOST_START_S = 1.3, 0.05, 0.3, 0.8, 1.8
MOST_BESIDE_WEIGHTS_MB = 500.0


def photo_lines(bench: Bench, loaded: Loaded, *, first_photo: int) -> list[Line]:
    """First look, second question, and a third one after a restart; time to the first token, model loaded.

    :param first_photo: number of the first photo; every repetition takes the next one.
    """
    loaded = replace(loaded, kept=bench.folder / "photos")
    first: dict[str, list[Said]] = {OURS: [], PEER: [], SERVER: []}
    second: dict[str, list[Said]] = {OURS: [], PEER: [], SERVER: []}
    restarted: list[Said] = []
    photos = range(first_photo, first_photo + bench.repetitions)
    with bench.all(loaded) as parties:
        interleave(parties, [Asked(LOOK_SYSTEM, "Ready?", 1)])
        for photo in photos:
            asked = [Asked(LOOK_SYSTEM, question, 1, photo=photo) for question in PHOTO_QUESTIONS]
            _add(first, interleave(parties, asked[:1]))
            _add(second, interleave(parties, asked[1:2]))
    for photo in photos:
        with bench.ours(loaded) as ours:
            ours.ready()
            restarted.append(ours.reply(Asked(LOOK_SYSTEM, PHOTO_QUESTIONS[2], 1, photo=photo)))
    name = f"{loaded.name}, {_kind(loaded.projector)} projector"
    default = _default_look(bench, loaded, photos[0])
    return [*_first_lines(name, first, default), *_second_lines(name, second), _restarted_line(name, restarted)]


def _default_look(bench: Bench, loaded: Loaded, photo: int) -> Said:
    """llama-cpp-python as it comes, without flash attention."""
    with bench.peer(replace(loaded, settings={"flash_attention": False})) as peer:
        peer.reply(Asked(LOOK_SYSTEM, "Ready?", 1))
        return peer.reply(Asked(LOOK_SYSTEM, PHOTO_QUESTIONS[0], 1, photo=photo))


def _add(all_said: dict[str, list[Said]], said: Mapping[str, Sequence[Said]]) -> None:
    for who, many in said.items():
        all_said[who] += many


def _kind(projector: Path | None) -> str:
    return projector.stem.rsplit("-", 1)[-1] if projector else "no"


def _seconds(said: Mapping[str, Sequence[Said]]) -> tuple[float | None, float | None, float | None]:
    ms = [median_of(said[who], "ms") for who in (OURS, PEER, SERVER)]
    ours, peer, server = (value / 1_000 if value is not None else None for value in ms)
    return ours, peer, server


def _first_lines(name: str, said: Mapping[str, Sequence[Said]], default: Said) -> list[Line]:
    lines = []
    for peers, note in ((said[PEER], "with our flags"), ([default], "with its own defaults: no flash attention")):
        ours, peer, server = _seconds({**said, PEER: peers})
        assert ours is not None and peer is not None
        line = Line(f"first look at 640×480, times {PEER}", name, "s", ours, peer, server, note=note)
        line = replace(line, cpu_ratio=cpu_ratio(peers, said[OURS]), note=f"{note} {why_missing(said)}")
        lines.append(table.at_least(line, peer / ours, LEAST_TIMES_LOOK))
    return lines


def _second_lines(name: str, said: Mapping[str, Sequence[Said]]) -> list[Line]:
    ours, peer, server = _seconds(said)
    assert ours is not None and peer is not None
    line = Line("second question on the photo", name, "s", ours, peer, server)
    share = replace(line, work=f"{line.work}, share of {PEER}", cpu_ratio=cpu_ratio(said[OURS], said[PEER]))
    return [
        table.at_most(share, ours / peer, MOST_SECOND_SHARE),
        table.at_most(replace(line, work=f"{line.work}, seconds"), ours, MOST_SECOND_S),
    ]


def _restarted_line(name: str, said: Sequence[Said]) -> Line:
    seconds = (median_of(said, "ms") or 0.0) / 1_000
    reused, prompt = median_of(said, "reused_tokens") or 0.0, median_of(said, "prompt_tokens") or 0.0
    note = f"{reused:.0f} of {prompt:.0f} tokens came from disk"
    line = Line("second question after a restart, seconds", name, "s", seconds, note=note)
    return table.at_most(line, seconds, MOST_RESTARTED_S)


def start_lines(bench: Bench, loaded: Loaded) -> list[Line]:
    """From starting the process to the first token of a reply after about a thousand tokens of instructions."""
    loaded = replace(loaded, projector=None, kept=bench.folder / "start")
    asked = Asked(LONG_SYSTEM, "好了吗?", 1)
    bare = replace(loaded, sha256="", kept=None)
    with bench.ours(loaded) as ours:
        ours.reply(asked)
    took: dict[str, list[Said]] = {OURS: [], PEER: [], SERVER: []}
    parts: list[Said] = []
    for number in range(bench.repetitions):
        began = time.perf_counter()
        with bench.ours(loaded) as ours:
            said = ours.reply(asked)
            took[OURS].append({"ms": (time.perf_counter() - began) * 1_000})
            parts.append({**ours.facts(), "reply_ms": said["ms"]})
        if number == 0:
            took[PEER].append(_started(bench.peer(bare), asked))
            took[SERVER].append(_started(bench.serving(bare), asked))
    verified_ms, reply_ms = (median_of(parts, key) or 0.0 for key in ("verified_ms", "reply_ms"))
    note = f"of it checking the digest {verified_ms:.0f} ms, then loading and reply {reply_ms:.0f} ms"
    ours_s, peer_s, server_s = _seconds(took)
    line = Line("process start to first token", loaded.name, "s", ours_s, peer_s, server_s)
    return [table.at_most(replace(line, note=note), ours_s or 0.0, MOST_START_S)]


def _started(start: AbstractContextManager[Party], asked: Asked) -> Said:
    began = time.perf_counter()
    with start as party:
        said = party.reply(asked)
        return said if "missing" in said else {"ms": (time.perf_counter() - began) * 1_000}


def memory_lines(bench: Bench, names: Sequence[str]) -> list[Line]:
    """Most memory of a process that read about a thousand tokens at 8K context, less the weights' own size."""
    lines = []
    kinds = get_args(ModelSettings.model_fields["kv_type"].annotation)
    for name in names:
        for kind in kinds:
            if kind == "auto":
                continue
            loaded = replace(bench.models[name], projector=None, settings={"kv_type": kind})
            lines.append(_memory(bench, loaded, kind))
    return lines


def _memory(bench: Bench, loaded: Loaded, kind: str) -> Line:
    asked = Asked(TOOL_SYSTEM, "好了吗?", 4)
    weights = loaded.model.stat().st_size
    with bench.ours(loaded) as ours:
        ours.reply(asked)
        beside = (ours.facts()["peak_bytes"] - weights) / 1e6
    line = Line("peak memory beside the weights, 8K context", loaded.name, "MB", beside, note=f"KV cache {kind}")
    return table.at_most(line, beside, MOST_BESIDE_WEIGHTS_MB)
