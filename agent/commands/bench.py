"""`watchkeeper bench`: what this box does with a model, as a table to paste; the best is used from then on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.console import complain, emit
from agent.env import Env
from agent.errors import ModelError, SettingsError, WeightsMissing
from agent.model.bench import Bench, Row, is_disturbed, pick
from agent.model.machine import MachineNotes, Remembered, describe_box, settle
from agent.settings import ModelSettings
from agent.weights.ladder import RULES, choose_rungs, look_at_machine

__all__ = ["commands", "model_to_measure", "notes_of", "sha256_of"]

_MODEL = typer.Option("", "--model", metavar="NAME", help="A model of the catalogue; else the one that answers here.")
_COLUMNS = ("threads", "context in", "projector", "reads tok/s", "writes tok/s", "first token", "load", "photo", "peak")


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(help="Measure this box.", no_args_is_help=True)

    @app.callback()
    def bench() -> None:
        """Measure this box."""

    @app.command("model")
    def bench_model(
        context: typer.Context,
        name: str = _MODEL,
        quick: Annotated[bool, typer.Option("--quick", help="Fewer and shorter trials.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    ) -> None:
        """Try a model with several numbers of threads, types of context and projectors; the best is remembered.

        Example: watchkeeper bench model --quick
        """
        measure(context.obj, name, quick=quick, as_json=as_json)

    return app


def measure(env: Env, name: str, *, quick: bool, as_json: bool) -> None:
    """Run the trials, print them, remember the best.

    :raises SettingsError: no such model.
    :raises WeightsError: no model is here, or its files are bad.
    :raises ModelError: it does not fit, or no trial worked.
    """
    chosen = model_to_measure(env, name)
    files = env.weights.verified(chosen)
    free = look_at_machine(env.weights.folder).free_ram_bytes
    settled = settle(env.settings.model, files, free_bytes=free)
    trials = Bench(files, settled.cores, settled.settings, env.settings.workers, quick=quick)
    rows = []
    with _progress(trials.trials) as step:
        for row in trials.rows():
            step(_told(row))
            rows.append(row)
        best = pick(rows, noise=settled.settings.bench_noise)
        if best is None:
            raise ModelError(f"{chosen}: no trial worked; the last: {rows[-1].problem}")
        bytes_per_s = trials.bandwidth(best.threads)
    kept = not is_disturbed(rows, share=settled.settings.bench_others)
    then = _then(env.settings.model, rows, kept=kept)
    values = [_value(chosen, row, bytes_per_s) for row in rows]
    for value in values if as_json else ():
        emit(value, as_json=True, human="")
    summary = {
        "model": chosen,
        "box": describe_box(),
        "bytes_per_s": round(bytes_per_s),
        "best": asdict(best),
        "kept": kept,
    }
    emit(summary, as_json=as_json, human=lambda: _table(chosen, rows, best, bytes_per_s, then=then))
    if kept:
        _remember(env, files.digests["model"], best)


def model_to_measure(env: Env, name: str = "") -> str:
    """A model by name, or the one that answers on this box.

    :raises SettingsError: no such model.
    :raises WeightsMissing: no model is here.
    """
    wanted = name or env.settings.model.name
    if name == RULES:
        raise SettingsError(f"--model: {RULES} has no weights to measure; name a model of the catalogue")
    machine = look_at_machine(env.weights.folder).within(env.settings.model.max_ram_bytes)
    first = choose_rungs(machine, env.weights.present(), wanted="auto" if wanted == RULES else wanted)[0]
    if first == RULES:
        raise WeightsMissing("no model is here to measure; get one: watchkeeper weights pull")
    return first


def sha256_of(env: Env, name: str) -> str:
    """Digest that names the weights of a model; empty where none was ever found."""
    entry = env.weights.catalogue.entry(name)
    file = next(file for file in entry.files if file.role == "model")
    pin = env.weights.pin(entry, file)
    return file.sha256 or (pin.sha256 if pin else "")


def notes_of(env: Env) -> MachineNotes:
    """What was measured on this box."""
    return MachineNotes(env.home.cache)


def _remember(env: Env, digest: str, best: Remembered) -> None:
    try:
        notes_of(env).remember(digest, best)
    except OSError as error:
        complain(f"{env.home.cache}: the result cannot be kept: {error.strerror}; it is used once it can")


@contextmanager
def _progress(trials: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, lines elsewhere; on stderr, so that stdout stays the result."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: print(text, file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("measuring", total=trials)

        def step(text: str) -> None:
            progress.console.print(text, markup=False, highlight=False)
            progress.advance(task)

        yield step


def _told(row: Row) -> str:
    """A row while the others still run."""
    what = f"{row.threads} threads, {row.projector or row.kv_type}"
    if row.problem:
        return f"{what}: {row.problem}"
    if row.projector:
        return f"{what}: a small photo {row.encode_ms:.0f} ms"
    return f"{what}: reads {row.read_tok_s:.0f}, writes {row.write_tok_s:.1f} tok/s"


def _value(name: str, row: Row, bytes_per_s: float) -> dict[str, object]:
    figures = {key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(row).items()}
    return {"model": name, **figures, "write_tok_s_per_gb_s": _per_bandwidth(row.write_tok_s, bytes_per_s)}


def _per_bandwidth(tok_s: float, bytes_per_s: float) -> float | None:
    return round(tok_s / (bytes_per_s / 1e9), 2) if bytes_per_s else None


def _table(name: str, rows: Sequence[Row], best: Remembered, bytes_per_s: float, *, then: str) -> str:
    """Markdown."""
    lines = [f"{name} on {describe_box()}; llama-cpp-python {version('llama-cpp-python')}", ""]
    lines += [f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows if not row.problem]
    lines += [f"- {_told(row)}" for row in rows if row.problem]
    if bytes_per_s:
        per = _per_bandwidth(best.write_tok_s, bytes_per_s)
        lines += ["", f"memory {bytes_per_s / 1e9:.1f} GB/s; {per} tok/s written for each GB/s"]
    projector = f", projector {best.projector}" if best.projector else ""
    lines += ["", f"best: {best.threads} threads, context in {best.kv_type}{projector}; {then}"]
    return "\n".join(lines)


def _then(settings: ModelSettings, rows: Sequence[Row], *, kept: bool) -> str:
    """What becomes of the result."""
    if not kept:
        others = max(row.others for row in rows)
        return f"not kept: other programs took {others:.0%} of the box; stop them and measure again"
    named = [name for name, said in (("threads", settings.threads), ("kv_type", settings.kv_type != "auto")) if said]
    return "used from now on" + (f", except {' and '.join(named)}, which the settings name" if named else "")


def _cells(row: Row) -> Sequence[str]:
    return (
        str(row.threads),
        row.kv_type,
        row.projector or "-",
        f"{row.read_tok_s:.0f}" if row.read_tok_s else "-",
        f"{row.write_tok_s:.1f}" if row.write_tok_s else "-",
        f"{row.first_token_ms / 1_000:.2f} s" if row.first_token_ms else "-",
        f"{row.load_ms / 1_000:.2f} s",
        f"{row.encode_ms:.0f} ms" if row.encode_ms else "-",
        f"{row.peak_bytes / 1e6:.0f} MB" if row.peak_bytes else "-",
    )
