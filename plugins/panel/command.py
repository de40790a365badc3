"""`watchkeeper panel IMAGE...`: what the box reads from photos, for people or as JSON."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from agent.api import Env, InputError, Perception, Photo, PhotoError, emit, load_photo, photo_of, upright_photo
from agent.console import JSON_OPTION, complain
from agent.panel_records import position_words
from agent.photo import photo_path
from plugins.panel.overlay import draw_overlay
from plugins.panel.profiles import Profile, ProfileStore, aligned, learn
from plugins.panel.service import PanelService

__all__ = ["add_panel_command"]

_WIDTH = 110
_BAD_INPUT = 2


class _ReadsByDefault(TyperGroup):
    """`watchkeeper panel boiler.jpg` is `watchkeeper panel read boiler.jpg`: most people want nothing else."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front of what is none."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["read", *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


def add_panel_command(cli: typer.Typer, service: PanelService) -> None:
    """Add `panel read|learn|known`.

    :param service: reads photos.
    """
    panel = typer.Typer(
        cls=_ReadsByDefault,
        help="Read machine panels; `panel IMAGE` reads one.",
        epilog="Example: watchkeeper panel boiler.jpg pump.png --json",
    )

    @panel.command("read", epilog="Example: watchkeeper panel boiler.jpg pump.png --json")
    def read(
        context: typer.Context,
        images: Annotated[list[str], typer.Argument(help="JPEG, PNG, WebP or HEIC files.", metavar="IMAGE...")],
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
        overlay: Annotated[Path | None, typer.Option(help="Draw what was read into this PNG; one IMAGE only.")] = None,
        explain: Annotated[bool, typer.Option("--explain", help="Say how every reading was found.")] = False,
        profile: Annotated[str, typer.Option(help="Read the known fields of this panel only.")] = "",
    ) -> None:
        """Read machine panels: texts, readings, lamps and alarm rows."""
        env: Env = context.obj
        if overlay is not None and len(images) > 1:
            raise InputError(f"--overlay {overlay}: is one file, and {len(images)} images were given; give one")
        known = ProfileStore(env.home.profiles).load(profile) if profile else None
        problems: list[str] = []
        for image in images:
            try:
                photo = load_photo(photo_path(image), env.settings.photo, name=image)
                seen = service.read_known(photo, known, env) if known else service.perceive(photo, env)
            except PhotoError as error:
                problems.append(str(error))
                if as_json:
                    emit({"image": image, "error": str(error)}, as_json=True, human=str)
                continue
            body = {"image": image, **seen.to_json()}
            emit(body, as_json=as_json, human=partial(_report, image, seen, explain=explain))
            if overlay is not None:
                _write_overlay(overlay, shown(photo, seen, known), seen)
        complain(*problems)
        if problems:
            raise typer.Exit(_BAD_INPUT)

    @panel.command("learn", epilog="Example: watchkeeper panel learn boiler.jpg --name boiler-1")
    def learn_panel(
        context: typer.Context,
        image: Annotated[str, typer.Argument(help="One good photo or screenshot of the panel.", metavar="IMAGE")],
        name: Annotated[str, typer.Option(help="What the panel is called from now on.")],
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Keep the fields of a panel, so that later photos of it are read faster and checked."""
        env: Env = context.obj
        photo = load_photo(photo_path(image), env.settings.photo, name=image)
        seen = service.perceive(photo, env)
        profile = learn(name, shown(photo, seen, None).pixels, seen)
        path = ProfileStore(env.home.profiles).save(profile)
        body = {"name": name, "fields": len(profile.fields), "lamps": len(profile.lamps), "file": str(path)}
        what = f"{len(profile.fields)} fields and {len(profile.lamps)} lamps"
        emit(body, as_json=as_json, human=f"{name}: {what} are known; ranges can be set in {path}")

    @panel.command("known")
    def known_panels(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
        """The panels that were learnt."""
        store = ProfileStore(context.obj.home.profiles)
        for name in store.names():
            profile = store.load(name)
            body = {"name": name, "fields": len(profile.fields), "lamps": len(profile.lamps)}
            human = f"{name}: {len(profile.fields)} fields, {len(profile.lamps)} lamps"
            emit(body, as_json=as_json, human=human)

    cli.add_typer(panel, name="panel")


def shown(photo: Photo, seen: Perception, known: Profile | None) -> Photo:
    """The image whose pixels the perception's boxes speak of."""
    if known is not None and not seen.unread:
        view = aligned(known, photo.pixels)
        return photo if view is None else photo_of(view, photo.name)
    return upright_photo(photo, seen)


def _write_overlay(path: Path, photo: Photo, seen: Perception) -> None:
    picture = cv2.cvtColor(draw_overlay(photo.pixels, seen), cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", picture)
    try:
        if done:
            path.write_bytes(data.tobytes())
    except OSError as error:
        raise InputError(f"--overlay {path}: cannot be written: {error.strerror}") from None


def _report(name: str, seen: Perception, *, explain: bool) -> str:
    """Readings, lamps and alarms as tables. Texts of the photo are printed as they are, never as markup."""
    console = Console(file=io.StringIO(), width=_WIDTH, force_terminal=False)
    console.print(Text(f"{name}: {seen.size[0]}×{seen.size[1]}, {len(seen.texts)} texts, {seen.ms:.0f} ms"))
    for note in seen.notes:
        console.print(Text(f"note: {note}"))
    for advice in seen.quality.advice if seen.quality else ():
        console.print(Text(f"note: {advice['zh']} / {advice['en']}"))
    if seen.readings:
        console.print(_readings(seen))
    for number, reading in enumerate(seen.readings if explain else (), start=1):
        console.print(Text(f"R{number}: {reading.why}; read by {reading.read_by}, confidence {reading.score:.2f}"))
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
