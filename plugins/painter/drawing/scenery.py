"""Pieces of which places are made: sky, hills, trees, clouds, flowers. Paler than the animals, and softer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from plugins.painter.drawing.shapes import blob, dot, ellipse, group, mix, outline, path, stroke

__all__ = [
    "bush", "cloud", "fir", "flake", "grass", "hill", "mushroom", "plain", "shell", "shine", "sky", "small_flower",
    "star", "sun", "tree",
]  # fmt: skip

_SOFT = 0.55
"""How far outlines of far things lean back to their fill."""


def soft(fill: str) -> str:
    """The outline of something in the background."""
    return mix(outline(fill), fill, _SOFT)


def sky(top: str, bottom: str) -> str:
    """The whole canvas, from one colour to another."""
    return (
        f'<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{bottom}"/></linearGradient>'
        '<rect width="1000" height="1000" fill="url(#sky)"/>'
    )


def plain(y: float, color: str) -> str:
    """Level ground from a height down."""
    return f'<rect x="0" y="{y:g}" width="1000" height="{1000 - y:g}" fill="{color}"/>'


def hill(points: Sequence[tuple[float, float]], color: str) -> str:
    """Ground under a soft line from the left edge to the right one."""
    d = f"M-20,1020V{points[0][1]:g}"
    for (x, y), (after, next_y) in itertools.pairwise(points):
        middle = (x + after) / 2
        d += f"C{middle:g},{y:g} {middle:g},{next_y:g} {after:g},{next_y:g}"
    return path(d + "V1020Z", color, line=soft(color), width=7)


def cloud(x: float, y: float, size: float, color: str = "#ffffff") -> str:
    """A cloud about a point."""
    d = "M-110,40C-150,40 -160,-14 -116,-22C-112,-70 -50,-84 -24,-54C2,-92 78,-84 84,-32C128,-34 138,36 96,40Z"
    return group(path(d, color, line=mix(color, "#9fb4c8", 0.35), width=6), f"translate({x} {y}) scale({size:g})")


def sun(x: float, y: float, r: float = 66) -> str:
    """The sun with a soft ring."""
    return dot(x, y, r * 1.6, "#fdf0b8", 0.45) + dot(x, y, r * 1.28, "#fce7a0", 0.6) + dot(x, y, r, "#f9da84")


def tree(x: float, y: float, size: float, color: str) -> str:
    """A round tree standing on a point."""
    trunk = path("M-20,0L-14,-130H14L20,0Z", "#c2a186", line=soft("#c2a186"), width=6)
    crown = blob([(0, -330), (86, -296), (116, -214), (80, -130), (0, -112), (-80, -130), (-116, -214), (-86, -296)],
                 color, line=soft(color))  # fmt: skip
    lit = ellipse(-34, -250, 36, 26, mix(color, "#ffffff", 0.35), line="", turn=-30)
    return group(trunk + crown + lit, f"translate({x} {y}) scale({size:g})")


def fir(x: float, y: float, size: float, color: str, *, snow: bool = False) -> str:
    """A fir standing on a point."""
    trunk = path("M-16,0V-60H16V0Z", "#b99a82", line=soft("#b99a82"), width=6)
    tiers = ""
    for low, high, wide in ((-40, -170, 110), (-120, -240, 90), (-195, -310, 66)):
        bend, middle = wide * 0.4, (low + high) / 2
        shape = (
            f"M{-wide},{low}Q0,{low + 26} {wide},{low}Q{bend:g},{middle:g} 0,{high}Q{-bend:g},{middle:g} {-wide},{low}Z"
        )
        tiers += path(shape, color, line=soft(color), width=6)
        if snow:
            far, near, low_edge = round(wide * 0.42, 1), round(wide * 0.2, 1), high + 62
            tip = (
                f"M{-far},{low_edge}Q{-near},{high + 44} 0,{low_edge}Q{near},{high + 80} {far},{low_edge}"
                f"Q{near},{high + 24} 0,{high}Q{-near},{high + 24} {-far},{low_edge}Z"
            )
            tiers += path(tip, "#fdfeff", line="")
    return group(trunk + tiers, f"translate({x} {y}) scale({size:g})")


def bush(x: float, y: float, size: float, color: str) -> str:
    """A low bush on a point."""
    d = "M-120,0C-150,-60 -90,-100 -60,-84C-40,-130 40,-130 58,-84C96,-100 150,-56 120,0Z"
    return group(path(d, color, line=soft(color), width=6), f"translate({x} {y}) scale({size:g})")


def grass(x: float, y: float, color: str) -> str:
    """A tuft."""
    blades = "".join(
        stroke(f"M{dx},0Q{dx + lean},-22 {dx + lean * 2},-40", color, width=9)
        for dx, lean in ((-14, -6), (0, 0), (14, 6))
    )
    return group(blades, f"translate({x} {y})")


def small_flower(x: float, y: float, color: str, *, stem: float = 46, size: float = 1) -> str:
    """A flower with its stem, rooted at a point."""
    petals = "".join(group(ellipse(0, -15, 11, 14, color, line=soft(color)), f"rotate({72 * n})") for n in range(5))
    head = group(petals + dot(0, 0, 10, "#fae29a"), f"translate(0 {-stem - 14})")
    leaf = stroke(f"M0,0V{-stem}M0,{-stem * 0.3:g}Q16,{-stem * 0.4:g} 24,{-stem * 0.62:g}", "#8fbb84", width=7)
    return group(leaf + head, f"translate({x} {y}) scale({size:g})")


def mushroom(x: float, y: float, size: float = 1) -> str:
    """A red mushroom with white dots."""
    foot = path("M-20,0Q-26,-40 -18,-58H18Q26,-40 20,0Q0,10 -20,0Z", "#fbf1e2", line=soft("#e8d6c0"), width=6)
    cap = path(
        "M-66,-50C-60,-110 -26,-126 0,-126C26,-126 60,-110 66,-50Q0,-32 -66,-50Z",
        "#e9968c",
        line=soft("#c87468"),
        width=6,
    )
    dots = dot(-28, -80, 12, "#fff8ee") + dot(18, -96, 10, "#fff8ee") + dot(34, -66, 9, "#fff8ee")
    return group(foot + cap + dots, f"translate({x} {y}) scale({size:g})")


def star(x: float, y: float, r: float, color: str = "#fdf2c4") -> str:
    """A small four-pointed star."""
    return group(
        path("M0,-1Q0.16,-0.16 1,0Q0.16,0.16 0,1Q-0.16,0.16 -1,0Q-0.16,-0.16 0,-1Z", color, line=""),
        f"translate({x} {y}) scale({r:g})",
    )


def flake(x: float, y: float, r: float) -> str:
    """A snowflake."""
    arms = "".join(
        group(
            stroke(
                f"M0,0V{-r}M0,{-r * 0.6:g}l{-r * 0.25:g},{-r * 0.25:g}M0,{-r * 0.6:g}l{r * 0.25:g},{-r * 0.25:g}",
                "#ffffff",
                width=5,
            ),
            f"rotate({60 * n})",
        )
        for n in range(6)
    )
    return group(arms, f"translate({x} {y})")


def shell(x: float, y: float) -> str:
    """A sea shell lying at a point."""
    fan = path("M0,0C-50,-10 -56,-60 0,-74C56,-60 50,-10 0,0Z", "#f4c3bd", line=soft("#dca39c"), width=6)
    ribs = "".join(stroke(f"M0,-4L{rib},-62", "#dca39c", width=5) for rib in (-22, 0, 22))
    return group(fan + ribs, f"translate({x} {y})")


def shine(x: float, y: float, wide: float, color: str = "#ffffff", opacity: float = 0.8) -> str:
    """A short wave of light on water."""
    return stroke(
        f"M{x},{y}q{wide / 4:g},-12 {wide / 2:g},0q{wide / 4:g},12 {wide / 2:g},0", color, width=8, opacity=opacity
    )
