"""The error that says why an entry's files cannot be used, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.errors import WeightsBad, WeightsError, WeightsMissing, WeightsUnreadable
from agent.weights.catalogue import Entry, WeightFile
from agent.weights.digest import Checked
from agent.weights.notes import SetAside

__all__ = ["refusal"]


def refusal(
    folder: Path,
    entry: Entry,
    checked: Mapping[WeightFile, Checked | None],
    set_aside: Sequence[SetAside],
    rejected: str = "",
) -> WeightsError:
    """Storage that fails is named before wrong bytes, wrong bytes before what is only missing.

    :param rejected: why files that are sound are not used.
    """
    bad = {file.name: found for file, found in checked.items() if found is not None and found.problem}
    told = "; ".join(f"{name} {found.problem}" for name, found in bad.items())
    faults = {name: str(found.fault) for name, found in bad.items()}
    if "unreadable" in faults.values():
        return WeightsUnreadable(
            f"{entry.name}: {told}; the disk of {folder} is the cause, not the file, which stays where it is: check "
            f"the disk, then watchkeeper weights repair {entry.name}",
            faults,
        )
    if bad:
        aside = "" if set(faults.values()) == {"earlier version"} else "set aside as *.bad, "
        remedy = f"{aside}get it again: watchkeeper weights pull {entry.name}"
        return WeightsBad(f"{entry.name}: {told}; {remedy}", faults)
    if rejected:
        return WeightsBad(f"{entry.name}: this version was rejected: {rejected}; pull another one")
    lacking = [file.name for file in entry.required if checked.get(file) is None]
    before = [f"{item.file} was set aside: it {item.reason}" for item in set_aside]
    why = f" ({'; '.join(before)})" if before else ""
    return WeightsMissing(
        f"{entry.name}: {', '.join(lacking)} is not in {folder / entry.name}{why}; "
        f"get it: watchkeeper weights pull {entry.name}",
        dict.fromkeys(lacking, "missing"),
    )
