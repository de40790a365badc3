"""What a swap costs, and what it costs to run a plugin in a process of its own.

python -m tests.bench.swap
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import psutil

from agent.env import Env, load_env
from agent.hookspecs import PROJECT
from agent.modules.host import ModuleHost
from agent.modules.plugins import remote_plugins
from agent.plugin_host import load_plugins
from agent.tools import Tool, TurnView
from tests.bench.table import Row, at_most, print_rows, told
from tests.modules_kit import PLUGIN, installed, plugin, tally

ROUNDS = 15
CALLS = 300
_MB = 1e6


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        print_rows([*_swap(folder / "swap"), *_swap_alone(folder / "alone"), *_plugin(folder / "plugin")])


def _env(folder: Path) -> Env:
    env = load_env({"WATCHKEEPER_HOME": str(folder / "home")})
    modules = env.settings.modules.model_copy(update={"spare_ram_bytes": 0})
    return replace(env, settings=env.settings.model_copy(update={"modules": modules}))


def _swap(folder: Path) -> list[Row]:
    """Beside the old one, which answers all the while."""
    host = installed(_env(folder), tally(folder), tally(folder, "1.1"))
    module = host.open("tally")
    done = [host.swap("tally", "1.1" if module.version == "1.0" else "1.0") for _ in range(ROUNDS)]
    host.close()
    return [
        at_most("swap downtime, most ms", max(one.gap_ms for one in done), 0),
        told("new process ready, median ms", statistics.median(one.start_ms for one in done)),
        told("its trial (health, golden calls, memory), median ms", statistics.median(one.trial_ms for one in done)),
        told("draining and stopping the old one, median ms", statistics.median(one.drain_ms for one in done)),
    ]


def _swap_alone(folder: Path) -> list[Row]:
    """Where memory holds one: the next rung answers in between."""
    host = ModuleHost(_env(folder), free_bytes=lambda: 1)
    for one in (tally(folder), tally(folder, "1.1")):
        host.store.install(one)
    host.swap("tally", "1.0")
    module = host.open("tally")
    gaps = [host.swap("tally", "1.1" if module.version == "1.0" else "1.0").gap_ms for _ in range(ROUNDS)]
    host.close()
    return [told("swap downtime where memory holds one version, median ms", statistics.median(gaps))]


def _plugin(folder: Path) -> list[Row]:
    """One tool, here and in its process."""
    env = _env(folder)
    host = installed(env, plugin(folder))
    begun = time.perf_counter()
    remote = load_plugins(found=[], remote=remote_plugins(host))
    (there,) = remote.tools(env)
    started = (time.perf_counter() - begun) * 1000
    process = psutil.Process(host.open("tally").pid)
    memory = process.memory_full_info()
    (folder / "here").mkdir()
    (folder / "here" / "tally_here.py").write_text(PLUGIN.format(tool="tally_up", version="1.0", more=""))
    sys.path.append(str(folder / "here"))
    (here,) = load_plugins(found=[EntryPoint("tally", "tally_here", PROJECT)]).tools(env)
    view = TurnView("how often?", "en", datetime.now().astimezone(), None)
    apart, inside = _median_ms(lambda: _run(there, view)), _median_ms(lambda: _run(here, view))
    host.close()
    return [
        told("a plugin's process, started, ms", started),
        told("its resident memory, MB", memory.rss / _MB),
        told("of that its own, MB", memory.uss / _MB),
        told("a tool call there, median ms", apart),
        told("the same tool in the agent's process, median ms", inside),
        at_most("what the process adds to a tool call, ms", apart - inside, 5),
    ]


def _run(tool: Tool, view: TurnView) -> None:
    assert tool.run({"count": 3}, view).notes


def _median_ms(work: Callable[[], None]) -> float:
    took = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    main()
