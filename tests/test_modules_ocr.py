"""A reader that comes as a module reads panels through the same protocol; what it gives back is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.env import Env
from agent.errors import PhotoError
from agent.modules.store import ModuleStore
from agent.photo import load_photo
from plugins.panel.service import PanelService
from plugins.panel.texts.module_ocr import ModuleReader, chosen_reader
from plugins.panel.texts.ocr import OcrEngine, open_engine
from tests.modules_kit import bundle, installed, manifest

PHOTO = Path(__file__).parent.parent / "deploy" / "example" / "panel.png"
READER = """
class Reader:
    methods = ("read", "read_boxes")
    def read(self, context, width, height):
        assert len(context.buffers[0]) == 3 * width * height
        text = "{text}"
        faint = {{"text": "faint", "box": [0, 0, 1, 1], "score": 0.1}}
        return [{{"text": text, "box": {box}, "score": {score}}}, faint]
    def read_boxes(self, context, width, height, boxes, margin, other):
        return [{{"text": "42", "box": box, "score": 0.9}} for box in boxes{less}]
def make(state):
    return Reader()
"""
GOLDEN = '[[golden]]\nmethod = "read_boxes"\narguments = {width = 2, height = 2, boxes = [], margin = 0, other = false}\nequals = []\n'  # noqa: E501
PIXELS = np.full((40, 60, 3), 255, np.uint8)


def reader(folder: Path, version: str = "1.0", *, text: str = "PUMP 42", box: str = "[1, 2, 30, 20]",
           score: str = "0.9", less: str = "") -> Path:  # fmt: skip
    code = READER.format(text=text, box=box, score=score, less=less)
    told = manifest(version=version, kind="ocr", more=GOLDEN)
    return bundle(folder, told, {"tally.py": code}, dist=f"tally-{version}")


@pytest.fixture
def opened(env: Env, tmp_path: Path) -> Iterator[ModuleReader]:
    """The engine that the panel plugin opens."""
    installed(env, reader(tmp_path), reader(tmp_path, "1.1", text="PUMP 43")).close()
    engine, notes = open_engine(env)
    assert isinstance(engine, ModuleReader) and notes == ()
    yield engine
    engine.close()


def test_a_module_reads(opened: OcrEngine) -> None:
    """Texts with their boxes; what it is not sure of is dropped; places are read again."""
    assert opened.name == "tally 1.0"
    (text,) = opened.read(PIXELS)
    assert (text.text, text.box, text.score) == ("PUMP 42", (1, 2, 30, 20), 0.9)
    again = opened.read_boxes(PIXELS, [(0, 0, 5, 5), (1, 1, 2, 2)], margin=0.2)
    assert [(one.text, one.box) for one in again] == [("42", (0, 0, 5, 5)), ("42", (1, 1, 2, 2))]
    assert opened.read_boxes(PIXELS, [], margin=0.2) == ()


@pytest.mark.parametrize(
    "wrong", [{"box": "[0, 0, 61, 5]"}, {"box": "[9, 0, 3, 5]"}, {"score": "1.5"}, {"score": "'x'"}, {"box": "[1, 2]"}]
)
def test_what_is_not_on_the_photo_is_refused(env: Env, tmp_path: Path, wrong: dict[str, str]) -> None:
    """A box outside, a score that is none: an error of this photo, in one line."""
    installed(env, reader(tmp_path, **wrong)).close()
    engine, _ = open_engine(env)
    assert engine is not None
    with pytest.raises(PhotoError, match=r"tally 1\.0: gave back .*modules rollback"):
        engine.read(PIXELS)
    engine.close()


def test_one_for_each_place(env: Env, tmp_path: Path) -> None:
    """Fewer texts than places cannot be told apart, so none is believed."""
    installed(env, reader(tmp_path, less="[1:]")).close()
    engine, _ = open_engine(env)
    assert engine is not None
    with pytest.raises(PhotoError, match="read 1 places instead of 2"):
        engine.read_boxes(PIXELS, [(0, 0, 5, 5), (1, 1, 2, 2)], margin=0)
    engine.close()


def test_one_that_does_not_start_leaves_the_built_in_one(env: Env, tmp_path: Path) -> None:
    """The photo is read by whoever can, and the notes say why."""
    installed(env, reader(tmp_path)).close()
    (env.home.modules / "tally" / "1.0" / "site" / "tally.py").write_text("rotten")
    engine, notes = open_engine(env)
    assert engine is None
    assert "the module that reads cannot be used: tally 1.0" in notes[0]


def test_the_panel_is_read_by_it(env: Env, tmp_path: Path) -> None:
    """From the photo to the reading; another reader does not find what this one has put into the cache."""
    photo = load_photo(PHOTO, env.settings.photo)
    installed(env, reader(tmp_path), reader(tmp_path, "1.1", text="PUMP 43")).close()
    service = PanelService()
    assert [text.text for text in service.perceive(photo, env).texts] == ["PUMP 42"]
    service.close()
    store = ModuleStore(env.home.modules, env.settings.modules)
    store.choose("tally", lambda choice: type(choice)(current="1.1"))
    assert chosen_reader(env) == "tally 1.1"
    later = PanelService()
    assert [text.text for text in later.perceive(photo, env).texts] == ["PUMP 43"]
    later.close()
