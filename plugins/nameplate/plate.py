"""A plate's texts as fields: each label with what stands behind it, or beside it.

    label in a text → the rest of it up to the next label, else the text to the right → unit and form checked
    a value without a label is one where its unit says of what (380 V); makers are known by what firms are called

Nothing is filled in: a value that is not written like its kind is given as printed, with a flag.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from agent.api import Box, Perception, Said, Text, say
from agent.perception import number_of
from agent.settings import NameplateSettings
from knowledge.tokens import fold
from plugins.nameplate.reflections import Pixels, may_hide
from plugins.nameplate.values import Plate, PlateField

__all__ = ["name_of", "read_plate"]

_FILE = Path(__file__).parent / "labels.toml"
_MAKER = re.compile(
    r"公司$|[厂院所]$|集团|制造厂"
    r"|\b(?:co\.?,? ?ltd|ltd|limited|inc|gmbh|corp(?:oration)?|company|works|s\.p\.a|ag|plc)\b\.?$"
)
_PRODUCT = re.compile(
    r"电动机|发电机|电机|水泵|泵|风机|变压器|压缩机|锅炉|\b(?:motor|pump|fan|blower|transformer|compressor|generator|boiler)s?\b"
)
_TITLES: dict[str, Said] = {"maker": say("制造商", "maker"), "product": say("产品", "product")}
_VALUE_OF_TYPE = re.compile(r"(?=.*\d)(?=.*[a-z])[a-z0-9][a-z0-9\-/.()+ ]{1,38}")
_YEAR = re.compile(r"(?<!\d)(19[3-9]\d|20\d\d)(?!\d)")
_NUMBER = r"[-+]?\d+(?:[.,]\d+)?(?:\s*[/-]\s*\d+(?:[.,]\d+)?)*"
_LEAST_FIELDS = 3
"""Fields that make a plate, where no type is among them."""
_SEPARATORS = " :：.=-\t"
_GLARE = 0.5
"""Below it a photo has reflections that may hide a part of a text."""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    label: re.Pattern[str]
    units: re.Pattern[str] | None
    """A number with one of its units."""
    bare: re.Pattern[str] | None
    """The beginning of one: what a reflection may have left of it."""
    values: re.Pattern[str] | None
    titles: Said


def read_plate(perception: Perception, settings: NameplateSettings, pixels: Pixels | None = None) -> Plate | None:
    """The plate on a photo; None where nothing on it looks like one.

    :param pixels: of the upright image, for a look at what lies beside a type; None where they are not at hand.
    """
    found = list(_labelled(perception.texts))
    taken = {id(text) for text, _ in found}
    fields = [field for _, field in found]
    have = {field.name for field in fields}
    for text in perception.texts:
        if id(text) not in taken:
            fields += [field for field in _unlabelled(text) if field.name not in have]
    fields = _once([_checked(field, perception, settings, pixels) for field in fields])
    ratings = [field for field in fields if field.name not in _TITLES]
    if not any(field.name == "type" for field in fields) and len(ratings) < _LEAST_FIELDS:
        return None
    order = ["product", "type", "maker", "serial", "year"]
    rank = {name: i for i, name in enumerate([*order, *(kind.name for kind in _kinds() if kind.name not in order)])}
    return Plate(tuple(sorted(fields, key=lambda field: rank[field.name])))


def name_of(field: str) -> Said:
    """What a field is called."""
    return _TITLES.get(field) or next(kind.titles for kind in _kinds() if kind.name == field)


@cache
def _kinds() -> tuple[_Kind, ...]:
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(_kind(name, table) for name, table in tables.items())


def _kind(name: str, table: dict[str, str | list[str]]) -> _Kind:
    units = table.get("units")
    given = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True)) if units else ""
    return _Kind(
        name,
        re.compile(rf"(?:{table['labels']})(?:(?<![a-z])|(?![a-z]))"),
        re.compile(rf"({_NUMBER})\s*({given})(?![a-z0-9])") if units else None,
        re.compile(rf"({_NUMBER})\s*([^\s\d]*)") if units else None,
        re.compile(str(table["values"])) if "values" in table else None,
        say(str(table["zh"]), str(table["en"])),
    )


def _labelled(texts: Sequence[Text]) -> Iterator[tuple[Text, PlateField]]:
    """Every label with its value; both texts are taken."""
    for text in texts:
        spans = _labels_in(fold(text.text))
        for i, (kind, start, end) in enumerate(spans):
            stop = spans[i + 1][1] if i + 1 < len(spans) else len(fold(text.text))
            label = _printed(text.text, start, end)
            rest = _printed(text.text, end, stop).strip(_SEPARATORS + "|")
            if rest:
                yield text, _field(kind, label, rest, text.score, text.box)
            elif i + 1 == len(spans) and (beside := _beside(text, texts)) is not None:
                field = _field(kind, label, beside.text.strip(), min(text.score, beside.score), beside.box)
                yield beside, field
                yield text, field


def _labels_in(text: str) -> list[tuple[_Kind, int, int]]:
    """Labels in a folded text in order; of those at one place the longest. One inside a word is none."""
    found = [(kind, match.start(), match.end()) for kind in _kinds() for match in kind.label.finditer(text)]
    kept: list[tuple[_Kind, int, int]] = []
    for one in sorted(found, key=lambda f: (f[1] - f[2], f[1])):
        if all(one[2] <= start or end <= one[1] for _, start, end in kept) and _stands_free(text, one[1]):
            kept.append(one)
    return sorted(kept, key=lambda f: f[1])


def _stands_free(text: str, start: int) -> bool:
    """A label begins a text, or comes behind a blank, a mark or the unit of the value before it (r/minFREQ.)."""
    before = text[:start].rstrip()
    return (
        not before or start > len(before) or not before[-1].isalnum() or re.search(r"\d\s*[a-z/]+$", before) is not None
    )


def _printed(text: str, start: int, end: int) -> str:
    """A stretch of a text as printed; folding hardly ever changes lengths, and then the folded text is given."""
    return text[start:end] if len(fold(text)) == len(text) else fold(text)[start:end]


def _beside(label: Text, texts: Sequence[Text]) -> Text | None:
    """The nearest text to the right on the same line that is no label itself."""
    _, top, right, bottom = label.box
    height = bottom - top
    best: Text | None = None
    for text in texts:
        a, b, _, d = text.box
        overlap = min(bottom, d) - max(top, b)
        if text is label or a < right - height // 3 or a - right > 8 * height or overlap < 0.5 * min(height, d - b):
            continue
        if best is None or a < best.box[0]:
            best = text
    return best if best is not None and not _labels_in(fold(best.text)) else None


def _unlabelled(text: Text) -> Iterator[PlateField]:
    """A maker, a product, or a number with a unit that says of what it is."""
    said = fold(text.text).strip()
    if _MAKER.search(said) and not any(c.isdigit() for c in said):
        yield PlateField("maker", "", text.text.strip(), "", None, text.score, text.box)
        return
    if _PRODUCT.search(said) and not any(c.isdigit() for c in said):
        yield PlateField("product", "", text.text.strip(), "", None, text.score, text.box)
        return
    for kind in _kinds():
        if kind.units is not None and kind.name in ("power", "voltage", "current", "frequency", "speed"):
            match = kind.units.fullmatch(said)
            if match:
                yield _field(kind, "", text.text.strip(), text.score, text.box)
                return
        if kind.name == "protection" and kind.values is not None and kind.values.fullmatch(said):
            yield _field(kind, "", text.text.strip(), text.score, text.box)
            return


def _field(kind: _Kind, label: str, printed: str, score: float, box: Box) -> PlateField:
    """A value with its unit, as its kind is written."""
    said = fold(printed)
    bare = PlateField(kind.name, label.strip(), printed, "", None, score, box)
    if kind.units is not None and kind.bare is not None:
        match = kind.units.fullmatch(said) or kind.bare.fullmatch(said)
        if match is None:
            return replace(bare, flags=("bad-form",))
        value, unit = (_printed(printed, *match.span(group)).strip() for group in (1, 2))
        sure = kind.units.fullmatch(said) is not None
        return replace(bare, value=value, unit=unit, number=number_of(value), flags=() if sure else ("unit-unsure",))
    if kind.name == "year":
        year = _YEAR.search(said)
        return replace(bare, number=float(year[1])) if year else replace(bare, flags=("bad-form",))
    form = kind.values or (_VALUE_OF_TYPE if kind.name == "type" else None)
    return bare if form is None or form.fullmatch(said) else replace(bare, flags=("bad-form",))


def _checked(
    field: PlateField, perception: Perception, settings: NameplateSettings, pixels: Pixels | None
) -> PlateField:
    """With a flag for what may be wrong with it."""
    width, height = perception.size
    left, top, right, bottom = field.box
    flags = list(field.flags)
    if field.score < settings.sure_score:
        flags.append("low-score")
    if left <= 2 or top <= 2 or right >= width - 2 or bottom >= height - 2:
        flags.append("at-edge")
    if field.name in ("type", "serial"):
        glaring = perception.quality is not None and perception.quality.glare < _GLARE
        if glaring or (pixels is not None and may_hide(pixels, _value_box(field))):
            flags.append("hidden")
    return replace(field, flags=tuple(dict.fromkeys(flags)))


def _value_box(field: PlateField) -> Box:
    """Where the value stands in a box that may hold its label too, by the widths of their characters."""
    left, top, right, bottom = field.box
    label = sum(2 if char > "\u2e80" else 1 for char in field.label)
    share = (label + 0.8) / (label + 1 + len(field.value)) if label else 0.0
    return int(left + (right - left) * share), top, right, bottom


def _once(fields: Sequence[PlateField]) -> list[PlateField]:
    """Each field once; where two values were read, the first, with a flag."""
    kept: dict[str, PlateField] = {}
    for field in fields:
        before = kept.get(field.name)
        if before is None:
            kept[field.name] = field
        elif fold(before.value) != fold(field.value) and field.name not in ("product", "maker"):
            kept[field.name] = replace(before, flags=tuple(dict.fromkeys((*before.flags, "two-values"))))
    return list(kept.values())
