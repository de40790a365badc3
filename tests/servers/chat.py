"""A chat server of the plant for tests: llama-cpp-python's own, on loopback, with real weights."""

from __future__ import annotations

from pathlib import Path

from tests.servers.debian import free_port
from tests.servers.process import ServerProcess, listens

__all__ = ["MODEL", "ChatServer"]

START_SECONDS = 120.0
MODEL = "plant-model"


class ChatServer(ServerProcess):
    """One server that answers one request after another, for however many boxes."""

    def __init__(self, weights: Path) -> None:
        """
        :param weights: a GGUF.
        """
        self.port = free_port()
        self._options = [
            *("--model", str(weights), "--model_alias", MODEL, "--host", "127.0.0.1", "--port", str(self.port)),
            *("--n_ctx", "8192", "--n_threads", "2"),
            *("--interrupt_requests", "false"),  # else whoever asks cuts off who was being answered
        ]

    def start(self) -> None:
        """Start, and wait until it listens, which it does when its weights are loaded."""
        self._run_module("llama_cpp.server", self._options, lambda: listens(self.port), START_SECONDS)
