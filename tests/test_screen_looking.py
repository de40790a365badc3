"""Looking at a screen: what can be used is named, what lies above is known, and only what changed is read anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.api import Env, Perception, Photo, Text, photo_of
from plugins.panel import perceive, shutdown
from plugins.screen.looking import Looker
from plugins.screen.patching import read_changed
from plugins.screen.pictures import changes, find_regions
from plugins.screen.values import Sight
from tests.screen_kit import SETTINGS, DrawnScreen, Thing, operator_on, parameters, place_of, question


def named(sight: Sight, role: str) -> dict[str, str | None]:
    """Names of one role with what they hold."""
    return {control.name: control.value for control in sight.controls if control.role == role}


def test_frames_make_buttons_fields_and_groups() -> None:
    """A name in a frame is a button, a value in one a field by the label beside it; greyed is told."""
    sight = operator_on(parameters()).looker.look()
    buttons = {c.name: c.enabled for c in sight.controls if c.role == "button"}
    assert buttons == {"保存": True, "停炉": True, "复位": False}
    fields = [(c.name, c.value, c.unit) for c in sight.controls if c.role == "field"]
    assert sorted(fields) == [("上限", "0.50", "MPa"), ("上限", "95", "°C"), ("下限", "0.20", "MPa")]
    assert len([frame for frame in sight.frames if frame[3] - frame[1] > 120]) >= 2


def test_a_menu_that_opens_is_a_window_of_items() -> None:
    """One new frame while all else stays: its lines are items, and nothing under it is offered; closed, all is back."""
    screen = parameters()
    operator = operator_on(screen)
    operator.looker.look()
    menu = [Thing("frame", "", (400, 200, 520, 320))]
    menu += [Thing("text", name, (420, 212 + 36 * n, 0, 0)) for n, name in enumerate(("打印", "导出", "关于"))]
    screen.things += menu
    opened = operator.looker.look()
    assert named(opened, "item") == {"打印": None, "导出": None, "关于": None}
    assert named(opened, "button") == {}
    assert opened.dialog == "打印"
    screen.things = [thing for thing in screen.things if thing not in menu]
    closed = operator.looker.look()
    assert closed.dialog == ""
    assert set(named(closed, "button")) == {"保存", "停炉", "复位"}


def test_another_page_is_no_window() -> None:
    """All that changed is the page: what is beside it can still be used."""
    tabs = [Thing("button", name, (10, 10 + 50 * n, 110, 50 + 50 * n)) for n, name in enumerate(("总览", "报警"))]
    screen = DrawnScreen(
        [*tabs, Thing("frame", "运行参数", (140, 20, 600, 300)), Thing("text", "供水温度", (160, 60, 0, 0))]
    )
    operator = operator_on(screen)
    operator.looker.look()
    screen.things = [*tabs, Thing("frame", "报警列表", (140, 20, 620, 420)), Thing("text", "低水位", (160, 60, 0, 0))]
    tabs[0].enabled = False
    sight = operator.looker.look()
    assert sight.dialog == ""
    assert set(named(sight, "button")) == {"总览", "报警"}


def test_a_picture_that_is_known_is_not_read_again() -> None:
    """The same pixels cost no reading."""
    screen = parameters()
    reads: list[str] = []

    def counted(photo: Photo) -> Perception | None:
        reads.append(photo.digest)
        return screen.perceive(photo)

    looker = Looker(screen, counted, SETTINGS, operator_on(screen).looker._now)
    first = looker.look()
    assert looker.look().controls == first.controls
    assert len(reads) == 1


def test_a_screen_that_never_rests_is_called_busy() -> None:
    """It is looked at for so long and no longer."""
    screen = parameters()
    clock = Thing("text", "0", (500, 440, 0, 0))
    screen.things.append(clock)
    screen.after_look = {n: lambda n=n: setattr(clock, "name", str(n)) for n in range(1, 2000)}  # type: ignore[misc]
    assert operator_on(screen).looker.look().busy


def test_only_the_part_that_changed_is_read_and_takes_the_place_of_what_was_there() -> None:
    """Its texts stand where they stand on the screen; all others are as they were read before."""
    before = operator_on(parameters()).looker.look()
    pixels = np.array(before.photo.pixels)
    pixels[108:138, 142:228] = 40
    parts: list[tuple[int, int]] = []

    def part(photo: Photo) -> Perception:
        parts.append(photo.size)
        return Perception((Text("0.30", (30, 20, 60, 40), 0.9),), (), (), (), photo.size, 1.0, photo.digest)

    photo = photo_of(pixels, "x")
    seen = read_changed(photo, before, part, most_share=0.5)
    assert seen is not None
    texts = {text.text for text in seen.texts}
    assert "0.30" in texts
    assert "0.20" not in texts
    assert {"保存", "停炉", "95"} <= texts
    assert all(size[0] < before.photo.size[0] for size in parts)
    assert read_changed(photo, before, part, most_share=0.001) is None
    assert read_changed(photo_of(pixels[:100], "y"), before, part, most_share=0.5) is None


def test_differences_are_boxes_and_another_size_is_all() -> None:
    """Noise is none."""
    one = np.full((100, 200, 3), 90, np.uint8)
    other = one.copy()
    other[10:20, 30:50] = 200
    other[80:90, 150:190] = 0
    other[0, 0] += 3
    assert changes(one, other) == ((150, 80, 190, 90), (30, 10, 50, 20))
    assert changes(one, other[:50]) == ((0, 0, 200, 50),)
    assert find_regions(one)[0].box == (0, 0, 200, 100)


@pytest.fixture
def read(weights_env: Env) -> Callable[[Photo], Perception]:
    return lambda photo: perceive(photo, weights_env)


@pytest.mark.weights
def test_a_drawn_screen_is_read_for_real(read: Callable[[Photo], Perception], weights_env: Env) -> None:
    """With the reader of this box: names, values, a window on top; in parts it reads the same as whole."""
    screen = parameters()
    looker = Looker(screen, read, SETTINGS, weights_env.now)
    assert set(named(looker.look(), "button")) == {"保存", "停炉", "复位"}
    next(thing for thing in screen.things if thing.value == "0.20").value = "0.35"
    parted = looker.look()
    looker.forget()
    whole = looker.look()
    for sight in (parted, whole):
        assert [c.value for c in sight.controls if c.role == "field" and c.name == "下限"] == ["0.35"]
    assert named(parted, "button") == named(whole, "button")
    question(screen)
    assert looker.look().dialog == "请确认"
    assert place_of(screen, "确定").name in named(looker.look(), "button")
    shutdown(weights_env)
