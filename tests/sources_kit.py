"""A hub with moods on loopback, a stick, and one entry to fetch from them."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from agent.settings import WeightsSettings
from agent.weights.catalogue import Catalogue, Entry, HubPlace, WeightFile
from agent.weights.folders import Folders
from agent.weights.hub import Hub
from agent.weights.partial import Partial
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from agent.weights.registry import Registry
from agent.weights.store import WeightStore

DATA = bytes(range(256)) * 1200
SHA = hashlib.sha256(DATA).hexdigest()
PLACE = HubPlace("Org/Repo", "main", "folder/model.bin")
FILE = WeightFile("model", "model.bin", bytes=len(DATA), sha256=SHA, hf=PLACE, modelscope=PLACE)


@dataclass
class Served:
    """What the server does, and what it was asked."""

    body: bytes = DATA
    ranges: bool = True
    drop_after: list[int] = field(default_factory=list)
    """Bytes after which each of the next connections ends."""
    statuses: list[int] = field(default_factory=list)
    """Answered first, one a request."""
    endless: bool = False
    told_length: int | None = None
    redirect: str = ""
    encoding: str = ""
    stall: threading.Event | None = None
    """Waited for after half of the body."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0


class Handler(BaseHTTPRequestHandler):
    """A hub with moods."""

    protocol_version = "HTTP/1.1"
    served: Served

    def do_GET(self) -> None:
        served = self.served
        served.asked.append((self.path, self.headers.get("Range")))
        if served.statuses:
            self._head(served.statuses.pop(0), 0)
        elif served.redirect and not self.path.startswith("/there"):
            self.send_response(302)
            self.send_header("Location", served.redirect)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
        else:
            self._serve(served)

    def _serve(self, served: Served) -> None:
        start, end = 0, len(served.body)
        wanted = self.headers.get("Range")
        if wanted and served.ranges:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), int(last) + 1 if last else end
            if start >= len(served.body):
                self._head(416, 0)
                return
        rest = served.body[start:end]
        told = len(rest) if served.told_length is None else served.told_length
        self._head(206 if wanted and served.ranges else 200, None if served.endless else told, start)
        try:
            self._send(served, rest)
        except OSError:
            return

    def _send(self, served: Served, rest: bytes) -> None:
        if served.drop_after:
            rest = rest[: served.drop_after.pop(0)]
        while True:
            for at in range(0, len(rest), 16_384):
                if served.stall is not None and at * 2 >= len(rest):
                    self.wfile.flush()
                    served.stall.wait(20)
                self.wfile.write(rest[at : at + 16_384])
                served.sent += len(rest[at : at + 16_384])
            if not served.endless:
                return

    def _head(self, status: int, length: int | None, start: int = 0) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        if status == 206:
            total = len(self.served.body)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if self.served.encoding:
            self.send_header("Content-Encoding", self.served.encoding)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """The address of a hub on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"served": served}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    if served.stall is not None:
        served.stall.set()
    server.shutdown()
    thread.join()
    server.server_close()


def settings_for(url: str, **more: object) -> WeightsSettings:
    values = {"sources": ("hf",), "hf_url": url, "modelscope_url": url, "backoff_seconds": 0, "spare_bytes": 0, **more}
    return WeightsSettings.model_validate({"checkpoint_bytes": 50_000, "retry_gain_bytes": 10_000, **values})


def one_entry(*files: WeightFile) -> Catalogue:
    return Catalogue((Entry("thing", "text", "A thing", "MIT", files or (FILE,)),))


def fetch(folder: Path, settings: WeightsSettings, *files: WeightFile) -> str:
    """Pull the entry; the source that gave its first file."""
    store = WeightStore(folder, settings, catalogue=one_entry(*files))
    source = pull(store, ["thing"], SilentReporter())[0].source
    assert store.verified("thing")
    return source


def take(source: Hub | Folders | Registry, folder: Path, settings: WeightsSettings, file: WeightFile = FILE) -> bytes:
    """What one source writes."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with Partial(folder / file.name, file, settings) as part:
            source.take(one_entry(file).entries[0], file, part, lambda done: None)
            part.finish()
    finally:
        source.close()
    return (folder / file.name).read_bytes()


def stick(tmp_path: Path, **files: bytes) -> tuple[Path, WeightsSettings]:
    usb = tmp_path / "usb"
    for name, data in files.items():
        path = usb / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return usb, settings_for("http://127.0.0.1:9", sources=("file",), usb_folders=(usb,))


def build_wheel(folder: Path, name: str, members: dict[str, bytes], version: str = "1.0") -> None:
    """A wheel of data, and a module that would be noticed if it ran."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    boom = f"open({str(folder / 'IMPORTED')!r}, 'w')"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in {**members, f"{name}/__init__.py": boom.encode()}.items():
            wheel.writestr(path, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
