"""`watchkeeper ask`: questions from the command line or from a file of JSON lines."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.audit import Trail
from agent.console import complain, emit
from agent.env import Env
from agent.errors import InputError, WatchkeeperError
from agent.model.box_ladder import build_ladder
from agent.panel_records import lamp_record, reading_record
from agent.photo import photo_path
from agent.plugin_host import PluginHost
from agent.turn import Agent, Conversation, TurnRecord

__all__ = ["add_to", "build_agent"]

_SHOWN = 8
"""Readings that `--explain` lists."""
_FALLS: Mapping[str, str] = {"again": "back", "blind": "blind", "previous": "previous"}
"""What `--explain` calls a rung that answers, and not as ever."""


def build_agent(env: Env, plugins: PluginHost) -> Agent:
    """The agent of this box.

    :raises DatabaseError: `watch.db` cannot be used.
    """
    return Agent(
        env, plugins, build_ladder(env), Trail(env.home.watch_db, busy_seconds=env.settings.watch.busy_seconds)
    )


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def ask(
        context: typer.Context,
        questions: Annotated[
            list[str] | None, typer.Argument(help="Each further question continues the conversation.")
        ] = None,
        photo: Annotated[str | None, typer.Option(help="A photo of a panel: JPEG, PNG, WebP or HEIC.")] = None,
        batch: Annotated[Path | None, typer.Option(help='Lines {"question", "photo"?}, each on its own.')] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a question.")] = False,
        explain: Annotated[bool, typer.Option(help="Also show what was read, called and measured.")] = False,
    ) -> None:
        """Ask about a panel, the alarm log or the manuals.

        Example: watchkeeper ask --photo panel.jpg "What does this alarm mean? Did it happen before?"
        """
        if batch is not None and (questions or photo is not None):
            raise InputError("--batch brings its own questions and photos; give either it or them")
        picture = None if photo is None else photo_path(photo)
        agent = build_agent(context.obj, context.meta["plugins"])
        try:
            if batch is not None:
                code = _ask_batch(agent, batch)
            else:
                code = _ask_all(agent, questions or [""], picture, as_json=as_json, explain=explain)
        finally:
            agent.close()
        raise typer.Exit(code)


def _ask_all(agent: Agent, questions: list[str], photo: Path | None, *, as_json: bool, explain: bool) -> int:
    conversation, problems = Conversation(), dict[str, None]()
    if len(questions) > 1:
        agent.ladder.watch()
    for question in questions:
        record = agent.ask(question, photo=photo, conversation=conversation)
        problems |= dict.fromkeys(record.problems)
        shown = _explained if explain else _answered
        emit(record.to_json(), as_json=as_json, human=shown(record))
    complain(*problems)
    return 2 if problems else 0


def _ask_batch(agent: Agent, batch: Path) -> int:
    """Answer each line on its own; one that cannot be answered gives a line with `error`, and the exit code of the
    last.
    """
    code = 0
    most = agent.env.settings.turn.max_batch_line_bytes
    agent.ladder.watch()
    for number, line in _lines(batch, most):
        try:
            asked = _parse(line, most)
            photo = batch.parent / photo_path(asked["photo"]) if asked.get("photo") else None
            value = agent.ask(asked["question"], photo=photo).to_json()
            code = 2 if value["problems"] else code
        except WatchkeeperError as error:
            code = error.exit_code
            value = {"line": number, "error": str(error), "exit_code": error.exit_code}
        emit(value, as_json=True, human=str)
    return code


def _lines(batch: Path, most: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their number, blank ones left out. One that is too long comes cut off one byte after `most`."""
    try:
        if not stat.S_ISREG(batch.stat().st_mode):
            raise InputError(f"{batch}: is not a plain file; give a file of JSON lines")
        with batch.open("rb") as file:
            number = 0
            while line := file.readline(most + 1):
                number += 1
                rest = line
                while len(rest) > most and not rest.endswith(b"\n"):
                    rest = file.readline(most + 1)
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError(f"{batch}: cannot be read: {error.strerror}") from None


def _parse(line: bytes, most: int) -> dict[str, Any]:
    if len(line) > most:
        raise InputError(f"the line is longer than {most} bytes; shorten the question")
    try:
        asked = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a JSON object: {error}") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("question"), str):
        raise InputError('a line must be an object with "question", and "photo" where there is one')
    if not isinstance(asked.get("photo") or "", str):
        raise InputError('"photo" must be the name of a file')
    return asked


def _answered(record: TurnRecord) -> str:
    return record.answer.text


def _explained(record: TurnRecord) -> str:
    lines = [f"? {record.question}", f"  rung      {record.rung}"]
    lines += [
        f"  {'restarted' if fall.started_again else _FALLS.get(fall.kind, 'left'):<9} {fall.rung}: {fall.reason}"
        for fall in record.falls
    ]
    seen = record.perception
    if seen is not None:
        lines.append(f"  read      {len(seen.texts)} texts, {len(seen.readings)} readings, {len(seen.lamps)} lamps")
        shown = [reading_record(seen, i).line for i in range(len(seen.readings))][:_SHOWN]
        shown += [lamp_record(seen, i).line for i in range(len(seen.lamps))][:_SHOWN]
        lines += [f"            {line[record.answer.language]}" for line in shown]
    lines += [
        f"  call      {call.tool} {json.dumps(dict(call.arguments), ensure_ascii=False)}" for call in record.calls
    ]
    lines.append("  ms        " + "  ".join(f"{stage} {ms:.0f}" for stage, ms in record.stages_ms.items()))
    used = record.usage
    lines.append(
        f"  tokens    prompt {used.prompt_tokens} (reused {used.reused_tokens}), sampled {used.sampled_tokens}, "
        f"forced {used.forced_tokens}, replies from the cache {used.cached_replies}"
    )
    return "\n".join([*lines, "", record.answer.text, ""])
