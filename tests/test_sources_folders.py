"""Where weights come from: a stick or a share."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.errors import PullError
from agent.weights.folders import Folders
from agent.weights.partial import Partial, SourceFailed
from tests.sources_kit import DATA, FILE, SHA, fetch, stick, take


@pytest.mark.parametrize(
    "name", ["model_dot_bin", "thing__model_dot_bin", "a__b__c__d__model_dot_bin", f"weights__{SHA}"]
)
def test_a_stick_is_searched_by_name_and_digest(tmp_path: Path, name: str) -> None:
    """A file is found by its name or by its digest as a name, a few levels down."""
    _, settings = stick(tmp_path, **{name: DATA})
    assert fetch(tmp_path / "w", settings) == "file"


def test_the_right_one_of_several_is_found(tmp_path: Path) -> None:
    """Files of the same name but another size or digest are passed over."""
    _, settings = stick(tmp_path, a__model_dot_bin=b"short", thing__model_dot_bin=DATA[::-1], z__model_dot_bin=DATA)
    assert fetch(tmp_path / "w", settings) == "file"


def test_too_deep_or_linked_is_not_found(tmp_path: Path) -> None:
    """The search is bounded in depth and follows no link."""
    usb, settings = stick(tmp_path, **{"1__2__3__4__5__model_dot_bin": DATA})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "model.bin").write_bytes(DATA)
    (usb / "model.bin").symlink_to(tmp_path / "elsewhere" / "model.bin")
    (usb / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PullError, match="file: not found in"):
        fetch(tmp_path / "w", settings)


def test_a_wrong_file_on_the_stick_is_told(tmp_path: Path) -> None:
    """The reason names the file."""
    usb, settings = stick(tmp_path, model_dot_bin=DATA[::-1])
    with pytest.raises(PullError, match=f"file: {re.escape(str(usb))}/model[.]bin has SHA-256 "):
        fetch(tmp_path / "w", settings)


def test_the_search_is_bounded_in_number(tmp_path: Path) -> None:
    """A stick full of files does not hold up a pull."""
    _, settings = stick(tmp_path, **{f"a{number}": b"" for number in range(20)}, model_dot_bin=DATA)
    with pytest.raises(SourceFailed, match="not found"):
        take(Folders(settings.model_copy(update={"search_files": 10})), tmp_path / "w", settings)
    assert take(Folders(settings), tmp_path / "w", settings) == DATA


def test_a_stick_goes_on_from_what_is_there(tmp_path: Path) -> None:
    """A wrong beginning is replaced, a right one is kept."""
    _, settings = stick(tmp_path, model_dot_bin=DATA)
    for beginning in (DATA[:60_000], b"?" * 60_000):
        folder = tmp_path / beginning[1:3].hex()
        folder.mkdir()
        with Partial(folder / "model.bin", FILE, settings) as part:
            part.write(beginning)
        assert take(Folders(settings), folder, settings) == DATA
