"""`watchkeeper command`: a person's words as orders; with `--home` only what would be done in a home from a file.

With a home nothing is connected to and nothing moves: the answer is what was understood, with slots, devices,
writes, and why.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from agent.api import Env, InputError, Json, emit
from agent.console import JSON_OPTION
from agent.settings import UnderstandingSettings
from plugins.devices.commands.devices import act_on_words
from plugins.devices.maps.homes import HomeFile, home_of, picked, read_home, read_homes
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context, Intent, Reader, Understood
from plugins.devices.understanding.sounds_reader import SoundReader

__all__ = ["add_command", "understood_json"]

_TEXT = typer.Argument("", help="What is said, in Chinese or English.")
_HOME = typer.Option(None, "--home", help="JSON of a home, or of homes by name: understand only, move nothing.")
_NAME = typer.Option("", "--name", help="Which of the homes in --home.")
_AREA = typer.Option("", "--area", help='Where it is said: what "here" means.')
_BATCH = typer.Option(None, "--batch", help='JSON lines {"text", "home", "context"}; one answer a line.')
_DRY = typer.Option(False, "--dry-run", help="Say what would be sent, and send nothing.")


def add_command(cli: typer.Typer, opened: Callable[[Env], Any]) -> None:
    """Add `command` to the root application.

    :param opened: gives the devices of this box, which words without a home are for.
    """

    @cli.command()
    def command(
        context: typer.Context,
        text: str = _TEXT,
        home: Path | None = _HOME,
        name: str = _NAME,
        area: str = _AREA,
        batch: Path | None = _BATCH,
        dry_run: bool = _DRY,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Do what the words say, and say what really happened; with --home say only what they mean.

        Example: watchkeeper command "turn off the kitchen light" --home home.json --json
        """
        settings = context.obj.settings.understanding
        if batch is not None:
            if text:
                raise InputError("give either words or --batch, not both")
            for line in _answers(batch, home, settings, context.obj.now()):
                emit(line, as_json=True, human="")
        elif not text.strip():
            raise InputError('no words: give them, such as "turn off the kitchen light", or --batch FILE')
        elif home is None:
            act_on_words(context, opened(context.obj), text, area=area, dry_run=dry_run, as_json=as_json)
        else:
            understood, took = _understand(
                SoundReader(RuleReader(settings)), text, read_home(home, settings, name), area, context.obj.now()
            )
            told = understood_json(understood, took)
            emit(told, as_json=as_json, human=lambda: _as_text(understood))


def _understand(reader: Reader, text: str, home: HomeFile, area: str, now: datetime) -> tuple[Understood, float]:
    """What was understood, and the milliseconds it took."""
    start = time.perf_counter()
    understood = reader.read(text, home.map, Context(area or home.here, now=now), home.states)
    return understood, (time.perf_counter() - start) * 1000


def understood_json(understood: Understood, milliseconds: float) -> dict[str, Json]:
    """One line of the answer."""
    intents = [_intent_json(intent) for intent in understood.intents]
    actions: list[Json] = [{"intent": intent.name, "slots": dict(intent.slots)} for intent in understood.intents]
    first: dict[str, Json] = {}
    if len(understood.intents) == 1:
        first = {"intent": understood.intents[0].name, "slots": dict(understood.intents[0].slots)}
    return {
        "text": understood.text,
        "language": understood.language,
        **first,
        "actions": actions,
        "intents": list(intents),
        "left": list(understood.left),
        "why": list(understood.why),
        "ms": round(milliseconds, 2),
    }


def _intent_json(intent: Intent) -> dict[str, Json]:
    return {
        "name": intent.name,
        "slots": dict(intent.slots),
        "text": intent.text,
        "devices": list(intent.devices),
        "writes": [asdict(write) for write in intent.writes],
        "problem": {"zh": intent.problem["zh"], "en": intent.problem["en"]} if intent.problem else None,
        "path": intent.path,
        "exact": intent.exact,
        **({"later": [_intent_json(one) for one in intent.later]} if intent.later else {}),
    }


def _as_text(understood: Understood) -> str:
    lines = []
    for intent in understood.intents:
        slots = ", ".join(f"{key}={value}" for key, value in intent.slots.items())
        lines.append(f"{intent.name}({slots})" + ("" if intent.exact else "  (not word for word)"))
        lines += [f"    {write.device}: {write.point} = {write.value} {write.unit}".rstrip() for write in intent.writes]
        if intent.problem:
            lines.append(f"    {intent.problem[understood.language]}")
    lines += [f"not understood: {part}" for part in understood.left]
    return "\n".join(lines or ["nothing is ordered or asked"])


def _answers(
    batch: Path, home: Path | None, settings: UnderstandingSettings, now: datetime
) -> Iterator[dict[str, Json]]:
    """One answer for each line of a file; a line that is wrong is said so in its own answer."""
    homes = read_homes(home, settings) if home is not None else {}
    reader = SoundReader(RuleReader(settings))
    known: dict[str, HomeFile] = {}
    for number, line in enumerate(_lines(batch, settings), start=1):
        where = f"{batch}:{number}"
        try:
            entry = _entry(line, where)
            found = _home(entry.get("home"), homes, known, where, settings)
            understood, took = _understand(reader, entry["text"], found, _area(entry, where), _now(entry, where) or now)
            yield understood_json(understood, took)
        except InputError as error:
            yield {"text": "", "error": str(error), "actions": [], "intents": [], "left": []}


def _lines(batch: Path, settings: UnderstandingSettings) -> Iterator[str]:
    """Lines that hold something.

    :raises InputError: the file cannot be read, or a line is endless.
    """
    try:
        with batch.open(encoding="utf-8", errors="replace") as file:
            while line := file.readline(settings.max_batch_line_chars + 1):
                if len(line) > settings.max_batch_line_chars:
                    raise InputError(f"{batch}: a line is longer than {settings.max_batch_line_chars} letters")
                if line.strip():
                    yield line
    except OSError as error:
        raise InputError(f"{batch}: cannot be read ({error.strerror or error}); give a file of JSON lines") from None


def _entry(line: str, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f'{where}: no JSON; give {{"text", "home", "context"}}') from None
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        raise InputError(f'{where}: "text" is missing or no text')
    return entry


def _area(entry: dict[str, Any], where: str) -> str:
    context = entry.get("context") or {}
    area = context.get("area", "") if isinstance(context, dict) else None
    if not isinstance(area, str):
        raise InputError(f'{where}: "context" must be an object whose "area" is a text')
    return area


def _now(entry: dict[str, Any], where: str) -> datetime | None:
    """Local time where it was said; None: not given."""
    said = (entry.get("context") or {}).get("now")
    try:
        return datetime.fromisoformat(said) if said is not None else None
    except (TypeError, ValueError):
        raise InputError(f'{where}: "now" in "context" must be a time such as 2026-03-02T21:15:00') from None


def _home(
    value: object, homes: dict[str, Any], known: dict[str, HomeFile], where: str, settings: UnderstandingSettings
) -> HomeFile:
    """The home of a line: an object, a path, the name of one of the homes of --home; none is --home itself."""
    if isinstance(value, dict):
        return home_of(value, settings, where=where)
    key = value if isinstance(value, str) else ""
    if key not in known:
        if key and key not in homes and Path(key).is_file():
            known[key] = read_home(Path(key), settings)
        elif key:
            known[key] = home_of(picked(homes, key, where), settings, where=where)
        else:
            known[key] = home_of(homes, settings, where=where)
    return known[key]
