"""The hedgehog and the dinosaur."""

from __future__ import annotations

import math

from plugins.painter.drawing.coats import Coat
from plugins.painter.drawing.figure import (
    Animal,
    cheeks,
    light_belly,
    plain_body,
    round_head,
    smile,
)
from plugins.painter.drawing.pets import both, grown, muzzle, nose
from plugins.painter.drawing.shapes import blob, circle, dot, ellipse, group, mix, outline, path, stroke

__all__ = ["DINOSAUR", "HEDGEHOG"]


def rays(x: float, y: float, inner: float, outer: float, count: int, *, turn: float = 0) -> list[tuple[float, float]]:
    """Points of a star, from its top clockwise."""
    places = []
    for n in range(2 * count):
        angle = math.pi * n / count - math.pi / 2 + turn
        far = outer if n % 2 == 0 else inner
        places.append((round(x + far * math.cos(angle), 1), round(y + far * math.sin(angle), 1)))
    return places


def _hedgehog_mane(coat: Coat) -> str:
    tips = rays(500, 420, 222, 276, 17)
    body = rays(500, 690, 166, 200, 15)
    return blob(body, coat.dark) + blob(tips, coat.dark)


HEDGEHOG = Animal(
    Coat("#f5dfc6", "#fff4e6", "#a98468", inner="#eebfa9"),
    round_head,
    lambda coat, size: both(grown(circle(352, 288, 46, coat.main) + dot(354, 290, 26, coat.inner), 376, 308, size)),
    lambda coat: muzzle(coat.light, 482, 74, 48) + cheeks(coat) + nose(coat, 454, 27, 21) + smile(y=478, wide=28),
    plain_body,
    light_belly,
    mane=_hedgehog_mane,
    marks=lambda coat: path(
        "M322,344C360,262 430,236 500,236C570,236 640,262 678,344L628,322L598,350L560,318L530,350L500,318"
        "L470,350L440,318L402,350L372,322Z", coat.dark, line="",
    ),
    top=236,
)  # fmt: skip


def _dinosaur_mane(coat: Coat) -> str:
    plates = [(500, 196, 0), (410, 214, -24), (590, 214, 24), (336, 270, -48), (664, 270, 48)]
    warm = mix(coat.dark, "#f6bd7e", 0.78)
    return "".join(
        group(path("M-46,62C-42,10 -18,-30 0,-44C18,-30 42,10 46,62Z", warm), f"translate({x} {y}) rotate({turn})")
        for x, y, turn in plates
    )


def _dinosaur_belly(coat: Coat) -> str:
    lines = "".join(
        stroke(
            f"M{424 - n},{672 + n * 42}Q500,{694 + n * 42} {576 + n},{672 + n * 42}", coat.dark, width=6, opacity=0.5
        )
        for n in range(4)
    )
    return light_belly(coat) + lines


DINOSAUR = Animal(
    Coat("#a9d3a2", "#f3f3d0", "#78a987", inner="#d6e7b8"),
    round_head,
    lambda coat, size: "" if size == 1 else both(circle(310, 300, 84, coat.main) + dot(312, 304, 54, coat.inner)),
    lambda coat: (
        cheeks(coat, 468, 138)
        + both(ellipse(478, 448, 6, 8, outline(coat.main), line=""))
        + stroke("M410,486Q500,548 590,486", coat.ink, width=8)
        + path("M446,508L462,530L478,516Z", "#ffffff", line="#c9d2c0", width=4)
        + path("M554,508L538,530L522,516Z", "#ffffff", line="#c9d2c0", width=4)
    ),
    plain_body,
    _dinosaur_belly,
    lambda coat: path("M600,720C690,750 760,800 836,764Q846,776 838,788C770,864 660,862 580,840Z", coat.main),
    mane=_dinosaur_mane,
)
