"""Other programs get this box's tools by the Model Context Protocol, and move nothing that no person has approved."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult

from agent.actuator import Heard
from agent.env import Env
from agent.mcp.desks import AgentDesk
from agent.mcp.server import make_server
from agent.messages import ToolCall
from agent.orders import Order, Orders
from agent.tools import Tool, TurnView, tool
from agent.turn import Agent
from agent.values import ToolResult, say
from tests.fakes import ScriptedModel
from tests.server_kit import served
from tests.test_turn import EVENT, LOOK_UP, PANEL, QUESTION, SEEN, ZH, _Host, agent_of

PHOTO = base64.b64encode(PANEL.read_bytes()).decode()
SCRIPT: list[object] = [LOOK_UP, ("循环泵", "处理:")]


class Box:
    """An agent with a tool that reads, one that writes, and one that moves a device."""

    def __init__(self, env: Env, *script: object, orders: tuple[Order, ...] = ()) -> None:
        self.moved: list[str] = []
        host = _Host((*self._tools(),), SEEN)
        if orders:
            host.read_orders = lambda *_: Orders(orders)  # type: ignore[method-assign]
        self.agent: Agent = agent_of(env, ScriptedModel(list(script)), host)

    def _tools(self) -> list[Tool]:
        @tool(risk="read", cues=("什么",))
        def search_manuals(turn: TurnView, query: str) -> ToolResult:
            """What the manuals say."""
            return ToolResult(passages=(ZH,), notes=(say("找到", "found"),))

        @tool(risk="read", cues=("类似",))
        def similar_events(turn: TurnView, like: str, period: str | None = None) -> ToolResult:
            """Earlier events."""
            return ToolResult(records=(EVENT,))

        @tool(risk="read", cues=("看",), needs_photo=True)
        def panel(turn: TurnView) -> ToolResult:
            """What the panel shows."""
            return ToolResult()

        @tool(risk="write")
        def reset(line: str) -> ToolResult:
            """Reset a line."""
            self.moved.append(line)
            return ToolResult(notes=(say("已复位", "reset"),))

        @tool(risk="write", actuator=Moving(), read_back=lambda value: True)  # type: ignore[arg-type]
        def move(value: int) -> ToolResult:
            """Move the valve."""
            self.moved.append(str(value))
            return ToolResult()

        return [search_manuals, similar_events, panel, reset, move]


class Moving:
    """Knows its calls; says that any words order any call, which a program's words never do."""

    def risk(self, arguments: object) -> str:
        return "write"

    def ordered(self, words: str, heard: Heard, arguments: object) -> bool:
        return True

    def refusal(self, arguments: Any) -> Any:
        return say("太大", "too far") if arguments["value"] > 100 else None

    def moves(self, arguments: object) -> str:
        return "valve"

    lane = moves

    def most_a_minute(self, arguments: object) -> int:
        return 100

    def before(self, arguments: object) -> None:
        return None

    def told(self, arguments: object, outcome: Any) -> Any:
        return say(outcome.came, f"valve: {outcome.came} {outcome.request}")


def text_of(result: CallToolResult) -> str:
    """What a model reads."""
    (content,) = result.content
    assert content.type == "text"
    return content.text


def in_client(box: Box, work: Any, *, mode: str = "auto") -> Any:
    """Do something with a client of the SDK on this box's server, in one process."""

    async def run() -> Any:
        async with Client(make_server(AgentDesk(box.agent, "test")), mode=mode) as client:
            return await work(client)

    try:
        return anyio.run(run)
    finally:
        box.agent.close()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_tools_are_described_as_they_are(env: Env, mode: str) -> None:
    """What reads says so; what changes something says that it may destroy; what needs a photo belongs to a question."""

    async def work(client: Client) -> Any:
        return (await client.list_tools()).tools

    tools = {one.name: one for one in in_client(Box(env), work, mode=mode)}
    assert set(tools) == {"ask", "search_manuals", "similar_events", "reset", "move"}
    hints = {name: (one.annotations.read_only_hint, one.annotations.destructive_hint) for name, one in tools.items()}
    assert hints["search_manuals"] == (True, False) and hints["reset"] == hints["move"] == (False, True)
    assert hints["ask"] == (False, False) and "approval" in tools["move"].description
    assert tools["search_manuals"].input_schema["required"] == ["query"]


