"""What sensors show now, as series of one value: so that whoever looks at series may look at a sensor on a bus.

A tag is the id of a device (its point `value`, or its only number) or `device.point`. A value of which nobody knows
when it came is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from agent.api import Series
from plugins.devices.house import House
from plugins.devices.values import Device, Point

__all__ = ["series_now"]

_EPOCH = datetime(1970, 1, 1)


def series_now(house: House, tags: Sequence[str], start: datetime, end: datetime) -> Iterator[Series]:
    """The present value of each tag that is a number of a device here, should it be of the span.

    :param start: with `end` a half-open span of the plant's clock.
    :raises InputError: a connection cannot be made as the map and the settings have it.
    """
    for tag in dict.fromkeys(tags):
        found = _point_of(house, tag)
        if found is None:
            continue
        device, point = found
        house.driver(device)
        state = house.look(device, point)
        if isinstance(state.value, bool) or not isinstance(state.value, int | float) or state.at <= 0:
            continue
        moment = datetime.fromtimestamp(state.at, UTC).astimezone(start.tzinfo)
        moment = moment if start.tzinfo is not None else moment.replace(tzinfo=None)
        if start <= moment < end:
            wall = (moment.replace(tzinfo=None) - _EPOCH) / timedelta(seconds=1)
            yield Series(tag, point.unit, np.array([wall]), np.array([float(state.value)]), device.driver, 1)


def _point_of(house: House, tag: str) -> tuple[Device, Point] | None:
    device = house.device(tag)
    if device is not None:
        numbers = [point for point in device.points if point.kind == "number"]
        point = device.point("value") or (numbers[0] if len(numbers) == 1 else None)
        return (device, point) if point is not None and point.kind == "number" else None
    name, _, part = tag.rpartition(".")
    device = house.device(name)
    named = device.point(part) if device is not None else None
    return (device, named) if device is not None and named is not None and named.kind == "number" else None
