"""Runs in a module's process: gives up what the module did not ask for, then imports and makes it.

It imports nothing of ours but what any Python can import, since a module may bring an interpreter of its own.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

from agent.modules.confine import allowed_from, confine
from agent.values import Json

__all__ = ["make", "prepare"]

_enforced: dict[str, str] = {}


def prepare(*, site: str, allowed: dict[str, Any]) -> None:
    """Before there is a second thread, and before any code of the module.

    :param site: what the bundle brought; imported after the standard library and what is installed here.
    :param allowed: see `Allowed`.
    """
    sys.dont_write_bytecode = True
    _enforced.update(confine(allowed_from(allowed)))
    sys.path.append(site)


def make(*, target: str, config: dict[str, Any]) -> Confined:
    """Make what is served.

    :param target: `package.module:factory`
    :param config: arguments of the factory.
    """
    module, _, factory = target.partition(":")
    return Confined(getattr(importlib.import_module(module), factory)(**config))


class Confined:
    """What the factory made, with what is enforced added to its report."""

    def __init__(self, served: Any) -> None:
        self._served = served
        self.methods: tuple[str, ...] = tuple(served.methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._served, name)

    def report(self) -> Mapping[str, Json]:
        """Of the module, which may leave its own out."""
        report = getattr(self._served, "report", None)
        told: dict[str, Json] = dict(report()) if report else {}
        return {**told, "enforced": {**_enforced}, "methods": list(self.methods), "pid": os.getpid()}

    def close(self) -> None:
        """Of the module, which may leave it out."""
        close = getattr(self._served, "close", None)
        if close:
            close()
