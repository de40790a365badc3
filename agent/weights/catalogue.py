"""The catalogue: which weights there are, what each file must be, and where it can be had.

Read once from the packaged `catalogue.toml`. A file is named by its SHA-256, so any source may serve it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from agent.errors import PullError
from agent.weights.chunks import CHUNK_BYTES, root_of

__all__ = ["Catalogue", "Entry", "HubPlace", "PackagePlace", "WeightFile", "load_catalogue", "read_catalogue"]

Kind = Literal["vision", "text", "ocr", "speech", "voice", "embedding", "dictionary", "picture"]


@dataclass(frozen=True, slots=True)
class PackagePlace:
    """A file inside one package of a Python registry, or cut into parts over several."""

    package: str
    """Distribution name; `{n}` is the part's number from 1."""
    version: str
    member: str
    """Path inside the archive; `{n}` as above."""
    parts: int = 1
    part_bytes: int = 0
    """Of every part but the last, which is what remains; 0 for a single part."""
    sdist_sha256: str = ""
    """Set where only the source archive holds the file: its digest, hex. Empty means a wheel."""
    sdist_backend: str = ""
    """The build backend that the source archive names."""

    def requirement(self, part: int) -> str:
        """`name==version` of a part, counted from 0."""
        return f"{self.package.format(n=part + 1)}=={self.version}"

    def path(self, part: int) -> str:
        """The member of a part, counted from 0."""
        return self.member.format(n=part + 1)


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A file of a model hub's repository."""

    repo: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of an entry."""

    role: str
    """model, mmproj, det, rec, det-config …; the key under which the user of the weights finds it."""
    name: str
    """File name under the entry's folder."""
    bytes: int = 0
    """Exact size; 0 where it is not known."""
    about_bytes: int = 0
    """For planning, where the exact size is not known."""
    sha256: str = ""
    """Hex; empty where the first pull pins it."""
    chunks_sha256: str = ""
    """Over the digests of its 8 MiB chunks, hex; empty where nobody has read the file for it. See `root`."""
    stands_for: str = ""
    """The role whose place this file may take; such a file is never required."""
    pypi: PackagePlace | None = None
    hf: HubPlace | None = None
    modelscope: HubPlace | None = None

    @property
    def size(self) -> int:
        """What to plan for, in bytes."""
        return self.bytes or self.about_bytes

    @property
    def root(self) -> str:
        """The digest that binds its chunks; of a file of one chunk it follows from the digest of the whole."""
        if self.chunks_sha256 or not self.sha256 or not 0 < self.bytes <= CHUNK_BYTES:
            return self.chunks_sha256
        return root_of([bytes.fromhex(self.sha256)])


@dataclass(frozen=True, slots=True)
class Entry:
    """Weights that are used together."""

    name: str
    kind: Kind
    title: str
    license: str
    files: tuple[WeightFile, ...]
    ram_bytes: int = 0
    """Free memory with which it is worth starting."""
    cores: int = 0
    """Cores with which it is worth starting."""
    rules_pick: bool = False
    """It points at the right quote less often than rules do (`make score-turn`), so they do that for it."""

    @property
    def required(self) -> tuple[WeightFile, ...]:
        """The files without which it does not run."""
        return tuple(file for file in self.files if not file.stands_for)

    def substitutes(self, role: str) -> tuple[WeightFile, ...]:
        """The files that may take the place of a role."""
        return tuple(file for file in self.files if file.stands_for == role)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries, best model first within a kind."""

    entries: tuple[Entry, ...]

    def entry(self, name: str) -> Entry:
        """One entry.

        :raises PullError: there is none of that name; the message names the nearest.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        names = [entry.name for entry in self.entries]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise PullError(f"{name}: no such weights; {hint}")

    @property
    def chat_models(self) -> tuple[Entry, ...]:
        """The entries that can answer a question, best first."""
        return tuple(entry for entry in self.entries if entry.kind in ("vision", "text"))


@cache
def load_catalogue() -> Catalogue:
    """The packaged catalogue."""
    return read_catalogue(files("agent.weights").joinpath("catalogue.toml").read_text(encoding="utf-8"))


def read_catalogue(text: str) -> Catalogue:
    """Parse a catalogue in TOML."""
    return Catalogue(tuple(_entry(table) for table in tomllib.loads(text).get("entry", ())))


def _entry(table: Mapping[str, Any]) -> Entry:
    values = {key: value for key, value in table.items() if key != "file"}
    return Entry(**values, files=tuple(_file(inner) for inner in table["file"]))


def _file(table: Mapping[str, Any]) -> WeightFile:
    values = dict(table)
    places: dict[str, Any] = {}
    if "pypi" in values:
        places["pypi"] = PackagePlace(**values.pop("pypi"))
    for hub in ("hf", "modelscope"):
        if hub in values:
            places[hub] = HubPlace(**values.pop(hub))
    return WeightFile(**values, **places)
