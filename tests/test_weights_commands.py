"""`watchkeeper weights`: results on stdout, exit codes for programs."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from agent.errors import PullError, WeightsBad, WeightsMissing
from agent.settings import BoxSettings, ProfileName, Settings, WeightsSettings
from agent.weights.catalogue import Catalogue
from agent.weights.commands import commands
from agent.weights.ladder import Machine
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.store import WeightStore
from tests.weights_kit import BIG_EYE, EYE, MODEL, TEXT, lend, make_store, put, weight


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return make_store(tmp_path)


def run(store: WeightStore, *arguments: str, profile: ProfileName = "auto") -> tuple[str, BaseException | None]:
    """What a command prints on stdout, and the error that ends it."""
    env = SimpleNamespace(weights=store, settings=Settings(weights=store.settings, box=BoxSettings(profile=profile)))
    result = CliRunner().invoke(commands(), list(arguments), obj=env)
    return result.stdout, None if isinstance(result.exception, SystemExit) else result.exception


def test_list_shows_the_packaged_catalogue(tmp_path: Path) -> None:
    """One line an entry, for people and as JSON."""
    store = WeightStore(tmp_path, WeightsSettings())
    text, error = run(store, "list")
    assert error is None
    assert len(text.splitlines()) == len(store.catalogue.entries)
    rows = [json.loads(line) for line in run(store, "list", "--json")[0].splitlines()]
    assert [row["name"] for row in rows] == [entry.name for entry in store.catalogue.entries]
    assert not any(row["present"] for row in rows)


def test_list_tells_of_pins_and_of_what_was_set_aside(store: WeightStore) -> None:
    """What is out of the ordinary stands in the list."""
    lend(store, "open.bin", b"first seen like this")
    pull(store, ["open"], SilentReporter())
    put(store, "plain/m.gguf", b"bad")
    with pytest.raises(WeightsBad):
        store.verified("plain")
    text, _ = run(store, "list")
    assert "pinned by its first pull" in text
    assert f"plain/m.gguf set aside: is 3 bytes long, not {len(MODEL)}" in text
    rows = {row["name"]: row for row in map(json.loads, run(store, "list", "--json")[0].splitlines())}
    assert rows["plain"]["set_aside"][0]["file"] == "plain/m.gguf"
    assert rows["open"]["files"]["model"]["pinned_at"]


def test_a_pull_without_names_brings_all_that_a_box_works_with(tmp_path: Path) -> None:
    """Readers of panels and what finds manuals by meaning, not the model alone."""
    beside = ("ocr-small", "ocr-tiny", "embed", "dictionary")
    others = [replace(TEXT, name=name, kind="ocr") for name in (*beside, "asr-base")]
    store = make_store(tmp_path, catalogue=Catalogue((TEXT, *others)))
    lend(store, "m.gguf", MODEL)
    pulled = json.loads(run(store, "pull", "--json")[0])
    assert pulled["names"] == ["plain", *beside]
    assert store.present() == ("plain", *beside)


def test_a_server_that_runs_makes_no_smaller_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory that its model has taken counts, so that an update fetches no lesser one."""
    smaller = replace(TEXT, name="smaller", ram_bytes=1)
    others = [replace(TEXT, name=name, kind="ocr") for name in ("ocr-small", "ocr-tiny", "embed", "dictionary")]
    store = make_store(tmp_path, catalogue=Catalogue((replace(TEXT, ram_bytes=2_200_000_000), smaller, *others)))
    lend(store, "m.gguf", MODEL)
    monkeypatch.setattr("agent.weights.commands.look_at_machine", lambda _: Machine(1_000_000_000, 2, 10**12))
    assert json.loads(run(store, "pull", "--json", profile="4gb")[0])["names"][0] == "plain"
    assert json.loads(run(store, "pull", "--json", profile="2gb")[0])["names"][0] == "smaller"


def test_pull_verify_where(store: WeightStore) -> None:
    """The way of a file through the three commands."""
    lend(store, "m.gguf", MODEL)
    pulled = json.loads(run(store, "pull", "plain", "--json")[0])
    assert pulled["files"][0]["source"] == "file"
    assert "was here" in run(store, "pull", "plain")[0]
    assert json.loads(run(store, "verify", "--json")[0])["ok"]
    assert run(store, "where")[0].strip() == str(store.folder)
    assert json.loads(run(store, "where", "plain", "--json")[0])["files"]["model"]["state"] == "present"
    assert str(store.folder / "plain" / "m.gguf") in run(store, "where", "plain")[0]


