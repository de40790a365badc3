"""A procedure from one showing: names and no places, expectations from what changed, and what cannot be named said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.env import load_env
from agent.settings import ProcedureSettings, ScreenSettings
from plugins.screen.acting import Operator
from plugins.screen.links.browser import BrowserLink
from plugins.screen.looking import Looker
from plugins.screen.pictures import centre
from plugins.screen.procedures.filling import checked_values, fill
from plugins.screen.procedures.reading import read_procedure
from plugins.screen.procedures.recording import Seen, Shown, file_text, steps_of
from plugins.screen.procedures.showing import Showing, heard_of
from plugins.screen.values import Sight
from tests.conftest import weights_environ
from tests.screen_kit import DrawnScreen, Thing, operator_on, parameters, place_of
from tests.screen_programs.opened import Program
from tests.screen_programs.trial import CONNECT_SECONDS, Bench
from tests.servers.debian import ServerMissing

LIMITS = ProcedureSettings()
NAME = {"zh": "改上限", "en": "change the limit"}


def looked(screen: DrawnScreen) -> Sight:
    return operator_on(screen).looker.look()


def middle(thing: Thing) -> tuple[int, int]:
    return centre(thing.box)


def showing(screen: DrawnScreen) -> tuple[list[Shown], list[Seen]]:
    """A limit of one of two groups is set, and saved."""
    first = looked(screen)
    fields = [thing for thing in screen.things if thing.kind == "field"]
    fields[2].value = "90"
    typed = looked(screen)
    place_of(screen, "保存").act()
    shown = [
        Shown("set", middle(fields[2]), 1.0, "90"),
        Shown("click", middle(place_of(screen, "保存")), 3.0),
    ]
    return shown, [Seen(0.0, first), Seen(2.0, typed), Seen(4.0, looked(screen))]


def test_what_was_shown_is_written_by_name_and_can_be_read(tmp_path: Path) -> None:
    """The group tells one 上限 from the other; the value is a parameter; what came up is what is expected."""
    recorded = steps_of(*showing(parameters()))
    assert recorded.problems == ()
    text = file_text(NAME, "boiler", recorded, {"limit": "90"})
    (tmp_path / "limit.yaml").write_text(text, encoding="utf-8")
    found = read_procedure(tmp_path / "limit.yaml", LIMITS)
    typed, saved = (fill(step, checked_values(found, {"limit": "90"}), {}).step for step in found.steps)
    assert (typed.target.text, typed.value, typed.unit) == ("上限", "90", "°C") or typed.unit == "℃"
    assert typed.target.within or typed.target.near
    assert (saved.target.text, saved.expect[0].shows) == ("保存", "参数已保存")
    assert "place" not in text
    screen = parameters()
    operator = operator_on(screen)
    assert [operator.do(step).came for step in (typed, saved)] == ["confirmed", "confirmed"]
    assert [thing.value for thing in screen.things if thing.kind == "field"] == ["0.50", "0.20", "90"]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (Shown("click", (630, 470), 3.0), "nothing that has a name"),
        (Shown("set", (630, 470), 3.0, "1"), "nothing that has a name"),
        (Shown("click", (60, 220), -1.0), "too soon"),
        (Shown("set", (150, 70), 3.0, "", "a password is not recorded"), "password"),
    ],
)
def test_what_cannot_be_named_is_said_and_left_out(one: Shown, why: str) -> None:
    """No place is ever written in its stead."""
    recorded = steps_of([one], [Seen(0.0, looked(parameters()))])
    assert recorded.steps == ()
    assert why in recorded.problems[0]


def test_a_click_right_after_a_click_is_not_guessed_at() -> None:
    """What stood there when it was clicked was not looked at."""
    screen = parameters()
    save, stop = place_of(screen, "保存"), place_of(screen, "停炉")
    recorded = steps_of(
        [Shown("click", middle(save), 1.0), Shown("click", middle(stop), 1.2)], [Seen(0.0, looked(screen))]
    )
    assert ([dict(step) for step in recorded.steps], len(recorded.problems)) == ([{"click": "保存"}], 1)


@given(st.one_of(st.text(max_size=60), st.recursive(st.none() | st.floats() | st.text(max_size=9), st.lists)))
@settings(max_examples=60)
def test_whatever_a_page_says_is_something_shown_or_nothing(told: Any) -> None:
    """No error leaves the reader, and no place beyond all screens."""
    for text in (told if isinstance(told, str) else json.dumps(told), json.dumps({"verb": "click", "x": told, "y": 1})):
        one = heard_of(text, 0.0, 2.0)
        assert one is None or all(0 <= side < 1_000_000 for side in one.place)


@pytest.mark.weights
def test_a_page_is_shown_and_the_procedure_is_replayed_in_another_size_and_language(
    real_weights: Path, tmp_path: Path
) -> None:
    """Shown in Chinese at one scaling with the pointer; with the English names added, done in English at another."""
    try:
        with Bench.opened(load_env(weights_environ(tmp_path / "home", real_weights))) as bench:
            text = _shown_on_page(bench)
            english = {"设定": "Settings", "进水压力上限": "Feed pressure limit", "应用": "Apply", "是": "Yes"}
            english |= {"反渗透机组": "Reverse osmosis", "确认操作": "Confirm", "设定已生效": "Settings are in force"}
            lines = [line for line in text.splitlines() if not line.startswith("#")]
            path = tmp_path / "limit.yaml"
            path.write_text("\n".join(lines), encoding="utf-8")
            found = read_procedure(path, LIMITS)
            _replayed(bench, found, english)
    except ServerMissing as error:
        pytest.skip(f"no screen can be had here: {error}")


def _shown_on_page(bench: Bench) -> str:
    """What a person does with the pointer, by where things are; the file that comes of it."""
    with bench.program(Program("web", "zh", 1.0, {"user": "engineer"}, {})) as opened:
        settings = ScreenSettings(**opened.settings, connect_seconds=CONNECT_SECONDS)
        link = BrowserLink("water", settings)
        try:
            watching = Showing(link, bench.perceive, settings, LIMITS, bench.env.now)
            watching.begin()
            for name in ("设定", "进水压力上限", "应用", "是"):
                sight = watching._seen[-1].sight
                control = next(c for c in sight.controls if c.name == name and c.role != "text")
                link.click(*centre(control.box))
                if control.role == "field":
                    link.press("Control+A")
                    link.type("14")
                    link.press("Tab")
                recorded = watching.go_on()
                recorded = watching.go_on()
            assert recorded.problems == ()
            assert opened.pressed() == ["settings", "pressure-max", "apply-ro", "yes"]
            return file_text(NAME, "water", recorded, {"pressure": "14"})
        finally:
            link.close()


def _replayed(bench: Bench, found: Any, english: dict[str, str]) -> None:
    with bench.program(Program("web", "en", 1.5, {"user": "engineer"}, {})) as opened:
        settings = ScreenSettings(**opened.settings, writable=True, connect_seconds=CONNECT_SECONDS)
        link = BrowserLink("water", settings)
        try:
            operator = Operator(Looker(link, bench.perceive, settings, bench.env.now), settings)
            for step in found.steps:
                told = {k: english.get(v, v) if isinstance(v, str) else v for k, v in step.arguments.items()}
                outcome = operator.do(fill(type(step)(told, step.line), {"pressure": "14"}, {}).step)
                assert outcome.came == "confirmed", outcome.why
            assert opened.record()[-1].state["pressure-max"] == 14
        finally:
            link.close()
