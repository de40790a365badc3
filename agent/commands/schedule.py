"""`watchkeeper schedule`: reports that are written by themselves, and the process that does it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from agent.audit import Trail
from agent.commands.report import formats_of, languages_of
from agent.console import JSON_OPTION, complain, emit
from agent.env import Env
from agent.errors import DatabaseError, InputError
from agent.journal import Journal
from agent.model.box_ladder import build_ladder
from agent.model.ladder import Ladder
from agent.plugin_host import PluginHost
from agent.reports.delivery import check_target
from agent.reports.runs import RunDone, Runner
from agent.reports.schedules import ALL, Order, Schedule, parse_span
from agent.reports.when import box_zone

__all__ = ["commands"]


def commands() -> typer.Typer:
    """The commands."""
    cli = typer.Typer(no_args_is_help=True, help="Reports on schedule: add, list, remove, run, daemon.")
    _add_changes(cli)
    _add_runs(cli)
    return cli


def _add_changes(cli: typer.Typer) -> None:
    @cli.command()
    def add(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help="A name of your own: letters, digits, - and _.")],
        when: Annotated[str, typer.Argument(help="“every Monday 6:00”, “每周一早上六点” or five fields of cron.")],
        machines: Annotated[list[str] | None, typer.Argument(help="Machines or tags; none is all machines.")] = None,
        since: Annotated[str, typer.Option(help="Length of the period: 24h, 7d, 2w.")] = "7d",
        lang: Annotated[str, typer.Option(help="zh, en or both.")] = "both",
        kind: Annotated[str, typer.Option("--format", help="html, pdf or both.")] = "both",
        to: Annotated[
            list[str] | None, typer.Option(help="A folder, mailto:NAME@PLANT or mqtt:TOPIC; may be repeated.")
        ] = None,
        zone: Annotated[str, typer.Option(help="Time zone; by default that of this box.")] = "",
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Write reports again and again.

        Example: watchkeeper schedule add monday "every Monday 6:00" VFD-P1 VFD-P2 --to mailto:planner@plant.example
        """
        env: Env = context.obj
        targets = tuple(check_target(target, env.settings.reports) for target in to or ())
        order = Order(tuple(machines or (ALL,)), parse_span(since), languages_of(lang), formats_of(kind), targets)
        with _runner(context) as runner:
            made = runner.schedules.add(name, when, zone or box_zone(), order, now=_aware(env))
        emit(_told(made), as_json=as_json, human=f"{made.id}: {made.cron}, next {made.next_at:%Y-%m-%d %H:%M %Z}")

    @cli.command()
    def remove(context: typer.Context, name: str) -> None:
        """Forget a schedule; its reports stay."""
        with _runner(context) as runner:
            runner.schedules.remove(name)
        emit({"removed": name}, as_json=False, human=f"{name}: removed")

    @cli.command("list")
    def list_(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
        """Schedules, and what waits to be delivered."""
        with _runner(context) as runner:
            made, waiting = runner.schedules.all(), runner.outbox.waiting()
        for schedule in made:
            emit(_told(schedule), as_json=as_json, human=_line(schedule))
        for one in waiting:
            told = {"waiting": one.id, "target": one.target, "tries": one.tries, "problem": one.problem}
            emit(told, as_json=as_json, human=f"waits  {one.id}  {one.tries} tries  {one.problem}")
        if not made and not waiting and not as_json:
            emit(
                None, as_json=False, human='nothing yet; see: watchkeeper schedule add NAME "every Monday 6:00" MACHINE'
            )


def _add_runs(cli: typer.Typer) -> None:
    @cli.command()
    def run(
        context: typer.Context,
        name: Annotated[str | None, typer.Argument(help="Run this one at once; none runs what is due.")] = None,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Write what is due, or one schedule at once, and send what waits."""
        with _runner(context) as runner:
            done = []
            if name is not None:
                entry = runner.schedules.begin_now(runner.schedules.get(name), _aware(context.obj))
                ran = runner.carry_out(entry)
                if ran is None:
                    raise InputError(f"{entry.id}: could not be written now and stays due; free disk, then run again")
                done.append(ran)
            done += runner.tick()
            waiting = runner.outbox.waiting()
        for one in done:
            emit(_run_told(one), as_json=as_json, human=_run_line(one))
        complain(*(problem for one in done for problem in one.problems), *(one.problem for one in waiting))
        raise typer.Exit(2 if any(one.problems for one in done) else 0)

    @cli.command()
    def daemon(context: typer.Context) -> None:
        """Stay, and do it whenever it is due. Ends by SIGTERM or Ctrl-C."""
        env: Env = context.obj
        end = threading.Event()
        if env.settings.plant.clock is not None:
            complain("[plant] clock stands still, so nothing becomes due; remove it, or write: schedule run NAME")

        def stop(number: int, frame: FrameType | None) -> None:
            end.set()

        before = {which: signal.signal(which, stop) for which in (signal.SIGTERM, signal.SIGINT)}
        said = ""
        try:
            with _runner(context) as runner:
                while not end.is_set():
                    said = _tick(runner, said)
                    end.wait(env.settings.reports.poll_seconds)
        finally:
            for which, handler in before.items():
                signal.signal(which, handler)


def _tick(runner: Runner, said: str) -> str:
    """One look; what is wrong is said once."""
    try:
        for one in runner.tick():
            emit(None, as_json=False, human=_run_line(one))
            complain(*one.problems)
        problem = "; ".join(dict.fromkeys(one.problem for one in runner.outbox.waiting() if one.problem))
    except DatabaseError as error:
        problem = str(error)
    if problem != said:
        complain(*([problem] if problem else []))
    return problem


@contextmanager
def _runner(context: typer.Context) -> Iterator[Runner]:
    env: Env = context.obj
    plugins: PluginHost = context.meta["plugins"]

    def open_model() -> Ladder:
        ladder = build_ladder(env)
        ladder.begin_turn()
        return ladder

    with (
        closing(Trail(env.home.watch_db, busy_seconds=env.settings.watch.busy_seconds)) as trail,
        closing(Journal(trail)) as journal,
    ):
        yield Runner(env, plugins, journal, open_model)


def _aware(env: Env) -> datetime:
    now = env.now()
    return now if now.tzinfo else now.astimezone()


def _told(schedule: Schedule) -> dict[str, object]:
    order = schedule.order
    return {
        "schedule": schedule.id, "said": schedule.said, "cron": schedule.cron, "zone": schedule.zone,
        "next": schedule.next_at, "machines": list(order.machines), "hours": order.hours,
        "languages": list(order.languages), "formats": list(order.formats), "deliver": list(order.deliver),
    }  # fmt: skip


def _line(schedule: Schedule) -> str:
    order = schedule.order
    machines = "all machines" if order.machines == (ALL,) else ", ".join(order.machines)
    to = ", ".join(order.deliver) or "the reports folder"
    return f"{schedule.id}  {schedule.said}  next {schedule.next_at:%Y-%m-%d %H:%M %Z}  {machines}  to {to}"


def _run_told(done: RunDone) -> dict[str, object]:
    return {"run": done.run, "files": [str(file) for file in done.files], "problems": list(done.problems)}


def _run_line(done: RunDone) -> str:
    folders = ", ".join(dict.fromkeys(str(Path(file).parent) for file in done.files))
    return f"{done.run}: {len(done.files)} files{f' in {folders}' if folders else ''}"
