"""No attack of The Update Framework's specification changes what is in use; each is refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import UpdateError
from tests.updates_attacks import ATTACKS, Attack, attempt, places
from tests.updates_forge import GOOD
from tests.updates_kit import Box, Maker, Modules

TRIES = [(attack, web) for attack in ATTACKS for web in places(attack)]


@pytest.mark.parametrize(
    ("attack", "web"), TRIES, ids=lambda value: getattr(value, "name", "web" if value else "folder")
)
def test_an_attack_is_refused_and_the_last_good_serves(tmp_path: Path, attack: Attack, web: bool) -> None:
    """One line that says what to do; the good version stays, and the honest repository still brings the next."""
    said, held = attempt(tmp_path, attack, web=web)
    assert attack.says in said
    assert "\n" not in said
    assert held


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two releases."""
    desk = Maker(tmp_path_factory.mktemp("honest") / "repo")
    desk.offer("vibration", "1", b"old")
    desk.offer("vibration", "2", GOOD)
    return desk.folder


_ROLES = ["1.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json", "bundle"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(role=st.sampled_from(_ROLES), where=st.floats(0, 1), byte=st.integers(0, 255), cut=st.booleans())
def test_no_byte_can_be_changed(
    tmp_path_factory: pytest.TempPathFactory, honest: Path, role: str, where: float, byte: int, cut: bool
) -> None:
    """Whatever byte of a repository is another, or wherever a file ends: refused in one line, or it changes nothing."""
    folder = tmp_path_factory.mktemp("bytes")
    shutil.copytree(honest, folder / "repo")
    bundle = next((folder / "repo/targets").rglob("*-2-*.whl"))
    path = bundle if role == "bundle" else folder / "repo/metadata" / role
    data = bytearray(path.read_bytes())
    at = min(len(data) - 1, int(where * len(data)))
    data[at] = byte
    path.write_bytes(data[:at] if cut else data)
    modules = Modules(vibration=("1", b"old"))
    box = Box(folder / "updates", honest / "root.json", modules, retries=0)
    try:
        box.update(folder / "repo")
    except UpdateError as error:
        assert "\n" not in str(error)
        assert modules.in_use == {"vibration": ("1", b"old")}
    else:
        assert modules.in_use == {"vibration": ("2", GOOD)}
