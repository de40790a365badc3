"""Numbers as exports print them: `1234.5`, `1.234,5`, `1,234.5`, `3,14`, `−5`, `1.2E-3`; anything else is none.

Whether a comma is the decimal point is decided for a file, from cells that leave no doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

__all__ = ["Point", "find_point", "is_nothing", "read_number", "unit_of"]

Point = Literal[".", ","]
_PLAIN = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(?:(?P<mark>[.,'\u00a0\u202f ])[0-9]{3})+(?P<rest>[.,][0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]*(?:[eE][-+]?[0-9]{1,3})?")
_NOTHING = frozenset(
    {"", "nan", "null", "none", "n/a", "na", "-", "--", "#n/a", "#div/0!", "#value!", "#ref!", "#num!"}
    | {f"{sign}{word}" for sign in ("", "+", "-") for word in ("inf", "infinity", "∞", "nan")}
)
_UNIT = re.compile(r"(?P<name>.*\S)\s*[(\[（](?P<unit>[^()\[\]（）]{1,12})[)\]）]")


def find_point(cells: Iterable[str], delimiter: str) -> tuple[Point, bool]:
    """What separates the decimals of a file's numbers, and whether that is only assumed."""
    doubtful = False
    for cell in cells:
        text = cell.strip()
        comma, dot = text.rfind(","), text.rfind(".")
        if comma < 0 and dot < 0:
            continue
        if comma >= 0 and dot >= 0:
            return ("," if comma > dot else "."), False
        digits = len(text) - max(comma, dot) - 1
        if text.count(",") > 1 or text.count(".") > 1:
            return ("." if comma >= 0 else ","), False
        if digits != 3 or text.lstrip("+-−").startswith(("0,", "0.")):
            return ("," if comma >= 0 else "."), False
        doubtful = doubtful or comma >= 0
    return ("," if doubtful and delimiter != "," else "."), doubtful


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no value."""
    return text.strip().casefold() in _NOTHING


def read_number(text: str, point: Point) -> float | None:
    """A number; None where the cell is empty or none, or it is not finite."""
    plain = text.strip().replace("\u2212", "-")
    if not _PLAIN.fullmatch(plain) or (point == "," and "." in plain):
        plain = _normal(plain, point)
    try:
        number = float(plain) if plain else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) != float("inf") else None


def _normal(text: str, point: Point) -> str:
    """The same with a point before its decimals and no marks between thousands; empty where it is no number."""
    grouped = _GROUPED.fullmatch(text)
    if grouped and grouped["mark"] != point and (grouped["rest"] or point)[0] == point:
        whole = text[: grouped.start("rest")] if grouped["rest"] else text
        return re.sub(r"[^0-9+-]", "", whole) + ("." + grouped["rest"][1:] if grouped["rest"] else "")
    if point == "," and (_DECIMAL_COMMA.fullmatch(text)):
        return text.replace(",", ".")
    return ""


def unit_of(heading: str) -> tuple[str, str]:
    """Name and unit of a heading such as `Temperature (°C)`; the unit is empty where none stands in it."""
    match = _UNIT.fullmatch(heading.strip())
    return (match["name"], match["unit"].strip()) if match else (heading.strip(), "")
