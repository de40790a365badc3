"""What a run of text can be: label, value, unit, placeholder, or none of these.

A panel's text is split into tokens. `供水压力 62.2 MPa` becomes a value that carries its label and unit;
`Pump 1`, `NO.2`, `Array[0]` and `1#` stay labels, because a number that belongs to a name is no reading. Times, dates,
ranges, addresses and versions are set apart before anything else looks at their digits. Of `20.4 / 60 °C` the first is
the value and the second its target; `2.1G/7.2G` is one value, as is `1h 20m`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent.api import Box, Text
from plugins.panel.geometry import part_of
from plugins.panel.words import COUNTERS, SPAN_WORDS, STATES, STORAGE_UNITS, UNITS, is_clear_unit

__all__ = [
    "Token",
    "amounts_in",
    "ending_unit",
    "is_clock",
    "is_moment",
    "is_state",
    "numbers_in",
    "plain",
    "split_unit",
    "times_a_span",
    "tokens_of",
    "unit_key",
]

Kind = Literal["value", "none", "label", "unit", "clock", "other"]

_UNIT = "(?:" + "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True)) + ")"
_UNIT_END = r"(?![A-Za-z0-9_/²³\u4e00-\u9fff])"
_CLEAR_UNIT = "(?:" + "|".join(map(re.escape, sorted(filter(is_clear_unit, UNITS), key=len, reverse=True))) + ")"
"""Units that no name ends with, so that they need no brackets behind a label."""
_NUMBER = r"[+\-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)"
_VALUE = re.compile(rf"(?P<number>{_NUMBER})(?:\s*(?:°(?=[°℃]))?(?P<unit>{_UNIT}{_UNIT_END}|°(?![CFK])))?")
_WHOLE_VALUE = re.compile(rf"(?P<number>{_NUMBER})[.·]?\s*(?:°(?=[°℃]))?(?P<unit>{_UNIT})?\.?")
_WHOLE_UNIT = re.compile(rf"[(\[]?\s*(?:°(?=[°℃]))?(?P<unit>{_UNIT}|[CFSv])\s*[)\]]?")
_END_UNIT = re.compile(rf"\s(?P<unit>{_UNIT})$")
_LOST_RING = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>[CF]|v)")
"""A temperature whose small ring was not read, and volts read as a small letter; only after a number."""
_PLACEHOLDER = r"(?:#+(?:[.,:]#+)?|[-–—_]{2,}(?:[.,:][-–—_]+)*|-+[.,]-+|\*{2,}|\?{2,}|…+|[Nn]/[Aa]|NaN|null)"
_WHOLE_PLACEHOLDER = re.compile(rf"(?P<number>{_PLACEHOLDER})\s*(?P<unit>{_UNIT})?")
_END_PLACEHOLDER = re.compile(rf"^(?P<label>.*[^\W\d_].*?)\s*[:=]\s*(?P<number>{_PLACEHOLDER}|-)\s*(?P<unit>{_UNIT})?$")
_STATED = re.compile(r"^(?P<label>[^:=]+)[:=]\s*(?P<state>[^\W\d_]+)$")
_LABEL_UNIT = re.compile(rf"^(?P<label>.*?\S)\s*(?:[(\[]\s*(?P<a>{_UNIT})\s*[)\]]|,\s*(?P<b>{_UNIT}))\s*:?$")
_LABEL_CLEAR_UNIT = re.compile(rf"^(?P<label>.*[^\W\d_]{{2}}.*?)\s+(?P<unit>{_CLEAR_UNIT})\s*:?$")
_LABEL_GLUED_UNIT = re.compile(
    rf"^(?P<label>.*(?:[^\W\d_](?=[°℃℉])|[\u4e00-\u9fff](?={_CLEAR_UNIT}|Hz|Pa|Wh)))(?P<unit>(?!pH){_UNIT})\s*:?$"
)
"""Units that need no space either: a degree, or letters of units only behind a Chinese name."""
_SPAN_NAME = re.compile("|".join(rf"\b{word}\b" if word.isascii() else word for word in SPAN_WORDS))
_BARS = ("progress", "tool", "menu", "status", "title", "scroll", "side", "task", "nav", "search")
"""Before `bar` these make a part of a screen, no pressure."""
_CLOCK = re.compile(r"[(\[]?[:：]?\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?[)\]]?")
_CLOCK_TEXT = r"\d{1,5}:\d{2}(?::\d{2})?"
_DATE = re.compile(
    r"\d{4}\s*[-/.年]\s*-?\d{1,2}\s*[-/.月]\s*-?\d{1,2}\s*日?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}月\d{1,2}日"
    r"|\b\d{1,2}\s*(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s*\d{2,4}\b",
    re.IGNORECASE,
)
_AXIS_TIME = re.compile(r"[:：]\d{2}(?:\.\d+)?|\d{1,2}:\d{1,2}[:A-Z]?")
_ADDRESS = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}|\w+://|\bwww\.|localhost|[\w-]+\.(?:com|net|org|io|cn|local|html?|aspx|php)\b"
    r"|\b[vV]\d+(?:\.\d+)+|\d+\.\d+\.\d+|\b(?i:ver|version|rev|release)\b[.:]?\s*\d|(?:版本|版次)号?[.:]?\s*[vV]?\d"
)
_RATIO = re.compile(
    rf"(?:(?P<label>[^\d:=]*[^\W\d_][^:=]*?)\s*[:=]\s*)?(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?"
    rf"\s*/\s*(?P<second>{_NUMBER})\s*(?:°(?=[°℃]))?(?P<second_unit>{_UNIT}|°)?"
)
"""A value and its target, or a part and its whole."""
_RANGE = re.compile(rf"[(\[]?{_NUMBER}\s*(?:{_UNIT})?\s*(?:[-~～…]|\.\.\.?|to|至)\s*{_NUMBER}\s*(?:{_UNIT})?[)\]]?")
_SPAN = re.compile(r"\d+\s*(?:d|h|m|天|小时|时|分)\s*(?:\d+\s*(?:h|m|s|min|小时|时|分钟|分|秒)\s*){1,3}", re.IGNORECASE)
"""A duration of several parts."""
_END_SPAN = re.compile(rf"(?P<label>.*[^\W\d_].*?)\s*[:=]?\s*(?P<span>{_CLOCK_TEXT}|{_SPAN.pattern})$", re.IGNORECASE)
_MESSAGE = re.compile(r"[^\W\d_]\s*[:,;]\s*[^\W\d_]|,$")
"""A label that reads on after a colon or comma is a sentence about a value, such as a line of an alarm list."""
_LETTERS = re.compile(r"[^\W\d_]")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_MAX_RUN_CHARS = 160
"""A longer run is a paragraph, or no text at all: it is not taken apart, which would take time that grows with its
square.
"""
_MAX_LABEL_CHARS = 48
_MAX_LABEL_WORDS = 8


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a run of text that means something on its own."""

    kind: Kind
    """value: a number; none: a placeholder for one; label; unit; clock: a time of day, or a duration where its label
    says so; other: nothing that is paired.
    """
    text: str
    """The number as printed, the label without its colon and unit, or the unit."""
    box: Box
    source: int
    """Index of the text it stands in."""
    score: float
    unit: str = ""
    """Printed after the number, or in the label's parentheses."""
    label: str = ""
    """Printed before the number in the same run."""
    label_box: Box | None = None
    colon: bool = False
    """The label ends with a colon, so a value must follow."""

    @property
    def sure(self) -> bool:
        """The number alone looks measured: it has decimals, a sign or a unit."""
        return bool(self.unit) or any(c in self.text for c in ".,+-#*") or not self.text.isdigit()


