"""Figures as a report writes them: with as many digits as mean something."""

from __future__ import annotations

from agent.values import Said, say

__all__ = ["lasting", "number", "rough"]


def number(value: float) -> str:
    """Something that was measured."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def rough(value: float) -> str:
    """A mean, where more digits would pretend something."""
    return f"{value:.0f}" if abs(value) >= 20 else f"{value:.2g}"


def lasting(hours: float) -> Said:
    """A mean duration in a unit that suits it."""
    if hours < 1:
        return say(f"{rough(hours * 60)} 分钟", f"{rough(hours * 60)} min")
    return say(f"{rough(hours)} 小时", f"{rough(hours)} h")
