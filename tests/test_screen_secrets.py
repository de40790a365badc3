"""What is typed by name stands in a step, an approval and the journal as its name alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.api import ToolFailed
from plugins.screen.values import Outcome, Step, Target
from tests.screen_kit import SETTINGS, DrawnScreen, operator_on, parameters
from tests.test_screen_orders import Desk

WORD = "kaltes-Wasser-7"
LOG_IN = Step("set", Target("上限", within="供水温度"), "secret:login")


def kept(folder: Path, text: str = WORD, *, mode: int = 0o600) -> Path:
    """A file with it."""
    path = folder / "login"
    path.write_text(text + "\n", encoding="utf-8")
    path.chmod(mode)
    return path


def typed(screen: DrawnScreen, path: Path) -> Outcome:
    return operator_on(screen, SETTINGS.model_copy(update={"secrets": {"login": path}})).do(LOG_IN)


def test_the_text_is_typed_and_only_its_name_told(tmp_path: Path) -> None:
    """Even where the field shows it."""
    screen = parameters()
    outcome = typed(screen, kept(tmp_path))
    assert outcome.came == "confirmed"
    assert [thing.value for thing in screen.things if thing.kind == "field"] == ["0.50", "0.20", WORD]
    told = (outcome.why, outcome.shows, outcome.found)
    after = outcome.after.controls if outcome.after else ()
    assert WORD not in repr((told, after)) and "secret:login" in repr(outcome.shows)


@pytest.mark.parametrize(("text", "mode", "reason"), [(WORD, 0o644, "chmod 600"), ("", 0o600, "empty")])
def test_a_file_that_others_read_or_that_is_empty_is_not_used(
    tmp_path: Path, text: str, mode: int, reason: str
) -> None:
    """Nothing is sent."""
    screen = parameters()
    with pytest.raises(ToolFailed, match=reason):
        typed(screen, kept(tmp_path, text, mode=mode))
    assert screen.clicks == [] and screen.sent == []


def test_a_name_that_the_settings_do_not_know_is_said(tmp_path: Path) -> None:
    """And where it would have to stand."""
    with pytest.raises(ToolFailed, match=r"\[screen\..*\] secrets"):
        operator_on(parameters()).do(LOG_IN)


def test_no_record_of_the_box_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ordered, approved and done: the home was written to, and the text is in none of its files."""
    home = tmp_path / "home"
    home.mkdir()
    secret = kept(tmp_path)
    desk = Desk(home, more=f'secrets = {{ login = "{secret}" }}\n')
    monkeypatch.setattr("plugins.screen.screens.make_link", lambda name, settings: desk.screen)
    done = desk.order({"screen": "boiler", "verb": "set", "text": "上限", "within": "供水温度", "value": LOG_IN.value})
    desk.agent.close()
    assert done.came == "confirmed", done.line
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files and not [path for path in files if WORD.encode() in path.read_bytes()]
