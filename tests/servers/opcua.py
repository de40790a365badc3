"""An OPC UA server for tests: asyncua's own, in a process of its own, which can be killed, frozen and started again.

Namespace `urn:test:plant` holds an object Plant with a variable of each type, 500 counters, and a level alarm whose
conditions are told as events. Writing true to `Fire` raises the alarm, false clears it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asyncua import Server, ua
from asyncua.crypto.permission_rules import User
from asyncua.server.user_managers import UserManager, UserRole

from tests.servers.certificates import Certificates
from tests.servers.debian import free_port
from tests.servers.process import ServerProcess, listens

NAMESPACE = "urn:test:plant"
APPLICATION = "urn:test:watchkeeper"
START_SECONDS = 90.0  # it builds thousands of nodes first, and test machines are busy
VARIABLES: dict[str, tuple[Any, ua.VariantType]] = {
    "Power": (False, ua.VariantType.Boolean), "Speed": (0.0, ua.VariantType.Double),
    "Level": (0.0, ua.VariantType.Float), "Small": (0, ua.VariantType.Byte), "Count": (0, ua.VariantType.Int16),
    "Large": (0, ua.VariantType.UInt64), "Recipe": ("none", ua.VariantType.String), "Mode": (1, ua.VariantType.Int32),
}  # fmt: skip


class OpcUa(ServerProcess):
    """One server."""

    def __init__(self, tls: Certificates | None, password: str) -> None:
        self.port = free_port()
        self.address = f"opc.tcp://127.0.0.1:{self.port}/plant"
        self._tls = tls
        self._password = password

    def start(self) -> None:
        options = ["--port", str(self.port)]
        if self._tls:
            options += ["--certificate", str(self._tls.server), "--key", str(self._tls.server_key)]
        if self._password:
            options += ["--password", self._password]
        self._run_module("tests.servers.opcua", options, lambda: listens(self.port), START_SECONDS)


@contextmanager
def running_opcua(*, tls: Certificates | None = None, password: str = "") -> Iterator[OpcUa]:
    """A server; with certificates it takes encrypted connections only.

    :param password: of the only user, `operator`.
    :raises ServerMissing: it does not start.
    """
    server = OpcUa(tls, password)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class _Users(UserManager):
    def __init__(self, password: str) -> None:
        self._password = password

    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        if not self._password or (username == "operator" and password == self._password):
            return User(role=UserRole.User)
        return None


class _Level:
    """The level alarm: state, events, methods."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.node: Any = None
        self._shelving: Any = None
        self._event: Any = None
        self._state = {"active": False, "acked": True, "confirmed": True, "shelved": 0.0}
        self._id = b""

    async def make(self, index: int, parent: Any) -> None:
        self.node = await parent.add_object(
            ua.NodeId("LevelAlarm", index), ua.QualifiedName("LevelAlarm", index), ua.ObjectIds.AlarmConditionType,
            instantiate_optional=False,
        )  # fmt: skip
        self._shelving = await self.node.add_object(
            ua.NodeId("LevelAlarm.Shelving", index), ua.QualifiedName("ShelvingState", 0)
        )
        self._event = await self._server.get_event_generator(ua.ObjectIds.AlarmConditionType)
        for name, kind in (
            ("ActiveState/Id", ua.VariantType.Boolean), ("AckedState/Id", ua.VariantType.Boolean),
            ("ConfirmedState/Id", ua.VariantType.Boolean), ("ShelvingState/UnshelveTime", ua.VariantType.Double),
            ("ShelvingState/CurrentState/Id", ua.VariantType.NodeId),
        ):  # fmt: skip
            self._event.event.add_property(name, None, kind)
        ids = ua.ObjectIds
        for number, method in (
            (ids.AcknowledgeableConditionType_Acknowledge, self._acknowledge),
            (ids.AcknowledgeableConditionType_Confirm, self._confirm),
            (ids.ShelvedStateMachineType_TimedShelve, self._shelve),
            (ids.ShelvedStateMachineType_Unshelve, self._unshelve),
            (ids.ConditionType_ConditionRefresh, self._refresh),
        ):
            self._server.link_method(self._server.get_node(ua.NodeId(ua.Int32(number))), method)

    async def fire(self, active: bool) -> None:
        self._state.update(active=active)
        if active:
            self._state.update(acked=False, confirmed=False)
        await self._tell()

    async def _tell(self) -> None:
        event, state = self._event.event, self._state
        event.NodeId = self.node.nodeid
        event.SourceName, event.Severity = "Tank", 700
        event.BranchId = ua.NodeId()
        vars(event).update({
            "ActiveState/Id": state["active"], "AckedState/Id": state["acked"], "ConfirmedState/Id": state["confirmed"],
            "ShelvingState/UnshelveTime": state["shelved"],
            "ShelvingState/CurrentState/Id": ua.NodeId(ua.Int32(
                ua.ObjectIds.ShelvedStateMachineType_TimedShelved if state["shelved"]
                else ua.ObjectIds.ShelvedStateMachineType_Unshelved)),
        })  # fmt: skip
        self._event.event.Message = ua.LocalizedText("level high")
        await self._event.trigger()
        self._id = event.EventId.Value if isinstance(event.EventId, ua.Variant) else event.EventId

    async def _acknowledge(self, parent: Any, event: ua.Variant, comment: ua.Variant) -> Any:
        return await self._answered(event, "acked")

    async def _confirm(self, parent: Any, event: ua.Variant, comment: ua.Variant) -> Any:
        return await self._answered(event, "confirmed")

    async def _answered(self, event: ua.Variant, what: str) -> Any:
        if event.Value != self._id:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadEventIdUnknown))
        if self._state[what]:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadConditionBranchAlreadyAcked))
        self._state[what] = True
        await self._tell()
        return []

    async def _shelve(self, parent: Any, milliseconds: ua.Variant) -> Any:
        if parent != self._shelving.nodeid:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadNodeIdInvalid))
        self._state["shelved"] = milliseconds.Value
        await self._tell()
        return []

    async def _unshelve(self, parent: Any) -> Any:
        self._state["shelved"] = 0.0
        await self._tell()
        return []

    async def _refresh(self, parent: Any, subscription: ua.Variant) -> Any:
        await self._tell()
        return []