def plain(text: str) -> str:
    """Full-width and look-alike characters as ordinary ones, character by character, so that places stay."""
    return text.translate(_PLAIN)


_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    ord(seen): meant for seen, meant in zip("−–º˚。　，µ【】", "--°°. ,μ[]", strict=True)
}


def numbers_in(text: str) -> list[str]:
    """Every number that stands in a text, with its sign, whatever it belongs to."""
    return re.findall(_NUMBER, plain(text[:_MAX_RUN_CHARS]))


def amounts_in(text: str) -> list[str]:
    """The units of the numbers in a text that have one."""
    return [found["unit"] for found in _VALUE.finditer(plain(text[:_MAX_RUN_CHARS])) if found["unit"]]


def is_state(text: str) -> bool:
    """A word that a discrete signal is shown as."""
    return plain(text).strip().lower() in STATES


def is_clock(text: str) -> bool:
    """A time of day and nothing else."""
    return _CLOCK.fullmatch(plain(text).strip()) is not None


def is_moment(text: str) -> bool:
    """A date, a time, or both: what the time column of an alarm list holds."""
    found = plain(text[:_MAX_RUN_CHARS]).strip()
    return _DATE.search(found) is not None or _CLOCK.match(found) is not None


def unit_key(unit: str) -> str:
    """A unit for comparison only: one spelling for look-alikes and for what a reader confuses."""
    key = plain(unit).strip().lower().replace(" ", "")
    for seen, meant in (
        ("℃", "°c"),
        ("℉", "°f"),
        ("°°", "°"),
        ("³", "3"),
        ("²", "2"),
        ("^", ""),
        ("μ", "u"),
        ("·", "."),
    ):
        key = key.replace(seen, meant)
    return {"oc": "°c", "0c": "°c", "c": "°c", "of": "°f", "degc": "°c", "degf": "°f", "m2/h": "m3/h"}.get(key, key)


