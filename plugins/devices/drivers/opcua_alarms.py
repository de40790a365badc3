"""Alarms of an OPC UA server (Part 9): heard as events, acknowledged, confirmed and shelved by their methods.

An acknowledgement names the event that was heard last, so that one that nobody has seen yet is never acknowledged. An
alarm is shelved for a time that ends, never for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from asyncua import Client, ua
from asyncua.common.subscription import Subscription

from plugins.devices.drivers.driver import WrongValue

__all__ = ["Alarm", "Alarms"]

COMMENT = "watchkeeper"
FIELDS = (
    "EventId", "SourceName", "Message", "Severity", "ActiveState/Id", "AckedState/Id", "ConfirmedState/Id",
    "ShelvingState/UnshelveTime", "ShelvingState/CurrentState/Id", "BranchId",
)  # fmt: skip
MILLISECONDS = 1_000.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was heard last of a condition."""

    event: bytes
    parts: dict[str, object]
    """As `opcua_nodes.ALARM_PARTS` names them, as they stood on the wire."""
    heard: float
    """On `time.monotonic`'s clock."""


class Alarms:
    """The conditions of one session."""

    def __init__(self, client: Client, heard: Callable[[ua.NodeId, Alarm], None]) -> None:
        self._client = client
        self._heard = heard
        self._last: dict[ua.NodeId, Alarm] = {}

    def last(self, condition: ua.NodeId) -> Alarm | None:
        return self._last.get(condition)

    async def listen(self, subscription: Subscription) -> None:
        """Hear alarms from now on, and those that stand already.

        :raises ua.UaError: the server has no events.
        """
        await subscription.subscribe_events(evfilter=_filter(), where_clause_generation=False)
        await self._refresh(subscription.subscription_id)

    async def _refresh(self, subscription_id: int | None) -> None:
        """Have the server tell all standing alarms again; servers that cannot do so tell them when they change."""
        conditions = self._client.get_node(ua.NodeId(ua.Int32(ua.ObjectIds.ConditionType)))
        method = ua.NodeId(ua.Int32(ua.ObjectIds.ConditionType_ConditionRefresh))
        with suppress(ua.UaStatusCodeError):
            await conditions.call_method(method, ua.Variant(subscription_id, ua.VariantType.UInt32))

    def event_notification(self, event: Any) -> None:
        """From asyncua, for each event."""
        fields = vars(event)
        condition, identity = fields.get("NodeId"), fields.get("EventId")
        branch = fields.get("BranchId")
        if not isinstance(condition, ua.NodeId) or condition.is_null() or not isinstance(identity, bytes):
            return
        if isinstance(branch, ua.NodeId) and not branch.is_null():
            return  # an earlier occurrence that still waits for somebody; the trunk is what is so now
        message, left = fields.get("Message"), fields.get("ShelvingState/UnshelveTime")
        parts: dict[str, object] = {
            "active": fields.get("ActiveState/Id"), "acknowledged": fields.get("AckedState/Id"),
            "confirmed": fields.get("ConfirmedState/Id"), "severity": fields.get("Severity"),
            "message": message.Text if isinstance(message, ua.LocalizedText) else message,
            "shelved": _seconds_left(fields.get("ShelvingState/CurrentState/Id"), left),
        }  # fmt: skip
        alarm = Alarm(identity, parts, time.monotonic())
        self._last[condition] = alarm
        self._heard(condition, alarm)

    async def write(self, condition: ua.NodeId, part: str, value: bool | float | str, most_seconds: float) -> None:
        """Acknowledge, confirm, shelve or take back.

        :raises WrongValue: it cannot be done; nothing was sent.
        :raises ua.UaError: see the driver.
        """
        if part == "shelved":
            await self._shelve(condition, value, most_seconds)
            return
        if value is not True:
            raise WrongValue(f"that an alarm is {part} cannot be taken back")
        last = self._last.get(condition)
        if last is None:
            raise WrongValue("no event of this alarm was heard yet, so there is nothing to stand for")
        number = (
            ua.ObjectIds.AcknowledgeableConditionType_Acknowledge
            if part == "acknowledged"
            else ua.ObjectIds.AcknowledgeableConditionType_Confirm
        )
        await self._client.get_node(condition).call_method(
            ua.NodeId(ua.Int32(number)),
            ua.Variant(last.event, ua.VariantType.ByteString),
            ua.Variant(ua.LocalizedText(COMMENT), ua.VariantType.LocalizedText),
        )

    async def _shelve(self, condition: ua.NodeId, value: bool | float | str, most_seconds: float) -> None:
        if isinstance(value, bool | str) or not 0 <= value <= most_seconds:
            raise WrongValue(f"an alarm is shelved for 0 to {most_seconds:g} s, not {value!r}")
        machine = self._client.get_node(condition)
        with suppress(ua.UaStatusCodeError):  # conditions need not stand among the nodes; then their own id is taken
            machine = await machine.get_child("0:ShelvingState")
        if value == 0:
            await machine.call_method(ua.NodeId(ua.Int32(ua.ObjectIds.ShelvedStateMachineType_Unshelve)))
        else:
            await machine.call_method(
                ua.NodeId(ua.Int32(ua.ObjectIds.ShelvedStateMachineType_TimedShelve)),
                ua.Variant(value * MILLISECONDS, ua.VariantType.Double),
            )


def _seconds_left(state: object, left: object) -> float | None:
    if isinstance(state, ua.NodeId) and state.Identifier == ua.ObjectIds.ShelvedStateMachineType_Unshelved:
        return 0.0
    return left / MILLISECONDS if isinstance(left, int | float) and not isinstance(left, bool) else None


def _filter() -> ua.EventFilter:
    """Which fields of an event are sent; the condition's own node is an attribute of its type."""
    result = ua.EventFilter()
    whose = ua.NodeId(ua.Int32(ua.ObjectIds.BaseEventType))
    clauses = []
    for path in FIELDS:
        clause = ua.SimpleAttributeOperand()
        clause.TypeDefinitionId = whose
        clause.BrowsePath = [ua.QualifiedName(name, 0) for name in path.split("/")]
        clause.AttributeId = ua.AttributeIds.Value
        clauses.append(clause)
    own = ua.SimpleAttributeOperand()
    own.TypeDefinitionId = ua.NodeId(ua.Int32(ua.ObjectIds.ConditionType))
    own.AttributeId = ua.AttributeIds.NodeId
    result.SelectClauses = [*clauses, own]
    return result
