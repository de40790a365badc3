"""Operating limits from the tables of a manual: who has a parameter, a low or high column, and numbers under them.

The header decides: a column is the parameter, the low limit, the high limit or the unit by its words in Chinese or
English; a table without a parameter column, or without any limit column, holds no limits. Rows are kept word for word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.tokens import fold

__all__ = ["Limit", "find_limits", "name_variants", "table_rows"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of a table of limits."""

    name: str
    """The parameter as printed."""
    low: float | None
    """None where the table gives no low limit."""
    high: float | None
    unit: str
    """As printed; empty where the table gives none."""
    row_text: str
    """The row as printed."""


@dataclass(frozen=True, slots=True)
class _Columns:
    name: int
    low: int | None
    high: int | None
    unit: int | None
    header_unit: str
    width: int


_NAME = re.compile(
    r"参数|指标|项目|名称|测点|监测点|检测点|变量|物理量|\b(?:parameter|item|quantity|signal|reading|name|variable)\b"
)
_LOW = re.compile(r"下限|低限|最低|最小|\b(?:low|lower|min|minimum)\b")
_HIGH = re.compile(r"上限|高限|最高|最大|\b(?:high|upper|max|maximum)\b")
_UNIT = re.compile(r"单位|\bunits?\b")
_IN_BRACKETS = re.compile(r"[(（\[]([^)）\]]*)[)）\]]")
_NUMBER = re.compile(r"[<>≤≥=]*\s*([-+−]?\d+(?:[.,]\d+)?)\s*([^\d\s].*)?")
_RULE = re.compile(r"[\s|:+-]+")
_MARKUP = re.compile(r"\*\*|__|`|<br\s*/?>")


def find_limits(text: str) -> list[Limit]:
    """The limits in a section's tables, in order."""
    found: list[Limit] = []
    folded = fold(text)
    if not (_LOW.search(folded) or _HIGH.search(folded)):
        return found
    columns: _Columns | None = None
    for line in text.split("\n"):
        cells = table_rows(line)
        if not cells:
            columns = None if not line.strip() or "|" not in line else columns
            continue
        header = _columns(cells)
        if header is not None:
            columns = header
        elif columns is not None and len(cells) == columns.width:
            limit = _limit(cells, columns, line)
            if limit is not None:
                found.append(limit)
    return found


def table_rows(line: str) -> list[str]:
    """The cells of one table line, markup removed: Markdown and AsciiDoc bars, or columns set apart by blanks."""
    text = _MARKUP.sub("", line).strip()
    if not text or _RULE.fullmatch(text):
        return []
    if "|" in text:
        return [cell.strip() for cell in text.removeprefix("|").removesuffix("|").split("|")]
    wide = [cell.strip() for cell in re.split(r"\t+|[ \u3000]{2,}", text)]
    cells = wide if len(wide) > 2 else text.split()
    return cells if len(cells) > 2 else []


def name_variants(name: str) -> list[str]:
    """A name in its parts: `Supply temperature (供水温度)` is also `Supply temperature` and `供水温度`."""
    inner = [m.strip() for m in _IN_BRACKETS.findall(name)]
    outer = _IN_BRACKETS.sub(" ", name).strip()
    parts = [name.strip(), outer, *inner, *(p.strip() for p in re.split(r"\s/\s|／", outer))]
    return list(dict.fromkeys(part for part in parts if part))


def _columns(cells: list[str]) -> _Columns | None:
    words = [fold(cell) for cell in cells]
    low = _first(_LOW, words)
    high = _first(_HIGH, words)
    limits = {i for i in (low, high) if i is not None}
    unit = next((i for i, w in enumerate(words) if i not in limits and _UNIT.search(w)), None)
    name = next((i for i, w in enumerate(words) if i not in limits and i != unit and _NAME.search(w)), None)
    if name is None or not limits or low == high:
        return None
    bracket = next((_IN_BRACKETS.search(cells[i]) for i in sorted(limits)), None)
    return _Columns(name, low, high, unit, bracket[1].strip() if bracket else "", len(cells))


def _first(rule: re.Pattern[str], words: list[str]) -> int | None:
    return next((i for i, word in enumerate(words) if rule.search(word)), None)


def _limit(cells: list[str], columns: _Columns, line: str) -> Limit | None:
    name = cells[columns.name]
    low, low_unit = _value(cells, columns.low)
    high, high_unit = _value(cells, columns.high)
    if not name or (low is None and high is None) or (low is not None and high is not None and low > high):
        return None
    unit = cells[columns.unit] if columns.unit is not None else columns.header_unit or low_unit or high_unit
    return Limit(name, low, high, "" if unit in ("-", "—", "–", "/") else unit, line.strip())


def _value(cells: list[str], column: int | None) -> tuple[float | None, str]:
    match = _NUMBER.fullmatch(cells[column]) if column is not None else None
    if match is None:
        return None, ""
    return float(match[1].replace("−", "-").replace(",", ".")), (match[2] or "").strip()
