"""The other side of `make bench-turn`: the same model, tools and panel lines through llama-cpp-python's own chat
completion with tools.

As a plain agent on it works: the template of the weight file, the tools' specifications, tool choice `auto`, greedy. It
calls tools for some rounds, gets back what they found (or why they could not), and then answers in its own words. Its
calls are read generously: in tags, in a fence, or bare; one that is repeated is not run again. It keeps its own prefix
cache, and everything that our settings do not name is left as it comes.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.env import Env
from agent.errors import WatchkeeperError
from agent.model.llama_library import library, physical_cores
from agent.photo import load_photo
from agent.plugin_host import load_plugins
from agent.prompt import detect_language, user_message
from agent.tools import Tool, TurnView
from agent.values import Language, ToolResult
from tests.bench.children import serve
from tests.bench.plant import PANEL, plant_env
from tests.bench.turn_ours import IN_BETWEEN

ROUNDS = 4
"""Replies that may call tools; the one after them has to answer."""
REPLY_TOKENS = 400
SYSTEM = (
    "You are Watchkeeper, a maintenance assistant on a machine's own computer. Answer every part of the question, in "
    "the language of the question. Use the tools to look up what the alarm log, the manuals and the panel say, and "
    "answer only from what they return. Cite the ids of events and the sections of manuals in square brackets, for "
    "example [E12] or [M3 §2.1]. Copy numbers and steps exactly."
)
"""Of five that were tried, the one under which this model calls all tools that the Chinese question needs. It is also
the slowest: under others it calls fewer tools or none, or ends on a call.
"""
NOW = "Answer now, briefly and without tools, from what the tools returned."
"""Said when a round only repeats calls, and when no round is left."""


class Peer:
    """An agent as it is usually built."""

    def __init__(self, env: Env, model: str) -> None:
        """Load the model, read the photo."""
        self._env = env
        host = load_plugins()
        self._tools = {tool.name: tool for tool in host.tools(env)}
        self._perception = host.perceive(load_photo(PANEL, env.settings.photo), env)
        host.shutdown(env)
        settings = env.settings.model
        library(spin=settings.spin)
        from llama_cpp import Llama

        self._llama: Any = Llama(
            model_path=str(env.weights.verified(model)["model"]),
            n_ctx=settings.context_tokens,
            n_batch=settings.batch_tokens,
            n_ubatch=settings.micro_batch_tokens,
            n_threads=settings.threads or physical_cores(),
            n_threads_batch=settings.threads or physical_cores(),
            flash_attn=settings.flash_attention,
            use_mmap=settings.mmap,
            verbose=False,
        )

    def turns(self, questions: list[str]) -> list[dict[str, Any]]:
        """The same questions as one conversation, after another question of its own."""
        self._reply([{"role": "user", "content": IN_BETWEEN}], Counter(), max_tokens=1)
        said: list[dict[str, str]] = []
        return [self._turn(question, said) for question in questions]

    def _turn(self, question: str, said: list[dict[str, str]]) -> dict[str, Any]:
        """Calls, then an answer.

        :param said: the conversation; grows.
        """
        view = TurnView(question, detect_language(question), self._env.now(), self._perception)
        asked = user_message(question, self._perception, None, self._env.settings.turn).text
        said.append({"role": "user", "content": asked})
        tokens: Counter[str] = Counter()
        called: dict[str, str] = {}
        began, first_ms = time.perf_counter(), 0.0
        for left in reversed(range(ROUNDS + 1)):
            text = self._reply(said, tokens, max_tokens=REPLY_TOKENS)
            first_ms = first_ms or (time.perf_counter() - began) * 1000
            said.append({"role": "assistant", "content": text})
            calls = {f"{name} {_json(arguments)}": (name, arguments) for name, arguments in calls_in(text, self._tools)}
            if not calls or not left:
                break
            new = {key: self._run(*call, view) for key, call in calls.items() if key not in called}
            said += [{"role": "tool", "content": content} for content in new.values()]
            said += [{"role": "user", "content": NOW}] if not new or left == 1 else []
            called |= new
        ms = (time.perf_counter() - began) * 1000
        return {
            "model_and_tools_ms": ms,
            "first_reply_ms": first_ms,
            "prompt_tokens": tokens["prompt_tokens"],
            "sampled_tokens": tokens["completion_tokens"],
            "calls": list(called),
            "text": text,
        }

    def _reply(self, said: list[dict[str, str]], tokens: Counter[str], *, max_tokens: int) -> str:
        completion = self._llama.create_chat_completion(
            messages=[{"role": "system", "content": SYSTEM}, *said],
            tools=[tool.specification() for tool in self._tools.values()],
            tool_choice="auto",
            temperature=0.0,
            max_tokens=max_tokens,
        )
        tokens.update({key: completion["usage"][key] for key in ("prompt_tokens", "completion_tokens")})
        return str(completion["choices"][0]["message"]["content"])

    def _run(self, name: str, arguments: dict[str, Any], view: TurnView) -> str:
        try:
            return found(self._tools[name].run(arguments, view), view.language)
        except WatchkeeperError as error:
            return _json({"error": str(error)})


def found(result: ToolResult, language: Language) -> str:
    """A result as JSON."""
    value: dict[str, list[Any]] = {
        "notes": [note[language] for note in result.notes],
        "records": [f"[{r.id}] {r.line[language]}" + (f" [{r.source}]" if r.source else "") for r in result.records],
        "passages": [{"source": p.citation, "heading": p.heading, "text": p.text} for p in result.passages],
    }
    return _json({key: items for key, items in value.items() if items})


def calls_in(text: str, tools: dict[str, Tool]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON object in a reply that names a tool, with its arguments."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            end = start + 1
        else:
            arguments = value.get("arguments", value.get("parameters", {}))
            if value.get("name") in tools and isinstance(arguments, dict):
                yield value["name"], arguments
        start = text.find("{", end)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Serve turns."""
    with tempfile.TemporaryDirectory() as home:
        peer = Peer(plant_env(Path(home), model=sys.argv[1]), sys.argv[1])
        serve(lambda questions: {"turns": peer.turns(questions)})


if __name__ == "__main__":
    main()
