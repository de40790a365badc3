"""What Prometheus reads: every measure is there from the start, counts what happened, and no label grows."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.env import Env
from agent.errors import ModelError
from tests.server_kit import asked, served
from tests.test_server import PHOTO
from tests.test_turn import LOOK_UP, QUESTION, SEEN, Bench, search_manuals, similar_events

NAMES = {
    "watchkeeper_turns", "watchkeeper_turn_seconds", "watchkeeper_tokens", "watchkeeper_replies_cached",
    "watchkeeper_ready", "watchkeeper_up_seconds", "watchkeeper_queue_waiting", "watchkeeper_queue_running",
    "watchkeeper_rung_up", "watchkeeper_workers", "watchkeeper_worker_starts", "watchkeeper_disk_free_bytes",
    "watchkeeper_disk_total_bytes", "watchkeeper_frequency_cap_ratio", "watchkeeper_approvals_waiting",
    "watchkeeper_device_commands", "watchkeeper_http_requests", "watchkeeper_outbox_waiting",
    "watchkeeper_schedule_lag_seconds",
}  # fmt: skip


def read(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels."""
    answer = client.get("/metrics").raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain")
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in samples}


def test_turns_are_counted_by_outcome_and_rung(env: Env) -> None:
    """What ended is counted once, with its seconds and tokens; what failed counts as that, and holds no text."""
    script = ["", LOOK_UP, ("循环泵", "处理:"), ModelError("a model that fails")]
    bench = Bench(env, search_manuals, similar_events, script=script, perception=SEEN)
    with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        assert asked(client, QUESTION, photo=PHOTO)["state"] == "finished"
        assert asked(client, QUESTION, photo=PHOTO)["state"] == "failed"
        found, text = read(client), client.get("/metrics").text
    assert found["watchkeeper_turns_total", "finished", "scripted"] == 1
    assert found["watchkeeper_turns_total", "failed", "none"] == 1
    assert found["watchkeeper_turn_seconds_count", "total"] == 1
    assert found["watchkeeper_tokens_total", "prompt"] == 2
    assert QUESTION not in text and "循环" not in text


def test_every_measure_is_there_before_anything_happened(env: Env) -> None:
    """A dashboard that is made once finds its measures on every box; the API says what they are called."""
    with served(Bench(env, search_manuals, script=[""]).agent) as address:
        text = httpx.get(f"{address}/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert set(families) >= NAMES
    assert all(family.documentation for family in families.values())
    found = {(one.name, *one.labels.values()): one.value for family in families.values() for one in family.samples}
    assert found["watchkeeper_ready",] == 1 and found["watchkeeper_rung_up", "scripted"] == 1
    assert found["watchkeeper_device_commands", "unsure"] == 0 and found["watchkeeper_workers", "broken"] == 0


@pytest.mark.parametrize("rung", ["qwen9-secret", "x" * 500, 'a"}\n'])
def test_labels_stay_those_of_the_box(env: Env, rung: str) -> None:
    """A name that is no rung of this box becomes `other`."""
    bench = Bench(env, search_manuals, script=[""])
    with served(bench.agent) as address, httpx.Client(base_url=address) as client:
        with bench.agent.journal.writing() as pen:
            begun = pen.begin("turn", "t1", turn="t1", body={}, told={})
            pen.step(begun, "finished", {"rung": rung, "ms": {"odd": 5.0}, "tokens": {"prompt": 3}})
        found = read(client)
    assert found["watchkeeper_turns_total", "finished", "other"] == 1
    assert found["watchkeeper_turn_seconds_count", "other"] == 1
