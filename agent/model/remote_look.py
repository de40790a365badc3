"""What `watchkeeper doctor` says of the plant's model server: whether it answers, as whom, and how soon.

One word is asked of it in the way that a turn asks, since a list of models can be had from a server that has none
loaded, or that refuses this box. It never takes longer than `remote.look_seconds`, whatever the network does; looking
up a name has no limit of its own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import httpx

from agent.env import Env
from agent.errors import ModelError, SettingsError
from agent.hookspecs import Finding
from agent.messages import Message
from agent.model.protocol import ReplyLimits
from agent.model.remote import RemoteModel
from agent.model.remote_link import address_of, open_client, printable
from agent.settings import RemoteSettings

__all__ = ["remote_findings"]

_TITLE = "remote server"
_WORD = "1 + 1 ="
_MEANWHILE = "see that it runs and is reached by remote.url; until then the box's own models answer"
_SHOWN_MODELS = 5
_LIST_BYTES = 200_000
"""Of its list of models, more of which is not read."""
_PATIENCE_SECONDS = 0.25
"""Beyond the time that the look has, for its own way of telling that it is over."""


def remote_findings(env: Env) -> Iterator[Finding]:
    """Ask the server once; nothing where the settings use none."""
    settings = env.settings.remote
    if not settings.enabled:
        return
    found: list[Finding] = []
    look = threading.Thread(target=lambda: found.append(_look(settings)), name="look at the remote", daemon=True)
    look.start()
    look.join(settings.look_seconds + _PATIENCE_SECONDS)
    late = f"{settings.url}: no answer within {settings.look_seconds:.1f} s (remote.look_seconds); {_MEANWHILE}"
    yield found[0] if found else Finding(_TITLE, False, late)


def _look(settings: RemoteSettings) -> Finding:
    deadline = time.monotonic() + settings.look_seconds
    try:
        address = address_of(settings)
        seconds = _asked(settings, deadline)
    except SettingsError as error:
        return Finding(_TITLE, False, f"{error}; {_MEANWHILE}")
    except ModelError as error:
        others = _others(settings, address, deadline)
        told = f"; it has {others}: name one of them in remote.model" if others else ""
        return Finding(_TITLE, False, f"{error}{told}; {_MEANWHILE}")
    others = _others(settings, address, deadline)
    told = f"; it says that it runs {others}" if others else ""
    return Finding(_TITLE, True, f"{address}: {settings.model} answered after {seconds:.2f} s{told}")


def _asked(settings: RemoteSettings, deadline: float) -> float:
    """Seconds until a word of it was here.

    :raises ModelError: it does not answer, or not in time.
    """
    model = RemoteModel(settings)
    begun = time.monotonic()
    try:
        reply = model.reply([Message("user", _WORD)], (), bound=None, limits=ReplyLimits(1, deadline=deadline))
    finally:
        model.close()
    if reply.stopped == "aborted":
        raise ModelError(f"{settings.url}: no word within {settings.look_seconds:.1f} s (remote.look_seconds)")
    return time.monotonic() - begun


def _others(settings: RemoteSettings, address: str, deadline: float) -> str:
    """What it says that it runs, where that is not what the settings name; empty where it does not say."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        return ""
    timeout = httpx.Timeout(seconds, connect=min(seconds, settings.connect_seconds))
    data = b""
    try:
        with (
            open_client(settings) as client,
            client.stream("GET", f"{address}/models", headers={"Accept": "application/json"}, timeout=timeout) as heard,
        ):
            for piece in heard.iter_raw():
                data += piece
                if len(data) > _LIST_BYTES or time.monotonic() > deadline:
                    return ""
        names = [str(model["id"]) for model in json.loads(data)["data"]]
    except (httpx.HTTPError, httpx.StreamError, ValueError, TypeError, LookupError, RecursionError):
        return ""
    if settings.model in names:
        return ""
    return ", ".join(printable(name.encode(errors="replace")) for name in names[:_SHOWN_MODELS])
