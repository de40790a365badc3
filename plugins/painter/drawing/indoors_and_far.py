"""Places of another kind: under water, on the moon, at home, in town."""

from __future__ import annotations

from plugins.painter.drawing.scenery import cloud, hill, shell, sky, soft, star, sun, tree
from plugins.painter.drawing.shapes import blob, circle, dot, ellipse, group, path, stroke
from plugins.painter.drawing.wear import heart_at, star_at

__all__ = ["city", "city_front", "home", "home_front", "sea", "sea_front", "space", "space_front"]


def _fish(x: float, y: float, size: float, color: str) -> str:
    tail = path("M52,0L100,-36Q92,0 100,36Z", color, line=soft(color), width=6)
    body = ellipse(0, 0, 66, 42, color, line=soft(color))
    eye = dot(-30, -8, 10, "#ffffff") + dot(-32, -8, 5, "#5d5660")
    return group(
        tail + body + eye + stroke("M-4,-22Q10,0 -4,22", soft(color), width=6),
        f"translate({x} {y}) scale({size:g} {abs(size):g})",
    )


def _weed(x: float, y: float, tall: float, color: str) -> str:
    return stroke(f"M{x},{y}C{x - 50},{y - tall * 0.3:g} {x + 50},{y - tall * 0.6:g} {x},{y - tall}", color, width=24)


def _bubbles(*places: tuple[float, float, float]) -> str:
    return "".join(
        circle(x, y, r, "#ffffff", line="#d5f0f2", opacity=0.5)
        + dot(x - r * 0.3, y - r * 0.3, r * 0.25, "#ffffff", 0.9)
        for x, y, r in places
    )


def sea() -> str:
    """The bottom of the sea."""
    rays = "".join(
        path(f"M{x},0L{x + 90},0L{x - 60},780L{x - 220},780Z", "#ffffff", line="", opacity=0.16)
        for x in (180, 420, 660, 900)
    )
    floor = hill([(-20, 800), (280, 776), (560, 802), (1020, 770)], "#f3e4c2")
    weeds = (
        _weed(70, 840, 360, "#9bcfae")
        + _weed(130, 850, 240, "#b2dcb8")
        + _weed(930, 840, 340, "#9bcfae")
        + _weed(870, 850, 220, "#b2dcb8")
    )
    coral = stroke("M230,840V720M230,780Q180,760 180,700M230,760Q280,740 276,690", "#f2b1aa", width=26)
    coral += stroke("M770,840V730M770,790Q724,770 722,716M770,770Q812,752 814,706", "#f6cb9c", width=24)
    fish = (
        _fish(150, 300, 1, "#f7c98e")
        + _fish(850, 440, -0.9, "#f2aeb6")
        + _fish(830, 170, -0.7, "#cbb9ea")
        + _fish(210, 520, 0.6, "#f9e09a")
    )
    bubbles = _bubbles(
        (300, 180, 22),
        (330, 110, 14),
        (700, 120, 18),
        (90, 420, 16),
        (940, 300, 22),
        (660, 60, 12),
        (60, 150, 18),
        (920, 580, 14),
    )
    return sky("#a5dbe6", "#d3f0ea") + rays + fish + bubbles + weeds + coral + floor


def sea_front() -> str:
    """Shells and a starfish."""
    return (
        shell(840, 950)
        + star_at(170, 930, 54, "#f3a98c")
        + _bubbles((720, 860, 14), (740, 810, 9))
        + dot(330, 960, 8, "#e2cc9c")
    )


