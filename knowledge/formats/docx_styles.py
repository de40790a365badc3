"""What a DOCX document keeps apart from its text: which style is a heading, and the numbers that are counted.

A heading `3.2.1` of a word processor is mostly not written anywhere: it is counted from `numbering.xml`. A format of
number that is not known here gives no number rather than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from knowledge.formats.office_xml import local

__all__ = ["Counter", "NumberingReader", "Style", "StyleReader", "chain"]

_HEADING = re.compile(r"(?:heading|标题|überschrift|titre|título|intestazione)\s*([1-9])", re.IGNORECASE)
_CHINESE = "零一二三四五六七八九"
_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_PLACE = re.compile(r"%([1-9])")
_MAX_CHAIN = 20
_MAX_COUNT = 100_000


@dataclass(slots=True)
class Style:
    """A paragraph style."""

    name: str = ""
    based_on: str = ""
    level: int = 0
    """Heading level from 1; 0 where it says none."""
    number: str = ""
    """Of the list that it counts in."""
    depth: int = 0


@dataclass(slots=True)
class _Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    legal: bool = False


@dataclass(slots=True)
class _List:
    levels: dict[int, _Level] = field(default_factory=dict)


class StyleReader:
    """Reads `styles.xml`."""

    def __init__(self) -> None:
        self.styles: dict[str, Style] = {}
        self._style = Style()

    def start(self, tag: str, attrs: Mapping[str, str]) -> None:
        name, value = local(tag), _value(attrs)
        if name == "style":
            self._style = Style()
            self.styles[_attribute(attrs, "styleId")] = self._style
        elif name == "name":
            self._style.name = value
            match = _HEADING.fullmatch(value.strip())
            self._style.level = int(match[1]) if match else self._style.level
        elif name == "basedOn":
            self._style.based_on = value
        elif name == "outlineLvl" and value.isdigit():
            self._style.level = int(value) + 1 if int(value) < 9 else 0
        elif name == "numId":
            self._style.number = value
        elif name == "ilvl" and value.isdigit():
            self._style.depth = min(int(value), 8)

    def end(self, tag: str) -> None:
        """Nothing."""

    def data(self, text: str) -> None:
        """Nothing."""


def chain(styles: Mapping[str, Style], name: str) -> Style:
    """A style with what it inherits."""
    whole, seen = Style(), 0
    while name in styles and seen < _MAX_CHAIN:
        style = styles[name]
        whole.name = whole.name or style.name
        whole.level = whole.level or style.level
        if not whole.number and style.number:
            whole.number, whole.depth = style.number, style.depth
        name, seen = style.based_on, seen + 1
    if not whole.depth and whole.level and whole.number:
        whole.depth = whole.level - 1
    return whole


class NumberingReader:
    """Reads `numbering.xml`."""

    def __init__(self) -> None:
        self._lists: dict[str, _List] = {}
        self._numbers: dict[str, str] = {}
        self._overrides: dict[tuple[str, int], int] = {}
        self._list, self._level = _List(), _Level()
        self._number, self._override = "", 0

    def start(self, tag: str, attrs: Mapping[str, str]) -> None:
        name, value = local(tag), _value(attrs)
        if name == "abstractNum":
            self._list = self._lists[_attribute(attrs, "abstractNumId")] = _List()
            self._number = ""
        elif name == "num":
            self._number = _attribute(attrs, "numId")
        elif name == "abstractNumId" and self._number:
            self._numbers[self._number] = value
        elif name in ("lvl", "lvlOverride"):
            depth = _attribute(attrs, "ilvl")
            self._override = int(depth) if depth.isdigit() else 0
            self._level = _Level()
            if name == "lvl" and not self._number:
                self._list.levels[self._override] = self._level
        elif name == "startOverride" and value.isdigit():
            self._overrides[self._number, self._override] = min(int(value), _MAX_COUNT)
        elif name == "start" and value.isdigit():
            self._level.start = min(int(value), _MAX_COUNT)
        elif name == "numFmt":
            self._level.format = value
        elif name == "lvlText":
            self._level.text = value[:100]
        elif name == "isLgl":
            self._level.legal = value not in ("0", "false")

    def end(self, tag: str) -> None:
        """Nothing."""

    def data(self, text: str) -> None:
        """Nothing."""

    def counter(self) -> Counter:
        """Counts what was read here."""
        return Counter(self._lists, self._numbers, self._overrides)


class Counter:
    """The running numbers of a document, paragraph by paragraph."""

    def __init__(
        self, lists: Mapping[str, _List], numbers: Mapping[str, str], overrides: Mapping[tuple[str, int], int]
    ) -> None:
        self._lists, self._numbers, self._overrides = lists, numbers, overrides
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()

    def next(self, number: str, depth: int) -> str:
        """The number in front of a paragraph, `-` for a bullet; empty where it has none or it is unknown."""
        key = self._numbers.get(number, "")
        levels = self._lists[key].levels if key in self._lists else {}
        level = levels.get(depth)
        if level is None:
            return ""
        counts = self._counts.setdefault(key, {})
        if number not in self._begun:
            self._begun.add(number)
            for (of, at), start in self._overrides.items():
                if of == number:
                    counts[at] = start - 1
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [at for at in counts if at > depth]:
            del counts[deeper]
        if level.format in ("bullet", "none"):
            return "-" if level.format == "bullet" else ""
        return self._written(level, levels, counts)

    def _written(self, level: _Level, levels: Mapping[int, _Level], counts: Mapping[int, int]) -> str:
        lacking = False

        def one(match: re.Match[str]) -> str:
            nonlocal lacking
            at = int(match[1]) - 1
            of = levels.get(at)
            if of is None:
                lacking = True
                return ""
            format_ = "decimal" if level.legal else of.format
            text = _formatted(counts.get(at, of.start), format_)
            lacking = lacking or not text
            return text

        text = _PLACE.sub(one, level.text).strip()
        return "" if lacking else text


def _formatted(count: int, format_: str) -> str:
    """A count in a format of number; empty where the format or the count is not known."""
    write = _FORMATS.get(format_)
    return write(count) if write and 0 < count < _MAX_COUNT else ""


def _letters(count: int) -> str:
    return chr(96 + (count - 1) % 26 + 1) * ((count - 1) // 26 + 1) if count < 260 else ""


def _roman(count: int) -> str:
    if count > 399:
        return ""
    text = ""
    for value, letters in _ROMAN:
        text += letters * (count // value)
        count %= value
    return text


def _chinese(count: int) -> str:
    if count > 999:
        return ""
    hundreds, rest = divmod(count, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_CHINESE[hundreds]}百" if hundreds else ""
    if tens:
        text += "十" if tens == 1 and not hundreds else f"{_CHINESE[tens]}十"
    elif hundreds and ones:
        text += "零"
    return text + (_CHINESE[ones] if ones else "")


_FORMATS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalFullWidth": str,
    "decimalZero": lambda count: f"{count:02d}",
    "lowerLetter": _letters,
    "upperLetter": lambda count: _letters(count).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda count: _roman(count).upper(),
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "decimalEnclosedCircle": lambda count: chr(0x245F + count) if count <= 20 else "",
    "decimalEnclosedCircleChinese": lambda count: chr(0x245F + count) if count <= 20 else "",
}


def _attribute(attrs: Mapping[str, str], name: str) -> str:
    return next((value for key, value in attrs.items() if local(key) == name), "")


def _value(attrs: Mapping[str, str]) -> str:
    return _attribute(attrs, "val")
