"""The drawings of a report as vectors of a PDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from agent.reports.glyphs import FONT, shown_as
from agent.reports.scene import Line, Mark, Polygon, Rect, Scene, Shape, Text, hatching

__all__ = ["Library", "pdf_drawing"]


class Library(Protocol):
    """What is used of reportlab here."""

    Flowable: Any
    color: Callable[[str], Any]


def pdf_drawing(lib: Library, scene: Scene) -> Any:
    """A flowable that draws a scene at its own size."""

    class Drawing(lib.Flowable):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.width, self.height = scene.width, scene.height

        def draw(self) -> None:
            for shape in scene.shapes:
                _draw(self.canv, lib, shape, scene.height)

    return Drawing()


def _draw(canvas: Any, lib: Library, shape: Shape, height: float) -> None:
    canvas.saveState()
    match shape:
        case Line():
            canvas.setStrokeColor(lib.color(shape.ink))
            canvas.setLineWidth(shape.width)
            canvas.setLineJoin(1)
            canvas.setDash(list(shape.dash))
            _path(canvas, shape.points, height, close=False)
        case Polygon():
            canvas.setFillColor(lib.color(shape.fill))
            canvas.setFillAlpha(shape.opacity)
            _path(canvas, shape.points, height, close=True)
        case Mark():
            s = shape.size
            corners = ((shape.x - s / 1.6, shape.y - s), (shape.x + s / 1.6, shape.y - s), (shape.x, shape.y))
            canvas.setFillColor(lib.color(shape.fill))
            _path(canvas, corners, height, close=True)
        case Rect():
            if shape.fill:
                canvas.setFillColor(lib.color(shape.fill))
                canvas.setFillAlpha(shape.opacity)
            if shape.ink:
                canvas.setStrokeColor(lib.color(shape.ink))
                canvas.setLineWidth(shape.line)
            edge = bool(shape.ink) and shape.line > 0
            canvas.rect(
                shape.x, height - shape.y - shape.height, shape.width, shape.height, int(edge), int(bool(shape.fill))
            )
        case Text():
            canvas.setFillColor(lib.color(shape.ink))
            canvas.setFont(FONT, shape.size)
            draw = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
            draw[shape.anchor](shape.x, height - shape.y, shown_as(shape.text))
    canvas.restoreState()
    if isinstance(shape, Rect) and shape.hatch:
        for line in hatching(shape):
            _draw(canvas, lib, line, height)


def _path(canvas: Any, points: tuple[tuple[float, float], ...], height: float, *, close: bool) -> None:
    path = canvas.beginPath()
    for number, (x, y) in enumerate(points):
        (path.lineTo if number else path.moveTo)(x, height - y)
    if close:
        path.close()
    canvas.drawPath(path, stroke=0 if close else 1, fill=1 if close else 0)
