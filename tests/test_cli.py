"""The command line promises: whatever is given, one clear line and an exit code; what can be answered is answered."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from agent.audit import Trail
from agent.cli import run
from tests.bench.plant import EXAMPLE, PANEL, plant_env

MEANING = "循环变频故障是什么?"
BEFORE = "最近三天有没有类似记录?"
HISTORY = ["E247", "E239", "E237"]
NOT_UTF8 = os.fsdecode(b"\xff\xfe")
COMMANDS = [
    ["ask"], ["panel"], ["doctor"], ["weights", "list"], ["weights", "pull"], ["weights", "verify"],
    ["weights", "where"], ["audit", "verify"], ["audit", "list"], ["plugins", "list"], ["kb", "add"], ["kb", "list"],
    ["kb", "search"], ["kb", "show"], ["kb", "remove"], ["logs"], ["logs", "recent"], ["logs", "similar"],
    ["logs", "count"], ["logs", "import"], ["bench", "model"],
]  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a command line gave back."""

    code: int
    out: str
    err: str

    @property
    def values(self) -> list[dict[str, Any]]:
        """The JSON lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    def refused(self, *words: str, code: int = 2) -> None:
        """It is one line on stderr that has these words, and this exit code."""
        assert self.code == code, self
        assert self.err.startswith("watchkeeper: ") and self.err.count("\n") == 1, self.err
        assert len(self.err) < 1500
        assert [word for word in words if word not in self.err] == [], self.err


Cli = Callable[..., Said]


@pytest.fixture
def cli(environ: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command line in this process, on an empty home that waits for nobody."""
    for section in ("WATCH", "LOGS", "KNOWLEDGE"):
        monkeypatch.setenv(f"WATCHKEEPER_{section}__BUSY_SECONDS", "0.1")

    def ran(*arguments: str | Path) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(code, captured.out, captured.err)

    return ran


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample plant, built once."""
    home = tmp_path_factory.mktemp("plant") / "home"
    plant_env(home, model="rules", weights=home / "weights")
    return home


@pytest.fixture
def plant(environ: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the command line with the sample plant in it."""
    shutil.copytree(template, environ)
    monkeypatch.setenv("WATCHKEEPER_CONFIG", str(EXAMPLE / "watchkeeper.toml"))
    return environ


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program has the database for itself."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("PRAGMA user_version = 7")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def spoil(path: Path) -> None:
    """Nothing is left of what was in the file."""
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    path.write_bytes(b"this was a database once " * 400)


