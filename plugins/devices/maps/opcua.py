"""A map of devices from what an OPC UA server shows of itself: a draft that a person looks through.

An object with variables is a device, each variable a point with its type, unit and range; an object of an alarm type is
an alarm. Rules: names are untrusted; what is an array or a structure is left out and said; whatever can be written is
`dangerous` until a person says otherwise in the map, for a server does not tell what moves.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asyncua import Client, Node, ua

from agent.api import InputError
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import finite
from plugins.devices.drivers.opcua_link import CONNECTION_ERRORS, connected_client, namespaced
from plugins.devices.drivers.opcua_nodes import ALARM_PARTS, FLOATS, INTEGERS
from plugins.devices.maps.discovery import UNIT_CHARS, Discovered, said, slug
from plugins.devices.values import Area, Device, DeviceMap, Point, PointKind, ReadBack

__all__ = ["browse_server"]

SERVER = ua.ObjectIds.Server
CURRENT_WRITE = 1 << 1
"""Bit of UserAccessLevel (Part 3, 8.57)."""
KINDS: dict[str, PointKind] = {
    "Boolean": "bool", "String": "text", **dict.fromkeys((*INTEGERS, *FLOATS), "number"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    """An object on the way down."""

    node: Node
    name: str
    parent: str
    depth: int


def browse_server(name: str, connection: ConnectionSettings, limits: DriverSettings) -> Discovered:
    """Look through a server.

    :param name: of the connection; the devices' driver.
    :raises InputError: it cannot be reached, or shows more than the limits.
    """
    try:
        return asyncio.run(asyncio.wait_for(_browse(name, connection, limits), limits.browse_seconds))
    except TimeoutError:
        raise InputError(f"connection {name}: {connection.address} took more than drivers.browse_seconds") from None
    except CONNECTION_ERRORS as error:
        raise InputError(f"connection {name}: {connection.address}: {str(error) or type(error).__name__}") from None


async def _browse(name: str, connection: ConnectionSettings, limits: DriverSettings) -> Discovered:
    client = await connected_client(name, connection, limits)
    try:
        return await _Browser(client, name, limits).run()
    finally:
        await client.disconnect()


class _Browser:
    """One look through a server, breadth first, each object once."""

    def __init__(self, client: Client, driver: str, limits: DriverSettings) -> None:
        self._client = client
        self._driver = driver
        self._limits = limits
        self._calls = 0
        self._points = 0
        self._namespaces: Sequence[str] = ()
        self._alarm_types: dict[ua.NodeId, bool] = {}
        self._left_out: list[str] = []

    async def run(self) -> Discovered:
        self._namespaces = await self._client.get_namespace_array()
        devices: dict[str, Device] = {}
        areas: dict[str, Area] = {}
        seen = {ua.NodeId(ua.Int32(SERVER))}
        waiting = deque([_Place(self._client.nodes.objects, "", "", 0)])
        while waiting:
            place = waiting.popleft()
            children = await self._children(place.node)
            for child in children:
                if child.NodeClass == ua.NodeClass.Object and child.NodeId not in seen:
                    seen.add(child.NodeId)
                    if place.depth < self._limits.browse_depth:
                        inner = said(child.DisplayName.Text) or said(child.BrowseName.Name)
                        waiting.append(_Place(self._node(child), inner, place.name, place.depth + 1))
            device = await self._device(place, children) if place.name else None
            if device is None:
                continue
            if device.id in devices:
                self._left_out.append(f"{device.id}: two objects have this id; the second is left out")
                continue
            devices[device.id] = device
            if device.area:
                areas.setdefault(device.area, Area(device.area, (place.parent,)))
        return Discovered(DeviceMap(tuple(devices.values()), tuple(areas.values())), tuple(self._left_out))

    async def _device(self, place: _Place, children: Sequence[ua.ReferenceDescription]) -> Device | None:
        is_alarm = await self._is_alarm(place.node)
        points = list(_alarm_points(namespaced(place.node, self._namespaces))) if is_alarm else []
        for child in children:
            if child.NodeClass == ua.NodeClass.Variable and not is_alarm:
                point = await self._point(place, child)
                if point is not None and all(point.name != known.name for known in points):
                    points.append(point)
        if not points:
            return None
        self._points += len(points)
        if self._points > self._limits.max_discovered_points:
            raise InputError(f"connection {self._driver}: more points than drivers.max_discovered_points")
        written = [point for point in points if point.writable]
        domain = "sensor" if not written else "switch" if all(point.kind == "bool" for point in written) else "number"
        return Device(
            id=slug(namespaced(place.node, self._namespaces).rpartition(";")[2]) or slug(place.name),
            names=(place.name,), domain="alarm" if is_alarm else domain, area=slug(place.parent.lower()),
            points=tuple(points), driver=self._driver, risk="dangerous" if written else "write",
        )  # fmt: skip

    async def _point(self, place: _Place, child: ua.ReferenceDescription) -> Point | None:
        """None where it is nothing that can be shown or set."""
        node = self._node(child)
        name = re.sub(r"\W+", "_", child.BrowseName.Name or "").strip("_").lower()[:60]
        where = f"{place.name}.{name}"
        self._count()
        attributes = (ua.AttributeIds.UserAccessLevel, ua.AttributeIds.ValueRank)
        level, rank = [data.Value.Value if data.Value else None for data in await node.read_attributes(attributes)]
        try:
            self._count()
            kind = KINDS.get((await node.read_data_type_as_variant_type()).name)
        except (ua.UaError, ValueError, AttributeError):
            kind = None
        if not name or kind is None or (isinstance(rank, int) and rank >= 0):
            self._left_out.append(f"{where[:120]}: an array or a type that is neither number, text nor yes and no")
            return None
        low, high, unit = await self._range(node) if kind == "number" else (None, None, "")
        writable = isinstance(level, int) and bool(level & CURRENT_WRITE)
        return Point(
            name, kind, unit, low, high, writable=writable, read_back=ReadBack(name) if writable else None,
            address={"node": namespaced(node, self._namespaces)},
        )  # fmt: skip

    async def _range(self, node: Node) -> tuple[float | None, float | None, str]:
        """EURange and EngineeringUnits, where the server has them (Part 8)."""
        low = high = None
        unit = ""
        for child in await self._children(node):
            if child.BrowseName.Name not in ("EURange", "EngineeringUnits"):
                continue
            self._count()
            try:
                value = await self._node(child).read_value()
            except (ua.UaError, ValueError):
                continue
            if child.BrowseName.Name == "EURange":
                low, high = finite(getattr(value, "Low", None)), finite(getattr(value, "High", None))
            else:
                unit = said(getattr(getattr(value, "DisplayName", None), "Text", None))[:UNIT_CHARS]
        sound = low is not None and high is not None and low < high
        return (low, high, unit) if sound else (None, None, unit)

    async def _is_alarm(self, node: Node) -> bool:
        """Whether its type is one of conditions, by the server's own tree of types."""
        self._count()
        kind = await node.read_type_definition()
        if kind is None:
            return False
        known = self._alarm_types.get(kind)
        if known is not None:
            return known
        at: ua.NodeId = kind
        found = False
        for _ in range(self._limits.browse_depth):
            if at == ua.NodeId(ua.Int32(ua.ObjectIds.ConditionType)):
                found = True
                break
            self._count()
            above = await self._client.get_node(at).get_referenced_nodes(
                ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse
            )
            if not above:
                break
            at = above[0].nodeid
        self._alarm_types[kind] = found
        return found

    async def _children(self, node: Node) -> list[ua.ReferenceDescription]:
        self._count()
        return list(await node.get_children_descriptions())

    def _node(self, child: ua.ReferenceDescription) -> Node:
        return self._client.get_node(child.NodeId)

    def _count(self) -> None:
        """:raises InputError: too many requests."""
        self._calls += 1
        if self._calls > self._limits.max_browse_calls:
            raise InputError(f"connection {self._driver}: more nodes than drivers.max_browse_calls; raise it")


def _alarm_points(condition: str) -> Iterator[Point]:
    for part, kind in ALARM_PARTS.items():
        writable = part in ("acknowledged", "confirmed", "shelved")
        tolerance = 30.0 if part == "shelved" else 0.0
        yield Point(
            part, kind, "s" if part == "shelved" else "", writable=writable,
            read_back=ReadBack(part, tolerance) if writable else None, address={"alarm": condition, "what": part},
        )  # fmt: skip
