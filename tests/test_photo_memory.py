"""A photo of 12 megapixels, in whatever file, is read within 600 MB: decoding, OCR and all."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from agent.env import Env

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of one process is told by Linux alone")

SIZE = (4000, 3000)
MAX_MB = 600
DECODE_MB = 320
CHILD = """
import sys
from pathlib import Path
from agent.env import load_env
from agent.photo import load_photo
env = load_env({"WATCHKEEPER_HOME": sys.argv[2], "WATCHKEEPER_WEIGHTS__FOLDER": sys.argv[3]})
photo = load_photo(Path(sys.argv[1]), env.settings.photo)
if sys.argv[4] == "read":
    from plugins.panel import perceive
    assert perceive(photo, env).texts
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024 // 1_000_000)
"""


def peak_mb(file: Path, env: Env, work: str) -> int:
    """Of a process of its own, since it was started; what its parent took does not count."""
    arguments = [str(file), str(env.home.folder), str(env.weights.folder), work]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@cache
def scene() -> Image.Image:
    """A dark, noisy photo of a panel at a slant, so that every step of the pipeline has work."""
    chance = np.random.default_rng(3)
    pixels = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    cv2.rectangle(pixels, (500, 400), (3500, 2600), (30, 32, 40), -1)
    for row in range(12):
        place = 700, 600 + 160 * row
        cv2.putText(
            pixels, f"PUMP {row}  FLOW {17 * row}.4 m3/h  RUNNING", place, 0, 2.6, (120, 120, 110), 6, cv2.LINE_AA
        )
    tilt = cv2.getRotationMatrix2D((2000, 1500), 6, 1.0)
    noise = chance.normal(0, 3, (SIZE[1] // 4, SIZE[0] // 4, 3)).repeat(4, 0).repeat(4, 1)
    return Image.fromarray(np.clip(cv2.warpAffine(pixels, tilt, SIZE) * 0.5 + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("plain.jpg", "RGB", {"quality": 90}),
        ("progressive.jpg", "CMYK", {"quality": 90, "progressive": True}),
        ("clear.png", "RGBA", {"compress_level": 1}),
        ("lossy.webp", "RGB", {"quality": 60, "method": 0}),
    ],
)
def test_decoding_stays_within_bounds(
    env: Env, tmp_path: Path, name: str, mode: str, options: dict[str, object]
) -> None:
    """No kind of file makes the decoder take more than a few times the photo's own size."""
    scene().convert(mode).save(tmp_path / name, **options)
    assert peak_mb(tmp_path / name, env, "decode") <= DECODE_MB


@pytest.mark.weights
def test_a_photo_of_12_megapixels_is_read_within_600_mb(weights_env: Env, tmp_path: Path) -> None:
    """The whole process, weights and decoder included, stays below what a small gateway can spare."""
    scene().save(tmp_path / "panel.jpg", quality=90)
    assert peak_mb(tmp_path / "panel.jpg", weights_env, "read") <= MAX_MB
