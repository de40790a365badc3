"""Whether the process that began something still lives.

Each process holds a lock on a small file of its own. The kernel lets go of it when the process ends, however it ends,
so neither a process number that was given out again nor a wrong clock can deceive; containers that share the folder
see each other too. A file is removed at an orderly end, or by whoever finds its process dead.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from agent.errors import InputError

__all__ = ["Owner"]

_NAME = re.compile(r"[0-9a-f]{16}")


class Owner:
    """This process."""

    def __init__(self, folder: Path) -> None:
        """
        :param folder: that all processes share; made where it is missing.
        :raises InputError: nothing can be written there.
        """
        self.id = secrets.token_hex(8)
        self._folder = folder
        try:
            folder.mkdir(exist_ok=True)
            self._file = os.open(folder / self.id, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written ({error.strerror}); make it writable, free disk") from None
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def lives(self, owner: str) -> bool:
        """Whether the process of that id still runs."""
        if owner == self.id:
            return True
        if not _NAME.fullmatch(owner):
            return False
        path = self._folder / owner
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # whoever cannot look must not declare it dead
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            with suppress(OSError):
                path.unlink()
            return False
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """From now on it counts as dead. Calling it twice is fine."""
        if self._file >= 0:
            with suppress(OSError):
                (self._folder / self.id).unlink()
            os.close(self._file)
            self._file = -1
