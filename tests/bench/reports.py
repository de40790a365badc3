"""`make bench-reports`: from a machine's figures to the finished report, and a night of a hundred machines.

Each machine's evidence is drawn from a seed: 90 days of alarms, four series of a week, a spectrum with marked lines,
findings. Manuals are those of the example plant, searched as ever. A report is finished when its files are written.

by rules          without a model, warm
with the model    one report alone with the 1.5B loaded, of a machine that it has not seen; no reply is from the cache;
                  and the first one of all, in which every choice among quotes is still open
night             a hundred machines in batches; memory of the agent and the model's process at a tenth and at the end
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from statistics import median
from types import ModuleType

import numpy as np
import psutil

from agent.env import Env
from agent.hookspecs import hookimpl
from agent.model.box_ladder import build_ladder
from agent.model.ladder import Ladder
from agent.plugin_host import PluginHost, load_plugins
from agent.reports.compose import ReportModel, ReportWriter
from agent.reports.files import FORMATS, write_files
from agent.reports.report import Report
from agent.reports.values import AlarmEvent, Evidence, Level, Machine, Peak, Sign, Spectrum, Trend
from agent.times import Period
from agent.values import say
from tests.bench.plant import plant_env
from tests.bench.table import Row, at_most, print_rows, told

MODEL = "qwen2.5-1.5b"
MACHINES = 100
MAX_RULES_SECONDS, MAX_MODEL_SECONDS, MAX_GROWTH = 0.5, 8.0, 1.05
ALARMS = ("循环变频故障", "补水变频故障", "变频器通讯中断", "供水压力高", "水箱液位低", "Circulation VFD fault")
SIGNS = ("bearing.outer", "imbalance", "misalignment", "looseness")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=MACHINES, help="of the night")
    parser.add_argument("--night", choices=("model", "rules", "both", "none"), default="both")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = plant_env(Path(folder), model=MODEL)
        host = plant_host()
        rows = [*rules_rows(env, host, Path(folder))]
        if options.night in ("rules", "both"):
            rows += night_rows(env, host, None, Path(folder), options.machines, "by rules")
        if not env.weights.status(MODEL).present:
            rows.append(told(f"{MODEL} is not here; get it: watchkeeper weights pull {MODEL}", 0))
        else:
            with contextlib.closing(build_ladder(env)) as ladder:
                ladder.begin_turn()
                rows += model_rows(env, host, ladder, Path(folder))
                if options.night in ("model", "both"):
                    rows += night_rows(env, host, ladder, Path(folder), options.machines, "with the model")
    print_rows(rows, machines=options.machines)


def rules_rows(env: Env, host: PluginHost, folder: Path) -> Iterator[Row]:
    """One report by rules: the first one, and the median of those after it."""
    writer = ReportWriter(env, host, None)
    spent = [_timed(writer, env, f"M-{n}", folder)[0] for n in range(1, 12)]
    yield told("first report by rules, reportlab loaded with it (s)", spent[0])
    yield at_most("report by rules, both languages, HTML and PDF (s)", median(spent[1:]), MAX_RULES_SECONDS)


def model_rows(env: Env, host: PluginHost, ladder: Ladder, folder: Path) -> Iterator[Row]:
    """One report with the model."""
    writer = ReportWriter(env, host, ladder)
    cold, _ = _timed(writer, env, "M-50", folder)
    runs = [_timed(writer, env, f"M-{n}", folder) for n in range(51, 56)]
    yield told("first report with the model, loading included (s)", cold)
    yield at_most(
        "report with the model, both languages (s)", median(seconds for seconds, _ in runs), MAX_MODEL_SECONDS
    )
    worded = sum(report.worded_by != "rules" for _, report in runs)
    yield told("  of 5, lines at the head by the model in both languages", worded)
    yield told("  of 5, with quotes that the model chose among several", sum(r.chosen_by != "rules" for _, r in runs))


def night_rows(
    env: Env, host: PluginHost, model: ReportModel | None, folder: Path, machines: int, name: str
) -> Iterator[Row]:
    """Many machines; memory of this process and its children."""
    writer = ReportWriter(env, host, model)
    began, early = time.perf_counter(), 0
    names = [f"M-{n}" for n in range(100, 100 + machines)]
    for written, (_, report) in enumerate(writer.write_many(names, _period(env), ("zh", "en")), start=1):
        assert isinstance(report, Report)
        write_files(report, folder / "night", FORMATS, env.settings.reports)
        if written == max(machines // 10, 1):
            early = _memory()
    spent, late = time.perf_counter() - began, _memory()
    yield told(f"{machines} machines {name} (s)", spent)
    yield told("  a machine (s)", spent / machines)
    yield told("  memory at the end (MB)", late / 1e6)
    yield at_most("  memory at the end, times that at a tenth", late / early, MAX_GROWTH)


def _timed(writer: ReportWriter, env: Env, machine: str, folder: Path) -> tuple[float, Report]:
    began = time.perf_counter()
    report = writer.write(machine, _period(env), ("zh", "en"))
    write_files(report, folder / "reports", FORMATS, env.settings.reports)
    return time.perf_counter() - began, report


def _period(env: Env) -> Period:
    return Period("7d", env.now() - timedelta(days=7), env.now())


def _memory() -> int:
    """Pages that belong to nobody else and to no file: what libraries map is shared with whoever else runs them."""
    gc.collect()
    own, total = psutil.Process(), 0
    for process in (own, *own.children(recursive=True)):
        status = Path(f"/proc/{process.pid}/status").read_text()
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith(("RssAnon", "RssShmem")))
    return total * 1024


@dataclass
class _Drawn:
    """A plugin with any number of machines."""

    @hookimpl
    def report_evidence(self, machine: Machine, period: Period, env: Env) -> Evidence:
        """Drawn from the machine's name."""
        return drawn(machine.name, period)


