"""Settings: one file, variables over it, and a clear line for every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import InputError, SettingsError
from agent.home import find_home
from agent.settings_file import load_settings


def settings_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "watchkeeper.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_without_a_file(tmp_path: Path) -> None:
    """A box starts with nothing set."""
    assert load_settings(tmp_path / "none.toml", {}).model.name == "auto"


def test_variables_go_over_the_file(tmp_path: Path) -> None:
    """WATCHKEEPER_<SECTION>__<KEY>; lists and tables as JSON."""
    path = settings_file(tmp_path, "[turn]\nmax_steps = 2\nmax_parts = 3\n")
    environ = {
        "WATCHKEEPER_TURN__MAX_STEPS": "3",
        "WATCHKEEPER_LOGS__COLUMNS": '{"time": "时间"}',
        "WATCHKEEPER_HOME": "/x",
        "PATH": "/bin",
    }
    settings = load_settings(path, environ)
    assert (settings.turn.max_steps, settings.turn.max_parts, settings.logs.columns) == (3, 3, {"time": "时间"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[turn]\nmax_stepz = 2", "unknown setting turn.max_stepz; did you mean turn.max_steps"),
        ("[turns]\nmax_steps = 2", "did you mean turn?"),
        ("[turn]\nmax_steps = 'many'", "turn.max_steps: "),
        ("[logs]\nmax_rows = -1", "must be a number from 0 up"),
        ("[turn]\nmax_seconds = nan", "must be a number from 0 up"),
        ("turn = 3", "turn is a section"),
        ("[turn", "not valid TOML"),
        ('a = "\\ud800"', "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    """Unknown keys name the nearest known one, wrong values the key and what was got."""
    path = settings_file(tmp_path, text)
    with pytest.raises(SettingsError, match=r"watchkeeper\.toml") as caught:
        load_settings(path, {})
    assert why in str(caught.value)


def test_an_unknown_variable_is_a_mistake_too() -> None:
    """A misspelt variable is not silently ignored."""
    with pytest.raises(SettingsError, match=r"did you mean turn\.max_steps"):
        load_settings(None, {"WATCHKEEPER_TURN__MAX_STEP": "1"})


def test_home(tmp_path: Path) -> None:
    """WATCHKEEPER_HOME, else XDG, else ~/.local/share."""
    assert find_home({"WATCHKEEPER_HOME": "/a"}).folder == Path("/a")
    assert find_home({"XDG_DATA_HOME": "/b"}).folder == Path("/b/watchkeeper")
    assert find_home({"HOME": "/c"}).folder == Path("/c/.local/share/watchkeeper")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="set WATCHKEEPER_HOME"):
        find_home({"WATCHKEEPER_HOME": str(tmp_path / "file" / "x")}).make()
