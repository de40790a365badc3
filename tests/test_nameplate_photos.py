"""Type plates on photos, through the real reader: what a person who holds a camera gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from agent.cli import run
from agent.env import load_env
from agent.plugin_host import load_plugins
from tests.bench.plant import EXAMPLE
from tests.bench.score_plates import example_lists, outcome_of
from tests.conftest import weights_environ
from tests.plate_drawings import PLATES, plate_photo

pytestmark = pytest.mark.weights


def test_plates_on_photos(tmp_path: Path, real_weights: Path) -> None:
    """Listed where it is; another type, one whose end a reflection hides, and one that nobody can read: never."""
    env = load_env(weights_environ(tmp_path / "home", real_weights))
    entries, plugins = example_lists(env), load_plugins()
    expected = {2: "listed", 7: "unsure", 11: "not-listed", 18: "unreadable"}
    outcomes = {number: outcome_of(number, env, plugins, entries) for number in expected}
    plugins.shutdown(env)
    assert {number: outcome.standing for number, outcome in outcomes.items()} == expected
    assert outcomes[2].right == len(PLATES[2].truth) and outcomes[11].right == len(PLATES[11].truth)
    assert sum(outcome.wrong for outcome in outcomes.values()) == 0


def test_the_command_and_the_question(
    environ: Path,
    real_weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`plate --json` gives fields, standing and article; `ask --photo` says the same with its citation, by rules."""
    monkeypatch.setenv("WATCHKEEPER_WEIGHTS__FOLDER", str(real_weights))
    monkeypatch.setenv("WATCHKEEPER_MODEL__NAME", "rules")
    photo = tmp_path / "plate.png"
    Image.fromarray(plate_photo(PLATES[10], 10)).save(photo)
    assert run(["kb", "add", str(EXAMPLE / "nameplate" / "2-phase-out-en.md")]) == 0
    capsys.readouterr()
    assert run(["plate", str(photo), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["standing"] == "listed" and body["entries"][0]["successor"] == "YE4-132M-4"
    fields = {field["name"]: (field["value"], field["unit"], field["flags"]) for field in body["fields"]}
    assert fields["type"] == ("Y2-132M-4", "", []) and fields["power"] == ("7.5", "kW", [])
    assert run(["ask", "--photo", str(photo), "Is this motor to be phased out?"]) == 0
    said = capsys.readouterr().out
    assert "Y2-132M-4 is on the list to be phased out [M1 §Article 1]" in said and "[P2]" in said
