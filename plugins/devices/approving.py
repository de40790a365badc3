"""A desk for approvals on a broker: tells what waits, hears signed answers, carries out what was approved.

    TOPIC/waiting   each call that waits, when it begins to and now and then again
    TOPIC/answer    heard; what is retained, not rightly signed or comes too often is left out and counted
    TOPIC/done      what became of an answer

The broker's own access list says who may write to `answer`; that alone approves nothing (`agent.approval_messages`).
"""

from __future__ import annotations

import json
import queue
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from agent.approval import Approvals, Request
from agent.approval_messages import SignedAnswer, named_request, read_answer, told_request
from agent.errors import InputError
from agent.orders import Done
from agent.settings import ApprovalSettings
from plugins.devices.drivers.driver import DriverError

__all__ = ["ApprovalDesk", "Publisher"]

_SECONDS = 5.0
_MINUTE = 60.0
_MOST_QUEUED = 100


class Publisher(Protocol):
    """A connection that can send."""

    def publish(self, topic: str, payload: str, seconds: float) -> None: ...


class ApprovalDesk:
    """Answers that come by message. `heard` may be called from any thread; all else happens in `turn_to`."""

    def __init__(
        self,
        approvals: Approvals,
        settings: ApprovalSettings,
        secrets: Mapping[str, bytes],
        run: Callable[[Request], Done],
    ) -> None:
        """
        :param run: carries out what was approved just now.
        """
        self._approvals, self._settings, self._secrets, self._run = approvals, settings, secrets, run
        self._came: queue.Queue[bytes | None] = queue.Queue(_MOST_QUEUED)
        self._wrong: deque[float] = deque(maxlen=max(1, settings.wrong_answers_a_minute))
        self._told: dict[str, float] = {}
        self.refused = 0
        """Messages that were no answers."""

    @property
    def answer_topic(self) -> str:
        return f"{self._settings.topic}/answer"

    def heard(self, topic: str, payload: bytes | None, retained: bool) -> None:
        """A message came; an answer that waited on the broker is nobody's word now."""
        if topic != self.answer_topic:
            return
        try:
            if retained:
                raise queue.Full
            self._came.put_nowait(payload)
        except queue.Full:
            self.refused += 1

    def turn_to(self, publisher: Publisher, *, seconds: float) -> list[Done]:
        """Tell what waits, and answer what has come.

        :param seconds: at most so long for the first answer.
        :return: what was carried out.
        :raises DatabaseError: `watch.db` cannot be used.
        """
        self._tell(publisher)
        done: list[Done] = []
        with suppress(queue.Empty):
            payload = self._came.get(timeout=seconds) if seconds > 0 else self._came.get_nowait()
            while True:
                answer = self._read(payload)
                if answer is not None:
                    done += self._answer(publisher, answer)
                payload = self._came.get_nowait()
        return done

    def _read(self, payload: bytes | None) -> SignedAnswer | None:
        now = time.monotonic()
        if len(self._wrong) == self._wrong.maxlen and now - self._wrong[0] < _MINUTE:
            self.refused += 1  # somebody is guessing: nobody is heard for a while
            return None
        try:
            return read_answer(payload, self._secrets, self._settings.topic)
        except InputError:
            if not self._is_of_another(named_request(payload)):
                self._wrong.append(now)
            self.refused += 1
            return None

    def _is_of_another(self, request: str) -> bool:
        """Whether a request was never one of this box: gateways that share a topic hear each other's answers."""
        return bool(request) and self._approvals.journal.entry("approval", request) is None

    def _answer(self, publisher: Publisher, answer: SignedAnswer) -> list[Done]:
        if self._is_of_another(answer.request):
            return []  # the box that asked tells what became of it
        told: dict[str, object] = {"id": answer.request}
        done: list[Done] = []
        try:
            request = self._approvals.answer(
                answer.request, approve=answer.approve, person=answer.person, digest=answer.digest
            )
            told |= {"state": request.state}
            if request.state == "approved":
                done.append(self._run(request))
                told |= {"state": done[0].came, "line": dict(done[0].line)}
        except InputError as error:
            told |= {"error": str(error)}
        self._publish(publisher, "done", json.dumps(told, ensure_ascii=False))
        return done

    def _tell(self, publisher: Publisher) -> None:
        now = time.monotonic()
        waiting = [request for request in self._approvals.waiting() if request.state == "waiting"]
        self._told = {r.id: self._told[r.id] for r in waiting if r.id in self._told}
        for request in waiting:
            if now - self._told.get(request.id, -_MINUTE * _MINUTE) >= self._settings.retell_seconds:
                self._told[request.id] = now
                self._publish(publisher, "waiting", told_request(request))

    def _publish(self, publisher: Publisher, leaf: str, payload: str) -> None:
        """What nobody hears now is told again later; the trail has it in any case."""
        try:
            publisher.publish(f"{self._settings.topic}/{leaf}", payload, _SECONDS)
        except DriverError:
            self._told.clear()
