"""The command line of updates: one line where it cannot, silence where nobody answers, JSON where a program reads."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from agent.cli import run
from agent.commands.update import check_quietly
from agent.env import load_env
from agent.errors import UpdateRefused
from deploy.release import release
from tests.updates_kit import Maker
from tests.weights_kit import sha


@pytest.fixture
def desk(tmp_path: Path) -> Maker:
    desk = Maker(tmp_path / "repo")
    desk.offer("vibration", "2", b"bundle")
    return desk


def test_trust_then_check(environ: Path, desk: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    """The keys are shown, so that a person can compare them with paper."""
    assert run(["update", "trust", str(desk.folder / "root.json"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["keys"] == sorted(signer.public_key.keyid for signer in desk.roots)
    assert (shown["version"], shown["threshold"]) == (1, 2)
    assert run(["update", "--from", str(desk.folder), "--check"]) == 0
    assert run(["update", "--from", str(desk.folder), "--check", "--json"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "no place to update from"),
        (["--from", "/no/such/place"], 2, "no repository is here"),
        (["--from", "http://127.0.0.1:9"], 2, "no repository is trusted yet"),
        (["trust", "/no/such/root.json"], 2, "cannot be read"),
        (["trust", __file__], 5, "no root that its own keys have signed"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    environ: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    """Exit code 2 where it cannot be had, 5 where it is not to be trusted."""
    assert run(["update", *arguments]) == code
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_a_check_on_a_timer_is_silent_without_a_network(
    environ: Path, desk: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed and nothing fails, so that a timer fills no log; a forged repository is still said."""
    run(["update", "trust", str(desk.folder / "root.json")])
    capsys.readouterr()
    assert run(["update", "--from", "http://127.0.0.1:9", "--check"]) == 0
    assert capsys.readouterr() == ("", "")
    (desk.folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    assert run(["update", "--from", str(desk.folder), "--check"]) == 5


def test_the_server_can_check_without_a_word(environ: Path, desk: Maker) -> None:
    """None where there is no source or nobody answers; what is offered otherwise."""
    home = {"WATCHKEEPER_HOME": str(environ)}
    assert check_quietly(load_env(home)) is None
    run(["update", "trust", str(desk.folder / "root.json")])
    assert check_quietly(load_env({**home, "WATCHKEEPER_UPDATES__SOURCE": "http://127.0.0.1:9"})) is None
    there = load_env({**home, "WATCHKEEPER_UPDATES__SOURCE": str(desk.folder)})
    assert check_quietly(there) is not None
    (desk.folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    with pytest.raises(UpdateRefused):
        check_quietly(there)


def desk_command(*arguments: object) -> int:
    """A command of the release desk; its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["release", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            release.main()
    return int(ended.value.code or 0)


def test_the_way_of_the_readme(environ: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys, repository, weights, a module, another key, a fresh timestamp: all with the documented commands."""
    safe, keys, repo = tmp_path / "safe", tmp_path / "keys", tmp_path / "stick"
    assert desk_command("keys", "root-1", "root-2", "--keys", safe) == 0
    assert desk_command("keys", "targets", "snapshot", "timestamp", "--keys", keys) == 0
    roots = [f"--root-key={safe}/root-{number}.pub.json" for number in (1, 2)]
    assert desk_command("create", "--repo", repo, *roots, "--online", keys, "--threshold", 2) == 0
    assert desk_command("sign-root", "--repo", repo, "--key", safe / "root-1.pem") == 0
    assert desk_command("sign-root", "--repo", repo, "--key", safe / "root-2.pem") == 0
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "m.gguf").write_bytes(b"model")
    entry = tmp_path / "catalogue.toml"
    entry.write_text(
        "[[entry]]\nname = 'small'\nkind = 'ocr'\ntitle = 'S'\nlicense = 'MIT'\n[[entry.file]]\nrole = 'model'\n"
        f"name = 'm.gguf'\nbytes = 5\nsha256 = '{sha(b'model')}'\n"
    )
    assert desk_command("add-weights", "small", "--repo", repo, "--keys", keys, "--folder", weights, "--version", "1",
                        "--entry", entry) == 0  # fmt: skip
    wheel = tmp_path / "vibration_watch-1.2.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    assert desk_command("add-module", wheel, "--repo", repo, "--keys", keys) == 0
    assert run(["update", "trust", str(repo / "root.json")]) == 0
    assert run(["update", "--from", str(repo), "--only", "small"]) == 0
    assert "is in use from the agent's next start" in capsys.readouterr().out
    assert (environ / "weights" / "small" / "m.gguf").read_bytes() == b"model"

    new = tmp_path / "new"
    assert desk_command("keys", "timestamp", "--keys", new) == 0
    old = json.loads((keys / "timestamp.pub.json").read_text())["keyid"]
    assert desk_command("draft-root", "--repo", repo, "--drop", f"timestamp:{old}", "--add",
                        f"timestamp:{new}/timestamp.pub.json") == 0  # fmt: skip
    assert desk_command("sign-root", "--repo", repo, "--key", safe / "root-1.pem", "--key", safe / "root-2.pem") == 0
    assert desk_command("stamp", "--repo", repo, "--keys", keys) == 2
    assert desk_command("stamp", "--repo", repo, "--keys", new) == 0
    assert run(["update", "--from", str(repo), "--check"]) == 0
    (keys / "timestamp.pem").write_bytes((new / "timestamp.pem").read_bytes())
    assert desk_command("refresh", "--repo", repo, "--keys", keys) == 0
    assert desk_command("drop", "modules/vibration-watch", "--repo", repo, "--keys", keys) == 0
    capsys.readouterr()
    assert desk_command("show", "--repo", repo) == 0
    shown = capsys.readouterr().out
    assert "weights/small/m.gguf" in shown
    assert "modules/" not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "--repo", "/no/such"],
        ["add-module", "bundle.zip", "--repo", "/no/such", "--keys", "/no/such"],
        ["add-weights", "nosuch", "--repo", "/n", "--keys", "/n", "--folder", "/n", "--version", "1"],
        ["add-weights", "ocr-tiny", "--repo", "/n", "--keys", "/n", "--folder", "/n", "--version", "1"],
        ["draft-root", "--repo", "/no/such", "--drop", "cook:1"],
        ["sign-root", "--repo", "/no/such", "--key", "/no/such"],
        ["stamp", "--repo", "/no/such", "--keys", "/no/such"],
    ],
)
def test_a_desk_that_cannot_says_so_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line."""
    assert desk_command(*arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("release: ")
    assert told.count("\n") == 1


def test_private_keys_are_for_their_owner(tmp_path: Path) -> None:
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        desk_command("keys", "root-1", "--keys", tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "root-1.pem").stat().st_mode) == 0o600
