"""The API's own description is true, and no request that is drawn from it, fitting or not, finds a bug."""

from __future__ import annotations

import time

import httpx

from agent.env import Env
from tests.fuzz.http import fuzz, hostile_server


def test_no_request_finds_a_bug(env: Env) -> None:
    """Every operation gets requests that fit and that do not; each is answered or refused in one form, none falls."""
    with hostile_server(env) as (address, token):
        described = httpx.get(f"{address}/openapi.json", headers={"Authorization": f"Bearer {token}"}).json()
        tally = fuzz(address, token, rounds=1, each=2, until=time.monotonic() + 60)
    assert tally.failures == []
    assert len(tally.operations) == sum(len(methods) for methods in described["paths"].values())
    assert {"/api/turns", "/v1/chat/completions", "/metrics", "/api/predict"} <= set(described["paths"])
    assert sum(tally.statuses.values()) > len(tally.operations)
