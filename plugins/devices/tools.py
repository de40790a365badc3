"""`write_point` and `device_state`. Neither is offered to a model: they are called for what a person ordered or asked
in so many words, as the turn has read it.
"""

from __future__ import annotations

from agent.api import Tool, ToolFailed, ToolResult, tool
from plugins.devices.emitter import Emitter
from plugins.devices.house import House
from plugins.devices.wording import state_line

__all__ = ["DeviceTools"]


def _never(part: str) -> bool:
    return False


class DeviceTools:
    """The tools of one house."""

    def __init__(self, house: House, emitter: Emitter) -> None:
        self._house = house
        self._emitter = emitter

    def tools(self) -> list[Tool]:
        """Both."""
        emitter = self._emitter

        def back(device: str, point: str, value: bool | float | str, unit: str = "") -> bool | None:
            return emitter.read_back({"device": device, "point": point, "value": value, "unit": unit})

        @tool(risk="write", asked=_never, read_back=back, actuator=emitter)
        def write_point(device: str, point: str, value: bool | float | str, unit: str = "") -> ToolResult:
            """Set one point of a device."""
            return emitter.write({"device": device, "point": point, "value": value, "unit": unit})

        @tool(risk="read", asked=_never)
        def device_state(device: str, point: str) -> ToolResult:
            """What a point of a device shows now."""
            return self._state(device, point)

        return [write_point, device_state]

    def _state(self, device_id: str, name: str) -> ToolResult:
        device = self._house.device(device_id)
        point = device.point(name) if device else None
        if device is None or point is None:
            raise ToolFailed(f"{device_id[:60]} {name[:60]}: no such point in the map of devices")
        state = self._house.look(device, point)
        line = state_line(device, point, state, online=self._house.online(device))
        return ToolResult(notes=(line,))
