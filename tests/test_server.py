"""The server's promise: a question is taken, waits its turn, is answered step by step, and is found again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from agent.env import Env
from tests.server_kit import asked, served
from tests.test_turn import LOOK_UP, QUESTION, SEEN, Bench, search_manuals, similar_events


@pytest.fixture
def server(env: Env) -> Iterator[httpx.Client]:
    """A server whose model has one answer to give."""
    bench = Bench(env, search_manuals, similar_events, script=["", LOOK_UP, ("循环泵", "1. 切")], perception=SEEN)
    with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_a_question_is_answered_and_found_again(server: httpx.Client) -> None:
    """A turn is taken at once, ends with the answer that `ask --json` gives, and stands in the history."""
    found = asked(server, QUESTION)
    assert found["state"] == "finished", found
    print(json.dumps(found, ensure_ascii=False)[:3000])
