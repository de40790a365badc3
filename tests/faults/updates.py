"""Faults of updates: every attack on a real repository, from a stick and over the network, and kills at every write.

An attack holds when it is refused in one line that says what to do, the good version is still in use, and the honest
repository then brings the next one. A kill holds when the old or the new version is in use, whole, and the next update
ends it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.table import Row, at_least, print_rows
from tests.updates_attacks import ATTACKS, Attack, attempt, places
from tests.updates_kit import KILLED, Box, Maker, Modules

OLD, NEW = b"old bundle" * 100, b"new bundle!" * 5_000
MOST_POINTS = 100


def main() -> None:
    """Run all and print."""
    print_rows(run())


def run() -> list[Row]:
    """The fault table's rows on updates."""
    with tempfile.TemporaryDirectory() as scratch:
        rows = [_attack(Path(scratch) / f"{number}", attack) for number, attack in enumerate(ATTACKS)]
        return [*rows, _kills(Path(scratch) / "kills")]


def _attack(folder: Path, attack: Attack) -> Row:
    tries = places(attack)
    held = 0
    for web in tries:
        said, good = attempt(folder / str(web), attack, web=web)
        held += good and attack.says in said and "\n" not in said
    return at_least(f"{attack.name}, held of {len(tries)}", held, len(tries))


def _kills(folder: Path) -> Row:
    """One update for each point at which it writes, killed there."""
    desk = Maker(folder / "repo")
    desk.offer("vibration", "2", NEW)
    tried = held = 0
    for point in range(1, MOST_POINTS):
        box = folder / str(point)
        box.mkdir()
        (box / "in-use").write_bytes(OLD)
        command = [sys.executable, "-c", KILLED, str(box), str(desk.folder), str(point)]
        if subprocess.run(command, check=False, timeout=60).returncode != -signal.SIGKILL:
            break  # it has no more points than that
        tried += 1
        whole = (box / "in-use").read_bytes() in (OLD, NEW)
        modules = Modules(vibration=("1", OLD))
        ended = Box(box, desk.folder / "root.json", modules).update(desk.folder)["vibration"] == "installed"
        held += whole and ended and modules.in_use["vibration"] == ("2", NEW)
    whole = (box / "in-use").read_bytes() == NEW
    return at_least(f"kill -9 at each write of an update, held of {tried}", held if whole else 0, max(tried, 1))


if __name__ == "__main__":
    main()
