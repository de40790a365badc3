"""`kb add`, `kb watch`, `kb show`: a folder is followed, scans are read by whoever can, items are shown."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from agent.env import Env
from agent.errors import ManualError
from agent.perception import Text
from agent.photo import Photo
from plugins import manuals
from tests.test_knowledge_formats import scanned
from tests.test_manuals import command


class Reader:
    """Stands for the plugins of a process: one reads pages."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.seen: list[Photo] = []

    def has(self, hook: str) -> bool:
        return hook == "read_page"

    def read_page(self, photo: Photo, env: Env) -> tuple[Text, ...] | None:
        self.seen.append(photo)
        width = photo.size[0]
        first = len(self.seen) == 1
        return (Text(self.text, (width // 5, width // 7, width // 2, width // 6), 0.9),) if first else None


def with_reader(env: Env, reader: Reader, *words: str) -> Result:
    cli = typer.Typer()

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env
        context.meta["plugins"] = reader

    manuals.register_commands(cli)
    return CliRunner().invoke(cli, list(words))


def changes(result: Result) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [(row["change"], Path(row["path"]).name) for row in rows]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\n## 1 Oil\n\nChange it.\n", "utf-8")
    (folder / "b.txt").write_text("1 Belt\nTighten it.\n", "utf-8")
    return folder


def test_the_store_follows_a_folder(env: Env, folder: Path) -> None:
    """What is new is read, changed is read again, renamed keeps its id, removed goes; the same again is silent."""
    watch = ("kb", "watch", str(folder), "--once", "--json")
    assert changes(command(env, *watch)) == [("added", "a.md"), ("added", "b.txt")]
    assert command(env, *watch).stdout == ""
    (folder / "a.md").write_text("# A\n\n## 1 Oil\n\nChange it yearly.\n", "utf-8")
    (folder / "b.txt").rename(folder / "c.txt")
    assert changes(command(env, *watch)) == [("changed", "a.md"), ("moved", "c.txt")]
    (folder / "c.txt").unlink()
    assert changes(command(env, *watch)) == [("removed", "c.txt")]
    assert command(env, "kb", "list").stdout.startswith("M1  A ")


def test_a_bad_file_in_a_folder_is_said(env: Env, folder: Path) -> None:
    """The others are in; the exit code says that something was left out."""
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 cut")
    result = command(env, "kb", "watch", str(folder), "--once")
    assert isinstance(result.exception, ManualError) and "bad.pdf" in str(result.exception)
    assert len(command(env, "kb", "list").stdout.splitlines()) == 2


def test_an_empty_folder_takes_nothing_out(env: Env, folder: Path) -> None:
    """A disk that was taken out is no reason to forget the manuals."""
    command(env, "kb", "watch", str(folder), "--once")
    for file in folder.iterdir():
        file.unlink()
    result = command(env, "kb", "watch", str(folder), "--once")
    assert isinstance(result.exception, ManualError) and "stay in the store" in str(result.exception)
    assert len(command(env, "kb", "list").stdout.splitlines()) == 2


def test_a_watch_ends_in_good_order(env: Env, folder: Path) -> None:
    """A running watch reads what is put in, and a stop signal ends it with exit code 0."""
    environ = {**os.environ, "WATCHKEEPER_HOME": str(env.home.folder), "WATCHKEEPER_KNOWLEDGE__WATCH_SECONDS": "0.1"}
    command_line = [sys.executable, "-m", "agent", "kb", "watch", str(folder), "--json"]
    child = subprocess.Popen(command_line, env=environ, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    assert child.stdout is not None
    with child.stdout:
        first = [json.loads(child.stdout.readline())["change"] for _ in range(2)]
        (folder / "late.md").write_text("# Late\n\nText.", "utf-8")
        late = json.loads(child.stdout.readline())
        child.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert child.wait(timeout=20) == 0 and time.monotonic() - begun < 20
    assert first == ["added", "added"] and late["path"].endswith("late.md")


def test_scanned_pages_are_read_by_a_plugin(env: Env, tmp_path: Path) -> None:
    """A PDF without text is read as pictures, and the line about it says so; nobody who reads: it says what to do."""
    (tmp_path / "scan.pdf").write_bytes(scanned())
    refused = command(env, "kb", "add", str(tmp_path / "scan.pdf"))
    assert isinstance(refused.exception, ManualError) and "put it through OCR first" in str(refused.exception)
    reader = Reader("Oil: ISO VG 46")
    result = with_reader(env, reader, "kb", "add", str(tmp_path / "scan.pdf"))
    assert "1 pages read from pictures: check figures there" in result.stdout
    assert "Oil: ISO VG 46" in command(env, "kb", "show", "M1", "", "--json").stdout
    assert all(photo.pixels.shape[2] == 3 for photo in reader.seen)


def test_one_item_of_a_section_is_shown(env: Env, tmp_path: Path) -> None:
    """`第八十四条（二）` is a place of its own; an item that is not there is said."""
    law = "# 法\n\n第八十四条 有下列行为之一:\n（一）未登记;\n（二）未检验。\n\n第八十五条 泵。\n"
    (tmp_path / "law.md").write_text(law, "utf-8")
    command(env, "kb", "add", str(tmp_path / "law.md"))
    shown = json.loads(command(env, "kb", "show", "M1", "第八十四条（二）", "--json").stdout)
    assert (shown["section"], shown["text"]) == ("第八十四条（二）", "（二）未检验。")
    assert "has no item （九）" in str(command(env, "kb", "show", "M1", "第八十四条（九）").exception)
