"""A bundle is data from anybody: whatever is not a sound wheel with a manifest is refused before anything is run."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import ModuleError, NeedsPerson
from agent.modules.bundle import open_bundle
from agent.modules.manifest import read_manifest
from agent.modules.store import ModuleStore
from agent.settings import ModuleSettings
from tests.modules_kit import bundle, manifest, tally, wheel

SMALL = ModuleSettings(max_bundle_bytes=5_000_000, max_unpacked_bytes=9_000_000, most_files=40, spare_bytes=0)


@pytest.fixture
def store(tmp_path: Path) -> ModuleStore:
    return ModuleStore(tmp_path / "modules", SMALL)


def rewritten(source: Path, change: Callable[[zipfile.ZipInfo, bytes], tuple[zipfile.ZipInfo, bytes] | None]) -> Path:
    """The same wheel with its members changed, one by one; None leaves one out."""
    target = source.with_name(f"changed-{source.name}")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            made = change(member, old.read(member))
            if made is not None:
                new.writestr(*made)
    return target


def with_extra(folder: Path, name: str, data: bytes = b"x", **attributes: int) -> Path:
    """A bundle with one more member, which RECORD knows."""
    made = bundle(folder, manifest(), {"tally.py": "x = 1", name.replace("\x00", ""): data})
    if not attributes:
        return made

    def change(member: zipfile.ZipInfo, content: bytes) -> tuple[zipfile.ZipInfo, bytes]:
        if member.filename == name:
            for key, value in attributes.items():
                setattr(member, key, value)
        return member, content

    return rewritten(made, change)


def test_a_sound_bundle_is_unpacked_beside_the_others(store: ModuleStore, tmp_path: Path) -> None:
    """Every file has the digest that RECORD gives; no version answers yet, and no draft is left."""
    made = store.install(tally(tmp_path))
    assert made.site.joinpath("tally.py").read_text().startswith("\nimport ctypes")
    assert store.verified("tally", "1.0").files == made.files
    assert store.versions("tally") == ("1.0",) and store.choice("tally").current == ""
    assert sorted(path.name for path in (store.folder / "tally").iterdir()) == [".lock", "1.0"]


@pytest.mark.parametrize(
    "name",
    [
        "../out.py", "/etc/out.py", "a/../../out.py", "a//b.py", "./a.py", "a\\b.py", "C:/a.py", "a\nb.py", "a/./b.py",
        "x" * 300, "evil.pth", "site/evil.pth", "sitecustomize.py", "usercustomize/__init__.py", "old.egg-link",
    ],
)  # fmt: skip
def test_odd_names_are_refused(store: ModuleStore, tmp_path: Path, name: str) -> None:
    """No path out of the folder, nothing that acts by lying there; nothing is written."""
    with pytest.raises(ModuleError):
        store.install(with_extra(tmp_path, name))
    assert not list(tmp_path.rglob("out.py")) and store.versions("tally") == ()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_only_plain_files(store: ModuleStore, tmp_path: Path, kind: int) -> None:
    """A link or a device in the zip is refused."""
    with pytest.raises(ModuleError, match="plain files only"):
        store.install(with_extra(tmp_path, "odd", b"/etc/passwd", external_attr=(kind | 0o777) << 16))


def test_record_has_the_last_word(store: ModuleStore, tmp_path: Path) -> None:
    """A changed byte, a file too many, one too few, no RECORD: each is said, and nothing stays."""
    sound = tally(tmp_path)

    def flip(member: zipfile.ZipInfo, data: bytes) -> tuple[zipfile.ZipInfo, bytes]:
        return member, data.replace(b"return a + b", b"return a - b")

    def drop(member: zipfile.ZipInfo, data: bytes) -> tuple[zipfile.ZipInfo, bytes] | None:
        return None if member.filename == "tally.py" else (member, data)

    with pytest.raises(ModuleError, match="is not what RECORD says"):
        store.install(rewritten(sound, flip))
    with pytest.raises(ModuleError, match="RECORD and contents differ"):
        store.install(rewritten(sound, drop))
    extra = sound.with_name("extra.whl")
    extra.write_bytes(sound.read_bytes())
    with zipfile.ZipFile(extra, "a") as out:
        out.writestr("more.py", "print(1)")
    with pytest.raises(ModuleError, match="RECORD and contents differ"):
        store.install(extra)
    with pytest.raises(ModuleError, match="holds no"):
        store.install(wheel(tmp_path / "bare.whl", "tally-1.0", {"tally-1.0.dist-info/METADATA": ""}, record=False))
    assert store.versions("tally") == () and not list(store.folder.rglob("*.py"))


def test_names_that_fall_together_are_refused(store: ModuleStore, tmp_path: Path) -> None:
    """On a disk that takes a.py and A.py for one file, a second one would replace the first."""
    with pytest.raises(ModuleError, match="is there twice"):
        store.install(bundle(tmp_path, manifest(), {"a.py": "1", "A.py": "2"}))
    with pytest.raises(ModuleError, match="a file and a folder"):
        store.install(bundle(tmp_path, manifest(), {"a": "1", "a/b.py": "2"}))


def test_size_is_bounded_before_it_is_written(store: ModuleStore, tmp_path: Path) -> None:
    """A zip bomb, too many files, too large a file: refused by what the zip says, and by what it gives."""
    with pytest.raises(ModuleError, match="packed beyond all measure"):
        store.install(with_extra(tmp_path, "zeros", bytes(4_000_000)))
    with pytest.raises(ModuleError, match="max_unpacked_bytes"):
        store.install(with_extra(tmp_path, "large", os.urandom(100) * 100_000))
    with pytest.raises(ModuleError, match="most_files"):
        store.install(bundle(tmp_path, manifest(), {f"f{number}.py": "" for number in range(60)}))
    large = tmp_path / "large.whl"
    large.write_bytes(bytes(5_000_001))
    with pytest.raises(ModuleError, match="max_bundle_bytes"):
        store.install(large)
    full = ModuleStore(tmp_path / "full", SMALL.model_copy(update={"spare_bytes": 10**15}))
    with pytest.raises(ModuleError, match="make room"):
        full.install(tally(tmp_path))


def test_a_member_that_says_less_than_it_holds(store: ModuleStore, tmp_path: Path) -> None:
    """Sizes in the zip's list are lies until they are counted."""
    made = tally(tmp_path)
    data = bytearray(made.read_bytes())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("tally.py").file_size
    at = 0
    while (at := data.find(struct.pack("<I", size), at)) >= 0:
        data[at : at + 4] = struct.pack("<I", 3)
        at += 4
    made.write_bytes(data)
    with pytest.raises(ModuleError):
        store.install(made)


