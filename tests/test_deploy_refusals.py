"""The installer changes nothing before it knows that it will succeed; what it refuses, it says why and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy_kit import DEPLOY, bash, seal, small_bundle


def refused(bundle: Path, root: Path, *more: str | Path) -> str:
    """What it said, once it has been made sure that it refused and left no trace."""
    code, said = bash(bundle / "install.sh", "--root", root, *more)
    assert code == 2, said
    assert "failed: " in said and "    do: " in said
    assert not root.exists()
    return said


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where it would install to; not there yet."""
    return tmp_path / "root"


def test_a_damaged_bundle_is_refused(tmp_path: Path, root: Path) -> None:
    """One byte that changed on the stick is found, and the file is named."""
    bundle = small_bundle(tmp_path / "bundle")
    (bundle / "watchkeeper.toml").write_bytes((bundle / "watchkeeper.toml").read_bytes() + b"#")
    assert "watchkeeper.toml" in refused(bundle, root)


def test_a_missing_file_is_noticed(tmp_path: Path, root: Path) -> None:
    """A copy that was cut off is no bundle."""
    bundle = small_bundle(tmp_path / "bundle")
    (bundle / "watchkeeper.toml").unlink()
    assert "damaged" in refused(bundle, root)


def test_a_file_that_nobody_listed_is_refused(tmp_path: Path, root: Path) -> None:
    """A wheel that was slipped in would be installed with the rest."""
    bundle = small_bundle(tmp_path / "bundle")
    (bundle / "wheels" / "pluggy-99.0-py3-none-any.whl").write_bytes(b"")
    assert "pluggy-99.0" in refused(bundle, root)


def test_a_link_that_nobody_listed_is_refused(tmp_path: Path, root: Path) -> None:
    """Nor may it lead out of the bundle."""
    bundle = small_bundle(tmp_path / "bundle")
    (tmp_path / "elsewhere.whl").write_bytes(b"")
    (bundle / "wheels" / "pluggy-99.0-py3-none-any.whl").symlink_to(tmp_path / "elsewhere.whl")
    assert "pluggy-99.0" in refused(bundle, root)


def test_another_digest_than_the_told_one_is_refused(tmp_path: Path, root: Path) -> None:
    """Who exchanges the whole bundle, list and all, is found out by the digest that travelled apart from it."""
    bundle = small_bundle(tmp_path / "bundle")
    told = seal(bundle)
    (bundle / "watchkeeper.toml").write_text("")
    seal(bundle)
    assert "not the one that was given" in refused(bundle, root, "--digest", told)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"arch": "riscv64"}, "bundle.sh --arch"),
        ({"python": "3.99"}, "bundle.sh --python"),
        ({"cpu": "0123456789ab"}, "without --native"),
        ({"format": "2"}, "install.sh in it"),
    ],
)
def test_a_bundle_for_another_box_is_refused(tmp_path: Path, root: Path, facts: dict[str, str], told: str) -> None:
    """Processor, Python and form are compared first; the refusal says how to make the right one."""
    assert told in refused(small_bundle(tmp_path / "bundle", **facts), root)


def test_voice_needs_its_packages(tmp_path: Path, root: Path) -> None:
    """A service whose packages are not in the bundle would only ever fail."""
    assert "--features server,voice" in refused(small_bundle(tmp_path / "bundle"), root, "--voice")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--purge",),
        ("--root", "/"),
        ("--nonsense",),
        ("--digest",),
        ("--watch", "no source"),
        ("--watch", "../x=/dev/video0"),
    ],
)
def test_a_wrong_command_line_does_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Options are read before anything else."""
    code, said = bash(small_bundle(tmp_path / "bundle") / "install.sh", *arguments, "--dry-run")
    assert code == 2 and "failed: " in said, said


def test_a_dry_run_says_all_and_does_nothing(tmp_path: Path, root: Path) -> None:
    """Every change is told; none is made."""
    code, said = bash(small_bundle(tmp_path / "bundle") / "install.sh", "--root", root, "--dry-run")
    assert code == 0, said
    for told in ("would run: install -d", "would run: " + "rm -rf", "would write: ", "nothing was changed"):
        assert told in said
    assert not root.exists()


def test_a_bundle_never_replaces_what_is_there(tmp_path: Path) -> None:
    """A stick with other things on it is not overwritten."""
    (tmp_path / "there").mkdir()
    code, said = bash(DEPLOY / "bundle.sh", tmp_path / "there")
    assert code == 2 and "is there already" in said
    assert list((tmp_path / "there").iterdir()) == []


def test_uninstalling_what_is_not_there_is_no_error(root: Path) -> None:
    """So that it can be run again after it was cut off."""
    (root / "etc" / "systemd" / "system").mkdir(parents=True)
    assert bash(DEPLOY / "install.sh", "--root", root, "--uninstall", "--purge")[0] == 0
