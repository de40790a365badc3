"""A PostgreSQL server for tests: the system's programs, or Debian's packages unpacked into a cache without root.

Loopback only, a port and a folder of its own, scram passwords. Started as root it runs as `nobody`, for PostgreSQL
refuses root. Where no server can be had, `PostgresMissing` says why.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.servers import debian
from tests.servers.debian import Programs, ServerMissing, free_port, library_path, readable_root, run, unpack

PostgresMissing = ServerMissing
CACHE = debian.CACHE / "postgresql"
START_SECONDS = 30.0
SETTINGS = ("fsync=off", "jit=off", "max_connections=20", "shared_buffers=16MB", "listen_addresses=127.0.0.1")


class Postgres:
    """One server. `start`, `stop` and `kill` may follow each other."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.password = secrets.token_hex(12)
        self.port = free_port()
        self._initialise()

    def url(self, role: str = "postgres", database: str = "postgres") -> str:
        """The address, without password."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [f"-c{setting}" for setting in (*SETTINGS, f"port={self.port}")]
        command = [self._program("postgres"), "-D", str(self._data), "-k", str(self._folder), *options]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._who())
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    raise PostgresMissing(f"it ended: {(self._folder / 'server.log').read_text()[-500:]}") from None
                time.sleep(0.1)
            else:
                return
        raise PostgresMissing(f"it did not answer within {START_SECONDS:g} s")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts connections off cleanly, SIGQUIT at once."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser."""
        where = f"host=127.0.0.1 port={self.port} user=postgres password={self.password} dbname={database}"
        with psycopg.connect(where, autocommit=True, connect_timeout=3) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.password)
        if os.geteuid() == 0:
            for path in (self._folder, secret):
                shutil.chown(path, "nobody")
        command = [self._program("initdb"), "-D", str(self._data), "-U", "postgres", "-E", "UTF8", "--locale=C",
                   "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=START_SECONDS * 2, check=False, **self._who())
        if done.returncode:
            raise PostgresMissing(f"initdb failed: {done.stderr.decode(errors='replace')[-500:]}")

    def _program(self, name: str) -> str:
        return str(self._programs.folder / name)

    def _who(self) -> dict[str, Any]:
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        return {"env": {**os.environ, "LC_ALL": "C", **self._programs.environ}, "cwd": self._folder, **user}


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server with an empty database.

    :raises PostgresMissing: none can be had here.
    """
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-postgres-"))
    try:
        server = Postgres(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Programs:
    """The system's, else those in the cache, else fetched into it.

    :raises PostgresMissing: there are none, and none can be fetched.
    """
    places = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return Programs(place, {})
    if not _programs_under(CACHE):
        unpack(_newest_package(), CACHE)
    root = readable_root(CACHE)
    if not (found := _programs_under(root)):
        raise PostgresMissing("the packages hold no server")
    return Programs(found[0], {"LD_LIBRARY_PATH": library_path(root, found[0].parent / "lib")})


def _newest_package() -> str:
    named = re.search(r"Depends: (postgresql-\d+)", run("apt-cache", "depends", "postgresql"))
    if named is None:
        raise PostgresMissing("no PostgreSQL is installed, and apt knows of none")
    return named[1]


def _programs_under(root: Path) -> list[Path]:
    return [path.parent for path in sorted(root.glob("usr/lib/postgresql/*/bin/postgres"), reverse=True)]
