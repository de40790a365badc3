"""Values that are no single one: "between 20 and 24 degrees", 20到24度, "the second lamp", 第二盏灯.

    between   two numbers become one token, so that neither is taken for what is wanted: it is asked back which
    nth       an ordinal before a thing: the one with that number where numbers tell such things apart, from one on and
              without a gap; else it is asked back, for nobody knows where the person begins to count

What is only read into words ("from 18 to 22", "ten to seven", "first, turn it on") stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from plugins.devices.understanding.lexicon import Sense
from plugins.devices.understanding.numbers import Amount, amount_at
from plugins.devices.understanding.tokens import Token

__all__ = ["BETWEEN", "NTH", "with_ordinals", "with_ranges"]

BETWEEN, NTH = "between", "nth"
"""Senses of such a token."""
_TO = ("to", "-", "–", "~", "至", "到")
_BEHIND = re.compile(r"\s*之?间")
_CLOCK_HOURS = 12
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
_EN = re.compile(rf"\b(?:(?P<word>{'|'.join(_ORDINALS)})|(?P<figure>\d{{1,2}})(?:st|nd|rd|th))\b")
_ZH = re.compile(r"第(?P<figure>\d{1,2}|[一二三四五六七八九十]{1,3})[盏个台只扇号部支排路组条张幅套道]?")
_THINGS = ("noun", "name", "piece", "word")


def with_ranges(tokens: Sequence[Token], low: str) -> tuple[Token, ...]:
    """The tokens, with one in the place of each range of values."""
    done: list[Token] = []
    at = 0
    while at < len(tokens):
        found = _range(tokens, at, low)
        if found is None:
            done.append(tokens[at])
            at += 1
            continue
        token, at = found
        done.append(token)
        while at < len(tokens) and tokens[at].start < token.end:
            at += 1
    return tuple(done)


def _range(tokens: Sequence[Token], at: int, low: str) -> tuple[Token, int] | None:
    """The range that begins here, and the position behind it."""
    between = tokens[at].text == "between"
    first = at + between
    one = _amount(tokens, first)
    if one is None or (at and tokens[at - 1].text == "from"):
        return None
    joined = first + 1 < len(tokens) and tokens[first + 1].text in (("and",) if between else _TO)
    last = first + 1 + joined
    other = _amount(tokens, last)
    if other is None or not (joined or _dashed(tokens, first, last)):
        return None
    value = abs(other.value) if not joined else other.value
    unit = other.unit or one.unit
    if not between and (not (unit or value > _CLOCK_HOURS) or _tells_apart(tokens, at)):
        return None  # "ten to seven", "pumps 1 to 3"
    if value <= one.value or (one.unit and one.unit != unit):
        return None
    behind = _BEHIND.match(low, tokens[last].end)
    end = behind.end() if behind else tokens[last].end
    said = Sense(BETWEEN, f"{one.value:g} – {value:g}")
    start = tokens[at].start
    return Token(start, end, low[start:end], (said,), amount=Amount(one.value, unit)), last + 1


def _amount(tokens: Sequence[Token], at: int) -> Amount | None:
    token = tokens[at] if at < len(tokens) else None
    return token.amount if token is not None and not token.has("name", "area", "floor") else None


def _dashed(tokens: Sequence[Token], first: int, last: int) -> bool:
    """20-24度, where the dash was read as a sign."""
    return tokens[last].text.startswith("-") and tokens[first].end == tokens[last].start


def _tells_apart(tokens: Sequence[Token], at: int) -> bool:
    """Whether the first number says which thing: "lamp 1 to 40", "the bedroom one to 18", "lamps 1 to 3 to 40"."""
    if at > 1 and tokens[at - 1].text in _TO and tokens[at - 2].amount is not None:
        return True
    english = tokens[at + 1].text == "to" and not (tokens[at].amount or Amount(0.0)).unit
    return english and (tokens[at].has("one") or (at > 0 and tokens[at - 1].has(*_THINGS, "area")))


def with_ordinals(tokens: Sequence[Token], low: str) -> tuple[Token, ...]:
    """The tokens, with one in the place of each ordinal that stands before a thing."""
    found = tuple(tokens)
    for match in (*_EN.finditer(low), *_ZH.finditer(low)):
        inside = [token for token in found if token.start < match.end() and token.end > match.start()]
        whole = inside and inside[0].start == match.start() and inside[-1].end == match.end()
        number = _number(match)
        if not whole or not number or any(token.has("name", "area", "floor", "due") for token in inside):
            continue
        at = found.index(inside[0])
        if _before_thing(found, at + len(inside)):
            token = Token(match.start(), match.end(), match[0], (Sense(NTH, str(number)),), Amount(float(number)))
            found = (*found[:at], token, *found[at + len(inside) :])
    return found


def _before_thing(tokens: Sequence[Token], at: int) -> bool:
    """Whether a thing follows, or another ordinal and then a thing: "the second and third lamp"."""
    if at + 1 < len(tokens) and tokens[at].has("and"):
        rest = next((n for n in range(at + 1, len(tokens)) if not tokens[n].has("func")), len(tokens))
        ahead = tokens[rest].text if rest < len(tokens) else ""
        return bool(_EN.fullmatch(ahead) or ahead == "第")
    return at < len(tokens) and tokens[at].has(*_THINGS)


def _number(match: re.Match[str]) -> int:
    """Which it is; 0 where it is none."""
    if match.re is _EN and match["word"]:
        return _ORDINALS.index(match["word"]) + 1
    found = amount_at(match["figure"], 0)
    return int(found[0].value) if found and found[1] == len(match["figure"]) else 0
