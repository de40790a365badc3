"""Series cross from the plugin that stores them to the one that looks at them, wherever the log lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from agent.env import Env
from agent.errors import DatabaseError
from agent.hookspecs import hookimpl
from agent.plugin_host import PluginHost, load_plugins
from agent.series import Series
from agent.settings import LogSettings
from agent.times import Period
from plugins import logs, maintenance
from plugins.logs.database import LogDatabase
from plugins.logs.importing import import_csv
from plugins.logs.series.reader import series_of
from plugins.maintenance.machines import machines_path
from tests.servers.postgres import Postgres, PostgresMissing, running_postgres

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2024, 12, 15, 12, 0, tzinfo=ZONE)
WEEK = Period("", NOW - timedelta(days=7), NOW)
HOURS = 400
SHEET = '[[machine]]\nname = "P-7"\n[[machine.signal]]\ntag = "PT-7"\nunit = "bar"\nhigh = 9.0\n'


@pytest.fixture
def host() -> PluginHost:
    point = SimpleNamespace  # entry points of the two plugins alone
    found = [
        point(name="logs", value="plugins.logs", load=lambda: logs),
        point(name="maintenance", value="plugins.maintenance", load=lambda: maintenance),
    ]
    return load_plugins(found=found)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        with running_postgres() as running:
            running.execute(
                "CREATE TABLE readings (time timestamptz, tag text, value real, unit text)",
                "INSERT INTO readings SELECT '2024-12-15 12:00+08'::timestamptz - i * interval '1 hour', 'PT-7',"
                f" 5 + (i % 24) / 10.0, 'bar' FROM generate_series(1, {HOURS}) i",
                f"CREATE ROLE reader LOGIN PASSWORD '{running.password}'",
                "GRANT SELECT ON readings TO reader",
            )
            yield running
    except PostgresMissing as missing:
        pytest.skip(f"no PostgreSQL server here: {missing}")


def with_sheet(env: Env, **log: object) -> Env:
    """A box with one machine, whose signal is a tag of the log."""
    machines_path(env.home, env.settings.maintenance).write_text(SHEET, encoding="utf-8")
    settings = env.settings.model_copy(
        update={
            "logs": LogSettings(**log),  # type: ignore[arg-type]
            "plant": env.settings.plant.model_copy(update={"clock": NOW}),
        }
    )
    return replace(env, settings=settings)


def seen(host: PluginHost, env: Env) -> Sequence[str]:
    """Findings about the machine in a week's report, in English."""
    machine = next(m for m in host.report_machines(env) if m.name == "P-7")
    evidence = host.report_evidence(machine, WEEK, env)
    assert "PT-7" in {trend.name for trend in evidence.trends if trend.unit == "bar"}
    assert all(np.isfinite(trend.values).all() for trend in evidence.trends)
    tool = next(tool for tool in host.tools(env) if tool.name == "machine_condition")
    assert tool.plugin == "maintenance"
    return [said["en"] for said in evidence.missing]


def test_a_signal_named_by_a_tag_of_the_box(env: Env, host: PluginHost, tmp_path: Path) -> None:
    """What was imported from CSV is a machine's signal."""
    rows = [f"{NOW - timedelta(hours=i):%Y-%m-%d %H:%M:%S},{5 + (i % 24) / 10}" for i in range(HOURS, 0, -1)]
    source = tmp_path / "week.csv"
    source.write_text("time,PT-7\n" + "\n".join(rows) + "\n", encoding="utf-8")
    box = with_sheet(env)
    import_csv(source, box.log_path, box.settings.logs)
    assert not [line for line in seen(host, box) if "PT-7" in line]


def test_a_signal_named_by_a_tag_of_a_server(env: Env, host: PluginHost, server: Postgres) -> None:
    """The same from PostgreSQL, read only, on the plant's clock."""
    box = with_sheet(env, url=server.url("reader"), password=server.password)
    assert not [line for line in seen(host, box) if "cannot" in line]
    (one,) = host.series_reader(box)(["PT-7", "none"], WEEK.start, WEEK.end)
    assert (one.name, one.unit, len(one.values), one.total) == ("PT-7", "bar", 168, 168)
    assert datetime.fromtimestamp(one.at[-1], ZONE.__class__(timedelta())) == datetime(2024, 12, 15, 11, 0, tzinfo=UTC)


def test_of_very_many_values_the_latest(server: Postgres) -> None:
    """A limit cuts off the beginning, not the end, and how many there are is said."""
    settings = LogSettings(url=server.url("reader"), password=server.password, max_points=50)
    log = LogDatabase(Path("unused"), settings)
    (one,) = series_of(log, ["PT-7"], WEEK.start, WEEK.end, now=NOW)
    assert len(one.values) <= 50 and one.total == 168
    assert one.at[-1] == (datetime(2024, 12, 15, 11) - datetime(1970, 1, 1)).total_seconds()


class _Devices:
    """A plugin whose devices keep values."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    @hookimpl
    def read_series(self, tags: Sequence[str], start: datetime, end: datetime) -> Iterable[Series]:
        if self.broken:
            raise DatabaseError("meter 4 does not answer")
        return [Series("PT-7", "bar", np.array([1.0, 2.0]), np.array([5.0, 6.0]), "meter 4")]


def test_another_plugin_may_bring_series(env: Env) -> None:
    """A device that keeps values is read like a log; one that fails is told where nothing else has them."""
    read = load_plugins(found=[], remote={"meters": _Devices()}).series_reader(env)
    assert [one.source for one in read(["PT-7", "PT-8"], WEEK.start, WEEK.end)] == ["meter 4"]
    both = load_plugins(found=[], remote={"a": _Devices(broken=True), "b": _Devices()})
    assert len(both.series_reader(env)(["PT-7"], WEEK.start, WEEK.end)) == 1
    alone = load_plugins(found=[], remote={"a": _Devices(broken=True)})
    with pytest.raises(DatabaseError, match="meter 4"):
        alone.series_reader(env)(["PT-7"], WEEK.start, WEEK.end)
