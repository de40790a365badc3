"""`watchkeeper voice`: one recording answered, or the box as ears, brain and mouth of a house."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from agent.commands.ask import build_agent
from agent.console import JSON_OPTION, complain, emit
from agent.env import Env
from agent.errors import InputError
from agent.orders import Heard
from agent.plugin_host import PluginHost
from agent.turn import Agent
from agent.turn_record import TurnRecord
from agent.voice.opening import open_mouth
from agent.voice.sentences import sentences, spoken_language
from agent.voice.sound import Sound, joined, load_wav, write_wav
from agent.voice.voice import Exchange, Voice

__all__ = ["commands"]

_PAUSE_SECONDS = 0.25
_NOT_UNDERSTOOD = 2


def commands() -> typer.Typer:
    """The commands."""
    cli = typer.Typer(help="Speech: answer a recording, or serve satellites, Home Assistant and the microphone.")
    _add_one(cli)
    _add_say(cli)
    _add_serve(cli)
    return cli


def _add_one(cli: typer.Typer) -> None:
    @cli.callback(invoke_without_command=True)
    def voice(
        context: typer.Context,
        wav: Annotated[Path | None, typer.Option(help="A recording of one utterance.")] = None,
        reply: Annotated[Path | None, typer.Option(help="Where the spoken answer goes, as WAV.")] = None,
        area: Annotated[str, typer.Option(help="The room where it was said: what “here” means.")] = "",
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Answer a recording, and carry out what is ordered in it.

        Example: watchkeeper voice --wav said.wav --reply answer.wav
        """
        if context.invoked_subcommand is not None:
            return
        if wav is None:
            raise InputError("give a recording with --wav, or: watchkeeper voice serve")
        env: Env = context.obj
        sound = load_wav(wav, env.settings.voice)
        exchange = _answer(env, context.meta["plugins"], sound, reply, Heard(area=area))
        emit(exchange.to_json(), as_json=as_json, human=lambda: _told(exchange))
        if exchange.record is None:
            raise typer.Exit(_NOT_UNDERSTOOD)


def _answer(env: Env, plugins: PluginHost, sound: Sound, reply: Path | None, heard: Heard) -> Exchange:
    begun = time.perf_counter()
    voice = Voice(env, lambda: plugins.names_to_hear(env))
    try:
        agent = build_agent(env, plugins)
        try:
            voice.warm(speaks=reply is not None)
            loaded = (time.perf_counter() - begun) * 1000
            pieces: list[Sound] = []
            exchange = voice.converse(sound, _asker(agent), heard=heard, play=pieces.append if reply else None)
        finally:
            agent.close()
        exchange.ms["load"] = loaded
        if reply is not None and pieces:
            write_wav(reply, joined(pieces, pause_seconds=_PAUSE_SECONDS))
        elif reply is not None:
            complain(f"{reply}: not written: {voice.mute or 'there is nothing to say'}")
        return exchange
    finally:
        voice.close()


def _asker(agent: Agent) -> Callable[[str, Heard], TurnRecord]:
    return lambda text, heard: agent.ask(text, heard=heard)


def _told(exchange: Exchange) -> str:
    said = exchange.transcript.text
    return f"» {said}\n{exchange.answer}" if said else exchange.answer


def _add_say(cli: typer.Typer) -> None:
    @cli.command()
    def say(
        context: typer.Context,
        text: Annotated[str, typer.Argument(help="What to say, in Chinese or English.")],
        wav: Annotated[Path, typer.Option(help="Where it goes.")],
    ) -> None:
        """Write what the box's voice says into a WAV file.

        Example: watchkeeper voice say "打开客厅灯" --wav said.wav
        """
        env: Env = context.obj
        mouth = open_mouth(env)
        try:
            limits = env.settings.voice
            each = sentences(text, most_chars=limits.max_reply_chars, most_chars_each=limits.max_sentence_chars)
            pieces = [mouth.say(sentence, spoken_language(sentence, "en")) for sentence in each]
        finally:
            mouth.close()
        if not pieces:
            raise InputError("there is nothing to say in that text; give words")
        write_wav(wav, joined(pieces, pause_seconds=_PAUSE_SECONDS))


def _add_serve(cli: typer.Typer) -> None:
    @cli.command()
    def serve(
        context: typer.Context,
        microphone: Annotated[bool, typer.Option(help="Also listen to the microphone of this box.")] = False,
        area: Annotated[str, typer.Option(help="The room where that microphone is.")] = "",
    ) -> None:
        """Serve the Wyoming protocol to Home Assistant and satellites, until Ctrl-C.

        Where it listens is [voice] host and port in the settings.
        """
        try:
            serving = import_module("agent.voice.serving")
        except ImportError as error:
            raise InputError(f"voice: {error.name} is not installed; pip install 'watchkeeper[voice]'") from None
        env, plugins = context.obj, context.meta["plugins"]
        serving.serve(env, plugins, lambda: build_agent(env, plugins), microphone=microphone, area=area)
