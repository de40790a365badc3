"""Green places: forest, garden, farm, playground."""

from __future__ import annotations

from plugins.painter.drawing.scenery import (
    bush,
    cloud,
    fir,
    grass,
    hill,
    mushroom,
    sky,
    small_flower,
    soft,
    sun,
    tree,
)
from plugins.painter.drawing.shapes import circle, ellipse, group, path, stroke

__all__ = ["farm", "farm_front", "forest", "forest_front", "garden", "garden_front", "park"]


def forest() -> str:
    """Round trees and firs."""
    back = "".join(
        tree(x, 720, s, "#c9e2bd") for x, s in ((60, 1.3), (250, 1.1), (420, 1.2), (620, 1.25), (790, 1.1), (960, 1.35))
    )
    ground = hill([(-20, 740), (260, 716), (520, 742), (780, 712), (1020, 736)], "#cbe5b4")
    near = (
        tree(90, 830, 1.7, "#a9d29b")
        + tree(930, 826, 1.8, "#b3d8a0")
        + fir(260, 770, 1.1, "#9cc9a0")
        + fir(770, 766, 1.0, "#a5d0a5")
    )
    return sky("#e2f3e6", "#f6f9e4") + back + ground + near


def forest_front() -> str:
    """Mushrooms and flowers."""
    return (
        mushroom(140, 950, 1.05)
        + mushroom(222, 966, 0.66)
        + grass(330, 970, "#9ac58b")
        + grass(700, 966, "#9ac58b")
        + small_flower(812, 960, "#f6c5cf")
        + small_flower(880, 940, "#fbe3a0")
        + grass(950, 970, "#9ac58b")
    )


def garden() -> str:
    """Flowers before a fence."""
    fence = "".join(
        path(f"M{x},748V596Q{x + 28},556 {x + 56},596V748Z", "#fffaf2", line="#dccdbd", width=6)
        for x in range(-20, 1000, 84)
    ) + "".join(
        f'<rect x="-10" y="{y}" width="1020" height="22" fill="#fffaf2" stroke="#dccdbd" stroke-width="6"/>'
        for y in (630, 694)
    )
    ground = hill([(-20, 744), (300, 724), (640, 746), (1020, 722)], "#cbe7b2")
    beds = "".join(
        small_flower(x, y, color, stem=stem, size=1.35)
        for x, y, color, stem in (
            (60, 830, "#f4b3c6", 60), (140, 850, "#fbe3a0", 46), (210, 810, "#cdbbe8", 66), (280, 840, "#f5bf9c", 44),
            (730, 840, "#fbe3a0", 48), (800, 812, "#f4b3c6", 64), (870, 850, "#bcd8f2", 46), (944, 820, "#cdbbe8", 62),
        )
    )  # fmt: skip
    return (
        sky("#d7eefa", "#f4faec")
        + sun(860, 140, 58)
        + cloud(200, 150, 0.8)
        + cloud(560, 100, 0.5)
        + tree(60, 620, 1.1, "#b7dcaa")
        + tree(930, 620, 1.2, "#c3e2b0")
        + fence
        + ground
        + beds
        + _butterfly(250, 470, "#f7c98e")
        + _butterfly(790, 420, "#d3bff0")
    )


def _butterfly(x: float, y: float, color: str) -> str:
    wing = ellipse(-24, -16, 28, 22, color, line=soft(color), turn=30) + ellipse(
        -18, 18, 19, 16, color, line=soft(color), turn=-24
    )
    return group(
        wing + group(wing, "scale(-1 1)") + stroke("M0,-24V28", "#8d7a74", width=9), f"translate({x} {y}) rotate(14)"
    )


def garden_front() -> str:
    """Flowers at the lower edge."""
    return (
        "".join(
            small_flower(x, 990, color, stem=34, size=1.5)
            for x, color in ((70, "#fbe3a0"), (190, "#f4b3c6"), (850, "#f5bf9c"), (950, "#f4b3c6"))
        )
        + grass(300, 984, "#9ccb8a")
        + grass(720, 986, "#9ccb8a")
    )


