"""When two alarm texts are about the same thing.

Two texts have the same symptom when they are equal after: NFKC and casefold; which one of several machines it is taken
off (NO.1, 2#, 3号, 1线, VFD-P1); words that only say that it is an alarm taken off the end (报警, 告警, alarm); blanks
and punctuation dropped. A text in two languages (`循环变频故障 (Circulation VFD fault)`) has the symptom of each.
So 循环变频故障 and NO.2循环变频故障报警 are one symptom, 补水变频故障 is another.
"""

from __future__ import annotations

import re
from functools import lru_cache

from knowledge.limits import name_variants
from knowledge.tokens import HAN, fold

__all__ = ["squeeze", "symptoms"]

_WHICH_ONE = re.compile(
    r"\bno\.?\s*\d+|\d+\s*[#号线](?!\w*\d)|#\s*\d+|\b[a-z]{1,5}-[a-z]{0,2}\d+[a-z]?\b|第?[一二三四五六七八九十]+号|[一二]线"
)
_SAYS_ALARM = re.compile(r"(?:报警|告警|\balarm|\bwarning)s?$")
_CACHED = 20_000
"""Names that are kept as they were taken apart: a question looks at all of a log several times."""
_NOT_WORD = re.compile(r"[\W_]+")
_HAN = re.compile(f"[{HAN}]")


@lru_cache(maxsize=_CACHED)
def squeeze(text: str) -> str:
    """NFKC, casefold, no blanks."""
    return "".join(fold(text).split())


@lru_cache(maxsize=_CACHED)
def symptoms(text: str) -> frozenset[str]:
    """The symptoms that a text names; empty for one without words."""
    parts = name_variants(text)
    if not parts:
        return frozenset()
    outer = parts[1] if len(parts) > 1 and parts[1] in parts[0] else parts[0]
    foreign = [part for part in parts if bool(_HAN.search(part)) != bool(_HAN.search(outer))]
    found = {_one(part) for part in (parts[0], outer, *foreign)}
    return frozenset(found - {""}) or frozenset({squeeze(text)} - {""})


def _one(text: str) -> str:
    plain = _WHICH_ONE.sub(" ", fold(text)).strip()
    return _NOT_WORD.sub("", _SAYS_ALARM.sub("", plain).strip() or plain)
