"""`watchkeeper plate PHOTO...`: what a type plate says and how its type stands, for people or as JSON."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from agent.api import Env, Language, Perception, PhotoError, emit, load_photo
from agent.console import complain
from agent.photo import photo_path
from agent.plugin_host import PluginHost
from agent.prompt import detect_language
from plugins.nameplate.lists import Found, in_language, look_up
from plugins.nameplate.plate import name_of
from plugins.nameplate.reflections import LastPhoto
from plugins.nameplate.tools import PlateTools
from plugins.nameplate.values import Plate
from plugins.nameplate.wording import doubts, no_list, standing_line, unreadable

__all__ = ["add_plate_command"]

_BAD_INPUT = 2


def add_plate_command(cli: typer.Typer, last: LastPhoto) -> None:
    """Add `plate`.

    :param last: keeps the photo that is looked at.
    """

    @cli.command("plate", epilog="Example: watchkeeper plate motor.jpg --json")
    def plate(
        context: typer.Context,
        photos: Annotated[list[str], typer.Argument(help="JPEG, PNG, WebP or HEIC files.", metavar="PHOTO...")],
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    ) -> None:
        """Read type plates, and look up whether their types are to be phased out."""
        env: Env = context.obj
        plugins: PluginHost | None = context.meta.get("plugins")
        problems: list[str] = []
        for name in photos:
            try:
                photo = load_photo(photo_path(name), env.settings.photo, name=name)
                seen = plugins.perceive(photo, env) if plugins is not None else None
                if seen is None or seen.unread:
                    raise PhotoError(f"{name}: its text cannot be read here: {seen.unread if seen else 'no reader'}")
                _tell(name, seen, env, last, as_json=as_json)
            except PhotoError as error:
                problems.append(str(error))
                if as_json:
                    emit({"image": name, "error": str(error)}, as_json=True, human=str)
        complain(*problems)
        if problems:
            raise typer.Exit(_BAD_INPUT)


def _tell(name: str, seen: Perception, env: Env, last: LastPhoto, *, as_json: bool) -> None:
    """One photo."""
    tools = PlateTools(env, last)
    found = tools.plate(seen)
    kind = found.field("type") if found is not None else None
    entries = tools.entries()
    language = detect_language(" ".join(text.text for text in seen.texts))
    standing = None
    if kind is not None and entries:
        standing = in_language(look_up(kind.value, entries, sure=kind.is_sure), language)
    if kind is None:
        verdict = unreadable(seen)
    elif standing is None:
        verdict = no_list()
    else:
        verdict = standing_line(kind.value, standing, list(dict.fromkeys(e.title for e in entries)), kind)
    body = {
        "image": name,
        "fields": [field.to_json() for field in found.fields] if found is not None else [],
        "standing": "unreadable" if kind is None else standing.standing if standing is not None else "no-list",
        "verdict": dict(verdict),
        "entries": [
            {"row": e.row, "successor": e.successor, "citation": e.citation, "title": e.title}
            for e in (standing.entries if standing is not None else ())
        ],
    }
    emit(body, as_json=as_json, human=partial(_report, name, found, standing, verdict[language], language))


def _report(name: str, plate: Plate | None, standing: Found | None, verdict: str, language: Language) -> str:
    """In the language of the plate."""
    lines = [name]
    for field in plate.fields if plate is not None else ():
        shown = f"{field.value} {field.unit}".strip()
        lines.append(f"  {name_of(field.name)[language]}: {shown}{doubts(field)[language]}")
    lines.append(f"  {verdict}")
    lines += [f"  [{entry.citation}] {entry.row}" for entry in (standing.entries if standing is not None else ())]
    return "\n".join(lines)
