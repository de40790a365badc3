"""The ladder in use: the best rung answers; one that cannot is left at once, the next answers, and the answer says so.

In a turn it only goes down. A rung whose process dies, or whose file is touched, is started once more, and left if that
does not help. Between turns it goes up again: what `agent.model.health` says is due is loaded and asked a test
question, beside the rung that answers where memory allows, and answers from the next turn on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from agent.errors import ModelDied, PromptTooLong, WeightsChanged, WordsNothing
from agent.messages import Message, Reply
from agent.model.falls import Fall
from agent.model.health import HealthBook, State
from agent.model.many import replies_of
from agent.model.protocol import Bound, Model, ReplyLimits, Request
from agent.model.standing import CannotAnswer, Openers, Standing
from agent.settings import LadderSettings
from agent.tools import Tool

__all__ = ["Fall", "Ladder", "Mender"]

_CLOSE_SECONDS = 5.0
"""For the thread that climbs to end; it is busy at most with a model that is being loaded."""


class Mender(Protocol):
    """Brings back files that are not sound, in its own time. `agent.weights.repairer` is one."""

    def want(self, name: str) -> None:
        """A rung fell over its files."""
        ...

    def look(self) -> None:
        """Others may have found files bad, or brought some back; called now and then."""
        ...

    def close(self) -> None:
        """End. Calling it twice is fine."""
        ...


class Ladder:
    """A `Model` that is the best of several. One turn at a time; it may be told of bad files from any thread."""

    def __init__(
        self,
        rungs: Sequence[str],
        openers: Openers | Callable[[str], Model],
        *,
        settings: LadderSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        mend: Callable[[Callable[[str], None]], Mender] | None = None,
    ) -> None:
        """
        :param rungs: best first.
        :param openers: how rungs are opened; a function opens all of them, at first and anew.
        :param mend: starts to bring back bad files; what it is given is called with the name of a rung that is back.
        """
        self.rungs = tuple(rungs)
        self._settings = settings or LadderSettings()
        self._book = HealthBook(rungs, self._settings, clock=clock)
        known = openers if isinstance(openers, Openers) else Openers(openers)
        self._standing = Standing(self._book, known, self._settings, want=self._want)
        self._mend = mend
        self._mender: Mender | None = None
        self._climber: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The rung that answers now."""
        model = self._standing.model
        return model.name if model else (self._book.best() or "none")

    @property
    def sees(self) -> bool:
        """Whether that rung takes photos."""
        return self._standing.current().sees

    @property
    def falls(self) -> list[Fall]:
        """Rungs that are down."""
        return self._book.falls()

    def state(self, rung: str) -> State:
        """How a rung is."""
        return self._book.state(rung)

    def found_down(self, fall: Fall) -> None:
        """A rung is known to be down before anybody asks it."""
        self._book.fell(fall.rung, fall, in_turn=False)

    def begin_turn(self) -> None:
        """A turn begins: a better rung that has proved itself meanwhile answers it."""
        self._standing.begin_turn()

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """As `Model.reply`, by the first rung that can.

        :raises ModelError: no rung can.
        """
        standing, opened_again = self._standing, set[str]()
        while True:
            model = standing.current()
            rung = standing.rung

            def ask(model: Model = model, rung: str = rung) -> Reply:
                stop = replace(limits, cancelled=lambda: limits.cancelled() or rung in standing.struck)
                reply = model.reply(messages, tools, bound=bound, limits=stop, on_text=on_text)
                if rung in standing.struck:
                    raise WeightsChanged(standing.struck[rung])
                return reply

            try:
                reply = self._ask_twice(rung, ask, limits)
            except (PromptTooLong, WordsNothing):
                raise
            except CannotAnswer as error:
                if isinstance(error, WeightsChanged) and rung not in opened_again:
                    opened_again.add(rung)
                    standing.open_again(error)
                else:
                    standing.fall(error)
            else:
                standing.answered()
                return reply

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """Several replies for scheduled work, side by side where the rung in use can make them so.

        :param limits: of all together.
        :raises ModelError: no rung can.
        """
        while True:
            model = self._standing.current()
            try:
                replies = replies_of(model, requests, limits)
            except PromptTooLong:
                raise
            except CannotAnswer as error:
                self._standing.fall(error)
            else:
                self._standing.answered()
                return replies

    def settle(self) -> tuple[Fall, ...]:
        """The turn is over: what its answer has to say about the rungs. What is news is told once."""
        return self._standing.end_turn()

    def watch(self) -> None:
        """From now on, repair what is bad and go up again; for a process that answers more than one question."""
        if self._climber is not None or self._standing.closed:
            return
        self._climber = threading.Thread(target=self._climb_on, name="ladder", daemon=True)
        if self._mend is not None:
            self._mender = self._mend(self.repaired)
            for fall in self._book.falls():
                self._want(fall)
        self._climber.start()

    def repaired(self, rung: str) -> None:
        """Its files are here and verified again."""
        with self._standing.changed:
            self._book.repaired(rung)
            self._standing.changed.notify_all()

    def struck(self, rung: str, reason: str) -> None:
        """A file of a rung turned out bad while it is in use: it falls at once, in the middle of a reply too."""
        self._standing.strike(rung, reason)
        if self._mender is not None:
            self._mender.want(rung)

    def replace(self, rung: str, model: Model) -> bool:
        """Let another model answer as the rung in use, from the next turn on; the one before it is closed then.

        :param model: it has proved itself.
        :return: False where another rung answers, or another change is under way: the model stays the caller's. A rung
            that falls and comes back is opened as ever.
        """
        return self._standing.replace(rung, model)

    def climb(self) -> bool:
        """Try the best rung that is due; `watch` does so again and again.

        :return: whether one was tried and is sound.
        """
        return self._standing.climb()

    def close(self) -> None:
        """Free the rung in use, and end what `watch` began."""
        standing = self._standing
        with standing.changed:
            standing.closed = True
            standing.changed.notify_all()
        if self._mender is not None:
            self._mender.close()
        if self._climber is not None:
            self._climber.join(_CLOSE_SECONDS)
        standing.close()

    def _ask_twice(self, rung: str, ask: Callable[[], Reply], limits: ReplyLimits) -> Reply:
        """Ask; where the process dies over it, ask the new one."""
        try:
            return ask()
        except ModelDied as error:
            if limits.expired():  # it did not stop when it was told to, and was killed for that
                return Reply("", "aborted")
            reply = ask()
            self._standing.started_again(rung, error)
            return reply

    def _climb_on(self) -> None:
        """The thread."""
        changed = self._standing.changed
        while True:
            with changed:
                if self._standing.closed:
                    return
                changed.wait(self._settings.follow_seconds if self._book.anyone_down() else None)
                if self._standing.closed:
                    return
            if self._mender is not None:
                self._mender.look()
            self.climb()

    def _want(self, fall: Fall) -> None:
        if self._mender is not None and (fall.repairable or fall.kind in ("blind", "previous")):
            self._mender.want(fall.rung)
