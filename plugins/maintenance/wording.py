"""How figures and times are written, the same in every finding."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.api import Said, say

__all__ = ["at", "joined", "number", "with_unit"]


def number(value: float) -> str:
    """Four significant digits, without an exponent where that can be read."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6:
        places = max(0, 3 - len(str(int(abs(value)))) + (1 if abs(value) >= 1 else 4))
        text = f"{float(f'{value:.4g}'):.{min(places, 7)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    """`4.5 mm/s`."""
    return f"{number(value)} {unit}".rstrip()


def at(seconds: float, *, dated: bool = True) -> str:
    """Wall clock to the minute; seconds from the beginning where nobody knows when that was."""
    if not dated:
        return f"{number(seconds)} s"
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):
        return f"{number(seconds)} s"


def joined(name: str, said: Said) -> Said:
    """A sentence about a signal, with its name before it."""
    return say(f"{name}:{said['zh']}", f"{name}: {said['en']}")
