"""The procedures of a box, and which text of each a person has approved.

An approval is of the digest of a file, sealed with the key of the box: a file that was changed, and a list of approvals
that was written by somebody else, approve nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.api import Env, InputError
from agent.box_key import box_secret
from plugins.screen.procedures.reading import NAME, read_procedure
from plugins.screen.procedures.values import Procedure

__all__ = ["Shelf"]

_APPROVED = "approved.json"


class Shelf:
    """Procedures in one folder."""

    def __init__(self, env: Env) -> None:
        self.folder = env.home.folder / "procedures"
        self._limits = env.settings.procedures
        self._key = env.home.box_key

    def read(self, key: str) -> Procedure:
        """
        :raises InputError: there is none of that name, or its file is wrong.
        """
        key = key.removesuffix(".yaml")
        path = self.folder / f"{key}.yaml"
        if not NAME.fullmatch(key) or not path.is_file():
            known = ", ".join(self.names()) or "none; approve one: watchkeeper screen procedure approve FILE"
            raise InputError(f"{key[:64]}: there is no such procedure in {self.folder}; there is {known}")
        return read_procedure(path, self._limits)

    def names(self) -> list[str]:
        """Names of the files."""
        if not self.folder.is_dir():
            return []
        return sorted(path.stem for path in self.folder.glob("*.yaml"))[: self._limits.max_files]

    def each(self) -> Iterator[Procedure]:
        """Those that can be read."""
        for key in self.names():
            with suppress(InputError):
                yield self.read(key)

    def approve(self, source: Path, *, digest: str, person: str) -> Procedure:
        """A person has reviewed a file: it is put here, and its digest approved.

        :param digest: of the text that the person saw.
        :raises InputError: the file is wrong or another one by now, or it cannot be kept.
        """
        procedure = read_procedure(source, self._limits)
        if procedure.digest != digest:
            raise InputError(f"{source}: it was changed while it was reviewed; review it again")
        data = source.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise InputError(f"{source}: it was changed while it was reviewed; review it again")
        kept = dict(self._kept())
        if procedure.key not in self.names() and len(self.names()) >= self._limits.max_files:
            raise InputError(f"{self.folder}: holds procedures.max_files already; remove one")
        kept[procedure.key] = {"digest": digest, "person": person, "seal": self._seal(procedure.key, digest, person)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(self.folder / f"{procedure.key}.yaml", data)
            _write(self.folder / _APPROVED, json.dumps(kept, indent=1, sort_keys=True).encode())
        except OSError as error:
            raise InputError(f"{self.folder}: cannot be written: {error.strerror}") from None
        return procedure

    def approved_by(self, procedure: Procedure) -> str:
        """Who approved exactly this text; empty where nobody did."""
        found = self._kept().get(procedure.key)
        if not isinstance(found, dict) or found.get("digest") != procedure.digest:
            return ""
        person = str(found.get("person"))
        seal = self._seal(procedure.key, procedure.digest, person)
        return person if hmac.compare_digest(str(found.get("seal")).encode(), seal.encode()) else ""

    def _kept(self) -> Mapping[str, Any]:
        try:
            found = json.loads((self.folder / _APPROVED).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _seal(self, *parts: str) -> str:
        text = json.dumps(["procedure", *parts])
        return hmac.new(box_secret(self._key), text.encode(), hashlib.sha256).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """At once, or not at all; for its owner only."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
