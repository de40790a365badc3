"""Ways into a screen: what comes from the other side is bounded, and whatever is wrong with it is one clear line."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.api import InputError, ToolFailed
from agent.settings import ScreenSettings
from plugins.screen.links import make_link
from plugins.screen.links.accessibility import boxes_of, controls_of
from plugins.screen.links.browser import open_link as open_browser
from plugins.screen.links.vnc import open_link as open_vnc

FORMAT = struct.pack("!BB??HHHBBBxxx", 32, 24, False, True, 255, 255, 255, 0, 8, 16)


def hello(width: int, height: int) -> bytes:
    """Security none, and a screen of this size."""
    return struct.pack("!HH16sI", width, height, FORMAT, 4) + b"test"


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[ScreenSettings]:
    """A server on loopback that handles one connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    address = f"vnc://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield ScreenSettings(kind="vnc", address=address, connect_seconds=0.6, look_seconds=0.6)
    finally:
        listener.close()
        thread.join(5)


def shaken(connection: socket.socket, width: int = 4, height: int = 3) -> None:
    """The beginning that every client and server have."""
    connection.sendall(b"RFB 003.008\n")
    connection.recv(12)
    connection.sendall(b"\x01\x01")
    connection.recv(1)
    connection.sendall(struct.pack("!I", 0))
    connection.recv(1)
    connection.sendall(hello(width, height))


def painted(connection: socket.socket, width: int, height: int, level: int) -> None:
    """The whole screen in one grey."""
    head = struct.pack("!BxHHHHHi", 0, 1, 0, 0, width, height, 0)
    connection.sendall(head + bytes([level]) * (width * height * 4))


def test_a_picture_comes_and_a_click_goes() -> None:
    """Pixels as the server paints them; a click is a move, a press and a release at that very place."""
    got = bytearray()

    def answer(connection: socket.socket) -> None:
        shaken(connection)
        painted(connection, 4, 3, 200)
        with suppress(OSError):
            while data := connection.recv(4096):
                got.extend(data)

    with serving(answer) as settings_:
        link = open_vnc("panel", settings_)
        photo = link.look()
        assert photo.size == (4, 3)
        assert set(photo.pixels.ravel().tolist()) == {200}
        assert link.named() == ()
        link.click(2, 1)
        for place in ((4, 1), (-1, 0), (0, 3)):
            with pytest.raises(ToolFailed, match="outside"):
                link.click(*place)
        link.close()
        with pytest.raises(ToolFailed, match="look first"):
            link.click(2, 1)
    pointer = [struct.pack("!BBHH", 5, mask, 2, 1) for mask in (0, 1, 0)]
    assert b"".join(pointer) in bytes(got)


def test_a_server_that_is_silent_is_given_up_in_time() -> None:
    """No call waits without end."""
    with serving(lambda connection: time.sleep(1.5)) as settings_:
        began = time.monotonic()
        with pytest.raises(ToolFailed, match="see that its VNC server runs"):
            open_vnc("panel", settings_).look()
        assert time.monotonic() - began < 1.4


@pytest.mark.parametrize("size", [(60_000, 60_000), (0, 0), (5, 0)])
def test_a_screen_beyond_the_limits_is_refused(size: tuple[int, int]) -> None:
    """Before any of its pixels is waited for."""
    with serving(lambda connection: shaken(connection, *size)) as settings_, pytest.raises(ToolFailed, match="pixels"):
        open_vnc("panel", settings_).look()


def test_a_server_that_draws_beyond_its_screen_is_refused() -> None:
    """A picture that grows by itself has no places."""

    def answer(connection: socket.socket) -> None:
        shaken(connection)
        painted(connection, 40, 30, 9)
        time.sleep(0.2)

    with serving(answer) as settings_, pytest.raises(ToolFailed, match="outside its screen"):
        open_vnc("panel", settings_).look()


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=15, deadline=None)
def test_whatever_a_server_sends_is_one_clear_line(data: bytes, shakes: bool) -> None:
    """A picture, or `ToolFailed`; never another error, never for ever."""

    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            if shakes:
                shaken(connection)
            connection.sendall(data)

    with serving(answer) as settings_:
        link = open_vnc("panel", settings_)
        try:
            link.look()
        except ToolFailed as error:
            assert "panel" in str(error)
        finally:
            link.close()


