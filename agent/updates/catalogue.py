"""The catalogue of this box: the packaged one, and the entries that updates brought in their place.

An update of weights may carry `catalogue.toml` with one entry. It is kept at `<updates>/catalogue/<name>.toml` and
takes the place of the packaged entry of its name, until the program itself comes with another one; a new name comes
last, so it is used where a person asks for it. What is unreadable here is passed over.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agent.updates.durable import write_durably
from agent.weights.catalogue import Catalogue, Entry, load_catalogue, read_catalogue

__all__ = ["ENTRY_FILE", "BadEntry", "forget_entry", "keep_entry", "read_entry", "updated_catalogue", "with_entry"]

ENTRY_FILE = "catalogue.toml"
"""The target that describes the others of its item."""
_MAX_BYTES = 100_000
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class BadEntry(Exception):
    """A text that holds no entry of that name."""


def updated_catalogue(folder: Path, base: Catalogue | None = None) -> Catalogue:
    """What this box knows.

    :param folder: of updates.
    :param base: in place of the packaged catalogue.
    """
    packaged = base or load_catalogue()
    catalogue = packaged
    for entry in _kept(folder / "catalogue", packaged):
        catalogue = with_entry(catalogue, entry)
    return catalogue


def with_entry(catalogue: Catalogue, entry: Entry) -> Catalogue:
    """The catalogue with an entry in place of the one of its name, or at its end."""
    if any(other.name == entry.name for other in catalogue.entries):
        return Catalogue(tuple(entry if other.name == entry.name else other for other in catalogue.entries))
    return Catalogue((*catalogue.entries, entry))


def read_entry(path: Path, name: str) -> Entry:
    """The one entry that a file holds.

    :raises BadEntry: it holds something else.
    :raises OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    try:
        (entry,) = read_catalogue(content.decode() if len(content) <= _MAX_BYTES else "").entries
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, TypeError, KeyError, AttributeError):
        raise BadEntry(f"{path.name} does not hold one entry of a catalogue") from None
    files = [file.name for file in entry.files]
    if entry.name != name or len(set(files)) < len(files) or not all(map(_is_plain, files)):
        raise BadEntry(f"{path.name} describes something else than {name}")
    if not all(file.sha256 and file.bytes for file in entry.files):
        raise BadEntry(f"{path.name} leaves a size or a digest open")
    return entry


def keep_entry(folder: Path, entry_file: Path, name: str, packaged: Catalogue) -> None:
    """From now on this entry counts, as long as the packaged one is what it is now.

    :raises UpdateError: it cannot be written.
    """
    write_durably(_place(folder, name), _over(packaged, name) + entry_file.read_bytes())


def forget_entry(folder: Path, name: str) -> None:
    """The packaged entry counts again."""
    _place(folder, name).unlink(missing_ok=True)


def _kept(folder: Path, packaged: Catalogue) -> Iterator[Entry]:
    for path in sorted(folder.glob("*.toml")):
        with suppress(BadEntry, OSError):
            with path.open("rb") as file:
                current = file.readline(_MAX_BYTES) == _over(packaged, path.stem)
            if current:
                yield read_entry(path, path.stem)


def _over(packaged: Catalogue, name: str) -> bytes:
    """The first line of a kept entry: which packaged entry it takes the place of."""
    entries = [entry for entry in packaged.entries if entry.name == name]
    files = " ".join(file.sha256 for entry in entries for file in entry.files)
    return f"# in place of {hashlib.sha256(files.encode()).hexdigest()}\n".encode()


def _place(folder: Path, name: str) -> Path:
    return folder / "catalogue" / f"{name}.toml"


def _is_plain(name: object) -> bool:
    return isinstance(name, str) and bool(_FILE_NAME.fullmatch(name))
