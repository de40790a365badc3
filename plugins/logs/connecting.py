"""`watchkeeper logs connect`: which table of a plant's database is what, guessed, shown, and kept in the settings.

Columns are found by their names in Chinese, English or German, whole or in parts (`EvtTimeStamp`), and by their types.
Nothing is kept unless a person says so; a password never is.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.api import DatabaseError, InputError
from agent.settings import LogSettings
from agent.settings_file import load_settings
from plugins.logs.backends.layout import Reader, quoted
from plugins.logs.database import LogDatabase
from plugins.logs.headings import find_columns
from plugins.logs.interface import COLUMNS

__all__ = ["Guess", "guess_mapping", "keep_mapping", "place_of_log"]

_SAMPLES = 3
_SHOWN_CHARS = 40
_PARTS: Mapping[str, tuple[str, ...]] = {
    "cleared": ("cleared", "clear", "end", "return", "rtn", "gone", "off", "ende", "gegangen", "恢复", "解除", "结束"),
    "time": ("timestamp", "time", "ts", "datetime", "date", "at", "zeit", "zeitpunkt", "datum", "时间", "日期", "时刻"),
    "tag": (
        "tag",
        "tagname",
        "point",
        "signal",
        "variable",
        "source",
        "messstelle",
        "kennzeichen",
        "位号",
        "点名",
        "测点",
    ),
    "text": (
        "text",
        "message",
        "msg",
        "description",
        "desc",
        "alarm",
        "event",
        "meldung",
        "meldetext",
        "内容",
        "描述",
        "报警",
    ),
    "priority": ("priority", "prio", "severity", "level", "class", "priorität", "级别", "优先级", "等级"),
    "state": ("state", "status", "ack", "zustand", "状态"),
    "area": ("area", "zone", "unit", "plant", "site", "location", "bereich", "anlage", "区域", "站场", "车间"),
    "value": ("value", "val", "reading", "wert", "messwert", "值", "数值"),
    "unit": ("unit", "units", "einheit", "单位"),
}
_WORDS = re.compile(r"[A-Z]+(?![a-zäöü])|[A-ZÄÖÜ]?[a-zäöüß]+|[0-9]+|[\u4e00-\u9fff]+")
_TIMED = ("time", "date", "stamp")
_NUMERIC = ("int", "real", "double", "float", "numeric", "dec", "num")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a database holds, as far as its names tell."""

    name: str
    """Where it lies, without a password."""
    settings: Mapping[str, Any]
    """For [logs]: path or url, table, columns, series_table, series_columns."""
    events: tuple[dict[str, str], ...]
    """A few rows in our columns."""
    values: tuple[dict[str, str], ...]
    """The same of the series."""
    others: tuple[str, ...]
    """Tables that were not chosen."""
    note: str = ""
    """What a person has to do besides."""


def place_of_log(where: str, settings: LogSettings) -> tuple[LogSettings, dict[str, str], str]:
    """Settings that lead to a file or address, what of that may be kept, and what is to be done about a password.

    :raises InputError: it is neither.
    """
    if "://" not in where:
        path = Path(where).expanduser().absolute()
        if not path.is_file():
            raise InputError(f"{where}: no such file, and no address such as postgresql://ROLE@HOST/DATABASE")
        return settings.model_copy(update={"path": path, "url": ""}), {"path": str(path)}, ""
    match = re.fullmatch(r"(\w[\w+]*://[^:@/]*):([^@]*)@(.*)", where)
    if match is None:
        return settings.model_copy(update={"url": where}), {"url": where}, ""
    plain = f"{match[1]}@{match[3]}"
    note = "the password is not kept: set WATCHKEEPER_LOGS__PASSWORD, or password_file under [logs]"
    return settings.model_copy(update={"url": plain, "password": match[2]}), {"url": plain}, note


def guess_mapping(where: str, settings: LogSettings, *, table: str | None = None) -> Guess:
    """Find the tables of events and of series, and their columns.

    :param where: a SQLite file, or an address.
    :param table: the table of events, where a person knows it.
    :raises InputError: there is no such place.
    :raises DatabaseError: it cannot be read, or no table has a time and a tag or text.
    """
    opened, kept, note = place_of_log(where, settings)
    log = LogDatabase(Path(opened.path or "log.db"), opened)
    with log.backend.reading() as reader:
        tables = reader.tables()
        events = table if table is not None else _best(tables, _worth_events)
        if events is not None and events not in tables:
            raise DatabaseError(f"{log.name}: no table {events}; found {', '.join(tables) or 'none'}")
        series = _best({n: c for n, c in tables.items() if n != events}, _worth_series)
        if events is None and series is None:
            raise DatabaseError(
                f"{log.name}: no table has a time and a tag or text; found {', '.join(tables) or 'none'}"
            )
        found: dict[str, Any] = dict(kept)
        shown: tuple[dict[str, str], ...] = ()
        values: tuple[dict[str, str], ...] = ()
        if events is not None:
            found |= {"table": events, "columns": _event_columns(tables[events])}
            shown = _sample(reader, events, found["columns"])
        if series is not None:
            found |= {"series_table": series, "series_columns": _series_columns(tables[series])}
            values = _sample(reader, series, found["series_columns"])
    others = tuple(name for name in tables if name not in (events, series))
    return Guess(log.name, found, shown, values, others, note)


