"""What an animal can hold: in a lifted hand, or before its belly with both."""

from __future__ import annotations

from plugins.painter.drawing.figure import RAISED_HAND
from plugins.painter.drawing.shapes import blob, circle, dot, group, mix, outline, path, stroke
from plugins.painter.drawing.wear import bow_at, star_at

__all__ = ["ball", "balloon", "book", "gift", "icecream", "lollipop", "umbrella", "umbrella_canopy", "wand"]

_X, _Y = RAISED_HAND


def balloon(color: str) -> str:
    """A balloon on a string, from the hand upwards."""
    string = stroke(f"M{_X},{_Y + 34}C{_X + 50},{_Y - 60} 790,420 836,318", "#9a8a86", width=6)
    knot = path("M822,322L836,298L852,322Q837,330 822,322Z", color)
    rim = [(836, 96), (924, 140), (934, 220), (890, 284), (836, 306), (782, 284), (738, 220), (748, 140)]
    return string + knot + blob(rim, color) + stroke("M782,212Q772,160 810,138", "#ffffff", width=15, opacity=0.75)


def umbrella_canopy(color: str) -> str:
    """The roof of an umbrella, behind the head."""
    light = mix(color, "#fffdf8", 0.55)
    hem = "Q944,226 906,262Q868,226 830,262Q794,226 756,262Q718,226 682,262Q644,226 606,262Q568,226 530,262Z"
    whole = path(f"M530,262C540,130 640,60 756,60C872,60 972,130 982,262{hem}", color)
    panel = path("M682,262C690,160 716,100 756,62C796,100 822,160 830,262Q794,226 756,262Q718,226 682,262Z", light)
    left = path("M530,262C540,150 620,80 700,68C640,120 612,180 606,262Q568,226 530,262Z", light)
    right = path("M982,262C972,150 892,80 812,68C872,120 900,180 906,262Q944,226 982,262Z", light)
    return whole + panel + left + right + stroke("M756,60V38", "#9a7b6a", width=12)


def umbrella(color: str) -> str:
    """The stick of an umbrella, in the hand."""
    stick = "M756,246L768,640Q766,676 740,672Q724,666 726,648"
    return stroke(stick, "#7b6459", width=20) + stroke(stick, "#b08f7c", width=9)


def icecream(color: str) -> str:
    """An ice cream in a cone."""
    cone = path("M650,470H770L718,612Q710,626 702,612Z", "#eec48c")
    bars = ("M668,500L726,590", "M704,476L740,548", "M752,500L696,590", "M716,476L682,546")
    grid = "".join(stroke(d, "#cf9d66", width=5) for d in bars)
    rim = [(650, 470), (644, 430), (676, 396), (710, 390), (746, 396), (778, 430), (770, 470), (740, 490), (710, 476)]
    scoops = blob([*rim, (680, 490)], color) + circle(710, 366, 48, mix(color, "#fffdf8", 0.55))
    cherry = circle(716, 312, 17, "#e58a80") + stroke("M716,296Q722,276 738,270", "#8fae7c", width=6)
    return group(cone + grid + scoops + cherry, "translate(64 34)")


def lollipop(color: str) -> str:
    """A swirled sweet on a stick."""
    turns = "M720,404C720,388 742,388 742,408C742,438 696,438 696,404C696,360 768,356 772,410"
    sweet = circle(722, 408, 74, color) + stroke(turns, mix(color, "#fffdf8", 0.7), width=13)
    return group(stroke("M700,612L716,470", "#d9c9bd", width=14) + sweet, "translate(72 26)")


def wand(color: str) -> str:
    """A stick with a star, and sparks around it."""
    sparks = "".join(dot(x, y, r, color) for x, y, r in ((660, 300, 8), (812, 318, 7), (806, 452, 8), (720, 278, 6)))
    whole = stroke("M692,628L728,424", "#b08f7c", width=17) + star_at(734, 376, 76, color) + sparks
    return group(whole, "translate(74 22)")


def ball(color: str) -> str:
    """A beach ball before the belly."""
    light, second = "#fffaf0", mix(color, "#f8df96", 0.72)
    turned = (
        dot(500, 722, 100, color)
        + path("M500,622C446,650 446,794 500,822C400,822 400,622 500,622Z", light, line="")
        + path("M500,622C446,650 446,794 500,822C554,794 554,650 500,622Z", second, line="")
        + path("M500,622C604,640 604,804 500,822C566,780 566,664 500,622Z", light, line="")
        + stroke("M500,622C446,650 446,794 500,822C566,780 566,664 500,622", outline(color), width=5, opacity=0.5)
    )
    ring = f'<circle cx="500" cy="722" r="100" fill="none" stroke="{outline(color)}" stroke-width="9"/>'
    return group(turned + ring + circle(500, 640, 13, light), "rotate(-24 500 722)")


def book(color: str) -> str:
    """An open book before the belly."""
    cover = path("M372,684L500,704L628,684V800L500,824L372,800Z", color)
    pages = path("M388,672Q450,660 500,692Q550,660 612,672V784Q550,774 500,804Q450,774 388,784Z", "#fffaf0")
    lines = "".join(stroke(f"M{x},{y}q34,-6 66,8", "#d8c8bc", width=5) for x in (410, 524) for y in (704, 726, 748))
    return cover + pages + stroke("M500,694V802", "#d8c8bc", width=6) + lines


def gift(color: str) -> str:
    """A wrapped box before the belly."""
    ribbon = mix(color, "#fffdf8", 0.72)
    box = path("M420,706H580V806Q580,818 568,818H432Q420,818 420,806Z", color) + path(
        "M486,706H514V818H486Z", ribbon, line=""
    )
    lid = path("M410,676Q410,666 420,666H580Q590,666 590,676V708H410Z", mix(color, "#fffdf8", 0.18)) + path(
        "M484,668H516V706H484Z", ribbon, line=""
    )
    return box + lid + group(bow_at(ribbon), "translate(500 654) scale(0.62)")
