"""What a bundle says of itself in `watchkeeper_module.toml`: who it is, what it needs, and how to see that it works.

    [module]
    name = "tally"                      # as the wheel is called
    version = "1.2.0"
    kind = "plugin"                     # plugin | ocr | voice | model | projector | lora
    entry = "tally_plugin"              # a plugin: its module; else "package.module:factory" of what is served

    [needs]                             # nothing more is given to its process
    reads = ["log", "/etc/plant"]       # folders and files; "weights" and "log" are the box's own
    network = false

    [[golden]]                          # a call, and what it must give; all have to pass before it answers
    method = "add"
    arguments = { a = 2, b = 3 }
    equals = 5

Golden calls change nothing that is kept: for the moment of a swap both versions share the module's state folder.
The file is untrusted: unknown keys, odd names and anything beyond the limits are refused.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from agent.errors import ModuleError
from agent.settings import ModuleSettings

__all__ = ["MANIFEST", "BundleEnvironment", "Golden", "Identity", "Kind", "Manifest", "Needs", "read_manifest"]

MANIFEST = "watchkeeper_module.toml"
Kind = Literal["plugin", "ocr", "voice", "model", "projector", "lora"]
_SYMBOLIC = frozenset({"weights", "log"})
_MiB = 1024 * 1024

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
VersionName = Annotated[str, StringConstraints(pattern=r"^[0-9][a-z0-9.+!]*$", max_length=64)]
Entry = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?$", max_length=200)]
PlaceName = Annotated[str, StringConstraints(min_length=1, max_length=240)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(_Part):
    """Who it is."""

    name: Name
    version: VersionName
    kind: Kind
    entry: Entry
    about: Annotated[str, StringConstraints(max_length=300)] = ""
    """One line for people."""


class Needs(_Part):
    """What its process may use. A person agrees to whatever goes beyond its own folder."""

    network: bool = False
    programs: bool = False
    """Start other programs."""
    devices: tuple[PlaceName, ...] = ()
    """Files under /dev."""
    reads: tuple[PlaceName, ...] = ()
    """Absolute paths, or one of: weights, log."""
    writes: tuple[PlaceName, ...] = ()
    """Absolute paths; its own state folder needs no mention."""
    memory_bytes: Annotated[int, Field(ge=32 * _MiB)] = 512 * _MiB
    """Of its own; it gets no more."""
    open_files: Annotated[int, Field(ge=16, le=65_536)] = 256

    @model_validator(mode="after")
    def _no_odd_places(self) -> Self:
        for place in (*self.devices, *self.reads, *self.writes):
            path = PurePosixPath(place)
            if place not in _SYMBOLIC and (not path.is_absolute() or ".." in path.parts or not place.isprintable()):
                raise ValueError(f"{place!r} is neither an absolute path nor one of {', '.join(sorted(_SYMBOLIC))}")
        if any(place in _SYMBOLIC for place in (*self.devices, *self.writes)):
            raise ValueError("weights and log can only be read")
        if not all(place.startswith("/dev/") for place in self.devices):
            raise ValueError("a device lies under /dev/")
        return self

    def asked(self) -> tuple[str, ...]:
        """What a person has to agree to, one by one; empty where it keeps to itself."""
        flags = (("network", self.network), ("programs", self.programs))
        told = [name for name, wanted in flags if wanted]
        told += [f"device {place}" for place in self.devices]
        told += [f"read {place}" for place in self.reads]
        told += [f"write {place}" for place in self.writes]
        return tuple(told)


class BundleEnvironment(_Part):
    """The Python that it runs in."""

    own: bool = False
    """It sees the standard library and what the bundle brings, and nothing that Watchkeeper has installed."""
    python: Annotated[str, StringConstraints(pattern=r"^(3\.\d{1,2})?$")] = ""
    """The one it was made for, as 3.11; empty is any."""


class Golden(_Part):
    """A recorded call, and what it must give."""

    method: Annotated[str, StringConstraints(pattern=r"^[a-z]\w*$", max_length=64)]
    arguments: dict[str, Any] = {}
    image: PlaceName | None = None
    """A picture in the bundle; its pixels come with the call, with `height` and `width` as arguments."""
    equals: Any = None
    contains: Any = None
    """Each key, item or piece of text in it has to be there."""
    at_least: float | None = None
    at_most: float | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    """It may take no longer."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(bound is None for bound in (self.equals, self.contains, self.at_least, self.at_most)):
            raise ValueError(f"the golden call of {self.method} says nothing of what it must give")
        return self


class Manifest(_Part):
    """The whole file."""

    module: Identity
    needs: Needs = Needs()
    environment: BundleEnvironment = BundleEnvironment()
    golden: tuple[Golden, ...]
    """At least one: what nobody can try is not trusted."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.golden:
            raise ValueError("there are no golden calls, so nobody can tell whether it works")
        if (":" in self.module.entry) == (self.module.kind == "plugin"):
            raise ValueError("entry is the module of a plugin, and package.module:factory of anything else")
        if self.module.kind == "plugin" and self.environment.own:
            raise ValueError("a plugin runs in the environment of Watchkeeper, whose classes it is made of")
        return self


def read_manifest(data: bytes, settings: ModuleSettings, *, where: str) -> Manifest:
    """Parse and check.

    :param where: for messages.
    :raises ModuleError: it is not a manifest.
    """
    if len(data) > settings.max_manifest_bytes:
        raise ModuleError(f"{where}: {MANIFEST} has {len(data)} bytes (modules.max_manifest_bytes); shorten it")
    try:
        manifest = Manifest.model_validate(tomllib.loads(data.decode("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = re.sub(r"^Value error, ", "", first["msg"])
        raise ModuleError(f"{where}: {MANIFEST}: {place + ': ' if place else ''}{message}; correct it") from None
    except (ValueError, RecursionError) as error:
        raise ModuleError(f"{where}: {MANIFEST} is not TOML: {error}; correct it") from None
    if len(manifest.golden) > settings.max_golden_calls:
        raise ModuleError(f"{where}: {len(manifest.golden)} golden calls (modules.max_golden_calls); leave some out")
    return manifest
