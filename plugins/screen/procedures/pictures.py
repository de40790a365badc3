"""Pictures of what stood on a screen before and after a step: named by their content, for their owner only, bounded.

The trail holds their digests, so a picture that was changed, or is gone, is noticed; the oldest go first.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import cv2

from agent.api import Env, Photo

__all__ = ["Pictures"]


class Pictures:
    """The pictures of one box."""

    def __init__(self, env: Env) -> None:
        self.folder = env.home.folder / "procedures" / "pictures"
        self._limits = env.settings.procedures

    def keep(self, photo: Photo) -> str:
        """Keep one.

        :return: its name: the SHA-256 of its file.
        :raises OSError: it cannot be kept.
        """
        done, data = cv2.imencode(".png", cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2BGR))
        if not done:
            raise OSError("the picture cannot be written as PNG")
        digest = hashlib.sha256(data.tobytes()).hexdigest()
        path = self.folder / f"{digest}.png"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists():
            os.utime(path)
            return digest
        self._make_room(len(data))
        fresh = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data.tobytes())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        return digest

    def path(self, digest: str) -> Path:
        """Where a picture lies, as long as it is kept."""
        return self.folder / f"{digest}.png"

    def _make_room(self, size: int) -> None:
        kept = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                told = path.stat()
                kept.append((told.st_mtime_ns, told.st_size, path))
        total, count = sum(one[1] for one in kept) + size, len(kept) + 1
        for _, bytes_, path in sorted(kept):
            if total <= self._limits.max_pictures_bytes and count <= self._limits.max_pictures:
                return
            path.unlink(missing_ok=True)
            total, count = total - bytes_, count - 1