def huge_png(side: int = 40_000) -> bytes:
    """A few bytes that say they are side × side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def truncated_jpeg(folder: Path) -> bytes:
    Image.effect_noise((400, 300), 60).save(folder / "whole.jpg")
    return (folder / "whole.jpg").read_bytes()[:2000]


# --- every command: help, JSON, unknown words ---


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(cli: Cli, command: list[str]) -> None:
    """`--help` works on every command and shows one way to use it."""
    said = cli(*command, "--help")
    assert said.code == 0 and said.err == ""
    assert "Example: watchkeeper" in " ".join(said.out.split())


def test_the_list_of_commands_is_complete(cli: Cli) -> None:
    """What is tested here is every command that the program shows."""
    assert {command[0] for command in COMMANDS} == {
        name for name in ("ask", "panel", "weights", "kb", "logs", "audit", "bench", "plugins", "doctor")
        if f" {name} " in cli("--help").out
    }  # fmt: skip


@pytest.mark.parametrize("command", [[], ["weights"], ["kb"], ["audit"], ["plugins"], ["bench"]], ids=" ".join)
def test_half_a_command_shows_the_help(cli: Cli, command: list[str]) -> None:
    """A group alone says what it holds, with exit code 2 and no empty complaint."""
    said = cli(*command)
    assert said.code == 2 and "Usage: watchkeeper" in said.out and said.err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"], ["--nonsense"], ["ask", "--nonsense"], ["ask", "--batch"], ["panel"], ["kb", "nonsense"],
        ["kb", "search", "x", "--limit", "many"], ["kb", "search", "x", "--limit", "0"], ["logs", "similar"],
        ["audit", "list", "--newest", "0"], ["logs", "recent", "--since"], [NOT_UTF8], ["a\0b"],
    ],
    ids=repr,
)  # fmt: skip
def test_unknown_words_are_one_line(cli: Cli, arguments: list[str]) -> None:
    """A command, option or value that does not exist is refused, and where help is to be had is said."""
    cli(*arguments).refused("watchkeeper --help")


def test_json_of_an_answer(cli: Cli, plant: Path) -> None:
    """One object for each question, with what was asked, answered, cited, called and measured."""
    said = cli("ask", "--json", MEANING, BEFORE)
    assert said.code == 0 and said.err == ""
    first, second = said.values
    assert set(first) == {
        "turn", "question", "answer", "language", "parts", "citations", "rung", "falls", "calls", "ms", "tokens",
        "problems",
    }  # fmt: skip
    assert first["citations"] == ["M1 §6.2"] and first["rung"] == "rules" and first["problems"] == []
    assert second["citations"] == HISTORY
    assert second["calls"][0]["name"] == "similar_events"
    assert {"photo", "panel", "model", "tools", "other", "total"} <= set(second["ms"])


def test_json_of_the_rest(cli: Cli, plant: Path) -> None:
    """`--json` prints objects, one a line, for every other command."""
    cli("ask", MEANING)
    assert set(cli("audit", "verify", "--json").values[0]) == {"rows", "intact"}
    rows = cli("audit", "list", "--newest", "999999999999999999999", "--json").values
    assert rows[0]["kind"] == "turn_started" and set(rows[0]) == {"seq", "turn", "at", "kind", "body", "hash"}
    assert {value["plugin"] for value in cli("plugins", "list", "--json").values} >= {"logs", "manuals", "panel"}
    assert {tuple(value) for value in cli("doctor", "--json").values} == {("name", "ok", "text")}
    weights = cli("weights", "list", "--json").values
    assert {"name", "kind", "bytes", "present", "files", "set_aside"} <= set(weights[0])
    assert set(cli("weights", "where", "--json").values[0]) == {"folder"}
    assert {"det", "rec"} <= set(cli("weights", "where", "ocr-small", "--json").values[0]["files"])
    assert cli("weights", "verify", "--json").values == []
    assert [value["id"] for value in cli("kb", "list", "--json").values] == ["M1", "M2", "M3"]
    assert cli("kb", "search", "循环变频故障", "--json").values[0]["document"] == "M1"
    assert cli("kb", "show", "M1", "6.2", "--json").values[0]["section"] == "6.2"
    assert cli("kb", "remove", "M3", "--json").values == [{"removed": "M3"}]
    events = cli("logs", "similar", "循环变频故障", "--since", "3d", "--json").values[0]
    assert [event["id"] for event in events["events"]] == HISTORY and events["total"] == 3
    assert cli("logs", "count", "循环变频故障", "--since", "3d", "--json").values[0]["total"] == 3
    assert cli("logs", "recent", "--since", "1d", "--json").values[0]["events"][0]["id"] == "E248"
    assert cli("logs", "import", EXAMPLE / "alarms.csv", "--json").values[0]["known"] == 248


# --- photos ---


def test_photos_that_cannot_be_used(cli: Cli, plant: Path, tmp_path: Path) -> None:
    """Each is refused in one line, at once, by `ask` and by `panel`, and the trail says so."""
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "cut.jpg").write_bytes(truncated_jpeg(tmp_path))
    (tmp_path / "huge.png").write_bytes(huge_png())
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    cases = {
        "text.png": "not a JPEG, PNG or WebP", "cut.jpg": "cut short", "huge.png": "photo.max_pixels",
        "empty.png": "empty", "pipe.png": "plain file", "missing.png": "no such file",
        ".": "folder", "/dev/zero": "plain file",
        "a\0b.png": "null", os.fsdecode(b"\xff.png"): "no such file", "x" * 5000: "cannot be read",
    }  # fmt: skip
    for name, why in cases.items():
        began = time.monotonic()
        cli("ask", MEANING, "--photo", tmp_path / name).refused(why)
        cli("panel", tmp_path / name).refused(why)
        assert time.monotonic() - began < 2
    kinds = [row.kind for row in trail_rows(plant)]
    assert kinds.count("turn_failed") == len(cases)
    assert cli("audit", "verify").code == 0


def trail_rows(home: Path) -> list[Any]:
    with closing(Trail(home / "watch.db", busy_seconds=1)) as trail:
        return list(trail.rows())


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a.png", "HTTP://example.org/a.png", "ftp://example.org/a", "file:///etc/passwd", "data:,x"],
)
def test_no_address_is_ever_fetched(
    cli: Cli, plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """A URL is no photo, wherever it stands; nobody opens a connection, and it is shown as it was written."""

    def connected(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", connected)
    monkeypatch.setattr(socket.socket, "connect", connected)
    cli("ask", MEANING, "--photo", address).refused(f"{address}: is a URL")
    cli("panel", address).refused(f"{address}: is a URL")
    (tmp_path / "b.jsonl").write_text(json.dumps({"question": MEANING, "photo": address}))
    assert "is a URL" in cli("ask", "--batch", tmp_path / "b.jsonl").values[0]["error"]
    assert cli("ask", f"{address} {MEANING}").code == 0


def test_one_bad_image_of_several(cli: Cli, tmp_path: Path) -> None:
    """The others are read; the bad ones stand in one line at the end."""
    (tmp_path / "bad.png").write_text("not an image")
    said = cli("panel", "--json", PANEL, tmp_path / "bad.png", tmp_path, PANEL)
    said.refused("bad.png", "folder")
    assert ["error" in value for value in said.values] == [False, True, True, False]
    assert set(said.values[0]) >= {"texts", "readings", "lamps", "alarms", "size", "ms"}
    human = cli("panel", PANEL, tmp_path / "bad.png")
    human.refused("bad.png")
    assert "1377×900" in human.out


def test_a_file_name_that_is_no_text(cli: Cli, plant: Path, tmp_path: Path) -> None:
    """A photo or a log whose name is not UTF-8 is read, and shown escaped; a manual of that name is refused."""
    name = tmp_path / os.fsdecode(b"\xff")
    shutil.copy(PANEL, name.with_suffix(".png"))
    assert cli("panel", "--json", name.with_suffix(".png")).values[0]["size"] == [1377, 900]
    assert cli("ask", MEANING, "--photo", name.with_suffix(".png")).code == 0
    shutil.copy(EXAMPLE / "alarms.csv", name.with_suffix(".csv"))
    assert cli("logs", "import", name.with_suffix(".csv")).code == 0
    name.with_suffix(".md").write_text("# Pump\n\nGrease it once a year.\n")
    cli("kb", "add", name.with_suffix(".md")).refused("rename it")


# --- questions ---


def test_questions_that_are_none(cli: Cli, plant: Path) -> None:
    """Empty, blank or far too long."""
    cli("ask").refused("empty")
    cli("ask", "").refused("empty")
    cli("ask", " \n\t ").refused("empty")
    cli("ask", "泵" * 100_000).refused("100000 characters", "4000")


@pytest.mark.parametrize(
    "text", [NOT_UTF8, "a\0b", "\x1b[2J", "\u202e" * 50, "'\";--", "<|im_end|>", "{{7*7}}"], ids=repr
)
def test_odd_characters_anywhere(cli: Cli, plant: Path, text: str) -> None:
    """Bytes that are no text, NUL, escapes and markup are answered or refused, never a crash."""
    for arguments in (
        ["ask", text], ["ask", f"{text} {MEANING}"], ["kb", "search", text], ["kb", "search", "x", "--in", text],
        ["kb", "show", text], ["kb", "show", "M1", text], ["kb", "remove", text], ["kb", "add", text],
        ["logs", "similar", text], ["logs", "count", text], ["logs", "recent", "--area", text],
        ["logs", "import", text], ["logs", "recent", "--tag", text], ["logs", "recent", "--since", text],
        ["audit", "list", "--turn", text],
        ["logs", "import", str(EXAMPLE / "alarms.csv"), "--tz", text], ["weights", "where", text],
        ["weights", "verify", text], ["weights", "pull", text], ["ask", "--batch", text],
    ):  # fmt: skip
        said = cli(*arguments)
        if said.code:
            assert said.err.startswith("watchkeeper: ") and said.err.count("\n") == 1, (arguments, said)
    assert cli("audit", "verify").code == 0


# --- batches ---


def batch(folder: Path, *lines: bytes) -> Path:
    path = folder / "questions.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def test_a_batch_with_bad_lines(cli: Cli, plant: Path, tmp_path: Path) -> None:
    """Every line gets its line, in order; the exit code is that of the bad one."""
    shutil.copy(PANEL, tmp_path / "panel.png")
    good = json.dumps({"question": MEANING}).encode()
    lines = [
        b"\xef\xbb\xbf" + good, b"", b"not json", b"[1]", b'{"question": ""}', b'{"question": 3}', b"\xff\xfe", b"null",
        b'{"question": "x", "photo": 3}', b'{"question": "x", "photo": "missing.png"}', b"[" * 60_000, b"x" * 200_000,
        b'{"question": "x", "photo": "a\\u0000b"}', b'{"question": "\\ud800"}',
        json.dumps({"question": MEANING, "photo": "panel.png"}).encode(), good,
    ]  # fmt: skip
    said = cli("ask", "--batch", batch(tmp_path, *lines))
    assert said.code == 2 and said.err == ""
    assert ["error" in value for value in said.values] == [False] + 12 * [True] + 2 * [False]
    assert [value["line"] for value in said.values if "error" in value] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert {value["exit_code"] for value in said.values if "error" in value} == {2}
    assert said.values[-1]["citations"] == ["M1 §6.2"]


def test_a_good_batch(cli: Cli, plant: Path, tmp_path: Path) -> None:
    """Nothing bad in it: exit code 0."""
    said = cli("ask", "--batch", batch(tmp_path, json.dumps({"question": MEANING}).encode(), b""))
    assert said.code == 0 and len(said.values) == 1


def test_a_batch_that_is_no_file(cli: Cli, plant: Path, tmp_path: Path) -> None:
    """A device, a pipe, a folder or nothing at all is refused at once; so are two sources of questions."""
    os.mkfifo(tmp_path / "pipe")
    for path, why in (
        ("/dev/zero", "plain file"), (tmp_path / "pipe", "plain file"), (tmp_path, "plain file"),
        (tmp_path / "missing", "No such file"), ("a\0b", "null byte"), (NOT_UTF8, "No such file"),
    ):  # fmt: skip
        cli("ask", "--batch", path).refused(why)
    cli("ask", MEANING, "--batch", batch(tmp_path, b"")).refused("--batch")
    cli("ask", "--photo", PANEL, "--batch", batch(tmp_path, b"")).refused("--batch")


# --- databases ---


@pytest.mark.parametrize("harm", ["missing", "locked", "spoiled", "a folder"])
@pytest.mark.parametrize(("name", "left"), [("log.db", "M1 §6.2"), ("knowledge.db", "E247")])
def test_what_can_be_answered_is_answered(cli: Cli, plant: Path, harm: str, name: str, left: str) -> None:
    """With one database gone the other part is answered; the exit code is 2 and one line says what to put right."""
    path = plant / name
    if harm == "locked":
        with held(path):
            said = cli("ask", MEANING, BEFORE)
    else:
        harmed(path, harm)
        said = cli("ask", MEANING, BEFORE)
    said.refused(str(path))
    assert left in said.out and str(path) in said.out
    assert cli("audit", "verify").code == 0


def harmed(path: Path, harm: str) -> None:
    spoil(path)
    if harm != "spoiled":
        path.unlink()
    if harm == "a folder":
        path.mkdir()


@pytest.mark.parametrize("harm", ["locked", "spoiled", "a folder"])
def test_without_a_trail_nothing_is_done(cli: Cli, plant: Path, harm: str) -> None:
    """What cannot be recorded is not done, and `doctor` names it; nothing else is in the way."""
    path = plant / "watch.db"
    cli("ask", MEANING)

    def look() -> None:
        for arguments in (["ask", MEANING], ["audit", "verify"], ["audit", "list"]):
            cli(*arguments).refused(str(path))
        assert cli("kb", "list").code == cli("logs").code == 0
        trail = {value["name"]: value for value in cli("doctor", "--json").values}["audit trail"]
        assert not trail["ok"] and str(path) in trail["text"]

    if harm == "locked":
        with held(path):
            look()
    else:
        harmed(path, harm)
        look()


@pytest.mark.parametrize("harm", ["missing", "locked", "spoiled", "a folder"])
def test_commands_on_a_harmed_database(cli: Cli, plant: Path, harm: str) -> None:
    """Each command that needs it says so in one line, `doctor` too; a missing one is made by what fills it."""
    manual = EXAMPLE / "manuals" / "3-circulation-vfd-zh.md"
    needing = {
        "log.db": [["logs"], ["logs", "recent"], ["logs", "similar", "x"], ["logs", "count", "x"]],
        "knowledge.db": [["kb", "list"], ["kb", "search", "泵"], ["kb", "show", "M1"], ["kb", "remove", "M1"]],
    }
    filling = {"log.db": ["logs", "import", EXAMPLE / "alarms.csv"], "knowledge.db": ["kb", "add", manual]}
    for name, commands in needing.items():
        path = plant / name

        def look(path: Path, commands: list[list[str]]) -> None:
            for arguments in commands:
                if harm != "missing" or arguments[1:2] != ["remove"]:
                    cli(*arguments).refused(str(path))
            findings = cli("doctor", "--json").values
            assert any(not f["ok"] and str(path) in f["text"] for f in findings)
            said = cli(*filling[path.name])
            assert said.code == 0 if harm == "missing" else said.refused(str(path)) is None

        if harm == "locked":
            with held(path):
                look(path, commands)
        else:
            harmed(path, harm)
            look(path, commands)


def test_a_log_with_other_columns(cli: Cli, plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plant's own table is refused with its columns and the key to write; with the key it is read."""
    other = plant / "plant.db"
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE alarms (stamp TEXT, point TEXT, message TEXT)")
    database.execute("INSERT INTO alarms VALUES ('2024-12-15 20:41:00', 'VFD-P1', '循环变频故障')")
    database.commit()
    database.close()
    monkeypatch.setenv("WATCHKEEPER_LOGS__PATH", str(other))
    said = cli("ask", MEANING, BEFORE)
    said.refused("no table events", "alarms", "[logs]")
    assert "M1 §6.2" in said.out
    monkeypatch.setenv("WATCHKEEPER_LOGS__TABLE", "alarms")
    cli("logs").refused("no column time", "stamp, point, message", "[logs.columns]")
    columns = {"time": "stamp", "tag": "point", "text": "message"}
    monkeypatch.setenv("WATCHKEEPER_LOGS__COLUMNS", json.dumps(columns))
    assert "循环变频故障" in cli("logs").out
    assert cli("ask", BEFORE.replace("类似记录", "循环变频故障")).code == 0


