"""Model ↔ tools, until every part of the question has what can be found for it, a limit is reached, or a person is
needed.

    findings = look up every part       one reply: a call for each part; then the calls run
    while a call failed: look up again  the failed parts, without the tool that failed
    pick a quote for every part that found passages

A step is one model reply. Limits on steps, calls and seconds end the loop with what is known so far.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.asks import explains
from agent.bound import LETTERS, BoundArgument, BoundTool, CallBound, CallPart, ChoiceBound, PickBound, PickPart
from agent.conversation import Window
from agent.errors import BadReply, PromptTooLong, SeenByModel, TimeLimit, ToolUnavailable, TurnCancelled, WordsNothing
from agent.evidence import Evidence, bind_tools
from agent.messages import Message, Reply, ToolCall, Usage
from agent.model.protocol import Model, ReplyLimits
from agent.parts import asks_something, phrases_of, says_little
from agent.picking import pick_part
from agent.prompt import pick_message
from agent.quotes import Quote, plain, quotes_of
from agent.settings import TurnSettings
from agent.tools import Choice, Tool
from agent.values import Language, Passage, ToolResult

__all__ = ["Findings", "Loop", "PartFinding"]

_NAMES = {"alarm", "tag", "label"}
"""Kinds of terms that name what a question is about."""


@dataclass(frozen=True, slots=True)
class PartFinding:
    """What was found for one part of the question."""

    part: str
    phrase: str
    """What a search looks up for it."""
    call: ToolCall | None = None
    result: ToolResult | None = None
    error: str = ""
    """Why the tool could not, in words for the person."""
    may_retry: bool = False
    """Whether another tool may be tried: not where a person has to put something right first."""
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What the loop found."""

    parts: tuple[PartFinding, ...]
    usage: Usage
    model_ms: float
    tool_ms: float
    stopped: str = ""
    """Why it ended before it was through; empty where it was."""