def test_what_reads_is_run_and_given_as_text_and_values(env: Env) -> None:
    """A result has its sources, for a model and for a program."""

    async def work(client: Client) -> Any:
        return await client.call_tool("search_manuals", {"query": "循环变频故障"})

    result = in_client(Box(env), work)
    assert not result.is_error and "[M1 §6.2]" in text_of(result)
    assert result.structured_content["passages"][0]["citation"] == "M1 §6.2"


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("nothing", {}, "no such tool"),
        ("panel", {}, "no such tool"),
        ("search_manuals", {}, "argument query is missing"),
        ("search_manuals", {"query": 3}, "query"),
        ("search_manuals", {"query": "x", "more": 1}, "unknown argument more"),
        ("move", {"value": 101}, "refused"),
        ("ask", {"question": " "}, "empty"),
        ("ask", {"question": "x", "photo": "!"}, "base64"),
        ("ask", {"text": "x"}, "ask takes a question"),
    ],
)
def test_what_cannot_be_done_is_said_to_the_model(env: Env, name: str, arguments: dict[str, Any], why: str) -> None:
    """A wrong call is an answer that a model can read, and nothing else happens."""

    async def work(client: Client) -> Any:
        return await client.call_tool(name, arguments)

    box = Box(env)
    result = in_client(box, work)
    assert result.is_error and why in text_of(result) and box.moved == []


@pytest.mark.parametrize(("name", "arguments"), [("reset", {"line": "a"}), ("move", {"value": 5})])
def test_a_call_that_changes_something_waits_for_a_person(env: Env, name: str, arguments: dict[str, Any]) -> None:
    """It is refused with how to approve it; after a person's yes exactly this call is carried out, once."""
    box = Box(env)

    async def work(client: Client) -> None:
        refused = await client.call_tool(name, arguments)
        (request,) = box.agent.approvals.waiting()
        assert refused.is_error and f"approvals approve {request.id}" in text_of(refused) and box.moved == []
        box.agent.approvals.answer(request.id, approve=True, person="wang")
        other = {key: "b" if value == "a" else 6 for key, value in arguments.items()}
        assert (await client.call_tool(name, other)).is_error and box.moved == []
        assert not (await client.call_tool(name, arguments)).is_error
        assert (await client.call_tool(name, arguments)).is_error

    in_client(box, work)
    assert len(box.moved) == 1


def test_an_order_in_a_question_of_a_program_waits_too(env: Env) -> None:
    """`ask` carries nothing out: words that a program passes on are nobody's own."""
    order = Order(say("阀", "valve"), ToolCall("move", {"value": 5}), own_words=True)
    box = Box(env, orders=(order,))

    async def work(client: Client) -> Any:
        return await client.call_tool("ask", {"question": "open the valve"})

    result = in_client(box, work)
    assert result.structured_content["actions"][0]["came"] == "waits" and box.moved == []


def test_calls_stand_in_the_trail(env: Env) -> None:
    """Which program called what, and how it ended, as for every turn."""
    box = Box(env)

    async def work(client: Client) -> None:
        await client.call_tool("search_manuals", {"query": "x"})
        await client.call_tool("reset", {"line": "a"})
        rows = list(box.agent.trail.rows())
        kinds = [row.kind for row in rows]
        assert kinds.count("turn_started") == kinds.count("turn_finished") == 2
        assert rows[0].body["program"] == "test" and "approval_waiting" in kinds

    in_client(box, work)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_over_http_it_is_behind_the_same_gate_and_queue(env: Env, mode: str) -> None:
    """POST /mcp with the SDK's own client: tools, a question with a photo, a refused write; GET is not taken."""
    box = Box(env, "", *SCRIPT)

    async def work(address: str) -> None:
        async with Client(f"{address}/mcp", mode=mode) as client:
            assert len((await client.list_tools()).tools) == 5
            answered = await client.call_tool("ask", {"question": QUESTION, "photo": PHOTO})
            assert "[M1 §6.2]" in text_of(answered) and answered.structured_content["citations"]
            assert "E17" in text_of(await client.call_tool("similar_events", {"like": "x"}))
            assert (await client.call_tool("move", {"value": 5})).is_error

    with served(box.agent) as address:
        anyio.run(work, address)
        assert httpx.get(f"{address}/mcp").status_code == 405
        foreign = httpx.post(f"{address}/mcp", json={}, headers={"Origin": "http://evil.example"})
        waiting = httpx.get(f"{address}/api/approvals").json()["approvals"]
    assert foreign.status_code == 403 and len(waiting) == 1 and box.moved == []


def test_the_command_serves_its_standard_streams(tmp_path: Path) -> None:
    """`watchkeeper mcp` as any client starts it: tools are told, and a call is answered."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "agent", "mcp"], env={"WATCHKEEPER_HOME": str(tmp_path / "home")}
    )

    async def work() -> Any:
        async with Client(server) as client:
            names = [one.name for one in (await client.list_tools()).tools]
            return names, await client.call_tool("search_manuals", {"query": "E17"})

    names, result = anyio.run(work)
    assert {"ask", "search_manuals"} <= set(names) and isinstance(text_of(result), str)