def test_the_wheel_and_its_manifest_agree(store: ModuleStore, tmp_path: Path) -> None:
    """One that calls itself otherwise inside is refused."""
    with pytest.raises(ModuleError, match="make them agree"):
        store.install(bundle(tmp_path, manifest(version="2.0"), {"tally.py": ""}, dist="tally-1.0"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml [", "not TOML"),
        ("", "module: Field required"),
        (manifest(name="../x"), "module.name"),
        (manifest(version="state"), "module.version"),
        (manifest(entry="os.system"), "package.module:factory"),
        (manifest(more="\n"), "golden"),
        ("golden = []\n" + manifest(more="\n"), "no golden calls"),
        (manifest(more='[[golden]]\nmethod = "add"\n'), "says nothing of what it must give"),
        (manifest(more='[needs]\nreads = ["../up"]\n[[golden]]\nmethod="a"\nequals=1'), "neither an absolute path"),
        (manifest(more='[needs]\ndevices = ["/etc/x"]\n[[golden]]\nmethod="a"\nequals=1'), "lies under /dev/"),
        (manifest(more='[needs]\nwrites = ["log"]\n[[golden]]\nmethod="a"\nequals=1'), "can only be read"),
        (manifest(more='[needs]\nroot = true\n[[golden]]\nmethod="a"\nequals=1'), "needs.root"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_said(text: str, said: str) -> None:
    """Where it is and what it is, in one line."""
    with pytest.raises(ModuleError, match=said) as told:
        read_manifest(text.encode(), SMALL, where="x.whl")
    assert "\n" not in str(told.value).strip()


@given(data=st.binary(max_size=400))
def test_any_bytes_as_manifest(data: bytes) -> None:
    """They are a manifest, or refused as such."""
    with pytest.raises(ModuleError):
        read_manifest(data, SMALL, where="x.whl")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), bits=st.integers(1, 255), cut=st.integers(0, 400))
def test_a_damaged_bundle_is_refused_or_whole(tmp_path: Path, at: int, bits: int, cut: int) -> None:
    """Whatever byte is changed and wherever it is cut: it is refused in one line, or what is unpacked is what was."""
    sound = tally(tmp_path / "sound")
    data = bytearray(sound.read_bytes())
    data[at % len(data)] ^= bits
    damaged = tmp_path / "damaged.whl"
    damaged.write_bytes(data[: len(data) - cut])
    try:
        with open_bundle(damaged, SMALL) as found:
            assert found.manifest.module.name == "tally"
    except ModuleError as error:
        assert "\n" not in str(error)


def test_a_list_that_points_before_the_bundle_is_refused(tmp_path: Path) -> None:
    """The place of the list is what the end of the archive says, so a damaged end moves every file."""
    sound = tally(tmp_path / "sound").read_bytes()
    end = sound.rindex(b"PK\x05\x06")
    place = int.from_bytes(sound[end + 16 : end + 20], "little") + 1_000_000
    damaged = tmp_path / "damaged.whl"
    damaged.write_bytes(sound[: end + 16] + place.to_bytes(4, "little") + sound[end + 20 :])
    with pytest.raises(ModuleError, match="damaged"), open_bundle(damaged, SMALL):
        pass


def test_what_a_bundle_requires_comes_with_it(store: ModuleStore, tmp_path: Path) -> None:
    """Wheels inside are checked like the bundle itself, and unpacked beside it; pip has no part in it."""
    inner = wheel(
        tmp_path / "dep-2.0-py3-none-any.whl", "dep-2.0", {"dep.py": "X = 7", "dep-2.0.data/scripts/run": "!"}
    )
    made = store.install(
        bundle(tmp_path, manifest(), {"tally.py": "", "watchkeeper_wheels/dep.whl": inner.read_bytes()})
    )
    assert made.site.joinpath("dep.py").read_text() == "X = 7"
    assert not list(made.folder.rglob("run")) and not list(made.folder.rglob("*.whl"))
    evil = wheel(tmp_path / "dep.whl", "dep-2.0", {"dep.pth": "import os"})
    with pytest.raises(ModuleError, match="would act without being imported"):
        told = manifest(version="1.1")
        files = {"tally.py": "", "watchkeeper_wheels/dep.whl": evil.read_bytes()}
        store.install(bundle(tmp_path, told, files, dist="tally-1.1"))


def test_a_person_agrees_to_what_goes_beyond_its_folder(store: ModuleStore, tmp_path: Path) -> None:
    """Asked once; a version that wants more is asked about again, one that wants less is not."""
    needs = "[needs]\nnetwork = true\n"
    with pytest.raises(NeedsPerson, match=r"1\.0 wants: network; .*--agree"):
        store.install(tally(tmp_path, more=needs))
    assert store.versions("tally") == ()
    store.install(tally(tmp_path, more=needs), agreed=True)
    store.install(tally(tmp_path, "1.1", more=needs))
    with pytest.raises(NeedsPerson, match=r"1\.2 wants: device /dev/ttyUSB0"):
        store.install(tally(tmp_path, "1.2", more='[needs]\nnetwork = true\ndevices = ["/dev/ttyUSB0"]\n'))


def test_damage_on_disk_is_noticed(store: ModuleStore, tmp_path: Path) -> None:
    """A changed, missing or foreign file, or a link, makes a version unusable; the same bundle mends it."""
    made = store.install(tally(tmp_path))
    file = made.site / "tally.py"
    sound = file.read_bytes()
    file.write_bytes(sound + b"#")
    with pytest.raises(ModuleError, match="is not what was installed"):
        store.verified("tally", "1.0")
    file.unlink()
    with pytest.raises(ModuleError, match="is missing"):
        store.verified("tally", "1.0")
    file.symlink_to("/etc/passwd")
    with pytest.raises(ModuleError):
        store.verified("tally", "1.0")
    assert store.install(tally(tmp_path)).site.joinpath("tally.py").read_bytes() == sound
    (made.site / "more.py").write_text("")
    with pytest.raises(ModuleError, match=r"more\.py is not what was installed"):
        store.verified("tally", "1.0")


def test_one_version_is_one_bundle(store: ModuleStore, tmp_path: Path) -> None:
    """The same one again changes nothing; another one needs a version of its own."""
    first = store.install(tally(tmp_path))
    assert store.install(tally(tmp_path)) == first
    with pytest.raises(ModuleError, match="its own version"):
        store.install(tally(tmp_path / "other", at_add="return 5"))


def test_versions_that_nobody_uses_make_room(tmp_path: Path) -> None:
    """What answers and the one before stay."""
    store = ModuleStore(tmp_path / "modules", SMALL.model_copy(update={"keep_versions": 2}))
    store.install(tally(tmp_path, "1.0"))
    store.choose("tally", lambda choice: type(choice)(current="1.0"))
    for version in ("1.1", "1.2", "1.3"):
        store.install(tally(tmp_path, version))
    assert store.versions("tally") == ("1.0", "1.3")


def test_a_full_disk_leaves_nothing_behind(store: ModuleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At whichever write it is full: one line, no half version, no draft, and the choice as it was."""
    sound = tally(tmp_path)
    store.install(sound)
    store.choose("tally", lambda choice: type(choice)(current="1.0"))
    newer = tally(tmp_path, "1.1")
    sync, syncs = os.fsync, [0]

    def full(descriptor: int, at: int) -> None:
        syncs[0] += 1
        if syncs[0] == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    for at in range(1, 40):
        syncs[0] = 0
        monkeypatch.setattr(os, "fsync", lambda descriptor, at=at: full(descriptor, at))
        try:
            store.install(newer)
        except ModuleError as error:
            assert "No space left on device" in str(error) and "free space" in str(error)
        monkeypatch.setattr(os, "fsync", sync)
        names = sorted(path.name for path in (store.folder / "tally").iterdir())
        assert names in ([".lock", "1.0", "choice.json"], [".lock", "1.0", "1.1", "choice.json"])
        if syncs[0] < at:
            break
        if "1.1" in names:
            store.verified("tally", "1.1")
            store.remove("tally", "1.1")
    assert at > 5 and store.verified("tally", "1.1") and store.choice("tally").current == "1.0"


def test_a_pipe_is_no_bundle_and_holds_nobody_up(tmp_path: Path) -> None:
    """It is looked at before anything is waited for."""
    os.mkfifo(tmp_path / "pipe.whl")
    with pytest.raises(ModuleError, match="not a plain file"), open_bundle(tmp_path / "pipe.whl", ModuleSettings()):
        pass
