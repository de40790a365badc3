"""A regular expression that is compiled when it is first used: large ones cost a tenth of a second at every start."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["LatePattern"]


class LatePattern:
    """As `re.compile`, later."""

    def __init__(self, rule: str, flags: int = 0) -> None:
        self._rule = rule
        self._flags = flags
        self._made: re.Pattern[str] | None = None

    def search(self, text: str) -> re.Match[str] | None:
        return self._compiled().search(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        return self._compiled().fullmatch(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self._compiled().finditer(text)

    def _compiled(self) -> re.Pattern[str]:
        if self._made is None:
            self._made = re.compile(self._rule, self._flags)
        return self._made
