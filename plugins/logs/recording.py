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
from plugins.logs.own_log import begin_writing
from plugins.logs.stamps import find_date_order, read_stamp

__all__ = ["record_observation"]


def record_observation(observation: Observation, path: Path, settings: LogSettings) -> None:
    """Write one look, in one transaction.

    :param path: the box's own log; made where it is missing.
    :raises DatabaseError: it is locked, damaged, full, or the plant's own.
    """
    at = observation.at.isoformat(sep=" ", timespec="seconds")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=settings.busy_seconds)) as log, log:
            begin_writing(log, path)
            log.executemany(
                "INSERT INTO readings (time, source, tag, value, printed, unit, flags) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [_row(reading, at, observation.source, settings) for reading in observation.seen.readings],
            )
            order, _ = find_date_order(event.time for event in observation.events)
            for event in observation.events:
                time = read_stamp(event.time, order, None) if event.time else None
                _take(log, event, time, at, observation.source[: settings.max_text_chars], settings)
    except sqlite3.Error as error:
        raise DatabaseError(f"{path}: what the watch saw was not written: {error}") from None
    except OSError as error:
        raise DatabaseError(f"{path}: what the watch saw was not written: {error.strerror}") from None


def _row(reading: Reading, at: str, source: str, settings: LogSettings) -> tuple[str | float | None, ...]:
    """A value counts as a number only where nothing speaks against it; what was printed is kept in any case."""
    value = None if reading.flags else _number(reading.value)
    cut = settings.max_text_chars
    label = reading.label[:cut]
    return at, source[:cut], label, value, (reading.value or "")[:cut], reading.unit[:cut], ",".join(reading.flags)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text.replace("−", "-").replace(",", "."))
    except ValueError:
        return None


def _take(
    log: sqlite3.Connection, event: SeenEvent, time: str | None, at: str, area: str, settings: LogSettings
) -> None:
    """Write an event once; one with a time of its own is the same event however often it is seen."""
    cut = settings.max_text_chars
    tag, text = event.tag[:cut], event.text[:cut]
    standing = log.execute(
        "SELECT id, time FROM events WHERE tag = ? AND text = ? AND area = ? AND cleared IS NULL ORDER BY time DESC",
        (tag, text, area),
    ).fetchone()
    if event.state == "cleared":
        if standing:
            log.execute("UPDATE events SET state = ?, cleared = ? WHERE id = ?", ("cleared", at, standing[0]))
        return
    if standing and event.state == "active" and time in (None, standing[1]):
        return
    if (
        time
        and log.execute(
            "SELECT 1 FROM events WHERE tag = ? AND text = ? AND area = ? AND time = ?", (tag, text, area, time)
        ).fetchone()
    ):
        return
    row = (time or at, tag, text, event.priority[:cut], event.state, area, at if event.state == "changed" else None)
    log.execute(
        "INSERT INTO events (time, tag, text, priority, state, area, cleared) VALUES (?, ?, ?, ?, ?, ?, ?)", row
    )
