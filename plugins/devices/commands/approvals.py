"""`watchkeeper devices approvals`: hear signed answers to what waits, over a broker, until it is stopped."""

from __future__ import annotations

import time
from contextlib import closing

import typer

from agent.api import Env, InputError
from agent.approval_messages import load_secrets
from agent.commands.ask import build_agent
from agent.settings import ConnectionSettings
from plugins.devices.approving import ApprovalDesk
from plugins.devices.drivers.connecting import pauses
from plugins.devices.drivers.mqtt_link import Link

__all__ = ["serve_approvals"]

_TURN_SECONDS = 1.0


def serve_approvals(context: typer.Context) -> None:
    """Let people approve over MQTT: what waits is told, and signed answers are carried out.

    Example: watchkeeper devices approvals
    """
    env: Env = context.obj
    settings = env.settings.approvals
    connection = _connection(env)
    secrets = load_secrets(settings.persons, least_bytes=settings.least_secret_bytes)
    with closing(build_agent(env, context.meta["plugins"])) as agent:
        agent.recover()
        desk = ApprovalDesk(agent.approvals, settings, secrets, agent.run_approved)
        typer.echo(f"hears {desk.answer_topic} on {connection.address}; stop with Ctrl-C")
        waits = pauses(env.settings.drivers)
        while True:
            link = Link(settings.connection, connection, env.settings.drivers, desk.heard)
            try:
                if _is_connected(link, env):
                    waits = pauses(env.settings.drivers)
                    _serve(desk, link)
            finally:
                link.close()
            time.sleep(next(waits))


def _serve(desk: ApprovalDesk, link: Link) -> None:
    link.subscribe([desk.answer_topic])
    while not link.ended.is_set():
        for done in desk.turn_to(link, seconds=_TURN_SECONDS):
            typer.echo(done.line["en"])


def _is_connected(link: Link, env: Env) -> bool:
    try:
        link.start()
    except OSError:
        return False
    return link.wait_up(env.settings.drivers.connect_seconds)


def _connection(env: Env) -> ConnectionSettings:
    name = env.settings.approvals.connection
    found = env.settings.drivers.connections.get(name)
    if found is None or found.kind != "mqtt":
        raise InputError(
            "[approvals] connection names no broker; set it to the name of an mqtt connection of [drivers.connections]"
        )
    return found
