"""Builds the bundle of the PaddleOCR reader, on a machine with a network: `python build.py OUT [--install]`.

Order: weights of this box, each checked → model folders as the package wants them → wheels for this Python and
processor → a bundle → unpacked as a box does it, and its golden picture read in its own environment → the bundle again,
with everything that took compiled beforehand: a box keeps no compiled files of a module, and would compile 1500 sources
at every start. `--install` then installs it here and lets it answer if it proves itself.

Nothing is installed into the Python that builds.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import py_compile
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from importlib.util import cache_from_source
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from agent.env import Env, load_env
from agent.errors import WatchkeeperError, WeightsError
from agent.modules.bundle import WHEELS, open_bundle
from agent.modules.host import ModuleHost

HERE = Path(__file__).parent
PACKAGE = "watchkeeper_paddleocr"
WEIGHTS = "ocr-small"
MODELS = {"det": "PP-OCRv6_small_det", "rec": "PP-OCRv6_small_rec"}
"""Role of the weights → name that the package knows the model by."""
LINE_SHAPE = re.compile(r"(image_shape:\s*- 3\s*- 48\s*- )320\b")
LEAST_LINE_PX = 64
"""Short texts are padded to this width, as Watchkeeper's own reader does, not to the 320 of training: much faster."""
ASKED_FOR = "opencv_contrib_python"
"""PaddleX looks for this distribution by name; what is in the bundle is the same code without windows."""
GOLDEN = ("PUMP 42", "-12.5 bar")

Contents = Mapping[str, bytes | Path]
"""Path in a wheel → what it holds, or the file that does."""


def main() -> int:
    """Build, and say where it is and what comes next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder that the bundle is written to")
    parser.add_argument("--install", action="store_true", help="install it on this box and let it answer")
    given = parser.parse_args()
    env = load_env(os.environ)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            wheels = download(Path(scratch) / "wheels")
            bundle = build(models_of(env), wheels, given.out, env=env)
        print(f"{bundle}: {bundle.stat().st_size / 1e6:.0f} MB")
        if given.install:
            install(bundle, env)
        else:
            print(f"next: watchkeeper modules install {bundle} --swap")
    except (WatchkeeperError, subprocess.CalledProcessError, OSError) as error:
        print(f"the PaddleOCR reader was not built: {error}", file=sys.stderr)
        return 1
    return 0


def download(folder: Path) -> list[Path]:
    """Every wheel of requirements.txt for this Python and processor.

    :raises subprocess.CalledProcessError: pip says why; without a network, or where a wheel is missing.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), "--requirement", str(HERE / "requirements.txt")]
    subprocess.run(command, check=True)
    return sorted(folder.glob("*.whl"))


def models_of(env: Env) -> dict[str, bytes]:
    """The box's own weights as PaddleOCR's model folders: path below `models/` → contents.

    :raises WeightsError: they are not here, or bad.
    """
    try:
        files = env.weights.verified(WEIGHTS)
    except WeightsError as error:
        raise WeightsError(f"{error}; bring them: watchkeeper weights pull {WEIGHTS}") from None
    made: dict[str, bytes] = {}
    for role, name in MODELS.items():
        config = files.held(f"{role}-config").read_text(encoding="utf-8")
        if role == "rec":
            config, found = LINE_SHAPE.subn(rf"\g<1>{LEAST_LINE_PX}", config)
            if found != 1:
                raise WeightsError(f"{WEIGHTS}: its configuration names {found} widths of a line; pull it again")
        made[f"{name}/inference.yml"] = config.encode()
        made[f"{name}/inference.onnx"] = files.held(role).read_bytes()
    return made


def build(models: Mapping[str, bytes], wheels: list[Path], out: Path, *, env: Env) -> Path:
    """Write the bundle, tried and with its imports compiled.

    :param models: path below `models/` → contents.
    :param wheels: all that it requires.
    :returns: its path in `out`.
    :raises WatchkeeperError: it is no sound bundle, or does not read its golden picture.
    """
    dist, platform = _dist(), sysconfig.get_platform().replace("-", "_").replace(".", "_")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    contents = _contents(models, wheels)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        plain = _write_wheel(Path(scratch) / f"{dist}.whl", dist, contents)
        tried = Path(scratch) / "tried"
        with open_bundle(plain, env.settings.modules) as bundle:
            bundle.unpack(tried)
        plain.unlink()
        compiled = _compiled(tried / "site", _imported(tried / "site", Path(scratch)), Path(scratch))
        whole = _write_wheel(Path(scratch) / f"{dist}.whl", dist, {**contents, **compiled})
        return whole.replace(out / f"{dist}-{python}-{python}-{platform}.whl")


