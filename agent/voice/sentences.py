"""An answer as it is spoken: sentence by sentence, without what is only for the eye."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.values import Language

__all__ = ["sentences", "spoken_language"]

_SOURCES = re.compile(r"\s*[\[〔【](?:[A-Z]{1,2}\d+|\d+)(?:[^\[\]〔〕【】]{0,80})[\]〕】]")
_LINKS = re.compile(r"(?:https?|file)://\S+")
_MARKS = re.compile(r"(?m)^\s*(?:[-*•·▸#>]+|\d{1,2}[.)、](?=\s))\s*|[*_`|#]{1,3}")
_END = re.compile(r"(?<=[。!?;\uff01\uff1f\uff1b…])\s*|(?<=[.])\s+(?=[^a-z\s])|\n+")
_SOFT = re.compile(r"[^\s,:、\uff0c\uff1a]*[\s,:、\uff0c\uff1a]*")
_COMMAS = (",", ":", "、", "\uff0c", "\uff1a")
_SPEAKABLE = re.compile(r"\w")
_HAN = re.compile(r"[\u3400-\u9fff]")


def sentences(
    text: str, *, most_chars: int, most_chars_each: int, most_chars_first: int | None = None
) -> Iterator[str]:
    """Sentences in order, the long ones cut at commas or spaces.

    :param most_chars: of all together; what is over is not spoken.
    :param most_chars_first: of the first, for which somebody waits.
    """
    plain = _MARKS.sub(" ", _LINKS.sub(" ", _SOURCES.sub("", text[: most_chars * 2])))
    left, first = most_chars, most_chars_first
    for sentence in _END.split(plain):
        for piece in _pieces(" ".join(sentence.split()), first or most_chars_each, most_chars_each):
            if not _SPEAKABLE.search(piece):
                continue
            if len(piece) > left:
                return
            left, first = left - len(piece), None
            yield piece


def spoken_language(text: str, otherwise: Language) -> Language:
    """In which a sentence is to be read aloud."""
    if _HAN.search(text):
        return "zh"
    return "en" if re.search(r"[A-Za-z]{2}", text) else otherwise


def _pieces(sentence: str, most_first: int, most: int) -> Iterator[str]:
    piece, limit = "", most_first
    for part in _SOFT.findall(sentence):
        together, pauses = len(piece) + len(part.rstrip()), piece.rstrip().endswith(_COMMAS)
        if piece.strip() and (together > most or (together > limit and pauses)):
            yield piece.strip()
            piece, limit = "", most
        piece += part
        while len(piece.rstrip()) > most:
            yield piece[:most]
            piece = piece[most:]
    if piece.strip():
        yield piece.strip()