def space() -> str:
    """The moon."""
    stars = "".join(
        star(x, y, r)
        for x, y, r in (
            (80, 90, 18),
            (190, 220, 12),
            (330, 70, 14),
            (470, 130, 10),
            (620, 60, 16),
            (930, 90, 14),
            (950, 330, 16),
            (70, 400, 14),
            (130, 560, 10),
            (900, 520, 12),
            (270, 380, 10),
            (730, 330, 12),
        )
    )
    planet = dot(800, 190, 84, "#f0c9a4") + stroke(
        "M742,166Q800,196 876,160M730,210Q800,240 880,206", "#e3b48a", width=12, opacity=0.8
    )
    ring = stroke("M690,236C640,262 680,290 800,236C920,182 950,140 884,150", "#d9c5ee", width=16)
    earth = (
        circle(190, 150, 74, "#a8d3ec", line="#86b5d6")
        + blob([(150, 110), (190, 98), (212, 126), (186, 150), (156, 148)], "#bfe0b0", line="")
        + blob([(196, 166), (232, 160), (236, 190), (206, 208)], "#bfe0b0", line="")
    )
    rocket = path("M0,-120C44,-80 44,10 34,56H-34C-44,10 -44,-80 0,-120Z", "#fdf6ec", line="#c9bdb8", width=7) + path(
        "M0,-120C24,-98 34,-74 37,-56H-37C-34,-74 -24,-98 0,-120Z", "#ec9c94", line="#c9877f", width=6
    )
    rocket += (
        path("M-34,10L-72,66L-30,56ZM34,10L72,66L30,56Z", "#ec9c94", line="#c9877f", width=6)
        + circle(0, -16, 21, "#a8d3ec", line="#86b5d6")
        + path("M-20,60Q0,130 20,60Z", "#f9d983", line="")
    )
    ground = hill([(-20, 770), (240, 740), (520, 768), (800, 736), (1020, 762)], "#d9d6e6")
    craters = "".join(
        ellipse(x, y, rx, ry, "#c4c0d8", line="#b3aecb")
        for x, y, rx, ry in ((150, 850, 84, 24), (860, 850, 92, 26), (300, 800, 36, 11), (720, 796, 40, 12))
    )
    return (
        sky("#5a5f94", "#9a96c8")
        + stars
        + earth
        + planet
        + ring
        + group(rocket, "translate(885 620) rotate(12)")
        + ground
        + craters
    )


def space_front() -> str:
    """Stones of the moon."""
    return (
        ellipse(150, 960, 60, 24, "#c4c0d8", line="#b3aecb")
        + ellipse(840, 966, 80, 24, "#c4c0d8", line="#b3aecb")
        + ellipse(300, 976, 26, 11, "#c4c0d8", line="#b3aecb")
    )


def home() -> str:
    """A room with a window, a bed and a lamp."""
    wall = '<rect width="1000" height="1000" fill="#f9ebda"/>' + "".join(
        heart_at(x, y, 0.26, "#f5dccb") for x in range(60, 1000, 110) for y in range(70, 720, 130)
    )
    floor = (
        '<rect x="0" y="740" width="1000" height="260" fill="#e6c9a6"/>'
        + "".join(stroke(f"M0,{y}H1000", "#d8b892", width=5) for y in (800, 866, 934))
        + '<rect x="0" y="726" width="1000" height="22" fill="#fdf6ec"/>'
    )
    window = (
        '<rect x="90" y="130" width="270" height="300" rx="24" fill="#cde8f5" stroke="#fffaf2" stroke-width="24"/>'
        + cloud(230, 250, 0.5)
        + stroke("M225,140V420M100,280H350", "#fffaf2", width=14)
    )
    curtains = (
        path("M66,110H150Q150,330 66,470Z", "#f5c2c8", line=soft("#dda0a8"), width=6)
        + path("M384,110H300Q300,330 384,470Z", "#f5c2c8", line=soft("#dda0a8"), width=6)
        + stroke("M50,110H400", "#c9a98e", width=16)
    )
    bed = path(
        "M690,740V520Q690,480 730,480H960Q1000,480 1000,520V740Z", "#d7b795", line=soft("#b8946f"), width=7
    ) + path("M704,690Q704,600 780,600H1010V780H704Z", "#bcd8f0", line=soft("#92b6d6"), width=7)
    bed += (
        blob([(740, 560), (830, 548), (900, 570), (880, 626), (790, 636), (734, 610)], "#fffdf8", line="#d9cfc4")
        + star_at(870, 700, 26, "#fdf2c4", line="")
        + star_at(780, 720, 20, "#fdf2c4", line="")
    )
    picture = (
        '<rect x="740" y="170" width="170" height="150" rx="14" fill="#fffdf8" stroke="#d7b795" stroke-width="14"/>'
        + heart_at(825, 248, 0.9, "#f4b3c6")
    )
    return (
        wall
        + floor
        + window
        + curtains
        + picture
        + bed
        + ellipse(500, 880, 360, 80, "#f2c9c4", line=soft("#d9a49e"))
        + ellipse(500, 880, 290, 60, "#f8dcd6", line="")
    )


