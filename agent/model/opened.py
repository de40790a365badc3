"""A rung that was opened: its files are watched, and the rules help it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.bound import CallBound, PickBound
from agent.errors import ModelError, WeightsChanged
from agent.messages import Message, Reply
from agent.model.falls import Fall
from agent.model.many import replies_of
from agent.model.protocol import Bound, Model, ReplyLimits, Request
from agent.model.rules import RulesModel
from agent.model.worker import WorkerModel
from agent.tools import Tool
from agent.weights.held import VerifiedFiles

__all__ = ["HeldModel", "OpenRung", "name_files"]


class HeldModel:
    """A model whose files stay open, and are looked at around each reply."""

    def __init__(self, model: WorkerModel, files: VerifiedFiles) -> None:
        self._model = model
        self._files = files
        self.name = model.name
        self.sees = model.sees

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As `Model.reply`.

        :raises WeightsChanged: a file was written to, removed or replaced since it was verified.
        """
        self._check()
        try:
            reply = self._model.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)
        except ModelError as error:
            self._check()
            name_files(error, self._files)
            raise
        self._check()
        return reply

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """As `WorkerModel.reply_many`.

        :raises WeightsChanged: as `reply`.
        """
        self._check()
        try:
            replies = self._model.reply_many(requests, limits=limits)
        except ModelError as error:
            self._check()
            name_files(error, self._files)
            raise
        self._check()
        return replies

    def close(self) -> None:
        """Free the model, then its files."""
        self._model.close()
        self._files.close()

    def _check(self) -> None:
        if not self._files.unchanged():
            raise WeightsChanged(f"{self.name}: a file was changed on disk while it was in use")


class OpenRung:
    """A model to which the rules say what they would reply: where it agrees, mostly, it needs no pass to say so. For a
    model that points at quotes worse than they do, they do that alone."""

    def __init__(self, model: Model, *, pick: bool, remarks: tuple[Fall, ...]) -> None:
        """
        :param pick: the rules point at the quotes.
        :param remarks: in what way it is not as it should be.
        """
        self._model = model
        self._rules = RulesModel()
        self._pick = pick
        self.name = model.name
        self.sees = model.sees
        self.remarks = remarks

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As `Model.reply`."""
        if self._pick and isinstance(bound, PickBound):
            return self._rules.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)
        if isinstance(bound, CallBound | PickBound):
            draft = self._rules.reply(messages, tools, bound=bound, limits=limits).text
            limits = replace(limits, draft=draft)
        return self._model.reply(messages, tools, bound=bound, limits=limits, on_text=on_text)

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """As `ManyAtOnce.reply_many`; what the rules do, they do here too."""
        own = [n for n, request in enumerate(requests) if self._pick and isinstance(request.bound, PickBound)]
        told = [n for n in range(len(requests)) if n not in own]
        by_rules = [replies_of(self._rules, [requests[n]], limits)[0] for n in own]
        found = dict(zip(own, by_rules, strict=True))
        found |= zip(told, replies_of(self._model, [requests[n] for n in told], limits), strict=True)
        return [found[n] for n in range(len(requests))]

    def close(self) -> None:
        """Free the model."""
        self._model.close()


def name_files(error: ModelError, files: VerifiedFiles) -> None:
    """A message that names a descriptor names the file instead."""
    text = str(error)
    for role, path in files.items():
        with contextlib.suppress(KeyError):
            text = text.replace(str(files.held(role)), str(path))
    error.args = (text,)
