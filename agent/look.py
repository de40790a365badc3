"""Looking closer: a model that sees is shown one part of the photo, where the panel parser could not tell.

    doubt    the question names a reading without a trusted value, asks for the value of the one instrument that could
             not be read, asks whether a lamp is lit whose state the photo leaves open, or asks for the value of a text
             that has none beside it
    crop     that part at the photo's own resolution, so that a few image tokens show small print
    look     one question with a bounded reply: a number as printed, or the state of a lamp

What a model read is a claim: the answer says that it is the model's, it is no evidence for any tool, and it takes no
part in a comparison with limits. One look at most in a turn, and none by a rung that does not see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from agent.errors import BadReply, ModelError, PhotoError
from agent.messages import Message, Usage
from agent.model.protocol import Model, ReplyLimits
from agent.perception import Box, Perception
from agent.photo import Photo, photo_of
from agent.quotes import plain
from agent.settings import TurnSettings
from agent.values import Said, say

__all__ = ["Doubt", "Look", "LookBound", "crop", "find_doubt", "look_closer"]

_INSTRUMENTS = frozenset({"gauge", "bar", "slider", "display", "counter"})
_ASKS_VALUE = re.compile(
    r"多少|几|读数|数值|示数|显示|\b(?:value|reading|how (?:much|high|low|many|hot|cold)|what (?:is|does|are|do))\b",
    re.IGNORECASE,
)
_ASKS_STATE = re.compile(r"亮|灭|闪|\b(?:lit|lights? up|active|flash\w*|blink\w*|glow\w*)\b", re.IGNORECASE)
_AROUND = (1.0, 1.0, 6.0, 3.0)
"""Left, above, right, below: how far from a text its value may stand, in heights of the text."""
_MARGIN = 1.0
"""Around a value or a lamp, in its heights: a digit at the edge of its box must not be cut."""
_NUMBER = r"-?[0-9]{1,7}([.,:][0-9]{1,4})?"
_UNREADABLE = "?"
_LIT, _UNLIT, _UNSURE = "lit", "not lit", "unsure"
_STATES = {_LIT: say("点亮", "lit"), _UNLIT: say("未点亮", "not lit")}


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the parser could not tell and the question names."""

    kind: Literal["number", "lamp"]
    label: str
    box: Box
    """Where to look."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the model read there."""

    doubt: Doubt
    crop: Photo
    value: str
    """As the model read it; empty where it could not."""
    usage: Usage

    @property
    def line(self) -> Said | None:
        """What the answer says about it, with whose reading it is; None where nothing was read."""
        if not self.value:
            return None
        shown = _STATES.get(self.value, say(self.value, self.value))
        label = say(self.doubt.label or "仪表", self.doubt.label or "the instrument")
        return say(
            f"模型从照片局部读到:{label['zh']} {shown['zh']}(由模型读出,面板识读未能确认,请核对)",
            f"The model read from a part of the photo: {label['en']} {shown['en']} "
            "(read by the model, not by the panel parser; check it)",
        )


@dataclass(frozen=True, slots=True)
class LookBound:
    """The reply to a look."""

    kind: Literal["number", "lamp"]

    def lark(self) -> str:
        """The grammar: one word and a line end."""
        if self.kind == "number":
            return f'start: (/{_NUMBER}/ | "{_UNREADABLE}") "\\n"'
        return f'start: ("{_LIT}" | "{_UNLIT}" | "{_UNSURE}") "\\n"'

    def parse(self, text: str) -> str:
        """What was read; empty where the model could not.

        :raises BadReply: neither a number nor a state.
        """
        said = text.strip()
        if said in (_UNREADABLE, _UNSURE):
            return ""
        if said in _STATES if self.kind == "lamp" else re.fullmatch(_NUMBER, said):
            return said
        raise BadReply(f"neither a {self.kind} nor unreadable: {said[:40]!r}")


def find_doubt(question: str, perception: Perception) -> Doubt | None:
    """Where it pays to look closer; None where the parser could tell, or the question is about something else."""
    asked = plain(question)
    for reading in perception.readings:
        if _named(reading.label, asked) and not reading.is_sure:
            return Doubt("number", reading.label, _grown(reading.box, (_MARGIN,) * 4))
    for lamp in perception.lamps if _ASKS_STATE.search(question) else ():
        if _named(lamp.label, asked) and lamp.state == "unsure":
            return Doubt("lamp", lamp.label, _grown(lamp.box, (_MARGIN,) * 4))
    if not _ASKS_VALUE.search(question):
        return None
    unread = [r for r in perception.readings if r.value is None and r.kind in _INSTRUMENTS]
    if len(unread) == 1 and len(perception.readings) == 1:
        return Doubt("number", unread[0].label, unread[0].box)
    known = [reading.label for reading in perception.readings] + [lamp.label for lamp in perception.lamps]
    known += [cell for row in perception.alarms for cell in row.cells.values()]
    explained = " ".join(plain(label) for label in known)
    bare = [text for text in perception.texts if _named(text.text, asked) and plain(text.text) not in explained]
    longest = max(bare, key=lambda text: len(plain(text.text)), default=None)
    return Doubt("number", longest.text, _grown(longest.box, _AROUND)) if longest else None


