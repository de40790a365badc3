"""What the box does, as Prometheus reads it.

    counted    turns by outcome and rung, seconds by stage, tokens: from rows of the trail, as they are written
    answered   requests by method, route and class of status, as they are answered
    looked at  queue, rungs, workers, disk, heat, approvals, commands, outbox, schedules: when somebody asks

Labels are bounded: outcomes, stages, states and routes are those of the program, rungs and workers those of this box;
whatever else turns up is `other`. No question, name of a person or device is in any of them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.audit import AuditRow
from agent.errors import DatabaseError
from agent.journal import NEXT
from agent.model.heat import read_heat
from agent.reports.outbox import Outbox
from agent.reports.schedules import Schedules
from agent.server.security.answers import Answers
from agent.server.service import Service
from agent.server.steps import ENDS
from agent.workers.census import process_starts, supervised
from agent.workers.states import TRANSITIONS

__all__ = ["Measures"]

_STAGES = ("load", "orders", "photo", "panel", "look", "model", "tools", "other", "total")
_TOKENS = ("prompt", "reused", "sampled", "forced")
_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0)
_OTHER = "other"
_COMMANDS = "SELECT state, count(*) FROM journal WHERE kind = 'command' GROUP BY state"


class Measures:
    """The measures of one server."""

    def __init__(self, service: Service, answers: Answers) -> None:
        """Counts from here on."""
        self._service = service
        self._registry = CollectorRegistry()
        self._turns = Counter(
            "watchkeeper_turns", "Turns that ended, by outcome and by the rung that answered.",
            ["outcome", "rung"], registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "watchkeeper_turn_seconds", "Seconds of finished turns, by stage.", ["stage"],
            buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._tokens = Counter(
            "watchkeeper_tokens", "Tokens of models; those reused are among those of the prompt.",
            ["kind"], registry=self._registry,
        )  # fmt: skip
        self._cached = Counter(
            "watchkeeper_replies_cached", "Replies that were given before and cost nothing.", registry=self._registry
        )
        for kind in _TOKENS:
            self._tokens.labels(kind)
        self._registry.register(_Looked(service, answers))
        service.agent.trail.listen(self._heard)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self._registry)

    def _heard(self, row: AuditRow) -> None:
        if row.kind not in ENDS:
            return
        outcome = row.kind.removeprefix("turn_")
        self._turns.labels(outcome, _rung(self._service, str(row.body.get("rung", "")))).inc()
        ms, tokens = row.body.get("ms"), row.body.get("tokens")
        for stage, spent in (ms if isinstance(ms, dict) else {}).items():
            self._seconds.labels(stage if stage in _STAGES else _OTHER).observe(max(0.0, float(spent)) / 1_000)
        if isinstance(tokens, dict):
            for kind in _TOKENS:
                self._tokens.labels(kind).inc(max(0, int(tokens.get(kind, 0))))
            self._cached.inc(max(0, int(tokens.get("cached_replies", 0))))


class _Looked(Collector):
    """What is so now."""

    def __init__(self, service: Service, answers: Answers) -> None:
        self._service = service
        self._answers = answers

    def collect(self) -> Iterator[Metric]:
        yield from self._answering()
        yield self._answered()
        yield from self._workers()
        yield from self._box()
        with suppress(DatabaseError):  # what is counted is told all the same
            yield from self._kept()

    def _answering(self) -> Iterator[Metric]:
        service = self._service
        ladder = service.agent.ladder
        waiting, scheduled = service.queue.waiting()
        yield _gauge("watchkeeper_ready", "Whether the model is loaded.", float(service.ready))
        yield _gauge("watchkeeper_up_seconds", "Since the server started.", time.time() - service.began)
        yield _gauges("watchkeeper_queue_waiting", "Jobs that wait for the model.", "kind", {
            "interactive": waiting, "scheduled": scheduled,
        })  # fmt: skip
        yield _gauge("watchkeeper_queue_running", "Jobs that run now.", float(service.queue.busy))
        down = {_rung(service, fall.rung): 0.0 for fall in ladder.falls}
        up = {_rung(service, ladder.name): 1.0} if service.ready else {}
        yield _gauges(
            "watchkeeper_rung_up", "1 for the rung that answers, 0 for those that are down.", "rung", down | up
        )

    def _answered(self) -> Metric:
        told = "Requests that were answered; those that were let in by route, the others as refused."
        requests = CounterMetricFamily("watchkeeper_http_requests", told, labels=["method", "route", "status"])
        for labels, count in self._answers.counts().items():
            requests.add_metric(labels, count)
        return requests

    def _workers(self) -> Iterator[Metric]:
        states = dict.fromkeys(map(str, TRANSITIONS), 0.0)
        for worker in supervised():
            states[worker.state] += 1
        yield _gauges("watchkeeper_workers", "Worker processes by state.", "state", states)
        told = "Starts of worker processes; each one after the first of a worker is a restart."
        starts = CounterMetricFamily("watchkeeper_worker_starts", told, labels=["worker"])
        for name, count in process_starts().items():
            starts.add_metric([name], count)
        yield starts

    def _box(self) -> Iterator[Metric]:
        env = self._service.env
        disk = shutil.disk_usage(env.home.folder)
        yield _gauge("watchkeeper_disk_free_bytes", "Free where the state of the box lies.", disk.free)
        yield _gauge("watchkeeper_disk_total_bytes", "Size of that disk.", disk.total)
        heat = read_heat(limit_c=env.settings.model.heat_limit_c)
        yield _gauge(
            "watchkeeper_frequency_cap_ratio", "Highest frequency allowed over the highest there is.", heat.cap
        )
        if heat.hottest is not None:
            yield _gauge("watchkeeper_hottest_celsius", "Of the sensor nearest to its limit.", heat.hottest.temp_c)
            yield _gauge("watchkeeper_hottest_limit_celsius", "Where that one slows the box.", heat.hottest.trip_c)

    def _kept(self) -> Iterator[Metric]:
        service = self._service
        agent, journal = service.agent, service.agent.journal
        yield _gauge("watchkeeper_approvals_waiting", "Calls that wait for a person.", len(agent.approvals.waiting()))
        commands = dict.fromkeys((state for state in NEXT["command"] if state), 0.0)
        commands |= dict.fromkeys((state for after in NEXT["command"].values() for state in after), 0.0)
        for state, count in agent.trail.select(_COMMANDS, ()):
            commands[str(state) if state in commands else _OTHER] = float(count)
        yield _gauges("watchkeeper_device_commands", "Commands to devices that are kept, by state.", "state", commands)
        outbox = Outbox(journal, service.env.settings.reports).waiting()
        yield _gauge("watchkeeper_outbox_waiting", "Reports that could not be delivered yet.", len(outbox))
        now = service.env.now().timestamp()
        lag = max((now - one.next for one in Schedules(journal).all()), default=0.0)
        yield _gauge("watchkeeper_schedule_lag_seconds", "How late the latest schedule is.", max(0.0, lag))


def _rung(service: Service, name: str) -> str:
    """A name as a label: of a rung of this box, or none."""
    if not name:
        return "none"
    known = name in service.agent.ladder.rungs or name.startswith(("rules", "remote:"))
    return name if known else _OTHER


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value)


def _gauges(name: str, told: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, told, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
