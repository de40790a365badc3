"""The panel plugin: one look at a photo, kept by its pixels; numbers checked; tools and the command over it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import typer
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

import plugins.panel as panel
from agent.env import Env
from agent.errors import WeightsMissing
from agent.home import Home
from agent.panel_records import lamp_record, position_words, reading_record
from agent.perception import Box, Lamp, Perception, Reading, Text
from agent.photo import Photo, load_photo
from agent.settings import PanelSettings, PhotoSettings, Settings
from agent.tools import Tool, TurnView
from agent.weights.store import WeightStore
from plugins.panel.cache import PerceptionCache
from plugins.panel.reader import read_panel

PANELS = Path(__file__).parent / "data" / "panels"
SEEN = Perception(
    texts=(Text("供水温度 90.0 ℃", (700, 20, 900, 40), 0.97),),
    readings=(
        Reading("供水温度", "90.0", "℃", "printed", (800, 20, 840, 40), 0.97),
        Reading("回水温度", None, "℃", "printed", (40, 500, 80, 520), 0.9, ("no-value",)),
        Reading("供水温度", "65.1", "℃", "printed", (480, 290, 520, 310), 0.5, ("disagrees",)),
    ),
    lamps=(Lamp("循环变频故障", "magenta", "unsure", (700, 100, 900, 140)),),
    alarms=(),
    size=(960, 600),
    ms=12.5,
    photo="abc",
    notes=("blurred",),
)


class ScriptedReader:
    """An OCR engine that returns what the test says, and counts."""

    name = "scripted"

    def __init__(self, texts: Sequence[Text], again: Sequence[Sequence[str]] = ()) -> None:
        self.texts = tuple(texts)
        self.again = list(again)
        self.looks = 0

    def read(self, pixels: NDArray[np.uint8]) -> tuple[Text, ...]:
        self.looks += 1
        return self.texts

    def read_boxes(
        self, pixels: NDArray[np.uint8], boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        if not boxes:
            return ()
        words = self.again.pop(0) if self.again else [t.text for b in boxes for t in self.texts if t.box == b]
        return tuple(Text(word, box, 0.99) for word, box in zip(words, boxes, strict=True))

    def close(self) -> None:
        """Nothing to free."""


class NoWeights(WeightStore):
    """A box on which nothing was pulled."""

    def verified(self, name: str) -> dict[str, Path]:
        raise WeightsMissing(f"{name} is not on this box")


@pytest.fixture
def bare_env(tmp_path: Path) -> Iterator[Env]:
    """An environment without weights."""
    settings = Settings()
    home = Home(tmp_path / "home").make()
    env = Env(settings, home, NoWeights(home.weights, settings.weights))
    yield env
    panel.shutdown(env)


def photo(color: str = "black") -> Photo:
    buffer = BytesIO()
    Image.new("RGB", (320, 200), color).save(buffer, "PNG")
    return load_photo(buffer.getvalue(), PhotoSettings())


def view(perception: Perception | None) -> TurnView:
    return TurnView("?", "zh", datetime(2024, 12, 15, 20, 50), perception)


def tool_named(env: Env, name: str) -> Tool:
    return next(tool for tool in panel.register_tools(env) if tool.name == name)


def test_a_number_that_two_looks_disagree_on_is_flagged() -> None:
    """A lost decimal point is caught although the first look was certain of it."""
    texts = [Text("Flow", (50, 50, 90, 66), 1.0), Text("436", (100, 50, 130, 66), 0.999)]
    engine = ScriptedReader(texts, again=[["4.36"], ["4.36"]])
    (reading,) = read_panel(photo(), engine, PanelSettings(), ()).readings
    assert (reading.value, reading.flags) == ("4.36", ("disagrees",))
    assert reading.score <= 0.5


def test_a_number_that_no_two_looks_agree_on_keeps_the_first_and_the_flag() -> None:
    """Without a majority the value is shown as first read, and marked."""
    texts = [Text("Temp -124 °C", (50, 50, 150, 66), 1.0)]
    engine = ScriptedReader(texts, again=[["Temp 124 °C"], ["Temp -12.4 °C"]])
    (reading,) = read_panel(photo(), engine, PanelSettings(), ()).readings
    assert (reading.value, reading.flags) == ("-124", ("disagrees",))


def test_a_number_read_twice_alike_is_trusted() -> None:
    """Agreement leaves no flag, and words around the number may differ."""
    engine = ScriptedReader([Text("Level: 45 %", (50, 50, 150, 66), 0.98)], again=[["Leve1 45 %".replace("1", "l")]])
    (reading,) = read_panel(photo(), engine, PanelSettings(), ()).readings
    assert (reading.label, reading.value, reading.unit, reading.flags) == ("Level", "45", "%", ())


def test_without_weights_a_photo_still_gives_a_perception(bare_env: Env) -> None:
    """No OCR weights: nothing is read, the perception says why, and nothing is kept that would hide later weights."""
    seen = panel.perceive(photo(), bare_env)
    assert not seen.texts and "weights pull ocr-small" in seen.unread and seen.notes
    assert not (bare_env.home.cache / "panel.db").exists()
    (finding,) = panel.check_health(bare_env)
    assert not finding.ok and "ocr-small" in finding.text


def test_a_perception_survives_the_cache(tmp_path: Path) -> None:
    """What comes out is what went in, to the last flag."""
    cache = PerceptionCache(tmp_path / "panel.db", 10)
    assert cache.get("k") is None
    cache.put("k", SEEN)
    assert cache.get("k") == SEEN


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    """The entries used longest ago go first."""
    cache = PerceptionCache(tmp_path / "panel.db", 2)
    for key in "ab":
        cache.put(key, SEEN)
    cache.get("a")
    cache.put("c", SEEN)
    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]


def test_a_damaged_cache_is_rebuilt(tmp_path: Path) -> None:
    """A file that is no database, and an entry that is no perception, cost one look and nothing more."""
    path = tmp_path / "panel.db"
    path.write_bytes(b"not a database at all" * 100)
    cache = PerceptionCache(path, 10)
    assert cache.get("k") is None
    cache.put("k", SEEN)
    assert cache.get("k") == SEEN
    with cache._open() as db:
        db.execute("UPDATE perceptions SET body = ?", ('{"texts": [1]}',))
    db.close()
    assert cache.get("k") is None
    cache.put("k", SEEN)
    assert cache.get("k") == SEEN


def test_records_carry_ids_and_both_languages() -> None:
    """R1 is the first reading; a label that occurs twice is told apart by its place."""
    first, second, third = (reading_record(SEEN, n) for n in range(3))
    assert (first.id, first.line["zh"]) == ("R1", "供水温度 90.0 ℃ (右上)")
    assert first.line["en"] == "供水温度 90.0 ℃ (upper right)"
    assert "无数值" in second.line["zh"] and "no value" in second.line["en"]
    assert "核对" in third.line["zh"] and "disagree" in third.line["en"]
    assert first.fields["value"] == "90.0" and second.fields["value"] is None
    with pytest.raises(IndexError):
        reading_record(SEEN, 3)


def test_a_lamp_that_cannot_be_told_is_said_so() -> None:
    """The line is honest about what a photo shows."""
    record = lamp_record(SEEN, 0)
    assert record.id == "L1"
    assert "照片无法判断是否点亮" in record.line["zh"] and "cannot show whether it is lit" in record.line["en"]


@pytest.mark.parametrize(
    ("box", "zh", "en"),
    [
        ((0, 0, 10, 10), "左上", "upper left"),
        ((45, 0, 55, 10), "上方", "top"),
        ((95, 45, 99, 55), "右侧", "right"),
        ((45, 45, 55, 55), "中部", "centre"),
        ((0, 95, 5, 99), "左下", "lower left"),
        ((45, 95, 55, 99), "下方", "bottom"),
    ],
)
def test_places_in_words(box: Box, zh: str, en: str) -> None:
    """Thirds of the photo have names in both languages."""
    assert position_words(box, (100, 100)) == {"zh": zh, "en": en}


def test_the_lamps_tool(bare_env: Env) -> None:
    """Lamps by id, and a note where there are none."""
    tool = tool_named(bare_env, "panel_lamps")
    assert [r.id for r in tool.run({}, view(SEEN)).records] == ["L1"]
    assert tool.run({}, view(replace(SEEN, lamps=()))).notes


def run_command(env: Env, *arguments: str) -> tuple[int, str, str]:
    cli = typer.Typer()

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env

    panel.register_commands(cli)
    result = CliRunner().invoke(cli, ["panel", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_one_bad_photo_does_not_stop_the_others(bare_env: Env, tmp_path: Path) -> None:
    """Every image gets its line, the bad one a reason, and the exit code is 2."""
    (tmp_path / "bad.png").write_bytes(b"no image")
    good = str(PANELS / "dualzone__HMI.png")
    code, out, err = run_command(bare_env, "--json", str(tmp_path / "bad.png"), good, "https://example.org/a.png")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 2
    assert ["error" in line for line in lines] == [True, False, True]
    assert {"texts", "readings", "lamps", "alarms", "size", "ms"} <= set(lines[1])
    assert "not a JPEG, PNG or WebP" in err and "URL" in err


def test_the_table_for_people(bare_env: Env) -> None:
    """Without --json the command prints text, whatever stands on the photo."""
    code, out, _ = run_command(bare_env, str(PANELS / "dualzone__HMI.png"))
    assert code == 0 and "712×326" in out and "note:" in out
    assert "Example: watchkeeper panel" in run_command(bare_env, "--help")[1]


def seen_on(env: Env, name: str) -> Perception:
    return panel.perceive(load_photo(PANELS / name, env.settings.photo), env)


@pytest.mark.weights
def test_a_heat_station_is_read(weights_env: Env) -> None:
    """On a real Chinese mimic screen readings keep label, value and unit, and dim fields are not guessed."""
    seen = seen_on(weights_env, "fuxa__fuxa-thinglinks_f23.png")
    found = {(r.label, r.value, r.unit) for r in seen.readings}
    expected = {
        ("供水压力", "62.2", "Mpa"), ("供水温度", "90.0", "℃"), ("NO.1循环泵频率", "32.7", "Hz"),
        ("NO.2循环泵频率", "39.4", "Hz"), ("水箱液位", "80", "%"), ("集水坑池液位", "66.0", "%"),
    }  # fmt: skip
    assert expected <= found
    assert not any(r.value in ("20", "49", "48", "2024") for r in seen.readings)
    assert {(x.label, x.color, x.state) for x in seen.lamps} == {
        ("循环变频故障", "magenta", "unsure"),
        ("补水变频故障", "magenta", "unsure"),
        ("notification badge 2", "red", "lit"),
    }


@pytest.mark.weights
def test_a_second_look_comes_from_the_cache(weights_env: Env) -> None:
    """The same photo is not read twice, not even by another process."""
    first = seen_on(weights_env, "dualzone__HMI.png")
    panel.shutdown(weights_env)
    assert (weights_env.home.cache / "panel.db").exists()
    second = seen_on(weights_env, "dualzone__HMI.png")
    assert [r.value for r in second.readings] == [r.value for r in first.readings]
    assert abs(second.ms - first.ms) < 0.1


@pytest.mark.weights
def test_a_table_of_present_values_and_events(weights_env: Env) -> None:
    """Only the present column is read from a table with history, and its event list gives rows."""
    seen = seen_on(weights_env, "scada-v6__scada_web_table_en.png")
    values = {r.label: r.value for r in seen.readings}
    assert values["Light"] == "Off" and values["Aeration"] == "On"
    assert [r.value for r in seen.readings if "Middle" in r.label] == ["25.9"]
    assert len(seen.readings) <= 9
    assert [row.cells["Number"] for row in seen.alarms] == ["241", "242", "243"]
