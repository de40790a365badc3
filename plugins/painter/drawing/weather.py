"""Places under the open sky: beach, snow, mountains, clouds, rain."""

from __future__ import annotations

from plugins.painter.drawing.scenery import (
    bush,
    cloud,
    fir,
    flake,
    grass,
    hill,
    shell,
    shine,
    sky,
    small_flower,
    soft,
    sun,
)
from plugins.painter.drawing.shapes import circle, dot, ellipse, group, path, stroke
from plugins.painter.drawing.wear import star_at

__all__ = [
    "beach",
    "beach_front",
    "clouds",
    "clouds_front",
    "mountains",
    "mountains_front",
    "rain",
    "snow",
    "snow_front",
]


def beach() -> str:
    """Sand, sea and a palm."""
    sail = path("M0,0V-120L84,-16Z", "#fffaf2", line="#d9c7ba", width=6) + path(
        "M-12,-4V-96L-70,-16Z", "#f4b9b0", line="#d9a097", width=6
    )
    boat = group(
        sail + path("M-84,6H98Q86,46 56,48H-46Q-76,46 -84,6Z", "#c99f84", line="#a98269", width=6), "translate(180 520)"
    )
    waves = "".join(
        shine(x, y, wide)
        for x, y, wide in ((60, 610, 90), (300, 590, 70), (700, 600, 100), (860, 650, 80), (90, 680, 80))
    )
    sea = '<rect x="0" y="540" width="1000" height="250" fill="#a9d8e6"/>'
    foam = path("M-20,770C120,720 260,790 420,756C580,724 760,786 1020,742V830H-20Z", "#f6fdff", line="")
    sand = hill([(-20, 796), (240, 770), (520, 796), (780, 766), (1020, 790)], "#f6e3bd")
    palm = stroke("M900,800Q868,640 884,470", "#c2a186", width=34) + "".join(
        group(
            path("M0,0C40,-50 110,-56 160,-10C110,-20 60,-8 0,0Z", "#a3cf96", line=soft("#a3cf96"), width=6),
            f"translate(884 470) rotate({turn})",
        )
        for turn in (-150, -100, -50, -10, 36, 190)
    )
    return (
        sky("#cfeaf6", "#eef8f4")
        + sun(150, 150)
        + cloud(640, 130, 0.8)
        + cloud(380, 210, 0.5)
        + sea
        + waves
        + boat
        + foam
        + sand
        + palm
    )


def beach_front() -> str:
    """A shell and a starfish."""
    return (
        shell(170, 940) + star_at(810, 930, 52, "#f3b98c") + dot(300, 960, 8, "#e5cb9c") + dot(680, 968, 7, "#e5cb9c")
    )


def snow() -> str:
    """Firs, a snowman, falling snow."""
    hills = hill([(-20, 640), (220, 570), (480, 650), (760, 560), (1020, 640)], "#e6f0f8") + hill(
        [(-20, 760), (300, 730), (620, 770), (1020, 726)], "#f4f9fd"
    )
    firs = (
        fir(110, 790, 1.35, "#a4cbbb", snow=True)
        + fir(262, 740, 0.85, "#b2d5c6", snow=True)
        + fir(760, 744, 0.8, "#b2d5c6", snow=True)
    )
    man = circle(890, 780, 74, "#ffffff", line="#bccbda") + circle(890, 676, 52, "#ffffff", line="#bccbda")
    man += (
        dot(872, 668, 6, "#5d5660")
        + dot(908, 668, 6, "#5d5660")
        + path("M890,680L936,688L890,694Z", "#f0a868", line="")
        + stroke("M846,718Q890,742 934,718", "#e9968c", width=17)
    )
    man += dot(890, 764, 7, "#8d8791") + dot(890, 796, 7, "#8d8791")
    flakes = "".join(
        flake(x, y, r)
        for x, y, r in (
            (90, 120, 26),
            (260, 240, 18),
            (380, 90, 20),
            (640, 110, 24),
            (820, 220, 20),
            (930, 90, 26),
            (130, 400, 18),
            (880, 440, 20),
        )
    )
    return sky("#c9dff0", "#e9f3fa") + flakes + hills + firs + man


def snow_front() -> str:
    """Snow before the feet."""
    specks = "".join(
        dot(x, y, r, "#ffffff")
        for x, y, r in (
            (60, 300, 9),
            (200, 520, 8),
            (330, 380, 7),
            (700, 300, 9),
            (800, 560, 8),
            (940, 340, 8),
            (480, 60, 8),
            (590, 200, 7),
        )
    )
    return (
        path("M-20,952C120,918 240,972 380,946C520,924 700,978 1020,934V1020H-20Z", "#ffffff", line="#d3e1ee", width=6)
        + specks
    )


