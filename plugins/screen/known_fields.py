"""The fields of a panel that was learnt, from the file that a person may correct: names and places, nothing else."""

from __future__ import annotations

import re
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path

from agent.api import InputError

__all__ = ["KnownField", "known_fields"]

_NAME = re.compile(r"[\w\-]{1,64}")
_MOST_BYTES = 4_000_000
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class KnownField:
    """A field of a screen's panel profile."""

    label: str
    unit: str
    place: tuple[float, float, float, float]
    """Its box in parts of the width and height of the panel."""


def known_fields(folder: Path, name: str) -> tuple[KnownField, ...]:
    """Of one panel.

    :param folder: of the profiles.
    :raises InputError: there is none of that name, or its files are damaged.
    """
    path = folder / f"{name}.toml"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise InputError(f"{name:.64}: no such panel is known; run `watchkeeper panel learn IMAGE --name {name:.64}`")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is far too large")
        with path.with_suffix(".png").open("rb") as file:
            head = file.read(24)
        wide, high = struct.unpack(">II", head[16:24]) if head[:8] == _PNG else (0, 0)
        if not (wide and high):
            raise ValueError("its reference photo is no PNG")
        found = []
        for item in tomllib.loads(path.read_text(encoding="utf-8")).get("field", ()):
            left, top, right, bottom = (float(side) for side in item["box"])
            place = left / wide, top / high, right / wide, bottom / high
            found.append(KnownField(str(item["label"]), str(item["unit"]), place))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise InputError(f"{path}: not a profile ({error}); learn the panel again") from None
    return tuple(found)
