"""The attacks that The Update Framework's specification names, and some accidents, as changes to a real repository.

Each is made by somebody who holds the mirror, the network or the stick, and at most the keys that it says. A box has
version 2 of a module in use; the desk has published version 3; the attacker changes what the box gets to see.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import UpdateError
from tests import updates_forge as forge
from tests.updates_forge import GOOD, NEXT
from tests.updates_kit import Answer, Box, Maker, Modules, clock, served

PATIENT, HASTY = 10.0, 0.5
"""Seconds that a server is allowed; few where it is slow on purpose."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One, and what has to be said of it."""

    name: str
    make: Callable[[Maker], None]
    says: str
    """Part of the line that the person reads."""
    recovers: bool = True
    """The honest repository works again at once, without another root."""
    folder_only: bool = False
    """The network cannot do it."""
    now: datetime | None = None
    """What the box's clock says."""
    seconds: float = PATIENT
    """A server is allowed for an answer."""
    answer: Answer | None = None
    """Where the server does it: only over the network."""


def places(attack: Attack) -> tuple[bool, ...]:
    """Whether it is tried over the network, for each try."""
    return (True,) if attack.answer else (False,) if attack.folder_only else (False, True)


def attempt(folder: Path, attack: Attack, *, web: bool) -> tuple[str, bool]:
    """Attack a box that had taken an update before.

    :returns: the line that it says, empty where it took what it was offered; whether the good version is still in use
        and, where that can be, the honest repository then brings the next one.
    """
    desk = Maker(folder / "repo")
    desk.offer("vibration", "1", b"old")
    desk.first_timestamp = (desk.folder / "metadata" / "timestamp.json").read_bytes()
    desk.offer("vibration", "2", GOOD)
    modules = Modules(vibration=("1", b"old"))
    slow = {"read_seconds": attack.seconds, "slow_seconds": attack.seconds / 2, "retries": 1}
    box = Box(folder / "updates", desk.folder / "root.json", modules, **slow)
    box.update(desk.folder)
    desk.offer("vibration", "3", NEXT)
    honest = folder / "honest"
    shutil.copytree(desk.folder, honest, symlinks=True)
    attack.make(desk)
    said = ""
    with ExitStack() as stack:
        where = stack.enter_context(served(desk.folder, attack.answer)) if web else str(desk.folder)
        if attack.now:
            stack.enter_context(clock(attack.now))
        try:
            box.update(where)
        except UpdateError as error:
            said = str(error).replace(where, "PLACE")
    held = modules.in_use == {"vibration": ("2", GOOD)}
    if held and attack.recovers:
        held = box.update(honest) == {"vibration": "installed"} and modules.in_use["vibration"] == ("3", NEXT)
    return said, held


_NOT_SIGNED = "not signed by enough of the keys that this box trusts; use a repository of your plant"
_STALE = "is older or of another version than this box has to expect; get the newest stick"
_EXPIRED = "has expired, and the clock says"
_MIXED = "is not the file that was signed with the rest; copy the repository again"
_FORM = "it was made for another program, or by a tool that is not ours"
_TOO_LARGE = "is larger than it can be; do not use this place"
_LATER = "try again later or use a stick"
_GOES_ON = "bytes are here); update again, it goes on from there"
_FUTURE, _PAST = datetime(2099, 5, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 3, tzinfo=UTC)

