"""Which rung answers now, and every change of that: opened, left, fallen, climbed, replaced.

One lock guards it. What takes long and may wait (loading a better rung) runs outside of it; closing a rung and opening
the one that has to answer next run inside, because nobody can answer meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.errors import BadReply, ModelError, WeightsChanged, WeightsError
from agent.model.falls import Fall, fall_of
from agent.model.health import HealthBook
from agent.model.opened import OpenRung
from agent.model.protocol import Model
from agent.settings import LadderSettings

__all__ = ["CannotAnswer", "Openers", "Standing"]

CannotAnswer = (WeightsError, ModelError, BadReply)
"""What makes a rung fall."""


class Openers:
    """How rungs are opened."""

    def __init__(
        self,
        first: Callable[[str], Model],
        anew: Callable[[str], Model] | None = None,
        has_room: Callable[[str], bool] = lambda name: True,
    ) -> None:
        """
        :param first: loads a rung by name; raises WeightsError or ModelError where it cannot.
        :param anew: the same for one that fell, which has to prove itself.
        :param has_room: whether a rung can be loaded beside the one that answers.
        """
        self.first = first
        self.anew = anew or (lambda name: self.first(name))
        self.has_room = has_room


class Standing:
    """The rung in use and the one that waits for the turn's end. Safe for several threads, of which one asks."""

    def __init__(
        self, book: HealthBook, openers: Openers, settings: LadderSettings, *, want: Callable[[Fall], None]
    ) -> None:
        """
        :param want: told of a fall that fetching files again may help.
        """
        self.book = book
        self.openers = openers
        self.changed = threading.Condition(threading.RLock())
        self.rung = ""
        """The one that answers; empty where none is open."""
        self.model: Model | None = None
        self.struck: dict[str, str] = {}
        """Rungs of which a file turned out bad while it was in use, and why."""
        self.closed = False
        self._settings = settings
        self._want = want
        self._next: tuple[str, Model] | None = None
        self._alone = False
        """A model is being loaded, and there was no room to keep the other one meanwhile."""
        self._in_turn = self._answered = False
        self._news: list[Fall] = []

    # The turn

    def begin_turn(self) -> None:
        """A better rung that has proved itself meanwhile answers from here on."""
        with self.changed:
            self._in_turn, self._answered = True, False
            self._take()
            if self.rung and not self._alone and self.book.best() != self.rung:
                self._leave()  # it stood in for one that was being loaded

    def end_turn(self) -> tuple[Fall, ...]:
        """What there is to say about the rungs; what is news is told once."""
        with self.changed:
            remarks = self.model.remarks if isinstance(self.model, OpenRung) else ()
            told = (*self.book.falls(above=self.rung), *remarks, *self._news)
            self._news.clear()
            self.book.turn_over(self.rung)
            self._in_turn = False
            self.changed.notify_all()
        return told

    def current(self) -> Model:
        """The model that answers; opened where none is.

        :raises ModelError: no rung can be opened.
        """
        with self.changed:
            self._in_turn = True
            if self.rung in self.struck:
                self.open_again(WeightsChanged(self.struck[self.rung]))
            if self._alone and self.model is None:
                self.changed.wait_for(lambda: not self._alone, self._settings.wait_seconds)
            while self.model is None:
                self._take()
                if self.model is None:
                    self._open_best()
            return self.model

    def answered(self) -> None:
        """The rung in use gave a reply."""
        self._answered = True

    # Down

    def started_again(self, rung: str, error: ModelError | WeightsError) -> None:
        """It could not answer at once, and did."""
        self._news.append(Fall(rung, str(error), started_again=True, kind=fall_of(rung, error).kind))

    def open_again(self, error: WeightsChanged) -> None:
        """Close the rung in use; it is verified and opened anew, or what is wrong with it is found so."""
        with self.changed:
            rung = self.rung
            self._leave()
            self.started_again(rung, error)

    def fall(self, error: WeightsError | ModelError | BadReply) -> None:
        """Leave the rung in use; the next one answers.

        :raises ModelError: there is none.
        """
        with self.changed:
            rung = self.rung
            fall = fall_of(rung, error)
            last = self.book.best(without=rung) is None
            self._leave()
            if last:
                raise ModelError(f"no rung can answer; the last was {rung}: {error}") from error
            self.book.fell(rung, fall, in_turn=self._answered)
            self._news = [news for news in self._news if news.rung != rung]
            self._want(fall)

    def strike(self, rung: str, reason: str) -> None:
        """A file of a rung turned out bad: what it says is not waited for, nor believed."""
        with self.changed:
            if self._next is not None and self._next[0] == rung:
                self._next[1].close()
                self._next = None
                self.book.fell(rung, Fall(rung, reason, kind="damaged"), in_turn=False)
            else:
                self.struck[rung] = reason

    # Up

    def climb(self) -> bool:
        """Try the best rung that is due.

        :return: whether one was tried and is sound.
        """
        with self.changed:
            rung = self.book.due(self.rung or self.book.best())
            if rung is None or self._next is not None or self.closed:
                return False
            alone = self.rung not in ("", self.book.last()) and not self.openers.has_room(rung)
            if alone and self._in_turn:
                return False
            self._alone = alone
            if rung != self.rung:
                self.struck.pop(rung, None)
            if alone:
                self._leave()
        model: Model | None = None
        problem: WeightsError | ModelError | BadReply | None = None
        try:
            model = self.openers.anew(rung)
        except CannotAnswer as error:
            problem = error
        except BaseException:
            self._not_alone()
            raise
        with self.changed:  # nobody may open another model before it is known what came of this one
            self._not_alone()
            return self._came_of_it(rung, model, problem)

    def replace(self, rung: str, model: Model) -> bool:
        """Let another model answer as the rung in use, from the next turn on; False where that cannot be."""
        with self.changed:
            if self._next is not None or self._alone or self.closed or rung != (self.rung or self.book.best()):
                return False
            self._next = (rung, model)
            if not self._in_turn:
                self._take()
            return True

    def close(self) -> None:
        """Free every model."""
        with self.changed:
            if self._next is not None:
                self._next[1].close()
                self._next = None
            self._leave()

    def _not_alone(self) -> None:
        with self.changed:
            self._alone = False
            self.changed.notify_all()

    def _came_of_it(self, rung: str, model: Model | None, problem: WeightsError | ModelError | BadReply | None) -> bool:
        """What came of a try."""
        beside = rung == self.rung
        if rung in self.struck and not beside:
            problem = WeightsChanged(self.struck.pop(rung))
        if model is not None and (self.closed or problem is not None or (beside and _impairment(model))):
            model.close()
            model = None
        if model is not None:
            self._next = (rung, model)
            if not self._in_turn:
                self._take()
            return True
        if beside:
            self.book.not_yet(rung)
        elif problem is not None:
            fall = fall_of(rung, problem)
            self.book.fell(rung, fall, in_turn=False)
            self._want(fall)
        return False

    def _take(self) -> None:
        """Let the rung answer that has proved itself."""
        if self._next is None:
            return
        rung, model = self._next
        self._next = None
        was_down = self.book.state(rung) not in ("sound", "untried")
        self._leave()
        if was_down:
            self._news.append(Fall(rung, "it proved itself", kind="again"))
        self._use(rung, model)

    def _open_best(self) -> None:
        rung = self.book.last() if self._alone else self.book.best()
        if rung is None:
            raise ModelError("no rung is left")
        self.rung = rung
        self.struck.pop(rung, None)
        try:
            model = self.openers.first(rung)
        except CannotAnswer as error:
            self.fall(error)
        else:
            self._use(rung, model)

    def _use(self, rung: str, model: Model) -> None:
        impairment = _impairment(model)
        self.rung, self.model = rung, model
        self.book.passed(rung, impairment)
        if impairment:
            self._want(impairment)

    def _leave(self) -> None:
        if self.model is not None:
            self.model.close()
        if self.rung:
            self.book.left(self.rung)
            self.struck.pop(self.rung, None)
        self.model, self.rung = None, ""


def _impairment(model: Model) -> Fall | None:
    """In what way a model is not as it should be."""
    return model.remarks[0] if isinstance(model, OpenRung) and model.remarks else None
