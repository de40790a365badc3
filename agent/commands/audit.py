"""`watchkeeper audit`: the trail of what was done."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Annotated

import typer

from agent.audit import AuditRow, Trail
from agent.console import emit
from agent.env import Env

__all__ = ["commands", "open_trail"]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(help="The hash-chained trail of every step.", no_args_is_help=True)

    @app.command()
    def verify(context: typer.Context, as_json: JsonFlag = False) -> None:
        """Check that no row was edited, removed or moved.

        Example: watchkeeper audit verify
        """
        with open_trail(context.obj) as trail:
            count = trail.verify()
        emit(
            {"rows": count, "intact": True},
            as_json=as_json,
            human=lambda: f"{count} rows, none edited, missing or moved",
        )

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


def _value(row: AuditRow) -> dict[str, object]:
    return {"seq": row.seq, "turn": row.turn, "at": row.at, "kind": row.kind, "body": row.body, "hash": row.hash}


def _line(row: AuditRow) -> str:
    body = json.dumps(row.body, ensure_ascii=False)
    return f"{row.seq:>6}  {row.at[:19]}  {row.turn}  {row.kind:<14} {body[:100]}{'…' if len(body) > 100 else ''}"
