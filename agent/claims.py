"""What may be said that was not copied: nothing with a number, a code or a negation that the evidence does not hold.

Facts are rendered from tool results and quotes are copied, so the only worded part of an answer is one free line
(the gist of a quote in the other language). It is dropped whole when any of its claims has no evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from agent.numerals import parse_number

__all__ = ["codes_in", "numbers_in", "unsupported"]

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[-+]?\d+(?:[.,]\d+)*")
_CODE = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9._/-]*\d)[A-Za-z][A-Za-z0-9._/-]*[A-Za-z0-9](?![A-Za-z0-9])")
_WORD_NUMBER = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b|[一二两三四五六七八九十百]+(?=[次条个台天小分秒度年月日号])",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"没有|没|无|未|不|非|禁止|\b(?:no|not|none|never|nothing|without|cannot|neither|nor)\b|n't\b", re.IGNORECASE
)
_DONE = re.compile(
    r"已(?:经)?(?:完成|执行|打开|关闭|设置|复位|启动|停止)|\b(?:done|completed|executed|switched|turned)\b",
    re.IGNORECASE,
)


def unsupported(line: str, evidence: Iterable[str]) -> str | None:
    """Why a worded line cannot be said.

    :param line: what the model worded.
    :param evidence: texts that back it.
    :returns: the first claim without evidence, in words for the audit; None where all have some.
    """
    texts = [_fold(text) for text in evidence]
    whole = "\n".join(texts)
    said = _fold(line)
    known_numbers = {number for text in texts for number in numbers_in(text)}
    for number in sorted(numbers_in(said) - known_numbers):
        return f"the number {number} is in no evidence"
    known_codes = {code for text in texts for code in codes_in(text)}
    for code in sorted(codes_in(said) - known_codes):
        return f"the code {code} is in no evidence"
    negation = _NEGATION.search(said)
    if negation and not _NEGATION.search(whole):
        return f"the negation {negation.group()!r} is in no evidence"
    if not negation and _NEGATION.search(whole):
        return "the evidence holds a negation that the line leaves out"
    done = _DONE.search(said)
    if done and not _DONE.search(whole):
        return f"{done.group()!r} is said, and nothing was confirmed"
    return None


def numbers_in(text: str) -> set[str]:
    """Numbers as plain decimals, so that 10.0 and 10 are one, and 三次 is 3."""
    found = {_plain_number(match.group()) for match in _NUMBER.finditer(_fold(text))}
    for match in _WORD_NUMBER.finditer(text):
        value = parse_number(match.group())
        if value is not None:
            found.add(_plain_number(str(value)))
    return found


def codes_in(text: str) -> set[str]:
    """Fault codes, tags and part numbers: words that hold a letter and a digit."""
    return {match.group().casefold() for match in _CODE.finditer(_fold(text))}


def _plain_number(text: str) -> str:
    digits = text.lstrip("+").replace(",", "")
    try:
        return f"{float(digits):g}"
    except ValueError:
        return digits


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
