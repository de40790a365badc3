"""What of a model's wishes fits into the memory that is free: context, its type, the size of a pass, image tokens.

Deciding is pure. What is given up, in order, until the rest fits:
1. the kind of numbers that the context is kept in: f16, then q8_0; only with `kv_type = "auto"`, and never q4_0;
2. tokens in one pass, down to 64: long prompts are read more slowly;
3. tokens of a photo, down to 64: small print is lost;
4. length of the context, down to `least_context_tokens`.

Weights count in full, although their pages could be dropped: a model that reads them from disk for each token is of no
use. Swap does not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from agent.errors import NotEnoughMemory
from agent.model.gguf import ModelShape, ProjectorShape
from agent.settings import ModelSettings

__all__ = ["KvType", "MemoryPlan", "plan_memory"]

KvType = Literal["f16", "q8_0", "q4_0"]
AUTO_TYPES: tuple[KvType, ...] = ("f16", "q8_0")
"""q4_0 is taken where a person names it only: over one text it raised the perplexity of Qwen2.5 1.5B from 61 to 3,002
and of the 0.5B from 84 to 164, where q8_0 made 61.3 and 84.0."""
KV_BITS: dict[KvType, float] = {"f16": 16, "q8_0": 8.5, "q4_0": 4.5}
"""Bits that one number takes; the packed types hold 32 of them with one scale."""
PACK = 32
CELLS = 256
"""llama.cpp rounds a context up to these."""
LEAST_PASS_TOKENS = 64
LEAST_IMAGE_TOKENS = 64
FREE_CHOICE_TOKENS = 16_384
"""Where the context is as long as memory allows, one shorter than this is packed tighter."""
PROCESS_BYTES = 90_000_000
"""Python, numpy and llama.cpp's libraries. This and the figures below were measured with llama.cpp of early 2026 on
Qwen2.5 0.5B and 1.5B and on Qwen3-VL 2B; `tests/test_room.py` holds them against a running model."""
WORD_BYTES = 325
"""Of one token of the vocabulary, with its merges."""
GRAMMAR_WORD_BYTES = 480
"""Of the same in llguidance's copy of it, from the first reply under a grammar on."""
PASS_BYTES = 3_000_000
FEED_COPIES, WIDTH_COPIES = 3, 7
"""Rows that one token of a pass needs at the same time: of the feed-forward part, and of the width between layers."""
IMAGE_BYTES = 8_000_000
IMAGE_FEED_COPIES, IMAGE_WIDTH_COPIES = 3, 11
PATCHES = 4
"""Of the vision half, for each token of an image."""
FLOAT_BYTES = 4
MASK_BYTES = 2


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What to load a model with, and what it will take."""

    context_tokens: int
    kv_type: KvType
    micro_batch_tokens: int
    image_tokens: int
    """At most, of one photo; 0 without a projector."""
    weights_bytes: int
    """Model and projector."""
    kv_bytes: int
    """Of the whole context; taken when the model is loaded."""
    work_bytes: int
    """Everything else, when it works."""
    reason: str
    """One line for people: what was chosen and what was given up for it."""

    @property
    def total_bytes(self) -> int:
        """Resident memory of the process, photos encoded and prefixes kept in memory not counted."""
        return self.weights_bytes + self.kv_bytes + self.work_bytes


@dataclass(frozen=True, slots=True)
class _Choice:
    """One way to load a model."""

    context_tokens: int
    kv_type: KvType
    micro_batch_tokens: int
    image_tokens: int


def plan_memory(
    model: ModelShape, free_bytes: int, settings: ModelSettings, *, projector: ProjectorShape | None = None
) -> MemoryPlan:
    """Choose what fits.

    :param free_bytes: that this process may take without swapping.
    :param projector: the vision half, for a model that sees.
    :raises NotEnoughMemory: not even the smallest fits; it says how much is missing.
    """
    free = min(free_bytes, settings.max_ram_bytes) if settings.max_ram_bytes else free_bytes
    budget = free - settings.spare_ram_bytes
    wish = _wish(model, budget, settings, projector)
    smaller = _smaller(wish, model, settings)
    last = smaller[-1]
    for choice in smaller:
        plan = _cost(choice, model, settings, projector)
        if plan.total_bytes <= budget:
            return _told(plan, wish, budget)
    over = _cost(last, model, settings, projector).total_bytes - budget
    tokens = _whole(_cells(last) - math.ceil(over / _token_bytes(last, model)))
    least = min(settings.least_context_tokens, last.context_tokens)
    if tokens < least:
        missing = _cost(replace(last, context_tokens=least), model, settings, projector).total_bytes - budget
        raise NotEnoughMemory(_too_large(missing, free_bytes, settings))
    shrunk = replace(last, context_tokens=tokens)
    return _told(_cost(shrunk, model, settings, projector), wish, budget)


def _too_large(missing: int, free_bytes: int, settings: ModelSettings) -> str:
    capped = 0 < settings.max_ram_bytes < free_bytes
    limit = f"model.max_ram_bytes allows {settings.max_ram_bytes / 1e6:.0f} MB" if capped else ""
    return (
        f"{math.ceil(missing / 1e6)} MB of memory are missing even for the smallest context of"
        f" {settings.least_context_tokens} tokens ({limit or f'{free_bytes / 1e6:.0f} MB are free'});"
        f" {'raise it' if capped else 'stop other programs'} or use a smaller model"
    )


def _wish(model: ModelShape, budget: int, settings: ModelSettings, projector: ProjectorShape | None) -> _Choice:
    """What the settings ask for. A context that memory decides on leaves half of what the rest leaves."""
    kinds = _kinds(model, settings)
    images = settings.image_tokens if projector else 0
    if settings.context_tokens:
        tokens = min(settings.context_tokens, model.trained_tokens)
        return _Choice(tokens, kinds[0], settings.micro_batch_tokens, images)
    for kind in kinds:
        empty = _Choice(0, kind, settings.micro_batch_tokens, images)
        room = budget - _cost(empty, model, settings, projector).total_bytes
        tokens = min(model.trained_tokens, _whole(int(room / 2 / _token_bytes(empty, model))))
        if tokens >= min(FREE_CHOICE_TOKENS, model.trained_tokens):
            break
    least = min(settings.least_context_tokens, model.trained_tokens)
    return _Choice(max(tokens, least), kind, settings.micro_batch_tokens, images)


def _kinds(model: ModelShape, settings: ModelSettings) -> tuple[KvType, ...]:
    """Types that may be used, best first. Packed ones need flash attention, and rows of whole packs."""
    if settings.kv_type != "auto":
        return (settings.kv_type,)
    return AUTO_TYPES if settings.flash_attention and model.kv_row % PACK == 0 else AUTO_TYPES[:1]


def _smaller(wish: _Choice, model: ModelShape, settings: ModelSettings) -> list[_Choice]:
    """The wish, and what to try when it does not fit, up to where only the context is left to shorten."""
    kinds = _kinds(model, settings)
    choices = [replace(wish, kv_type=kind) for kind in kinds[kinds.index(wish.kv_type) :]]
    while (passed := choices[-1].micro_batch_tokens // 2) >= LEAST_PASS_TOKENS:
        choices.append(replace(choices[-1], micro_batch_tokens=passed))
    while (seen := choices[-1].image_tokens // 2) >= LEAST_IMAGE_TOKENS:
        choices.append(replace(choices[-1], image_tokens=seen))
    return choices


def _cost(choice: _Choice, model: ModelShape, settings: ModelSettings, projector: ProjectorShape | None) -> MemoryPlan:
    copies = 2 if settings.repack else 1
    row = FEED_COPIES * model.feed_width + WIDTH_COPIES * model.width
    cells = _cells(choice)
    passes = choice.micro_batch_tokens * (row * FLOAT_BYTES + cells * MASK_BYTES)
    image = 0
    if projector:
        patch = IMAGE_FEED_COPIES * projector.feed_width + IMAGE_WIDTH_COPIES * projector.width
        image = IMAGE_BYTES + choice.image_tokens * PATCHES * patch * FLOAT_BYTES
    return MemoryPlan(
        context_tokens=choice.context_tokens,
        kv_type=choice.kv_type,
        micro_batch_tokens=choice.micro_batch_tokens,
        image_tokens=choice.image_tokens,
        weights_bytes=model.file_bytes * copies + (projector.file_bytes if projector else 0),
        kv_bytes=round(cells * model.kv_values * KV_BITS[choice.kv_type] / 8),
        work_bytes=PROCESS_BYTES + PASS_BYTES + model.vocabulary * (WORD_BYTES + GRAMMAR_WORD_BYTES) + passes + image,
        reason="",
    )


def _token_bytes(choice: _Choice, model: ModelShape) -> float:
    """What one more token of context takes."""
    return model.kv_values * KV_BITS[choice.kv_type] / 8 + choice.micro_batch_tokens * MASK_BYTES


def _cells(choice: _Choice) -> int:
    """What llama.cpp makes of a number of tokens."""
    return math.ceil(choice.context_tokens / CELLS) * CELLS


def _whole(tokens: int) -> int:
    return max(0, tokens // CELLS * CELLS)


def _told(plan: MemoryPlan, wish: _Choice, budget: int) -> MemoryPlan:
    """The plan with its reason."""
    given_up = [
        f"{name} {now} instead of {wanted}"
        for name, now, wanted in (
            ("context", plan.context_tokens, wish.context_tokens),
            ("kv_type", plan.kv_type, wish.kv_type),
            ("pass", plan.micro_batch_tokens, wish.micro_batch_tokens),
            ("image tokens", plan.image_tokens, wish.image_tokens),
        )
        if now != wanted
    ]
    what = (
        f"{plan.total_bytes / 1e6:.0f} of {budget / 1e6:.0f} MB: weights {plan.weights_bytes / 1e6:.0f},"
        f" context {plan.kv_bytes / 1e6:.0f} for {plan.context_tokens} tokens in {plan.kv_type},"
        f" work {plan.work_bytes / 1e6:.0f}"
    )
    reason = f"{what}; for lack of memory {', '.join(given_up)}" if given_up else what
    return replace(plan, reason=reason)
