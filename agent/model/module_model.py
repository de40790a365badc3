"""A model that came as a module: another version takes over between two replies, and the ladder does not notice.

Its process serves what `agent.model.served.ServedModel` does: `reply` and `reply_many`, with requests and replies as
`agent.model.wire` packs them, and `{"sees": …}` in its report. So a new model, another projector or another adapter is
a bundle, and its golden calls are replies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.env import Env
from agent.errors import ModelError, ModuleError, SwapFailed
from agent.model.protocol import Model
from agent.model.standing import Openers
from agent.model.worker import WorkerModel
from agent.modules.host import ModuleHost
from agent.modules.module import Module
from agent.values import Json
from agent.workers.shared import SharedBuffer
from agent.workers.worker import Priority, Result

__all__ = ["ModuleModel", "ModuleRungs", "is_module"]

_PREFIX = "module "


def is_module(rung: str) -> bool:
    """Whether a rung is a module and none of the catalogue."""
    return rung.startswith(_PREFIX)


class ModuleRungs:
    """Models that came as modules, as rungs of the ladder."""

    def __init__(self, env: Env) -> None:
        """Starts nothing."""
        self._host = ModuleHost(env)
        self.names = tuple(f"{_PREFIX}{name}" for name in self._host.chosen("model"))

    def beside(self, others: Openers) -> Openers:
        """Openers of these rungs and of the others."""

        def open_with(other: Callable[[str], Model]) -> Callable[[str], Model]:
            return lambda rung: self._open(rung) if is_module(rung) else other(rung)

        return Openers(
            open_with(others.first),
            open_with(others.anew),
            lambda rung: is_module(rung) or others.has_room(rung),  # a swap finds out by itself
        )

    def _open(self, rung: str) -> Model:
        return ModuleModel(rung.removeprefix(_PREFIX), self._host)


class ModuleModel(WorkerModel):
    """Implements `agent.model.protocol.Model`. Where no version answers, in the middle of a swap that stops the old one
    first, a reply is a `ModelError`, and the next rung answers.
    """

    def __init__(self, name: str, host: ModuleHost) -> None:
        """Start the version that was chosen.

        :raises ModelError: none comes up.
        """
        try:
            module = host.open(name)
        except (ModuleError, SwapFailed) as error:
            raise ModelError(str(error)) from None
        self.name = f"{_PREFIX}{name}"
        self.sees = module.report.get("sees") is True
        self._sent = set()
        self._supervisor = _Process(module)


class _Process:
    """A module as `ModelProcess`. Who opened the module ends it."""

    def __init__(self, module: Module) -> None:
        self._module = module

    @property
    def pid(self) -> int | None:
        return self._module.pid

    def start(self, config: Mapping[str, Json]) -> None:
        """A module knows its own files."""

    def call(
        self,
        method: str,
        arguments: Mapping[str, Json],
        *,
        buffers: Sequence[SharedBuffer] = (),
        priority: Priority = "interactive",
        deadline: float | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        on_part: Callable[[Any], None] | None = None,
    ) -> Result:
        return self._module.call(
            method, arguments, buffers=buffers, priority=priority, deadline=deadline, cancelled=cancelled,
            on_part=on_part,
        )  # fmt: skip

    def stop(self) -> None:
        self._module.close()
