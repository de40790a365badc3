"""How a version proves itself before it answers: it comes up, is well, gives its golden answers, and does not grow.

Order: ready in time → `check_health`, where it is served → every golden call, held against what was recorded → the same
calls again and again, while its memory is watched. The first thing that is not so ends the trial, with the reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.errors import CallCancelled, SwapFailed, WorkerError
from agent.modules.manifest import Golden
from agent.photo import Photo
from agent.settings import ModuleSettings
from agent.workers.process import own_memory_bytes
from agent.workers.shared import SharedBuffer
from agent.workers.supervisor import Supervisor

__all__ = ["complaints_of", "difference", "prove", "wait_until_ready"]

_SLICE_SECONDS = 0.005
_SHOWN_CHARS = 160
_MOST_DEPTH = 40
_NEAR = 1e-6
_HEALTH = "check_health"


def prove(
    supervisor: Supervisor,
    golden: Sequence[Golden],
    settings: ModuleSettings,
    *,
    image: Callable[[str], Photo],
    tolerated: frozenset[str] = frozenset(),
) -> None:
    """Try a worker that is ready.

    :param image: opens a picture of the bundle.
    :param tolerated: findings that the version before complains of too.
    :raises SwapFailed: it did not prove itself; says why.
    """
    until = time.monotonic() + settings.trial_seconds
    pid = supervisor.pid
    try:
        unwell = {name: text for name, text in complaints_of(supervisor, settings).items() if name not in tolerated}
        if unwell:
            raise SwapFailed(f"it is not well: {'; '.join(f'{name}: {text}' for name, text in unwell.items())}")
        calls = [_prepared(one, image) for one in golden]
        for call in calls:
            call.check(supervisor, settings)
        _watch_memory(supervisor, calls, settings, until)
    except CallCancelled:
        raise SwapFailed("it did not answer in time (modules.trial_call_seconds)") from None
    except WorkerError as error:
        raise SwapFailed(str(error)) from None
    if supervisor.pid != pid:
        raise SwapFailed("its process died during the trial")


def wait_until_ready(supervisor: Supervisor, seconds: float) -> None:
    """Wait for the first start.

    :raises SwapFailed: it did not come up; says why.
    """
    until = time.monotonic() + seconds
    while supervisor.state == "starting" and time.monotonic() < until:
        time.sleep(_SLICE_SECONDS)
    if supervisor.state == "starting":
        raise SwapFailed(f"it was not ready after {seconds:g} s (modules.start_seconds)")
    if supervisor.state != "ready":
        try:
            supervisor.call(_HEALTH, {}, deadline=time.monotonic())
        except WorkerError as error:
            raise SwapFailed(f"it does not start: {error}") from None


def complaints_of(supervisor: Supervisor, settings: ModuleSettings) -> dict[str, str]:
    """What a worker finds wrong with itself: name → text; empty where it does not look.

    :raises WorkerError: the call fails.
    :raises SwapFailed: what it says of its health is no list of findings.
    """
    if _HEALTH not in (supervisor.report.get("methods") or ()):
        return {}
    found = supervisor.call(_HEALTH, {}, deadline=time.monotonic() + settings.trial_call_seconds).value
    try:
        return {str(one["name"]): str(one["text"])[:_SHOWN_CHARS] for one in found if not one["ok"]}
    except (TypeError, KeyError):
        raise SwapFailed(f"what it says of its health is no list of findings: {_shown(found)}") from None


class _Prepared:
    """A golden call with its picture loaded."""

    def __init__(self, golden: Golden, arguments: Mapping[str, Any], buffers: Sequence[SharedBuffer]) -> None:
        self._golden = golden
        self._arguments = arguments
        self._buffers = buffers

    def check(self, supervisor: Supervisor, settings: ModuleSettings) -> None:
        """Make it, and hold what comes against what was recorded."""
        golden = self._golden
        begun = time.monotonic()
        deadline = begun + min(golden.seconds or settings.trial_call_seconds, settings.trial_call_seconds)
        result = supervisor.call(golden.method, self._arguments, buffers=self._buffers, deadline=deadline)
        took = time.monotonic() - begun
        if time.monotonic() > deadline:
            raise SwapFailed(f"{golden.method} took {took:.1f} s, longer than it may")
        problem = difference(golden, result.value)
        if problem:
            raise SwapFailed(f"{golden.method}({_shown(golden.arguments)}) {problem}")


def _prepared(golden: Golden, image: Callable[[str], Photo]) -> _Prepared:
    if golden.image is None:
        return _Prepared(golden, golden.arguments, ())
    photo = image(golden.image)
    size = {"width": photo.size[0], "height": photo.size[1]}
    return _Prepared(golden, {**golden.arguments, **size}, [photo.shared] if photo.shared else ())


def _watch_memory(supervisor: Supervisor, calls: Sequence[_Prepared], settings: ModuleSettings, until: float) -> None:
    """Caches fill in the first third of the rounds; what grows after that is taken for a leak."""
    before = 0
    for number in range(settings.trial_rounds):
        if time.monotonic() > until:
            return  # each was checked once; a slow module is watched for fewer rounds
        if number == settings.trial_rounds // 3:
            before = own_memory_bytes(supervisor.pid)
        for call in calls:
            call.check(supervisor, settings)
    growth = own_memory_bytes(supervisor.pid) - before
    if before and growth > settings.trial_growth_bytes:
        raise SwapFailed(
            f"it grew by {growth} bytes while the same calls were repeated "
            f"(modules.trial_growth_bytes is {settings.trial_growth_bytes})"
        )


def difference(golden: Golden, value: Any) -> str:
    """What is wrong with an answer; empty where it is as recorded."""
    if golden.equals is not None and not _equal(golden.equals, value):
        return f"gave {_shown(value)}, and {_shown(golden.equals)} was recorded"
    if golden.contains is not None and not _contains(value, golden.contains):
        return f"gave {_shown(value)}, in which {_shown(golden.contains)} is missing"
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if golden.at_least is not None and (number is None or not number >= golden.at_least):
        return f"gave {_shown(value)}, less than {golden.at_least:g}"
    if golden.at_most is not None and (number is None or not number <= golden.at_most):
        return f"gave {_shown(value)}, more than {golden.at_most:g}"
    return ""


def _equal(wanted: Any, found: Any, depth: int = 0) -> bool:
    """JSON equality; true is not 1, and the last digits of a float do not count."""
    if depth > _MOST_DEPTH or isinstance(wanted, bool) != isinstance(found, bool):
        return False
    if isinstance(wanted, dict) and isinstance(found, dict):
        return wanted.keys() == found.keys() and all(_equal(wanted[k], found[k], depth + 1) for k in wanted)
    if isinstance(wanted, list) and isinstance(found, list):
        pairs = zip(wanted, found, strict=False)
        return len(wanted) == len(found) and all(_equal(a, b, depth + 1) for a, b in pairs)
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return abs(wanted - found) <= _NEAR * max(1.0, abs(wanted))
    return bool(wanted == found)


def _contains(found: Any, wanted: Any, depth: int = 0) -> bool:
    if depth > _MOST_DEPTH:
        return False
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(key in found and _contains(found[key], part, depth + 1) for key, part in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return all(any(_contains(item, part, depth + 1) for item in found) for part in wanted)
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted in found
    return _equal(wanted, found)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