def keep_mapping(guess: Guess, file: Path) -> None:
    """Write the mapping into the settings file; whatever else stands in it stays, as it is.

    :raises InputError: the file cannot be written, or would not be sound.
    """
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        before = tomllib.loads(text).get("logs", {})
        gone = {"path", "url", "table", "columns", "series_table", "series_columns"}
        merged = {key: value for key, value in before.items() if key not in gone} | dict(guess.settings)
        draft = file.with_name(f"{file.name}.new")
        try:
            draft.write_text(_without_logs(text) + _toml("logs", merged), encoding="utf-8")
            load_settings(draft, {})
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: not valid TOML, so it is left as it is: {error}") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from None


def _event_columns(columns: Mapping[str, str]) -> dict[str, str]:
    names = list(columns)
    found = {ours: names[at] for ours, at in find_columns(names).items()}
    for ours in ("time", "cleared", "tag", "text", "priority", "state", "area"):
        if ours not in found:
            match = _by_part(ours, columns, set(found.values()))
            if match is not None:
                found[ours] = match
    if "text" not in found and "tag" in found:
        found["text"] = found["tag"]
    if "tag" not in found and "text" in found:
        found["tag"] = found["text"]
    return {ours: found[ours] for ours in COLUMNS if ours in found}


def _series_columns(columns: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for ours in ("time", "tag", "value", "unit"):
        match = _by_part(ours, columns, set(found.values()))
        if match is not None:
            found[ours] = match
    return found if {"time", "tag", "value"} <= set(found) else {"time": found["time"]} if "time" in found else {}


def _by_part(ours: str, columns: Mapping[str, str], taken: set[str]) -> str | None:
    """The free column whose name holds our word earliest in the list; of the right type, where that matters."""
    for word in _PARTS[ours]:
        for name, kind in columns.items():
            words = [part.casefold() for part in _WORDS.findall(name.replace("_", " "))]
            fits = word in words or (not word.isascii() and word in name)
            if name not in taken and fits and _type_fits(ours, kind.casefold()):
                return name
    return None


def _type_fits(ours: str, kind: str) -> bool:
    timed, numeric = any(w in kind for w in _TIMED), any(w in kind for w in _NUMERIC)
    if ours in ("time", "cleared"):
        return timed or numeric or "text" in kind or "char" in kind or not kind
    if ours == "value":
        return numeric or not kind
    return not timed


def _worth_events(columns: Mapping[str, str]) -> int:
    found = _event_columns(columns)
    if "time" not in found or not {"tag", "text"} & set(found) or _worth_series(columns) > len(found):
        return 0
    return len(set(found.values()))


def _worth_series(columns: Mapping[str, str]) -> int:
    found = _series_columns(columns)
    if {"time", "tag", "value"} <= set(found):
        return 10 + len(found)
    numbers = sum(any(w in kind.casefold() for w in _NUMERIC) for kind in columns.values())
    return 1 if "time" in found and numbers >= max(1, len(columns) // 2) else 0


def _best(tables: Mapping[str, Mapping[str, str]], worth: Any) -> str | None:
    best = max(tables, key=lambda name: worth(tables[name]), default=None)
    return best if best is not None and worth(tables[best]) > 0 else None


def _sample(reader: Reader, table: str, columns: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    if not columns:
        return ()
    name = ".".join(quoted(part) for part in table.split(".")) if reader.dialect == "postgres" else quoted(table)
    wanted = ", ".join(quoted(column) for column in columns.values())
    rows = reader.rows(f"SELECT {wanted} FROM {name} LIMIT :most".replace("\\:", ":"), {"most": _SAMPLES})
    return tuple({ours: str(v)[:_SHOWN_CHARS] for ours, v in zip(columns, row, strict=True)} for row in rows)


def _without_logs(text: str) -> str:
    """A settings file without its [logs] section and the ones in it."""
    kept, inside = [], False
    for line in text.splitlines():
        if re.match(r"\s*\[", line) and not line.strip().startswith("[["):
            inside = re.match(r"\s*\[\s*logs\s*[.\]]", line) is not None
        if not inside:
            kept.append(line)
    return "\n".join(kept).rstrip() + "\n\n" if kept else ""


def _toml(section: str, values: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    inner = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lines = [f"[{section}]", *(f"{_quoted(key)} = {_quoted_value(value)}" for key, value in plain.items())]
    return "\n".join(lines) + "\n" + "".join("\n" + _toml(f"{section}.{key}", value) for key, value in inner.items())


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _quoted_value(value: object) -> str:
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False, default=str)
