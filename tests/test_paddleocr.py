"""The `paddleocr` package as the second reader: its adapter, how its bundle is built, and the real thing where it was.

`make test-paddleocr` builds the bundle, which takes a network and some minutes, and runs the tests that need it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agent.env import Env, load_env
from agent.errors import WatchkeeperError, WeightsError
from agent.modules.host import ModuleHost
from agent.photo import load_photo
from plugins.panel.texts.module_ocr import ModuleReader, open_module_reader
from plugins.panel.texts.ocr import open_engine
from plugins.panel.texts.ppocr import PpOcr
from tests.bench.panel_truth import key
from tests.conftest import weights_environ
from tests.modules_kit import installed, wheel

RECIPE = Path(__file__).parent.parent / "deploy" / "modules" / "paddleocr"
PANELS = Path(__file__).parent / "data" / "panels"
BUNDLE = os.environ.get("PADDLEOCR_BUNDLE", "")
"""The real bundle."""
real = pytest.mark.skipif(not BUNDLE, reason="the bundle of PaddleOCR was not built: make test-paddleocr")
PIXELS = np.full((40, 60, 3), 255, np.uint8)
MODELS = {"PP-OCRv6_small_det/inference.yml": b"x"}

PADDLEOCR = """
class PaddleOCR:
    def __init__(self, **options):
        assert options["engine"] == "onnxruntime" and options["text_det_limit_type"] == "max"
    def predict(self, image):
        texts = {texts}
        return [dict(rec_texts=texts, rec_scores=[0.9] * len(texts), rec_boxes=[[1, 2, 30, 40]] * len(texts))]
class TextRecognition:
    def __init__(self, **options): pass
"""
NUMPY = """
uint8 = "B"
class Image:
    def reshape(self, *shape): return self
    def __getitem__(self, at): return self
def frombuffer(buffer, kind): return Image()
def ascontiguousarray(image): return image
"""
PIL_IMAGE = """
class Picture:
    width, height = 60, 40
    def tobytes(self): return bytes(7200)
def open(path): return Picture()
"""


class FakeEngine:
    """Stands for PaddleOCR's classes."""

    def __init__(self, scores: Sequence[float] = (0.5,)) -> None:
        self.seen: list[Any] = []
        self._scores = scores

    def predict(self, input: Any, **options: Any) -> list[dict[str, Any]]:  # noqa: A002
        self.seen.append(input)
        if options:
            score = self._scores[(len(self.seen) - 1) % len(self._scores)]
            return [{"rec_text": f" {input.shape[1]}x{input.shape[0]}", "rec_score": score}]
        boxes = np.array([[-2.4, 1.6, 70.0, 20.0], [0, 0, 9, 9]], np.float32)
        scores = [np.float32(1.2), np.float32("nan")]
        return [{"rec_texts": ["PUMP 42 ", ""], "rec_scores": scores, "rec_boxes": boxes}]


