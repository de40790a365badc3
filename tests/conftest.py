"""What every test has: no network but loopback, a home of its own; and for the `weights` lane the real files."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from agent.env import Env, load_env
from agent.errors import PullError
from agent.home import find_home
from agent.weights.progress import choose_reporter
from agent.weights.pull import pull
from tests.tiny_qwen3vl import TinyFiles, write_tiny_qwen3vl

# How long an example takes says how busy the machine is, not whether a promise holds.
hypothesis.settings.register_profile("calm", deadline=None)
hypothesis.settings.load_profile("calm")
REAL_WEIGHTS = ("qwen2.5-0.5b", "ocr-small", "ocr-tiny", "embed")


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite is offline by construction: a socket to anywhere else is an error."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in [name for name in os.environ if name.startswith("WATCHKEEPER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """A box with an empty home and no weights."""
    return load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder of the real weights, pulled once into the home and reused."""
    home = find_home({name: os.environ[name] for name in ("HOME", "XDG_DATA_HOME") if name in os.environ})
    store = load_env({"WATCHKEEPER_HOME": str(home.folder)}).weights
    try:
        pull(store, REAL_WEIGHTS, choose_reporter())
    except PullError as error:
        pytest.skip(f"the real weights cannot be had here: {error}")
    return store.folder


@pytest.fixture(scope="session")
def tiny(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> TinyFiles:
    """A tiny random Qwen3-VL with the vocabulary of the real 0.5B."""
    vocabulary = next(iter(sorted((real_weights / "qwen2.5-0.5b").glob("*.gguf"))))
    return write_tiny_qwen3vl(vocabulary, tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def weights_env(tmp_path: Path, real_weights: Path) -> Env:
    """A box with an empty home and the real weights."""
    return load_env(weights_environ(tmp_path / "home", real_weights))


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The command line on an empty home: gives the home folder."""
    monkeypatch.setenv("WATCHKEEPER_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"


def weights_environ(home: Path, weights: Path) -> dict[str, str]:
    """Variables of a box whose weights are the real ones."""
    return {"WATCHKEEPER_HOME": str(home), "WATCHKEEPER_WEIGHTS__FOLDER": str(weights)}
