"""A module bundle: a wheel that is checked as data and unpacked. Nothing in it is run, and pip has no part in it.

Order: size → every name, type and size in the zip → RECORD covers each file, and no other → manifest → free disk →
unpacked file by file, each held against its digest. Wheels under `watchkeeper_wheels/` are what it requires; they are
checked alike and unpacked beside it. Whatever is wrong is found before the first file of the bundle can be imported.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import os
import re
import stat
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from agent.errors import ModuleError
from agent.files import at_once
from agent.modules.manifest import MANIFEST, Manifest, read_manifest
from agent.settings import ModuleSettings

__all__ = ["Bundle", "open_bundle"]

WHEELS = "watchkeeper_wheels/"
"""Folder in the bundle that holds the wheels that it requires."""
_READ_BYTES = 1 << 20
_MOST_RATIO = 1_000
"""Unpacked to packed bytes; deflate cannot do better than 1032, and nobody's module comes near."""
_REFUSED = re.compile(r"(^|/)(sitecustomize|usercustomize)(\.|/)|\.pth$|\.egg-link$")
"""Would run or redirect imports by merely lying there."""
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_BROKEN = (zipfile.BadZipFile, struct.error, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What zipfile raises on hostile bytes."""


class Bundle:
    """A wheel whose list of contents is sound. Its files are checked as they are unpacked."""

    def __init__(self, archive: zipfile.ZipFile, wheels: tuple[_Wheel, ...], manifest: Manifest, digest: str) -> None:
        """Use `open_bundle`."""
        self.manifest = manifest
        self.sha256 = digest
        """Of the bundle's file."""
        self._archive = archive
        self._wheels = wheels

    @property
    def unpacked_bytes(self) -> int:
        """What it takes on disk."""
        return sum(member.file_size for wheel in self._wheels for member in wheel.members)

    def unpack(self, folder: Path) -> dict[str, str]:
        """Write every file into a folder, durably, and hold each against its digest.

        :returns: path in the folder → SHA-256, hex.
        :raises ModuleError: a file is not what RECORD says, two wheels bring the same one, or the disk refuses.
        """
        digests: dict[str, str] = {}
        try:
            for wheel in self._wheels:
                for member in wheel.members:
                    place = _placed(member.filename)
                    if place is None:
                        continue
                    if place in digests:
                        raise ModuleError(f"{wheel.where}: {place} is brought by another wheel too; leave one out")
                    digests[place] = wheel.unpack(member, folder / place)
            _sync_folders(folder)
        except OSError as error:
            raise ModuleError(f"{folder}: cannot be written: {error.strerror}; free space or repair the disk") from None
        return digests


@contextlib.contextmanager
def open_bundle(path: Path, settings: ModuleSettings) -> Iterator[Bundle]:
    """Open a bundle and check everything that can be told without unpacking it.

    :raises ModuleError: it is no sound bundle.
    """
    where = path.name
    with contextlib.ExitStack() as undo:
        try:
            file = undo.enter_context(open(path, "rb", opener=at_once))
            size = os.fstat(file.fileno()).st_size
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ModuleError(f"{path}: is not a plain file; give the wheel of a module")
            if size > settings.max_bundle_bytes:
                raise ModuleError(f"{where}: {size} bytes, modules.max_bundle_bytes is {settings.max_bundle_bytes}")
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModuleError(f"{path}: cannot be read: {error.strerror}; give the wheel of a module") from None
        archive = _open_zip(file, where)
        undo.callback(archive.close)
        budget = _Budget(settings)
        outer = _check(archive, where, budget)
        manifest = _manifest(outer, settings)
        inner = []
        for member in outer.members:
            if member.filename.startswith(WHEELS) and member.filename.endswith(".whl"):
                data = undo.enter_context(_unpacked(outer, member))
                nested = undo.enter_context(_open_zip(data, member.filename))
                inner.append(_check(nested, member.filename, budget))
        yield Bundle(archive, (outer, *inner), manifest, digest)


@dataclass(slots=True)
class _Budget:
    """What all wheels of a bundle together may take."""

    settings: ModuleSettings
    files: int = 0
    bytes: int = 0

    def take(self, member: zipfile.ZipInfo, where: str) -> None:
        self.files += 1
        self.bytes += member.file_size
        if self.files > self.settings.most_files:
            raise ModuleError(f"{where}: more than {self.settings.most_files} files (modules.most_files)")
        if self.bytes > self.settings.max_unpacked_bytes:
            most = self.settings.max_unpacked_bytes
            raise ModuleError(f"{where}: unpacks to more than {most} bytes (modules.max_unpacked_bytes)")
        if member.file_size > _MOST_RATIO * max(member.compress_size, 1_000):
            raise ModuleError(f"{where}: {member.filename!r:.80} is packed beyond all measure; it is no honest bundle")


@dataclass(frozen=True, slots=True)
class _Wheel:
    """One wheel whose list is sound."""

    archive: zipfile.ZipFile
    where: str
    members: tuple[zipfile.ZipInfo, ...]
    record: dict[str, tuple[str, int]]
    """Path → SHA-256 (hex) and size."""
    dist_info: str
    """`NAME-VERSION.dist-info`"""

    def unpack(self, member: zipfile.ZipInfo, target: Path) -> str:
        """Write one file, durably.

        :returns: its digest.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "wb") as out:
            digest = self.copy(member, out)
            out.flush()
            os.fsync(out.fileno())
        return digest

    def copy(self, member: zipfile.ZipInfo, out: IO[bytes]) -> str:
        """Copy one file and hold it against RECORD.

        :raises ModuleError: it is not what RECORD says.
        """
        expected = self.record.get(member.filename)
        digest, size = hashlib.sha256(), 0
        try:
            with self.archive.open(member) as data:
                while block := data.read(_READ_BYTES):
                    size += len(block)
                    if size > member.file_size:
                        raise zipfile.BadZipFile("longer than it says")
                    digest.update(block)
                    out.write(block)
        except _BROKEN as error:
            raise ModuleError(f"{self.where}: {member.filename!r:.120} is damaged ({error}); get it again") from None
        if expected is not None and expected != (digest.hexdigest(), size):
            raise ModuleError(f"{self.where}: {member.filename!r:.120} is not what RECORD says; get the bundle again")
        return digest.hexdigest()


def _open_zip(file: IO[bytes], where: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (*_BROKEN, OSError) as error:
        raise ModuleError(f"{where}: is not a wheel ({error}); give the wheel of a module") from None


def _check(archive: zipfile.ZipFile, where: str, budget: _Budget) -> _Wheel:
    """Names, types, sizes and RECORD of one wheel."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    seen: set[str] = set()
    for member in archive.infolist():
        budget.take(member, where)
        _check_member(member, where, budget.settings)
        folded = unicodedata.normalize("NFC", member.filename.rstrip("/")).casefold()
        if folded in seen:
            raise ModuleError(f"{where}: {member.filename!r:.120} is there twice; it is no honest bundle")
        seen.add(folded)
    parents = {str(parent) for name in seen for parent in PurePosixPath(name).parents}
    clash = parents & {member.filename.casefold() for member in members}
    if clash:
        raise ModuleError(f"{where}: {min(clash)!r:.120} is a file and a folder; it is no honest bundle")
    found = {part for member in members if (part := member.filename.split("/")[0]).endswith(".dist-info")}
    if len(found) != 1:
        raise ModuleError(f"{where}: has {len(found)} .dist-info folders instead of one; give a wheel")
    (dist_info,) = found
    wheel = _Wheel(archive, where, tuple(members), {}, dist_info)
    record = _record(wheel, budget.settings)
    _check_record(wheel, record)
    return _Wheel(archive, where, tuple(members), record, dist_info)


def _check_member(member: zipfile.ZipInfo, where: str, settings: ModuleSettings) -> None:
    name = member.filename
    parts = name.rstrip("/").split("/")
    odd = not name or not name.isprintable() or "\\" in name or ":" in name or name != member.orig_filename
    if odd or name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise ModuleError(f"{where}: {name!r:.120} is no name for a file; it is no honest bundle")
    if len(name.encode("utf-8", "replace")) > settings.max_path_chars:
        raise ModuleError(f"{where}: {name!r:.60}… is too long a name (modules.max_path_chars)")
    if member.header_offset < 0:  # zipfile believes any offset, and would seek there
        raise ModuleError(f"{where}: {name!r:.120} would lie before the bundle; it is damaged, get it again")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ModuleError(f"{where}: {name!r:.120} is a link or a device; a bundle holds plain files only")
    if member.flag_bits & 0x1:
        raise ModuleError(f"{where}: {name!r:.120} is encrypted; a bundle holds plain files only")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ModuleError(f"{where}: {name!r:.120} is packed in a way that wheels are not")
    if _REFUSED.search(name):
        raise ModuleError(f"{where}: {name!r:.120} would act without being imported; leave it out")


def _record(wheel: _Wheel, settings: ModuleSettings) -> dict[str, tuple[str, int]]:
    """RECORD: path → digest and size."""
    text = _read(wheel, f"{wheel.dist_info}/RECORD", 300 * settings.most_files)
    record: dict[str, tuple[str, int]] = {}
    try:
        for row in csv.reader(io.StringIO(text.decode("utf-8")), strict=True):
            if not row:
                continue
            name, hashed, size = row
            if hashed:
                kind, _, digest = hashed.partition("=")
                if kind != "sha256" or name in record:
                    raise ValueError(f"{name!r:.120} has no SHA-256, or two lines")
                raw = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4))
                record[name] = raw.hex(), int(size)
    except (ValueError, csv.Error) as error:
        raise ModuleError(f"{wheel.where}: RECORD cannot be read: {error}; build the wheel again") from None
    return record