async def _serve(port: int, certificate: str, key: str, password: str) -> None:
    server = Server(user_manager=_Users(password))
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/plant")
    if certificate:
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        await server.set_application_uri(APPLICATION)
        await server.load_certificate(certificate)
        await server.load_private_key(key)
    else:
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.register_namespace("urn:test:other")
    index = await server.register_namespace(NAMESPACE)
    plant = await server.nodes.objects.add_object(ua.NodeId("Plant", index), ua.QualifiedName("Plant", index))
    for name, (value, kind) in VARIABLES.items():
        await (await plant.add_variable(ua.NodeId(name, index), name, value, kind)).set_writable()
    speed = server.get_node(ua.NodeId("Speed", index))
    await speed.add_property(index, "EURange", ua.Range(Low=0.0, High=50.0))
    await speed.add_property(index, "EngineeringUnits", ua.EUInformation(DisplayName=ua.LocalizedText("Hz")))
    await plant.add_variable(ua.NodeId("Many", index), "Many", [1, 2, 3], ua.VariantType.Int32)
    await plant.add_variable(ua.NodeId("Fixed", index), "Fixed", 7, ua.VariantType.Int32)
    for number in range(500):
        await plant.add_variable(ua.NodeId(f"C{number}", index), f"C{number}", number, ua.VariantType.Int32)
    fire = await plant.add_variable(ua.NodeId("Fire", index), "Fire", False, ua.VariantType.Boolean)
    await fire.set_writable()
    alarm = _Level(server)
    await alarm.make(index, plant)
    burning = False
    async with server:
        while True:
            await asyncio.sleep(0.02)
            wanted = await fire.read_value()
            if wanted != burning:
                burning = wanted
                await alarm.fire(burning)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int)
    for name in ("--certificate", "--key", "--password"):
        arguments.add_argument(name, default="")
    given = arguments.parse_args()
    asyncio.run(_serve(given.port, given.certificate, given.key, given.password))
