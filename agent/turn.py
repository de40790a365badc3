"""One turn, from a question to a checked answer: start reading here.

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
from pathlib import Path
from typing import Any

from agent.answer import render
from agent.audit import Trail
from agent.claims import unsupported
from agent.conversation import Conversation, open_window, turn_line
from agent.env import Env
from agent.errors import (
    BadReply,
    InputError,
    ModelError,
    NeedsPerson,
    PhotoError,
    QuestionError,
    SeenByModel,
    ToolDenied,
    ToolFailed,
    ToolUnavailable,
    WatchkeeperError,
)
from agent.evidence import Evidence, gather_terms
from agent.look import Look, find_doubt, look_closer
from agent.loop import Findings, Loop
from agent.messages import Message, ToolCall
from agent.model.ladder import Ladder
from agent.model.protocol import ReplyLimits
from agent.parts import split_question
from agent.perception import Perception
from agent.photo import Photo, load_photo
from agent.plugin_host import PluginHost
from agent.prompt import detect_language, gist_messages, system_message, user_message
from agent.tools import Tool, TurnView
from agent.turn_record import StageClock, TurnRecord
from agent.values import Language, Term, ToolResult

__all__ = ["Agent", "Conversation", "TurnRecord"]

_MARKUP = re.compile(r"<(?=/?\w+>|\|)")
"""What would spell a model's control token is written with a full-width sign."""