def _check_record(wheel: _Wheel, record: dict[str, tuple[str, int]]) -> None:
    own = {f"{wheel.dist_info}/{name}" for name in ("RECORD", *_SIGNATURES)}
    names = {member.filename for member in wheel.members} - own
    if names != record.keys() - own:
        odd = min(names ^ (record.keys() - own))
        raise ModuleError(f"{wheel.where}: RECORD and contents differ in {odd!r:.120}; build the wheel again")


def _manifest(wheel: _Wheel, settings: ModuleSettings) -> Manifest:
    data = _read(wheel, f"{wheel.dist_info}/{MANIFEST}", settings.max_manifest_bytes)
    manifest = read_manifest(data, settings, where=wheel.where)
    told = wheel.dist_info.removesuffix(".dist-info").rpartition("-")
    module = manifest.module
    if (re.sub(r"[-_.]+", "-", told[0]).lower(), told[2]) != (module.name, module.version):
        raise ModuleError(
            f"{wheel.where}: the wheel is {told[0]} {told[2]}, its manifest says {module.name} {module.version}; "
            "make them agree"
        )
    places = {_placed(member.filename) for member in wheel.members}
    for golden in manifest.golden:
        if golden.image is not None and f"site/{golden.image}" not in places:
            raise ModuleError(f"{wheel.where}: {golden.image!r:.120}, the image of a golden call, is not in it; add it")
    return manifest


def _read(wheel: _Wheel, name: str, most: int) -> bytes:
    found = next((member for member in wheel.members if member.filename == name), None)
    if found is None:
        raise ModuleError(f"{wheel.where}: holds no {name}; give the wheel of a module")
    if found.file_size > most:
        raise ModuleError(f"{wheel.where}: {name} has {found.file_size} bytes; it is no honest bundle")
    out = io.BytesIO()
    wheel.copy(found, out)
    return out.getvalue()


@contextlib.contextmanager
def _unpacked(wheel: _Wheel, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """A wheel in the wheel, as a file without a name."""
    with tempfile.TemporaryFile() as out:
        wheel.copy(member, out)
        out.seek(0)
        yield out


def _placed(name: str) -> str | None:
    """Where a file of a wheel belongs; None for what is not unpacked."""
    first, _, rest = name.partition("/")
    if name.startswith(WHEELS):
        return None
    if first.endswith(".data"):
        kind, _, inner = rest.partition("/")
        return f"site/{inner}" if kind in ("purelib", "platlib") and inner else None
    return f"site/{name}"


def _sync_folders(folder: Path) -> None:
    for path, _, _ in os.walk(folder):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