def ending_unit(text: str) -> str:
    """What of a cell of units is one: all of it, or its known end where digits of a neighbour were read with it."""
    if not any(c.isdigit() for c in text) or _WHOLE_UNIT.fullmatch(plain(text).strip()):
        return text
    found = _END_UNIT.search(plain(text).strip())
    return found["unit"] if found else ""


def times_a_span(label: str) -> bool:
    """A label that names how long something took or will take, so that `16m` and `01:23:45` are its value."""
    return _SPAN_NAME.search(plain(label[:_MAX_RUN_CHARS]).lower()) is not None


@lru_cache(maxsize=4096)
def split_unit(text: str) -> tuple[str, str]:
    """A heading or label without the unit it ends with, and that unit: `Temp (°C)` → `Temp`, `°C`."""
    line = plain(text).strip()
    if len(line) > _MAX_RUN_CHARS:
        return text, ""
    found = _LABEL_UNIT.match(line)
    if found:
        return found["label"], found["a"] or found["b"]
    behind = _LABEL_CLEAR_UNIT.match(line) or _LABEL_GLUED_UNIT.match(line)
    if not behind or behind["label"].lower().endswith(_BARS):
        return text, ""
    return behind["label"], behind["unit"]


def tokens_of(text: Text, source: int) -> list[Token]:
    """Split one run of text.

    :param source: its index, kept in every token.
    """
    if len(text.text) > _MAX_RUN_CHARS:
        return [Token("other", text.text, text.box, source, text.score)]
    line = plain(text.text)
    whole = line.strip()
    if not whole:
        return []
    placeholder = _WHOLE_PLACEHOLDER.fullmatch(whole)
    if placeholder:
        return [Token("none", placeholder["number"], text.box, source, text.score, placeholder["unit"] or "")]
    if re.fullmatch(_CLOCK_TEXT, whole):
        return [Token("clock", whole, text.box, source, text.score)]
    spanned = _END_SPAN.fullmatch(whole)
    if spanned and times_a_span(spanned["label"]):
        box = part_of(text.box, whole, spanned.start("span"), spanned.end("span"))
        return [Token("value", spanned["span"].strip(), box, source, text.score, "", _tidy(spanned["label"]))]
    if _SPAN.fullmatch(whole):
        return [Token("value", whole, text.box, source, text.score)]
    ratio = _RATIO.fullmatch(whole)
    if ratio:
        return [_ratio(ratio, whole, text, source)]
    if _is_other(whole) or _RANGE.fullmatch(whole):
        return [Token("other", whole, text.box, source, text.score)]
    value = _WHOLE_VALUE.fullmatch(whole) or _LOST_RING.fullmatch(whole)
    if value:
        return [Token("value", value["number"], text.box, source, text.score, value["unit"] or "")]
    unit = _WHOLE_UNIT.fullmatch(whole)
    if unit and unit["unit"] != "pH":
        return [Token("unit", unit["unit"], text.box, source, text.score)]
    ended = _END_PLACEHOLDER.match(whole)
    if ended:
        return [
            Token("none", ended["number"], text.box, source, text.score, ended["unit"] or "", _tidy(ended["label"]))
        ]
    stated = _STATED.match(whole)
    if stated and is_state(stated["state"]) and _names(_tidy(stated["label"])):
        box = part_of(text.box, whole, stated.start("state"), stated.end("state"))
        return [Token("value", stated["state"], box, source, text.score, "", _tidy(stated["label"]))]
    return _mixed(line, text, source)


