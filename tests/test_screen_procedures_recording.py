"""A procedure from one showing: names and no places, expectations from what changed, and what cannot be named said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.env import load_env
from agent.settings import ProcedureSettings, ScreenSettings
from plugins.screen.acting import Operator
from plugins.screen.expecting import check, same_unit
from plugins.screen.links import browser, vnc
from plugins.screen.links.browser import BrowserLink
from plugins.screen.looking import Looker
from plugins.screen.pictures import centre
from plugins.screen.procedures.filling import checked_values, fill, stages, undo_of
from plugins.screen.procedures.reading import read_procedure
from plugins.screen.procedures.recording import Seen, Shown, file_text, steps_of
from plugins.screen.procedures.showing import Showing, heard_of
from plugins.screen.procedures.values import Procedure, ProcedureStep
from plugins.screen.values import Sight
from tests.conftest import weights_environ
from tests.screen_kit import DrawnScreen, Thing, operator_on, parameters, place_of
from tests.screen_programs.opened import Opened, Program, wait_until
from tests.screen_programs.trial import CONNECT_SECONDS, Bench
from tests.servers.debian import ServerMissing

LIMITS = ProcedureSettings()
EXAMPLES = Path(__file__).parent.parent / "deploy/example/procedures"
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
    assert (typed.target.text, typed.value, same_unit(typed.unit, "°C")) == ("上限", "90", True)
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


@pytest.mark.weights
@pytest.mark.parametrize(
    ("key", "kind", "language", "scale", "value", "field"),
    [
        ("return-pressure-limit", "desktop", "en", 1.25, "0.6", "return-max"),
        ("feed-pressure-limit", "web", "zh", 1.5, "14", "pressure-max"),
    ],
)
def test_an_example_runs_on_a_real_program_and_is_taken_back(
    real_weights: Path, tmp_path: Path, key: str, kind: str, language: str, scale: float, value: str, field: str
) -> None:
    """One text for either language of a screen and any scaling; what it set is put back."""
    found = read_procedure(EXAMPLES / f"{key}.yaml", LIMITS)
    try:
        with Bench.opened(load_env(weights_environ(tmp_path / "home", real_weights))) as bench:
            start = {"user": "engineer"}
            with (
                bench.program(Program(kind, language, scale, start, {})) as opened,
                _operated(bench, opened) as operator,
            ):
                before = opened.record()[-1].state[field]
                _done(operator, found.steps, value, "")
                assert opened.record()[-1].state[field] == float(value)
                _done(operator, undo_of(found, len(stages(found.steps))), value, f"{before:g}")
                assert opened.record()[-1].state[field] == before
    except ServerMissing as error:
        pytest.skip(f"no screen can be had here: {error}")


@contextmanager
def _operated(bench: Bench, opened: Opened) -> Iterator[Operator]:
    settings = ScreenSettings(**opened.settings, writable=True, connect_seconds=CONNECT_SECONDS)
    link = {"vnc": vnc, "browser": browser}[settings.kind].open_link("trial", settings)
    try:
        link.look()
        wait_until(opened.record, "the program shows nothing")
        yield Operator(Looker(link, bench.perceive, settings, bench.env.now), settings)
    finally:
        link.close()


def _done(operator: Operator, steps: Sequence[ProcedureStep], value: str, held: str) -> None:
    for step in steps:
        filled = fill(step, {"pressure": value}, {"pressure": held}).step
        if step.harmless and check(operator.looker.look(), filled.expect).is_so:
            continue
        outcome = operator.do(filled)
        assert outcome.came == "confirmed", outcome.why


def _replayed(bench: Bench, found: Procedure, english: dict[str, str]) -> None:
    with (
        bench.program(Program("web", "en", 1.5, {"user": "engineer"}, {})) as opened,
        _operated(bench, opened) as operator,
    ):
        told = [{key: english.get(str(value), value) for key, value in step.arguments.items()} for step in found.steps]
        _done(operator, [ProcedureStep(arguments, 1) for arguments in told], "14", "")
        assert opened.record()[-1].state["pressure-max"] == 14
