"""A screen that is drawn here: what is on it is known, so it is read without weights, and it can be made to lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from agent.api import Box, Perception, Photo, Text, ToolFailed, photo_of
from agent.settings import ScreenSettings
from plugins.screen.acting import Operator
from plugins.screen.looking import Looker
from plugins.screen.values import Control, Outcome, Step

FONT = ImageFont.truetype(str(next((Path(__file__).parent.parent / "agent/reports/fonts").glob("*.ttf"))), 18)
GROUND, PANEL, FACE, INK, GREY = (210, 213, 218), (228, 231, 234), (196, 202, 210), (15, 15, 15), (160, 166, 174)
SETTINGS = ScreenSettings(
    kind="drawn", address="", writable=True, settle_seconds=0.05, poll_seconds=0.001, react_seconds=0.02
)


@dataclass
class Thing:
    """Something on the screen."""

    kind: str
    """text | button | field | frame | window"""
    name: str
    box: Box
    value: str = ""
    enabled: bool = True
    act: Callable[[], None] = lambda: None


@dataclass
class DrawnScreen:
    """A link to a screen that is drawn anew at each look."""

    things: list[Thing]
    size: tuple[int, int] = (640, 480)
    name: str = "drawn"
    told: Sequence[Control] = ()
    after_look: dict[int, Callable[[], None]] = field(default_factory=dict)
    """Number of a look, from one → what happens right after it."""
    clicks: list[tuple[int, int]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    looks: int = 0
    lost: bool = False
    focus: Thing | None = None
    marked: bool = False
    read: dict[str, tuple[Text, ...]] = field(default_factory=dict)

    def look(self) -> Photo:
        if self.lost:
            raise ToolFailed("the screen is gone")
        self.looks += 1
        picture = Image.new("RGB", self.size, GROUND)
        draw = ImageDraw.Draw(picture)
        texts = [text for thing in self.things for text in self._draw(draw, thing)]
        photo = photo_of(np.asarray(picture), self.name)
        self.read[photo.digest] = tuple(sorted(texts, key=lambda t: (t.box[1], t.box[0])))
        self.after_look.pop(self.looks, lambda: None)()
        return photo

    def named(self) -> Sequence[Control]:
        return self.told

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        self.clicks.append((x, y))
        self.focus = self.at(x, y)
        self.marked = False
        if self.focus is not None and self.focus.enabled:
            self.focus.act()

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        self.sent.append(f"drag {start} {end}")

    def scroll(self, x: int, y: int, *, notches: int) -> None:
        if notches:  # none only moves the pointer
            self.sent.append(f"scroll {notches}")

    def type(self, text: str) -> None:
        self.sent.append(text)
        if self.focus is not None and self.focus.kind == "field":
            self.focus.value = text if self.marked else self.focus.value + text

    def press(self, key: str) -> None:
        self.sent.append(key)
        self.marked = key == "Shift+Home"

    def close(self) -> None:
        """Nothing is held."""

    def at(self, x: int, y: int) -> Thing | None:
        """The topmost thing that can be used at a place."""
        usable = [t for t in self.things if t.kind in ("button", "field")]
        return next((t for t in reversed(usable) if t.box[0] <= x < t.box[2] and t.box[1] <= y < t.box[3]), None)

    def perceive(self, photo: Photo) -> Perception | None:
        """What stands on a picture that was drawn here; parts of it are not read."""
        texts = self.read.get(photo.digest)
        return None if texts is None else Perception(texts, (), (), (), photo.size, 1.0, photo.digest)

    def _draw(self, draw: ImageDraw.ImageDraw, thing: Thing) -> list[Text]:
        left, top, right, bottom = thing.box
        if thing.kind == "text":
            return [self._write(draw, thing.name, (left, top), INK)]
        faces = {"button": FACE, "field": (255, 255, 255), "frame": PANEL, "window": PANEL}
        draw.rectangle((left, top, right - 1, bottom - 1), fill=faces[thing.kind], outline=(70, 70, 70), width=2)
        ink = INK if thing.enabled else GREY
        if thing.kind == "button":
            return [self._write(draw, thing.name, (left + 12, (top + bottom) // 2 - 12), ink)]
        if thing.kind == "window":
            draw.rectangle((left + 2, top + 2, right - 3, top + 32), fill=(50, 90, 150))
            return [self._write(draw, thing.name, (left + 10, top + 5), (255, 255, 255))]
        if thing.kind == "frame":
            return [self._write(draw, thing.name, (left + 10, top + 4), INK)] if thing.name else []
        if self.focus is thing:
            draw.line((left + 4, top + 5, left + 4, bottom - 6), fill=INK, width=2)
        return [self._write(draw, thing.value, (left + 10, top + 3), ink)] if thing.value else []

    def _write(self, draw: ImageDraw.ImageDraw, text: str, at: tuple[int, int], ink: tuple[int, int, int]) -> Text:
        draw.text(at, text, font=FONT, fill=ink)
        left, top, right, bottom = (round(side) for side in draw.textbbox(at, text, font=FONT))
        return Text(text, (left - 2, top - 2, right + 2, bottom + 2), 0.99)


def operator_on(screen: DrawnScreen, settings: ScreenSettings = SETTINGS) -> Operator:
    """An operator of a drawn screen."""
    looker = Looker(screen, screen.perceive, settings, lambda: datetime(2026, 3, 2, 8, tzinfo=UTC))
    return Operator(looker, settings)


def do(screen: DrawnScreen, *steps: Step) -> Outcome:
    """The outcome of the last step."""
    operator = operator_on(screen)
    return [operator.do(step) for step in steps][-1]


def parameters() -> DrawnScreen:
    """Two groups with a limit each, and buttons below."""
    screen = DrawnScreen([])

    def saved() -> None:
        screen.things.append(Thing("text", "参数已保存", (20, 440, 0, 0)))

    screen.things += [
        Thing("frame", "回水压力", (20, 20, 310, 160)),
        Thing("text", "上限", (40, 60, 0, 0)),
        Thing("field", "", (140, 58, 230, 88), "0.50"),
        Thing("text", "MPa", (240, 60, 0, 0)),
        Thing("text", "下限", (40, 110, 0, 0)),
        Thing("field", "", (140, 108, 230, 138), "0.20"),
        Thing("text", "MPa", (240, 110, 0, 0)),
        Thing("frame", "供水温度", (330, 20, 620, 160)),
        Thing("text", "上限", (350, 60, 0, 0)),
        Thing("field", "", (450, 58, 540, 88), "95"),
        Thing("text", "°C", (550, 60, 0, 0)),
        Thing("button", "保存", (40, 200, 140, 240), act=saved),
        Thing("button", "停炉", (180, 200, 280, 240)),
        Thing("button", "复位", (320, 200, 420, 240), enabled=False),
    ]
    return screen


def question(screen: DrawnScreen, text: str = "真的要停炉吗") -> None:
    """A window comes up."""
    screen.things += [
        Thing("window", "请确认", (180, 150, 460, 330)),
        Thing("text", text, (220, 210, 0, 0)),
        Thing("button", "确定", (200, 270, 300, 310)),
        Thing("button", "取消", (340, 270, 440, 310)),
    ]


def place_of(screen: DrawnScreen, name: str) -> Thing:
    """The thing of that name."""
    return next(thing for thing in screen.things if thing.name == name)
