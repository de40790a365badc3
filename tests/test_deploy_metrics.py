"""Dashboard and alerts speak of what the server exports: compared with a scrape of a server that answers and fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from agent.env import load_env
from agent.errors import ModelError
from agent.model.heat import Heat, Zone
from agent.server import measures
from agent.server.steps import ENDS
from tests.deploy_kit import DEPLOY
from tests.server_kit import asked, served
from tests.test_server import PHOTO, SCRIPT
from tests.test_turn import QUESTION, SEEN, Bench, search_manuals, similar_events

CONTAINER = DEPLOY / "container"
DASHBOARD = json.loads((CONTAINER / "grafana" / "watchkeeper.json").read_text())
ALERTS = [rule for group in yaml.safe_load((CONTAINER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
OF_PROMETHEUS = {"up"}
ADDED_BY_PROMETHEUS = {"job", "instance"}


def exported(text: str) -> dict[str, dict[str, set[str]]]:
    """Name of each series in a scrape → its labels and the values that they had."""
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(text):
        found.setdefault(f"{family.name}_total" if family.type == "counter" else family.name, {})
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, set[str]]]]:
    """What a server exports that has answered once and failed once, on a box with a sensor."""
    env = load_env({"WATCHKEEPER_HOME": str(tmp_path_factory.mktemp("metrics"))})
    bench = Bench(env, search_manuals, similar_events, script=[*SCRIPT, ModelError("it fails")], perception=SEEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "read_heat", lambda **limits: Heat((Zone("cpu", 61.0, 90.0),), 1.0))
        with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
            assert asked(client, QUESTION, photo=PHOTO)["state"] == "finished"
            assert asked(client, QUESTION, photo=PHOTO)["state"] == "failed"
            yield exported(client.get("/metrics").text)


def selectors(expression: str) -> list[Any]:
    """Every series that an expression reads, as Prometheus' own grammar parses it."""
    found: list[Any] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        elif isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Where each stands, and what it is, with Grafana's variables filled in."""
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m").replace("$job", "watchkeeper")


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_every_series_is_exported(series: dict[str, dict[str, set[str]]], where: str, expression: str) -> None:
    """Names, labels and the values that labels are compared with: all are those of a real scrape."""
    found = selectors(expression)
    assert found, where
    for selector in found:
        if selector.name in OF_PROMETHEUS:
            continue
        assert selector.name in series, f"{where}: {selector.name} is not exported"
        for matcher in selector.matchers.matchers:
            if matcher.name not in ADDED_BY_PROMETHEUS:
                assert matcher.value in series[selector.name][matcher.name], f"{where}: {matcher}"


def test_every_measure_of_the_box_is_shown(series: dict[str, dict[str, set[str]]]) -> None:
    """What is worth exporting is worth a place on the wall."""
    shown = {selector.name for _, expression in expressions() for selector in selectors(expression)}
    families = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in shown}
    own = {name for name in series if name.startswith("watchkeeper_") and not name.endswith("_created")}
    assert {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in own} <= families


def test_every_alert_says_what_to_do() -> None:
    """In both languages what is wrong, one severity of three, and a command or a thing to look at."""
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS) > 10
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "do"}
        summary = rule["annotations"]["summary"]
        assert " / " in summary and any("\u4e00" <= letter <= "\u9fff" for letter in summary)


def test_failed_is_how_a_turn_ends() -> None:
    """The outcome that alerts count is one of the trail's."""
    assert "turn_failed" in ENDS


def test_the_dashboard_is_one() -> None:
    """Panels of different numbers that do not overlap, each with a title, what it means, and the provisioned source."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["title"] and panel["description"]
        place = panel["gridPos"]
        mine = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & mine and max(x for x, _ in mine) < 24
        cells |= mine
    provisioned = yaml.safe_load((CONTAINER / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    (source,) = provisioned["datasources"]
    assert {target["datasource"]["uid"] for panel in panels for target in panel["targets"]} == {source["uid"]}


def test_prometheus_scrapes_what_compose_starts() -> None:
    """The same names on both sides: target, path, rules and the file with the token."""
    config = yaml.safe_load((CONTAINER / "prometheus.yml").read_text())
    (scrape,) = config["scrape_configs"]
    services = yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]
    host, port = scrape["static_configs"][0]["targets"][0].split(":")
    assert host in services and services[host]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert scrape["metrics_path"] == "/metrics" and scrape["job_name"] == "watchkeeper"
    assert scrape["authorization"]["credentials_file"] == "/run/secrets/prometheus_token"
    assert all((CONTAINER / name).is_file() for name in config["rule_files"])
