"""What a watch saw, kept in `log.db`: every reading with its flags, every event once.

An event that clears updates the row of the one that stands; so a question about the log finds what the watch saw beside
what was imported.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from agent.api import DatabaseError, Observation, Reading, SeenEvent
from agent.settings import LogSettings
from plugins.logs.backends.sums import clear_later
from plugins.logs.own_log import EVENT_COLUMNS, READING_COLUMNS, begin_writing, insert_into, keep_shifts
from plugins.logs.stamps import Stamp, StampReader, find_date_order, seconds_of

__all__ = ["record_observation"]


def record_observation(observation: Observation, path: Path, settings: LogSettings) -> None:
    """Write one look, in one transaction.

    :param path: the box's own log; made where it is missing.
    :raises DatabaseError: it is locked, damaged, full, or the plant's own.
    """
    at = Stamp.of(observation.at.replace(microsecond=0))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=settings.busy_seconds)) as log, log:
            begin_writing(log, path)
            log.executemany(
                insert_into("readings", READING_COLUMNS),
                [_row(reading, at, observation.source, settings) for reading in observation.seen.readings],
            )
            keep_shifts(log, "reading_shifts", {at.shift} if observation.seen.readings else ())
            order, _ = find_date_order(event.time for event in observation.events)
            stamps = StampReader(order, None)
            for event in observation.events:
                time = stamps.read(event.time) if event.time else None
                _take(log, event, time, at, observation.source[: settings.max_text_chars], settings)
    except sqlite3.Error as error:
        raise DatabaseError(f"{path}: what the watch saw was not written: {error}") from None
    except OSError as error:
        raise DatabaseError(f"{path}: what the watch saw was not written: {error.strerror}") from None


def _row(reading: Reading, at: Stamp, source: str, settings: LogSettings) -> tuple[str | float | None, ...]:
    """A value counts as a number only where nothing speaks against it; what was printed is kept in any case."""
    value = None if reading.flags else reading.number
    cut = settings.max_text_chars
    label = reading.label[:cut]
    printed, flags = (reading.value or "")[:cut], ",".join(reading.flags)
    return at.text, source[:cut], label, value, printed, reading.unit[:cut], flags, at.wall, at.shift


def _take(
    log: sqlite3.Connection, event: SeenEvent, time: Stamp | None, at: Stamp, area: str, settings: LogSettings
) -> None:
    """Write an event once; one with a time of its own is the same event however often it is seen."""
    cut = settings.max_text_chars
    tag, text = event.tag[:cut], event.text[:cut]
    standing = log.execute(
        "SELECT id, time, wall, shift FROM events WHERE tag = ? AND text = ? AND area = ? AND cleared IS NULL"
        " ORDER BY wall DESC",
        (tag, text, area),
    ).fetchone()
    if event.state == "cleared":
        if standing:
            began = Stamp(standing[1], standing[2] or 0.0, standing[3])
            lasted = seconds_of(began, at) if standing[2] is not None else None
            log.execute(
                "UPDATE events SET state = ?, cleared = ?, lasted = ? WHERE id = ?",
                ("cleared", at.text, lasted, standing[0]),
            )
            clear_later(log, standing[0], lasted)
        return
    if standing and event.state == "active" and (time is None or time.text == standing[1]):
        return
    if (
        time
        and log.execute(
            "SELECT 1 FROM events WHERE tag = ? AND text = ? AND area = ? AND time = ?", (tag, text, area, time.text)
        ).fetchone()
    ):
        return
    changed = event.state == "changed"
    began = time or at
    row = (
        began.text, tag, text, event.priority[:cut], event.state, area, at.text if changed else None,
        began.wall, began.shift, seconds_of(began, at) if changed else None, None,
    )  # fmt: skip
    log.execute(insert_into("events", EVENT_COLUMNS), row)
    keep_shifts(log, "event_shifts", {began.shift})