def mountains() -> str:
    """Peaks with snow over a meadow."""

    def peak(x: float, y: float, wide: float, color: str) -> str:
        top = path(
            f"M{x - wide},760L{x - 30},{y + 34}Q{x},{y} {x + 30},{y + 34}L{x + wide},760Z",
            color,
            line=soft(color),
            width=7,
        )
        k = 150 / (726 - y)
        cap = path(
            f"M{x - 30 - (wide - 30) * k:g},{y + 184}Q{x - 50},{y + 150} {x - 18},{y + 196}Q{x + 10},{y + 150} "
            f"{x + 40},{y + 190}Q{x + 64},{y + 156} {x + 30 + (wide - 30) * k:g},{y + 184}"
            f"L{x + 30},{y + 34}Q{x},{y} {x - 30},{y + 34}Z",
            "#fdfeff",
            line="",
        )
        return top + cap

    ranges = peak(240, 250, 330, "#c4cfe0") + peak(800, 210, 360, "#b7c6da") + peak(520, 380, 300, "#d2dae6")
    ground = hill([(-20, 700), (280, 738), (560, 700), (820, 736), (1020, 704)], "#cfe8b6") + hill(
        [(-20, 800), (340, 776), (700, 806), (1020, 780)], "#bfdfa4"
    )
    return (
        sky("#d3e9f7", "#f7f8ec")
        + sun(500, 130, 56)
        + cloud(150, 150, 0.7)
        + cloud(720, 120, 0.6)
        + ranges
        + ground
        + fir(90, 800, 0.8, "#a1cda0")
        + fir(190, 790, 0.6, "#a9d3a6")
        + fir(900, 800, 0.9, "#a1cda0")
    )


def mountains_front() -> str:
    """Flowers of the meadow."""
    return (
        small_flower(120, 960, "#fbe3a0")
        + small_flower(200, 976, "#ffffff")
        + grass(300, 970, "#9ccb8a")
        + grass(740, 968, "#9ccb8a")
        + small_flower(850, 964, "#cdbbe8")
        + small_flower(920, 950, "#f4b3c6")
    )


def clouds() -> str:
    """On the clouds, under a rainbow."""
    arcs = "".join(
        f'<circle cx="500" cy="760" r="{r}" fill="none" stroke="{color}" stroke-width="34" opacity="0.8"/>'
        for r, color in (
            (560, "#f3b5ae"),
            (526, "#f8d2a6"),
            (492, "#faecb4"),
            (458, "#c8e6bd"),
            (424, "#bfdcf3"),
            (390, "#d5c6ee"),
        )
    )
    floor = path(
        "M-40,1020V850C-20,770 80,760 120,806C150,720 300,720 330,796C370,740 470,736 500,790C540,736 640,740 672,796"
        "C704,716 850,724 884,806C930,764 1020,770 1040,850V1020Z",
        "#ffffff",
        line="#c3d5e6",
        width=7,
    )
    birds = "".join(
        stroke(f"M{x},{y}q18,-22 34,0q18,-22 34,0", "#93a7bb", width=8) for x, y in ((120, 470), (200, 420), (800, 440))
    )
    return (
        sky("#bfdff5", "#e9f5fb")
        + sun(130, 130)
        + arcs
        + cloud(870, 150, 0.8)
        + cloud(90, 620, 0.7)
        + cloud(930, 600, 0.8)
        + birds
        + floor
    )


def clouds_front() -> str:
    """Clouds at the lower edge."""
    return path(
        "M-40,1020V960C20,900 120,920 150,958C200,910 300,920 330,966C420,930 560,930 640,968"
        "C680,916 800,914 840,960C890,910 1000,920 1040,960V1020Z",
        "#ffffff",
        line="#d3e1ee",
        width=6,
    )


def rain() -> str:
    """A meadow in the rain."""
    drops = "".join(
        path(f"M{x},{y}q-14,22 -14,32a14,14 0 0 0 28,0q0,-10 -14,-32Z", "#9cc6e6", line="#7fb0d6", width=4)
        for x, y in (
            (70, 330),
            (170, 440),
            (250, 300),
            (330, 180),
            (690, 190),
            (790, 380),
            (880, 300),
            (950, 450),
            (120, 590),
            (860, 600),
            (560, 90),
            (440, 70),
        )
    )
    ground = hill([(-20, 740), (300, 722), (640, 744), (1020, 720)], "#c5dfb4")
    puddles = ellipse(190, 860, 120, 30, "#b5d7ec", line="#93bfdd") + ellipse(
        830, 880, 110, 28, "#b5d7ec", line="#93bfdd"
    )
    clouds = cloud(200, 130, 1.25, "#dbe3ec") + cloud(820, 140, 1.3, "#d4dde8") + cloud(520, 90, 1.0, "#e4eaf1")
    return (
        sky("#c6d6e2", "#e6eff0")
        + clouds
        + bush(110, 750, 0.9, "#aed3a4")
        + bush(900, 745, 1.0, "#b7d9ab")
        + ground
        + puddles
        + drops
    )
