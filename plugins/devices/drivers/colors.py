"""Colors between the person's #rrggbb and the wire: hue and saturation, CIE 1931 xy, red green blue.

A color is a hue at full brightness: brightness is a point of its own. The matrices are those of sRGB (IEC 61966-2-1).
"""

from __future__ import annotations

import colorsys
import re

from agent.api import Json
from plugins.devices.drivers.connecting import finite

__all__ = ["color_distance", "from_wire", "to_wire"]

HEX = re.compile(r"#?([0-9a-fA-F]{6})")


def to_wire(color: str, form: str) -> Json:
    """:param color: #rrggbb
    :param form: hex, rgb, hs or xy
    :raises ValueError: no such color or form.
    """
    red, green, blue = _parts(color)
    if form == "hex":
        return {"hex": f"#{red:02x}{green:02x}{blue:02x}"}
    if form == "rgb":
        return {"r": red, "g": green, "b": blue}
    if form == "hs":
        hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
        return {"h": round(hue * 360, 2), "s": round(saturation * 100, 2)}
    if form == "xy":
        x, y = _xy(red / 255, green / 255, blue / 255)
        return {"x": round(x, 4), "y": round(y, 4)}
    raise ValueError(f"no form of color {form!r}")


def from_wire(value: Json, form: str = "") -> str | None:
    """#rrggbb of whatever form a device tells it in; None where it is none.

    :param form: xy, where two bare numbers are those and not hue and saturation.
    """
    if isinstance(value, str):
        if match := HEX.fullmatch(value.strip()):
            return f"#{match[1].lower()}"
        return _from_list([part.strip() for part in value.split(",")], form)
    if isinstance(value, list):
        return _from_list(list(value), form)
    if not isinstance(value, dict):
        return None
    if "hex" in value:
        return from_wire(value["hex"]) if isinstance(value["hex"], str) else None
    for names in (("r", "g", "b"), ("h", "s"), ("hue", "saturation"), ("x", "y")):
        found = [finite(value.get(name)) for name in names]
        numbers = [number for number in found if number is not None]
        if len(numbers) == len(names):
            return _from_xy(*numbers) if names[0] == "x" else _from_list([*numbers])
    return None


def color_distance(one: str, other: str) -> float:
    """How far two colors are apart, 0 to 1: in hue and saturation, for devices show brightness as they like.

    :raises ValueError: one is no #rrggbb.
    """
    (h1, s1, _), (h2, s2, _) = (colorsys.rgb_to_hsv(*(part / 255 for part in _parts(c))) for c in (one, other))
    turn = abs(h1 - h2)
    return float(max(abs(s1 - s2), 2 * min(turn, 1 - turn) * min(s1, s2)))


def _parts(color: str) -> tuple[int, int, int]:
    match = HEX.fullmatch(color.strip())
    if match is None:
        raise ValueError(f"{color[:20]!r} is no color; write #rrggbb")
    number = int(match[1], 16)
    return number >> 16, number >> 8 & 255, number & 255


def _from_list(parts: list[Json], form: str = "") -> str | None:
    """Three numbers are red, green and blue, two are hue and saturation."""
    numbers = [number for part in parts if (number := finite(part)) is not None]
    if len(numbers) != len(parts):
        return None
    if len(numbers) == 3 and all(0 <= number <= 255 for number in numbers):
        return "#" + "".join(f"{round(number):02x}" for number in numbers)
    if len(numbers) == 2 and form == "xy":
        return _from_xy(*numbers)
    if len(numbers) == 2 and 0 <= numbers[0] <= 360 and 0 <= numbers[1] <= 100:
        return _shown(*colorsys.hsv_to_rgb(numbers[0] / 360 % 1, numbers[1] / 100, 1.0))
    return None


def _xy(red: float, green: float, blue: float) -> tuple[float, float]:
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue))
    x = 0.4124 * r + 0.3576 * g + 0.1805 * b
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = 0.0193 * r + 0.1192 * g + 0.9505 * b
    total = x + y + z
    return (x / total, y / total) if total else (0.3127, 0.3290)


def _from_xy(x: float, y: float) -> str | None:
    if not (0 <= x <= 1 and 0 < y <= 1):
        return None
    big_x, big_z = x / y, (1 - x - y) / y
    linear = (
        3.2406 * big_x - 1.5372 - 0.4986 * big_z,
        -0.9689 * big_x + 1.8758 + 0.0415 * big_z,
        0.0557 * big_x - 0.2040 + 1.0570 * big_z,
    )
    most = max(linear)
    if most <= 0:
        return None
    parts = [max(0.0, part / most) for part in linear]
    return _shown(*(12.92 * p if p <= 0.0031308 else 1.055 * p ** (1 / 2.4) - 0.055 for p in parts))


def _shown(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, part)) * 255):02x}" for part in (red, green, blue))