def farm() -> str:
    """A barn, hay and a field."""
    barn = path("M660,700V500L770,410L880,500V700Z", "#e7a39a", line=soft("#c98278"), width=7) + path(
        "M640,516L770,404L900,516L884,532L770,436L656,532Z", "#fdf3e6", line="#d9c7ba", width=6
    )
    barn += (
        path("M724,700V580H816V700Z", "#fdf3e6", line="#d9c7ba", width=6)
        + stroke("M728,584L812,696M812,584L728,696", "#e0b6ac", width=7)
        + circle(770, 500, 24, "#fdf3e6", line="#d9c7ba")
    )
    rows = "".join(
        stroke(f"M{x},1000Q{x + (500 - x) * 0.4:g},860 {x + (500 - x) * 0.5:g},760", "#d6cf95", width=10, opacity=0.6)
        for x in (-60, 90, 910, 1060)
    )
    hay = circle(180, 740, 68, "#f2d694", line=soft("#d0b06c")) + stroke(
        "M180,740m-36,0a36,36 0 1 1 30,34", "#d9bb76", width=8
    )
    fence = "".join(stroke(f"M{x},650V740", "#c9a98e", width=16) for x in (330, 430, 560)) + stroke(
        "M300,680H600M300,716H600", "#c9a98e", width=11
    )
    ground = hill([(-20, 690), (300, 712), (660, 688), (1020, 706)], "#d5e8ae") + hill(
        [(-20, 800), (500, 780), (1020, 806)], "#e6e6ae"
    )
    return (
        sky("#d4ecf8", "#f9f6e2")
        + sun(150, 150)
        + cloud(480, 130, 0.7)
        + cloud(860, 190, 0.6)
        + hill([(-20, 620), (300, 560), (640, 630), (1020, 570)], "#dcebc0")
        + tree(60, 690, 0.9, "#b7dcaa")
        + barn
        + fence
        + ground
        + rows
        + hay
    )


def farm_front() -> str:
    """Grass of the field."""
    return (
        grass(120, 970, "#b9c27c")
        + small_flower(220, 972, "#fbe3a0")
        + grass(320, 980, "#b9c27c")
        + grass(720, 976, "#b9c27c")
        + small_flower(820, 972, "#f5bf9c")
        + grass(910, 968, "#b9c27c")
    )


def park() -> str:
    """A slide and a swing."""
    slide = stroke("M70,770V480M170,770V480", "#c9a98e", width=16) + "".join(
        stroke(f"M74,{y}H166", "#c9a98e", width=11) for y in (540, 600, 660, 720)
    )
    slide += path("M54,484V432Q120,380 186,432V484Z", "#f4b9b0", line=soft("#d9938a"), width=7) + path(
        "M180,476C236,500 262,740 350,744V776C236,778 214,560 172,520Z", "#fbe0a2", line=soft("#d9b870"), width=7
    )
    swing = stroke("M690,780L744,450L798,780M962,780L916,450L870,780", "#c9a98e", width=15) + stroke(
        "M736,452H924", "#b9977c", width=19
    )
    swing += stroke("M790,456V664M868,456V664", "#cbbcae", width=6) + path(
        "M774,660H884V684H774Z", "#a9cdea", line=soft("#84add0"), width=6
    )
    ground = hill([(-20, 752), (300, 734), (640, 756), (1020, 730)], "#cbe7b2")
    return (
        sky("#d7eefa", "#f7faea")
        + sun(500, 120, 54)
        + cloud(220, 170, 0.75)
        + cloud(800, 150, 0.85)
        + tree(300, 730, 0.9, "#bfe0ae")
        + tree(640, 730, 1.0, "#c9e5b6")
        + bush(460, 750, 0.7, "#b3d8a4")
        + ground
        + slide
        + swing
    )