# --- manuals and logs that are given ---


def test_manuals_that_cannot_be_read(cli: Cli, tmp_path: Path) -> None:
    """Each is named in one line, the good one among them is in."""
    contents = {
        "empty.md": b"", "headings.md": b"# Only a heading\n", "binary.md": os.urandom(3000), "scan.pdf": b"%PDF-1.7",
        "table.xlsx": b"PK",
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        cli("kb", "add", tmp_path / name).refused(name)
    os.mkfifo(tmp_path / "pipe.md")
    for path in ("/dev/zero", tmp_path / "pipe.md", tmp_path / "missing.md", "a\0b.md"):
        cli("kb", "add", path).refused()
    (tmp_path / "good.md").write_text("# Pump\n\nGrease it once a year.\n")
    said = cli("kb", "add", tmp_path / "empty.md", tmp_path / "good.md", tmp_path / "binary.md")
    said.refused("empty.md", "binary.md")
    assert "good" not in said.err and said.out.startswith("M1  added")


def test_logs_that_cannot_be_imported(cli: Cli, tmp_path: Path) -> None:
    """A picture, an empty file, columns that nobody understands, a device, a pipe."""
    (tmp_path / "empty.csv").touch()
    (tmp_path / "odd.csv").write_text("a,b,c\n1,2,3\n")
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (PANEL, tmp_path / "empty.csv", tmp_path / "odd.csv", tmp_path, "/dev/zero", tmp_path / "pipe.csv"):
        cli("logs", "import", path).refused(str(path))
    cli("logs", "import", EXAMPLE / "alarms.csv", "--tz", "../../etc/passwd").refused("--tz")


@pytest.mark.parametrize(
    "since", ["", "never", "0001-01-01", "9999-12-31", "99999999999999d", "最近99999999999年", "-3d"]
)
def test_spans_of_time_that_are_none(cli: Cli, plant: Path, since: str) -> None:
    """They are refused with an example of one."""
    cli("logs", "recent", "--since", since).refused("--since")
    cli("logs", "similar", "循环变频故障", "--since", since).refused("--since")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["kb", "search", " "], "empty"), (["logs", "similar", ""], "empty"), (["logs", "count", " "], "empty"),
        (["kb", "search", "泵", "--in", "M99999999999999999999"], "no such manual"), (["kb", "show", "M9"], "kb list"),
        (["kb", "show", "M1", "99.9"], "kb show M1"), (["kb", "remove", "M99999999999999999999"], "not the id"),
        (["weights", "pull", "nope"], "known are"),
    ],
)  # fmt: skip
def test_names_that_nothing_has(cli: Cli, plant: Path, arguments: list[str], why: str) -> None:
    """An empty or unknown name is refused with where the known ones stand."""
    cli(*arguments).refused(why)


