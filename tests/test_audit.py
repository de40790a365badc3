"""The trail shows whether it is what was written."""

from __future__ import annotations

import io
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit import Tip, Trail
from agent.cli import run
from agent.errors import DatabaseError, InputError, IntegrityError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    trail = Trail(tmp_path / "watch.db", busy_seconds=0.1)
    for i in range(6):
        trail.add(f"turn{i // 3}", "step", {"i": i, "text": "循环变频故障"})
    trail.close()
    return tmp_path / "watch.db"


def verify(path: Path) -> int:
    trail = Trail(path, busy_seconds=0.1)
    try:
        return trail.verify()
    finally:
        trail.close()


def edit(path: Path, sql: str) -> None:
    database = sqlite3.connect(path)
    database.executescript(sql)
    database.close()


def test_an_untouched_trail_is_intact(path: Path) -> None:
    """All rows are counted, also after more were added by another process."""
    assert verify(path) == 6
    trail = Trail(path, busy_seconds=0.1)
    trail.add("turn2", "step", {})
    trail.close()
    assert verify(path) == 7


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE audit SET body = replace(body, '循环', '补水') WHERE seq = 3", "row 3"),
        ("UPDATE audit SET kind = 'x' WHERE seq = 1", "row 1"),
        ("UPDATE audit SET at = '2020' WHERE seq = 6", "row 6"),
        ("DELETE FROM audit WHERE seq = 4", "row 4 is missing"),
        ("DELETE FROM audit WHERE seq = 1", "row 1 is missing"),
        ("DELETE FROM audit WHERE seq >= 5", "the end is missing"),
        ("DELETE FROM audit", "the end is missing"),
        ("UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; "
         "UPDATE audit SET seq = 3 WHERE seq = 99", "row 2"),
        ("DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3", "row 3"),
    ],
)  # fmt: skip
def test_a_change_is_found_and_named(path: Path, sql: str, why: str) -> None:
    """An edited, missing or moved row, and a deleted end."""
    edit(path, sql)
    with pytest.raises(IntegrityError, match=why):
        verify(path)


def test_rows_can_be_read_back(path: Path) -> None:
    """By turn, and the newest."""
    trail = Trail(path, busy_seconds=0.1)
    assert [row.body["i"] for row in trail.rows(turn="turn1")] == [3, 4, 5]
    assert [row.seq for row in trail.rows(newest=2)] == [5, 6]


def test_a_reader_that_stops_early_outlives_the_trail(path: Path) -> None:
    """Ctrl-C ends a reader anywhere: what is left of it says nothing after the trail is closed."""
    trail = Trail(path, busy_seconds=0.1)
    rows = trail._read("ORDER BY seq")
    next(rows)
    trail.close()
    rows.close()


def test_a_trail_held_by_another_program_is_said(path: Path) -> None:
    """A locked file is one clear line, and the row is not half there."""
    trail = Trail(path, busy_seconds=0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="cannot be written"):
        trail.add("t", "step", {})
    holder.execute("ROLLBACK")
    holder.close()
    assert trail.verify() == 6


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    """Something else under that name."""
    (tmp_path / "watch.db").write_text("not a database, not at all, and long enough to be read as a header" * 20)
    with pytest.raises(DatabaseError, match=r"watch\.db"):
        Trail(tmp_path / "watch.db", busy_seconds=0.1)


def test_a_deleted_end_is_noticed_by_a_tip_kept_elsewhere(path: Path) -> None:
    """Also where the small file beside the database was deleted with it, and where rows were added since."""
    with closing(Trail(path, busy_seconds=0.1)) as trail:
        tip = trail.tip()
        assert tip.rows == 6 and trail.verify(kept=tip) == 6 and Tip.parse(f"scanned: {tip}\n") == tip
        trail.add("turn2", "step", {})
        assert trail.verify(kept=tip) == 7
    edit(path, "DELETE FROM audit WHERE seq >= 5")
    path.with_suffix(".tip").unlink()
    assert verify(path) == 4
    with closing(Trail(path, busy_seconds=0.1)) as trail:
        for _ in range(5):
            trail.add("turn2", "step", {})
        assert trail.verify() == 9
        with pytest.raises(IntegrityError, match="row 6 of the tip is not there, the trail has 9"):
            trail.verify(kept=tip)


@given(st.text())
def test_what_is_no_tip_is_said(text: str) -> None:
    """Whatever a file or a scanned code holds."""
    with pytest.raises(InputError, match="audit tip"):
        Tip.parse(text)


def test_the_tip_on_the_command_line(
    environ: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a file and back; from standard input; what cannot be read or is no tip is one line."""
    stick = tmp_path / "tip.txt"
    assert run(["audit", "tip", "--out", str(stick)]) == 0
    assert run(["audit", "verify", "--tip", str(stick)]) == 0
    capsys.readouterr()
    assert run(["audit", "tip", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert stick.read_text().strip() == told["tip"] and told["rows"] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"watchkeeper-tip 3 {'a' * 64}"))
    assert run(["audit", "verify", "--tip", "-"]) == 5
    assert run(["audit", "verify", "--tip", str(tmp_path / "none")]) == 2
    stick.write_bytes(b"\xff\x00" * 3_000)
    assert run(["audit", "verify", "--tip", str(stick)]) == 2
    assert capsys.readouterr().err.count("watchkeeper: ") == 3


def test_what_is_written_together_is_there_together(path: Path) -> None:
    """An error in between leaves nothing, and the trail goes on."""
    with closing(Trail(path, busy_seconds=0.1)) as trail:
        with pytest.raises(ZeroDivisionError), trail.writing() as writing:
            writing.add("turn2", "step", {})
            raise ZeroDivisionError
        with trail.writing() as writing:
            writing.add("turn2", "one", {})
            writing.add("turn2", "two", {})
        assert [row.kind for row in trail.rows(turn="turn2")] == ["one", "two"] and trail.verify() == 8


def test_threads_share_a_trail(path: Path) -> None:
    """Each row is there, and the chain holds."""
    with closing(Trail(path, busy_seconds=0.1)) as trail, ThreadPoolExecutor(8) as threads:
        assert len({row.seq for row in threads.map(lambda i: trail.add(f"t{i}", "step", {}), range(40))}) == 40
        assert trail.verify() == 46
