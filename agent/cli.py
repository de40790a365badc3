"""The command line: `watchkeeper ask|panel|weights|kb|logs|audit|plugins|doctor`. Plugins add theirs.

Exit codes: 0 done, 2 what was given cannot be used, 3 weights or model, 4 a person has to approve, 5 a record is not
what was written. An error is one line on stderr that says what was wrong, where, and what to do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from agent.commands import ask, audit, doctor, plugins
from agent.env import load_env
from agent.errors import WatchkeeperError
from agent.plugin_host import PluginHost, load_plugins
from agent.weights.commands import commands as weights_commands
from knowledge.errors import KnowledgeError

__all__ = ["build_cli", "main"]

_HELP = (
    "An offline-first agent that reads machine panels, knows the alarm log and the manuals, and answers with sources."
)


def build_cli(host: PluginHost) -> typer.Typer:
    """The application with the commands of all plugins."""
    cli = typer.Typer(name="watchkeeper", help=_HELP, no_args_is_help=True, pretty_exceptions_enable=False)

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = load_env()
        context.meta["plugins"] = host

    ask.add_to(cli)
    doctor.add_to(cli)
    cli.add_typer(weights_commands(), name="weights")
    cli.add_typer(audit.commands(), name="audit")
    cli.add_typer(plugins.commands(), name="plugins")
    host.add_commands(cli)
    return cli


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    :param arguments: without the program's name; None takes those of the process.
    :returns: the exit code.
    """
    try:
        host = load_plugins(off=load_env().settings.plugins_off)
        result = build_cli(host)(list(arguments) if arguments is not None else None, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.Exit as done:
        return done.exit_code
    except WatchkeeperError as error:
        return _say(str(error), error.exit_code)
    except KnowledgeError as error:
        return _say(str(error), 2)
    except (typer.Abort, KeyboardInterrupt):
        return _say("interrupted", 130)
    except BrokenPipeError:
        # The reader of a pipe has gone; nothing more can be said to it, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "format_message"):
            raise
        return _say(f"{error.format_message()}; see: watchkeeper --help", int(error.exit_code))


def _say(line: str, code: int) -> int:
    typer.echo(f"watchkeeper: {' '.join(line.split())}", err=True)
    return code