# --- settings, home, disk, weights ---


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[turn", "not valid TOML"), (b"\xff\xfe", "not valid TOML"), (b"[turn]\nmax_stepz = 3", "turn.max_steps?"),
        (b"[turn]\nmax_steps = 'x'", "turn.max_steps"), (b"turn = 3", "[turn]"), (b"[nonsense]\n", "unknown setting"),
        (b"[model]\nname = 'nope'", "no model"),
    ],
)  # fmt: skip
def test_settings_that_are_wrong(cli: Cli, environ: Path, text: bytes, why: str) -> None:
    """The file and the key are named."""
    environ.mkdir()
    (environ / "watchkeeper.toml").write_bytes(text)
    cli("ask", MEANING).refused(why)
    if b"model" not in text:
        cli("audit", "verify").refused("watchkeeper.toml", why)


def test_a_settings_file_that_is_not_there(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was named is never left out silently, and neither a pipe nor a device is waited for."""
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path / "missing.toml", tmp_path, tmp_path / "pipe", "/dev/zero"):
        monkeypatch.setenv("WATCHKEEPER_CONFIG", str(name))
        cli("doctor").refused(str(name), "WATCHKEEPER_CONFIG")


def test_paths_in_the_settings(cli: Cli, plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative one counts from where the program was started, `~` is the person's home."""
    monkeypatch.chdir(plant)
    monkeypatch.setenv("HOME", str(plant))
    monkeypatch.setenv("WATCHKEEPER_WEIGHTS__FOLDER", "models")
    assert cli("weights", "where").out.strip() == str(plant / "models")
    monkeypatch.setenv("WATCHKEEPER_WEIGHTS__FOLDER", "~/models")
    assert cli("weights", "where").out.strip() == str(plant / "models")
    monkeypatch.setenv("WATCHKEEPER_LOGS__PATH", "~/log.db")
    assert cli("logs", "count", "循环变频故障").code == 0


def test_a_home_that_cannot_be_used(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, a place where nothing can be made, an unknown user."""
    (tmp_path / "file").touch()
    for home in (str(tmp_path / "file"), "/dev/null/home", "/proc/watchkeeper", "~nobody-of-that-name/home"):
        monkeypatch.setenv("WATCHKEEPER_HOME", home)
        cli("ask", MEANING).refused(home, "WATCHKEEPER_HOME")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_home_that_is_read_only(cli: Cli, plant: Path) -> None:
    """Every command works or says in one line that it cannot."""
    plant.chmod(0o500)
    try:
        cli("ask", MEANING).refused("watch.db", "writable")
        cli("logs", "import", EXAMPLE / "alarms.csv").refused("log.db")
        for arguments in (["kb", "list"], ["logs"]):
            said = cli(*arguments)
            assert said.code == 0 or said.refused(str(plant)) is None
    finally:
        plant.chmod(0o700)


def test_no_disk_for_a_pull(cli: Cli, environ: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before the first byte, with how much is wanted."""
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(total=1, used=1, free=1000))
    said = cli("weights", "pull", "qwen2.5-0.5b")
    assert said.code == 2
    assert "free" in said.err.splitlines()[-1]
    assert not list(environ.rglob("*.gguf*"))


def test_without_weights_rules_answer_and_say_so(cli: Cli, plant: Path) -> None:
    """A box without any weight file answers, says by whom, and `doctor` says what to do."""
    said = cli("ask", "--photo", PANEL, MEANING, BEFORE)
    assert said.code == 0 and "规则" in said.out and all(event in said.out for event in HISTORY)
    ladder = {value["name"]: value for value in cli("doctor", "--json").values}["ladder"]
    assert not ladder["ok"] and "rules" in ladder["text"] and "weights pull" in ladder["text"]


def test_a_model_that_was_asked_for_and_is_missing(cli: Cli, plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next rung answers, and the answer, the JSON and the trail name the one that is missing."""
    monkeypatch.setenv("WATCHKEEPER_MODEL__NAME", "qwen2.5-0.5b")
    said = cli("ask", "--json", MEANING)
    assert said.code == 0
    assert said.values[0]["rung"] == "rules" and said.values[0]["falls"][0]["rung"] == "qwen2.5-0.5b"
    assert "qwen2.5-0.5b" in said.values[0]["answer"]
    assert "qwen2.5-0.5b" in json.dumps([dict(row.body) for row in trail_rows(plant)])


def test_weights_that_were_cut_short_are_set_aside(cli: Cli, plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short file is a bad file: it goes aside, `doctor` says why, rules answer."""
    path = Path(cli("weights", "where", "qwen2.5-0.5b", "--json").values[0]["files"]["model"]["path"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    cli("weights", "verify", "qwen2.5-0.5b").refused("qwen2.5-0.5b", code=3)
    assert not path.exists() and path.with_name(f"{path.name}.bad").exists()
    said = cli("ask", "--json", MEANING)
    assert said.code == 0 and said.values[0]["rung"] == "rules"
    assert any("qwen2.5-0.5b" in finding["text"] + finding["name"] for finding in cli("doctor", "--json").values)


# --- the trail ---


def test_a_trail_that_was_edited(cli: Cli, plant: Path) -> None:
    """Every kind of edit is exit code 5 in one line, `doctor` says so, and `audit list` still shows the rows."""
    cli("ask", MEANING)
    database = sqlite3.connect(plant / "watch.db", isolation_level=None)
    for sql in (
        "UPDATE audit SET body = 'not json' WHERE seq = 2", "UPDATE audit SET body = x'ff00' WHERE seq = 2",
        "UPDATE audit SET body = CAST(x'ff' AS TEXT) WHERE seq = 2", "UPDATE audit SET at = 3 WHERE seq = 2",
        "UPDATE audit SET hash = 'ü' WHERE seq = 2", "DELETE FROM audit WHERE seq = 2",
    ):  # fmt: skip
        database.execute(sql)
        cli("audit", "verify").refused("row 2", code=5)
        assert cli("audit", "list").code == cli("audit", "list", "--json").code == 0
        assert not {value["name"]: value for value in cli("doctor", "--json").values}["audit trail"]["ok"]
    database.close()


@pytest.mark.parametrize("which", ["seq > 3", "seq > 0"])
def test_a_deleted_end_stays_visible(cli: Cli, plant: Path, which: str) -> None:
    """Turns that come after a deletion do not hide it."""
    cli("ask", MEANING)
    database = sqlite3.connect(plant / "watch.db")
    database.execute(f"DELETE FROM audit WHERE {which}")
    database.commit()
    database.close()
    cli("audit", "verify").refused("the end is missing", code=5)
    for _ in range(3):
        assert cli("ask", MEANING).code == 0
        cli("audit", "verify").refused("the end is missing", code=5)


def test_a_removed_trail_stays_visible(cli: Cli, plant: Path) -> None:
    """A new file does not pass for the old one."""
    cli("ask", MEANING)
    for path in plant.glob("watch.db*"):
        path.unlink()
    cli("ask", MEANING)
    cli("audit", "verify").refused("the end is missing", code=5)


def test_programs_that_make_the_trail_at_once(tmp_path: Path) -> None:
    """The first questions of several programs on a new box all get their rows, in one chain."""

    def write(number: int) -> None:
        with closing(Trail(tmp_path / "watch.db", busy_seconds=20)) as trail:
            for _ in range(5):
                trail.add(f"turn{number}", "step", {})

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(8))) == [None] * 8
    with closing(Trail(tmp_path / "watch.db", busy_seconds=1)) as trail:
        assert trail.verify() == 40


# --- a process of its own ---


def process(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "agent", *map(str, arguments)]
    root = Path(__file__).parent.parent
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(command, cwd=root, preexec_fn=hear_interrupts, **options)


def hear_interrupts() -> None:
    """A suite that runs in the background of a shell has SIGINT ignored, and its children would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_is_one_line(plant: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a batch: what was answered is there, the trail is whole, exit code 130."""
    line = json.dumps({"question": MEANING}) + "\n"
    (tmp_path / "many.jsonl").write_text(line * 20_000)
    with process("ask", "--batch", tmp_path / "many.jsonl") as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert err == b"watchkeeper: interrupted\n"
    assert all(json.loads(line)["rung"] == "rules" for line in [first, *out.splitlines()])
    with closing(Trail(plant / "watch.db", busy_seconds=1)) as trail:
        assert trail.verify() > 0


def test_a_reader_that_goes_away_is_no_error(plant: Path) -> None:
    """`watchkeeper logs | head -1`: silence and exit code 0."""
    read, write = os.pipe()
    os.close(read)
    with process("logs", "recent", "--json", stdout=write) as child:
        os.close(write)
        _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, b"")


def test_output_that_cannot_be_written(plant: Path) -> None:
    """A full disk behind `>` is one line."""
    with Path("/dev/full").open("wb") as full, process("kb", "list", stdout=full) as child:
        _, err = child.communicate(timeout=30)
    assert child.returncode == 2 and err.count(b"\n") == 1 and err.startswith(b"watchkeeper: output: No space left")


def test_a_terminal_that_knows_no_chinese(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that it lacks are shown by their numbers."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    with process("logs", "--json") as child:
        out, err = child.communicate(timeout=30)
    assert child.returncode == 0 and err == b""
    assert json.loads(out)["events"][1]["text"] == "循环变频故障"
