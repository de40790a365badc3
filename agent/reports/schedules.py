"""What is written when: the schedules of a box, in `watch.db`, and which of their runs are due.

A run is begun in the journal under `schedule@instant` in the same transaction that moves the schedule on, so it begins
once, whoever looks and however often the power goes. After a pause only the newest run that was missed is made up for.
Its period ends when it was due, so it says what it would have said. A clock that stands before the schedule was made (a
box without battery) begins nothing, and one that was set back does not leave a schedule waiting for years.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from agent.errors import InputError
from agent.journal import Entry, Journal, Pen
from agent.reports.when import next_after, parse_when, previous_before, zone_of
from agent.values import Language

__all__ = ["Order", "Schedule", "Schedules", "parse_span"]

_SPAN = re.compile(r"(\d{1,4})\s*(h|d|w|小时|天|周|days?|hours?|weeks?)")
_UNITS = {"h": "hours", "d": "days", "w": "weeks", "小": "hours", "天": "days", "周": "weeks"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_COLUMNS = "id, said, cron, zone, body, made, next"
ALL = "*"
"""In place of machines: every machine that is known when the run begins."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written."""

    machines: tuple[str, ...]
    hours: float
    """Of the period, which ends when the run is due."""
    languages: tuple[Language, ...]
    formats: tuple[str, ...]
    """html, pdf"""
    deliver: tuple[str, ...]
    """Targets: a folder, mailto:…, mqtt:…; empty leaves it in the reports folder."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order that repeats."""

    id: str
    said: str
    """As the person put it."""
    cron: str
    zone: str
    order: Order
    made: float
    """Seconds since 1970."""
    next: float
    """When its next run is due, likewise."""

    @property
    def next_at(self) -> datetime:
        """In its own time zone."""
        return datetime.fromtimestamp(self.next, UTC).astimezone(zone_of(self.zone))


