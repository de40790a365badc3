"""The command line: `watchkeeper ask|panel|weights|kb|logs|audit|approvals|bench|plugins|modules|update|report|
schedule|voice|serve|tokens|mcp|doctor`.

Plugins add theirs.

Exit codes: 0 done, 2 what was given cannot be used, 3 weights or model, 4 a person has to approve, 5 a record is not
what was written, or an update not what was signed. An error is one line on stderr that says what was wrong, where,
and what to do.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

import typer

from agent.box_start import fitted
from agent.commands import (
    approvals,
    ask,
    audit,
    bench,
    doctor,
    mcp,
    modules,
    plugins,
    report,
    schedule,
    serve,
    update,
    voice,
)
from agent.console import complain
from agent.env import Env, load_env
from agent.errors import WatchkeeperError
from agent.mcp.plugins import MCPPlugin, mcp_plugins
from agent.modules.host import ModuleHost
from agent.modules.plugins import remote_plugins
from agent.modules.remote_plugin import RemotePlugin
from agent.plugin_host import PluginHost, load_plugins
from agent.weights.commands import commands as weights_commands
from knowledge.errors import KnowledgeError

__all__ = ["build_cli", "main"]

_NAME = "watchkeeper"
_BAD_INPUT = 2
_INTERRUPTED = 130
_HELP = (
    "An offline-first agent that reads machine panels, knows the alarm log and the manuals, and answers with sources."
)


def build_cli(host: PluginHost, env: Env) -> typer.Typer:
    """The application with the commands of all plugins."""
    cli = typer.Typer(name=_NAME, help=_HELP, no_args_is_help=True, pretty_exceptions_enable=False)

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env
        context.meta["plugins"] = host

    ask.add_to(cli)
    doctor.add_to(cli)
    cli.add_typer(weights_commands(), name="weights")
    cli.add_typer(audit.commands(), name="audit")
    cli.add_typer(approvals.commands(), name="approvals")
    cli.add_typer(bench.commands(), name="bench")
    cli.add_typer(plugins.commands(), name="plugins")
    cli.add_typer(modules.commands(), name="modules")
    cli.add_typer(update.commands(), name="update")
    report.add_to(cli)
    cli.add_typer(schedule.commands(), name="schedule")
    cli.add_typer(voice.commands(), name="voice")
    serve.add_to(cli)
    mcp.add_to(cli)
    cli.add_typer(serve.token_commands(), name="tokens")
    host.add_commands(cli)
    return cli


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows its number
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    :param arguments: without the program's name; None takes those of the process.
    :returns: the exit code.
    """
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except WatchkeeperError as error:
        return _fail(str(error), error.exit_code)
    except KnowledgeError as error:
        return _fail(str(error), _BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        _say_no_more()
        return 0
    except OSError as error:
        if error.filename is None:
            _say_no_more()
        return _fail(
            f"{error.filename or 'output'}: {error.strerror or error}; free space or choose another", _BAD_INPUT
        )
    except UnicodeEncodeError as error:
        if "surrogates" not in error.reason:
            raise
        return _fail(f"{error.object!r:.200}: holds bytes that are not UTF-8; write it in UTF-8", _BAD_INPUT)
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "format_message"):
            raise
        message = error.format_message().rstrip(".")  # empty where the help was shown instead
        return _fail(f"{message}; see: watchkeeper --help" if message else "", int(error.exit_code))


def _run(arguments: Sequence[str] | None) -> int:
    with fitted(load_env()) as env:
        return _run_on(env, arguments)


def _run_on(env: Env, arguments: Sequence[str] | None) -> int:
    remote: Mapping[str, RemotePlugin | MCPPlugin] = {**remote_plugins(ModuleHost(env)), **mcp_plugins(env)}
    host = load_plugins(off=env.settings.plugins_off, remote=remote)
    try:
        result = build_cli(host, env)(
            list(arguments) if arguments is not None else None, standalone_mode=False, prog_name=_NAME
        )
    except typer.Exit as done:
        result = done.exit_code
    except SystemExit as gone:  # typer says so that the reader of a pipe has gone
        raise gone.__context__ if isinstance(gone.__context__, BrokenPipeError) else gone from None
    finally:
        for plugin in remote.values():
            plugin.shutdown(env)
    if result == _INTERRUPTED:  # typer says so that Ctrl-C was pressed
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _say_no_more() -> None:
    """What stdout goes to takes nothing any more, so Python must not try again to write what is left when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(line: str, code: int) -> int:
    complain(line)
    return code
