"""What a plugin can do. Every hook is optional; an implementation may take fewer arguments than the specification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pluggy
import typer

from agent.env import Env
from agent.messages import ToolCall
from agent.model.protocol import Model
from agent.observation import Observation
from agent.orders import Due, Heard, Orders
from agent.perception import Perception, Text
from agent.photo import Photo
from agent.reports.values import Evidence, Machine
from agent.series import Series, SeriesReader
from agent.sites import Site
from agent.times import Period
from agent.tools import Tool, TurnView
from agent.turn_record import TurnRecord
from agent.values import Record, Said, Term, ToolResult

__all__ = ["PROJECT", "Finding", "PhotoReader", "Veto", "hookimpl", "hookspec"]

PROJECT = "watchkeeper"
"""Entry-point group and pluggy project name."""

PhotoReader = Callable[[Photo], Perception | None]
"""A picture → what the plugin that reads photos finds on it; None where none does. Raises PhotoError."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class Veto:
    """A refusal of a tool call."""

    reason: str
    said: Said | None = None
    """The same for a person, in both languages; None: `reason` is said as it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `watchkeeper doctor`."""

    name: str
    ok: bool
    text: str
    """What is so and, where not ok, what to do."""


@hookspec
def register_tools(  # type: ignore[empty-body]
    env: Env, series: SeriesReader, read_photo: PhotoReader
) -> Iterable[Tool]:
    """The tools this plugin brings.

    :param env: kept by the plugin for as long as it is loaded.
    :param series: reads the series of every plugin that stores some (`read_series`); kept as `env` is.
    :param read_photo: reads a picture that the plugin took itself (`perceive`); kept as `env` is.
    """


@hookspec
def register_commands(cli: typer.Typer) -> None:
    """Add commands to the command line. A command finds its `Env` in `typer.Context.obj`.

    :param cli: the root application; add a sub-application under a name of your own.
    """


@hookspec
def register_sites(env: Env) -> Iterable[Site]:  # type: ignore[empty-body]
    """Pages of this plugin's own on the server; asked once, when the server starts."""


@hookspec(firstresult=True)
def perceive(photo: Photo, env: Env) -> Perception | None:
    """Read a photo. The first plugin that returns a perception is believed; None passes it on.

    :param photo: decoded, upright, bounded.
    :raises PhotoError: the photo cannot be read.
    """


@hookspec(firstresult=True)
def read_page(photo: Photo, env: Env) -> tuple[Text, ...] | None:
    """Read the text on a picture of a page, or of a part of one; None where this plugin cannot now.

    :param photo: small print: it is read at the size it has, without looking for lamps or values.
    """


@hookspec
def find_terms(question: str, env: Env) -> Iterable[Term]:  # type: ignore[empty-body]
    """Names this plugin knows (a tag, an alarm text, an area) that occur in the person's own words.

    :param question: what the person wrote or said, nothing else.
    """


@hookspec(firstresult=True)
def read_orders(question: str, env: Env, heard: Heard, model: Model) -> Orders | None:
    """What a person orders in so many words. The first plugin that finds an order is believed; None: there is none.

    Only what the person typed or said is given here, never the text of a photo, a log or a manual. What is returned
    moves nothing by itself: each call passes vetoes, the tool's own rules and, unless those words say exactly this
    call, a person's approval.

    :param question: what the person wrote or said, nothing else.
    :param model: the one that answers this turn; asking it may load it.
    """


@hookspec
def take_due(env: Env, aloud: bool) -> Iterable[Due]:  # type: ignore[empty-body]
    """What a person ordered before for a time that has come. It is taken once: what is taken here is never given again,
    whatever becomes of it. Asked again and again by a process that stays.

    :param aloud: whether this process can say it where it was ordered (`Due.area`).
    :raises DatabaseError: `watch.db` cannot be used; nothing was taken.
    """


@hookspec
def names_to_hear(env: Env) -> Iterable[str]:  # type: ignore[empty-body]
    """Names of rooms and devices that a person may say, the likelier first, so that they are heard right.

    They help the recogniser and authorise nothing.
    """


@hookspec
def prompt_instructions(question: str, env: Env) -> str | None:
    """A line for the system prompt. It must be the same for every question, or the cached prefix is lost."""


@hookspec
def before_tool_call(call: ToolCall, tool: Tool, turn: TurnView) -> Veto | None:
    """Look at a call before it runs; any Veto stops it."""


@hookspec
def after_tool_call(call: ToolCall, result: ToolResult, turn: TurnView) -> None:
    """Look at a call after it ran."""


@hookspec
def turn_finished(record: TurnRecord) -> None:
    """A turn has ended and is in the audit trail."""


@hookspec
def observed(observation: Observation, env: Env) -> None:
    """A watch looked at a panel: keep its readings, tell somebody about its events.

    :param observation: untrusted as every photo: its texts are data.
    """


@hookspec
def report_machines(env: Env) -> Iterable[Machine]:  # type: ignore[empty-body]
    """The machines that reports can be written about."""


@hookspec
def read_series(  # type: ignore[empty-body]
    tags: Sequence[str], start: datetime, end: datetime, env: Env
) -> Iterable[Series]:
    """Values over time that this plugin stores, or reads from a device that keeps them.

    :param tags: those that it does not know are left out.
    :param start: with `end` a half-open span of the plant's clock.
    :raises WatchkeeperError: they cannot be read; said where no other plugin has them.
    """


@hookspec
def list_events(  # type: ignore[empty-body]
    around: str, tag: str, since: datetime | None, limit: int, env: Env
) -> Iterable[Record]:
    """Events of a log, for people who look through it: newest first.

    :param around: the id of an event, as E17: those before and after it and itself, in order; empty: the latest.
    :param tag: only those of this tag; empty: of every one.
    :param since: only those from then on.
    :raises WatchkeeperError: they cannot be read.
    """


@hookspec
def latest_readings(limit: int, env: Env) -> Iterable[Record]:  # type: ignore[empty-body]
    """The latest value of each series that this plugin stores: newest first, `fields` with tag, value, unit and time.

    :raises WatchkeeperError: they cannot be read.
    """


@hookspec
def report_evidence(machine: Machine, period: Period, env: Env, series: SeriesReader) -> Evidence | None:
    """What this plugin saw of a machine.

    :param period: of the report; events may go back `[reports] history_days` before it.
    :param series: as in `register_tools`.
    :raises WatchkeeperError: it could not look; the report says so in its words, and is made of the rest.
    """


@hookspec
def check_health(env: Env) -> Iterable[Finding]:  # type: ignore[empty-body]
    """What `watchkeeper doctor` should say about this plugin."""


@hookspec
def shutdown(env: Env) -> None:
    """Free what the plugin holds."""
