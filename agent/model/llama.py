"""The model on this box: Qwen in INT4 on llama.cpp's low-level API.

A reply goes: render the template → tokens → keep what the memory already holds → run the rest, with what the grammar
forces appended → choose → run the choice with what it forces → … until the grammar or the model ends it. So a tool call
takes as many passes as it has real choices, and a second question pays for its own words only.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent.errors import ModelError, PromptTooLong
from agent.messages import Message, Reply
from agent.model.constrain import Free, Grammars, Guide
from agent.model.lanes import Lane, Lanes
from agent.model.llama_batch import LONG_TOKENS, Batch, Job, begin
from agent.model.llama_context import NativeContext, OutOfCells
from agent.model.llama_native import NativeModel
from agent.model.llama_run import Run
from agent.model.llama_states import States
from agent.model.llama_vision import Vision
from agent.model.lookup import Corpus, Lookup
from agent.model.prefix import Entry, Picture, boundaries, cells_of, common_prefix, portions
from agent.model.prefix_cache import PrefixCache
from agent.model.protocol import Bound, ReplyLimits, Request
from agent.model.template import ChatTemplate
from agent.model.thinking import Thinking, think_marks
from agent.model.tokens import PromptTokenizer
from agent.model.utterance import Utterance
from agent.settings import ModelSettings
from agent.tools import Tool

__all__ = ["LlamaModel"]

IMAGE_MARK = "<|image_pad|>"
"""What Qwen's templates write where an image goes."""


MESSAGE_MARK = "<|im_start|>"
"""What they write where a message begins."""
BATCH_GUESSES = 8
"""Tokens guessed at once for one reply of a batch."""
PORTION_TOKENS = 8
"""Fewer tokens are read together with what follows them."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A reply that can be made now."""

    lane: Lane
    prompt: list[Entry]
    ends: list[int]
    """Of the portions in which it is read."""
    reused: int
    """Tokens that need not be read."""
    utterance: Utterance


