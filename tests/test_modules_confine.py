"""A module's process gets what its manifest declares and nothing else, as far as this kernel can enforce it."""

from __future__ import annotations

import errno
import os
import struct
import sys
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from agent.env import Env
from agent.errors import ModuleError, SwapFailed
from agent.modules.candidate import candidate_of
from agent.modules.confine import _MACHINES, _filter, enforceable
from agent.modules.host import ModuleHost
from agent.modules.module import Module
from tests.modules_kit import bundle, installed, manifest, tally, wheel

CAN = enforceable()
files_enforced = pytest.mark.skipif("Landlock" not in CAN["files"], reason=CAN["files"])
calls_enforced = pytest.mark.skipif(CAN["network"] != "seccomp", reason=CAN["network"])
PROJECT_FILE = Path(__file__)
REFUSED = (errno.EACCES, errno.EPERM)


@pytest.fixture
def confined(env: Env, tmp_path: Path) -> Iterator[Module]:
    host = installed(env, tally(tmp_path / "bundles"))
    yield host.open("tally")
    host.close()


def look(module: Module, what: str, at: Path | str = "") -> Any:
    return module.call("look", {"what": what, "at": str(at)}).value


@files_enforced
def test_files_of_the_box_are_out_of_reach(confined: Module, env: Env, tmp_path: Path) -> None:
    """Not the trail, not a key, not another module, not its own code to be written; its state folder is its own."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    choice = env.home.modules / "tally" / "choice.json"
    for what, place in (
        ("read", secret), ("read", choice), ("list", env.home.folder), ("read", "/etc/shadow"),
        ("read", f"/proc/{os.getpid()}/environ"), ("memory", ""), ("write", choice), ("write", tmp_path / "out"),
        ("write", env.home.modules / "tally" / "1.0" / "site" / "tally.py"), ("list", "/proc"),
        ("read", PROJECT_FILE),
    ):  # fmt: skip
        assert look(confined, what, place).get("refused") in REFUSED, (what, place)
    assert look(confined, "write", env.home.modules / "tally" / "state" / "mine") == {"ok": "1"}
    assert secret.read_text() == "x"


@calls_enforced
def test_no_network_and_no_other_program(confined: Module) -> None:
    """No socket of any family, nothing started, no leaving of the process group that is killed with it."""
    for what in ("socket", "udp", "run", "leave", "fork"):
        assert look(confined, what).get("refused") in REFUSED, what
    assert "ok" in look(confined, "thread")
    assert confined.call("add", {"a": 1, "b": 2}).value == 3


def test_memory_is_bounded(confined: Module) -> None:
    """More than it declared is an error in it, not the box's trouble."""
    with pytest.raises(Exception, match="MemoryError"):
        confined.call("grow", {"size": 700_000_000})
    assert confined.call("grow", {"size": 1_000_000}).value == 1


