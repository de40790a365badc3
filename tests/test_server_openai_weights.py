"""The official client against the server with a real model: words, calls by schema, and a form that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI

from agent.commands.ask import build_agent
from agent.env import load_env
from agent.plugin_host import load_plugins
from tests.conftest import weights_environ
from tests.server_kit import served

pytestmark = pytest.mark.weights
ARGUMENTS: Any = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "brightness": {"type": "integer", "minimum": 0, "maximum": 100}},
    "required": ["name"],
}
TOOLS: Any = [
    {"type": "function", "function": {"name": name, "description": told, "parameters": ARGUMENTS}}
    for name, told in (("turn_on", "Turn a light on"), ("turn_off", "Turn a light off"))
]
HOME: Any = {"role": "system", "content": "You are the voice of a home. Lights: kitchen light, bedroom light."}


@pytest.fixture(scope="module")
def client(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """A server on the 0.5B."""
    home = tmp_path_factory.mktemp("home")
    env = load_env({**weights_environ(home, real_weights), "WATCHKEEPER_MODEL__NAME": "qwen2.5-0.5b"})
    with (
        served(build_agent(env, load_plugins())) as address,
        OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=120) as made,
    ):
        yield made


def test_a_call_is_one_of_the_schema_and_the_loop_ends_in_words(client: OpenAI) -> None:
    """As Home Assistant goes about it: the model calls, the client runs, the model says so."""
    asked: list[Any] = [HOME, {"role": "user", "content": "Turn on the kitchen light"}]
    found = client.chat.completions.create(
        model="watchkeeper", messages=asked, tools=TOOLS, tool_choice="required", parallel_tool_calls=False
    )
    (call,) = found.choices[0].message.tool_calls or ()
    assert found.choices[0].finish_reason == "tool_calls" and call.type == "function"
    arguments = json.loads(call.function.arguments)
    assert call.function.name in ("turn_on", "turn_off") and "kitchen" in arguments["name"].lower()
    ran: list[Any] = [
        found.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "done"},
    ]
    after = client.chat.completions.create(model="watchkeeper", messages=[*asked, *ran], tools=TOOLS, max_tokens=60)
    assert after.choices[0].message.content or after.choices[0].message.tool_calls
    assert after.usage is not None and after.usage.prompt_tokens_details is not None
    assert (after.usage.prompt_tokens_details.cached_tokens or 0) > 0


def test_words_are_streamed_as_they_are_said(client: OpenAI) -> None:
    """More than one piece, and together what the model said."""
    hello: list[Any] = [HOME, {"role": "user", "content": "Say hello to my guests in one sentence."}]
    pieces = list(
        client.chat.completions.create(
            model="watchkeeper", messages=hello, tools=TOOLS, tool_choice="none", stream=True, max_tokens=60
        )
    )
    texts = [piece.choices[0].delta.content for piece in pieces if piece.choices and piece.choices[0].delta.content]
    assert len(texts) > 3 and "".join(texts).strip()


def test_a_form_is_kept(client: OpenAI) -> None:
    """The answer is one JSON value of the schema, nested and with choices."""
    schema: Any = {
        "type": "object",
        "properties": {
            "colour": {"enum": ["red", "green"]},
            "lamps": {"type": "array", "items": {"$ref": "#/$defs/lamp"}, "minItems": 1, "maxItems": 2},
        },
        "required": ["colour", "lamps"],
        "$defs": {"lamp": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]}},
    }
    form: Any = {"type": "json_schema", "json_schema": {"name": "lamps", "schema": schema, "strict": True}}
    asked: list[Any] = [{"role": "user", "content": "Two lamps, both on, green. As JSON."}]
    found = client.chat.completions.create(model="watchkeeper", messages=asked, response_format=form)
    told = json.loads(str(found.choices[0].message.content))
    assert told["colour"] in ("red", "green") and all(isinstance(lamp["on"], bool) for lamp in told["lamps"])


def test_no_rung_fell_over_any_of_it(client: OpenAI) -> None:
    """Grammars of clients are tried before the model sees them: hostile ones are refused, and the model answers on."""
    for schema in ({"$ref": "#/nowhere"}, {"allOf": [{"type": "string"}, {"type": "object"}]}):
        form: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        body = {"messages": [{"role": "user", "content": "hi"}], "response_format": form, "max_tokens": 8}
        answer = httpx.post(f"{client.base_url}chat/completions", json=body, timeout=60)
        assert answer.status_code in (200, 400), answer.text
    health = httpx.get(str(client.base_url.join("/api/health"))).json()
    assert health["falls"] == [] and health["rung"] == "qwen2.5-0.5b"
