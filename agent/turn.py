"""One turn, from a question to a checked answer: start reading here.

order      what the person orders in so many words, read from these words alone and carried out; the rest is a question
look       decode the photo, read the panel once (cached by its pixels); a model that sees looks closer where that
           could not tell
gather     the names in the person's words and on the panel: the evidence that tool arguments are bound to
find       the loop: a tool call for each part of the question, then a quote for each part that found passages
word       one free line where the quote is in the other language, dropped if a claim in it has no evidence
render     facts from tool results by id, quotes word for word, citations from where they stand
record     every step is in the hash-chained trail before the next one begins; every exit passes `turn_finished`
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.actuator import Heard
from agent.answer import render
from agent.approval import Approvals, Request, call_text
from agent.audit import Trail
from agent.box_key import box_secret
from agent.conversation import Conversation, open_window, turn_line
from agent.device_commands import DeviceCommands
from agent.env import Env
from agent.errors import BadReply, ModelError, PhotoError, QuestionError, TurnCancelled, WatchkeeperError
from agent.evidence import Evidence, gather_terms
from agent.journal import Entry, IllegalStep, Journal
from agent.look import Look, find_doubt, look_closer
from agent.loop import Findings, Loop, PartFinding
from agent.messages import Message, ToolCall, Usage
from agent.model.ladder import Ladder
from agent.model.protocol import ReplyLimits
from agent.order_answer import no_more_than, order_parts, order_record, ordered_calls, said_before, utterance_turn
from agent.order_run import OrderRunner
from agent.orders import Done, Order, Orders
from agent.parts import split_question
from agent.perception import Perception
from agent.photo import Photo, load_photo, photo_of
from agent.plugin_host import PluginHost
from agent.prompt import detect_language, system_message, user_message
from agent.recovery import recover
from agent.tool_run import ToolRunner, read_back_with
from agent.tools import TurnView
from agent.turn_record import StageClock, TurnRecord
from agent.upright import upright_photo
from agent.values import Json, Language, Term, say
from agent.watcher import Watcher
from agent.wording import word_line

__all__ = ["Agent", "Conversation", "TurnRecord"]

_BLANK_PX = 64
"""Side of the picture that loads what reads photos."""
_MARKUP = re.compile(r"<(?=/?\w+>|\|)")
"""What would spell a model's control token is written with a full-width sign."""


