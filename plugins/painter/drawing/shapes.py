"""Shapes of the drawing as SVG text, all in one hand: a soft outline in a darker tone of what it surrounds.

The canvas is 1000 × 1000. A shape is a string; shapes are joined in the order in which they lie over each other.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "CANVAS",
    "LINE",
    "blob",
    "circle",
    "clipped",
    "dot",
    "ellipse",
    "group",
    "limb",
    "mirrored",
    "mix",
    "outline",
    "path",
    "stroke",
]  # fmt: skip

CANVAS = 1000
LINE = 9
"""Width of every outline."""
_INK = "#4a3a3a"
"""What outlines lean towards."""


def mix(first: str, second: str, share: float) -> str:
    """A colour between two.

    :param share: of the second one, 0 to 1.
    """
    pairs = zip(_parts(first), _parts(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def outline(fill: str) -> str:
    """The colour of the line around a fill."""
    return mix(fill, _INK, 0.46)


def path(d: str, fill: str, *, line: str | None = None, width: float = LINE, opacity: float = 1) -> str:
    """A closed shape with its outline; `line=""` has none."""
    return f'<path d="{d}" fill="{fill}"{_line(fill, line, width)}{_opacity(opacity)}/>'


def stroke(d: str, color: str, *, width: float = LINE, opacity: float = 1) -> str:
    """An open line with round ends."""
    return (
        f'<path d="{d}" fill="none" stroke="{color}" stroke-width="{width:g}" stroke-linecap="round" '
        f'stroke-linejoin="round"{_opacity(opacity)}/>'
    )


def ellipse(
    x: float, y: float, rx: float, ry: float, fill: str, *, line: str | None = None, turn: float = 0, opacity: float = 1
) -> str:
    """An ellipse about its middle.

    :param turn: degrees clockwise.
    """
    turned = f' transform="rotate({turn:g} {x:g} {y:g})"' if turn else ""
    return (
        f'<ellipse cx="{x:g}" cy="{y:g}" rx="{rx:g}" ry="{ry:g}" fill="{fill}"'
        f"{_line(fill, line, LINE)}{_opacity(opacity)}{turned}/>"
    )


def circle(x: float, y: float, r: float, fill: str, *, line: str | None = None, opacity: float = 1) -> str:
    """A circle."""
    return ellipse(x, y, r, r, fill, line=line, opacity=opacity)


def dot(x: float, y: float, r: float, fill: str, opacity: float = 1) -> str:
    """A circle without outline."""
    return ellipse(x, y, r, r, fill, line="", opacity=opacity)


def blob(points: Sequence[tuple[float, float]], fill: str, *, line: str | None = None, opacity: float = 1) -> str:
    """A closed soft shape through points: each is passed smoothly (Catmull-Rom as Bézier curves)."""
    count, d = len(points), f"M{points[0][0]:g},{points[0][1]:g}"
    for n in range(count):
        before, start, end, after = (points[(n + k) % count] for k in (-1, 0, 1, 2))
        one = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        two = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        d += f"C{one[0]:.1f},{one[1]:.1f} {two[0]:.1f},{two[1]:.1f} {end[0]:g},{end[1]:g}"
    return path(d + "Z", fill, line=line, opacity=opacity)


def limb(d: str, fill: str, width: float) -> str:
    """An arm, a tail: a thick line with the outline around it."""
    return stroke(d, outline(fill), width=width + 2 * LINE) + stroke(d, fill, width=width)


def group(content: str, transform: str) -> str:
    """Shapes moved together."""
    return f'<g transform="{transform}">{content}</g>'


def mirrored(content: str) -> str:
    """The same on the other side of the middle."""
    return group(content, f"translate({CANVAS} 0) scale(-1 1)")


def clipped(content: str, within: str, name: str) -> str:
    """Shapes cut off at the edge of others.

    :param name: of this clip, once in a drawing.
    """
    return f'<clipPath id="{name}">{within}</clipPath><g clip-path="url(#{name})">{content}</g>'


def _line(fill: str, line: str | None, width: float) -> str:
    if line == "":
        return ""
    return f' stroke="{line or outline(fill)}" stroke-width="{width:g}" stroke-linejoin="round"'


def _opacity(opacity: float) -> str:
    return "" if opacity == 1 else f' opacity="{opacity:g}"'


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
