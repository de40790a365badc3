"""What people wrote down about labelled panels, and when something read from one counts as the same.

A folder holds images and `labels.json`, a list with one object for each image: `file`, `texts`, `readings` (label,
value and unit as printed; `tol` where a pointer or a slider was estimated), `lamps`, `buttons`, `alarms`, `notes`.
Nothing here knows a name or a word of any image.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Panel", "Value", "is_printed", "key", "load_panels", "same_label", "same_number", "same_unit"]

_SEGMENTS = re.compile(r"\b(?:7|seven)[- ]segment|数码管|七段", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+")
_UNITS = {"℃": "°c", "oc": "°c", "c": "°c", "°": "°c", "℉": "°f", "l/100km": "l"}
_SHORTEST = 2
"""A shorter label must be equal: one letter is contained in everything."""


@dataclass(frozen=True, slots=True)
class Value:
    """One labelled reading."""

    label: str
    value: str
    unit: str
    tolerance: float | None
    """Where it was estimated from a pointer; None where it is printed."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One labelled image."""

    path: Path
    texts: tuple[str, ...]
    values: tuple[Value, ...]
    lamps: tuple[Mapping[str, str], ...]
    buttons: tuple[str, ...]
    alarms: tuple[Mapping[str, str], ...]
    is_segments: bool
    """Its digits are made of seven segments; its readings count in a row of their own."""


def load_panels(folder: Path) -> list[Panel]:
    """All panels of a folder.

    :raises SystemExit: there is no list of labels, or it is not one.
    """
    path = folder / "labels.json"
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        return [_panel(folder, label) for label in labels]
    except OSError as error:
        raise SystemExit(f"{path}: cannot be read ({error.strerror}); give a folder with DATA=FOLDER") from None
    except (ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path}: not a list of labels ({error!r})") from None


def key(text: str) -> str:
    """NFKC without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def same_number(read: str | None, printed: str) -> bool:
    """The same value as printed: sign, point and zeros count; a state is compared without case."""
    if read is None:
        return False
    ours, theirs = (key(text).replace("−", "-").replace("–", "-").casefold() for text in (read, printed))
    return ours == theirs


def same_unit(read: str, printed: str) -> bool:
    """The same unit, whichever way it is written."""
    return _unit(read) == _unit(printed)


def same_label(read: str, printed: str) -> bool:
    """Equal, or one is the end, the beginning or the heart of the other; numbers in both must be the same."""
    ours, theirs = _fold(read), _fold(printed)
    if not ours or not theirs:
        return ours == theirs
    if ours == theirs:
        return True
    numbers, wanted = re.findall(r"\d+", ours), re.findall(r"\d+", theirs)
    if numbers and wanted and not (set(numbers) <= set(wanted) or set(wanted) <= set(numbers)):
        return False
    short, long = sorted((ours, theirs), key=len)
    if len(short) >= _SHORTEST and short in long:
        return True
    few, many = sorted((_parts(read), _parts(printed)), key=len)
    return bool(few) and few <= many and len("".join(few)) >= _SHORTEST


def is_printed(label: str, texts: Iterable[str]) -> bool:
    """Whether a label stands on the panel at all; some are descriptions by who wrote the labels."""
    return any(same_label(text, label) for text in texts if len(_fold(text)) >= _SHORTEST)


def _panel(folder: Path, label: Mapping[str, Any]) -> Panel:
    values = [
        Value(
            str(r["label"]), str(r["value"]), str(r.get("unit", "")), None if r.get("tol") is None else float(r["tol"])
        )
        for r in label.get("readings", ())
    ]
    return Panel(
        folder / str(label["file"]),
        tuple(str(text) for text in label.get("texts", ())),
        tuple(values),
        tuple({str(k): str(v) for k, v in lamp.items()} for lamp in label.get("lamps", ())),
        tuple(str(button) for button in label.get("buttons", ())),
        tuple({str(k): str(v) for k, v in row.items()} for row in label.get("alarms", ())),
        _SEGMENTS.search(str(label.get("notes", ""))) is not None,
    )


def _fold(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _parts(text: str) -> frozenset[str]:
    """Its words and its numbers."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(_WORDS.findall(folded)) | frozenset(re.findall(r"\d+", folded))


def _unit(unit: str) -> str:
    plain = re.sub(r"[\s·.^]", "", unicodedata.normalize("NFKC", _UNITS.get(unit.strip(), unit)).casefold())
    return _UNITS.get(plain, plain)
