"""How far it is, for people and for logs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from agent.weights.progress import BarReporter, LineReporter, choose_reporter


def test_lines_are_few_and_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """A log gets about ten lines a file, whatever the number of pieces."""
    with LineReporter() as reporter:
        reporter.started("plain/m.gguf", 200_000_000, 0)
        for done in range(0, 200_000_001, 100_000):
            reporter.moved(done)
    out, err = capsys.readouterr()
    assert out == ""
    assert 10 <= len(err.splitlines()) <= 12
    assert "plain/m.gguf: 200.0 MB of 200.0 MB" in err


def test_a_bar_shows_bytes(tmp_path: Path) -> None:
    """On a terminal there is one bar a file, and remarks stand above it."""
    shown = io.StringIO()
    with BarReporter(Console(file=shown, force_terminal=True, width=100)) as reporter:
        reporter.moved(1)
        reporter.started("plain/m.gguf", 200_000_000, 50_000_000)
        reporter.note("a remark about [this]")
        reporter.moved(200_000_000)
    assert "plain/m.gguf" in shown.getvalue()
    assert "200.0/200.0 MB" in shown.getvalue()
    assert "a remark about [this]" in shown.getvalue()


def test_no_terminal_means_lines() -> None:
    """Captured output is no terminal."""
    assert isinstance(choose_reporter(), LineReporter)
