"""`make score-screen [EVERY=1]`: sixty tasks and some thirty lies on two real programs, both languages, three scalings.

A boiler house in Tk over VNC, a water treatment plant as a page in Chromium. Whether a task is done, and what was
pressed wrongly, is said by the program's own record. Each task runs in one variant, so that all have as many; with
EVERY in each. A step's seconds count looking, finding, acting and looking again; where the program itself takes its
time (a slow page, an export) they are told apart.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from agent.env import Env, load_env
from tests.bench.table import Row, at_least, at_most, print_rows, told
from tests.screen_programs.judged import Judgement
from tests.screen_programs.tasks import Task, read_lies, read_tasks
from tests.screen_programs.trial import Bench, keep_picture, run_trial

LEAST_DONE, MOST_SECONDS = 0.9, 1.2


def main() -> None:
    """Run them all and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", action="store_true", help="each task in both languages at all scalings")
    parser.add_argument("--only", default="", help="only tasks whose label holds this")
    parser.add_argument("--no-lies", action="store_true")
    parser.add_argument("--no-tasks", action="store_true")
    parser.add_argument("--show", type=Path, help="a folder for what was seen last in each")
    options = parser.parse_args()
    tasks = [] if options.no_tasks else read_tasks(every=options.every)
    lies = [] if options.no_lies else read_lies(every=options.every)
    with TemporaryDirectory() as folder, Bench.opened(_env(folder)) as bench:
        done = _run(bench, (task for task in tasks if options.only in task.label), options.show)
        met = _run(bench, (task for task in lies if options.only in task.label), options.show)
    print_rows(rows(done, met), tasks=len(done), lies=len(met))


def _env(folder: str) -> Env:
    """A box of its own, with the weights that this one has."""
    weights = load_env(dict(os.environ)).weights.folder
    return load_env({"WATCHKEEPER_HOME": folder, "WATCHKEEPER_WEIGHTS__FOLDER": str(weights)})


def _run(bench: Bench, tasks: Iterable[Task], show: Path | None) -> list[Judgement]:
    found = []
    for task in tasks:
        judged = run_trial(task, bench)
        found.append(judged)
        if show is not None:
            keep_picture(judged, show)
        fine = judged.right_end and not judged.wrong
        steps = " ".join(f"{outcome.seconds:.2f}" for outcome in judged.outcomes)
        print(
            f"{'ok' if fine else 'NOT'}  {task.label}  [{steps}]" + ("" if fine else f"\n     {judged.said}"),
            flush=True,
        )
    return found


def rows(done: Sequence[Judgement], met: Sequence[Judgement]) -> list[Row]:
    """The figures of those that were run."""
    found = []
    if done:
        found.append(at_least("tasks completed", _share(one.completed for one in done), LEAST_DONE))
        for kind in sorted({one.task.program.kind for one in done}):
            mine = [one.completed for one in done if one.task.program.kind == kind]
            found.append(told(f"  of those, {kind}", _share(mine)))
    if met:
        found.append(
            at_least("lies and impossible tasks that ended rightly", _share(one.right_end for one in met), 1.0)
        )
        found.append(told("  lies that nobody could have seen, not counted", sum(one.unseen for one in met)))
    both = [*done, *met]
    found.append(at_most("wrong clicks", sum(len(one.wrong) for one in both), 0))
    failed = [one for one in done if not one.completed]
    if failed:
        found.append(at_least("failures that were stopped and explained", _share(_stopped(one) for one in failed), 1.0))
    found += _seconds("second per step", both, slow=False)
    return [*found, *_seconds("second per step of a slow program", both, slow=True)]


def _seconds(name: str, judged: Sequence[Judgement], *, slow: bool) -> list[Row]:
    taken = [
        outcome.seconds
        for one in judged
        for outcome, step in zip(one.outcomes, one.task.steps, strict=False)
        if outcome.came == "confirmed" and slow == (one.task.is_slow(step))
    ]
    if len(taken) < 2:
        return []
    cuts = quantiles(taken, n=20, method="inclusive")
    make = (lambda row, value: told(row, value)) if slow else (lambda row, value: at_most(row, value, MOST_SECONDS))
    return [make(f"{name}, p50", cuts[9]), make(f"{name}, p95", cuts[18])]


def _stopped(judged: Judgement) -> bool:
    last = judged.outcomes[-1] if judged.outcomes else None
    return last is not None and last.came in ("stopped", "refused") and all(last.why.get(key) for key in ("zh", "en"))


def _share(those: Iterable[bool]) -> float:
    listed = list(those)
    return sum(listed) / len(listed)


if __name__ == "__main__":
    main()
