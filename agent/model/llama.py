"""The model on this box: Qwen in INT4 on llama.cpp's low-level API.

A reply goes: render the template → tokens → keep what the memory already holds → run the rest, with what the grammar
forces appended → choose → run the choice with what it forces → … until the grammar or the model ends it. So a tool call
takes as many passes as it has real choices, and a second question pays for its own words only.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agent.errors import ModelError, PromptTooLong
from agent.messages import Message, Reply
from agent.model.constrain import Free, Grammars, Guide
from agent.model.llama_native import NativeModel
from agent.model.llama_run import Run
from agent.model.llama_vision import Vision
from agent.model.prefix import Entry, Memory, Picture, cells_of, common_prefix
from agent.model.prefix_cache import PrefixCache
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
        self,
        name: str,
        native: NativeModel,
        template: ChatTemplate,
        vision: Vision | None,
        settings: ModelSettings,
        cache: PrefixCache | None = None,
    ) -> None:
        """Use `load`."""
        self.name = name
        self.sees = vision is not None
        self._native = native
        self._template = template
        self._vision = vision
        self._settings = settings
        self._cache = cache
        specials = native.special_tokens()
        self._image_mark = specials.get(IMAGE_MARK, -1)
        self._tokenizer = PromptTokenizer(specials, native.tokenize, first=native.first_token())
        self._grammars = Grammars(native, entries=settings.grammar_cache_entries)
        self._memory = Memory()
        self._replies: OrderedDict[str, tuple[int, ...]] = OrderedDict()

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        name: str,
        settings: ModelSettings,
        projector: Path | None = None,
        cache: PrefixCache | None = None,
    ) -> LlamaModel:
        """Load a GGUF file.

        :param name: as the catalogue calls it.
        :param projector: the vision half (mmproj); with it the model sees.
        :param cache: where the state after a system message is kept over restarts.
        :raises ModelError: a file is damaged, of another kind, without chat template, or does not fit the settings.
        """
        native = NativeModel(path, settings)
        vision: Vision | None = None
        try:
            if not native.template:
                raise ModelError(f"{path}: it holds no chat template; use an instruct model")
            template = ChatTemplate(native.template, max_chars=settings.max_template_chars, place=str(path))
            vision = Vision(projector, native, settings) if projector is not None else None
            return cls(name, native, template, vision, settings, cache)
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
        began = time.perf_counter()
        reused = self._rewind(prompt)
        if reused < self._settings.prefix_least_tokens:
            reused = self._restore(messages, tools, prompt, limits) or reused
        prepared_ms = (time.perf_counter() - began) * 1_000
        run = Run(self._native, self._vision, self._memory, guide, limits, on_text)
        stopped = run.go(prompt[len(self._memory.entries) :])
        if stopped == "done":
            self._remember(run.text, run.tokens)
        used = run.usage(prompt_tokens=cells_of(prompt), reused_tokens=reused)
        return Reply(run.text, stopped, replace(used, prefill_ms=used.prefill_ms + prepared_ms))

    def close(self) -> None:
        """Free everything. Calling it twice is fine."""
        if self._vision is not None:
            self._vision.close()
        self._native.close()

    def _prompt(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[Entry]:
        length = sum(len(message.text) for message in messages)
        if length > self._settings.max_prompt_chars:
            raise PromptTooLong(
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
            raise PromptTooLong(
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

    def _restore(
        self, messages: Sequence[Message], tools: Sequence[Tool], prompt: Sequence[Entry], limits: ReplyLimits
    ) -> int:
        """Fill an empty memory with the prompt's stable beginning from disk, or read it once and keep it there.

        :return: tokens that came from disk.
        """
        if self._cache is None or messages[0].role != "system":
            return 0
        alone = self._template.render(messages[:1], tools, sees=self.sees, known={})
        stable = prompt[: common_prefix(self._tokenizer.encode(alone), prompt[:-1])]
        tokens = [entry for entry in stable if isinstance(entry, int)]
        if len(tokens) < len(stable) or not self._cache.wants(tokens):
            return 0
        self._rewind([])
        state = self._cache.load(tokens)
        if state is not None and self._native.restore(state):
            self._memory.add(tokens)
            return len(tokens)
        done = self._native.decode(tokens, 0, limits.expired)
        self._memory.add(tokens[:done])
        if done == len(tokens):
            self._cache.save(tokens, self._native.state())
        return 0

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
