"""`watchkeeper watch SOURCE`: a panel is looked at again and again; readings and events go to the log."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from agent.api import Env, Observation, Perception, Photo, emit
from agent.console import complain
from plugins.panel.profiles import Profile, ProfileStore
from plugins.panel.service import PanelService
from plugins.panel.watching import FrameGate, Watcher, open_source

__all__ = ["add_watch_command"]


def add_watch_command(cli: typer.Typer, service: PanelService) -> None:
    """Add the command.

    :param service: reads photos.
    """

    @cli.command("watch", epilog="Example: watchkeeper watch /dev/video0 --profile boiler-1")
    def watch(
        context: typer.Context,
        source: Annotated[str, typer.Argument(help="A folder that photos arrive in, /dev/video0, or rtsp://….")],
        profile: Annotated[str, typer.Option(help="Read the known fields of this panel only.")] = "",
        once: Annotated[bool, typer.Option("--once", help="End with what is there now.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one look a line.")] = False,
    ) -> None:
        """Watch a panel: read it when it changes, write readings and events to the log."""
        env: Env = context.obj
        known = ProfileStore(env.home.profiles).load(profile) if profile else None
        frames = open_source(source, env.settings.watching, env.settings.photo, once=once)
        watcher = Watcher(
            frames,
            profile or frames.name,
            FrameGate(env.settings.watching.gate_levels),
            _reader(service, known, env),
            told=lambda observation: _tell(observation, context, env, as_json=as_json),
            problem=complain,
            now=env.now,
        )
        with _until_signal() as stopped:
            count = watcher.run(stopped)
        if not as_json:
            typer.echo(f"{count.frames} frames, {count.read} read, {count.events} events, {count.problems} problems")


def _reader(
    service: PanelService, known: Profile | None, env: Env
) -> Callable[[Photo, Mapping[str, float]], Perception]:
    if known is None:
        return lambda photo, last: service.perceive(photo, env)
    return lambda photo, last: service.read_known(photo, known, env, last)


def _tell(observation: Observation, context: typer.Context, env: Env, *, as_json: bool) -> None:
    host: Any = context.meta["plugins"]
    troubles = len(host.troubles)
    host.observed(observation, env)
    complain(*host.troubles[troubles:])
    body = {
        "at": observation.at.isoformat(timespec="seconds"),
        "source": observation.source,
        "photo": observation.seen.photo,
        "ms": round(observation.seen.ms, 1),
        "unread": observation.seen.unread,
        "readings": [reading.to_json() for reading in observation.seen.readings],
        "lamps": [lamp.to_json() for lamp in observation.seen.lamps],
        "events": [
            {"tag": e.tag, "text": e.text, "kind": e.kind, "state": e.state, "priority": e.priority, "time": e.time}
            for e in observation.events
        ],
    }
    emit(body, as_json=as_json, human=lambda: _line(observation))


def _line(observation: Observation) -> str:
    """One line for a look, and one for each event."""
    seen = observation.seen
    trusted = sum(1 for reading in seen.readings if reading.value is not None and not reading.flags)
    doubted = len(seen.readings) - trusted
    at = f"{observation.at:%H:%M:%S}"
    head = f"{at} {observation.source}: {trusted} readings, {doubted} to check, {seen.ms:.0f} ms"
    lines = [f"{at} {observation.source}: {seen.unread}" if seen.unread else head]
    lines += [f"         {e.kind} {e.state}: {e.text} {e.time}".rstrip() for e in observation.events]
    return "\n".join(lines)


@contextmanager
def _until_signal() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and a service manager's stop end a watch in good order."""
    stop = threading.Event()
    old = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop.is_set
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
