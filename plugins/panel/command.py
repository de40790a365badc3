"""`watchkeeper panel IMAGE...`: what the box reads from photos, for people or as JSON."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.api import Env, Perception, Photo, PhotoError, emit, load_photo
from agent.console import complain
from agent.panel_records import position_words
from agent.photo import photo_path

__all__ = ["add_panel_command"]

_WIDTH = 110
_BAD_INPUT = 2


def add_panel_command(cli: typer.Typer, perceive: Callable[[Photo, Env], Perception]) -> None:
    """Add the command.

    :param perceive: reads one photo.
    """

    @cli.command("panel", epilog="Example: watchkeeper panel boiler.jpg pump.png --json")
    def panel(
        context: typer.Context,
        images: Annotated[list[str], typer.Argument(help="JPEG, PNG, WebP or HEIC files.", metavar="IMAGE...")],
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    ) -> None:
        """Read machine panels: texts, readings, lamps and alarm rows."""
        problems: list[str] = []
        for image in images:
            try:
                photo = load_photo(photo_path(image), context.obj.settings.photo, name=image)
                perception = perceive(photo, context.obj)
            except PhotoError as error:
                problems.append(str(error))
                if as_json:
                    emit({"image": image, "error": str(error)}, as_json=True, human=str)
                continue
            body = {"image": image, **perception.to_json()}
            emit(body, as_json=as_json, human=partial(_report, image, perception))
        complain(*problems)
        if problems:
            raise typer.Exit(_BAD_INPUT)


def _report(name: str, seen: Perception) -> str:
    """Readings, lamps and alarms as tables. Texts of the photo are printed as they are, never as markup."""
    console = Console(file=io.StringIO(), width=_WIDTH, force_terminal=False)
    console.print(Text(f"{name}: {seen.size[0]}×{seen.size[1]}, {len(seen.texts)} texts, {seen.ms:.0f} ms"))
    for note in seen.notes:
        console.print(Text(f"note: {note}"))
    if seen.readings:
        console.print(_readings(seen))
    if seen.lamps:
        rows = [(f"L{i}", x.label, x.color, x.state) for i, x in enumerate(seen.lamps, start=1)]
        console.print(_table(("", "lamp", "colour", "state"), rows))
    if seen.alarms:
        headings = tuple(dict.fromkeys(heading for row in seen.alarms for heading in row.cells))
        console.print(_table(headings, [tuple(row.cells.get(h, "") for h in headings) for row in seen.alarms]))
    file = console.file
    return file.getvalue().rstrip() if isinstance(file, io.StringIO) else ""


def _readings(seen: Perception) -> Table:
    rows = [
        (
            f"R{number}",
            reading.label or "–",
            "no value" if reading.value is None else reading.value,
            reading.unit,
            position_words(reading.box, seen.size)["en"],
            ", ".join(reading.flags),
        )
        for number, reading in enumerate(seen.readings, start=1)
    ]
    return _table(("", "reading", "value", "unit", "where", "check"), rows)


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