def look_closer(
    model: Model, system: Message, photo: Photo, doubt: Doubt, *, settings: TurnSettings, deadline: float
) -> Look:
    """Let the model read one part of the photo.

    :param system: the stable beginning, whose cached state is reused.
    :param deadline: `time.monotonic()` value.
    :raises PhotoError: the box holds no pixels.
    :raises ModelError: the model failed, was too slow, or what answered does not see.
    :raises BadReply: the reply is no reading.
    """
    part = crop(photo, doubt.box, max_pixels=settings.look_max_pixels, min_side_px=settings.look_min_side_px)
    bound = LookBound(doubt.kind)
    limits = ReplyLimits(max_tokens=settings.look_tokens, deadline=deadline, reusable=True)
    reply = model.reply([system, Message("user", _asked(doubt), part)], (), bound=bound, limits=limits)
    if not model.sees:  # a rung that sees failed over it, and the next one answered blindly
        raise ModelError("no rung that sees could look")
    if reply.stopped != "done":
        raise ModelError(f"the look was cut off ({reply.stopped})")
    return Look(doubt, part, bound.parse(reply.text), reply.usage)


def crop(photo: Photo, box: Box, *, max_pixels: int, min_side_px: int = 1) -> Photo:
    """A part of a photo as a photo of its own.

    :param box: what lies outside the photo is left out.
    :param max_pixels: a larger part is scaled down to so many.
    :param min_side_px: a smaller part is grown around its middle, as far as the photo reaches.
    :raises PhotoError: the box holds none of the photo's pixels.
    """
    width, height = photo.size
    left, right = max(0, box[0]), min(width, box[2])
    top, bottom = max(0, box[1]), min(height, box[3])
    if left >= right or top >= bottom:
        raise PhotoError(f"{photo.name}: the box {tuple(box)} holds no pixel of the photo ({width}×{height})")
    left, right = _at_least(left, right, min_side_px, width)
    top, bottom = _at_least(top, bottom, min_side_px, height)
    part = photo.pixels[top:bottom, left:right]
    size = _bounded(right - left, bottom - top, max_pixels)
    if size != (right - left, bottom - top):
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return photo_of(part, f"{photo.name} [{left},{top},{right},{bottom}]")


def _asked(doubt: Doubt) -> str:
    if doubt.kind == "lamp":
        return (
            f"A part of the photo of a panel. Is the lamp “{doubt.label}” {_LIT} or {_UNLIT}? Say {_UNSURE} if unsure."
        )
    at = f"stands at “{doubt.label}”" if doubt.label else "does the instrument show"
    return (
        f"A part of the photo of a panel. Which number {at}? "
        f"Write it as printed, or {_UNREADABLE} if it cannot be read."
    )


def _named(label: str, asked: str) -> bool:
    key = plain(label)
    return len(key) > 1 and key in asked


def _grown(box: Box, by: tuple[float, ...]) -> Box:
    """A box with its surroundings, in heights of it."""
    height = max(1, box[3] - box[1])
    left, above, right, below = (round(factor * height) for factor in by)
    return box[0] - left, box[1] - above, box[2] + right, box[3] + below


def _at_least(low: int, high: int, side: int, limit: int) -> tuple[int, int]:
    """A span grown to `side` around its middle, moved to lie within 0 and `limit`."""
    side = min(side, limit)
    if high - low >= side:
        return low, high
    start = min(max(0, (low + high - side) // 2), limit - side)
    return start, start + side


def _bounded(width: int, height: int, max_pixels: int) -> tuple[int, int]:
    """The size scaled to at most `max_pixels`; of a sliver only the long side gives way."""
    scale = min(1.0, (max_pixels / (width * height)) ** 0.5)
    columns, rows = max(1, int(width * scale)), max(1, int(height * scale))
    if columns * rows > max_pixels:
        columns, rows = (columns, max(1, max_pixels // columns)) if rows > columns else (max_pixels // rows, rows)
    return max(1, columns), rows
