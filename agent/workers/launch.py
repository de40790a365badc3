"""Starts a child: its command line, its environment, and nothing else of this process."""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.settings import WorkerSettings
from agent.values import Json

__all__ = ["WorkerSpec", "child_environment", "launch"]

_ROOT = Path(__file__).parent.parent.parent
"""The folder that holds this package: the child has to find the same one."""
_ALONE = Path(__file__).parent / "alone.py"
_PASSED = re.compile(r"PATH|HOME|LANG|LC_\w+|TMPDIR|OMP_\w+|WATCHKEEPER_\w+")
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL")
_SECRET_VALUE = re.compile(r"://[^/@\s]*:[^/@\s]*@")
"""A URL with a password in it."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What runs in a child process."""

    name: str
    """For messages."""
    target: str
    """`package.module:factory`; `factory(**config)` gives what is served (`agent.workers.child.Served`)."""
    prepare: Mapping[str, Json] | None = None
    """Arguments of the module's function `prepare`, which runs before it is known what to load; None: it has none."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Further variables."""
    interpreter: Path | None = None
    """Another Python, which sees its standard library and this package and nothing else; None is ours."""


def child_environment(environ: Mapping[str, str], further: Mapping[str, str]) -> dict[str, str]:
    """The variables of a child: an allow-list, without what looks like a secret."""
    passed = {
        name: value
        for name, value in environ.items()
        if _PASSED.fullmatch(name) and not _SECRET_NAME.search(name) and not _SECRET_VALUE.search(value)
    }
    if str(_ROOT) not in site.getsitepackages():
        passed["PYTHONPATH"] = str(_ROOT)
    return {**passed, **further}


def launch(spec: WorkerSpec, settings: WorkerSettings, *, descriptor: int, log: int) -> subprocess.Popen[bytes]:
    """Start a child that serves the socket `descriptor`; what it prints goes to `log`.

    Its process group is its own: Ctrl-C reaches the parent alone, and what a child starts can be ended with it.

    :raises OSError: the system starts no more processes.
    """
    told: dict[str, Any] = {
        "descriptor": descriptor,
        "parent": os.getpid(),
        "target": spec.target,
        "prepare": None if spec.prepare is None else dict(spec.prepare),
        "header_bytes": settings.max_header_bytes,
        "attachment_bytes": settings.max_attachment_bytes,
        "limits": {
            "open_files": settings.open_files,
            "address_bytes": settings.max_address_bytes,
            "nice": settings.nice,
        },
    }
    if spec.interpreter is None:
        command = [sys.executable, "-P", "-m", "agent.workers"]
    else:
        command = [str(spec.interpreter), "-I", "-S", str(_ALONE)]
    # -P: what lies in the folder that a person happens to work in is not imported.
    return subprocess.Popen(
        [*command, json.dumps(told)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        close_fds=True,
        pass_fds=(descriptor,),
        env=child_environment(os.environ, spec.environment),
        process_group=0,
    )