def test_verify_ends_with_the_exit_code_of_bad_weights(store: WeightStore) -> None:
    """Every entry is looked at, then the command fails with code 3."""
    put(store, "plain/m.gguf", b"bad"), put(store, "sees/m.gguf", MODEL), put(store, "sees/p.gguf", EYE)
    text, error = run(store, "verify", "--json")
    assert isinstance(error, WeightsBad)
    assert error.exit_code == 3
    assert {row["name"]: row["ok"] for row in map(json.loads, text.splitlines())} == {"sees": True, "plain": False}
    assert isinstance(run(store, "verify", "plain")[1], WeightsMissing)


def test_pull_fails_with_exit_code_two(store: WeightStore) -> None:
    """A pull that cannot be done is the person's to mend."""
    for arguments in (["pull", "plain"], ["pull", "nonsense"]):
        error = run(store, *arguments)[1]
        assert isinstance(error, PullError)
        assert error.exit_code == 2


def test_repair_without_a_name_brings_back_what_was_set_aside(store: WeightStore) -> None:
    """And only that; with nothing to do it says so."""
    put(store, "plain/m.gguf", b"bad"), put(store, "sees/p.gguf", EYE)
    lend(store, "m.gguf", MODEL)
    run(store, "verify", "plain")
    done = json.loads(run(store, "repair", "--json")[0])
    assert done["names"] == ["plain"]
    assert [(file["source"], file["mended_chunks"]) for file in done["files"]] == [("file", 0)]
    assert store.verified("plain")
    assert json.loads(run(store, "repair", "--json")[0])["names"] == []


def test_rollback_needs_a_version_before(store: WeightStore) -> None:
    """With none, one line and the exit code of weights."""
    put(store, "plain/m.gguf", MODEL)
    _, error = run(store, "rollback", "plain")
    assert isinstance(error, WeightsBad)
    assert "there is no version before" in str(error)


def test_rollback_is_shown(tmp_path: Path) -> None:
    """The version before answers, verify says so, and a program can tell."""
    store = make_store(tmp_path)
    lend(store, "m.gguf", MODEL)
    pull(store, ["plain"], SilentReporter())
    newer = Catalogue((replace(TEXT, files=(weight("model", "m.gguf", BIG_EYE),)),))
    lend(store, "m.gguf", BIG_EYE)
    after = make_store(tmp_path, catalogue=newer)
    pull(after, ["plain"], SilentReporter())
    assert json.loads(run(after, "verify", "--json")[0])["previous"] is False
    told = json.loads(run(after, "rollback", "plain", "--reason", "talks nonsense", "--json")[0])
    assert Path(told["files"]["model"]).read_bytes() == MODEL
    assert json.loads(run(after, "verify", "--json")[0])["previous"] is True
    shown = run(after, "verify")[0]
    assert "plain: the version before is good; plain: this version was rejected: talks nonsense" in shown


def test_a_long_verification_shows_how_far_it_is(
    store: WeightStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, in bytes read."""
    monkeypatch.setattr("agent.weights.commands._SHOWN_BYTES", 1000)
    put(store, "plain/m.gguf", MODEL)
    result = CliRunner().invoke(commands(), ["verify", "plain"], obj=SimpleNamespace(weights=store))
    assert "plain: 11000 B to read" in result.stderr
    assert "plain: good" in result.stdout


@pytest.mark.parametrize("command", ["list", "pull", "verify", "repair", "rollback", "where"])
def test_help_has_an_example(command: str) -> None:
    """Each command shows how it is called."""
    app = commands()
    assert isinstance(app, typer.Typer)
    assert f"Example: watchkeeper weights {command}" in CliRunner().invoke(app, [command, "--help"]).stdout


@pytest.mark.weights
def test_the_real_small_weights_verify() -> None:
    """What the tests run on is what the catalogue names."""
    home = Path(os.environ.get("WATCHKEEPER_HOME") or Path.home() / ".local" / "share" / "watchkeeper")
    store = WeightStore(home / "weights", WeightsSettings())
    assert set(store.verified("ocr-small")) == {"det", "rec", "det-config", "rec-config"}
    assert set(store.verified("qwen2.5-0.5b")) == {"model"}
