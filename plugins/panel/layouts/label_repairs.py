"""Letters in labels that were read as digits: `F.0.` for F.O., `va1ve`, and oxygen as `02` where gas is spoken of.

A digit is a letter only where letters stand on both sides of it in a word that holds no other digit, or where it is
part of a formula that its unit or the words around it confirm. Names of machines keep their numbers.
"""

from __future__ import annotations

import re

from plugins.panel.grammar import unit_key

__all__ = ["repaired_label"]

_INITIAL = re.compile(r"(?<=\b[A-Z]\.)0(?=\.)|\b0(?=\.[A-Z]\.)")
_IN_CAPITALS = re.compile(r"(?<=[A-Z])0(?=[A-Z])")
_IN_SMALL = re.compile(r"(?<=[a-z])[01](?=[a-z])")
_LEAST_LETTERS = 4
_WORD = re.compile(r"\w+")
_GAS = re.compile(r"\b(?:gas|flue|stack|oxygen|excess|residual|dissolved|exhaust)\b|烟|氧|废气|尾气|残", re.IGNORECASE)
_FORMULA = re.compile(r"(?<![A-Za-z0-9])(?:(?P<element>[CSN])0(?P<count>[2x])|(?P<oxygen>0)2)(?![A-Za-z0-9])")
_SHARES = frozenset(("ppm", "ppb", "mg/m3", "mg/nm3", "mg/l", "%vol"))
"""Units, as `unit_key` spells them, in which a gas is measured and hardly anything else on a panel."""


def repaired_label(label: str, unit: str) -> str:
    """The label with letters for digits where nothing else makes sense."""
    label = _INITIAL.sub("O", label)
    label = _WORD.sub(lambda word: _as_word(word[0]), label)
    share = unit_key(unit) in _SHARES
    if share or (_GAS.search(label) and unit_key(unit) in ("%", "")):
        label = _FORMULA.sub(_as_formula, label)
    return label


def _as_word(word: str) -> str:
    digits = sum(c.isdigit() for c in word)
    if digits != 1 or len(word) - 1 < _LEAST_LETTERS:
        return word
    word = _IN_CAPITALS.sub("O", word) if word.isupper() else word
    return _IN_SMALL.sub(lambda found: "o" if found[0] == "0" else "l", word)


def _as_formula(found: re.Match[str]) -> str:
    return "O2" if found["oxygen"] else f"{found['element']}O{found['count']}"
