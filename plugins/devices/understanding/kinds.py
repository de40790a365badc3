"""Whether a device is of the kind that was said, by domain, class and what its names say."""

from __future__ import annotations

from plugins.devices.understanding.frames import Target
from plugins.devices.understanding.names import Home
from plugins.devices.values import Device

__all__ = ["any_kind", "of_kind"]

_NAMED_KINDS = ("pump",)
"""Kinds that are no domain: a name says them."""


def of_kind(home: Home, device: Device, noun: str, special: str = "") -> bool:
    """Whether a device is of a kind, by its domain, class and name."""
    domain, _, device_class = noun.partition(".")
    if domain in _NAMED_KINDS:
        return noun in home.kinds[device.id]
    said = {kind for kind in home.kinds[device.id] if kind.startswith("special.")}
    if special and said and f"special.{special}" not in said:
        return False
    if device.domain != domain:
        return device.domain == "binary_sensor" and bool(device_class) and device_class == device.device_class
    if not device_class:
        return True
    return noun in home.kinds[device.id]


def any_kind(home: Home, device: Device, target: Target) -> bool:
    """Of one of the kinds that a word may mean."""
    return any(of_kind(home, device, noun, target.special) for noun in target.nouns)
