"""Words that the reader ran into one: where the screen itself says that several controls stand there, each is read
again by itself. What is read then is what stands on the picture, not what the screen says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.api import Box, Perception, Text
from plugins.screen.pictures import area, overlap
from plugins.screen.values import Control, Role

__all__ = ["part_merged"]

_NAMED_INSIDE: frozenset[Role] = frozenset({"button", "tab", "menu", "item", "link"})
_SHARED = 0.25
"""Of a control: so much of it lies in the text, or the text only touches it."""


def part_merged(seen: Perception, said: Sequence[Control], read: Callable[[Box], str]) -> Perception:
    """What was read, with each text that runs over several controls parted into what stands on each.

    :param read: gives what is printed in a box; empty where that cannot be read.
    """
    texts: list[Text] = []
    for text in seen.texts:
        under = [c for c in said if c.role in _NAMED_INSIDE and overlap(c.box, text.box) >= _SHARED * area(c.box)]
        apart = [c for c in under if not any(overlap(c.box, other.box) for other in under if other is not c)]
        if len(apart) < 2:
            texts.append(text)
            continue
        pieces = [(control, read(control.box)) for control in apart]
        texts += [replace(text, text=word, box=_common(control, text)) for control, word in pieces if word]
    return replace(seen, texts=tuple(texts)) if len(texts) != len(seen.texts) else seen


def _common(control: Control, text: Text) -> Box:
    return (
        max(control.box[0], text.box[0]),
        text.box[1],
        min(control.box[2], text.box[2]),
        text.box[3],
    )