ATTACKS = [
    Attack("wrong signature on the timestamp", forge.stranger, _NOT_SIGNED),
    Attack("wrong signature on the targets", forge.stranger_targets, _NOT_SIGNED, recovers=False),
    Attack("targets edited after they were signed", forge.edited, _MIXED),
    Attack("arbitrary software in place of a bundle", forge.arbitrary, "it is not what was signed"),
    Attack("a bundle that is too short", forge.short, _GOES_ON),
    Attack("a bundle that is too long", forge.long, "is longer than the"),
    Attack("a bundle that is missing", forge.gone, "copy the whole repository"),
    Attack("rollback of the timestamp", forge.old_timestamp, _STALE),
    Attack("rollback of the snapshot (timestamp key stolen)", forge.old_snapshot, _STALE, recovers=False),
    Attack("rollback of the targets (snapshot key stolen)", forge.old_targets, _STALE, recovers=False),
    Attack(
        "a snapshot without targets (its key stolen)", forge.without_targets, "form of signed metadata", recovers=False
    ),
    Attack("rollback of the root", forge.old_root, _STALE),
    Attack("a root that skips one", forge.skipped_root, _STALE),
    Attack("one root key stolen, two have to sign", forge.one_root_key, _NOT_SIGNED),
    Attack("one root key stolen and used twice", forge.one_root_key_twice, _NOT_SIGNED),
    Attack("freeze: expired timestamp", forge.expired("timestamp"), f"timestamp.json {_EXPIRED}"),
    Attack("freeze: expired snapshot", forge.expired("snapshot"), f"snapshot.json {_EXPIRED}", recovers=False),
    Attack("freeze: expired targets", forge.expired("targets"), f"targets.json {_EXPIRED}", recovers=False),
    Attack("freeze: expired root", forge.expired_root, _EXPIRED, recovers=False),
    Attack("mix-and-match: snapshot of another release", forge.mixed, _MIXED),
    Attack("mix-and-match: targets of another release", forge.mixed_targets, _MIXED),
    Attack("a timestamp larger than it can be", forge.huge("timestamp.json"), _TOO_LARGE),
    Attack("a next root larger than it can be", forge.huge("2.root.json"), _TOO_LARGE),
    Attack("endless timestamp", forge.nothing, _TOO_LARGE, answer=forge.endless("timestamp.json")),
    Attack("endless root", forge.nothing, _TOO_LARGE, answer=forge.endless("2.root.json")),
    Attack("endless bundle", forge.nothing, "is longer than the", answer=forge.endless(".whl")),
    Attack("slow timestamp", forge.nothing, _LATER, seconds=HASTY, answer=forge.slow("timestamp.json")),
    Attack(
        "slow head of an answer", forge.nothing, _LATER, seconds=HASTY, answer=forge.slow("timestamp.json", head=True)
    ),
    Attack("slow bundle", forge.nothing, _GOES_ON, seconds=HASTY, answer=forge.slow(".whl")),
    Attack("slow head before a bundle", forge.nothing, _GOES_ON, seconds=HASTY, answer=forge.slow(".whl", head=True)),
    Attack("a redirect elsewhere", forge.nothing, "answers 302", answer=forge.redirected),
    Attack("packed answers", forge.nothing, "another encoding", answer=forge.packed),
    Attack("a stick whose folder is a link that leads out", forge.link_out, "leads out of", folder_only=True),
    Attack("target path that leads out", forge.path("../../../etc/cron.d/x"), _FORM, recovers=False),
    Attack("absolute target path", forge.path("/etc/cron.d/x"), _FORM, recovers=False),
    Attack("dots within a target path", forge.path("modules/../x.whl"), _FORM, recovers=False),
    Attack("target of another name", forge.path("modules/gauge/x.whl"), _FORM, recovers=False),
    Attack("target of another kind", forge.path("weights/vibration/x.whl"), _FORM, recovers=False),
    Attack("version that leads out", forge.path("modules/vibration/x.whl", version="../../x"), _FORM, recovers=False),
    Attack("two versions of one name", forge.two_versions, _FORM, recovers=False),
    Attack("a hash that is too weak", forge.weak_hash, _FORM, recovers=False),
    Attack("no JSON", forge.garbage(b"\x00\xff" * 50), "not in the form of signed metadata"),
    Attack("deeply nested JSON", forge.garbage(b"[" * 16_000), "not in the form of signed metadata"),
    Attack("empty metadata", forge.garbage(b""), "not in the form of signed metadata"),
    Attack("the clock says 1970", forge.nothing, "the clock says 1970-01-01, but it is 2026", now=_PAST),
    Attack(
        "the clock is far ahead",
        forge.nothing,
        "the clock says 2099-05-01; set the clock if that is wrong",
        now=_FUTURE,
    ),
]
