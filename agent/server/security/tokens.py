"""Tokens: who may ask, who may approve, who may administer. Kept as digests, so that the file gives nobody access.

A token is 32 random bytes, so a plain SHA-256 is enough. The file is read again when it changes, so that a token which
is revoked is refused at once. What cannot be read lets nobody in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import InputError
from agent.server.security.caller import ROLES, Role

__all__ = ["Token", "TokenBook"]

_NAME = re.compile(r"[^\W_][\w .@-]{0,39}")
_PREFIX = "wk_"
_BYTES = 32
_MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token."""

    name: str
    """Of the person or program that it was given to."""
    role: Role
    sha256: str
    made: str
    """UTC, ISO 8601."""


class TokenBook:
    """The tokens of a box. Safe for use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: object = None
        self._tokens: tuple[Token, ...] = ()
        self._damaged = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody was ever given a token; not where the file cannot be read."""
        with self._lock:
            self._follow()
            return not self._tokens and not self._damaged

    def all(self) -> tuple[Token, ...]:
        """By name.

        :raises InputError: the file is damaged.
        """
        with self._lock:
            self._follow()
            if self._damaged:
                raise InputError(f"{self.path}: cannot be read as tokens; nobody is let in; remove it, make new ones")
            return self._tokens

    def find(self, text: str) -> Token | None:
        """Whose token it is. Every digest is compared, in constant time."""
        digest, found = _digest(text), None
        with self._lock:
            self._follow()
            for token in self._tokens:
                if hmac.compare_digest(token.sha256, digest):
                    found = token
        return found

    def add(self, name: str, role: str) -> str:
        """Make a token; it is given out this once.

        :raises InputError: no name, no role, the name is taken, or the file cannot be written.
        """
        known = next((one for one in ROLES if one == role), None)
        if known is None:
            raise InputError(f"{role[:40]!r}: no such role; there are: {', '.join(ROLES)}")
        if not _NAME.fullmatch(name):
            raise InputError(f"{name[:60]!r}: no name of a token; take letters and digits, at most 40")
        if any(token.name == name for token in self.all()):
            raise InputError(f"{name}: has a token already; revoke it first, or take another name")
        text = _PREFIX + secrets.token_urlsafe(_BYTES)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        self._write((*self.all(), Token(name, known, _digest(text), made)))
        return text

    def revoke(self, name: str) -> None:
        """Let a token in no more.

        :raises InputError: there is none of that name, or the file cannot be written.
        """
        if all(token.name != name for token in self.all()):
            raise InputError(f"{name[:60]}: has no token; see: watchkeeper tokens list")
        self._write(tuple(token for token in self.all() if token.name != name))

    def _write(self, tokens: tuple[Token, ...]) -> None:
        text = json.dumps({"tokens": [asdict(token) for token in sorted(tokens, key=lambda t: t.name)]}, indent=1)
        fresh = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            fresh.replace(self.path)
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror}); make it writable, free disk"
            ) from None

    def _follow(self) -> None:
        """Read the file where it is another one than before."""
        try:
            found = self.path.stat()
            mark: object = (found.st_ino, found.st_mtime_ns, found.st_size)
            if mark == self._seen:
                return
            with self.path.open("rb") as file:
                self._tokens, self._damaged = _parsed(file.read(_MAX_FILE_BYTES)), False
            self._seen = mark
        except FileNotFoundError:
            self._tokens, self._damaged, self._seen = (), False, None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            self._tokens, self._damaged, self._seen = (), True, None


def _parsed(data: bytes) -> tuple[Token, ...]:
    return tuple(
        Token(str(one["name"]), ROLES[ROLES.index(one["role"])], str(one["sha256"]), str(one["made"]))
        for one in json.loads(data)["tokens"]
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
