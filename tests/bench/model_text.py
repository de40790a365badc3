"""Rows of `make bench-model` about text: plain decoding, tool calls, quoting, batches, prefixes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.bench import model_table as table
from tests.bench.model_memory import bandwidth_gb_per_second
from tests.bench.model_parties import (
    AGENT,
    BARE,
    OURS,
    PEER,
    SERVER,
    AsAgent,
    Bench,
    Party,
    Said,
    cpu_ratio,
    interleave,
    median_of,
    why_missing,
)
from tests.bench.model_table import Line
from tests.bench.model_work import (
    CALL_QUESTIONS,
    LONG_SYSTEM,
    QUOTE_QUESTION,
    QUOTE_SYSTEM,
    TOOL_SYSTEM,
    WRITE_QUESTIONS,
    WRITE_SYSTEM,
    Asked,
    Loaded,
)

__all__ = ["bandwidth_lines", "batch_lines", "call_lines", "decode_lines", "prefix_lines", "quote_lines"]

VL, MIDDLE, SMALL = "qwen3-vl-2b", "qwen2.5-1.5b", "qwen2.5-0.5b"
WRITTEN_TOKENS, CALL_TOKENS, QUOTE_TOKENS, BATCH_TOKENS = 96, 80, 260, 48
LOOKUP_TOKENS = 15
SEQUENCES = 8
LEAST_OF_BARE, LEAST_TIMES_PEER, LEAST_TIMES_SERVER = 0.97, 5.0, 2.0
LEAST_QUOTING, LEAST_TOGETHER, MOST_OF_PREFILL = 1.4, 2.0, 0.1


def decode_lines(bench: Bench) -> list[Line]:
    """Every model as we run it, and the middle one repacked as well: other kernels, so another floor."""
    lines = [_decoded(bench, name, repack=False) for name in bench.models]
    return [*lines, *([_decoded(bench, MIDDLE, repack=True)] if MIDDLE in bench.models else [])]


def _decoded(bench: Bench, name: str, *, repack: bool) -> Line:
    loaded = replace(bench.models[name], projector=None, settings={"repack": repack})
    requests = [
        Asked(WRITE_SYSTEM, WRITE_QUESTIONS[number % len(WRITE_QUESTIONS)], WRITTEN_TOKENS)
        for number in range(bench.repetitions)
    ]
    with bench.ours(loaded) as ours, bench.bare(loaded) as bare, bench.serving(loaded) as server:
        parties: dict[str, Party] = {OURS: ours, BARE: bare, SERVER: server}
        said = interleave(parties, requests)
    speed = {who: _tokens_per_second(said[who]) for who in said}
    floor = speed[BARE] or 0.0
    note = f"bare loop {floor:.1f}; weights {'repacked' if repack else 'not repacked'} here, repacked in the server"
    line = Line("plain decode", name, "tok/s", ours=speed[OURS], server=speed[SERVER], note=note)
    line = replace(line, cpu_ratio=cpu_ratio(said[BARE], said[OURS]))
    return table.at_least(line, (speed[OURS] or 0.0) / floor, LEAST_OF_BARE)


def _tokens_per_second(said: Sequence[Said]) -> float | None:
    rates = [{"rate": 1_000 * one["passes"] / one["decode_ms"]} for one in said if one.get("decode_ms")]
    return median_of(rates, "rate")


def call_lines(bench: Bench, name: str) -> list[Line]:
    """One call among five tools; the instructions were read before, the question was not. Ours is made as the agent
    makes it; what the same JSON costs us is told beside it."""
    warm, *questions = CALL_QUESTIONS
    asked = [Asked(TOOL_SYSTEM, question, CALL_TOKENS, schema=True) for question in (warm, *questions)]
    with bench.all(bench.models[name]) as parties:
        everyone = {AGENT: AsAgent(parties[OURS]), **parties}
        interleave(everyone, asked[:1])
        said = interleave(everyone, (asked[1:] * bench.repetitions)[: bench.repetitions])
    ms = {who: median_of(many, "ms") for who, many in said.items()}
    ours = median_of(said[AGENT], "ms") or 0.0
    tokens = "/".join(f"{median_of(many, 'tokens') or 0:.0f}" for many in said.values())
    note = f"tokens {tokens}; our passes {median_of(said[AGENT], 'passes') or 0:.0f} {why_missing(said)}"
    line = Line("tool call, five tools, warm prefix", name, "ms", ours, ms[PEER], ms[SERVER], note=note)
    lines = []
    for who, limit in ((PEER, LEAST_TIMES_PEER), (SERVER, LEAST_TIMES_SERVER)):
        work, theirs = f"{line.work}: times {who}", ms[who]
        beside = replace(line, work=work, cpu_ratio=cpu_ratio(said[who], said[AGENT]))
        if theirs is None:
            lines.append(table.not_measured(work, name, why_missing(said), f">= {limit:g}"))
        else:
            lines.append(table.at_least(beside, theirs / ours, limit))
    same = f"passes {median_of(said[OURS], 'passes') or 0:.0f}; processor time of {PEER} / ours " + (
        f"{cpu_ratio(said[PEER], said[OURS]) or 0:.1f}"
    )
    return [*lines, table.told("the same call as JSON under the same schema", name, "ms", ms[OURS] or 0.0, same)]


def prefix_lines(bench: Bench, name: str) -> list[Line]:
    """About a thousand tokens of instructions: read cold, and after a restart; with the same short question."""
    kept = replace(bench.models[name], projector=None, kept=bench.folder / "prefix")
    asked = Asked(LONG_SYSTEM, "好了吗?", 1)
    with bench.ours(kept) as ours:
        ours.reply(asked)
    said: dict[str, list[Said]] = {"cold": [], "restored": []}
    for _ in range(bench.repetitions):
        for who, loaded in (("cold", replace(kept, kept=None)), ("restored", kept)):
            with bench.ours(loaded) as ours:
                ours.ready()
                said[who].append(ours.reply(asked))
    cold, restored = (median_of(said[who], "ms") or 0.0 for who in ("cold", "restored"))
    reused = median_of(said["restored"], "reused_tokens") or 0.0
    tokens = median_of(said["cold"], "prompt_tokens") or 0.0
    note = f"prompt of {tokens:.0f} tokens read in {cold:.0f} ms cold; {reused:.0f} tokens came from disk"
    line = Line("instruction prefix after a restart, share of its prefill", name, "ms", restored, note=note)
    line = replace(line, cpu_ratio=cpu_ratio(said["restored"], said["cold"]))
    return [table.at_most(line, restored / cold, MOST_OF_PREFILL)]


def quote_lines(bench: Bench, name: str) -> list[Line]:
    """Three rows of a log and the steps of a manual, copied: with tokens guessed from the prompt, and without."""
    plain = Asked(QUOTE_SYSTEM, QUOTE_QUESTION, QUOTE_TOKENS)
    requests = [plain, replace(plain, lookup_tokens=LOOKUP_TOKENS)]
    with bench.ours(bench.models[name]) as ours:
        ours.reply(replace(plain, max_tokens=1))
        rounds = [interleave({OURS: ours}, requests)[OURS] for _ in range(bench.repetitions)]
    slow, quick = ([pair[which] for pair in rounds] for which in (0, 1))
    own_ms, plain_ms = (median_of(many, "decode_ms") or 0.0 for many in (quick, slow))
    same = quick[0]["text"] == slow[0]["text"]
    passes = "/".join(f"{median_of(many, 'passes') or 0:.0f}" for many in (quick, slow))
    note = f"plain {plain_ms:.0f} ms; passes {passes}; {quick[0]['tokens']} tokens, "
    line = Line("quoting three rows and the steps, times plain decode", name, "ms", own_ms, note=note)
    line = replace(line, note=line.note + ("the same text" if same else "NOT THE SAME TEXT"))
    line = replace(line, cpu_ratio=cpu_ratio(slow, quick))
    judged = table.at_least(line, plain_ms / own_ms, LEAST_QUOTING)
    return [judged if same else replace(judged, reached=False)]


def batch_lines(bench: Bench, name: str) -> list[Line]:
    """Eight short reports together, and the same eight one after another."""
    requests = [
        Asked(WRITE_SYSTEM, f"Machine {number}: {WRITE_QUESTIONS[number % 2]}", BATCH_TOKENS)
        for number in range(SEQUENCES)
    ]
    work = f"{SEQUENCES} sequences together, times one after another"
    with bench.ours(bench.models[name]) as ours:
        ours.reply(requests[0])
        together: list[Said] = []
        alone: list[Said] = []
        for _ in range(max(1, bench.repetitions // 2)):
            together.append(ours.together(requests))
            said = [ours.reply(asked) for asked in requests]
            total = {key: sum(one[key] for one in said) for key in ("ms", "cpu_ms")}
            alone.append({**total, "texts": [one["text"] for one in said]})
    own_ms, alone_ms = (median_of(many, "ms") or 0.0 for many in (together, alone))
    texts = [one["text"] for one in together[0]["replies"]]
    same = sum(one == other for one, other in zip(texts, alone[0]["texts"], strict=True))
    note = f"one after another {alone_ms:.0f} ms; {same} of {SEQUENCES} texts the same"
    line = Line(work, name, "ms", own_ms, note=note, cpu_ratio=cpu_ratio(alone, together))
    return [table.at_least(line, alone_ms / own_ms, LEAST_TOGETHER)]


def bandwidth_lines(threads: int, decoded: Sequence[Line], models: Mapping[str, Loaded]) -> list[Line]:
    """What the plain decode makes of the machine's memory."""
    bandwidth = bandwidth_gb_per_second(threads)
    lines = [table.told(f"memory bandwidth, copy by {threads} threads", "", "GB/s", bandwidth)]
    for line in decoded:
        if line.ours is not None and "not repacked" in line.note:
            streamed = line.ours * models[line.model].model.stat().st_size / 1e9
            note = f"weights are read at {streamed:.0f} GB/s"
            lines.append(table.told("plain decode per bandwidth", line.model, "tok/s per GB/s", line.ours / bandwidth))
            lines[-1] = replace(lines[-1], note=note)
    return lines
