"""Carries out what a person ordered in so many words; each order has its own outcome, and none takes another with it.

    judge      arguments, vetoes, the tool's rules; who may say yes: the person's own words, or a person by approval
    begin      one transaction: what may go is planned and approved, the first of each lane as being sent, unless
               another process sends in that lane; the rest waits for a person
    carry out  one lane after another thing that is moved, lanes side by side: started, sent once, read back
    tell       what is really so now; "done" only after a read-back

A `write` goes without approval only where the order claims the person's own words and the tool, reading these words
anew by rules alone, finds exactly this call in them; or where a person typed exactly this call at the command line
(`by`). Everything else waits. All orders are judged before any is sent, so that none changes what another one means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from agent.actuator import Came, Heard, Outcome
from agent.approval import Approvals
from agent.clock import Span
from agent.device_commands import DeviceCommands
from agent.errors import CommandNotSent, DatabaseError, NeedsPerson, SeenByModel, ToolDenied
from agent.journal import Entry, IllegalStep, Journal, Pen
from agent.messages import ToolCall
from agent.orders import Done, Order
from agent.plugin_host import PluginHost
from agent.settings import TurnSettings
from agent.tool_run import read_back_with, run_guarded
from agent.tools import Tool, TurnView
from agent.values import Json, Said, ToolResult, say

__all__ = ["OWN_WORDS", "OrderRunner"]

OWN_WORDS = "the person's own words"
"""Who stands for a command that was free."""
_PLAIN: Mapping[Came, Said] = {
    "confirmed": say("已完成,已回读确认", "done, confirmed by reading back"),
    "failed": say("没有完成", "not done"),
    "unsure": say("已发出,没有得到确认,请到现场查看", "sent, not confirmed; look at the device"),
    "refused": say("已拒绝,没有发出", "refused, nothing was sent"),
    "waits": say("等待批准,没有发出", "waits for approval, nothing was sent"),
    "repeated": say("这句话已处理过,没有再次发出", "said before; nothing was sent again"),
    "told": say("", ""),
}
_STALE = say("说得太早,已过时,没有发出", "said too long ago; it is stale and was not sent")
_TOO_OFTEN = say("一分钟内操作太频繁,稍后再试", "it was moved too often within a minute; try again later")
_NO_TOOL = say("本机不能控制它", "this box cannot move it")


@dataclass(frozen=True, slots=True)
class _Ready:
    """An order with nothing against it."""

    order: Order
    tool: Tool
    call: ToolCall
    by: str
    """Who stands for it without an approval; empty: nobody."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """An order whose command may be sent."""

    ready: _Ready
    entry: Entry


class OrderRunner:
    """Runs the orders of turns."""

    def __init__(
        self, plugins: PluginHost, approvals: Approvals, commands: DeviceCommands, settings: TurnSettings
    ) -> None:
        self._plugins = plugins
        self._approvals = approvals
        self._commands = commands
        self._journal: Journal = commands.journal
        self._settings = settings

    def run(
        self,
        turn: str,
        orders: Sequence[Order],
        tools: Sequence[Tool],
        view: TurnView,
        heard: Heard,
        *,
        told: Mapping[str, Json],
        by: str = "",
    ) -> tuple[Done, ...]:
        """Carry out orders.

        :param turn: also the identity of its commands: the n-th order of a turn is sent once, whoever runs it again.
        :param told: what the trail says about how they were read.
        :param by: the person who typed exactly these calls; empty where they were read from words.
        :return: what became of each, in their order.
        :raises DatabaseError: the trail cannot be written; nothing was sent.
        """
        if len(orders) > self._settings.most_orders:
            return tuple(self._done(order, _refused(_too_many(len(orders)))) for order in orders)
        judged = [self._judge(order, tools, view, heard, by) for order in orders]
        with self._journal.writing() as pen:
            pen.tell(turn, "orders_read", {"orders": [_told(one) for one in judged], **told})
            begun: list[Done | _Begun] = []
            lanes = set[str]()
            for n, one in enumerate(judged):
                begun.append(self._begin(pen, turn, f"{turn}.{n}", one, heard) if isinstance(one, _Ready) else one)
                begun[-1] = self._first_is_started(pen, begun[-1], lanes)
        return tuple(self._carry_out(begun, view))

    def _judge(self, order: Order, tools: Sequence[Tool], view: TurnView, heard: Heard, by: str) -> Done | _Ready:
        """What is against an order, or who stands for it; readings are made at once."""
        if order.call is None:
            return Done(order, "told", order.said)
        call = order.call
        tool = next((tool for tool in tools if tool.name == call.tool), None)
        if tool is None:
            return self._done(order, _refused(_NO_TOOL))
        try:
            tool.check(call.arguments)
            veto = self._plugins.veto(call, tool, view)
            if veto:
                return self._done(order, _refused(veto.said or _plainly(veto.reason)), tool)
            if tool.risk_of(call.arguments) == "read":
                return self._read(order, tool, call, view)
            refusal = tool.actuator.refusal(call.arguments) if tool.actuator else None
        except SeenByModel as error:
            return self._done(order, _refused(_said(error)), tool)
        if refusal is not None:
            return self._done(order, _refused(refusal), tool)
        return _Ready(order, tool, call, self._who(order, tool, call, view, heard, by))

    def _who(self, order: Order, tool: Tool, call: ToolCall, view: TurnView, heard: Heard, by: str) -> str:
        if tool.actuator is None or tool.risk_of(call.arguments) != "write":
            return ""
        if by:
            return by
        own = order.own_words and not heard.relayed and tool.actuator.ordered(view.question, heard, call.arguments)
        return OWN_WORDS if own else ""

    def _read(self, order: Order, tool: Tool, call: ToolCall, view: TurnView) -> Done:
        result = run_guarded(tool, call, view, [])
        self._plugins.after_call(call, result, view)
        lines = [*result.notes, *(record.line for record in result.records)]
        return Done(order, "told", say("\n".join(x["zh"] for x in lines), "\n".join(x["en"] for x in lines)))

    def _begin(self, pen: Pen, turn: str, key: str, ready: _Ready, heard: Heard) -> Done | _Begun:
        """Plan and approve it, or let it wait for a person."""
        tool = ready.tool
        if pen.entry("command", key) is not None:
            return self._done(ready.order, Outcome("repeated"), tool, key)
        actuator = tool.actuator
        arguments = ready.call.arguments
        if actuator is not None and (
            self._commands.begun_lately(pen, actuator.moves(arguments)) >= actuator.most_a_minute(arguments)
        ):
            return self._done(ready.order, _refused(_TOO_OFTEN), tool)
        if not ready.by:
            return self._begin_approved(pen, turn, ready)
        left = self._settings.order_seconds - heard.age_seconds
        if left <= 0:
            return self._done(ready.order, _refused(_STALE), tool)
        entry = self._plan(pen, key, turn, ready, Span(pen.now, left))
        return _Begun(ready, self._commands.approve(pen, entry, person=ready.by))

    def _first_is_started(self, pen: Pen, one: Done | _Begun, lanes: set[str]) -> Done | _Begun:
        """What is first in its lane goes out at once: it is marked as being sent in this very transaction."""
        if isinstance(one, Done) or _lane(one.ready) in lanes:
            return one
        lanes.add(_lane(one.ready))
        if self._commands.under_way(pen, one.entry):
            return one  # of another turn or process: it is waited for before this one is started
        return _Begun(one.ready, self._commands.start(pen, one.entry))

    def _begin_approved(self, pen: Pen, turn: str, ready: _Ready) -> Done | _Begun:
        call, tool = ready.call, ready.tool
        try:
            approval = self._approvals.take(pen, call.tool, call.arguments)
            if approval is None or approval.span is None:
                request = self._approvals.ask(pen, turn, call.tool, call.arguments)
                return self._done(ready.order, Outcome("waits", request=request.id), tool)
        except (ToolDenied, NeedsPerson) as error:
            return self._done(ready.order, _refused(_said(error)), tool)
        if pen.entry("command", approval.id) is not None:
            return self._done(ready.order, Outcome("repeated"), tool, approval.id)
        entry = self._plan(pen, approval.id, turn, ready, approval.span)
        return _Begun(ready, self._commands.approve(pen, entry, person=approval.person))

    def _plan(self, pen: Pen, key: str, turn: str, ready: _Ready, span: Span) -> Entry:
        call, actuator = ready.call, ready.tool.actuator
        before = actuator.before(call.arguments) if actuator else None
        moves = actuator.moves(call.arguments) if actuator else ""
        lane = actuator.lane(call.arguments) if actuator else ""
        return self._commands.plan(
            pen, key, turn=turn, tool=call.tool, arguments=call.arguments, span=span, before=before, moves=moves,
            lane=lane,
        )  # fmt: skip

    def _carry_out(self, begun: Sequence[Done | _Begun], view: TurnView) -> Iterable[Done]:
        """Send what may go: by lanes, side by side."""
        lanes: dict[str, list[int]] = {}
        for n, one in enumerate(begun):
            if isinstance(one, _Begun):
                lanes.setdefault(_lane(one.ready), []).append(n)
        came: dict[int, tuple[Done, ToolResult | None]] = {}

        def drive(numbers: Sequence[int]) -> None:
            for n in numbers:
                one = begun[n]
                assert isinstance(one, _Begun)
                came[n] = self._send(one, view)

        if len(lanes) > 1:
            with ThreadPoolExecutor(min(len(lanes), self._settings.order_lanes)) as pool:
                list(pool.map(drive, lanes.values()))
        else:
            for numbers in lanes.values():
                drive(numbers)
        for n, one in enumerate(begun):
            done, result = (one, None) if isinstance(one, Done) else came[n]
            if result is not None and isinstance(one, _Begun):
                self._plugins.after_call(one.ready.call, result, view)
            yield done

    def _send(self, begun: _Begun, view: TurnView) -> tuple[Done, ToolResult | None]:
        ready, entry = begun.ready, begun.entry
        result: ToolResult | None = None
        why: Said | None = None
        try:
            if entry.state == "approved":
                limits = self._settings
                entry = self._commands.start_in_turn(
                    entry, wait_seconds=limits.lane_wait_seconds, poll_seconds=limits.lane_poll_seconds
                )
        except (SeenByModel, DatabaseError, IllegalStep) as error:
            # Late, closed by somebody else, or something beside it does not end: it stays unsent.
            return self._done(ready.order, _refused(_said(error)), ready.tool, entry.id), None
        try:
            entry, result = self._commands.carry_out(
                entry, lambda: run_guarded(ready.tool, ready.call, view, []), read_back_with([ready.tool])
            )
        except SeenByModel as error:
            why, entry = _said(error), self._known(entry)
        except (DatabaseError, IllegalStep) as error:
            why = _said(error)
        return self._done(ready.order, Outcome(_came(entry), why), ready.tool, entry.id), result

    def _known(self, entry: Entry) -> Entry:
        """How it stands in the journal; as it was where that cannot be read."""
        try:
            return self._journal.entry("command", entry.id) or entry
        except DatabaseError:
            return entry

    def _done(self, order: Order, outcome: Outcome, tool: Tool | None = None, command: str = "") -> Done:
        return Done(order, outcome.came, _line(order, outcome, tool), command, outcome.request)


def _lane(ready: _Ready) -> str:
    return ready.tool.actuator.lane(ready.call.arguments) if ready.tool.actuator else ready.call.tool


def _came(entry: Entry) -> Came:
    """As a person is told: what was begun and has no end may have arrived."""
    if entry.state == "confirmed" or entry.state == "failed":
        return "confirmed" if entry.state == "confirmed" else "failed"
    return "unsure"


def _line(order: Order, outcome: Outcome, tool: Tool | None) -> Said:
    """As the tool says it; plainly where it cannot, for a device that moved is told of in any case."""
    if tool is not None and tool.actuator is not None and order.call is not None:
        with suppress(Exception):
            return tool.actuator.told(order.call.arguments, outcome)
    came, why = _PLAIN[outcome.came], outcome.why or say("", "")
    request = f" {outcome.request}" if outcome.request else ""
    return say(
        f"{order.said['zh']}:{came['zh']}{request}{'。' if why['zh'] else ''}{why['zh']}",
        f"{order.said['en']}: {came['en']}{request}{'; ' if why['en'] else ''}{why['en']}",
    )


def _refused(why: Said) -> Outcome:
    return Outcome("refused", why)


def _plainly(text: str) -> Said:
    return say(text, text)


def _said(error: Exception) -> Said:
    known = error.said if isinstance(error, CommandNotSent) else None
    return known or _plainly(str(error))


def _too_many(count: int) -> Said:
    return say(f"一次下令 {count} 项,太多,都没有发出", f"{count} orders at once are too many; nothing was sent")


def _told(one: Done | _Ready) -> Json:
    """For the trail: the call, and who stands for it or what was against it."""
    call = one.order.call
    body: dict[str, Json] = {"call": {"name": call.tool, "arguments": dict(call.arguments)} if call else None}
    return body | ({"by": one.by} if isinstance(one, _Ready) else {"came": one.came, "line": one.line["en"]})
