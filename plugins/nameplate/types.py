"""Type designations: when two are the same, and when a reader may have taken one for the other.

The same are only those that have the same characters after blanks, width and dashes are made alike: Y2-132M-4 is not
Y2-132M1-4. What differs in characters that are drawn alike (O and 0, l and 1) is perhaps the same, and a person looks.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

__all__ = ["Likeness", "differs_by_one", "in_cell", "plain_type", "types_in"]

Likeness = Literal["same", "perhaps", "no"]
_DASHES = re.compile(r"[‐‑‒–—―−_·]+")
_ALIKE = str.maketrans(
    {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "|": "1", "Z": "2", "S": "5", "B": "8", "G": "6"}
)
_TYPE = re.compile(r"(?=[A-Z0-9./-]*\d)(?=[A-Z0-9./-]*[A-Z])[A-Z0-9]+(?:[-./][A-Z0-9]+)*")
_SERIES = re.compile(r"^([A-Z][A-Z0-9]*)\s*(?:系列|SERIES)|^(?:SERIES|系列)\s*([A-Z][A-Z0-9]*)$")
_RANGE = re.compile(r"\s*(?:~|〜|～|至|…|\bTO\b)\s*")
_APART = re.compile(r"[、,，;；\n]|<BR\s*/?>|\s{2,}|\s(?=[A-Z]+\d)")
_NUMBER = re.compile(r"\d+")


def plain_type(text: str) -> str:
    """A designation as it is compared: upper case, without blanks, with one kind of dash."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return _DASHES.sub("-", "".join(folded.split())).strip(".-,;:")


def types_in(text: str) -> list[str]:
    """Designations in a text: runs that hold a letter and a digit, each once."""
    folded = _DASHES.sub("-", unicodedata.normalize("NFKC", text).upper())
    return list(dict.fromkeys(match.group() for match in _TYPE.finditer(folded) if len(match.group()) > 2))


def in_cell(wanted: str, cell: str) -> Likeness:
    """Whether a cell of a list holds a type: by name, as one of a range, or as one of a series.

    :param wanted: as `plain_type` gives it.
    """
    if not wanted:
        return "no"
    found: Likeness = "no"
    for part in _APART.split(_folded(cell)):
        likeness = _in_part(wanted, part.strip())
        if likeness == "same":
            return "same"
        found = likeness if likeness == "perhaps" else found
    return found


def differs_by_one(one: str, other: str) -> bool:
    """Whether one character was added, left out or changed."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    at = next((i for i, char in enumerate(short) if char != long[i]), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


def _in_part(wanted: str, part: str) -> Likeness:
    series = _SERIES.match(part)
    if series:
        return _in_series(wanted, series[1] or series[2])
    ends = _RANGE.split(part)
    if len(ends) == 2 and all(ends):
        return _in_range(wanted, plain_type(ends[0]), plain_type(ends[1]))
    return _alike(wanted, plain_type(part))


def _alike(one: str, other: str) -> Likeness:
    if one == other:
        return "same"
    return "perhaps" if other and _skeleton(one) == _skeleton(other) else "no"


def _skeleton(text: str) -> str:
    """Characters that are drawn alike made one, without marks."""
    return "".join(c for c in text.translate(_ALIKE) if c.isalnum())


def _in_series(wanted: str, series: str) -> Likeness:
    """JO2-42-4 is of series JO2; whether Y2-132M-4 is one of series Y its name does not tell."""
    head = wanted.split("-")[0]
    if head == series and "-" in wanted:
        return "same"
    return "perhaps" if _skeleton(head).startswith(_skeleton(series)) else "no"


def _in_range(wanted: str, first: str, last: str) -> Likeness:
    """S7-30/10 ~ S7-1600/10: one number differs, all else is the same."""
    if wanted in (first, last):
        return "same"
    numbers = [[int(n) for n in _NUMBER.findall(text)[:20]] for text in (first, wanted, last)]
    forms = {_NUMBER.sub("#", text) for text in (first, wanted, last)}
    if len(forms) > 1 or len({len(one) for one in numbers}) > 1:
        close = _skeleton(wanted) in (_skeleton(first), _skeleton(last))
        return "perhaps" if close else "no"
    low, own, high = numbers
    apart = [i for i in range(len(own)) if low[i] != high[i]]
    if len(apart) != 1 or any(own[i] != low[i] for i in range(len(own)) if i not in apart):
        return "perhaps" if len(apart) > 1 else "no"
    return "same" if low[apart[0]] <= own[apart[0]] <= high[apart[0]] else "no"


def _folded(text: str) -> str:
    return _DASHES.sub("-", unicodedata.normalize("NFKC", text).upper())