def _ratio(found: re.Match[str], whole: str, text: Text, source: int) -> Token:
    """The value before its target; both as one where they are amounts of storage or have no unit."""
    unit, second = found["unit"] or "", found["second_unit"] or ""
    label = _tidy(found["label"] or "")
    label_box = part_of(text.box, whole, 0, found.end("label")) if label else None
    if unit_key(unit) in STORAGE_UNITS or not (unit or second):
        box = part_of(text.box, whole, found.start("number"), len(whole))
        number = whole[found.start("number") :]
        return Token("value", number, box, source, text.score, "", label, label_box)
    box = part_of(text.box, whole, found.start("number"), found.end("number"))
    return Token("value", found["number"], box, source, text.score, unit or second, label, label_box)


def _mixed(line: str, text: Text, source: int) -> list[Token]:
    """A run that holds words, and perhaps values between them."""
    tokens: list[Token] = []
    start = 0
    for found in _VALUE.finditer(line):
        if not _is_value_at(line, found):
            continue
        before = line[start : found.start()]
        label = _tidy(before)
        if _MESSAGE.search(label):
            return [Token("other", line.strip(), text.box, source, text.score)]
        label, label_unit = split_unit(label)
        if not _names(label) and not (_LETTERS.search(label) and before.rstrip().endswith((":", "="))):
            label = ""
        box = part_of(text.box, line, found.start("number"), found.end("number"))
        label_box = part_of(text.box, line, start, found.start()) if label else None
        start = found.end()
        tokens.append(
            Token("value", found["number"], box, source, text.score, found["unit"] or label_unit, label, label_box)
        )
    if not tokens:
        return [_label(line, text, source)]
    rest = _tidy(line[start:])
    if _LETTERS.search(rest) and len(rest) > 1:
        tokens.append(Token("label", rest, part_of(text.box, line, start, len(line)), source, text.score))
    return tokens


def _is_value_at(line: str, found: re.Match[str]) -> bool:
    """A number within words is a value only where its surroundings and its form say so."""
    before, after = line[: found.start()], line[found.end() :]
    last = before[-1:]
    if last and ((last.isascii() and (last.isalnum() or last in "_[#/~.")) or last in "<>≤≥第"):
        return False
    closed = (found["unit"] or "").endswith("°")
    if after[:1] and not closed and (after[0].isalnum() or after[0] in "_#]~/-"):
        return False
    if found["unit"]:
        unit = found["unit"]
        loose = (len(unit) == 1 and unit.isalpha() and unit.isascii()) or unit in COUNTERS
        return not loose or "." in found["number"] or (not after.strip() and (not before.strip() or last in ":= "))
    return before.rstrip().endswith((":", "=")) or ("." in found["number"] and not re.search(r"\d\s*$", before))


def _label(line: str, text: Text, source: int) -> Token:
    whole = line.strip()
    colon = whole.endswith((":", "="))
    name, unit = split_unit(whole)
    name = _tidy(name)
    long = len(name) > _MAX_LABEL_CHARS or len(name.split()) > _MAX_LABEL_WORDS
    sentence = re.search(r"[。!?,;，；！？]", name) is not None and len(_CHINESE.findall(name)) > 8
    sentence = sentence or re.search(r"[●■▲◆▼○□]", name) is not None or _is_pattern(name)
    named = _names(name) or (colon and _LETTERS.search(name) is not None)
    kind: Kind = "label" if named and not long and not sentence else "other"
    return Token(kind, name, text.box, source, text.score, unit, colon=colon)


def _is_pattern(name: str) -> bool:
    """What a reader makes of hatching: one or two characters over and over."""
    return len(name) >= 8 and len(set(name.lower())) <= 2


def _names(label: str) -> bool:
    """Two letters or characters name something, and so does one letter with a number behind it: `T4`, not `4T`."""
    letters = len(_LETTERS.findall(label))
    if letters == 1:
        numbered = re.search(r"\d", label) is not None and _CHINESE.search(label) is not None
        return numbered or re.match(r"[^\W\d_]\W?\d", label) is not None
    return letters > 1


def _is_other(whole: str) -> bool:
    if _CLOCK.fullmatch(whole) or _AXIS_TIME.fullmatch(whole):
        return True
    return _DATE.search(whole) is not None or _ADDRESS.search(whole) is not None


def _tidy(text: str) -> str:
    """Without the colon at its end and the bullets, arrows and icon remains at its start."""
    text = re.sub(r"^(?:\w?°\s+|[^\w(\[+\-]+)+", "", text.strip())
    return re.sub(r"(?:\s|[:=»》《>●•·|…]|\.{2,})+$", "", text)
