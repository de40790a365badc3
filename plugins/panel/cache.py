"""Perceptions kept by photo, reader and parser, in one SQLite file that may be deleted at any time.

What cannot be read back (another shape, a damaged file, a full disk) counts as absent: the photo is then read again.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from agent.api import AlarmRow, Box, Button, Lamp, Perception, Popup, Quality, Reading, Text, say

__all__ = ["PerceptionCache"]

_BUSY_SECONDS = 2.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS perceptions (key TEXT PRIMARY KEY, body TEXT NOT NULL, used REAL NOT NULL)"


class PerceptionCache:
    """A bounded map from key to perception; the least recently used entries go first."""

    def __init__(self, path: Path, max_entries: int) -> None:
        self._path = path
        self._max_entries = max_entries

    def get(self, key: str) -> Perception | None:
        """What was kept under this key, or None."""
        if not self._path.exists():
            return None
        try:
            with closing(self._open()) as db, db:
                row = db.execute("SELECT body FROM perceptions WHERE key = ?", (key,)).fetchone()
                if row is None:
                    return None
                db.execute("UPDATE perceptions SET used = ? WHERE key = ?", (time.time(), key))
            return _perception(json.loads(row[0]))
        except (sqlite3.Error, OSError):
            self._rebuild()
        except (ValueError, TypeError, KeyError, AttributeError):
            self._forget(key)
        return None

    def put(self, key: str, perception: Perception) -> None:
        """Keep a perception; a cache that cannot be written is no reason to fail."""
        body = json.dumps(perception.to_json(), ensure_ascii=False)
        try:
            self._write(key, body)
        except (sqlite3.Error, OSError):
            self._rebuild()
            with suppress(sqlite3.Error, OSError):
                self._write(key, body)

    def _write(self, key: str, body: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as db, db:
            db.execute("INSERT OR REPLACE INTO perceptions VALUES (?, ?, ?)", (key, body, time.time()))
            db.execute(
                "DELETE FROM perceptions WHERE key NOT IN (SELECT key FROM perceptions ORDER BY used DESC LIMIT ?)",
                (self._max_entries,),
            )

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
        try:
            db.execute(_SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _forget(self, key: str) -> None:
        with suppress(sqlite3.Error, OSError), closing(self._open()) as db, db:
            db.execute("DELETE FROM perceptions WHERE key = ?", (key,))

    def _rebuild(self) -> None:
        """Remove a damaged file; one that is merely busy stays."""
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as db:
                if db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                    db.execute("SELECT key, body, used FROM perceptions LIMIT 1").fetchone()
                    return
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                return
        except sqlite3.Error:
            pass
        for end in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + end).unlink()


def _perception(body: dict[str, Any]) -> Perception:
    """The reverse of `Perception.to_json`."""
    return Perception(
        texts=tuple(Text(str(t["text"]), _box(t["box"]), float(t["score"])) for t in body["texts"]),
        readings=tuple(_reading(r) for r in body["readings"]),
        lamps=tuple(Lamp(str(x["label"]), str(x["color"]), str(x["state"]), _box(x["box"])) for x in body["lamps"]),
        alarms=tuple(_alarm(row) for row in body["alarms"]),
        size=(int(body["size"][0]), int(body["size"][1])),
        ms=float(body["ms"]),
        photo=str(body["photo"]),
        notes=tuple(str(note) for note in body["notes"]),
        buttons=tuple(Button(str(b["label"]), _box(b["box"]), str(b["state"])) for b in body["buttons"]),
        popups=tuple(Popup(str(p["title"]), _box(p["box"])) for p in body["popups"]),
        quality=None if body["quality"] is None else _quality(body["quality"]),
        turned=int(body["turned"]),
        matrix=None if body["matrix"] is None else tuple(float(number) for number in body["matrix"]),
    )


def _reading(body: dict[str, Any]) -> Reading:
    value, uncertainty = body["value"], body["uncertainty"]
    return Reading(
        label=str(body["label"]),
        value=None if value is None else str(value),
        unit=str(body["unit"]),
        kind=str(body["kind"]),
        box=_box(body["box"]),
        score=float(body["score"]),
        flags=tuple(str(flag) for flag in body["flags"]),
        uncertainty=None if uncertainty is None else float(uncertainty),
        read_by=str(body["read_by"]),
        why=str(body["why"]),
    )


def _alarm(body: dict[str, Any]) -> AlarmRow:
    cells = {str(k): str(v) for k, v in body.items() if k not in ("box", "roles")}
    return AlarmRow(cells, _box(body["box"]), {str(k): str(v) for k, v in body["roles"].items()})


def _quality(body: dict[str, Any]) -> Quality:
    sharpness, light, glare, moire = (float(body[name]) for name in ("sharpness", "light", "glare", "moire"))
    advice = tuple(say(str(said["zh"]), str(said["en"])) for said in body["advice"])
    return Quality(sharpness, light, glare, moire, advice)


def _box(body: list[int]) -> Box:
    left, top, right, bottom = (int(side) for side in body)
    return left, top, right, bottom