class Schedules:
    """The schedules of one box."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def add(self, name: str, said: str, zone: str, order: Order, *, now: datetime) -> Schedule:
        """Keep a schedule.

        :raises InputError: its name is taken or no name, its time is not understood.
        :raises DatabaseError: it cannot be written.
        """
        if not _ID.fullmatch(name):
            raise InputError(f"{name[:60]!r}: no name of a schedule; take letters, digits, - and _, at most 40")
        cron, zone = parse_when(said), zone_of(zone).key
        first = next_after(cron, zone, now).timestamp()
        schedule = Schedule(name, said, cron, zone, order, now.timestamp(), first)
        with self.journal.trail.writing() as writing:
            if writing.db.execute("SELECT 1 FROM schedules WHERE id = ?", (name,)).fetchone():
                raise InputError(f"{name}: there is such a schedule already; remove it or take another name")
            row = (name, said, cron, zone, json.dumps(asdict(order), ensure_ascii=False), schedule.made, first)
            writing.db.execute(f"INSERT INTO schedules ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            writing.add("", "schedule_added", {"schedule": name, "when": said, "cron": cron, "zone": zone})
        return schedule

    def remove(self, name: str) -> None:
        """Forget one; its reports and what waits in the outbox stay.

        :raises InputError: there is none of that name.
        """
        self.get(name)
        with self.journal.trail.writing() as writing:
            writing.db.execute("DELETE FROM schedules WHERE id = ?", (name,))
            writing.add("", "schedule_removed", {"schedule": name})

    def all(self) -> list[Schedule]:
        """By name; rows that somebody spoiled are left out.

        :raises DatabaseError: they cannot be read.
        """
        rows = self.journal.trail.select(f"SELECT {_COLUMNS} FROM schedules ORDER BY id", ())
        return [schedule for row in rows if (schedule := _schedule(row)) is not None]

    def get(self, name: str) -> Schedule:
        """One.

        :raises InputError: there is none of that name.
        """
        found = {schedule.id: schedule for schedule in self.all()}
        if name not in found:
            raise InputError(f"{name[:60]}: no such schedule; there are: {', '.join(found) or 'none'}")
        return found[name]

    def begin_due(self, now: datetime) -> list[Entry]:
        """Begin the runs that are due, at most one for each schedule.

        :raises DatabaseError: that cannot be written; then nothing has begun.
        """
        begun = [self._begin_one(schedule, now) for schedule in self.all()]
        return [entry for entry in begun if entry is not None]

    def begin_now(self, schedule: Schedule, now: datetime) -> Entry:
        """Begin a run because a person wants it; the schedule goes on as before. At an instant that had its run (the
        plant's clock may stand) it is a further one.

        :raises DatabaseError: it cannot be written.
        """
        with self.journal.writing() as pen:
            return self._begin(pen, schedule, now.timestamp(), missed=0, further=True)

    def _begin_one(self, schedule: Schedule, now: datetime) -> Entry | None:
        at = now.timestamp()
        if at < schedule.made:
            return None
        upcoming = next_after(schedule.cron, schedule.zone, now).timestamp()
        if at < schedule.next <= upcoming:
            return None
        with self.journal.writing() as pen:
            current = pen.value("SELECT next FROM schedules WHERE id = ?", (schedule.id,))
            if current != schedule.next:
                return None  # another process was quicker
            pen.change("UPDATE schedules SET next = ? WHERE id = ?", (upcoming, schedule.id))
            if schedule.next > at:
                pen.tell("", "schedule_set_back", {"schedule": schedule.id, "next": _stamp(upcoming)})
                return None
            due = previous_before(schedule.cron, schedule.zone, now).timestamp()
            if pen.entry("report", run_id(schedule.id, due)) is not None:
                return None
            return self._begin(pen, schedule, due, missed=_missed(schedule, due))

    def _begin(self, pen: Pen, schedule: Schedule, due: float, *, missed: int, further: bool = False) -> Entry:
        name = first = run_id(schedule.id, due)
        number = 1
        while further and pen.entry("report", name) is not None:
            number += 1
            name = f"{first}#{number}"
        body = {**asdict(schedule.order), "schedule": schedule.id, "due": due, "zone": schedule.zone}
        told = {"run": name, "machines": list(schedule.order.machines), "missed_before": missed}
        return pen.begin("report", name, turn=name, body=body, told=told)


def run_id(schedule: str, due: float) -> str:
    """What is written once."""
    return f"{schedule}@{_stamp(due)}"


def parse_span(text: str) -> float:
    """Hours of `7d`, `24h`, `2w`, `最近` left out: `7天`.

    :raises InputError: it is none, or longer than ten years.
    """
    found = _SPAN.fullmatch(text.strip().casefold())
    hours = timedelta(**{_UNITS[found[2][0]]: int(found[1])}).total_seconds() / 3600 if found else 0.0
    if not 0 < hours <= 10 * 366 * 24:
        raise InputError(f"{text[:40]!r}: no span of time; write for example 7d, 24h or 2w")
    return hours


def _missed(schedule: Schedule, due: float) -> int:
    """Runs between the one that was expected and the one that is made up for."""
    count, at = 0, schedule.next
    while at < due and count < 1000:
        count += 1
        at = next_after(schedule.cron, schedule.zone, datetime.fromtimestamp(at, UTC)).timestamp()
    return count


def _schedule(row: Sequence[object]) -> Schedule | None:
    name, said, cron, zone, body, made, following = row
    try:
        told = json.loads(str(body))
        order = Order(
            tuple(map(str, told["machines"])), float(told["hours"]), tuple(told["languages"]),
            tuple(map(str, told["formats"])), tuple(map(str, told["deliver"])),
        )  # fmt: skip
        zone_of(str(zone))
        return Schedule(str(name), str(said), str(cron), str(zone), order, float(str(made)), float(str(following)))
    except (ValueError, KeyError, TypeError, InputError):
        return None


def _stamp(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