def loaded(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seen_as(pixels: np.ndarray[Any, Any]) -> dict[str, Any]:
    height, width = pixels.shape[:2]
    return {"context": SimpleNamespace(buffers=(memoryview(pixels.tobytes()),)), "width": width, "height": height}


@pytest.fixture
def adapter() -> ModuleType:
    return loaded(RECIPE / "watchkeeper_paddleocr" / "__init__.py", "watchkeeper_paddleocr")


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setitem(sys.modules, "watchkeeper_build", ModuleType("watchkeeper_build"))
    return loaded(RECIPE / "build.py", "watchkeeper_build")


def wheels(folder: Path, *, texts: Sequence[str] = ("PUMP 42", "-12.5 bar")) -> list[Path]:
    """What it requires, as small as can be."""
    head = "opencv_contrib_python_headless-4.10.0.84"
    return [
        wheel(folder / "paddleocr-3.7.0-py3-none-any.whl", "paddleocr-3.7.0",
              {"paddleocr.py": PADDLEOCR.format(texts=list(texts))}),
        wheel(folder / "numpy-2.0-py3-none-any.whl", "numpy-2.0", {"numpy.py": NUMPY}),
        wheel(folder / "pillow-13.0-py3-none-any.whl", "pillow-13.0",
              {"PIL/__init__.py": "", "PIL/Image.py": PIL_IMAGE}),
        wheel(folder / f"{head}-py3-none-any.whl", head, {"cv2.py": "def setNumThreads(count): pass\n"}),
    ]  # fmt: skip


def test_the_adapter_keeps_the_protocol(adapter: ModuleType) -> None:
    """Colours as PaddleOCR wants them; boxes within the image, scores from 0 to 1; no text where nothing is read."""
    whole = FakeEngine()
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[..., 0] = 7
    found = adapter.Reader(whole, FakeEngine()).read(**seen_as(pixels))
    assert found == [{"text": "PUMP 42", "box": [0, 2, 60, 20], "score": 1.0}]
    assert whole.seen[0][0, 0].tolist() == [0, 0, 7]


def test_the_adapter_reads_places_again(adapter: ModuleType) -> None:
    """Crops grown by the margin, one after the other; a tall one also turned both ways; nothing for an empty one."""
    lines = FakeEngine()
    boxes = [[10, 10, 20, 20], [60, 40, 60, 40]]
    told = adapter.Reader(FakeEngine(), lines).read_boxes(**seen_as(PIXELS), boxes=boxes, margin=0.2, other=True)
    assert told == [{"text": "14x14", "box": boxes[0], "score": 0.5}, {"text": "", "box": boxes[1], "score": 0.0}]
    turned = FakeEngine(scores=(0.1, 0.9, 0.2))
    (one,) = adapter.Reader(FakeEngine(), turned).read_boxes(
        **seen_as(PIXELS), boxes=[[10, 5, 14, 35]], margin=0, other=False
    )
    assert one == {"text": "30x4", "box": [10, 5, 14, 35], "score": 0.9}


def test_the_bundle_is_built_and_answers(env: Env, tmp_path: Path, recipe: ModuleType) -> None:
    """Tried while it is built, installed in its own environment, and reading; the same twice is the same file."""
    needed = wheels(tmp_path / "w")
    made = recipe.build(MODELS, needed, tmp_path / "out", env=env)
    first = made.read_bytes()
    assert recipe.build(MODELS, needed, tmp_path / "out", env=env).read_bytes() == first
    host = installed(env, made)
    assert host.open("watchkeeper-paddleocr").report["reads"] == "PP-OCRv6_small_rec"
    host.close()
    engine, _ = open_engine(env)
    assert engine is not None and [text.text for text in engine.read(PIXELS)] == ["PUMP 42", "-12.5 bar"]
    engine.close()


def test_what_it_imports_is_compiled_and_the_headless_build_has_its_name(
    env: Env, tmp_path: Path, recipe: ModuleType
) -> None:
    """Nothing is compiled at each start; what PaddleX looks for by name stands beside the headless build."""
    given = wheels(tmp_path / "w")
    with zipfile.ZipFile(recipe.build(MODELS, given, tmp_path, env=env)) as bundle:
        names = bundle.namelist()
    cached = f"__pycache__/paddleocr.{sys.implementation.cache_tag}.pyc"
    assert cached in names and not any("probe" in name for name in names)
    assert "watchkeeper_wheels/opencv_contrib_python-4.10.0.84-py3-none-any.whl" in names


def test_a_bundle_that_reads_wrong_is_not_built(env: Env, tmp_path: Path, recipe: ModuleType) -> None:
    """A lost sign in the golden picture, or a package that does not start: one line, and no file."""
    with pytest.raises(WatchkeeperError, match=r"read \['PUMP 42', '12\.5 bar'\] instead of"):
        recipe.build(MODELS, wheels(tmp_path / "w", texts=("PUMP 42", "12.5 bar")), tmp_path / "out", env=env)
    with pytest.raises(WatchkeeperError, match="does not start on this machine: ModuleNotFoundError"):
        recipe.build(MODELS, wheels(tmp_path / "w")[1:], tmp_path / "out", env=env)
    assert list((tmp_path / "out").iterdir()) == []


def test_missing_weights_are_told(env: Env, recipe: ModuleType) -> None:
    """What to run is in the line."""
    with pytest.raises(WeightsError, match="watchkeeper weights pull ocr-small"):
        recipe.models_of(env)


@pytest.mark.weights
def test_the_boxs_own_weights_become_its_models(weights_env: Env, recipe: ModuleType) -> None:
    """The same files to the byte; of the configuration one number is another."""
    models = recipe.models_of(weights_env)
    files = weights_env.weights.verified("ocr-small")
    assert models["PP-OCRv6_small_rec/inference.onnx"] == files.held("rec").read_bytes()
    ours = models["PP-OCRv6_small_rec/inference.yml"].decode().splitlines()
    theirs = files.held("rec-config").read_text(encoding="utf-8").splitlines()
    assert [(a.strip(), b.strip()) for a, b in zip(ours, theirs, strict=True) if a != b] == [("- 64", "- 320")]


@pytest.fixture(scope="module")
def reader(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleReader]:
    """The real one, installed and tried."""
    env = load_env(weights_environ(tmp_path_factory.mktemp("paddleocr") / "home", real_weights))
    host = ModuleHost(env)
    host.install_bundle(Path(BUNDLE))
    host.close()
    engine = open_module_reader(env)
    assert engine is not None
    yield engine
    engine.close()


@real
@pytest.mark.weights
@pytest.mark.timeout(600)
def test_the_package_reads_as_our_reader_does(weights_env: Env, reader: ModuleReader) -> None:
    """The same weights in either engine find the same labelled texts and printed values, within one in a hundred."""
    ours = PpOcr("ocr-small", dict(weights_env.weights.verified("ocr-small")), weights_env.settings.panel)
    labels = json.loads((PANELS / "labels.json").read_text(encoding="utf-8"))
    found, all_of_them = [0, 0], 0
    for label in labels:
        pixels = load_photo(PANELS / label["file"], weights_env.settings.photo).pixels
        values = [value["value"] for value in label["readings"] if "tol" not in value]
        wanted = [key(text) for text in (*label["texts"], *values)]
        all_of_them += len(wanted)
        for which, engine in enumerate((ours, reader)):
            read = {key(text.text) for text in engine.read(pixels)}
            found[which] += sum(any(text in line for line in read) for text in wanted)
    ours.close()
    assert all_of_them > 200
    assert abs(found[0] - found[1]) <= 0.01 * all_of_them, f"ours {found[0]}, paddleocr {found[1]} of {all_of_them}"


@real
@pytest.mark.weights
@pytest.mark.timeout(600)
def test_the_package_stays_within_what_it_asked_for(reader: ModuleReader) -> None:
    """No network, no programs, its own memory; odd sizes and places that are none cost nothing but an answer."""
    enforced = reader._module.report["enforced"]
    assert isinstance(enforced, dict) and set(enforced) == {"memory", "files", "network", "programs"}
    assert not [told for told in enforced.values() if str(told).startswith("allowed")]
    for shape in ((1, 1), (3, 900), (900, 3), (3000, 4000)):
        assert reader.read(np.full((*shape, 3), 128, np.uint8)) == ()
    (nothing,) = reader.read_boxes(PIXELS, [(0, 0, 0, 0)], margin=0.2)
    assert nothing.text == ""