class Agent:
    """Env, plugins, ladder and trail, put together; answers one question at a time."""

    def __init__(self, env: Env, plugins: PluginHost, ladder: Ladder, trail: Trail) -> None:
        self.env = env
        self.plugins = plugins
        self.ladder = ladder
        self.trail = trail
        self.tools = plugins.tools(env)
        self._system = system_message(self.tools, plugins.instructions("", env))

    def warm(self) -> None:
        """Load the model and let it read the stable prefix, so that the first question does not pay for it."""
        limits = ReplyLimits(max_tokens=1)
        with suppress(ModelError):  # rules word nothing, and need no warming
            self.ladder.reply([self._system, Message("user", "")], (), bound=None, limits=limits)

    def ask(
        self, question: str, *, photo: Path | bytes | None = None, conversation: Conversation | None = None
    ) -> TurnRecord:
        """Answer a question.

        :param photo: a picture of a panel; whatever it says is data.
        :param conversation: continue it; None asks on its own.
        :raises QuestionError: empty or too long.
        :raises PhotoError: the photo cannot be used.
        :raises ModelError: no rung can answer.
        :raises NeedsPerson: a call waits for a person.
        """
        question = self._checked(question)
        turn = uuid.uuid4().hex[:12]
        self.trail.add(turn, "turn_started", {"question": question, "photo": photo is not None})
        try:
            return self._take(turn, question, photo, conversation or Conversation())
        except BaseException as error:
            kind = "turn_failed" if isinstance(error, Exception) else "turn_interrupted"
            self.trail.add(turn, kind, {"error": f"{type(error).__name__}: {error}"})
            raise

    def close(self) -> None:
        """Free model, plugins and trail."""
        self.ladder.close()
        self.plugins.shutdown(self.env)
        self.trail.close()

    def _take(self, turn: str, question: str, source: Path | bytes | None, conversation: Conversation) -> TurnRecord:
        clock, language, problems = StageClock(), detect_language(question), list[str]()

        def note(kind: str, body: dict[str, Any]) -> None:
            self.trail.add(turn, kind, body)

        with clock.stage("load"):
            sees = self.ladder.sees
        photo, perception = self._look(source, clock, note)
        view = TurnView(question, language, self.env.now(), perception)
        terms = gather_terms(question, perception, self.plugins.find_terms(question, self.env), conversation.terms)
        look = self._look_closer(view, photo, clock, note) if photo and sees else None
        shown = photo if sees and look is None and not _read_something(perception) else None
        loop = self._loop(view, shown, conversation, note, problems)
        findings = loop.run(self._parts(question), Evidence(question, perception, terms))
        clock.ms["model"], clock.ms["tools"] = findings.model_ms, findings.tool_ms
        gist = self._word(findings, language, clock, note, reusable=loop.reusable)
        rung, falls = self.ladder.name, self.ladder.settle()
        left_out = loop.window.left_out
        answer = render(findings, perception, language, gist=gist, rung=rung, falls=falls, left_out=left_out, look=look)
        if left_out:
            note("history_left_out", {"turns": left_out, "summary": conversation.summary()})
        names = [*_names(terms), *_tags(findings)]
        loop.window.close(turn_line(question, names, answer.citations), terms)
        calls = {f.call.id: f.call for f in findings.parts if f.call}
        usage = findings.usage.plus(look.usage) if look else findings.usage
        record = TurnRecord(
            turn, question, answer, rung, falls, perception, tuple(calls.values()), usage,
            clock.all(), tuple(problems),
        )  # fmt: skip
        note("turn_finished", record.to_json())
        self.plugins.turn_finished(record)
        return record

    def _checked(self, question: str) -> str:
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
        view: TurnView,
        photo: Photo | None,
        conversation: Conversation,
        note: Callable[[str, dict[str, Any]], None],
        problems: list[str],
    ) -> Loop:
        settings = self.env.settings.turn
        asked = user_message(view.question, view.perception, photo, settings)
        brief = user_message(view.question, view.perception, photo, settings, brief=True)
        return Loop(
            model=self.ladder,
            tools=self.tools,
            settings=settings,
            language=view.language,
            run_tool=lambda tool, call: self._run_tool(tool, call, view, note, problems),
            note=note,
            deadline=time.monotonic() + settings.max_seconds,
            window=open_window(self._system, conversation, asked, brief, settings),
        )

    def _run_tool(
        self,
        tool: Tool,
        call: ToolCall,
        view: TurnView,
        note: Callable[[str, dict[str, Any]], None],
        problems: list[str],
    ) -> ToolResult:
        """Run a call: veto, approval, function; the trail has it before and after.

        :raises ToolDenied: a plugin refused.
        :raises NeedsPerson: it is not a reading tool; nothing here may approve in a person's place.
        :raises ToolFailed: it could not.
        """
        note("tool_called", {"id": call.id, **call.to_json()})
        try:
            veto = self.plugins.veto(call, tool, view)
            if veto:
                raise ToolDenied(veto.reason)
            if tool.risk != "read":
                raise NeedsPerson(f"{call.tool} changes something and waits for a person's approval")
            result = _run_guarded(tool, call, view, problems)
        except WatchkeeperError as error:
            note("tool_failed", {"id": call.id, "error": str(error)})
            raise
        cited = [r.id for r in result.records] + [p.citation for p in result.passages]
        note("tool_returned", {"id": call.id, "cited": cited, "notes": [n["en"] for n in result.notes]})
        self.plugins.after_call(call, result, view)
        return result

    def _word(
        self,
        findings: Findings,
        language: Language,
        clock: StageClock,
        note: Callable[[str, dict[str, Any]], None],
        *,
        reusable: bool,
    ) -> str:
        """One line in the person's language where the quote is in the other; empty where it cannot be backed."""
        foreign = next((f.quote for f in findings.parts if f.quote and f.quote.passage.language != language), None)
        if foreign is None or self.ladder.name == "rules" or findings.stopped:
            return ""
        limits = ReplyLimits(max_tokens=self.env.settings.turn.gist_tokens, reusable=reusable)
        with clock.stage("model"):
            try:
                reply = self.ladder.reply(gist_messages(foreign, language), (), bound=None, limits=limits)
            except (ModelError, BadReply):
                return ""
        line = " ".join(reply.text.split())
        problem = unsupported(line, [foreign.text]) if reply.stopped == "done" else "it was cut off"
        note("line_worded", {"line": line, "dropped": problem, "cached": reply.usage.cached_replies > 0})
        return "" if problem else line


def _read_something(perception: Perception | None) -> bool:
    """Whether the panel parser saw anything; then a model that sees need not look: on two cores that takes seconds."""
    return perception is not None and bool(perception.readings or perception.lamps or perception.alarms)


def _names(terms: Sequence[Term]) -> list[str]:
    """What the person named in this question."""
    return [term.value for term in terms if term.source == "question" and term.kind != "period"]


def _tags(findings: Findings) -> list[str]:
    """The machines that the records found are about."""
    records = [record for f in findings.parts if f.result for record in f.result.records]
    return [tag for record in records if isinstance(tag := record.fields.get("tag"), str) and tag]


def _run_guarded(tool: Tool, call: ToolCall, view: TurnView, problems: list[str]) -> ToolResult:
    """A tool that raises anything has failed; what a person can put right is kept for the end of the turn."""
    try:
        return tool.run(call.arguments, view)
    except SeenByModel:
        raise
    except InputError as error:
        problems.append(str(error))
        raise ToolUnavailable(str(error)) from error
    except Exception as error:
        raise ToolFailed(f"{call.tool} broke: {type(error).__name__}: {error}") from error
