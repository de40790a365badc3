"""Output of the command line: a value as one JSON line or as text for people, and what went wrong as one line.

File names and arguments may hold bytes that are no text; they are shown escaped, so that nothing printed ever fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer

__all__ = ["JSON_OPTION", "complain", "emit"]

_HALF_CHARS = 500
JSON_OPTION = typer.Option(False, "--json", help="Print JSON, one object a line.")


def emit(value: Any, *, as_json: bool, human: str | Callable[[], str]) -> None:
    """Print a value.

    :param value: what JSON shows; anything json can write, dates as ISO strings.
    :param human: the text otherwise, or what makes it where that costs something.
    """
    if as_json:
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = human if isinstance(human, str) else human()
    typer.echo(_printable(text))


def complain(*problems: str) -> None:
    """Say on stderr, in one line, what was wrong; nothing where there is no problem."""
    line = " | ".join(_short(" ".join(problem.split())) for problem in dict.fromkeys(problems))
    if line:
        with suppress(OSError):  # nobody listens any more
            typer.echo(_printable(f"watchkeeper: {line}"), err=True)


def _short(text: str) -> str:
    """Beginning and end, which say where and what to do, of what names something endless."""
    return text if len(text) <= 2 * _HALF_CHARS else f"{text[:_HALF_CHARS]} … {text[-_HALF_CHARS:]}"


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
