"""Lists of words and patterns in TOML files beside the code that uses them, compiled on first use.

A list is a key with alternatives, each a regular expression for folded text. One that begins with a Latin letter is
matched as a whole word. `{NUMBER}` stands for a number.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

__all__ = ["Words", "load_words"]

Words = dict[str, re.Pattern[str]]
NUMBER = r"[-+−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"


@cache
def load_words(file: Path) -> dict[str, Words]:
    """Section → name → pattern, in the order of the file.

    :raises ValueError: the file is damaged; it is part of the program.
    """
    sections = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        section: {name: re.compile("|".join(_one(word) for word in words)) for name, words in names.items()}
        for section, names in sections.items()
    }


def _one(word: str) -> str:
    pattern = word.replace("{NUMBER}", NUMBER)
    return rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])" if re.match(r"[a-z]|\(\?:[a-z]", word) else pattern
