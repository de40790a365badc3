"""The words by which rules and questions are understood, from `words.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from knowledge.tokens import fold

__all__ = ["names_rule", "word"]

_FILE = Path(__file__).parent / "words.toml"


@cache
def word(section: str, name: str) -> re.Pattern[str]:
    """A rule of `words.toml`; of folded text."""
    return re.compile(_sections()[section][name])


@cache
def _sections() -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return sections


def names_rule(names: Iterable[str]) -> re.Pattern[str]:
    """Finds names in folded text, the longest at each place; Latin ones as whole words, with a plural s."""
    folded = sorted({" ".join(fold(name).split()) for name in names}, key=len, reverse=True)
    return re.compile("|".join(_one(name) for name in folded) or r"(?!)")


def _one(name: str) -> str:
    body = r"\s+".join(re.escape(part) for part in name.split())
    before = r"(?<![a-z0-9])" if name[0].isascii() and name[0].isalnum() else ""
    after = r"s?(?![a-z0-9])" if name[-1].isascii() and name[-1].isalnum() else ""
    return f"{before}{body}{after}"