def plant_host() -> PluginHost:
    """The drawn machines, and the manuals that are installed."""
    module = ModuleType("drawn")
    module.report_evidence = _Drawn().report_evidence  # type: ignore[attr-defined]

    class _Point(EntryPoint):
        def load(self) -> object:
            return module

    installed: Iterable[EntryPoint] = entry_points(group="watchkeeper")
    manuals = [point for point in installed if point.name == "manuals"]
    return load_plugins(found=[*manuals, _Point("drawn", "drawn", "watchkeeper")])


def drawn(name: str, period: Period) -> Evidence:
    """Everything that a machine can have."""
    rng = np.random.default_rng(int(name.removeprefix("M-")))
    end = period.end.replace(tzinfo=None)
    days = np.sort(rng.uniform(0, 97, 60))[::-1]
    events = tuple(
        AlarmEvent(
            f"E{n}",
            end - timedelta(days=float(day)),
            name,
            str(rng.choice(ALARMS)),
            str(rng.choice(["高", "低"])),
            600.0,
        )
        for n, day in enumerate(days)
    )
    hours = np.arange(168 * 6)
    first = (end - timedelta(days=7) - datetime(1970, 1, 1)).total_seconds()
    trends = tuple(
        Trend(
            f"S{n}", f"{name} {unit}", unit, first + hours * 600.0,
            level + rng.normal(0, level / 30, len(hours)) + hours * level / 20_000,
            (Level(level * 1.08, say("上限", "high limit")),),
        )
        for n, (unit, level) in enumerate((("mm/s", 3.0), ("℃", 60.0), ("MPa", 0.4), ("A", 28.0)), start=1)
    )  # fmt: skip
    hertz = np.linspace(0, 1000, 2000)
    peaks = (Peak(24.7, 2.0, say("转频 1×", "1×")), Peak(88.4, 0.8, say("外圈", "outer race")))
    spectrum = Spectrum("S5", "DE", "mm/s", hertz, np.exp(-((hertz - 24.7) ** 2)) * 2 + rng.random(2000) / 20, peaks)
    key = str(rng.choice(SIGNS))
    sign = Sign("F1", key, say(f"发现 {key}", f"{key} found"), int(rng.integers(1, 4)))
    return Evidence(events, trends, (spectrum,), (sign,), history_from=end - timedelta(days=97))


if __name__ == "__main__":
    main()
