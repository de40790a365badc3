"""Finding what is meant: by names that are the same, never by names that are alike."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.api import Box
from plugins.screen.expecting import check, holds_value
from plugins.screen.finding import FILLED, find
from plugins.screen.known_fields import KnownField
from plugins.screen.likeness import likeness, names_of
from plugins.screen.values import Control, Expect, Role, Sight, Target
from tests.screen_kit import operator_on, parameters

SURE = 0.85


@pytest.mark.parametrize(
    ("wanted", "printed"),
    [
        ("保存", "保存"),
        ("保存", " 保 存 "),
        ("保存", "Save"),
        ("Log in", "登录"),
        ("保存", "保存 Save"),
        ("1号循环泵", "1#循环泵"),
        ("Reset", "RESET"),
        ("回水压力|Return pressure", "Return pressure:"),
        ("Supply temperature", "Supply temperture"),
        ("日报", "曰报"),
        ("OK", "0K"),
    ],
)
def test_one_name_is_known_however_it_is_printed(wanted: str, printed: str) -> None:
    """In the other language, with both, in another case, with what a reader of print mistakes."""
    assert likeness(names_of(wanted), printed) >= SURE


@pytest.mark.parametrize(
    ("wanted", "printed"),
    [
        ("上限", "下限"),
        ("回水压力上限", "回水压力下限"),
        ("1号泵", "2号泵"),
        ("泵1", "泵7"),
        ("启动", "停止"),
        ("开", "关"),
        ("Start", "Stop"),
        ("Lock", "Unlock"),
        ("enable", "disable"),
        ("Pump 1", "Pump 11"),
        ("保存", "不保存"),
        ("保存", "保存全部"),
        ("E10", "E101"),
        ("供水温度", "回水温度"),
        ("湿度", "温度"),
        ("", "保存"),
        ("activated", "inactivated"),
    ],
)
def test_a_name_that_is_only_alike_is_another_one(wanted: str, printed: str) -> None:
    """A digit, a direction, a word more: it means something else."""
    assert likeness(names_of(wanted), printed) < SURE


@given(st.text(string.digits + "号泵阀ABC上下限", min_size=1, max_size=8), st.data())
@settings(max_examples=100, deadline=None)
def test_another_digit_is_another_name(name: str, data: st.DataObject) -> None:
    """Whatever the name: where one digit differs, it is not taken."""
    places = [n for n, char in enumerate(name) if char.isdigit()]
    if places:
        place = data.draw(st.sampled_from(places))
        other = data.draw(st.sampled_from([d for d in string.digits if d != name[place]]))
        assert likeness((name,), name[:place] + other + name[place + 1 :]) < SURE


def _sight(*controls: tuple[str, Role, Box], frames: tuple[Box, ...] = ()) -> Sight:
    base = operator_on(parameters()).looker.look()
    made = tuple(Control(name, role, box) for name, role, box in controls)
    return Sight(base.at, base.photo, base.seen, made, frames=frames)


def test_of_three_that_are_called_the_same_the_frame_decides() -> None:
    """`within` names the frame by its title; `near` the one that stands by a text."""
    frames = ((0, 0, 200, 100), (0, 120, 200, 220), (0, 240, 200, 340))
    starts = [("启动", "button", (120, top + 40, 180, top + 70)) for top in (0, 120, 240)]
    titles = [(f"{n}号泵", "text", (10, top + 2, 80, top + 22)) for n, top in ((1, 0), (2, 120), (3, 240))]
    sight = _sight(*starts, *titles, frames=frames)  # type: ignore[arg-type]
    assert find(sight, Target("启动")).control is None
    for key in ("within", "near"):
        found = find(sight, Target("启动", **{key: "2号泵"})).control  # type: ignore[arg-type]
        assert found is not None
        assert found.box[1] == 160


def test_a_label_is_not_taken_for_the_button_of_its_name() -> None:
    """A title that says the same as a button is no second button."""
    sight = _sight(("登录", "text", (10, 10, 60, 30)), ("登录", "button", (10, 100, 90, 130)))
    found = find(sight, Target("登录")).control
    assert found is not None
    assert found.role == "button"


def test_a_field_of_the_profile_is_known_by_its_place() -> None:
    """Two fields of one label: the one that was learnt is meant."""
    sight = _sight(("上限", "field", (100, 40, 160, 60)), ("上限", "field", (400, 40, 460, 60)))
    wide, high = sight.photo.size
    known = (KnownField("上限", "MPa", (395 / wide, 38 / high, 465 / wide, 62 / high)),)
    found = find(sight, Target(field="上限"), FILLED, fields=known).control
    assert found is not None
    assert found.box[0] == 400
    assert find(sight, Target(field="上限"), FILLED).control is None


@pytest.mark.parametrize(
    ("held", "unit", "value", "wanted_unit", "is_so"),
    [
        ("0.60", "MPa", "0.6", "MPa", True),
        ("0.60", "MPa", "0.6", "", True),
        ("0.60", "kPa", "0.6", "MPa", False),
        ("75", "℃", "75.0", "°C", True),
        ("6.0", "", "0.6", "", False),
        ("自动", "", "自动", "", True),
        ("自动", "", "手动", "", False),
        (None, "", "0.6", "", False),
        ("0.6x", "", "0.6", "", False),
    ],
)
def test_a_value_is_held_as_a_number_and_its_unit_counts(
    held: str | None, unit: str, value: str, wanted_unit: str, is_so: bool
) -> None:
    """What cannot be read is not so."""
    assert holds_value(Control("x", "field", (0, 0, 1, 1), value=held, unit=unit), value, wanted_unit) is is_so


def test_what_is_expected_is_said_with_what_stands_there() -> None:
    """Shown, hidden, held; the reason names each that is not so."""
    sight = operator_on(parameters()).looker.look()
    fine = check(
        sight, (Expect(shows="供水温度", hides="参数已保存"), Expect(target=Target("下限"), value="0.2", unit="MPa"))
    )
    assert fine.is_so
    wrong = check(sight, (Expect(shows="参数已保存"), Expect(hides="停炉"), Expect(target=Target("下限"), value="0.3")))
    assert not wrong.is_so
    assert [part in wrong.lacks["zh"] for part in ("参数已保存", "停炉", "0.20")] == [True, True, True]
