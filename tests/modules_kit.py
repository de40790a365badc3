"""For the tests of modules: bundles made on the spot, well-behaved and otherwise."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.env import Env
from agent.modules.host import ModuleHost

__all__ = ["TALLY", "bundle", "manifest", "plugin", "tally", "wheel"]

TALLY = """
import ctypes, os, signal, socket, sys, threading, time
from pathlib import Path

held = []

class Tally:
    methods = ("add", "version", "look", "crash", "hang", "grow", "count", "check_health", "pixels", "modules")

    def __init__(self, state):
        self.state = Path(state)
        {at_start}

    def add(self, context, a, b):
        {at_add}
        return a + b

    def version(self, context):
        return "{version}"

    def check_health(self, context):
        return [{{"name": "tally", "ok": {well}, "text": "as it is"}}]

    def count(self, context):
        file = self.state / "count"
        number = int(file.read_text()) + 1 if file.exists() else 1
        file.write_text(str(number))
        return number

    def crash(self, context):
        os.kill(os.getpid(), signal.SIGSEGV)

    def hang(self, context, seconds=60):
        time.sleep(seconds)
        return "late"

    def grow(self, context, size):
        held.append(bytearray(size))
        return len(held)

    def pixels(self, context, width, height):
        return [width, height, sum(context.buffers[0][:3])]

    def modules(self, context):
        return sorted(sys.modules)

    def look(self, context, what, at=""):
        try:
            return {{"ok": str(LOOKS[what](at))}}
        except OSError as error:
            return {{"refused": error.errno}}

LOOKS = {{
    "socket": lambda at: socket.socket(),
    "udp": lambda at: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "read": lambda at: Path(at).read_bytes()[:10],
    "list": lambda at: os.listdir(at),
    "write": lambda at: Path(at).write_text("x"),
    "kill": lambda at: os.kill(os.getppid(), 0),
    "run": lambda at: os.execv("/bin/true", ["true"]),
    "leave": lambda at: os.setsid(),
    "fork": lambda at: os.fork() or os._exit(0),
    "thread": lambda at: [(t := threading.Thread(target=int)).start(), t.join()],
    "environ": lambda at: sorted(os.environ),
    "memory": lambda at: Path(f"/proc/{{os.getppid()}}/mem").open("rb"),
}}

def make(state):
    return Tally(state)
"""
"""A module of kind voice, which asks nothing of anybody; its places in braces are where it misbehaves."""

PLUGIN = '''
"""A plugin that came as a module."""
from agent.api import Finding, Perception, Term, TurnView, ToolFailed, ToolResult, hookimpl, say, tool

@hookimpl
def register_tools(env):
    @tool(risk="read", cues=("tally",))
    def {tool}(turn: TurnView, count: int = 1) -> ToolResult:
        """How often it was asked."""
        if count < 0:
            raise ToolFailed("nothing is counted below zero")
        if count == 99:
            import os, signal
            os.kill(os.getpid(), signal.SIGKILL)
        return ToolResult(notes=(say("次数 " + str(count), "asked " + str(count) + " {version}"),))
    return [{tool}]

@hookimpl
def find_terms(question, env):
    return [Term("tag", "P-7", "question", question.find("P-7"))] if "P-7" in question else []

@hookimpl
def check_health(env):
    return [Finding("tally", True, str(env.home.folder))]

{more}
'''


def manifest(name: str = "tally", version: str = "1.0", *, kind: str = "voice", entry: str = "", more: str = "") -> str:
    """A manifest; `more` is TOML that follows, else one golden call."""
    target = entry or (f"{name}_plugin" if kind == "plugin" else f"{name}:make")
    golden = '[[golden]]\nmethod = "add"\narguments = {a = 2, b = 3}\nequals = 5\n'
    head = f'[module]\nname = "{name}"\nversion = "{version}"\nkind = "{kind}"\nentry = "{target}"\n'
    return head + (more or golden)


def wheel(path: Path, dist: str, files: Mapping[str, str | bytes], *, record: bool = True) -> Path:
    """A wheel with a RECORD over what it holds."""
    contents = {name: data.encode() if isinstance(data, str) else data for name, data in files.items()}
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in contents.items()]
    if record:
        contents[f"{dist}.dist-info/RECORD"] = "\n".join([*lines, f"{dist}.dist-info/RECORD,,", ""]).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in contents.items():
            out.writestr(name, data)
    return path


def bundle(folder: Path, told: str, files: Mapping[str, str | bytes], *, dist: str = "tally-1.0") -> Path:
    """A module's bundle."""
    own = {f"{dist}.dist-info/watchkeeper_module.toml": told, f"{dist}.dist-info/METADATA": "Name: tally\n"}
    return wheel(folder / f"{dist}-py3-none-any.whl", dist, {**files, **own})


def tally(
    folder: Path,
    version: str = "1.0",
    *,
    at_start: str = "pass",
    at_add: str = "pass",
    well: bool = True,
    more: str = "",
    golden: str = "",
    **files: str,
) -> Path:
    """A bundle of the module above, misbehaving where asked."""
    code = TALLY.format(version=version, at_start=at_start, at_add=at_add, well=well)
    own = golden or '[[golden]]\nmethod = "add"\narguments = {a = 2, b = 3}\nequals = 5\n'
    told = manifest(version=version, more=more + own)
    return bundle(folder, told, {"tally.py": code, **files}, dist=f"tally-{version}")


def plugin(folder: Path, version: str = "1.0", *, tool: str = "tally_up", more: str = "", needs: str = "") -> Path:
    """A bundle of a plugin."""
    told = {"tool": tool, "arguments": {"count": 3}}
    golden = (
        f'[[golden]]\nmethod = "run_tool"\narguments = {_toml(told)}\ncontains = {{notes = [{{en = "asked 3"}}]}}\n'
    )
    code = PLUGIN.format(tool=tool, version=version, more=more)
    text = manifest(version=version, kind="plugin", more=needs + golden)
    return bundle(folder, text, {"tally_plugin.py": code}, dist=f"tally-{version}")


def installed(env: Env, *bundles: Path, agreed: bool = False) -> ModuleHost:
    """A host with bundles installed and the first of them swapped in."""
    host = ModuleHost(env)
    made = [host.store.install(one, agreed=agreed) for one in bundles]
    host.swap(made[0].name, made[0].version)
    return host


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
