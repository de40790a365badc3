"""Reading manuals in from the command line: bounds from the settings, scanned pages by whoever reads photos, a bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from agent.api import Env, Photo, Text, photo_of
from knowledge.formats.content import Bounds, PageReader
from knowledge.ingest import Added, add_file, many_files
from knowledge.store import KnowledgeStore
from plugins.manuals.tools import open_store

__all__ = ["added_line", "adder", "each_file", "with_progress"]

_BAR_BYTES = 3_000_000
"""Less than this is read before a bar is drawn."""


class _Readers(Protocol):
    """What the plugins of this process can read."""

    def has(self, hook: str) -> bool: ...

    def read_page(self, photo: Photo, env: Env) -> tuple[Text, ...] | None: ...


def adder(context: typer.Context) -> Callable[[Path], Added]:
    """Reads one file into the store of this box, within its settings."""
    env: Env = context.obj
    settings = env.settings.knowledge
    bounds = Bounds(
        max_rows=settings.max_table_rows,
        max_text_bytes=settings.max_text_bytes,
        text_lines=settings.text_lines,
        max_unpacked_bytes=settings.max_unpacked_bytes,
        page_pixels=settings.page_pixels,
        max_scanned_pages=settings.max_scanned_pages,
        scan_score=settings.scan_score,
    )
    return partial(
        add_file,
        open_store(env),
        max_bytes=settings.max_file_bytes,
        max_pages=settings.max_pages,
        passage_chars=settings.passage_chars,
        bounds=bounds,
        reader=_page_reader(context.meta.get("plugins"), env),
    )


def _page_reader(plugins: _Readers | None, env: Env) -> PageReader | None:
    if plugins is None or not plugins.has("read_page"):
        return None

    def read(pixels: NDArray[np.uint8]) -> Sequence[Text]:
        return plugins.read_page(photo_of(pixels, "page"), env) or ()

    return read


def each_file(store: KnowledgeStore, files: Sequence[Path]) -> Iterator[Path]:
    """The files, one after the other, with a bar where it takes a while.

    :raises KnowledgeError: the store cannot be used.
    """
    if len(files) > 1:
        with many_files(store):
            yield from with_progress(files)
    else:
        yield from with_progress(files)


def with_progress(files: Sequence[Path]) -> Iterator[Path]:
    """The files, with a bar on stderr where a person watches and it takes a while: files, bytes and remaining time."""
    sizes = [_size(file) for file in files]
    if sum(sizes) < _BAR_BYTES or not sys.stderr.isatty():
        yield from files
        return
    columns = (
        TextColumn("{task.fields[files]}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("", total=sum(sizes), files=f"0/{len(files)}", rate="")
        for done, (file, size) in enumerate(zip(files, sizes, strict=True), start=1):
            progress.update(task, description=file.name)
            yield file
            elapsed = progress.tasks[0].elapsed or 0.0
            rate = f"{done / elapsed:.1f} files/s" if elapsed else ""
            progress.update(task, advance=size, files=f"{done}/{len(files)}", rate=rate)


def added_line(added: Added) -> str:
    """What was read, for people."""
    pages = f"{added.pages} pages, " if added.pages else ""
    scanned = f", {added.scanned} pages read from pictures: check figures there" if added.scanned else ""
    unread = f", {added.unread} pages are pictures without text that could be read" if added.unread else ""
    holds = f"{pages}{added.passages} passages, {added.limits} limits{scanned}{unread}"
    return f"{added.id}  {added.change}  {added.title} ({added.language}, {holds})"


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
