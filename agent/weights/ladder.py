"""Which models may answer on this box, best first. Choosing is pure; looking at the box is apart.

Rules, in order:
1. `rules` is always the last rung: it needs no weights.
2. A model is a rung where its files are here and its memory is free. Too few cores leave it out only while a
   smaller one that suits the cores is here.
3. Bigger before smaller, so a model that fails leaves the smaller one to answer; a model that sees comes before
   text.
4. A model that the settings name comes first, whatever the box looks like: the person has decided.
"""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from agent.errors import SettingsError
from agent.weights.catalogue import Catalogue, Entry, load_catalogue

__all__ = ["RULES", "Machine", "choose_rungs", "look_at_machine", "recommended"]

RULES = "rules"
"""The rung without weights."""
_HELPERS: Mapping[str, tuple[str, ...]] = {"ocr-small": ("ocr-tiny",)}
"""Reader of panels → who reads first what is easy: as well as that reader alone, at half the cost."""
_OF_MANUALS = ("embed", "dictionary")
"""They are small, and every size of box was measured with them."""
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
"""Where the memory limit of a container or of a systemd service stands."""
_NO_LIMIT = 1 << 60
"""What a group of the first kind without a limit shows is this or more."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a box has to give."""

    free_ram_bytes: int
    """That a program could take without swapping."""
    cores: int
    """That this process may use."""
    free_disk_bytes: int
    """Where weights lie."""

    def having(self, least_ram_bytes: int) -> Machine:
        """The same with so much memory at least, where it is known that a process of this box has taken some of it."""
        return replace(self, free_ram_bytes=max(self.free_ram_bytes, least_ram_bytes))

    def within(self, most_ram_bytes: int) -> Machine:
        """The same where a model may take so much memory at most; 0 is no bound."""
        return replace(self, free_ram_bytes=min(self.free_ram_bytes, most_ram_bytes)) if most_ram_bytes else self


def choose_rungs(
    machine: Machine, present: Collection[str], *, wanted: str = "auto", catalogue: Catalogue | None = None
) -> tuple[str, ...]:
    """The ladder: names of the catalogue, best first, `rules` last.

    :param present: names of the entries whose files are here.
    :param wanted: `model.name` of the settings: `auto`, `rules` or a model of the catalogue.
    :raises SettingsError: `wanted` is none of them.
    """
    models = (catalogue or load_catalogue()).chat_models
    if wanted == RULES:
        return (RULES,)
    _refuse_unknown(wanted, models)
    fitting = [model for model in models if model.name in present and model.ram_bytes <= machine.free_ram_bytes]
    quick = [model for model in fitting if model.cores <= machine.cores]
    names = [model.name for model in quick or fitting if model.name != wanted]
    return (*(() if wanted == "auto" else (wanted,)), *names, RULES)


def recommended(
    machine: Machine, *, spare_bytes: int, reader: str = "ocr-small", catalogue: Catalogue | None = None
) -> tuple[str, ...]:
    """What a box should fetch, as far as its disk holds it: the text model for it, the reader of panels and what
    helps it, what finds manuals by meaning and across languages, and last the model below, which answers where memory
    is short one day or a file is bad. The reader is always among it.

    :param spare_bytes: disk to leave free.
    :param reader: of the catalogue.
    """
    known = catalogue or load_catalogue()
    room = machine.free_disk_bytes - spare_bytes - _bytes(known.entry(reader))
    text = [model for model in known.chat_models if model.kind == "text" and _bytes(model) <= room]
    suiting = [model for model in text if model.ram_bytes <= machine.free_ram_bytes and model.cores <= machine.cores]
    chosen = suiting[:1] or text[-1:]
    room -= sum(map(_bytes, chosen))
    names = [*(model.name for model in chosen), reader]
    below = [model.name for model in text for best in chosen if model.ram_bytes < best.ram_bytes]
    for name in (*_HELPERS.get(reader, ()), *_OF_MANUALS, *below[:1]):
        if (size := _bytes(known.entry(name))) <= room:
            names.append(name)
            room -= size
    return tuple(names)


def look_at_machine(folder: Path) -> Machine:
    """Look at this box.

    :param folder: where weights lie or will lie.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = psutil.virtual_memory().available
    left = _left_of_cgroups()
    return Machine(
        free_ram_bytes=free if left is None else min(free, left),
        cores=len(os.sched_getaffinity(0)),
        free_disk_bytes=shutil.disk_usage(existing).free,
    )


def _left_of_cgroups(root: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> int | None:
    """Memory that the limits of a container or a service leave, in bytes; None without a limit."""
    try:
        rows = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        return None
    left = [_left_within(root, row[2], _left_of_cgroup) for row in rows if row[:2] == ["0", ""]]
    left += [_left_within(root / "memory", row[2], _left_of_old) for row in rows if "memory" in row[1].split(",")]
    return min((one for one in left if one is not None), default=None)


def _left_within(root: Path, place: str, look: Callable[[Path], int | None]) -> int | None:
    """The least that a group and those around it leave."""
    inner = root / place.strip("/")
    groups = [inner, *inner.parents[: len(inner.parts) - len(root.parts)]]
    return min((left for group in groups if (left := look(group)) is not None), default=None)


def _left_of_cgroup(group: Path) -> int | None:
    """What one group's limit leaves, the one counted above which it is slowed down. Page cache that can be dropped
    counts as free.
    """
    limits = [_number(group / name) for name in ("memory.max", "memory.high")]
    known = [limit for limit in limits if limit is not None]
    used = _number(group / "memory.current")
    return _left(min(known), used, group, "inactive_file") if known and used is not None else None


def _left_of_old(group: Path) -> int | None:
    """The same of a group of the first kind, as older kernels and containers have them."""
    limit, used = _number(group / "memory.limit_in_bytes"), _number(group / "memory.usage_in_bytes")
    if limit is None or used is None or limit >= _NO_LIMIT:
        return None
    return _left(limit, used, group, "total_inactive_file")


def _left(limit: int, used: int, group: Path, dropped: str) -> int | None:
    try:
        rows = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, limit - used + int(rows.get(dropped, 0)))
    except (OSError, ValueError):
        return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max": no limit
        return None


def _bytes(entry: Entry) -> int:
    return sum(file.size for file in entry.required)


def _refuse_unknown(wanted: str, models: tuple[Entry, ...]) -> None:
    names = ["auto", RULES, *(model.name for model in models)]
    if wanted not in names:
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise SettingsError(f"model.name: there is no model {wanted!r}; {hint}")
