"""What a repository offers, as frozen values; and how signed metadata is read into them.

A target lies at `weights/<name>/<file>` or `modules/<name>/<file>`. Its custom metadata names kind, name and version.
All targets of one name make one item and have one version. A kind that this program does not know is left out, since a
newer release may offer more; anything else that is not in this form is refused, however well it is signed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

__all__ = ["Item", "Kind", "Malformed", "Outcome", "State", "Target", "read_items"]

Kind = Literal["weights", "module"]
State = Literal["here", "available", "not chosen", "held back", "installed", "kept", "failed"]

_FOLDERS: Mapping[str, Kind] = {"weights": "weights", "modules": "module"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Malformed(Exception):
    """Signed, but not in our form."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file of a repository."""

    path: str
    """Under `targets/`, without the digest that a repository puts before the file's name."""
    name: str
    """The file's name."""
    bytes: int
    sha256: str
    """Hex."""

    @property
    def stored_path(self) -> str:
        """Where the repository keeps it."""
        folder, _, name = self.path.rpartition("/")
        return f"targets/{folder}/{self.sha256}.{name}"


@dataclass(frozen=True, slots=True)
class Item:
    """What is put in use as one: the weights of a catalogue entry, or the bundle of a module."""

    kind: Kind
    name: str
    version: str
    targets: tuple[Target, ...]

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(target.bytes for target in self.targets)

    @property
    def digest(self) -> str:
        """Over the digests of its files, hex."""
        return hashlib.sha256(" ".join(sorted(target.sha256 for target in self.targets)).encode()).hexdigest()

    @property
    def label(self) -> str:
        """As people read it."""
        return f"{self.kind} {self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item."""

    kind: Kind
    name: str
    version: str
    """Offered."""
    state: State
    """`here` already in use, `available`, `not chosen` because this box has none of it, `held back` because it failed
    here before, `installed`, `kept` because it is not healthy and the last good version stays in use, or `failed`: it
    could not even be tried, and the next update goes on."""
    was: str = ""
    """The version in use before; empty where there was none or it has no version."""
    bytes: int = 0
    """Of its files."""
    problem: str = ""
    """Why it was held back or failed."""


def read_items(targets: Iterable[tuple[str, int, Mapping[str, str], Mapping[str, Any]]]) -> tuple[Item, ...]:
    """Items by kind and name.

    :param targets: path, length, hashes and custom metadata of each.
    :raises Malformed: one is not in our form.
    """
    found: dict[tuple[Kind, str, str], list[Target]] = {}
    for path, length, hashes, custom in targets:
        kind = custom.get("kind")
        if isinstance(kind, str) and kind not in _FOLDERS.values():
            continue
        folder, name, file = _parts(path)
        version = custom.get("version")
        if _FOLDERS[folder] != kind or custom.get("name") != name:
            raise Malformed(f"{path!r} is described as something else")
        if not isinstance(version, str) or not _NAME.fullmatch(version):
            raise Malformed(f"{path!r} has no version")
        sha256 = hashes.get("sha256", "")
        if not _SHA256.fullmatch(sha256) or length < 1:
            raise Malformed(f"{path!r} has no SHA-256 or is empty")
        found.setdefault((cast(Kind, kind), name, version), []).append(Target(path, file, length, sha256))
    return _joined(found)


def _parts(path: str) -> tuple[str, str, str]:
    parts = path.split("/")
    if len(parts) != 3 or parts[0] not in _FOLDERS or not all(_NAME.fullmatch(part) for part in parts[1:]):
        raise Malformed(f"{path!r:.200} is no path of a target")
    return parts[0], parts[1], parts[2]


def _joined(found: Mapping[tuple[Kind, str, str], list[Target]]) -> tuple[Item, ...]:
    items = [
        Item(kind, name, version, tuple(sorted(targets, key=lambda target: target.name)))
        for (kind, name, version), targets in sorted(found.items())
    ]
    if len({(item.kind, item.name) for item in items}) < len(items):
        raise Malformed("one name is offered in two versions")
    for item in items:
        if item.kind == "module" and len(item.targets) != 1:
            raise Malformed(f"module {item.name} is not one bundle")
    return tuple(items)
