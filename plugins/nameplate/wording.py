"""A plate and its standing as an answer states them, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Perception, Record, Said, say
from plugins.nameplate.lists import Found
from plugins.nameplate.plate import name_of
from plugins.nameplate.types import types_in
from plugins.nameplate.values import FLAGS, Entry, Plate, PlateField

__all__ = ["doubts", "field_record", "no_list", "row_record", "standing_line", "unreadable"]


def field_record(plate: Plate, index: int) -> Record:
    """A field, with what speaks against it."""
    field = plate.fields[index]
    name, doubt = name_of(field.name), doubts(field)
    shown = f"{field.value} {field.unit}".strip()
    zh = f"{name['zh']}:{shown}{doubt['zh']}"
    fields = {"name": field.name, "value": field.value, "unit": field.unit, "flags": ",".join(field.flags)}
    return Record(f"P{index + 1}", "plate", say(zh, f"{name['en']}: {shown}{doubt['en']}"), fields)


def doubts(field: PlateField) -> Said:
    """Why a field has to be checked, in brackets; empty where it is sure."""
    said = [FLAGS[flag] for flag in field.flags]
    if not said:
        return say("", "")
    return say(f"({';'.join(s['zh'] for s in said)},请核对)", f" ({'; '.join(s['en'] for s in said)}; check it)")


def row_record(number: int, entry: Entry) -> Record:
    """A row of a list word for word, with its article."""
    line = say(f"{entry.title}:“{entry.row}”", f"{entry.title}: “{entry.row}”")
    fields = {"types": entry.types, "successor": entry.successor, "row": entry.row}
    return Record(f"T{number}", "list", line, fields, entry.citation)


def standing_line(wanted: str, found: Found, lists: Sequence[str], field: PlateField | None) -> Said:
    """How a type stands, and what to do where that is not sure."""
    entry = found.entries[0] if found.entries else None
    place = f" [{entry.citation}]" if entry else ""
    near = ", ".join(dict.fromkeys(found.near))
    match found.standing:
        case "listed":
            successor = entry.successor if entry else ""
            return say(
                f"结论:{wanted} 在淘汰清单内{place}"
                + (f";清单给出的替代型号:{successor}" if successor else ";清单没有给出替代型号"),
                f"Verdict: {wanted} is on the list to be phased out{place}"
                + (f"; successor by the list: {successor}" if successor else "; the list names no successor"),
            )
        case "conditional":
            return say(
                f"结论:{wanted} 列在清单内,但该行带有条件,请人工核对{place}",
                f"Verdict: {wanted} stands on the list, under a condition in its row that a person has to check{place}",
            )
        case "unsure":
            doubt = doubts(field) if field else say("", "")
            held = ", ".join(dict.fromkeys(t for one in found.entries for t in types_in(one.types) or [one.types]))
            zh = f",与清单中的 {held} 可能相同" if held else ",清单没有列出这样的型号"
            en = f" and may be {held} of the list" if held else ", which no list names"
            return say(
                f"结论:无法判断:铭牌型号读作 {wanted}{doubt['zh']}{zh},请对照铭牌核对",
                f"Verdict: unknown: the type was read as {wanted}{doubt['en']}{en}; compare it with the plate",
            )
        case _:
            other = say(f";{near} 在清单内,但与它不是同一型号", f"; {near} is on it and is not the same type")
            names = "、".join(lists)
            return say(
                f"结论:清单({names})没有列出 {wanted},不能据此判断是否淘汰{other['zh'] if near else ''}",
                f"Verdict: the lists here ({names}) do not name {wanted}, so they do not say whether it has to go"
                f"{other['en'] if near else ''}",
            )


def unreadable(perception: Perception | None) -> Said:
    """What to do where no plate was read."""
    advice = perception.quality.advice[:1] if perception is not None and perception.quality is not None else ()
    zh, en = (
        (advice[0]["zh"], advice[0]["en"])
        if advice
        else ("请正对铭牌、靠近、避开反光再拍", "hold the camera square and close, without reflections")
    )
    if perception is None:
        return say("没有照片:请拍下铭牌,或写出型号", "there is no photo: photograph the plate, or write its type")
    return say(f"照片上没有读到铭牌的型号:{zh}", f"no type of a plate was read from the photo: {en}")


def no_list() -> Said:
    """There is nothing to look it up in."""
    return say(
        "结论:无法判断:知识库中没有淘汰清单;用 `watchkeeper kb add 文件` 添加",
        "Verdict: unknown: there is no list of models to be phased out; add one with `watchkeeper kb add FILE`",
    )