def install(bundle: Path, env: Env) -> None:
    """Put it beside what is here and let it answer; the same bundle a second time changes nothing.

    :raises WatchkeeperError: it did not prove itself; what answered before goes on.
    """
    host = ModuleHost(env)
    try:
        made = host.install_bundle(bundle)
        print(f"{made.name} {made.version} reads panels now; to take it back: watchkeeper modules remove {made.name}")
    finally:
        host.close()


def _contents(models: Mapping[str, bytes], wheels: list[Path]) -> dict[str, bytes | Path]:
    contents: dict[str, bytes | Path] = {
        f"{PACKAGE}/{file.relative_to(HERE / PACKAGE).as_posix()}": file
        for file in sorted((HERE / PACKAGE).rglob("*.py"))
    }
    contents |= {f"{PACKAGE}/models/{name}": data for name, data in models.items()}
    contents[f"{PACKAGE}/golden.png"] = _golden()
    contents |= {f"{WHEELS}{wheel.name}": wheel for wheel in wheels}
    contents[f"{_dist()}.dist-info/watchkeeper_module.toml"] = HERE / "watchkeeper_module.toml"
    headless = [wheel.name.split("-")[1] for wheel in wheels if wheel.name.startswith(f"{ASKED_FOR}_headless-")]
    for version in headless:
        name = f"{ASKED_FOR}-{version}"
        contents[f"{WHEELS}{name}-py3-none-any.whl"] = _wheel(name, {})
    return contents


def _imported(site: Path, scratch: Path) -> list[str]:
    """Read the golden picture as a box would; the sources that it took, relative to `site`."""
    out = scratch / "probe.json"
    (scratch / "state").mkdir()
    command = [sys.executable, "-I", "-S", str(HERE / "probe.py"), str(site), str(scratch / "state"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not out.exists():
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise WatchkeeperError(f"PaddleOCR does not start on this machine: {last:.300}")
    told = json.loads(out.read_text(encoding="utf-8"))
    if not all(any(text in line for line in told["texts"]) for text in GOLDEN):
        raise WatchkeeperError(f"PaddleOCR read {told['texts']} instead of {list(GOLDEN)}; its weights do not fit it")
    return [str(name) for name in told["sources"]]


def _compiled(site: Path, sources: list[str], scratch: Path) -> dict[str, bytes]:
    """Compiled so that Python takes them without looking at the source: RECORD holds both to their digests."""
    made: dict[str, bytes] = {}
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for name in sources:
        file = scratch / "one.pyc"
        py_compile.compile(str(site / name), str(file), dfile=name, doraise=True, invalidation_mode=unchecked)
        made[cache_from_source(name)] = file.read_bytes()
    return made


def _write_wheel(path: Path, dist: str, contents: Contents) -> Path:
    """A wheel with its RECORD, the same for the same contents; stored, as what is large in it is packed already."""
    name, _, version = dist.rpartition("-")
    told = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n".encode()
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as wheel:
        for place, held in {**contents, f"{dist}.dist-info/METADATA": told}.items():
            data = held.read_bytes() if isinstance(held, Path) else held
            wheel.writestr(zipfile.ZipInfo(place), data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{place},sha256={digest},{len(data)}\n")
        wheel.writestr(zipfile.ZipInfo(f"{dist}.dist-info/RECORD"), "".join([*record, f"{dist}.dist-info/RECORD,,\n"]))
    return path


def _wheel(dist: str, contents: Contents) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        return _write_wheel(Path(scratch) / "one.whl", dist, contents).read_bytes()


def _module() -> dict[str, str]:
    module: dict[str, str] = tomllib.loads((HERE / "watchkeeper_module.toml").read_text(encoding="utf-8"))["module"]
    return module


def _dist() -> str:
    return f"{_module()['name'].replace('-', '_')}-{_module()['version']}"


def _golden() -> bytes:
    """A picture of two lines that any reader reads, with what readers lose first: a sign and a point."""
    image = Image.new("RGB", (320, 160), "white")
    draw = ImageDraw.Draw(image)
    for line, text in enumerate(GOLDEN):
        draw.text((24, 24 + 64 * line), text, "black", font=ImageFont.load_default(36))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


if __name__ == "__main__":
    sys.exit(main())