class Agent:
    """Env, plugins, ladder and trail, put together; answers one question at a time."""

    def __init__(self, env: Env, plugins: PluginHost, ladder: Ladder, trail: Trail) -> None:
        self.env = env
        self.plugins = plugins
        self.ladder = ladder
        self.trail = trail
        self._load_tools()
        self.journal = Journal(trail)
        self.approvals = Approvals(self.journal, env.settings.approvals, key=box_secret(env.home.box_key))
        self.commands = DeviceCommands(self.journal)
        self._runner = ToolRunner(plugins, self.approvals, self.commands)
        self._orders = OrderRunner(plugins, self.approvals, self.commands, env.settings.turn)
        self._owes = True
        """Whether something may be half done: at start, and after an end that could not be written."""

    def warm(self) -> None:
        """Load the model and let it read the stable prefix, and load what reads photos and measures nearness, so that
        the first question does not pay for it.

        For a process that stays: from here on what is bad is repaired, and a rung that fell comes back.
        """
        limits = ReplyLimits(max_tokens=1)
        self.ladder.watch()
        self.ladder.begin_turn()
        with suppress(ModelError):  # rules word nothing, and need no warming
            self.ladder.reply([self._system, Message("user", "")], (), bound=None, limits=limits)
        self.ladder.settle()
        self.plugins.read_page(photo_of(np.full((_BLANK_PX, _BLANK_PX, 3), 255, np.uint8), "blank"), self.env)
        for tool in self.tools:
            if tool.closeness is not None:
                with suppress(Exception):  # the question that needs it is told why it cannot be had
                    tool.closeness(tool.name, [tool.description])

    def ask(
        self,
        question: str,
        *,
        photo: Path | bytes | None = None,
        conversation: Conversation | None = None,
        heard: Heard | None = None,
        only_orders: bool = False,
        watcher: Watcher | None = None,
    ) -> TurnRecord:
        """Answer a question, and carry out what is ordered in it.

        :param photo: a picture of a panel; whatever it says is data.
        :param conversation: continue it; None asks on its own.
        :param heard: how the words came here, where they were not typed.
        :param only_orders: what orders nothing is said to be so, and not looked up.
        :param watcher: told of what is found while the turn runs, and may end it.
        :raises QuestionError: empty or too long.
        :raises PhotoError: the photo cannot be used.
        :raises ModelError: no rung can answer.
        :raises NeedsPerson: a call waits for a person.
        :raises TurnCancelled: the watcher does not want it any more.
        """
        question = self.checked(question)
        if self.plugins.generation() != self._plugins_seen:
            self._load_tools()
        self.recover()
        heard, conversation, watcher = heard or Heard(), conversation or Conversation(), watcher or Watcher()
        turn = utterance_turn(heard.utterance) if heard.utterance else uuid.uuid4().hex[:12]
        if heard.utterance and self.journal.entry("turn", turn) is not None:
            return said_before(turn, question, self.journal, self.tools)
        with self.journal.writing() as pen:
            told = {"question": question, "photo": photo is not None}
            started = pen.begin("turn", turn, turn=turn, body={}, told=told)
        earlier = tuple(conversation.said[-self.env.settings.turn.order_memory :])
        heard = replace(heard, photo=photo is not None, earlier=earlier)
        try:
            return self._take(started, question, photo, conversation, heard, watcher, only_orders=only_orders)
        except BaseException as error:
            self.ladder.settle()
            self._close_turn(started, error)
            raise

    def _load_tools(self) -> None:
        """What plugins bring, and the stable prefix that names it."""
        self._plugins_seen = self.plugins.generation()
        self.tools = self.plugins.tools(self.env)
        self._system = system_message(self.tools, self.plugins.instructions("", self.env))

    def recover(self) -> None:
        """Close what a process before this one left half done; nothing where that was done.

        :raises DatabaseError: `watch.db` cannot be used.
        """
        if self._owes:
            recover(self.approvals, self.commands, read_back_with(self.tools))
            self._owes = False

    def close(self) -> None:
        """Free model, plugins and trail."""
        self.ladder.close()
        self.plugins.shutdown(self.env)
        self.journal.close()
        self.trail.close()

    def _close_turn(self, turn: Entry, error: BaseException) -> None:
        """Write how a turn ended. Where even that fails, the error that ended it is still the one that is told."""
        state = "failed" if isinstance(error, Exception) and not isinstance(error, TurnCancelled) else "interrupted"
        try:
            with self.journal.writing() as pen:
                pen.step(turn, state, {"error": f"{type(error).__name__}: {error}"})
        except (WatchkeeperError, IllegalStep) as unwritten:
            error.add_note(f"The trail could not say so: {unwritten}")
            self.journal.drop("turn", turn.id)
            self._owes = True

    def _take(
        self,
        started: Entry,
        question: str,
        source: Path | bytes | None,
        conversation: Conversation,
        heard: Heard,
        watcher: Watcher,
        *,
        only_orders: bool,
    ) -> TurnRecord:
        turn = started.id
        watcher.check()
        clock, language, problems = StageClock(), detect_language(question), list[str]()

        def note(kind: str, body: dict[str, Any]) -> None:
            self.trail.add(turn, kind, body)

        self.ladder.begin_turn()
        orders, done = self._carry_out(turn, question, language, heard, clock)
        conversation.said = [*heard.earlier, question]
        watcher.found(order_parts(done, language))
        if only_orders:
            orders, done = no_more_than(orders, done, question)
        if orders is not None and not orders.left:
            rung, falls = orders.path if orders.path != "model" else self.ladder.name, self.ladder.settle()
            return self._record(started, order_record(turn, question, language, done, rung, falls, clock.all()))
        with clock.stage("load"):
            sees = self.ladder.sees
        photo, perception = self._look(source, clock, note)
        if perception is not None:
            watcher.seen(perception)
        watcher.check()
        view = TurnView(question, language, self.env.now(), perception)
        terms = gather_terms(question, perception, self.plugins.find_terms(question, self.env), conversation.terms)
        look = self._look_closer(view, photo, clock, note) if photo and sees else None
        shown = photo if sees and look is None and not _read_something(perception) else None
        loop = self._loop(turn, view, shown, conversation, note, problems, watcher)
        parts = self._parts(question if orders is None else "\n".join(orders.left))
        findings = loop.run(parts, Evidence(question, perception, terms))
        clock.ms["model"], clock.ms["tools"] = findings.model_ms, findings.tool_ms
        with clock.stage("model"):
            gist = word_line(findings, language, self.ladder, self.env.settings.turn, note, reusable=loop.reusable)
        shown_whole = shown is not None and self.ladder.sees
        rung, falls = self.ladder.name, self.ladder.settle()
        left_out = loop.window.left_out
        answer = render(
            findings, perception, language, gist=gist, rung=rung, falls=falls, left_out=left_out, look=look,
            shown_whole=shown_whole,
        )  # fmt: skip
        answer = replace(answer, parts=(*order_parts(done, language), *answer.parts))
        if left_out:
            note("history_left_out", {"turns": left_out, "summary": conversation.summary()})
        names = [*_names(terms), *_tags(findings)]
        loop.window.close(turn_line(question, names, answer.citations), terms)
        calls = {f.call.id: f.call for f in findings.parts if f.call}
        usage = findings.usage.plus(look.usage) if look else findings.usage
        record = TurnRecord(
            turn, question, answer, rung, falls, perception, (*ordered_calls(done), *calls.values()), usage,
            clock.all(), tuple(problems), done,
        )  # fmt: skip
        return self._record(started, record)

    def order(self, orders: Sequence[Order], *, by: str, words: str) -> tuple[Done, ...]:
        """Carry out what a person typed exactly, as commands and not as words; `dangerous` still waits.

        :param by: who typed it.
        :param words: the line that was typed, for the trail.
        :raises DatabaseError: `watch.db` cannot be used; nothing was sent.
        """
        self.recover()
        turn = uuid.uuid4().hex[:12]
        view = TurnView(words, detect_language(words), self.env.now(), None)
        with self.journal.writing() as pen:
            started = pen.begin("turn", turn, turn=turn, body={}, told={"question": words, "photo": False})
        try:
            done = self._orders.run(turn, orders, self.tools, view, Heard(), told={"path": "typed"}, by=by)
            with self.journal.writing() as pen:
                pen.step(started, "finished", {"turn": turn, "done": [one.to_json() for one in done]})
        except BaseException as error:
            self._close_turn(started, error)
            raise
        return done

    def run_approved(self, request: Request) -> Done:
        """Carry out a call that a person has approved just now, without it being asked for again.

        :raises DatabaseError: `watch.db` cannot be used; nothing was sent.
        """
        self.recover()
        call = ToolCall(request.tool, request.arguments)
        text = call_text(request.tool, request.arguments)
        turn = f"a{request.id}"
        view = TurnView("", "en", self.env.now(), None)
        order = Order(say(text, text), call)
        (done,) = self._orders.run(turn, [order], self.tools, view, Heard(), told={"approval": request.id})
        return done

    def _carry_out(
        self, turn: str, question: str, language: Language, heard: Heard, clock: StageClock
    ) -> tuple[Orders | None, tuple[Done, ...]]:
        """What the person's own words order, before anything else is looked at."""
        with clock.stage("orders"):
            orders = self.plugins.read_orders(question, self.env, heard, self.ladder)
            if orders is None:
                return None, ()
            view = TurnView(question, language, self.env.now(), None)
            told: dict[str, Json] = {"path": orders.path, "why": list(orders.explained), "left": list(orders.left)}
            return orders, self._orders.run(turn, orders.orders, self.tools, view, heard, told=told)

    def _record(self, started: Entry, record: TurnRecord) -> TurnRecord:
        with self.journal.writing() as pen:
            pen.step(started, "finished", record.to_json())
        self.plugins.turn_finished(record)
        return record

    def checked(self, question: str) -> str:
        """A question as it is asked: without control characters and a model's own markup.

        :raises QuestionError: empty or too long.
        """
        text = "".join(c if c.isprintable() or c.isspace() else " " for c in question).strip()
        text = _MARKUP.sub("\uff1c", text)
        most = self.env.settings.turn.max_question_chars
        if not text:
            raise QuestionError("the question is empty; ask something, for example: What does this alarm mean?")
        if len(text) > most:
            raise QuestionError(f"the question has {len(text)} characters, {most} are the limit; shorten it")
        return text

    def _parts(self, question: str) -> tuple[str, ...]:
        return split_question(question, most=self.env.settings.turn.max_parts)

    def _look(
        self, source: Path | bytes | None, clock: StageClock, note: Callable[[str, dict[str, Any]], None]
    ) -> tuple[Photo | None, Perception | None]:
        if source is None:
            return None, None
        with clock.stage("photo"):
            photo = load_photo(source, self.env.settings.photo)
        with clock.stage("panel"):
            perception = self.plugins.perceive(photo, self.env)
            photo = upright_photo(photo, perception) if perception else photo
        read = {"texts": len(perception.texts), "readings": len(perception.readings)} if perception else {}
        note("photo_read", {"photo": photo.digest, "size": list(photo.size), **read})
        return photo, perception

    def _look_closer(
        self, view: TurnView, photo: Photo, clock: StageClock, note: Callable[[str, dict[str, Any]], None]
    ) -> Look | None:
        """What a model reads of the photo where the parser could not tell; no answer fails over it."""
        settings = self.env.settings.turn
        doubt = find_doubt(view.question, view.perception) if settings.look_closer and view.perception else None
        if doubt is None:
            return None
        asked = {"label": doubt.label, "kind": doubt.kind, "box": list(doubt.box)}
        deadline = time.monotonic() + settings.look_seconds
        with clock.stage("look"):
            try:
                look = look_closer(self.ladder, self._system, photo, doubt, settings=settings, deadline=deadline)
            except (ModelError, BadReply, PhotoError) as error:
                note("looked_closer", {**asked, "error": str(error)})
                return None
        cached = look.usage.cached_replies > 0
        note("looked_closer", {**asked, "photo": look.crop.digest, "read": look.value, "cached": cached})
        return look

    def _loop(
        self,
        turn: str,
        view: TurnView,
        photo: Photo | None,
        conversation: Conversation,
        note: Callable[[str, dict[str, Any]], None],
        problems: list[str],
        watcher: Watcher,
    ) -> Loop:
        settings = self.env.settings.turn

        def found(parts: Sequence[PartFinding]) -> None:
            so_far = Findings(tuple(parts), Usage(), 0.0, 0.0)
            watcher.found(
                render(so_far, view.perception, view.language, gist="", rung=self.ladder.name, falls=()).parts
            )

        asked = user_message(view.question, view.perception, photo, settings)
        brief = user_message(view.question, view.perception, photo, settings, brief=True)
        return Loop(
            model=self.ladder,
            tools=self.tools,
            settings=settings,
            language=view.language,
            run_tool=lambda tool, call: self._runner.run(turn, tool, call, view, note, problems),
            note=note,
            deadline=time.monotonic() + settings.max_seconds,
            window=open_window(self._system, conversation, asked, brief, settings),
            found=found,
            cancelled=watcher.cancelled,
        )


def _read_something(perception: Perception | None) -> bool:
    """Whether the panel parser saw anything; then a model that sees need not look: on two cores that takes seconds.
    Where no text could be read, lamps are not enough."""
    if perception is None or perception.unread:
        return False
    return bool(perception.readings or perception.lamps or perception.alarms)


def _names(terms: Sequence[Term]) -> list[str]:
    """What the person named in this question."""
    return [term.value for term in terms if term.source == "question" and term.kind != "period"]


def _tags(findings: Findings) -> list[str]:
    """The machines that the records found are about."""
    records = [record for f in findings.parts if f.result for record in f.result.records]
    return [tag for record in records if isinstance(tag := record.fields.get("tag"), str) and tag]