@pytest.mark.parametrize("address", ["", "http://x/", "host:99999", "a b", "host:0", "[::1"])
def test_a_wrong_vnc_address_is_said(address: str) -> None:
    """Before anything is connected."""
    with pytest.raises(InputError, match="write host:5900"):
        open_vnc("panel", ScreenSettings(kind="vnc", address=address))


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A file for one reader."""
    path = tmp_path / "password"
    path.write_text("secret\n", encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        open_vnc("panel", ScreenSettings(kind="vnc", address="host", password_file=path))


@pytest.mark.parametrize("address", ["", "file:///etc/passwd", "javascript:alert(1)", "host"])
def test_a_browser_opens_pages_of_a_host_only(address: str) -> None:
    """No file, no script."""
    with pytest.raises(InputError, match="is no page"):
        open_browser("web", ScreenSettings(kind="browser", address=address))


def test_ways_in_are_found_by_their_kind() -> None:
    """Those that are installed; any other is named."""
    assert make_link("x", ScreenSettings(kind="vnc", address="host")).name == "x"
    with pytest.raises(InputError, match="'serial'"):
        make_link("x", ScreenSettings(kind="serial", address="host"))


def _node(role: str, name: str, node: int, **more: Any) -> dict[str, Any]:
    return {"role": {"value": role}, "name": {"value": name}, "backendDOMNodeId": node, **more}


def test_what_a_page_says_becomes_controls_in_pixels_of_the_picture() -> None:
    """Scaled, scrolled, within frames; what has no box, lies outside or is ignored is left out."""
    snapshot = {
        "documents": [
            {
                "scrollOffsetY": 10.0,
                "nodes": {"backendNodeId": [1, 2, 3], "contentDocumentIndex": {"index": [2], "value": [1]}},
                "layout": {"nodeIndex": [0, 1, 2], "bounds": [[5, 20, 30, 10], [500, 20, 30, 10], [40, 30, 50, 50]]},
            },
            {"nodes": {"backendNodeId": [7]}, "layout": {"nodeIndex": [0], "bounds": [[1, 2, 10, 10]]}},
        ]
    }
    boxes = boxes_of(snapshot, 2.0)
    assert boxes[1] == (10, 20, 70, 40)
    assert boxes[7] == (82, 44, 102, 64)
    off = {"properties": [{"name": "disabled", "value": {"value": True}}]}
    ticked = {"properties": [{"name": "checked", "value": {"value": "true"}}]}
    nodes = [
        _node("button", "保存", 1, **off),
        _node("checkbox", "夜间", 7, **ticked),
        _node("button", "far", 2),
        _node("button", "hidden", 1, ignored=True),
        _node("button", "no box", 99),
        _node("generic", "text", 1),
    ]
    found = controls_of(nodes, boxes, (200, 200), 10)
    assert [(c.name, c.role, c.enabled, c.value, c.source) for c in found] == [
        ("保存", "button", False, None, "said"),
        ("夜间", "checkbox", True, "on", "said"),
    ]


KEYS = ("documents", "nodes", "layout", "bounds", "nodeIndex", "backendNodeId", "role", "name", "value")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.lists(JSON, max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_a_page_says_of_itself_is_no_error(snapshot: Any, nodes: list[Any]) -> None:
    """What does not fit is left out."""
    told = snapshot if isinstance(snapshot, dict) else {"documents": [snapshot]}
    boxes = boxes_of(told, 1.0)
    controls_of([node for node in nodes if isinstance(node, dict)], boxes, (100, 100), 10)
