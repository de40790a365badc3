"""Profiles in the home folder: one TOML file that a person may correct, one PNG with the reference photo.

Both are replaced as a whole; a profile is there once its TOML file is.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from agent.api import Box
from plugins.panel.profiles.profile import Field, KnownLamp, Profile, ProfileError

__all__ = ["ProfileStore"]

_NAME = re.compile(r"[\w\-]{1,64}")
_MAX_BYTES = 4_000_000
_HEAD = """# What was learnt about the panel {name}. `low` and `high` of a field are what its value can be at all:
# set them where you know them, and a reading outside is doubted. The reference photo lies beside this file.
"""


class ProfileStore:
    """The profiles of this box.

    :param folder: made when the first one is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Of all profiles, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.toml") if path.with_suffix(".png").is_file())

    def load(self, name: str) -> Profile:
        """One profile.

        :raises ProfileError: there is none of that name, or its files are damaged.
        """
        path = self._path(name)
        if not path.is_file():
            known = ", ".join(self.names()) or "none yet"
            raise ProfileError(
                f"{name}: no such panel is known ({known}); run `watchkeeper panel learn IMAGE --name {name}`"
            )
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise ValueError("it is far too large")
            body = tomllib.loads(path.read_text(encoding="utf-8"))
            reference = cv2.imdecode(np.fromfile(path.with_suffix(".png"), np.uint8), cv2.IMREAD_GRAYSCALE)
            if reference is None:
                raise ValueError("its reference photo cannot be decoded")
            return _profile(name, body, reference)
        except (OSError, ValueError, KeyError, TypeError, cv2.error) as error:
            raise ProfileError(f"{path}: not a profile ({error}); learn the panel again") from None

    def save(self, profile: Profile) -> Path:
        """Keep a profile; one of the same name is replaced.

        :returns: the TOML file.
        :raises ProfileError: the name cannot be a file's, or the disk refuses.
        """
        path = self._path(profile.name)
        done, picture = cv2.imencode(".png", profile.reference)
        if not done:
            raise ProfileError(f"{profile.name}: its reference photo cannot be kept")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _replace(path.with_suffix(".png"), picture.tobytes())
            _replace(path, _written(profile).encode())
        except OSError as error:
            raise ProfileError(f"{path}: cannot be written: {error.strerror}") from None
        return path

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ProfileError(f"{name!r}: a panel's name is made of letters, digits, - and _, at most 64")
        return self.folder / f"{name}.toml"


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _written(profile: Profile) -> str:
    lines = [_HEAD.format(name=profile.name), f"anchors = {json.dumps([list(box) for box in profile.anchors])}\n"]
    for field in profile.fields:
        lines.append("\n[[field]]\n")
        lines += _pairs(label=field.label, unit=field.unit, kind=field.kind, box=list(field.box))
        lines += _pairs(decimals=field.decimals, low=field.low, high=field.high)
    for lamp in profile.lamps:
        lines.append("\n[[lamp]]\n")
        lines += _pairs(label=lamp.label, box=list(lamp.box), color=lamp.color, state=lamp.state)
    return "".join(lines)


def _pairs(**values: object) -> list[str]:
    """TOML takes JSON's strings, numbers and lists as they are, but for DEL."""
    return [
        f"{k} = {json.dumps(v, ensure_ascii=False)}\n".replace("\x7f", "") for k, v in values.items() if v is not None
    ]


def _profile(name: str, body: Mapping[str, Any], reference: Any) -> Profile:
    size = (int(reference.shape[1]), int(reference.shape[0]))
    return Profile(
        name,
        tuple(_field(item, size) for item in body.get("field", ())),
        tuple(
            KnownLamp(str(item["label"]), _box(item["box"], size), str(item["color"]), str(item["state"]))
            for item in body.get("lamp", ())
        ),
        tuple(_box(box, size) for box in body.get("anchors", ())),
        reference,
    )


def _field(item: Mapping[str, Any], size: tuple[int, int]) -> Field:
    decimals, low, high = (item.get(name) for name in ("decimals", "low", "high"))
    return Field(
        str(item["label"]),
        str(item["unit"]),
        str(item["kind"]),
        _box(item["box"], size),
        None if decimals is None else int(decimals),
        None if low is None else float(low),
        None if high is None else float(high),
    )


def _box(sides: Sequence[Any], size: tuple[int, int]) -> Box:
    left, top, right, bottom = (int(side) for side in sides)
    if not (0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]):
        raise ValueError(f"the box {list(sides)} is not within its reference photo")
    return left, top, right, bottom
