"""A scene as SVG that stands inside a page: text in the page's own fonts, scaled to the width it gets."""

from __future__ import annotations

from html import escape

from agent.reports.scene import Line, Mark, Polygon, Rect, Scene, Shape, Text, hatching

__all__ = ["to_svg"]


def to_svg(scene: Scene) -> str:
    """The element, without a declaration; every text in it is escaped."""
    body = "".join(_shape(shape) for shape in scene.shapes)
    return (
        f'<svg class="chart" viewBox="0 0 {scene.width:g} {scene.height:g}" role="img" '
        f'aria-label="{_plain(scene.title)}">{body}</svg>'
    )


def _shape(shape: Shape) -> str:
    match shape:
        case Line():
            dash = f' stroke-dasharray="{" ".join(f"{d:g}" for d in shape.dash)}"' if shape.dash else ""
            return (
                f'<polyline points="{_points(shape.points)}" fill="none" stroke="{shape.ink}" '
                f'stroke-width="{shape.width:g}" stroke-linejoin="round"{dash}/>'
            )
        case Polygon():
            return f'<polygon points="{_points(shape.points)}" fill="{shape.fill}" fill-opacity="{shape.opacity:g}"/>'
        case Mark():
            s = shape.size
            corners = ((shape.x - s / 1.6, shape.y - s), (shape.x + s / 1.6, shape.y - s), (shape.x, shape.y))
            return f'<polygon points="{_points(corners)}" fill="{shape.fill}"/>'
        case Rect():
            stroke = f' stroke="{shape.ink}" stroke-width="{shape.line:g}"' if shape.ink else ""
            box = (
                f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
                f'fill="{shape.fill or "none"}" fill-opacity="{shape.opacity:g}"{stroke}/>'
            )
            return box + "".join(_shape(line) for line in hatching(shape)) if shape.hatch else box
        case Text():
            bold = ' font-weight="600"' if shape.bold else ""
            return (
                f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size:g}" fill="{shape.ink}" '
                f'text-anchor="{shape.anchor}"{bold}>{_plain(shape.text)}</text>'
            )


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _plain(text: str) -> str:
    """Escaped, and without characters that XML does not know."""
    return escape("".join(c if c.isprintable() or c == " " else " " for c in text), quote=True)
