"""Builds the bundle of the PaddleOCR reader: `python build.py MODELS OUT`, on a machine with a network.

MODELS holds PaddleOCR's inference models, one folder each, named as in `watchkeeper_paddleocr/__init__.py`. The wheels
that it requires are downloaded for this Python and processor and put into the bundle; nothing is installed here.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
PACKAGE = "watchkeeper_paddleocr"
REQUIRES = ("paddleocr==3.7.*", "paddlepaddle==3.*")


def main() -> None:
    """Build and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--only-binary", ":all:", "--dest", scratch, *REQUIRES]
        subprocess.run(command, check=True)
        print(build(given.models, sorted(Path(scratch).glob("*.whl")), given.out))


def build(models: Path, wheels: list[Path], out: Path) -> Path:
    """Write the bundle.

    :param models: a folder with one folder for each model.
    :param wheels: what it requires.
    :returns: its path in `out`.
    """
    module = tomllib.loads((HERE / "watchkeeper_module.toml").read_text(encoding="utf-8"))["module"]
    dist = f"{module['name'].replace('-', '_')}-{module['version']}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    path = out / f"{dist}-{python}-{python}-{platform}.whl"
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in _files(models, wheels, dist):
            bundle.writestr(name, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
        name = f"{dist}.dist-info/RECORD"
        bundle.writestr(name, "".join([*record, f"{name},,\n"]))
    return path


def _files(models: Path, wheels: list[Path], dist: str) -> Iterator[tuple[str, bytes]]:
    for file in sorted((HERE / PACKAGE).rglob("*.py")):
        yield f"{PACKAGE}/{file.relative_to(HERE / PACKAGE).as_posix()}", file.read_bytes()
    for file in sorted(path for path in models.rglob("*") if path.is_file()):
        yield f"{PACKAGE}/models/{file.relative_to(models).as_posix()}", file.read_bytes()
    yield f"{PACKAGE}/golden.png", _golden()
    for wheel in wheels:
        yield f"watchkeeper_wheels/{wheel.name}", wheel.read_bytes()
    name, _, version = dist.rpartition("-")
    yield f"{dist}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    yield f"{dist}.dist-info/watchkeeper_module.toml", (HERE / "watchkeeper_module.toml").read_bytes()


def _golden() -> bytes:
    """A picture of a line that any reader reads."""
    image = Image.new("RGB", (320, 96), "white")
    ImageDraw.Draw(image).text((24, 28), "PUMP 42", "black", font=ImageFont.load_default(36))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


if __name__ == "__main__":
    main()
