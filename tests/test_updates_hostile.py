"""Whatever stands in descriptions, in answers of servers and in addresses: one line, and nothing else happens."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent.errors import UpdateError
from agent.settings import UpdateSettings
from agent.updates.items import Malformed, read_items
from agent.updates.place import PlaceFailed, WebPlace, open_place
from tests.updates_kit import SETTINGS, Box, Modules

_TEXTS = st.sampled_from(["weights", "module", "modules", "vibration", "..", "a/b", "1", "", "\x00", "名"]) | st.text(
    max_size=8
)
_VALUES = st.none() | st.booleans() | st.integers() | _TEXTS | st.lists(_TEXTS, max_size=2)
_TARGETS = st.tuples(
    st.lists(_TEXTS, max_size=4).map("/".join) | _TEXTS,
    st.integers(-1, 10),
    st.dictionaries(st.sampled_from(["sha256", "md5"]), st.sampled_from(["0" * 64, "0", "X" * 64]), max_size=2),
    st.dictionaries(st.sampled_from(["kind", "name", "version", "more"]), _VALUES, max_size=4),
)


@given(targets=st.lists(_TARGETS, max_size=4))
def test_a_description_is_read_or_refused(targets: list[tuple[str, int, dict[str, str], dict[str, object]]]) -> None:
    """What is read names plain files below its own folder, and each name once."""
    try:
        items = read_items(targets)
    except Malformed:
        return
    assert len({(item.kind, item.name) for item in items}) == len(items)
    for item in items:
        for text in (item.name, item.version, *(target.name for target in item.targets)):
            assert "/" not in text
            assert text not in ("", ".", "..")
        assert all(target.bytes > 0 and len(target.sha256) == 64 for target in item.targets)


@contextmanager
def says(answer: bytes) -> Iterator[str]:
    """A server that says this to everybody and hangs up: gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(2)
                        connection.recv(65_536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


_HEADS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-1/9\r\n",
        b"HTTP/9.9 -1\r\n",
        b"HTTP/1.1 304\r\n",
        b"",
    ]
)
_LINES = st.sampled_from(
    [
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"X" * 200_000,
        b"\xff: \xff\r\n",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(head=_HEADS, lines=st.lists(_LINES, max_size=3), body=st.binary(max_size=40), at=st.sampled_from([0, 3]))
@example(head=b"HTTP/1.1 200 OK\r\n", lines=[b"Transfer-Encoding: chunked\r\n"], body=b"fffffffffffffffff\r\nx", at=0)
def test_an_answer_gives_bytes_or_a_reason(head: bytes, lines: list[bytes], body: bytes, at: int) -> None:
    """No server makes anything but bytes or one line of reason."""
    limits = UpdateSettings.model_validate({**SETTINGS, "read_seconds": 1.0})
    with says(head + b"".join(lines) + b"\r\n" + body) as url:
        place = WebPlace(url, limits)
        try:
            with place.open("metadata/timestamp.json", at) as (start, pieces):
                assert start in (0, at)
                b"".join(pieces)
        except PlaceFailed as failed:
            assert "\n" not in str(failed)
        finally:
            place.close()


@pytest.mark.parametrize(
    "where",
    ["http://127.0.0.1:99999", "http://a b", "http://", "http://\x00", "http://[::1", "HTTP://x:y", "file:///x",
     "~nobody-here/x", "a\x00b", "\udcff", "x" * 5_000, "http://127.0.0.1:9/" + "x" * 5_000, "http://" + "a." * 200],
)  # fmt: skip
def test_an_address_is_used_or_refused(tmp_path: Path, where: str) -> None:
    """Nothing that a person can type is more than one line."""
    with pytest.raises(UpdateError) as told:
        box = Box(tmp_path, None, Modules())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("agent.updates.refresh.read_root", lambda folder: b"")
            box.check(where)
    assert "\n" not in str(told.value)


def test_a_folder_gives_plain_files_only(tmp_path: Path) -> None:
    """A pipe would hang, a device would never end, a link may lead out: each is refused at once."""
    metadata = tmp_path / "metadata"
    metadata.mkdir()
    (metadata / "folder.json").mkdir()
    (metadata / "link.json").symlink_to("/etc/hostname")
    (metadata / "device.json").symlink_to("/dev/zero")
    pipe = metadata / "pipe.json"
    os.mkfifo(pipe)
    place = open_place(str(tmp_path), UpdateSettings())
    for name in ("folder", "link", "device", "pipe", "missing", "x" * 300, "a\x00b"):
        with pytest.raises(PlaceFailed), place.open(f"metadata/{name}.json") as (_, pieces):
            next(pieces)
