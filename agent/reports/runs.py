"""Carrying out runs: begin what is due, write, put into the outbox, send. Start here for schedules.

    due → written      the files are there and the parcels wait, in one transaction
        → failed       nothing could be written, and trying again would not help

What a process left `due` when the power went is written again by the next one: files are replaced by the same files,
and parcels enter the outbox once. What cannot be written for now (disk full, database locked) stays due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.env import Env
from agent.errors import DatabaseError, InputError, WatchkeeperError
from agent.journal import Entry, IllegalStep, Journal
from agent.plugin_host import PluginHost
from agent.reports.compose import ReportModel, ReportWriter
from agent.reports.delivery import Parcel
from agent.reports.files import keep_within, reports_folder, write_files
from agent.reports.outbox import Outbox
from agent.reports.report import Report
from agent.reports.schedules import ALL, Schedules
from agent.times import Period

__all__ = ["RunDone", "Runner"]


@dataclass(frozen=True, slots=True)
class RunDone:
    """How a run went."""

    run: str
    files: tuple[Path, ...]
    problems: tuple[str, ...]
    """Machines that could not be reported on, one line each."""


class Runner:
    """Carries out the runs of one box."""

    def __init__(
        self,
        env: Env,
        plugins: PluginHost,
        journal: Journal,
        open_model: Callable[[], ReportModel | None],
        *,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """
        :param open_model: called once a run; what it gives is closed afterwards if it can be.
        :param now: by default the plant's clock.
        """
        self._env, self._plugins, self._journal = env, plugins, journal
        self._open_model = open_model
        self._now = now or env.now
        self.schedules = Schedules(journal)
        self.outbox = Outbox(journal, env.settings.reports, now=lambda: self._now().timestamp())

    def tick(self) -> list[RunDone]:
        """Everything that is due now: runs that were cut off, runs that begin, parcels.

        :raises DatabaseError: `watch.db` cannot be read or written.
        """
        begun = [*self._journal.abandoned("report", "due"), *self.schedules.begin_due(self._now())]
        done = [self.carry_out(entry) for entry in begun]
        self.outbox.send()
        return [one for one in done if one is not None]

    def carry_out(self, entry: Entry) -> RunDone | None:
        """Write the reports of a run; None where that has to wait.

        :raises DatabaseError: `watch.db` cannot be written; the run stays due.
        """
        try:
            done, parcels = self._write(entry)
        except (OSError, DatabaseError):
            self._journal.drop("report", entry.id)
            return None
        except BaseException:
            self._journal.drop("report", entry.id)
            raise
        state = "written" if done.files else "failed"
        told = {"run": entry.id, "files": [str(file) for file in done.files], "problems": list(done.problems)}
        try:
            with self._journal.writing() as pen:
                pen.step(entry, state, told)
                for parcel in parcels:
                    for target in entry.body.get("deliver", ()):
                        self.outbox.put(pen, entry.id, str(target), parcel)
        except IllegalStep:
            return None  # another process has ended it
        except DatabaseError:
            self._journal.drop("report", entry.id)
            raise
        needed = {file for one in self.outbox.waiting() for file in one.parcel.files} | set(done.files)
        keep_within(reports_folder(self._env), self._env.settings.reports.keep_bytes, needed)
        return done

    def _write(self, entry: Entry) -> tuple[RunDone, list[Parcel]]:
        """Files of every machine; of all but those nothing is kept in memory.

        :raises OSError: the files cannot be written for now.
        """
        body, settings = entry.body, self._env.settings.reports
        period = period_of(body, self._env.now())
        folder = reports_folder(self._env) / f"{period.end:%Y-%m-%d}"
        parcels: list[Parcel] = []
        files: list[Path] = []
        problems: list[str] = []
        model = self._open_model()
        try:
            writer = ReportWriter(
                self._env, self._plugins, model, note=lambda kind, said: self._note(entry.id, kind, said)
            )
            for name, report in writer.write_many(self._machines(body), period, tuple(body["languages"])):
                if isinstance(report, WatchkeeperError):
                    problems.append(str(report))
                    continue
                written = write_files(report, folder, tuple(body["formats"]), settings)
                parcels.append(_parcel(entry, name, report, written))
                files += written
        except InputError as error:  # the table of causes, no machine, no reportlab
            problems.append(str(error))
        finally:
            close = getattr(model, "close", None)
            if close is not None:
                close()
        return RunDone(entry.id, tuple(files), tuple(problems)), parcels

    def _machines(self, body: Mapping[str, Any]) -> list[str]:
        names = [str(name) for name in body["machines"]]
        if names != [ALL]:
            return names
        known = [machine.name for machine in self._plugins.report_machines(self._env)]
        if not known:
            raise InputError("no machine is known; name machines or tags in the schedule, or describe machines")
        return known

    def _note(self, run: str, kind: str, said: Mapping[str, object]) -> None:
        with suppress(DatabaseError):  # what a model said is worth no report
            self._journal.trail.add(run, kind, said)


def period_of(body: Mapping[str, Any], now: datetime) -> Period:
    """What a run is about: it ends when the run was due, and is as long on the plant's wall clock as the order says,
    also where the clocks changed within it or since.

    :param now: the plant's clock, whose offset the period gets, as everything that is told of that wall clock does.
    """
    due = datetime.fromtimestamp(float(body["due"]), UTC)
    end = due.astimezone(now.tzinfo) if _is_fixed(now) else due.astimezone().replace(tzinfo=now.tzinfo)
    return Period("", end - timedelta(hours=float(body["hours"])), end)


def _is_fixed(now: datetime) -> bool:
    """Whether the plant's clock has an offset that is not this box's own."""
    return now.tzinfo is not None and now.utcoffset() != now.astimezone().utcoffset()


def _parcel(entry: Entry, name: str, report: Report, files: tuple[Path, ...]) -> Parcel:
    languages = report.languages
    risk = report.risk.word
    subject = " / ".join(f"{report.title[language]} ({risk[language]})" for language in languages)
    facts: dict[str, object] = {
        "machine": report.machine.name,
        "start": report.start.isoformat(),
        "end": report.end.isoformat(),
        "risk": report.risk.level if report.risk.known else "unknown",
        "run": entry.id,
    }
    text = "\n\n".join(report.summary[language] for language in languages)
    return Parcel(f"{entry.id}/{name}", subject, text, files, facts, float(entry.body["due"]))
