"""`watchkeeper doctor --security`: what of this box is open, and to whom. It changes nothing.

files      who else on this machine can read or change what the agent believes
network    what listens, and what leaves the box
server     who may reach it, as whom, and what of that others can read on the way
code       plugins and modules: what they may, and what of that this kernel enforces
weights    what is believed without a pinned digest
people     approvals that can be used, commands of which nobody knows the outcome, the trail
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from agent.clock import read_clock
from agent.commands.approvals import open_approvals
from agent.commands.audit import open_trail
from agent.env import Env
from agent.errors import InputError, ModuleError, UpdateError, WatchkeeperError
from agent.hookspecs import Finding
from agent.modules.confine import enforceable
from agent.modules.store import ModuleStore
from agent.plugin_host import PluginHost
from agent.server.security.networks import Networks, is_loopback
from agent.server.security.tokens import TokenBook
from agent.updates.trust import read_root

__all__ = ["examine_security"]

_OTHERS_READ, _OTHERS_WRITE = stat.S_IROTH, stat.S_IWGRP | stat.S_IWOTH
_NOT_ENFORCED = "not enforced"


def examine_security(env: Env, plugins: PluginHost) -> Iterator[Finding]:
    """Look at everything once."""
    yield from _files(env)
    yield from _network(env)
    yield from _server(env)
    yield from _code(env, plugins)
    yield from _weights(env)
    yield from _people(env)


def _files(env: Env) -> Iterator[Finding]:
    home = env.home
    root = os.geteuid() == 0
    yield Finding("user", not root, "root; give the agent a user of its own" if root else f"number {os.geteuid()}")
    readable = _mode(home.folder) & (_OTHERS_READ | stat.S_IXOTH)
    text = f"{home.folder}: everybody on this machine can read questions, answers and the log; chmod 700"
    yield Finding("home", not readable, text if readable else f"{home.folder}: closed to others")
    believed = (
        home.folder, home.config, home.watch_db, home.knowledge_db, home.box_key, home.tokens, home.modules,
        home.updates,
        env.weights.folder, env.log_path,
    )  # fmt: skip
    for path in believed:
        if _mode(path) & _OTHERS_WRITE:
            yield Finding("files", False, f"{path}: others can change what the agent believes; chmod go-w")
        elif _foreign(path):
            yield Finding("files", False, f"{path}: belongs to another user, who can change it; chown it")
    secrets = [home.box_key] + ([home.config] if env.settings.remote.api_key else [])
    for path in secrets:
        if _mode(path) & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding("keys", False, f"{path}: others can read the secret in it; chmod 600")
    if not any(_mode(path) & (stat.S_IRWXG | stat.S_IRWXO) for path in secrets):
        yield Finding("keys", True, "readable by the agent alone")


def _network(env: Env) -> Iterator[Finding]:
    listening = _listening()
    yield Finding("listens", not listening, ", ".join(listening) or "on nothing")
    remote, weights = env.settings.remote, env.settings.weights
    if not remote.enabled:
        yield Finding("leaves the box", True, "no question, answer or photo")
    else:
        photos = "questions, readings and PHOTOS" if remote.send_photos else "questions and readings, no photos"
        yield Finding("leaves the box", not remote.send_photos, f"{photos} go to {remote.url} (remote.enabled)")
        if _plain(remote.url):
            yield Finding(
                "remote", False, f"{remote.url}: whoever is on that network can read and change it; use https"
            )
    fetched = [
        place for place in (weights.hf_url, weights.modelscope_url, env.settings.updates.source) if _plain(place)
    ]
    for place in fetched:
        yield Finding("fetched", True, f"{place}: without https; digests and signatures are checked all the same")
    if env.settings.plant.clock is not None:
        yield Finding("clock", False, f"plant.clock is fixed to {env.settings.plant.clock}; remove it on a real plant")


def _server(env: Env) -> Iterator[Finding]:
    """As it would be started now."""
    settings, tokens = env.settings.server, TokenBook(env.home.tokens)
    at_home = is_loopback(settings.host)
    try:
        known, served = tokens.all(), Networks(settings.networks)
    except InputError as error:
        yield Finding("server", False, str(error))
        return
    place = "this machine alone" if at_home or served.only_loopback else ", ".join(settings.networks)
    yield Finding("server", True, f"`watchkeeper serve` listens on {settings.host}:{settings.port}; serves {place}")
    if known:
        yield Finding("tokens", True, ", ".join(f"{token.name} ({token.role})" for token in known))
    elif at_home:
        text = "none: whoever is on this machine may ask and approve, nobody may administer"
        yield Finding("tokens", True, f"{text}; watchkeeper tokens add NAME --role admin")
    else:
        yield Finding("tokens", False, "none, so it does not start; watchkeeper tokens add NAME --role ask")
    if any(network in ("0.0.0.0/0", "::/0") for network in settings.networks) and not at_home:
        yield Finding("networks", False, "server.networks serves every address there is; name the plant's own")
    if settings.certificate_file is None and not at_home:
        text = "without TLS: tokens and photos can be read on the way; set server.certificate_file and server.key_file"
        yield Finding("TLS", False, text)
    elif settings.key_file is not None and _mode(settings.key_file) & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding("TLS", False, f"{settings.key_file}: others can read the key; chmod 600")


def _code(env: Env, plugins: PluginHost) -> Iterator[Finding]:
    names = ", ".join(plugin.name for plugin in plugins.plugins if not plugin.problem)
    yield Finding("plugins", True, f"{names or 'none'}: those installed with the agent may all that the agent may")
    enforced = enforceable()
    store = ModuleStore(env.home.modules, env.settings.modules)
    for name in store.names():
        yield _module(store, name, enforced)
    weak = [f"{what}: {how}" for what, how in enforced.items() if how.startswith(_NOT_ENFORCED)]
    yield Finding("confinement", not weak, "; ".join(weak) or ", ".join(sorted(set(enforced.values()))))
    try:
        read_root(env.home.updates)
        yield Finding("updates", True, "only what the pinned repository signed")
    except UpdateError as error:
        yield Finding("updates", True, f"none are taken: {error}")


def _module(store: ModuleStore, name: str, enforced: dict[str, str]) -> Finding:
    version = store.choice(name).current
    if not version:
        return Finding(f"module {name}", True, "installed, no version answers")
    try:
        needs = store.verified(name, version).manifest.needs
    except ModuleError as error:
        return Finding(f"module {name}", False, str(error))
    granted = [what for what, given in (("network", needs.network), ("programs", needs.programs)) if given]
    granted += [f"reads {place}" for place in needs.reads] + [f"writes {place}" for place in needs.writes]
    granted += [f"uses {place}" for place in needs.devices]
    open_still = [
        what
        for what, how in enforced.items()
        if how.startswith(_NOT_ENFORCED) and not (what in ("network", "programs") and what in granted)
    ]
    text = f"{version} may: {', '.join(granted) or 'nothing but its own folder'}"
    return Finding(
        f"module {name}", not open_still, text + (f"; not kept from more {', '.join(open_still)}" if open_still else "")
    )


def _weights(env: Env) -> Iterator[Finding]:
    found = 0
    for status in map(env.weights.status, (entry.name for entry in env.weights.catalogue.entries)):
        for file in status.files:
            if file.state == "unpinned":
                found += 1
                text = "its digest is known to nobody; pull it: watchkeeper weights pull"
                yield Finding(f"weights {status.name}", False, f"{file.path.name}: {text} {status.name}")
            elif file.state == "present" and file.pin is not None:
                text = f"{file.path.name}: believed as its first pull brought it; the catalogue pins no digest"
                yield Finding(f"weights {status.name}", True, text)
    for item in env.weights.set_aside():
        found += 1
        yield Finding(f"weights {item.file}", False, f"set aside: {item.reason}")
    if not found:
        yield Finding("weights", True, "every file here has a pinned digest, checked before it is loaded")


def _people(env: Env) -> Iterator[Finding]:
    try:
        with open_approvals(env) as (approvals, commands):
            requests, unsure, spoiled = approvals.waiting(), commands.unsure(), commands.journal.spoiled()
        with open_trail(env) as trail:
            rows, tip = trail.verify(), trail.tip()
    except WatchkeeperError as error:
        yield Finding("audit trail", False, str(error))
        return
    waiting = sum(request.state == "waiting" for request in requests)
    told = f"{waiting} wait for a person, {len(requests) - waiting} can be used now"
    yield Finding("approvals", True, told)
    if unsure:
        text = f"{len(unsure)} were sent, nobody knows whether they arrived; see: watchkeeper approvals list"
        yield Finding("commands", False, text)
    if spoiled:
        yield Finding("journal", False, f"{spoiled} entries of {env.home.watch_db} were spoiled from outside")
    yield Finding("audit trail", True, f"{rows} rows, intact; tip {tip.hash[:12]}… (keep it: watchkeeper audit tip)")
    if not read_clock().boot:
        yield Finding("clock", False, "this system does not say when it was started; approvals trust the wall clock")


def _listening() -> list[str]:
    try:
        found = psutil.Process().net_connections(kind="inet")
    except psutil.Error:
        return ["unknown: this system does not say"]
    return sorted({f"{c.laddr.ip}:{c.laddr.port}" for c in found if c.status == psutil.CONN_LISTEN})


def _plain(url: str) -> bool:
    """Whether what goes there can be read on the way."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname != "localhost"


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _foreign(path: Path) -> bool:
    try:
        return path.stat().st_uid not in (0, os.geteuid())
    except OSError:
        return False
