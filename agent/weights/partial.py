"""A file on its way in: written in order, hashed as it is written, and able to go on after a kill or a power cut.

Bytes go to `<name>.part`. Every so often they are made durable, and only then `<name>.part.json` says how many there
are: what lies beyond that is cut off when a pull goes on. A finished file is renamed into place when its digest is
right, never before.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from types import TracebackType

from agent.errors import PullError
from agent.settings import WeightsSettings
from agent.weights.catalogue import WeightFile
from agent.weights.chunks import ChunkedDigest, FileDigests

__all__ = ["Partial", "SourceFailed", "sync_folder"]


class SourceFailed(Exception):
    """One source could not give a file; the next one is asked. The text is the reason."""


class Partial:
    """The growing file. Sources write to it; it keeps count, bound, digest and checkpoints."""

    def __init__(self, target: Path, file: WeightFile, settings: WeightsSettings) -> None:
        self.target = target
        self.file = file
        self.size = 0
        """Bytes taken so far."""
        self._settings = settings
        self._path = target.with_name(target.name + ".part")
        self._journal = target.with_name(target.name + ".part.json")
        self._digest = ChunkedDigest()
        self._durable = 0
        self._descriptor = -1

    @property
    def limit(self) -> int:
        """More bytes than this are refused."""
        return self.file.bytes or self._settings.max_file_bytes

    def __enter__(self) -> Partial:
        """Open it, with what an earlier pull made durable.

        :raises PullError: the folder cannot be written.
        """
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            here = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise self._refusal(error) from None
        self.size = here
        self._durable = self._recorded()
        self.cut(min(here, self._durable, self.limit))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            if self.size:
                with contextlib.suppress(PullError):
                    self.checkpoint()
                self._close()
            else:
                self.remove()

    def write(self, data: bytes | memoryview) -> None:
        """Append.

        :raises SourceFailed: the source sends more than the file can have.
        :raises PullError: the disk is full or fails.
        """
        if self.size + len(data) > self.limit:
            raise SourceFailed(f"sends more than the {self.limit} bytes that {self.file.name} has")
        try:
            view = memoryview(data)
            while view:
                view = view[os.pwrite(self._descriptor, view, self.size + len(data) - len(view)) :]
        except OSError as error:
            raise self._refusal(error) from None
        self._digest.update(data)
        self.size += len(data)
        if self.size - self._durable >= self._settings.checkpoint_bytes:
            self.checkpoint()

    def cut(self, size: int) -> None:
        """Keep the first `size` bytes only, or all where there are fewer."""
        size = min(size, self.size)
        try:
            os.ftruncate(self._descriptor, size)
            self._digest = ChunkedDigest()
            at = 0
            while at < size:
                piece = os.pread(self._descriptor, min(self._settings.read_bytes, size - at), at)
                if not piece:
                    break
                self._digest.update(piece)
                at += len(piece)
        except OSError as error:
            raise self._refusal(error) from None
        self.size = at
        self._durable = min(self._durable, size)

    def checkpoint(self) -> None:
        """Make the bytes durable, then say how many there are."""
        try:
            os.fsync(self._descriptor)
            draft = self._journal.with_name(self._journal.name + ".new")
            with draft.open("w", encoding="utf-8") as out:
                json.dump({"sha256": self.file.sha256, "bytes": self.size}, out)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(self._journal)
        except OSError as error:
            raise self._refusal(error) from None
        self._durable = self.size

    def digests(self) -> FileDigests:
        """Of the bytes taken so far."""
        return self._digest.digests()

    def problem(self) -> str:
        """What is wrong with the bytes as a whole file; empty where they are what they should be."""
        if self.file.bytes and self.size != self.file.bytes:
            return f"is {self.size} bytes long, not {self.file.bytes}"
        digest = self._digest.digests().sha256
        if self.file.sha256 and digest != self.file.sha256:
            return f"has SHA-256 {digest[:12]}…, not {self.file.sha256[:12]}…"
        return "" if self.size else "is empty"

    def finish(self) -> str:
        """Verify, then rename into place; durable when it returns.

        :returns: the digest, hex.
        :raises SourceFailed: short, or another digest than the pinned one; nothing was put in place.
        :raises PullError: the disk fails.
        """
        problem = self.problem()
        if problem:
            raise SourceFailed(f"gave a file that {problem}")
        digest = self._digest.digests().sha256
        try:
            os.fsync(self._descriptor)
            self._path.replace(self.target)
            self._journal.unlink(missing_ok=True)
            sync_folder(self.target.parent)
        except OSError as error:
            raise self._refusal(error) from None
        self._close()
        return digest

    def discard(self) -> None:
        """Throw away what was taken; the next source starts from nothing."""
        self.cut(0)
        self._journal.unlink(missing_ok=True)

    def remove(self) -> None:
        """Leave nothing behind."""
        self._close()
        self._path.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _recorded(self) -> int:
        """Bytes that an earlier pull of the same file made durable. Without a digest to end with, none are trusted."""
        if not self.file.sha256:
            return 0
        try:
            noted = json.loads(self._journal.read_bytes()[:1000])
            return max(0, int(noted["bytes"])) if noted["sha256"] == self.file.sha256 else 0
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return 0

    def _refusal(self, error: OSError) -> PullError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return PullError(
                f"{self.target.name}: the disk of {self.target.parent} is full after {self.size} bytes; make room and "
                "pull again, it goes on from there"
            )
        return PullError(f"{self._path}: cannot be written: {error.strerror}; set weights.folder to another folder")


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable.

    :raises OSError: the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
