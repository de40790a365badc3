"""Which conversation a request goes on with: clients send all that was said before, and no name for it.

What was said up to an answer names the conversation. A request whose earlier messages are those goes on; every other
one begins anew, also where a client changed what was said.
"""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence

__all__ = ["Said", "Threads"]

Said = tuple[str, str]
"""Role and text of a message."""


class Threads:
    """Safe for use from several threads."""

    def __init__(self, most: int) -> None:
        """
        :param most: conversations that are remembered.
        """
        self._most = most
        self._lock = threading.Lock()
        self._names: OrderedDict[str, str] = OrderedDict()

    def name(self, client: str, before: Sequence[Said]) -> str:
        """Of the conversation that a request goes on with.

        :param before: the messages before the one that is to be answered.
        """
        with self._lock:
            known = self._names.get(_digest(client, before))
        return known or uuid.uuid4().hex

    def keep(self, client: str, said: Sequence[Said], name: str) -> None:
        """It was answered: whoever comes with these messages goes on with it."""
        with self._lock:
            self._names[_digest(client, said)] = name
            while len(self._names) > self._most:
                self._names.popitem(last=False)


def _digest(client: str, said: Sequence[Said]) -> str:
    return hashlib.sha256(json.dumps([client, [(role, text.strip()) for role, text in said]]).encode()).hexdigest()
