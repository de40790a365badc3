"""One agent, many askers: start here for the server.

    ask        who asked is durable, then the question waits for its turn
    run        one thread answers them one after another; whoever listens is told of every step
    find       a turn by its id: from memory while it is new, from the trail for ever

A turn goes on when its asker is gone, unless the asker said otherwise. What waited when the power went is told as
interrupted and never begun: what it ordered may not be wanted any more.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from agent.actuator import Heard
from agent.answer import AnswerPart
from agent.audit import AuditRow
from agent.console import complain
from agent.errors import PhotoError, TurnCancelled, WatchkeeperError
from agent.order_answer import utterance_turn
from agent.perception import Perception
from agent.photo import check_photo
from agent.server.events import EventLog
from agent.server.live import LiveTurn
from agent.server.manual_pages import ManualPages
from agent.server.outcomes import with_decisions
from agent.server.problems import Problem, problem_of, problem_of_trail
from agent.server.queue import Job, JobQueue
from agent.server.steps import ENDS, step_of
from agent.server.turn_store import Asked, TurnStore
from agent.turn import Agent, Conversation
from agent.values import say
from agent.watcher import Watcher

__all__ = ["Service"]

T = TypeVar("T")
_CHANGES = 200
_FROM_TRAIL = "trail"
"""What the trail says of a turn that has ended is the same each time it is read."""
_CHANGING = ("approval_", "command_", "report_", "schedule_", "turn_started", *ENDS)
_STOPPED = Problem(
    503, "interrupted", say("服务正在停止,问题没有处理。", "the server stops; the question was not begun")
)


class Service:
    """The one agent of a server. Safe for use from several threads."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.env = agent.env
        self.settings = settings = agent.env.settings.server
        self.ready = False
        """Whether the model is loaded."""
        self.began = time.time()
        self.queue = JobQueue(most=settings.waiting_turns, most_each=settings.waiting_turns_each)
        folder = self.env.home.cache / "turns"
        self.store = TurnStore(agent.trail, folder, photo_bytes=settings.photo_bytes, kept_turns=settings.kept_turns)
        self.pages = ManualPages(self.env)
        self.changes = EventLog(most=_CHANGES)
        """What of the box has changed, for pages that show it: kinds of rows of the trail, nothing of their content."""
        self._lock = threading.Lock()
        self._live: OrderedDict[str, LiveTurn] = OrderedDict()
        self._conversations: OrderedDict[tuple[str, str], Conversation] = OrderedDict()
        self._carrying_out = threading.Lock()
        agent.trail.listen(self._heard)

    def start(self) -> None:
        """Close what an earlier process left half done, and load the model before the first question comes.

        :raises DatabaseError: `watch.db` cannot be used.
        """
        self.agent.recover()
        self.store.prune()
        self.queue.put(Job(self._warm, client="", scheduled=True))
        self.queue.start()

    def ask(
        self,
        question: str,
        *,
        client: str,
        photo: bytes | None = None,
        conversation: str = "",
        keep: bool = True,
        key: str = "",
        relayed: bool = False,
    ) -> LiveTurn:
        """Have a question wait for its turn.

        :param keep: whether the turn goes on when nobody listens any more.
        :param key: of the client's own; what was asked under it is not asked again.
        :param relayed: as `Heard.relayed` has it.
        :raises QuestionError: empty or too long.
        :raises PhotoError: it is no photo, or beyond the limits.
        :raises QueueFull: so many wait that this one is refused.
        :raises DatabaseError: `watch.db` cannot be written.
        """
        question = self.agent.checked(question)
        self.queue.refuse_full(client)
        if photo is not None:
            check_photo(photo, self.env.settings.photo)
        utterance = f"{client}:{key}" if key else uuid.uuid4().hex
        turn_id = utterance_turn(utterance)
        asked = Asked(turn_id, client, time.time(), question, conversation, photo is not None)
        turn = LiveTurn(asked, keep)
        if key and (earlier := self.find(turn_id)) is not None:
            return earlier
        with self._lock:
            if (same := self._live.get(turn_id)) is not None:
                return same
            self._live[turn_id] = turn
        try:
            kept = self.store.add(asked, photo, durable=keep)
            held = None if kept else photo
            heard = Heard(utterance=utterance, relayed=relayed)
            turn.job = Job(lambda: self._run(turn, held, heard), client=client, moved=turn.moved)
            self.queue.put(turn.job)
        except BaseException:
            with self._lock:
                self._live.pop(turn_id, None)
            self.store.forget(turn_id)
            raise
        self._forget_old()
        return turn

    def submit(self, work: Callable[[], T], *, client: str, scheduled: bool = False) -> Future[T]:
        """Have something else done that needs the model, in its turn.

        :raises QueueFull: so many wait that this one is refused.
        """
        return self.queue.submit(work, client=client, scheduled=scheduled)

    def find(self, turn: str) -> LiveTurn | None:
        """A turn by its id, with all its events; None where nobody asked it here."""
        with self._lock:
            live = self._live.get(turn)
        if live is not None:
            return live
        asked = self.store.asked(turn)
        return None if asked is None else self._told_from_trail(asked)

    def told(self, turn: LiveTurn) -> dict[str, object]:
        """Where a turn stands, and what became since of what it left waiting."""
        answer = None if turn.answer is None else with_decisions(turn.answer, self.agent.journal)
        return {**turn.to_json(), "answer": answer}

    def history(self, client: str, most: int) -> list[dict[str, object]]:
        """A client's turns, newest first, without steps and answers."""
        told: list[dict[str, object]] = []
        for asked, state in self.store.history(client, most):
            with self._lock:
                live = self._live.get(asked.id)
            now = live.state if live else state
            told.append(
                {"turn": asked.id, "question": asked.question, "conversation": asked.conversation, "at": asked.at}
                | {"photo": asked.photo, "state": now}
            )
        return told

    def cancel(self, turn: LiveTurn) -> None:
        """Its asker does not want it any more: it never begins, or ends as soon as it can."""
        turn.cancelled.set()
        if turn.job is not None and self.queue.take_back(turn.job):
            turn.fail(problem_of(TurnCancelled("it was cancelled by whoever asked")), "interrupted")

    def hang_up(self) -> None:
        """Let go of all who listen to turns, so that the server can stop; turns go on while there is time."""
        with self._lock:
            turns = list(self._live.values())
        for log in (self.changes, *(turn.log for turn in turns)):
            log.hang_up()

    def run_approved(self, work: Callable[[], T]) -> T:
        """Carry out what a person approved just now, without waiting for questions; one after another."""
        with self._carrying_out:
            return work()

    def close(self) -> None:
        """Begin no further turn, end the one that runs, free the agent. Calling it twice is fine."""
        self.ready = False
        for job in self.queue.close(0.0):
            job.moved(0, 0.0)
        with self._lock:
            open_still = [turn for turn in self._live.values() if turn.state in ("queued", "running")]
        runs = any(turn.state == "running" for turn in open_still)
        for turn in open_still:
            if turn.state == "queued":
                turn.fail(_STOPPED, "interrupted")
        half = self.settings.stop_seconds / 2 if runs else 0.0
        self.queue.close(half)
        for turn in open_still:
            turn.cancelled.set()
        self.queue.close(half)
        self.pages.close()
        self.agent.close()

    def _warm(self) -> None:
        try:
            self.agent.warm()
        except WatchkeeperError as error:
            complain(str(error))
        self.ready = True

    def _run(self, turn: LiveTurn, held: bytes | None, heard: Heard) -> None:
        """Answer a question.

        :param held: its photo, where the cache could not keep it; photos of all that wait would fill the memory.
        """
        turn.state, turn.job = "running", None

        def seen(perception: Perception) -> None:
            turn.perception = perception
            self.store.keep_perception(turn.asked.id, perception)
            turn.step({"kind": "perception", "at": _now(), "text": say("可以看识别结果", "What was read can be seen")})

        def found(parts: tuple[AnswerPart, ...]) -> None:
            turn.parts = tuple({part.question: part for part in (*turn.parts, *parts)}.values())
            if parts:
                told = [part.to_json() for part in turn.parts]
                text = say("已查到一部分", "A part was found")
                turn.step({"kind": "found", "at": _now(), "text": text, "parts": told})

        watcher = Watcher(seen=seen, found=found, cancelled=turn.cancelled.is_set)
        try:
            record = self.agent.ask(
                turn.asked.question,
                photo=self._photo(turn.asked, held),
                conversation=self._conversation(turn.asked),
                heard=heard,
                watcher=watcher,
            )
        except BaseException as error:
            if not isinstance(error, WatchkeeperError):
                traceback.print_exc(file=sys.stderr)
            state = "interrupted" if isinstance(error, TurnCancelled) else "failed"
            turn.fail(problem_of(error), state)
            return
        turn.said(record.answer.text)
        turn.finish(record.to_json())

    def _photo(self, asked: Asked, held: bytes | None) -> bytes | None:
        photo = held or (self.store.photo(asked.id) if asked.photo else None)
        if asked.photo and photo is None:
            raise PhotoError(
                "the photo was cleared from the cache before its turn came (server.photo_bytes); ask again"
            )
        return photo

    def _heard(self, row: AuditRow) -> None:
        if row.kind.startswith(_CHANGING):
            self.changes.add("changed", {"kind": row.kind, "at": row.at})
        with self._lock:
            turn = self._live.get(row.turn)
        if turn is not None and row.kind not in ENDS and (step := step_of(row.kind, row.at, row.body)) is not None:
            turn.step(step)
            turn.known_later(row.kind, row.at, row.body)

    def _conversation(self, asked: Asked) -> Conversation | None:
        if not asked.conversation:
            return None
        name = (asked.client, asked.conversation)
        with self._lock:
            conversation = self._conversations.setdefault(name, Conversation())
            self._conversations.move_to_end(name)
            while len(self._conversations) > self.settings.conversations:
                self._conversations.popitem(last=False)
        return conversation

    def _forget_old(self) -> None:
        """What has ended long ago is told from the trail."""
        with self._lock:
            ended = [name for name, turn in self._live.items() if turn.log.ended]
            for name in ended[: max(0, len(ended) - self.settings.live_turns)]:
                del self._live[name]

    def _told_from_trail(self, asked: Asked) -> LiveTurn:
        past = self.store.past(asked)
        turn = LiveTurn(asked, keep=True, log=EventLog(name=_FROM_TRAIL))
        for step in past.steps:
            turn.step(step)
        if past.answer is not None:
            turn.said(str(past.answer.get("answer", "")))
            turn.finish(past.answer)
        else:
            turn.fail(problem_of_trail(past.error), past.state)
        return turn


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
