"""One update, from a repository to what is in use.

Order: alone (a lock), refresh the signed metadata, choose what this box wants, make sure of room for all of it, fetch
all of it to staging and verify it, then item by item: hand on, let its health decide. One that fails does not stop the
others. A kill at any point leaves the last good version in use, and the next update goes on where this one was.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from agent.errors import UpdateError
from agent.settings import Settings
from agent.updates.items import Item, Kind, Outcome, State
from agent.updates.place import open_place
from agent.updates.receivers import NotHealthy, Receiver
from agent.updates.refresh import refresh
from agent.updates.staging import Staging, free_bytes
from agent.updates.tries import Tries
from agent.weights.progress import Reporter, megabytes

__all__ = ["Updates"]


class Updates:
    """The updates of one box."""

    def __init__(self, folder: Path, settings: Settings, receivers: Mapping[Kind, Receiver]) -> None:
        """
        :param folder: state of updates.
        :param receivers: by kind; items of other kinds are left alone.
        """
        self._folder = folder
        self._settings = settings.updates
        self._receivers = receivers
        self._staging = Staging(folder / "staging", settings.updates, settings.weights)
        self._tries = Tries(folder / "tries", most=settings.updates.tries)

    def check(self, where: str, names: Collection[str] = ()) -> list[Outcome]:
        """What an update would do; nothing is fetched but signed metadata.

        :param where: an address or a folder.
        :param names: only these, also what this box has none of.
        :raises UpdateOffline: nobody answers.
        :raises UpdateRefused: the repository is not to be trusted.
        :raises UpdateError: the place, the disk or another update is in the way, or no such name is offered.
        """
        with self._alone(), closing(open_place(where, self._settings)) as place:
            return [
                self._look(item, names) for item in self._offered(refresh(place, self._folder, self._settings), names)
            ]

    def update(self, where: str, reporter: Reporter, names: Collection[str] = ()) -> list[Outcome]:
        """Fetch what is wanted and put it in use; parameters and errors as `check`.

        :returns: what became of every item; see `Outcome.state`.
        """
        with self._alone(), closing(open_place(where, self._settings)) as place:
            offered = self._offered(refresh(place, self._folder, self._settings), names)
            looked = [(item, self._look(item, names)) for item in offered]
            wanted = [item for item, outcome in looked if outcome.state == "available"]
            self._staging.keep_only(wanted)
            self._ensure_room(wanted)
            staged = {item: self._staging.fetch(place, item, reporter) for item in wanted}
            return [
                self._put_in_use(item, outcome, staged[item], again=item.name in names) if item in staged else outcome
                for item, outcome in looked
            ]

    def _offered(self, items: Sequence[Item], names: Collection[str]) -> list[Item]:
        known = [item for item in items if item.kind in self._receivers]
        lacking = sorted(set(names) - {item.name for item in known})
        if lacking:
            offers = ", ".join(item.name for item in known) or "nothing for this box"
            raise UpdateError(f"{', '.join(lacking)}: not offered; offered are {offers}")
        return [item for item in known if not names or item.name in names]

    def _look(self, item: Item, names: Collection[str]) -> Outcome:
        receiver = self._receivers[item.kind]
        state: State = "available"
        problem = ""
        if receiver.uses(item):
            state = "here"
        elif item.name not in names:
            problem = self._tries.problem(item)
            state = "held back" if problem else "available" if receiver.has(item.name) else "not chosen"
        return Outcome(item.kind, item.name, item.version, state, receiver.version(item.name), item.bytes, problem)

    def _ensure_room(self, items: Sequence[Item]) -> None:
        """Refuse before the first byte: what is fetched, and the largest copy that putting one in use takes."""
        if not items:
            return
        fetched = sum(self._staging.missing_bytes(item) for item in items)
        copied = max(self._receivers[item.kind].room_bytes(item) for item in items)
        wanted = fetched + copied + self._settings.spare_bytes
        free = free_bytes(self._folder)
        if free < wanted:
            raise UpdateError(
                f"{megabytes(wanted - free)} of disk are missing in {self._folder}: {megabytes(wanted)} are needed "
                f"with {megabytes(self._settings.spare_bytes)} to spare, {megabytes(free)} are free; make room or name "
                "fewer updates"
            )

    def _put_in_use(self, item: Item, outcome: Outcome, files: Mapping[str, Path], *, again: bool) -> Outcome:
        self._tries.begin(item, again=again)
        state: State = "installed"
        problem = ""
        try:
            self._receivers[item.kind].put_in_use(item, files)
            self._tries.forget(item)
        except UpdateError as error:  # the disk or the release is to blame: what is staged stays for the next update
            state, problem = "failed", str(error)
            self._tries.forget(item)
        except NotHealthy as unhealthy:
            state, problem = "kept", str(unhealthy)
            self._tries.failed(item, problem)
        if state != "failed":
            self._staging.drop(item)
        return Outcome(item.kind, item.name, item.version, state, outcome.was, item.bytes, problem)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One update at a time; the lock goes with the process that holds it."""
        path = self._folder / ".lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UpdateError(f"{path}: cannot be written: {error.strerror}; make it writable") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UpdateError("another update is running on this box; wait for it or stop it") from None
            yield
        finally:
            os.close(descriptor)
