"""The water treatment plant as a web page: its server on loopback, and the program that shows it."""

from __future__ import annotations

import json
import queue
import shlex
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.screen_programs.opened import Event, Opened, Program, events_of, wait_until
from tests.servers.chromium import FLAGS, find_programs
from tests.servers.fonts import font_config

__all__ = ["WINDOWS", "opened_web"]

WATER = Path(__file__).parent / "water"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
WINDOWS: Mapping[float, tuple[int, int]] = {1.0: (1280, 800), 1.25: (1024, 640), 1.5: (1066, 666)}
"""Scaling → width and height of the window in pixels of the page."""


class WebScreen:
    """Gives the page, takes its record, and hands it what it is told."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.events: list[Event] = []
        self.commands: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"screen": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.commands.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def tell(self, command: Mapping[str, Any]) -> None:
        """Have the page do something, and wait until it shows."""

        def told() -> int:
            return sum(event.event == "twisted" for event in self.events)

        before = told()
        self.commands.put(command)
        wait_until(lambda: told() > before, f"the page did not {command['do']}")


class _Handler(BaseHTTPRequestHandler):
    screen: WebScreen

    def do_GET(self) -> None:
        name = self.path.lstrip("/") or "index.html"
        if name == "commands":
            self._stream()
        elif name == "start.json":
            self._send(json.dumps(self.screen.program.to_json()).encode(), ".json")
        elif name in {path.name for path in WATER.iterdir()}:
            self._send((WATER / name).read_bytes(), Path(name).suffix)
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.screen.events += events_of([body])
        self._send(b"{}", ".json")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its parent has it
        """Nothing is written: the record is the log."""

    def _send(self, body: bytes, suffix: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{TYPES.get(suffix, 'text/plain')}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """What the page is told, for as long as it listens."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with suppress(OSError):
            self.wfile.flush()
            while (command := self.screen.commands.get()) is not None:
                self.wfile.write(f"data: {json.dumps(command)}\n\n".encode())
                self.wfile.flush()


@contextmanager
def opened_web(program: Program) -> Iterator[Opened]:
    """The page, ready to be shown; whoever reaches it starts its own browser.

    :raises ServerMissing: there is no Chromium.
    """
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-water-"))
    screen = WebScreen(program)
    try:
        width, height = WINDOWS[program.scale]
        settings = {
            "kind": "browser",
            "address": screen.address,
            "program": str(browser_program(folder)),
            "size_px": (width, height),
            "scale": program.scale,
        }
        screen.start()
        try:
            yield Opened(settings, lambda: list(screen.events), screen.tell)
        finally:
            screen.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def browser_program(folder: Path) -> Path:
    """A script that starts Chromium with the libraries and fonts that it needs here."""
    programs = find_programs()
    environ = {**programs.environ, "FONTCONFIG_FILE": str(font_config(folder)), "HOME": str(folder)}
    said = " ".join(f"{name}={shlex.quote(value)}" for name, value in environ.items())
    script = folder / "chromium"
    command = shlex.join([str(programs.folder / "chromium"), *FLAGS])
    script.write_text(f'#!/bin/sh\n{said} exec {command} "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    return script