def home_front() -> str:
    """Toys on the floor."""
    blocks = "".join(
        f'<rect x="{x}" y="{y}" width="64" height="64" rx="10" fill="{c}" stroke="{soft(c)}" stroke-width="6"/>'
        for x, y, c in ((70, 916, "#a9cdea"), (140, 916, "#f8d98f"), (104, 850, "#f2aea6"))
    )
    return (
        blocks
        + circle(890, 940, 44, "#bfe0ae", line=soft("#93bd86"))
        + stroke("M852,930Q890,950 930,930", "#fffdf8", width=11)
    )


def _house(x: float, low: float, wide: float, tall: float, color: str) -> str:
    top = low - tall
    walls = path(
        f"M{x},{low}V{top + 10}q0,-10 10,-10H{x + wide - 10}q10,0 10,10V{low}Z", color, line=soft(color), width=7
    )
    columns, rows = max(1, int(wide // 70)), int(tall // 90)
    step = wide / columns
    panes = "".join(
        f'<rect x="{x + step * (c + 0.5) - 17:g}" y="{top + 30 + 84 * r:g}" width="34" height="44" rx="7" '
        'fill="#fdf3cf"/>'
        for c in range(columns) for r in range(rows)
    )  # fmt: skip
    return walls + panes


def city() -> str:
    """A street."""
    back = "".join(
        _house(x, 760, w, t, c)
        for x, w, t, c in (
            (-20, 130, 420, "#dfe3ee"),
            (130, 110, 520, "#e4dfec"),
            (720, 120, 480, "#dfe6ea"),
            (880, 140, 560, "#e6e2ee"),
        )
    )
    near = (
        _house(40, 770, 160, 300, "#f3cfc0")
        + _house(230, 770, 130, 220, "#c9dff0")
        + _house(650, 770, 140, 250, "#f6e3b4")
        + _house(810, 770, 170, 330, "#d2e6c6")
    )
    roofs = path("M24,474L120,400L216,474Z", "#e0a194", line=soft("#c08074"), width=7) + path(
        "M634,524L720,456L806,524Z", "#c7a9d6", line=soft("#a88ab8"), width=7
    )
    pavement = '<rect x="0" y="764" width="1000" height="240" fill="#ece6df"/>' + stroke(
        "M0,766H1000", "#d3cac1", width=8
    )
    road = '<rect x="0" y="920" width="1000" height="90" fill="#c9c7cf"/>' + stroke("M0,920H1000", "#b4b1bb", width=7)
    return (
        sky("#d5e9f7", "#f8f1e6")
        + sun(560, 130, 54)
        + cloud(420, 200, 0.7)
        + cloud(720, 110, 0.6)
        + back
        + near
        + roofs
        + pavement
        + road
        + tree(300, 800, 0.62, "#b7dcaa")
        + tree(690, 800, 0.6, "#b7dcaa")
    )


def city_front() -> str:
    """A small car, and the middle of the road."""
    car = path(
        "M-110,0Q-112,-44 -70,-50L-44,-92Q-36,-102 -22,-102H42Q54,-102 62,-92L84,-52Q112,-46 112,0Z",
        "#f2aea6",
        line=soft("#cf837a"),
        width=7,
    )
    car += (
        path("M-48,-54L-30,-84H0V-54ZM14,-84H40L58,-54H14Z", "#dff0fa", line="")
        + circle(-58, 2, 27, "#7d7884")
        + dot(-58, 2, 11, "#e5e1e8")
        + circle(62, 2, 27, "#7d7884")
        + dot(62, 2, 11, "#e5e1e8")
    )
    return stroke("M330,966H450M520,966H640M710,966H830", "#f4f1ec", width=11) + group(car, "translate(150 950)")
