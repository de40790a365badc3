"""Programs that speak OpenAI's protocol work unchanged: the official client against the real server on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletion

from agent.actuator import Heard
from agent.env import Env
from agent.messages import ToolCall
from agent.model.rules import RulesModel
from agent.orders import Order, Orders
from agent.tools import Tool, TurnView, tool
from agent.values import ToolResult, say
from tests.fakes import ScriptedModel
from tests.server_kit import served
from tests.test_turn import LOOK_UP, PANEL, QUESTION, SEEN, Bench, _Host, agent_of, search_manuals, similar_events

PHOTO = f"data:image/png;base64,{base64.b64encode(PANEL.read_bytes()).decode()}"
SCRIPT: list[object] = [LOOK_UP, ("循环泵", "处理:")]
TURN_ON: Any = {
    "type": "function",
    "function": {
        "name": "HassTurnOn",
        "description": "Turns on a device",
        "parameters": {
            "type": "object",
            "properties": {"name": {"type": "string", "pattern": "^.{1,200000}$"}, "area": {"type": "string"}},
            "required": ["name"],
        },
    },
}
ASKED: Any = [{"role": "system", "content": "A home."}, {"role": "user", "content": "Turn on the kitchen light"}]
CALLED = '```json\n{"name": "HassTurnOn", "arguments": {"name": " kitchen light"}}\n```'


@contextmanager
def client_of(
    env: Env, *script: object, tools: tuple[Tool, ...] = (search_manuals, similar_events)
) -> Iterator[OpenAI]:
    """The official client of a server whose model says what the script says, after it was warmed."""
    with served(Bench(env, *tools, script=["", *script], perception=SEEN).agent) as address:
        yield OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=30)


def shown(question: str) -> list[Any]:
    """A question with a photo, as clients send it."""
    picture = {"type": "image_url", "image_url": {"url": PHOTO}}
    return [{"role": "user", "content": [{"type": "text", "text": question}, picture]}]


def test_a_question_with_a_photo_is_a_turn_with_sources_in_its_text(env: Env) -> None:
    """What `ask` answers, the client gets: text with its sources, what it cost, and the turn where it can be seen."""
    with client_of(env, *SCRIPT) as client:
        assert [model.id for model in client.models.list()] == ["watchkeeper"]
        assert client.models.retrieve("watchkeeper").id == "watchkeeper"
        found = client.chat.completions.create(model="watchkeeper", messages=shown(QUESTION))
    (choice,) = found.choices
    assert choice.finish_reason == "stop" and "[M1 §6.2]" in str(choice.message.content)
    assert found.usage is not None and found.usage.total_tokens > 0
    assert found.model_extra is not None
    assert found.model_extra["watchkeeper"]["citations"] == ["M1 §6.2", "L1", "E17"]


def test_streamed_it_is_the_same_text_in_pieces(env: Env) -> None:
    """The pieces together are the answer; the last but one says why it ended, the last one what it cost."""
    with client_of(env, *SCRIPT, *SCRIPT) as client:
        whole = client.chat.completions.create(model="watchkeeper", messages=shown(QUESTION))
        pieces = list(
            client.chat.completions.create(
                model="watchkeeper", messages=shown(QUESTION), stream=True, stream_options={"include_usage": True}
            )
        )
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert said == whole.choices[0].message.content
    assert pieces[-2].choices[0].finish_reason == "stop" and pieces[-1].usage is not None


def test_a_conversation_goes_on_where_its_messages_say_so(env: Env) -> None:
    """Clients send what was said before; the same conversation knows its names and its photo again, another one not."""
    script = [*SCRIPT, (None,), ("循环泵",)]
    bench = Bench(env, search_manuals, similar_events, script=["", *script], perception=SEEN)
    with served(bench.agent) as address:
        client = OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        first = client.chat.completions.create(model="watchkeeper", messages=shown(QUESTION))
        told: Any = {"role": "assistant", "content": first.choices[0].message.content}
        after: list[Any] = [*shown(QUESTION), told, {"role": "user", "content": "谢谢"}]
        client.chat.completions.create(model="watchkeeper", messages=after)
    assert any(QUESTION in message.text for message in bench.model.seen[-1][:-1])


def test_a_client_s_own_tools_are_called_by_their_schema(env: Env) -> None:
    """The reply holds calls of the functions that were offered, as the model wrote them and trimmed."""
    with client_of(env, CALLED) as client:
        found = client.chat.completions.create(model="watchkeeper", messages=ASKED, tools=[TURN_ON])
    (choice,) = found.choices
    assert choice.finish_reason == "tool_calls" and choice.message.content is None
    (call,) = choice.message.tool_calls or ()
    assert call.type == "function" and call.function.name == "HassTurnOn"
    assert json.loads(call.function.arguments) == {"name": "kitchen light"}


def test_after_its_tools_have_run_the_client_gets_words(env: Env) -> None:
    """The client's loop ends: a call that was made is not made again, and the model's words are passed on."""
    made: Any = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "HassTurnOn", "arguments": '{"name": "kitchen light"}'},
            }
        ],
    }
    ran: Any = {"role": "tool", "tool_call_id": "c1", "content": "ok"}
    with client_of(env, CALLED, "It is on.") as client:
        found = client.chat.completions.create(model="watchkeeper", messages=[*ASKED, made, ran], tools=[TURN_ON])
    assert found.choices[0].message.content == "It is on." and found.choices[0].finish_reason == "stop"


def test_calls_and_words_are_streamed_too(env: Env) -> None:
    """Words come as they are said; a call is never shown as words."""
    with client_of(env, CALLED, "Hello there") as client:
        for call in (True, False):
            pieces = list(
                client.chat.completions.create(model="watchkeeper", messages=ASKED, tools=[TURN_ON], stream=True)
            )
            deltas = [piece.choices[0].delta for piece in pieces]
            said = "".join(delta.content or "" for delta in deltas)
            names = [one.function.name for delta in deltas for one in delta.tool_calls or () if one.function]
            assert (said, names) == (("", ["HassTurnOn"]) if call else ("Hello there", []))


def test_an_answer_has_the_form_that_is_asked_for(env: Env) -> None:
    """response_format goes to the model as a grammar, without what a grammar is not to be held to."""
    schema = {"type": "object", "properties": {"alarm": {"type": "string", "pattern": "(a+)+$"}}, "required": ["alarm"]}
    form: Any = {"type": "json_schema", "json_schema": {"name": "alarm", "schema": schema}}
    bench = Bench(env, search_manuals, script=["", '{"alarm": "E17"}'])
    with served(bench.agent) as address:
        client = OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        found = client.chat.completions.create(model="watchkeeper", messages=ASKED, response_format=form)
    assert json.loads(str(found.choices[0].message.content)) == {"alarm": "E17"}
    bound = bench.model.bounds[-1]
    assert bound is not None and "alarm" in bound.lark() and "a+" not in bound.lark()


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"messages": []}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "content": " "}]}, 422, "bad_question"),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, 400, "invalid_request"),
        ({"n": 2}, 400, "invalid_request"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, 400, "invalid_request"),
        ({"tools": [TURN_ON], "tool_choice": {"type": "function", "function": {"name": "x"}}}, 400, "invalid_request"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "no"}}}},
            400,
            "invalid_request",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/x"}}}},
            400,
            "invalid_request",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://a/b.png"}}]}
                ]
            },
            400,
            "image_url",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_protocol_s_form(
    env: Env, more: dict[str, Any], status: int, code: str
) -> None:
    """A status, a code and one text; and no rung falls over what a client sends."""
    bench = Bench(env, search_manuals, script=[""])
    with served(bench.agent) as address:
        client = OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(**({"model": "watchkeeper", "messages": ASKED} | more))
        falls = httpx.get(f"{address}/api/health").json()["falls"]
    assert (refused.value.status_code, refused.value.code) == (status, code)
    assert isinstance(refused.value.body, dict) and isinstance(refused.value.body["message"], str)
    assert falls == []


def test_rules_answer_questions_and_word_nothing_of_their_own(env: Env) -> None:
    """Without weights a question is answered with its sources; for a client's own tools there is no model, and that
    is said.
    """
    with served(agent_of(env, RulesModel(), _Host((search_manuals, similar_events), SEEN))) as address:
        client = OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        found: ChatCompletion = client.chat.completions.create(model="watchkeeper", messages=shown(QUESTION))
        assert "M1 §6.2" in str(found.choices[0].message.content)
        with pytest.raises(openai.InternalServerError) as refused:
            client.chat.completions.create(model="watchkeeper", messages=ASKED, tools=[TURN_ON])
    assert refused.value.status_code == 503 and refused.value.code == "model"


class _Lamp:
    """Knows its calls, and finds every order in every words."""

    def risk(self, arguments: object) -> str:
        return "write"

    def ordered(self, words: str, heard: Heard, arguments: object) -> bool:
        return True

    def refusal(self, arguments: object) -> None:
        return None

    def moves(self, arguments: object) -> str:
        return "lamp"

    lane = moves

    def most_a_minute(self, arguments: object) -> int:
        return 100

    def before(self, arguments: object) -> None:
        return None

    def told(self, arguments: object, outcome: Any) -> Any:
        return say(outcome.came, outcome.came)


@pytest.mark.parametrize("own_words", [False, True])
def test_words_that_a_program_passes_on_move_nothing(env: Env, own_words: bool) -> None:
    """An order over this protocol waits for a person, unless a person has said that its words are their own."""
    moved: list[str] = []

    @tool(risk="write", actuator=_Lamp(), read_back=lambda name: True)  # type: ignore[arg-type]
    def switch(turn: TurnView, name: Annotated[str, "Lamp"]) -> ToolResult:
        """Switch a lamp."""
        moved.append(name)
        return ToolResult()

    host = _Host((switch,), None)
    order = Order(say("灯", "lamp"), ToolCall("switch", {"name": "lamp"}), own_words=True)
    host.read_orders = lambda *_: Orders((order,))  # type: ignore[method-assign]
    server = env.settings.server
    told = server.openai.model_copy(update={"own_words": own_words})
    settings = env.settings.model_copy(update={"server": server.model_copy(update={"openai": told})})
    env = type(env)(settings, env.home, env.weights)
    with served(agent_of(env, ScriptedModel([""]), host)) as address:
        client = OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        found = client.chat.completions.create(model="watchkeeper", messages=[{"role": "user", "content": "灯"}])
        waiting = httpx.get(f"{address}/api/approvals").json()["approvals"]
    (done,) = found.model_extra["watchkeeper"]["actions"]  # type: ignore[index]
    assert (done["came"], len(waiting), moved) == (("confirmed", 0, ["lamp"]) if own_words else ("waits", 1, []))
