"""Names of the log as they were when it could last be read, so that a question about one of them is still known to be a
question about the log while the link to it is down: the tool is called, and says what is wrong.

Without them the tools that need a name would not be offered, and a manual would answer what was asked of the log. A
process that never reached it takes words with letters and digits (A17, VFD-P1) for tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.api import DatabaseError, Term
from plugins.logs.database import LogDatabase
from plugins.logs.matching import find_terms

__all__ = ["RememberedNames"]

_CODE = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z0-9_.-]*[A-Za-z])(?=[A-Za-z0-9_.-]*\d)[A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)*"
)
_MOST_CODES = 5


class RememberedNames:
    """Of the logs that this process reads."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, list[str]]] = {}

    def find_terms(self, question: str, log: LogDatabase, *, on_server: bool) -> list[Term]:
        """As `matching.find_terms`, by what is remembered where the log cannot be read.

        :param on_server: the log is the plant's and behind a link: there is one, whether or not it was ever reached.
        """
        noted = _Noted(log)
        try:
            found = find_terms(question, noted)
        except DatabaseError:
            known = self._names.get(log.name)
            if known is None:
                return _codes(question) if on_server else []
            return find_terms(question, _Unread(known))
        self._names[log.name] = noted.seen
        return found


class _Noted:
    """A log whose names are kept as they are read."""

    def __init__(self, log: LogDatabase) -> None:
        self._log = log
        self.seen: dict[str, list[str]] = {}

    def names(self, column: str) -> list[str]:
        self.seen[column] = self._log.names(column)
        return self.seen[column]

    def known_names(self, column: str, wanted: Sequence[str]) -> list[str]:
        return self._log.known_names(column, wanted)


class _Unread:
    """What is remembered of one."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        self._known = known

    def names(self, column: str) -> list[str]:
        return self._known.get(column, [])

    def known_names(self, column: str, wanted: Sequence[str]) -> list[str]:
        """Beyond the names that are listed none is remembered."""
        return []


def _codes(question: str) -> list[Term]:
    return [Term("tag", found.group(), "question", found.start()) for found in _CODE.finditer(question)][:_MOST_CODES]
