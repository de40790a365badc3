"""A desktop without a monitor for tests: TigerVNC's X server, and a Python that has Tk, both Debian's.

The system's programs, else packages unpacked into a cache without root. Loopback only; the desktop ends with the block,
and what runs on it with it.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers import debian
from tests.servers.debian import Programs, ServerMissing, free_port, library_path, unpack
from tests.servers.fonts import font_config
from tests.servers.process import ServerProcess, listens

DesktopMissing = ServerMissing
START_SECONDS = 30.0
COMPILER = "xkbcomp"
COMPILER_FOLDER = b"\0/usr/bin\0"
"""Where the X server looks for the compiler of keyboards, as it stands in the program; no option changes it."""


class Desktop(ServerProcess):
    """An X server that is seen and used over VNC, without a password, on loopback."""

    def __init__(self, programs: Programs, folder: Path, size: tuple[int, int]) -> None:
        self._programs = programs
        self._folder = folder
        self._size = size
        self.port = free_port()
        self.display = ""
        self._fonts = font_config(folder)

    @property
    def environ(self) -> dict[str, str]:
        """For a program that is to appear on it."""
        return {**os.environ, "DISPLAY": self.display, "FONTCONFIG_FILE": str(self._fonts), "HOME": str(self._folder)}

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        width, height = self._size
        reader, writer = os.pipe()
        command = [
            str(self._programs.folder / "Xtigervnc"), "-displayfd", str(writer), "-geometry", f"{width}x{height}",
            "-depth", "24", "-rfbport", str(self.port), "-interface", "127.0.0.1", "-SecurityTypes", "None",
            "-nolisten", "tcp", "-AlwaysShared", *_keyboards(self._programs),
        ]  # fmt: skip
        with (self._folder / "desktop.log").open("ab") as log:
            environ = {**os.environ, **self._programs.environ}
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environ, pass_fds=(writer,), cwd=self._programs.folder
            )
        os.close(writer)
        try:
            self.display = f":{self._told(reader)}"
        finally:
            os.close(reader)
        deadline = time.monotonic() + START_SECONDS
        while not listens(self.port):
            if time.monotonic() > deadline:
                raise ServerMissing("the X server serves no VNC")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, so that it takes its sockets away."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def _told(self, reader: int) -> str:
        """The number of the display, which the server writes once it is ready."""
        told = b""
        while not told.endswith(b"\n") and select.select([reader], [], [], START_SECONDS)[0]:
            if not (more := os.read(reader, 32)):
                break
            told += more
        if not told.strip().isdigit():
            self.kill()
            log = (self._folder / "desktop.log").read_text(errors="replace")[-500:]
            raise ServerMissing(f"the X server did not start: {log}")
        return told.decode().strip()


@contextmanager
def running_desktop(size: tuple[int, int] = (1280, 800)) -> Iterator[Desktop]:
    """An empty desktop.

    :param size: width and height in pixels.
    :raises DesktopMissing: none can be had here.
    """
    programs = find_desktop()
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-desktop-"))
    try:
        desktop = Desktop(programs, folder, size)
        desktop.start()
        try:
            yield desktop
        finally:
            desktop.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_desktop() -> Programs:
    """The X server with VNC.

    :raises DesktopMissing: there is none, and none can be fetched.
    """
    if found := shutil.which("Xtigervnc"):
        return Programs(Path(found).parent, {})
    cache = debian.CACHE / "desktop"
    place = cache / "usr/bin"
    if not (place / "Xtigervnc").exists():
        unpack("tigervnc-standalone-server", cache)
    if not (place / "Xtigervnc").exists():
        raise DesktopMissing("the package holds no X server")
    if not Path("/usr/bin", COMPILER).exists():
        _look_here_for_the_compiler(place / "Xtigervnc")
    return Programs(place, {"LD_LIBRARY_PATH": library_path(cache)})


def find_tk() -> tuple[Path, Mapping[str, str]]:
    """A Python with Tk, and what it needs to run.

    :raises DesktopMissing: there is none, and none can be fetched.
    """
    system = Path("/usr/bin/python3")
    if system.exists() and Path("/usr/lib/python3/dist-packages").exists() and _has_tk(system, {}):
        return system, {}
    cache = debian.CACHE / "tk"
    if not (cache / "usr").exists():
        unpack("python3-tk", cache)
    library = next(iter(sorted((cache / "usr/lib").glob("python3.*"))), cache)
    own = cache / "usr/bin" / library.name
    environ = {
        "PYTHONPATH": f"{library}:{library / 'lib-dynload'}",
        "LD_LIBRARY_PATH": library_path(cache),
        **({"PYTHONHOME": str(cache / "usr")} if own.exists() else {}),
        **_scripts(cache),
    }
    python = own if own.exists() else system
    if not _has_tk(python, environ):
        raise DesktopMissing(f"{python} has no Tk")
    return python, environ


def _scripts(cache: Path) -> dict[str, str]:
    """Where Tcl and Tk find their own scripts, as far as they were unpacked."""
    found = {}
    for name, script in (("TCL_LIBRARY", "tcl*/init.tcl"), ("TK_LIBRARY", "tk*/tk.tcl")):
        for path in sorted((cache / "usr/share/tcltk").glob(script)):
            found[name] = str(path.parent)
    return found


def _has_tk(python: Path, environ: Mapping[str, str]) -> bool:
    try:
        command = [str(python), "-c", "import tkinter"]
        return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _keyboards(programs: Programs) -> list[str]:
    """The option that names the descriptions of keyboards, where they were unpacked too."""
    folder = programs.folder.parent / "share/X11/xkb"
    return ["-xkbdir", str(folder)] if programs.environ and folder.exists() else []


def _look_here_for_the_compiler(server: Path) -> None:
    """The server looks in the folder that it was started in: its own."""
    program = server.read_bytes()
    if COMPILER_FOLDER in program:
        changed = program.replace(COMPILER_FOLDER, b"\0.".ljust(len(COMPILER_FOLDER), b"\0"))
        server.write_bytes(changed)
        server.chmod(0o755)
