"""The boiler house on a desktop of its own, reached over VNC."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.screen_programs.opened import SIZES, Opened, Program, read_record, wait_until
from tests.servers.debian import ServerMissing
from tests.servers.desktop import Desktop, find_tk, running_desktop

__all__ = ["opened_desktop"]

ROOT = Path(__file__).parents[2]


@contextmanager
def opened_desktop(program: Program) -> Iterator[Opened]:
    """The program, ended with the block.

    :raises ServerMissing: there is no desktop or no Tk, or the program does not start.
    """
    with running_desktop(SIZES[program.scale]) as desktop, opened_on(desktop, program) as opened:
        yield opened


@contextmanager
def opened_on(desktop: Desktop, program: Program) -> Iterator[Opened]:
    """The program on a desktop that is there already, and has the size that belongs to its scale."""
    python, environ = find_tk()
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-boiler-"))
    (folder / "start.json").write_text(json.dumps(program.to_json()), encoding="utf-8")
    command = [str(python), "-m", "tests.screen_programs.boiler", str(folder)]
    with (folder / "program.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**desktop.environ, **environ}, stdout=log, stderr=log)
    try:
        wait_until(lambda: read_record(folder) or process.poll() is not None, "the program does not start")
        if process.poll() is not None:
            raise ServerMissing(f"the program ended: {(folder / 'program.log').read_text()[-600:]}")
        settings = {"kind": "vnc", "address": f"vnc://127.0.0.1:{desktop.port}"}
        yield Opened(settings, partial(read_record, folder), partial(_tell, folder))
    finally:
        process.kill()
        process.wait()
        log_text = (folder / "program.log").read_text()
        shutil.rmtree(folder, ignore_errors=True)
        if log_text:
            raise RuntimeError(f"the program went wrong: {log_text[-1000:]}")


def _tell(folder: Path, command: Mapping[str, Any]) -> None:
    def told() -> int:
        return sum(event.event == "twisted" for event in read_record(folder))

    before = told()
    with (folder / "commands.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(command) + "\n")
    wait_until(lambda: told() > before, f"the program did not {command['do']}")
