"""Hostile requests to the real server, drawn from the API's own description: `python -m tests.fuzz.http --seconds 600`.

Each operation of `/openapi.json` gets requests that fit it and requests that do not, over a real socket, with the
rules as the rung and an administrator's token, so that every route is reached. A request may be answered or refused:
in the one form of our errors, and never as a bug. Afterwards the server is whole, and no rung has fallen. The exit code
is 1 where anything failed; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.errors import SchemathesisError

from agent.env import Env, load_env
from agent.model.rules import RulesModel
from agent.server.security.tokens import TokenBook
from tests.server_kit import served
from tests.test_turn import SEEN, _Host, agent_of, search_manuals, similar_events

MANY = 1_000_000
"""Requests a minute: the limits on how often are tried elsewhere."""
ROUND = 20
"""Requests of one operation before the next one has its turn."""
KNOWN = (502, 503)
"""Of the server's own errors, those that say what is lacking."""
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass
class Tally:
    """What came of the requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)


@contextmanager
def hostile_server(env: Env) -> Iterator[tuple[str, str]]:
    """Address and token of a server whose rung is the rules."""
    bounds = {"requests_a_minute": MANY, "wrong_tokens_a_minute": MANY, "stop_seconds": 2}
    section = env.settings.server.model_copy(update=bounds)
    env = Env(env.settings.model_copy(update={"server": section}), env.home, env.weights)
    token = TokenBook(env.home.tokens).add("fuzz", "admin")
    agent = agent_of(env, RulesModel(), _Host((search_manuals, similar_events), SEEN))
    with served(agent) as address:
        yield address, token


def fuzz(address: str, token: str, *, rounds: int, each: int, until: float, first_seed: int = 0) -> Tally:
    """Send requests.

    :param rounds: of every operation.
    :param each: requests of one operation in a round, of either kind.
    :param until: `time.monotonic()` value after which nothing more is sent.
    """
    tally, headers = Tally(), {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", headers=headers)
    operations = [found.ok() for found in schema.get_all_operations()]
    for number in range(first_seed, first_seed + rounds):
        if time.monotonic() >= until:
            break
        for operation in operations:
            tally.operations.add(operation.label)
            for mode in MODES:
                if time.monotonic() < until:
                    _round(operation.as_strategy(generation_mode=mode), each, headers, number, tally)
    health = httpx.get(f"{address}/api/health", headers=headers)
    if health.status_code != 200 or health.json()["falls"]:
        tally.failures.append(f"the server is not whole afterwards: {health.text[:300]}")
    return tally


def _round(cases: Any, each: int, headers: dict[str, str], number: int, tally: Tally) -> None:
    @seed(number)
    @settings(
        max_examples=each, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def once(case: Any) -> None:
        status, body = _send(case, headers)
        tally.statuses[status] += 1
        wrong = "" if case.method == "HEAD" and status < 500 else _wrong(status, body)
        if wrong:
            tally.failures.append(f"seed {number}: {wrong}: {case.as_curl_command()[:600]}")

    try:
        once()
    except (Unsatisfiable, SchemathesisError):
        return  # nothing can be wrong about this operation


def _send(case: Any, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body; of a stream of events, which may have no end, only that it began."""
    try:
        with requests.request(**case.as_transport_kwargs(headers=headers), stream=True, timeout=20) as response:
            endless = response.headers.get("content-type", "").startswith("text/event-stream")
            return response.status_code, b"" if endless else response.content
    except (UnicodeError, ValueError, requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL):
        return 0, b""  # no HTTP client sends that


def _wrong(status: int, body: bytes) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if status < 400:
        return ""
    try:
        error = json.loads(body)["error"]
        known = bool(error["code"]) and bool(error["message"])
    except (ValueError, KeyError, TypeError):
        return f"{status} without the form of our errors"
    if not known or error["code"] == "internal" or (status >= 500 and status not in KNOWN):
        return f"{status} {error}"
    return ""


def main() -> int:
    """Fuzz for a while."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    with tempfile.TemporaryDirectory() as home:
        env = load_env({"WATCHKEEPER_HOME": str(Path(home) / "home")})
        with hostile_server(env) as (address, token):
            tally = fuzz(address, token, rounds=MANY, each=ROUND, until=until, first_seed=arguments.seed)
    for failure in tally.failures[:20]:
        print(failure)
    told = {"operations": len(tally.operations), "requests": sum(tally.statuses.values())}
    print(json.dumps({**told, "statuses": dict(sorted(tally.statuses.items())), "failures": len(tally.failures)}))
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