class LlamaModel:
    """Implements `agent.model.protocol.Model`."""

    def __init__(
        self,
        name: str,
        native: NativeModel,
        context: NativeContext,
        template: ChatTemplate,
        vision: Vision | None,
        settings: ModelSettings,
        cache: PrefixCache | None = None,
    ) -> None:
        """Use `load`."""
        self.name = name
        self.sees = vision is not None
        self._native = native
        self._context = context
        self._template = template
        self._vision = vision
        self._settings = settings
        specials = native.special_tokens()
        self._image_mark = specials.get(IMAGE_MARK, -1)
        self._message_mark = specials.get(MESSAGE_MARK, -1)
        self._marks = think_marks(specials, native.tokenize, native.ends)
        self._tokenizer = PromptTokenizer(specials, native.tokenize, first=native.first_token())
        self._grammars = Grammars(native, entries=settings.grammar_cache_entries)
        self._lanes = Lanes(context)
        self._states = States(context, self._lanes, cache)
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
        :param cache: where states and encoded photos are kept over restarts.
        :raises ModelError: a file is damaged, of another kind, without chat template, or does not fit the settings.
        """
        with ExitStack() as undo:
            native = NativeModel(path, settings)
            undo.callback(native.close)
            if not native.template:
                raise ModelError(f"{path}: it holds no chat template; use an instruct model")
            template = ChatTemplate(native.template, max_chars=settings.max_template_chars, place=str(path))
            context = NativeContext(native, settings, lanes=settings.lanes)
            undo.callback(context.close)
            vision = Vision(projector, native, context, settings, cache) if projector is not None else None
            if vision is not None:
                undo.callback(vision.close)
            model = cls(name, native, context, template, vision, settings, cache)
            undo.pop_all()
            return model

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
        began = time.perf_counter()
        with self._ready(Request(messages, tools, bound, limits), on_text) as ready:
            prepared_ms = (time.perf_counter() - began) * 1_000
            run = Run(self._context, self._lanes, ready.lane, self._vision, ready.utterance, limits)
            stopped = run.go(ready.prompt, ready.ends)
        used = run.usage(prompt_tokens=cells_of(ready.prompt), reused_tokens=ready.reused)
        used = replace(used, prefill_ms=used.prefill_ms + prepared_ms)
        return Reply(ready.utterance.text, stopped, used, self._spell(ready.utterance.thought))

    def reply_many(self, requests: Sequence[Request]) -> list[Reply | ModelError]:
        """Make several replies together, for scheduled work: as many at a time as there are lanes, and as fit into half
        of the memory, so that an interactive reply has room between their tokens.

        :return: one for each request, in order; an error where a prompt does not fit or a grammar does not compile.
        :raises ModelError: llama.cpp failed.
        """
        results: list[Reply | ModelError] = []
        fitting = self._context.batch_tokens // LONG_TOKENS - 1
        together = max(1, min(self._context.lanes - 1, fitting))
        while len(results) < len(requests):
            group = requests[len(results) : len(results) + together]
            try:
                results += self._together(group)
            except OutOfCells as full:
                if len(group) == 1:
                    results.append(full)
                together = (len(group) + 1) // 2
        return results

    def use_threads(self, threads: int) -> None:
        """For the passes from now on."""
        self._context.use_threads(threads)

    def close(self) -> None:
        """Free everything. Calling it twice is fine."""
        if self._vision is not None:
            self._vision.close()
        self._context.close()
        self._native.close()

    def _together(self, group: Sequence[Request]) -> list[Reply | ModelError]:
        """As many of a group as may be made together, the first at least.

        :raises OutOfCells: they do not fit the memory.
        """
        begun: list[tuple[_Ready, Job] | ModelError] = []
        corpus, taken = Corpus(), 0
        with ExitStack() as open_lanes:
            for request in group:
                try:
                    ready = open_lanes.enter_context(self._ready(request))
                except OutOfCells:
                    raise
                except ModelError as error:
                    begun.append(error)
                    continue
                lookup = Lookup(BATCH_GUESSES, corpus)
                job = Job(ready.lane, ready.prompt, ready.ends, request.limits, ready.utterance, lookup)
                begin(self._context, self._lanes, self._vision, job)
                begun.append((ready, job))
                taken += cells_of(ready.prompt) - ready.reused + request.limits.max_tokens
                if taken > self._context.tokens // 2:
                    break
            Batch(self._context, self._lanes, [one[1] for one in begun if isinstance(one, tuple)]).speak()
        return [one if isinstance(one, ModelError) else self._reply_of(*one) for one in begun]

    def _reply_of(self, ready: _Ready, job: Job) -> Reply:
        usage = job.usage(prompt_tokens=cells_of(ready.prompt), reused_tokens=ready.reused)
        return Reply(ready.utterance.text, job.stopped or "done", usage, self._spell(ready.utterance.thought))

    @contextmanager
    def _ready(self, request: Request, on_text: Callable[[str], None] | None = None) -> Iterator[_Ready]:
        """A lane with all that is known of a request's prompt; afterwards, what was read is kept."""
        limits = request.limits
        guide: Guide = Free() if request.bound is None else self._grammars.constraint(request.bound.lark())
        prompt = self._prompt(request.messages, request.tools, thinks=limits.think_tokens > 0)
        kept = boundaries(prompt, self._stable(request, prompt), least=self._settings.prefix_least_tokens)
        ends = portions(prompt, kept, self._message_mark, least=PORTION_TOKENS)
        guide = self._thinking(guide, prompt, limits)
        utterance = Utterance(self._native, guide, limits, on_text)
        self._check_room(prompt, limits, marks=self._marks.tokens if self._marks and guide.thinking else 0)
        lane = self._lanes.take(prompt, ends)
        try:
            self._states.restore(lane, prompt, kept)
            yield _Ready(lane, prompt, ends, cells_of(lane.entries), utterance)
            self._keep(lane, prompt, kept)
            if utterance.stopped == "done":
                self._remember(utterance.text, utterance.tokens)
        finally:
            self._lanes.give(lane)

    def _prompt(self, messages: Sequence[Message], tools: Sequence[Tool], *, thinks: bool = False) -> list[Entry]:
        length = sum(len(message.text) for message in messages)
        if length > self._settings.max_prompt_chars:
            raise PromptTooLong(
                f"the prompt has {length} characters, the limit is {self._settings.max_prompt_chars}"
                " (model.max_prompt_chars); ask with less"
            )
        if self._vision is not None and not self._lanes.busy:  # a reply that waits still needs its photos
            self._vision.trim()
        pieces = self._template.render(messages, tools, sees=self.sees, known=self._replies, thinks=thinks)
        tokens = self._tokenizer.encode(pieces)
        if self._vision is None:
            return list(tokens)
        pictures = [self._vision.look(message.photo) for message in messages if message.photo is not None]
        return _place_pictures(tokens, pictures, self._image_mark)

    def _stable(self, request: Request, prompt: Sequence[Entry]) -> int:
        """How many entries of a prompt every conversation with these instructions and tools starts with."""
        messages, thinks = request.messages, request.limits.think_tokens > 0
        if not messages or messages[0].role != "system":
            return 0
        alone = self._template.render(messages[:1], request.tools, sees=self.sees, known={}, thinks=thinks)
        return common_prefix(self._tokenizer.encode(alone), prompt[:-1])

    def _check_room(self, prompt: Sequence[Entry], limits: ReplyLimits, *, marks: int) -> None:
        """:param marks: tokens that mark a thought."""
        cells, room = cells_of(prompt), self._context.tokens
        most = limits.max_tokens + limits.think_tokens + marks
        if cells + most > room:
            raise PromptTooLong(
                f"the prompt takes {cells} tokens and the reply may take {most}, together {cells + most};"
                f" the context holds {room} (model.context_tokens)"
            )

    def _thinking(self, guide: Guide, prompt: Sequence[Entry], limits: ReplyLimits) -> Guide:
        """Let the model think where that is wanted, and close thoughts that the template has opened where not."""
        if self._marks is None:
            return guide
        begun = common_prefix(prompt[::-1], self._marks.opening[::-1]) == len(self._marks.opening)
        if limits.think_tokens == 0 and not begun:
            return guide
        return Thinking(guide, replace(self._marks, opening=()) if begun else self._marks, limits.think_tokens)

    def _keep(self, lane: Lane, prompt: Sequence[Entry], kept: Sequence[int]) -> None:
        self._states.keep(lane, prompt, kept)
        if self._vision is not None:
            for entry in prompt:
                if isinstance(entry, Picture):
                    self._vision.keep(entry)

    def _spell(self, tokens: Sequence[int]) -> str:
        return b"".join(map(self._native.piece, tokens)).decode("utf-8", "replace")

    def _remember(self, text: str, tokens: Sequence[int]) -> None:
        """A reply comes back as a message: then exactly these tokens stand for it."""
        if self._spell(tokens) != text or self._native.control_tokens(tokens):
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