def test_it_sees_no_variable_of_ours(env: Env, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither tokens nor the home."""
    monkeypatch.setenv("PLANT_TOKEN", "s3cret")
    monkeypatch.setenv("WATCHKEEPER_REMOTE__API_KEY", "s3cret")
    host = installed(env, tally(tmp_path))
    found = look(host.open("tally"), "environ")["ok"]
    assert "TOKEN" not in found and "KEY" not in found and "HOME" in found
    host.close()


def test_what_was_agreed_to_is_given(env: Env, tmp_path: Path) -> None:
    """Network, a folder to read, one to write, programs: each only where the manifest names it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("found it")
    (tmp_path / "out").mkdir()
    needs = (
        f'[needs]\nnetwork = true\nreads = ["{tmp_path}/in", "log"]\nwrites = ["{tmp_path}/out"]\n'
        'devices = ["/dev/full"]\n'
    )
    env.home.log_db.write_text("log")
    host = installed(env, tally(tmp_path, more=needs), agreed=True)
    module = host.open("tally")
    assert "ok" in look(module, "socket") and "ok" in look(module, "udp")
    assert look(module, "read", tmp_path / "in" / "a") == {"ok": "b'found it'"}
    assert look(module, "read", env.log_path) == {"ok": "b'log'"}
    assert look(module, "write", tmp_path / "out" / "b") == {"ok": "1"}
    assert look(module, "write", "/dev/full") == {"refused": errno.ENOSPC}
    if "Landlock" in CAN["files"]:
        assert look(module, "write", tmp_path / "in" / "a")["refused"] in REFUSED
    host.close()


def test_what_is_enforced_is_told(confined: Module) -> None:
    """By the process itself, and the same by what this box can do."""
    assert confined.report["enforced"] == CAN


def test_pixels_cross_for_a_golden_call(env: Env, tmp_path: Path) -> None:
    """A picture in the bundle is decoded here, within the limits of photos, and given as memory."""
    picture = tmp_path / "golden.png"
    Image.fromarray(np.full((5, 7, 3), 9, np.uint8)).save(picture)
    golden = '[[golden]]\nmethod = "pixels"\nimage = "golden.png"\nequals = [7, 5, 27]\n'
    files: Any = {"golden.png": picture.read_bytes()}
    host = installed(env, tally(tmp_path, golden=golden, **files))
    assert host.version("tally") == "1.0"
    host.store.install(tally(tmp_path, "1.1", golden=golden, **{"golden.png": "no picture"}))
    with pytest.raises(SwapFailed, match="the picture of a golden call cannot be used"):
        host.swap("tally", "1.1")
    host.close()


OWN = """[environment]
own = true
python = "{python}"
[[golden]]
method = "add"
arguments = {{a = 2, b = 3}}
equals = 12
"""
CODE = """
import sys
import numpy

class Own:
    methods = ("add", "modules", "prefix")
    def add(self, context, a, b):
        return (a + b) * numpy.RATIO + 2
    def modules(self, context):
        return sorted(sys.modules)
    def prefix(self, context):
        return sys.executable

def make(state):
    return Own()
"""


def own_environment(folder: Path, python: str) -> Path:
    """A module with a numpy of its own, which is not ours."""
    ratio = wheel(folder / "dep" / "numpy-0.1-py3-none-any.whl", "numpy-0.1", {"numpy.py": "RATIO = 2"})
    files = {"tally.py": CODE, "watchkeeper_wheels/numpy.whl": ratio.read_bytes()}
    return bundle(folder, manifest(kind="ocr", more=OWN.format(python=python)), files)


def test_a_module_with_an_environment_of_its_own(env: Env, tmp_path: Path) -> None:
    """It sees the standard library and what it brought; what is installed here does not exist for it."""
    host = installed(env, own_environment(tmp_path, ""))
    module = host.open("tally")
    assert module.call("add", {"a": 1, "b": 1}).value == 6
    seen = module.call("modules", {}).value
    assert "numpy" in seen and not {"pydantic", "pluggy", "typer"} & set(seen)
    assert host.chosen("ocr") == ("tally",)
    host.close()


def test_a_module_with_an_interpreter_of_its_own(env: Env, tmp_path: Path) -> None:
    """A Python that the settings name runs it; one that is not here is said, and nothing is swapped."""
    venv.create(tmp_path / "other", with_pip=False, symlinks=True)
    python = tmp_path / "other" / "bin" / "python"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    host = installed(env, own_environment(tmp_path, version))
    assert host.open("tally").call("add", {"a": 1, "b": 1}).value == 6
    host.store.install(bundle(tmp_path, manifest(version="1.1", more=OWN.format(python="3.99")), {"tally.py": CODE},
                              dist="tally-1.1"))  # fmt: skip
    with pytest.raises(ModuleError, match=r"made for Python 3\.99, this is 3\.\d+; add one to modules\.interpreters"):
        host.swap("tally", "1.1")
    assert host.version("tally") == "1.0"
    made = candidate_of(host.store.installed("tally", "1.0"), env, host.store)
    chosen = replace(made, spec=replace(made.spec, interpreter=python))
    module = Module("tally", env.settings.modules, free_bytes=lambda: 10**12)
    module.swap(chosen)
    assert module.call("prefix", {}).value == str(python)
    module.close()
    host.close()


def test_a_host_without_modules_starts_nothing(env: Env) -> None:
    """No folder, no process, no note."""
    host = ModuleHost(env)
    assert host.chosen("plugin") == () and host.notes == [] and not env.home.modules.exists()
    host.close()


def judged(program: bytes, *, convention: int, number: int, argument: int = 0) -> int:
    """What the kernel would say to a system call: the few instructions that the filter uses, interpreted."""
    fields = {0: number, 4: convention, 16: argument}
    steps = list(struct.iter_unpack("HBBI", program))
    at, value = 0, 0
    while True:
        code, true, false, operand = steps[at]
        at += 1
        if code == 0x20:
            value = fields[operand]
        elif code == 0x06:
            return operand
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            at += true if holds else false


@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_the_filter_of_each_processor(name: str) -> None:
    """Sockets, programs and new processes are refused, threads and all else go on; another convention is refused."""
    machine = _MACHINES[name]
    allow, refuse, unknown = 0x7FFF0000, 0x00050000 | errno.EACCES, 0x00050000 | errno.ENOSYS
    refused = (*machine.programs, machine.socket, 425)
    program = _filter(machine, refused, threads_only=True)

    def say(number: int, argument: int = 0, convention: int = machine.audit) -> int:
        return judged(program, convention=convention, number=number, argument=argument)

    assert {say(number) for number in refused} == {refuse}
    assert say(machine.clone, 0x3D0F00) == allow and say(machine.clone, 17) == refuse and say(435) == unknown
    assert {say(number) for number in range(450) if number not in (*refused, machine.clone, 435)} == {allow}
    assert say(0, convention=0x40000003) == refuse and say(0x40000000 | 41) == refuse
    open_to_programs = _filter(machine, (machine.socket,), threads_only=False)
    assert judged(open_to_programs, convention=machine.audit, number=machine.clone, argument=17) == allow


def test_a_system_that_can_enforce_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be enforced is told, and not pretended."""
    monkeypatch.setattr(sys, "platform", "darwin")
    told = enforceable()
    assert all(told[what].startswith("not enforced") for what in ("files", "network", "programs"))
    monkeypatch.undo()
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert enforceable()["network"] == "not enforced: no seccomp here for riscv64"
