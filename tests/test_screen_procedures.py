"""Procedures as text: what is read, what is refused with its line, and a person's values in their ranges."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.api import Env, InputError
from agent.settings import ProcedureSettings
from plugins.screen.procedures.filling import checked_value, checked_values, fill, stages, undo_of
from plugins.screen.procedures.reading import read_procedure, read_step
from plugins.screen.procedures.shelf import Shelf
from plugins.screen.procedures.values import Parameter
from plugins.screen.values import Expect, Target

EXAMPLES = sorted((Path(__file__).parent.parent / "deploy/example/procedures").glob("*.yaml"))
LIMITS = ProcedureSettings()
GOOD = """\
name: {zh: 改上限, en: change the limit}
screen: boiler
parameters:
  pressure: {zh: 回水压力上限, en: limit, unit: MPa, from: 0.3, to: 0.8}
steps:
  - {click: 参数设置 | Parameters, harmless: true, shows: 频率}
  - {set: 上限, within: 回水压力, value: "{pressure}", unit: MPa, undo: [{click: 放弃}]}
  - {click: 是, shows: 0.60}
"""


def written(folder: Path, text: str, name: str = "limit.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_procedure_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Names, ranges and steps; 是 and 0.60 stay what they are; a harmless step belongs to the one after it."""
    found = read_procedure(written(tmp_path, GOOD), LIMITS)
    assert (found.key, found.name["zh"], found.screen, len(found.digest)) == ("limit", "改上限", "boiler", 64)
    parts = stages(found.steps)
    assert [[step.line for step in part] for part in parts] == [[6, 7], [8]]
    values = checked_values(found, {"pressure": "0.6 MPa"})
    opened, typed, saved = (fill(step, values, {}).step for step in found.steps)
    assert (opened.verb, opened.writes, opened.expect) == ("click", False, (Expect(shows="频率"),))
    assert (typed.target, typed.value, typed.unit, typed.writes) == (
        Target("上限", within="回水压力"),
        "0.6",
        "MPa",
        True,
    )
    assert (saved.target.text, saved.expect[0].shows) == ("是", "0.60")
    assert [step.arguments["text"] for step in undo_of(found, 2)] == ["放弃"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_sound(path: Path) -> None:
    """Each can be read, and each step that writes can be taken back."""
    found = read_procedure(path, LIMITS)
    assert all(undo_of(found, stage) for stage in range(1, len(stages(found.steps)) + 1))


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("{click: 是, shows: 0.60}", "{click: 是, at: '12,5'}", 8, "not known"),
        ("{click: 是, shows: 0.60}", "{click: 是, set: 上限}", 8, "one of"),
        ("{click: 是, shows: 0.60}", "{click: 是, click: 否}", 8, "twice"),
        ("{click: 是, shows: 0.60}", "{click: 是, role: lever}", 8, "no role"),
        ("{click: 是, shows: 0.60}", "{click: '{pressure}'}", 8, "cannot stand"),
        ("{click: 是, shows: 0.60}", "{click: 是, shows: '{other}'}", 8, "known are pressure"),
        ("{click: 是, shows: 0.60}", "{click: 是, shows: '{pressure before}'}", 8, "undo"),
        ("{click: 是, shows: 0.60}", "&a {click: 是}", 8, "anchors"),
        ("{click: 是, shows: 0.60}", "!!python/name:os.system {click: 是}", 8, "tags"),
        ("{click: 是, shows: 0.60}", "{set: 上限, value: 1, harmless: true}", 8, "harmless"),
        ("{click: 是, shows: 0.60}", "{click: 是, harmless: true}", 8, "harmless"),
        ("{click: 是, shows: 0.60}", "{click: 是, seconds: 1e9}", 8, "600"),
        ("unit: MPa, undo", "unit: kPa, undo", 7, "unit"),
        ("from: 0.3, to", "from: 0.9, to", 0, "more than"),
        ("from: 0.3, to: 0.8", "from: nan, to: 0.8", 4, "finite"),
        ("from: 0.3, to: 0.8", "unit2: x", 4, "not known"),
        ('value: "{pressure}"', "value: 1", 0, "no step uses"),
        ("screen: boiler", "screen: [boiler", 2, "quotes"),
        ("steps:\n", "steps: []\nmore:\n", 5, "steps"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, line: int, why: str) -> None:
    """Nothing is guessed and nothing left out."""
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        read_procedure(written(tmp_path, GOOD.replace(old, new, 1)), LIMITS)
    assert why in str(caught.value)
    assert not line or f"limit.yaml:{line}" in str(caught.value) or why == "quotes", str(caught.value)


def test_a_file_that_is_too_large_or_too_long_is_refused(tmp_path: Path) -> None:
    """A person has to be able to review it."""
    with pytest.raises(InputError, match="max_file_bytes"):
        read_procedure(written(tmp_path, GOOD + "#" * LIMITS.max_file_bytes), LIMITS)
    with pytest.raises(InputError, match="review"):
        read_procedure(written(tmp_path, GOOD + "  - {click: 是, shows: 0.60}\n" * 60), LIMITS)
    with pytest.raises(InputError, match="name the file"):
        read_procedure(written(tmp_path, GOOD, "a b.yaml"), LIMITS)
    with pytest.raises(InputError, match="nested"):
        read_procedure(written(tmp_path, "name: " + "[" * 5_000 + "]" * 5_000), LIMITS)


@given(st.text(max_size=200))
@settings(max_examples=60)
def test_whatever_a_step_is_written_as_it_is_one_or_refused(text: str) -> None:
    """No other error leaves the reader."""
    with suppress(InputError):
        assert read_step(text).arguments["verb"]


PRESSURE = Parameter("pressure", {"zh": "压力", "en": "pressure"}, (), "MPa", 0.3, 0.8, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.9", "range"), ("0.29", "range"), ("0.555", "decimals"), ("600 kPa", "convert"), ("-0.5", "range"),
        ("", "number"), ("0.5.5", "convert"), ("1e-1", "convert"), ("五", "number"), ("0.5 or 0.8", "convert"),
    ],
)  # fmt: skip
def test_a_value_out_of_its_range_or_unit_is_refused(text: str, why: str) -> None:
    """It is never rounded, converted or guessed."""
    with pytest.raises(InputError, match=why):
        checked_value(PRESSURE, text)


def test_only_what_a_person_approved_counts(env: Env, tmp_path: Path) -> None:
    """A changed file, a changed list and another person's name approve nothing."""
    shelf, source = Shelf(env), written(tmp_path, GOOD)
    found = read_procedure(source, LIMITS)
    with pytest.raises(InputError, match="reviewed"):
        shelf.approve(source, digest="0" * 64, person="Li")
    shelf.approve(source, digest=found.digest, person="Li")
    kept = shelf.folder / "limit.yaml"
    assert (shelf.names(), shelf.approved_by(shelf.read("limit"))) == (["limit"], "Li")
    assert kept.stat().st_mode & 0o077 == 0
    approvals = shelf.folder / "approved.json"
    sound = approvals.read_text(encoding="utf-8")
    approvals.write_text(sound.replace("Li", "Wu"), encoding="utf-8")
    assert not shelf.approved_by(shelf.read("limit"))
    approvals.write_text(sound, encoding="utf-8")
    kept.write_text(GOOD.replace("0.8", "8.0"), encoding="utf-8")
    assert not shelf.approved_by(shelf.read("limit"))
    with pytest.raises(InputError, match="no such procedure"):
        shelf.read("../limit")
