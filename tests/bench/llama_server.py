"""llama.cpp's own server: built once from the sources inside the llama-cpp-python package that is installed, then run.

The same sources as the library we use, so what is compared is the program around them. cmake and ninja come from the
package index into an environment of the benchmarks' own; sources, build and that environment lie in the benchmarks'
cache folder, which may be deleted at any time. Order: fetch the sources → build → start → ask over loopback.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import tarfile
import time
import venv
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from agent.model.llama_library import physical_cores
from tests.bench.model_memory import cpu_ms, peak_bytes_of
from tests.bench.model_work import CALL_SCHEMA, Asked, Loaded, bench_settings, chat_messages, photo_png
from tests.bench.random_qwen3vl import cache_folder

__all__ = ["Server", "ServerMissing", "build_server"]

PACKAGE = "llama-cpp-python"
CMAKE_OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DGGML_NATIVE=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
)
START_SECONDS, REPLY_SECONDS, POLL_SECONDS = 120.0, 300.0, 0.01
ERROR_CHARS = 300


class ServerMissing(Exception):
    """There is no server to compare with; the message says why."""


def build_server() -> Path:
    """The program; built now where it is not there yet, with a low priority.

    :raises ServerMissing: sources, tools or compiler are missing, or it does not build.
    """
    number = version(PACKAGE)
    build = cache_folder() / f"build-{number}"
    program = build / "bin" / "llama-server"
    if program.exists():
        return program
    sources = _sources(number)
    tools = _tools()
    print(f"bench-model: building llama-server in {build}, once; takes some minutes", file=sys.stderr)
    path = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    configure: list[str | Path] = [tools / "cmake", "-G", "Ninja", "-S", sources, "-B", build, *CMAKE_OPTIONS]
    _run(configure, "cmake refuses the sources", path)
    _run(["nice", "-n", "19", tools / "ninja", "-C", build, "llama-server"], "it does not build", path)
    return program


def _sources(number: str) -> Path:
    """llama.cpp as it lies in the source package."""
    folder = cache_folder() / "src"
    sources = folder / f"llama_cpp_python-{number}" / "vendor" / "llama.cpp"
    if not sources.exists():
        download: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            folder,
        ]
        _run([*download, f"{PACKAGE}=={number}"], "its sources cannot be fetched")
        with tarfile.open(next(folder.glob(f"llama_cpp_python-{number}.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
    if not (sources / "tools" / "server").exists():
        raise ServerMissing(f"{PACKAGE} {number} carries no sources of the server")
    return sources


def _tools() -> Path:
    """Folder with cmake and ninja."""
    folder = cache_folder() / "tools"
    programs = folder / "bin"
    if not (programs / "ninja").exists():
        venv.create(folder, with_pip=True)
        _run([programs / "python", "-m", "pip", "install", "--quiet", "cmake", "ninja"], "no cmake can be had")
    return programs


def _run(command: Sequence[str | Path], trouble: str, env: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise ServerMissing(f"{trouble}: {error}") from None
    if done.returncode != 0:
        raise ServerMissing(f"{trouble}: {' '.join(done.stdout.split())[-ERROR_CHARS:]}")


class Server:
    """A running server on loopback, one slot, its prompt cache on; a context manager that ends it."""

    def __init__(self, program: Path, loaded: Loaded) -> None:
        settings = bench_settings(loaded.settings)
        threads = str(settings.threads or physical_cores())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        command: list[str | Path] = [
            program,
            "-m",
            loaded.model,
            "--host",
            "127.0.0.1",
            "--port",
            port,
            "--parallel",
            "1",
            "--offline",
        ]
        command += ["-c", str(settings.context_tokens), "-b", str(settings.batch_tokens)]
        command += ["-ub", str(settings.micro_batch_tokens), "-t", threads, "-tb", threads, "-fa", "on"]
        command += ["--reasoning-format", "none"]
        command += ["--mmproj", loaded.projector] if loaded.projector else []
        # Waiting without spinning, as everyone here: spinning parties would take the cores from each other.
        self._process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.port = int(port)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=REPLY_SECONDS, trust_env=False)
        self._wait()

    def _wait(self) -> None:
        """Until it has loaded.

        :raises ServerMissing: it ended, or takes too long.
        """
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise ServerMissing(f"llama-server ended with code {self._process.returncode} while it loaded")
            try:
                if self._client.get("/health").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(POLL_SECONDS)
        self._process.kill()
        raise ServerMissing(f"llama-server did not load within {START_SECONDS:g} s")

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()

    def reply(self, asked: Asked) -> dict[str, Any]:
        """One completion and what it took, the way over loopback included."""
        began, cpu_before_ms = time.perf_counter(), cpu_ms(self._process.pid)
        url = "" if asked.photo is None else _data_uri(photo_png(asked.photo))
        body: dict[str, Any] = {
            "messages": chat_messages(asked, url),
            "temperature": 0,
            "max_tokens": asked.max_tokens,
            "cache_prompt": True,
        }
        if asked.schema:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "call", "schema": CALL_SCHEMA}}
        answered = self._client.post("/v1/chat/completions", json=body)
        ms = (time.perf_counter() - began) * 1_000
        said = answered.json()
        if answered.status_code != httpx.codes.OK:
            return {"missing": f"{answered.status_code}: {said.get('error', {}).get('message', '')[:ERROR_CHARS]}"}
        timings = said["timings"]
        return {
            "ms": ms,
            "cpu_ms": cpu_ms(self._process.pid) - cpu_before_ms,
            "prefill_ms": timings["prompt_ms"],
            "decode_ms": timings["predicted_ms"],
            "passes": timings["predicted_n"],
            "tokens": said["usage"]["completion_tokens"],
            "prompt_tokens": said["usage"]["prompt_tokens"],
            "text": said["choices"][0]["message"]["content"],
        }

    def memory(self) -> int | None:
        """Its peak, in bytes."""
        return peak_bytes_of(self._process.pid)


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