@dataclass(slots=True)
class Loop:
    """One turn's exchange with model and tools."""

    model: Model
    tools: Sequence[Tool]
    settings: TurnSettings
    language: Language
    run_tool: Callable[[Tool, ToolCall], ToolResult]
    """Runs a call with its vetoes and approvals; raises SeenByModel where it cannot, NeedsPerson where a person
    must.
    """
    note: Callable[[str, dict[str, Any]], None]
    """Writes a step to the trail."""
    deadline: float
    window: Window
    found: Callable[[Sequence[PartFinding]], None] = lambda parts: None
    """Told of parts for which nothing more is looked up."""
    cancelled: Callable[[], bool] = lambda: False
    usage: Usage = field(default_factory=Usage)
    steps: int = 0
    calls: int = 0
    model_ms: float = 0.0
    tool_ms: float = 0.0
    tried: set[tuple[str, str]] = field(default_factory=set)
    echoed: int = 0
    """Tokens in which a reply says the question again: each part in full, and as what is searched for."""
    reusable: bool = True
    """Whether replies may come from the cache: not once a tool was offered that changes something."""

    def run(self, parts: Sequence[str], evidence: Evidence) -> Findings:
        """Find what can be found.

        :raises ModelError: no rung can answer.
        :raises NeedsPerson: a call waits for a person.
        """
        found = [PartFinding(part, phrase) for part, phrase in zip(parts, phrases_of(tuple(parts)), strict=True)]
        self.echoed = 2 * len(evidence.question)
        stopped = ""
        try:
            found, evidence = self._look_up(found, evidence)
            while any(f.may_retry for f in found) and self._may_go_on():
                failed = [f for f in found if f.may_retry]
                again, evidence = self._look_up(failed, evidence)
                if again == failed:  # no other tool was offered, or none was chosen
                    break
                found = _merged(found, again)
            self.found([f for f in found if f.result and not f.result.passages])
            found = self._pick(found, evidence)
            self.found(found)
        except TimeLimit as limit:
            stopped = str(limit)
        except PromptTooLong as error:
            if not any(f.result for f in found):
                raise
            stopped = str(error)
        return Findings(tuple(found), self.usage, self.model_ms, self.tool_ms, stopped)

    def _may_go_on(self) -> bool:
        return self.steps < self.settings.max_steps - 1 and self.calls < self.settings.max_calls

    def _look_up(self, found: Sequence[PartFinding], evidence: Evidence) -> tuple[list[PartFinding], Evidence]:
        """Ask for a call for each part, run the calls; the same call for two parts runs once."""
        offered = [(f, self._offered(f, evidence)) for f in found]
        asked = [(f, tools) for f, tools in offered if tools.tools]
        if not asked:
            return list(found), evidence
        bound = CallBound(tuple(tools for _, tools in asked))
        self.reusable &= all(b.tool.risk == "read" for part in bound.parts for b in part.tools)
        calls = bound.parse(self._reply(bound).text)
        results: dict[str, PartFinding] = {}
        looked = []
        for (f, _), call in zip(asked, calls, strict=True):
            key = str(call.to_json()) if call else ""
            if call is not None and key not in results:
                results[key] = self._call(f, replace(call, id=f"C{self.calls + 1}"))
                if (result := results[key].result) is not None:
                    evidence = evidence.with_result(result)
            ran = results.get(key)
            looked.append(
                replace(f, call=ran.call, result=ran.result, error=ran.error, may_retry=ran.may_retry) if ran else f
            )
        return looked, evidence

    def _offered(self, finding: PartFinding, evidence: Evidence) -> CallPart:
        untried = [tool for tool in self.tools if (finding.part, tool.name) not in self.tried]
        chosen = self._chosen(untried, finding.phrase)
        certain = [tool for tool in untried if tool.name in chosen]
        tools = certain or [tool for tool in untried if tool.asked is None]
        if not certain and explains(finding.part) and any(tool.closeness or tool.said_share for tool in tools):
            tools = [tool for tool in tools if not tool.needs_photo]  # no lamp and no reading explains anything
        named = any(t.source == "question" and plain(t.value) in plain(finding.part) for t in evidence.terms)
        may_decline = not certain and not named and not asks_something(finding.part)
        bound = bind_tools(tools, evidence, finding.phrase, part=finding.part)
        return CallPart(finding.part, tuple(_with(b, chosen.get(b.tool.name, {})) for b in bound), may_decline)

    def _chosen(self, tools: Sequence[Tool], phrase: str) -> dict[str, dict[str, str]]:
        """Tools that are asked for and no other, with the arguments that the model chose where rules are not sure."""
        found: dict[str, dict[str, str]] = {}
        for tool in tools:
            asked = tool.asked is not None and tool.asked(phrase)
            if asked or not found:
                choice = tool.choice(phrase) if tool.choice is not None else None
                value = self._choose(choice) if choice is not None else None
                if asked or value is not None:
                    found[tool.name] = {choice.parameter: value} if choice and value is not None else {}
        return found

    def _choose(self, choice: Choice) -> str | None:
        """What the model takes of a closed list, in a conversation of its own; None where it takes none or cannot."""
        messages = [Message("system", choice.task)]
        for said, answered in choice.shown:
            messages += [Message("user", said), Message("assistant", answered)]
        bound = ChoiceBound((*choice.options, choice.none))
        limits = ReplyLimits(
            max_tokens=self.settings.choice_tokens, deadline=self.deadline, reusable=True, cancelled=self.cancelled
        )
        began = time.perf_counter()
        try:
            reply = self.model.reply([*messages, Message("user", choice.said)], (), bound=bound, limits=limits)
            answered = bound.parse(reply.text)
        except (WordsNothing, PromptTooLong, BadReply):
            return None
        finally:
            self.model_ms += (time.perf_counter() - began) * 1000
        self.usage = self.usage.plus(reply.usage)
        self.note("model_chose", {"rung": self.model.name, "said": choice.said, "text": reply.text})
        return choice.options.get(answered)

    def _call(self, finding: PartFinding, call: ToolCall) -> PartFinding:
        tool = next(tool for tool in self.tools if tool.name == call.tool)
        self.tried.add((finding.part, call.tool))
        self.calls += 1
        began = time.perf_counter()
        try:
            return replace(finding, call=call, result=self.run_tool(tool, call), error="", may_retry=False)
        except SeenByModel as error:
            retry = not isinstance(error, ToolUnavailable)
            return replace(finding, call=call, result=None, error=str(error), may_retry=retry)
        finally:
            self.tool_ms += (time.perf_counter() - began) * 1000

    def _pick(self, found: Sequence[PartFinding], evidence: Evidence) -> list[PartFinding]:
        """Let the model point at a quote for each part that found passages."""
        found = list(found)
        picking: dict[int, PickPart] = {}
        passing = sum(1 for f in found if f.result and f.result.passages) or 1
        for i, names in enumerate(self._names(found)):
            part = self._pick_part(found[i], names, evidence.question, passing)
            if part is None and (wider := self._look_wider(found[i])) is not None:
                wider_part = self._pick_part(wider, names, evidence.question, passing)
                found[i], part = (wider, wider_part) if wider_part else (found[i], None)
            if part is not None:
                picking[i] = part
        parts = tuple(picking.values())
        shown = tuple(dict.fromkeys(quote for part in parts for quote in part.quotes))
        if not shown:
            return found
        bound = PickBound(parts, shown)
        self.window.own.append(pick_message(bound, self.settings))
        picked = bound.parse(self._reply(bound).text)
        picks = dict(zip(picking, picked, strict=True))
        return [replace(f, quote=picks.get(i)) for i, f in enumerate(found)]

    def _look_wider(self, finding: PartFinding) -> PartFinding | None:
        """What the part's own words find, where a name that was looked up for it led to no answer."""
        if finding.call is None or finding.result is None or self.calls >= self.settings.max_calls:
            return None
        tool = next(tool for tool in self.tools if tool.name == finding.call.tool)
        said = [p.name for p in tool.parameters if "phrase" in p.binds]
        call = replace(finding.call, arguments={**finding.call.arguments, **dict.fromkeys(said, finding.phrase)})
        if tool.said_share is None or call.arguments == finding.call.arguments:
            return None
        looked = self._call(finding, replace(call, id=f"C{self.calls + 1}"))
        return looked if looked.result and looked.result.passages else None

    def _pick_part(self, finding: PartFinding, names: Collection[str], question: str, parts: int) -> PickPart | None:
        """The best quotes of what a part found, with as many as all parts together may have; None without any."""
        if finding.result is None or not finding.result.passages:
            return None
        quotes = [q for p in self._passages(finding) for q in quotes_of(p, question, self.settings)]
        most = min(self.settings.max_offered, min(self.settings.max_quotes, len(LETTERS)) // parts)
        part = pick_part(
            finding.part,
            self._looked_up(finding),
            quotes,
            names=names,
            tool=next(tool for tool in self.tools if finding.call and tool.name == finding.call.tool),
            language=self.language,
            most=max(1, most),
            settings=self.settings,
        )
        return part if part.quotes else None

    def _names(self, found: Sequence[PartFinding]) -> list[tuple[str, ...]]:
        """What each part looked up by name; one that says little goes on about what the part before it named."""
        names: list[tuple[str, ...]] = []
        for finding in found:
            tool = next((tool for tool in self.tools if finding.call and tool.name == finding.call.tool), None)
            said = {p.name for p in tool.parameters if _NAMES & set(p.binds)} if tool else set()
            given = finding.call.arguments if finding.call else {}
            own = [str(given[name]) for name in said if given.get(name)]
            own = [name for name in own if plain(name) not in (plain(finding.part), plain(finding.phrase))]
            names.append(tuple(own) or (names[-1] if names and says_little(finding.part) else ()))
        return names

    def _looked_up(self, finding: PartFinding) -> str:
        """What a part is about: its words, and the name that was searched for where it does not say it."""
        query = finding.call.arguments.get("query") if finding.call else ""
        return finding.part if plain(str(query)) in plain(finding.part) else f"{query} {finding.part}"

    def _passages(self, finding: PartFinding) -> Sequence[Passage]:
        """Those in the person's language where the best one is; a better one in the other language is not left out."""
        found = finding.result.passages if finding.result else ()
        if not found or found[0].language != self.language:
            return found
        return [p for p in found if p.language == self.language]

    def _reply(self, bound: CallBound | PickBound) -> Reply:
        if self.cancelled():
            raise TurnCancelled("it was cancelled by whoever asked")
        if time.monotonic() > self.deadline:
            raise TimeLimit(f"the turn took longer than {self.settings.max_seconds:g} s")
        self.steps += 1
        limits = ReplyLimits(
            max_tokens=self.settings.reply_tokens + self.echoed,
            deadline=self.deadline,
            reusable=self.reusable,
            cancelled=self.cancelled,
        )
        began = time.perf_counter()
        reply = self._fitting_reply(bound, limits)
        self.model_ms += (time.perf_counter() - began) * 1000
        self.usage = self.usage.plus(reply.usage)
        said = {"rung": self.model.name, "text": reply.text, "stopped": reply.stopped}
        self.note("model_replied", {**said, "cached": reply.usage.cached_replies > 0})
        if reply.stopped != "done":
            if self.cancelled():
                raise TurnCancelled("it was cancelled by whoever asked")
            raise TimeLimit(
                f"the model's reply was cut off ({reply.stopped}) after {reply.usage.sampled_tokens} tokens"
            )
        self.window.own.append(Message("assistant", reply.text))
        return reply

    def _fitting_reply(self, bound: CallBound | PickBound, limits: ReplyLimits) -> Reply:
        """What the model's context does not hold is asked again: with room for the longest reply that there is and no
        more, then with a shorter prompt. Nothing was decoded until it fits.

        :raises PromptTooLong: this question alone is too long.
        """
        while True:
            try:
                return self.model.reply(self.window.messages(), (), bound=bound, limits=limits)
            except PromptTooLong:
                most = bound.most_bytes()
                if most is not None and most < limits.max_tokens:
                    limits = replace(limits, max_tokens=most)
                elif not self.window.shorten():
                    raise


def _with(bound: BoundTool, chosen: Mapping[str, str]) -> BoundTool:
    """A tool whose arguments are what was chosen, where that is so."""
    others = [argument for argument in bound.arguments if argument.name not in chosen]
    order = [parameter.name for parameter in bound.tool.parameters]
    arguments = [*others, *(BoundArgument(name, values=(value,)) for name, value in chosen.items())]
    return replace(bound, arguments=tuple(sorted(arguments, key=lambda argument: order.index(argument.name))))


def _merged(found: Sequence[PartFinding], again: Sequence[PartFinding]) -> list[PartFinding]:
    """What the second look found in place of what failed at first; a failure stays where it found nothing."""
    better = {f.part: f for f in again if f.result}
    return [better.get(f.part, f) for f in found]
