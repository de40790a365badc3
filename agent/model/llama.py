"""The model on this box: Qwen in INT4 on llama.cpp's low-level API.

A reply goes: render the template → tokens → keep what the memory already holds → run the rest, with what the grammar
forces appended → choose → run the choice with what it forces → … until the grammar or the model ends it. So a tool call
takes as many passes as it has real choices, and a second question pays for its own words only.
"""

from __future__ import annotations

import codecs
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np

from agent.errors import ModelError
from agent.messages import Message, Reply, Usage
from agent.model.constrain import Free, Grammars, Guide
from agent.model.llama_native import NativeModel
from agent.model.llama_vision import Vision
from agent.model.prefix import Entry, Memory, Picture, cells_of, common_prefix
from agent.model.protocol import Bound, ReplyLimits
from agent.model.template import ChatTemplate
from agent.model.tokens import PromptTokenizer
from agent.settings import ModelSettings
from agent.tools import Tool

__all__ = ["LlamaModel"]

IMAGE_MARK = "<|image_pad|>"
"""What Qwen's templates write where an image goes."""


class LlamaModel:
    """Implements `agent.model.protocol.Model`."""

    def __init__(
        self, name: str, native: NativeModel, template: ChatTemplate, vision: Vision | None, settings: ModelSettings
    ) -> None:
        """Use `load`."""
        self.name = name
        self.sees = vision is not None
        self._native = native
        self._template = template
        self._vision = vision
        self._settings = settings
        specials = native.special_tokens()
        self._image_mark = specials.get(IMAGE_MARK, -1)
        self._tokenizer = PromptTokenizer(specials, native.tokenize, first=native.first_token())
        self._grammars = Grammars(native, entries=settings.grammar_cache_entries)
        self._memory = Memory()
        self._replies: OrderedDict[str, tuple[int, ...]] = OrderedDict()

    @classmethod
    def load(cls, path: Path, *, name: str, settings: ModelSettings, projector: Path | None = None) -> LlamaModel:
        """Load a GGUF file.

        :param name: as the catalogue calls it.
        :param projector: the vision half (mmproj); with it the model sees.
        :raises ModelError: a file is damaged, of another kind, without chat template, or does not fit the settings.
        """
        native = NativeModel(path, settings)
        vision: Vision | None = None
        try:
            if not native.template:
                raise ModelError(f"{path}: it holds no chat template; use an instruct model")
            template = ChatTemplate(native.template, max_chars=settings.max_template_chars, place=str(path))
            vision = Vision(projector, native, settings) if projector is not None else None
            return cls(name, native, template, vision, settings)
        except BaseException:
            if vision is not None:
                vision.close()
            native.close()
            raise

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """See `agent.model.protocol.Model.reply`.

        :raises ModelError: the prompt does not fit the context, the grammar does not compile, or llama.cpp failed.
        """
        guide: Guide = Free() if bound is None else self._grammars.constraint(bound.lark())
        prompt = self._prompt(messages, tools)
        self._check_room(prompt, limits)
        reused = self._rewind(prompt)
        run = _Run(self._native, self._vision, self._memory, guide, limits, on_text)
        stopped = run.go(prompt[len(self._memory.entries) :])
        if stopped == "done":
            self._remember(run.text, run.tokens)
        return Reply(run.text, stopped, run.usage(prompt_tokens=cells_of(prompt), reused_tokens=reused))

    def close(self) -> None:
        """Free everything. Calling it twice is fine."""
        if self._vision is not None:
            self._vision.close()
        self._native.close()

    def _prompt(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[Entry]:
        length = sum(len(message.text) for message in messages)
        if length > self._settings.max_prompt_chars:
            raise ModelError(
                f"the prompt has {length} characters, the limit is {self._settings.max_prompt_chars}"
                " (model.max_prompt_chars); ask with less"
            )
        if self._vision is not None:
            self._vision.trim()
        pieces = self._template.render(messages, tools, sees=self.sees, known=self._replies)
        tokens = self._tokenizer.encode(pieces)
        if self._vision is None:
            return list(tokens)
        pictures = [self._vision.look(message.photo) for message in messages if message.photo is not None]
        return _place_pictures(tokens, pictures, self._image_mark)

    def _check_room(self, prompt: Sequence[Entry], limits: ReplyLimits) -> None:
        cells, room = cells_of(prompt), self._native.context_tokens
        if cells + limits.max_tokens > room:
            raise ModelError(
                f"the prompt takes {cells} tokens and the reply may take {limits.max_tokens}, together"
                f" {cells + limits.max_tokens}; the context holds {room} (model.context_tokens)"
            )

    def _rewind(self, prompt: Sequence[Entry]) -> int:
        """Keep of the memory what the prompt starts with, except its last token: its logits are wanted.

        :return: tokens kept.
        """
        keep = common_prefix(self._memory.entries, prompt[:-1])
        self._memory.cut(keep)
        self._native.forget(self._memory.position)
        return cells_of(self._memory.entries)

    def _remember(self, text: str, tokens: Sequence[int]) -> None:
        """A reply comes back as a message: then exactly these tokens stand for it."""
        spelled = b"".join(map(self._native.piece, tokens))
        if spelled != text.encode() or self._native.control_tokens(tokens):
            return
        self._replies[text] = tuple(tokens)
        self._replies.move_to_end(text)
        while len(self._replies) > self._settings.reply_cache_entries:
            self._replies.popitem(last=False)


def _place_pictures(tokens: Sequence[int], pictures: Sequence[Picture], mark: int) -> list[Entry]:
    waiting = list(pictures)
    entries: list[Entry] = []
    for token in tokens:
        if token != mark:
            entries.append(token)
        elif waiting:
            entries.append(waiting.pop(0))
        else:
            raise ModelError("the chat template has more places for images than the conversation has photos")
    if waiting:
        raise ModelError("the chat template has no place for a photo; this model file is not meant for images")
    return entries


class _Run:
    """One reply being made."""

    def __init__(
        self,
        native: NativeModel,
        vision: Vision | None,
        memory: Memory,
        guide: Guide,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None,
    ) -> None:
        self._native = native
        self._vision = vision
        self._memory = memory
        self._guide = guide
        self._limits = limits
        self._on_text = on_text
        self._random = np.random.default_rng(limits.seed)
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._passes = 0
        self._prefill_ms = 0.0
        self._decode_ms = 0.0
        self._forced = 0
        self.tokens: list[int] = []
        self.text = ""

    def go(self, pending: Sequence[Entry]) -> Literal["done", "length", "aborted"]:
        """Run the rest of the prompt, then choose until something ends it."""
        began = time.perf_counter()
        try:
            return self._go(list(pending), began)
        finally:
            self._decode_ms = (time.perf_counter() - began) * 1_000 - self._prefill_ms

    def _go(self, waiting: list[Entry], began: float) -> Literal["done", "length", "aborted"]:
        while True:
            waiting += self._say_forced()
            if self._guide.over:
                return "done"
            if len(self.tokens) >= self._limits.max_tokens:
                return "length"
            ready = self._decode(waiting)
            if self._passes <= 1:
                self._prefill_ms = (time.perf_counter() - began) * 1_000
            if not ready:
                return "aborted"
            token = self._guide.choose(self._native.logits(), self._limits.temperature, self._random)
            if self._native.ends(token):
                return "done"
            self._say([token])
            waiting = [token]

    def usage(self, *, prompt_tokens: int, reused_tokens: int) -> Usage:
        """What it cost."""
        return Usage(
            prompt_tokens=prompt_tokens,
            reused_tokens=reused_tokens,
            sampled_tokens=len(self.tokens) - self._forced,
            forced_tokens=self._forced,
            passes=max(0, self._passes - 1),
            prefill_ms=self._prefill_ms,
            decode_ms=self._decode_ms,
        )

    def _say_forced(self) -> list[int]:
        tokens = self._guide.forced()[: max(0, self._limits.max_tokens - len(self.tokens))]
        self._forced += len(tokens)
        self._say(tokens)
        return tokens

    def _say(self, tokens: Sequence[int]) -> None:
        self.tokens += tokens
        text = self._utf8.decode(b"".join(map(self._native.piece, tokens)))
        self.text += text
        if text and self._on_text is not None:
            self._on_text(text)

    def _decode(self, entries: Sequence[Entry]) -> bool:
        """:return: False when the reply was stopped from outside; the memory then holds what was finished."""
        for is_picture, group in groupby(entries, key=lambda entry: isinstance(entry, Picture)):
            part = list(group)
            done = self._show(part) if is_picture else self._feed(part)
            if not done:
                return False
        self._passes += 1
        return True

    def _feed(self, entries: Sequence[Entry]) -> bool:
        tokens = [entry for entry in entries if isinstance(entry, int)]
        done = self._native.decode(tokens, self._memory.position, self._stop)
        self._memory.add(tokens[:done])
        return done == len(tokens)

    def _show(self, entries: Sequence[Entry]) -> bool:
        for entry in entries:
            assert isinstance(entry, Picture) and self._vision is not None
            if not self._vision.show(entry, self._memory.position, self._stop):
                return False
            self._memory.add([entry])
        return True

    def _stop(self) -> bool:
        deadline = self._limits.deadline
        return (deadline is not None and time.monotonic() > deadline) or self._limits.cancelled()
