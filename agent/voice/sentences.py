"""An answer as it is spoken: sentence by sentence, without what is only for the eye."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.values import Language

__all__ = ["sentences", "spoken_language"]

_SOURCES = re.compile(r"\s*[\[〔【](?:[A-Z]{1,2}\d+|\d+)(?:[^\[\]〔〕【】]{0,80})[\]〕】]")
_LINKS = re.compile(r"(?:https?|file)://\S+")
_MARKS = re.compile(r"(?m)^\s*(?:[-*•·▸#>]+|\d{1,2}[.)、](?=\s))\s*|[*_`|#]{1,3}")
_END = re.compile(r"(?<=[。!?!?;;…])\s*|(?<=[.])\s+(?=[^a-z\s])|\n+")
_SOFT = re.compile(r"[^\s,,、::]*[\s,,、::]*")
_SPEAKABLE = re.compile(r"\w")
_HAN = re.compile(r"[\u3400-\u9fff]")


def sentences(text: str, *, most_chars: int, most_chars_each: int) -> Iterator[str]:
    """Sentences in order, the long ones cut at commas or spaces.

    :param most_chars: of all together; what is over is not spoken.
    """
    plain = _MARKS.sub(" ", _LINKS.sub(" ", _SOURCES.sub("", text[: most_chars * 2])))
    left = most_chars
    for sentence in _END.split(plain):
        for piece in _pieces(" ".join(sentence.split()), most_chars_each):
            if not _SPEAKABLE.search(piece):
                continue
            if len(piece) > left:
                return
            left -= len(piece)
            yield piece


def spoken_language(text: str, otherwise: Language) -> Language:
    """In which a sentence is to be read aloud."""
    if _HAN.search(text):
        return "zh"
    return "en" if re.search(r"[A-Za-z]{2}", text) else otherwise


def _pieces(sentence: str, most: int) -> Iterator[str]:
    piece = ""
    for part in _SOFT.findall(sentence):
        if piece and len(piece) + len(part.rstrip()) > most:
            yield piece.rstrip()
            piece = ""
        piece += part
        while len(piece.rstrip()) > most:
            yield piece[:most]
            piece = piece[most:]
    if piece.strip():
        yield piece.strip()
