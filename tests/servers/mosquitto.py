"""A Mosquitto broker for tests: the system's program, or Debian's packages unpacked into a cache without root.

Loopback only, a port and a folder of its own; optionally a password, and TLS with certificates made for it. It can be
killed and started again with what it kept, and stopped in its tracks (SIGSTOP), as a broker behind a dead link is.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import debian
from tests.servers.certificates import Certificates
from tests.servers.debian import Programs, ServerMissing, free_port, library_path, readable_root, unpack
from tests.servers.process import ServerProcess, listens

MosquittoMissing = ServerMissing
CACHE = debian.CACHE / "mosquitto"
START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Login:
    """What a client has to say."""

    user: str
    password: str


class Mosquitto(ServerProcess):
    """One broker. `stop` may follow, too."""

    def __init__(
        self, programs: Programs, folder: Path, *, login: Login | None = None, tls: Certificates | None = None
    ) -> None:
        self._programs = programs
        self._folder = folder
        self.port = free_port()
        self.scheme = "mqtts" if tls else "mqtt"
        lines = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
                 "autosave_interval 1", "autosave_on_changes true", "max_queued_messages 20000", "set_tcp_nodelay true",
                 f"allow_anonymous {'false' if login else 'true'}"]  # fmt: skip
        if os.geteuid() == 0:
            lines.append("user root")  # the folder is root's, and only loopback is served
        if login:
            lines.append(f"password_file {self._passwords(login)}")
        if tls:
            lines += [f"cafile {tls.ca}", f"certfile {tls.server}", f"keyfile {tls.server_key}",
                      "require_certificate true"]  # fmt: skip
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text("\n".join(lines) + "\n")

    @property
    def address(self) -> str:
        """As `ConnectionSettings.address` has it."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = [str(self._programs.folder / "mosquitto"), "-c", str(self._settings)]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environ())
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if listens(self.port):
                return
            if self._process.poll() is not None:
                raise ServerMissing(f"Mosquitto ended: {(self._folder / 'server.log').read_text()[-500:]}")
            time.sleep(0.02)
        self.kill()
        raise ServerMissing(f"Mosquitto did not listen within {START_SECONDS:g} s")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGTERM lets it keep what is retained."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)  # a frozen one hears SIGTERM only then; a killed one nothing
            self._process.wait(START_SECONDS)
            self._process = None

    def _passwords(self, login: Login) -> Path:
        path = self._folder / "passwords"
        command = [str(self._programs.folder.parent / "bin" / "mosquitto_passwd"), "-b", "-c", str(path), login.user,
                   login.password]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, env=self._environ(), timeout=START_SECONDS)
        return path

    def _environ(self) -> dict[str, str]:
        return {**os.environ, **self._programs.environ}


@contextmanager
def running_mosquitto(*, login: Login | None = None, tls: Certificates | None = None) -> Iterator[Mosquitto]:
    """A broker without messages.

    :raises MosquittoMissing: none can be had here.
    """
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-mosquitto-"))
    try:
        broker = Mosquitto(programs, folder, login=login, tls=tls)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Programs:
    """The system's, else those in the cache, else fetched into it.

    :raises MosquittoMissing: there are none, and none can be fetched.
    """
    found = os.environ.get("MOSQUITTO") or shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found:
        return Programs(Path(found).resolve().parent, {})
    if not (CACHE / "usr/sbin/mosquitto").exists():
        unpack("mosquitto", CACHE)
    root = readable_root(CACHE)
    if not (root / "usr/sbin/mosquitto").exists():
        raise MosquittoMissing("the packages hold no broker")
    return Programs(root / "usr/sbin", {"LD_LIBRARY_PATH": library_path(root)})
