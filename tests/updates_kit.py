"""A signed repository, a server that can be hostile, and a box that takes updates: made anew for each test."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from securesystemslib.signer import CryptoSigner, Signer
from tuf.ngclient._internal import trusted_metadata_set

from agent.settings import Settings
from agent.updates import refresh
from agent.updates.items import Item, Kind
from agent.updates.receivers import NotHealthy, Receiver
from agent.updates.trust import pin_root
from agent.updates.update import Updates
from agent.weights.progress import SilentReporter
from deploy.release.repository import Expiry, NewTarget, Repository

ROLES = ("targets", "snapshot", "timestamp")
SETTINGS = {"spare_bytes": 0, "backoff_seconds": 0.01, "read_seconds": 2.0, "connect_seconds": 2.0, "retries": 2}
Answer = Callable[[BaseHTTPRequestHandler, bytes], bool]
"""Does what it likes with a request for some bytes; False lets the server answer it as it should."""


def make_signers() -> dict[str, CryptoSigner]:
    """One for each role but root."""
    return {role: CryptoSigner.generate_ed25519() for role in ROLES}


class Maker:
    """A release desk: its keys and its repository."""

    def __init__(self, folder: Path, *, root_keys: int = 3, threshold: int = 2, now: datetime | None = None) -> None:
        self.folder = folder
        self.roots = [CryptoSigner.generate_ed25519() for _ in range(root_keys)]
        self.online = make_signers()
        self.first_timestamp = b""
        self._bundles = folder.with_name(f"{folder.name}-bundles")
        self._bundles.mkdir(parents=True)
        repository = self.at(now)
        repository.create(
            [signer.public_key for signer in self.roots],
            threshold,
            {role: signer.public_key for role, signer in self.online.items()},
        )
        assert repository.sign_root(self.roots) == 0

    def at(self, now: datetime | None = None, **days: int) -> Repository:
        """The repository as somebody would sign it at that time."""
        return Repository(self.folder, days=Expiry(**days), now=now)

    @property
    def signers(self) -> Mapping[str, Signer]:
        return self.online

    def offer(self, name: str, version: str, data: bytes, *, now: datetime | None = None, **days: int) -> NewTarget:
        """Publish a version of a module."""
        new = self.bundle(name, version, data)
        self.at(now, **days).publish(self.signers, add=[new], drop=[f"modules/{name}/"])
        return new

    def bundle(self, name: str, version: str, data: bytes) -> NewTarget:
        """One that is not published yet."""
        source = self._bundles / f"{name}-{version}-py3-none-any.whl"
        source.write_bytes(data)
        custom = {"kind": "module", "name": name, "version": version}
        return NewTarget(source, f"modules/{name}/{source.name}", custom)


class Modules:
    """Receives modules and remembers them."""

    def __init__(self, **in_use: tuple[str, bytes]) -> None:
        self.in_use: dict[str, tuple[str, bytes]] = dict(in_use)
        self.sick: set[str] = set()
        """Versions that do not pass their health check."""
        self.taken = 0

    def version(self, name: str) -> str:
        return self.in_use.get(name, ("", b""))[0]

    def has(self, name: str) -> bool:
        return name in self.in_use

    def uses(self, item: Item) -> bool:
        return self.version(item.name) == item.version

    def room_bytes(self, item: Item) -> int:
        return item.bytes

    def put_in_use(self, item: Item, files: Mapping[str, Path]) -> None:
        self.taken += 1
        (path,) = files.values()
        if item.version in self.sick:
            raise NotHealthy("golden call 1 answers nothing")
        self.in_use[item.name] = (item.version, path.read_bytes())


class Box:
    """A box that has version 1 of a module in use and trusts a repository."""

    def __init__(self, folder: Path, root: Path | None, receiver: Receiver, **settings: object) -> None:
        self.folder = folder
        self.settings = Settings.model_validate({"updates": {**SETTINGS, **settings}})
        if root is not None:
            pin_root(root, folder, replace=False, max_bytes=self.settings.updates.max_root_bytes)
        receivers: dict[Kind, Receiver] = {"module": receiver}
        self.updates = Updates(folder, self.settings, receivers)
        self.reporter = SilentReporter()

    def update(self, where: object, *names: str) -> dict[str, str]:
        """Name → state."""
        return {done.name: done.state for done in self.updates.update(str(where), self.reporter, names)}

    def check(self, where: object, *names: str) -> dict[str, str]:
        return {seen.name: seen.state for seen in self.updates.check(str(where), names)}


@contextmanager
def served(folder: Path, answer: Answer | None = None) -> Iterator[str]:
    """The folder over HTTP with ranges on loopback: gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = folder / self.path.lstrip("/")
            data = path.read_bytes() if path.is_file() else b""
            if answer is not None and answer(self, data):
                return
            if not path.is_file():
                self.send_error(404)
                return
            self._send(data)

        def _send(self, data: bytes) -> None:
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            at = int(wanted[1]) if wanted else 0
            if wanted and at >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {at}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - at))
            self.end_headers()
            self.wfile.write(data[at:])

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what is tested."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def drip(handler: BaseHTTPRequestHandler, *, seconds: float, head: bool = False) -> None:
    """A byte now and then, for so long."""
    if head:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
    else:
        handler.send_response(200)
        handler.end_headers()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def clock(now: datetime) -> Iterator[None]:
    """The box's clock says something else."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return now.astimezone(UTC)

    theirs = SimpleNamespace(datetime=Clock, timezone=SimpleNamespace(utc=UTC))
    with mock.patch.object(trusted_metadata_set, "datetime", theirs), mock.patch.object(refresh, "datetime", Clock):
        yield


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.updates_kit import Box, Modules
folder, repo, point = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
left = [point]
def counted(name):
    real = getattr(os, name)
    def call(*arguments, **more):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)
    setattr(os, name, call)
for name in ("fsync", "replace", "pwrite", "unlink", "symlink", "mkdir"):
    counted(name)
class Kept(Modules):
    def put_in_use(self, item, files):
        super().put_in_use(item, files)
        draft = folder / "in-use.new"
        draft.write_bytes(self.in_use[item.name][1])
        os.replace(draft, folder / "in-use")
root = Path(repo) / "root.json"
Box(folder, root, Kept(vibration=("1", b"old"))).update(repo)
"""
"""An update in a process of its own, killed at its n-th write: arguments are folder, repository, n."""
