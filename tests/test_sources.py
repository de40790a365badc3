"""Where weights come from: hubs over HTTP, on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from agent.errors import PullError
from agent.settings import WeightsSettings
from agent.weights.catalogue import WeightFile
from agent.weights.hub import Hub, _announced
from agent.weights.partial import Partial
from tests.sources_kit import DATA, FILE, PLACE, SHA, Served, fetch, serving, settings_for


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def url(served: Served) -> Iterator[str]:
    with serving(served) as address:
        yield address


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


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


def test_url_of_the_default_hubs_is_https() -> None:
    """Out of the box, only encrypted lines are used."""
    settings = WeightsSettings()
    assert {urlsplit(url).scheme for url in (settings.hf_url, settings.modelscope_url)} == {"https"}
