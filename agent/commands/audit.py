"""`watchkeeper audit`: the trail of what was done."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from agent.audit import AuditRow, Tip, Trail
from agent.console import emit
from agent.env import Env
from agent.errors import InputError

__all__ = ["commands", "open_trail"]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
_TIP_CHARS = 4_000
"""That are read of what should hold one line."""


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(help="The hash-chained trail of every step.", no_args_is_help=True)

    @app.command()
    def verify(
        context: typer.Context,
        tip: Annotated[str | None, typer.Option(help="A file with an earlier tip; - is standard input.")] = None,
        as_json: JsonFlag = False,
    ) -> None:
        """Check that no row was edited, removed or moved.

        Example: watchkeeper audit verify --tip /media/usb/tip.txt
        """
        kept = None if tip is None else _read_tip(tip)
        with open_trail(context.obj) as trail:
            count = trail.verify(kept=kept)
        emit(
            {"rows": count, "intact": True},
            as_json=as_json,
            human=lambda: f"{count} rows, none edited, missing or moved",
        )

    @app.command("tip")
    def show_tip(
        context: typer.Context,
        out: Annotated[Path | None, typer.Option(help="Write it to this file, on a USB stick say.")] = None,
        as_json: JsonFlag = False,
    ) -> None:
        """Show the end of the trail in one line, to be kept elsewhere (a file, a QR code): `audit verify --tip` then
        notices rows that were deleted from the end.

        Example: watchkeeper audit tip --out /media/usb/tip.txt
        """
        with open_trail(context.obj) as trail:
            tip = trail.tip()
        if out is not None:
            out.write_text(f"{tip}\n", encoding="ascii")
        value = {"rows": tip.rows, "hash": tip.hash, "tip": str(tip)}
        emit(value, as_json=as_json, human=str(tip) if out is None else f"{out}: {tip.rows} rows")

    @app.command("list")
    def list_rows(
        context: typer.Context,
        turn: Annotated[str | None, typer.Option(help="Only the rows of one turn.")] = None,
        newest: Annotated[int, typer.Option(min=1, help="Only the last so many rows.")] = 20,
        as_json: JsonFlag = False,
    ) -> None:
        """Show the last rows.

        Example: watchkeeper audit list --newest 5
        """
        env: Env = context.obj
        with open_trail(env) as trail:
            rows = list(trail.rows(turn=turn, newest=min(newest, env.settings.watch.max_shown_rows)))
        for row in rows:
            emit(_value(row), as_json=as_json, human=_line(row))

    return app


def open_trail(env: Env) -> closing[Trail]:
    """The trail of this box, closed again at the end of the block.

    :raises DatabaseError: `watch.db` cannot be used.
    """
    return closing(Trail(env.home.watch_db, busy_seconds=env.settings.watch.busy_seconds))


def _read_tip(name: str) -> Tip:
    """
    :raises InputError: it cannot be read, or holds no tip.
    """
    if name == "-":
        return Tip.parse(sys.stdin.read(_TIP_CHARS))
    try:
        with Path(name).open(encoding="utf-8", errors="replace") as file:
            text = file.read(_TIP_CHARS)
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read ({error.strerror}); give the file of `watchkeeper audit tip`"
        ) from None
    try:
        return Tip.parse(text)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _value(row: AuditRow) -> dict[str, object]:
    return {"seq": row.seq, "turn": row.turn, "at": row.at, "kind": row.kind, "body": row.body, "hash": row.hash}


def _line(row: AuditRow) -> str:
    body = json.dumps(row.body, ensure_ascii=False)
    return f"{row.seq:>6}  {row.at[:19]}  {row.turn}  {row.kind:<14} {body[:100]}{'…' if len(body) > 100 else ''}"
