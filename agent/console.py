"""Output of the command line: a value as one JSON line, or as text for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import typer

__all__ = ["JSON_OPTION", "emit"]

JSON_OPTION = typer.Option(False, "--json", help="Print JSON, one object a line.")


def emit(value: Any, *, as_json: bool, human: Callable[[], str]) -> None:
    """Print a value.

    :param value: what JSON shows; anything json can write, dates as ISO strings.
    :param human: called for the text otherwise.
    """
    typer.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else human())
