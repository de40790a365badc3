"""What an animal can wear, fitted to its own measures, and what its fur can look like."""

from __future__ import annotations

from plugins.painter.drawing.coats import Coat
from plugins.painter.drawing.figure import BODY, Animal, arm_down
from plugins.painter.drawing.pets import both
from plugins.painter.drawing.shapes import (
    LINE,
    circle,
    clipped,
    dot,
    ellipse,
    group,
    limb,
    mix,
    outline,
    path,
    stroke,
)

__all__ = [
    "boots",
    "bow",
    "bow_at",
    "cape",
    "cape_knot",
    "crown",
    "flower",
    "flower_at",
    "glasses",
    "hat",
    "heart_at",
    "hearts",
    "scarf",
    "skirt",
    "spots",
    "star_at",
    "stripes",
    "sweater",
    "wings",
]  # fmt: skip


def hat(animal: Animal, color: str) -> str:
    """A soft round hat with a brim."""
    dome = path("M402,20C398,-92 440,-128 500,-128C560,-128 602,-92 598,20Z", color)
    band = path("M402,-18C440,-4 560,-4 598,-18L600,18C560,34 440,34 400,18Z", mix(color, "#fffdf8", 0.62))
    brim = path("M330,22C360,-8 420,6 500,6C580,6 640,-8 670,22C676,48 600,62 500,62C400,62 324,48 330,22Z", color)
    return group(dome + band + brim, f"translate(500 {animal.top + 12}) scale(1.12) translate(-500 0)")


def crown(animal: Animal, color: str) -> str:
    """A crown with three points."""
    gold = path("M396,40L376,-70Q374,-86 388,-76L444,-28L490,-104Q500,-116 510,-104L556,-28L612,-76Q626,-86 624,-70"
                "L604,40"
                "C560,58 440,58 396,40Z", color)  # fmt: skip
    gems = dot(500, 8, 17, "#e58a80") + dot(438, 2, 12, "#8fbce6") + dot(562, 2, 12, "#8fbce6")
    balls = circle(500, -112, 14, "#fff4d2") + circle(380, -84, 12, "#fff4d2") + circle(620, -84, 12, "#fff4d2")
    return group(gold + gems + balls, f"translate(0 {animal.top + 2})")


def bow(animal: Animal, color: str) -> str:
    """A bow on one side of the head."""
    if animal.eyes_above:
        return group(bow_at(color), "translate(500 238) scale(0.72)")
    return group(bow_at(color), f"translate(378 {animal.top + 42}) rotate(-24)")


def bow_at(color: str) -> str:
    """A bow about (0, 0), 170 wide."""
    side = path("M0,0C-30,-52 -84,-62 -88,-40C-92,-10 -92,16 -86,42C-76,62 -28,46 0,0Z", color)
    fold = stroke("M-20,-6Q-44,-12 -60,-10", outline(color), width=5)
    return side + fold + group(side + fold, "scale(-1 1)") + ellipse(0, 0, 22, 26, mix(color, "#fffdf8", 0.25))


def flower(animal: Animal, color: str) -> str:
    """A flower behind an ear."""
    x, y = (500, 240) if animal.eyes_above else (626, animal.top + 52)
    return group(flower_at(color, 34), f"translate({x} {y:g})")


def flower_at(color: str, r: float) -> str:
    """A flower about (0, 0) with petals of a radius."""
    petals = "".join(group(ellipse(0, -r * 1.05, r * 0.8, r, color), f"rotate({72 * n})") for n in range(5))
    return petals + circle(0, 0, r * 0.66, "#f8d978")


def glasses(animal: Animal, color: str) -> str:
    """Round glasses before the eyes."""
    dx, y, r = animal.eye_dx, animal.eye_y, min(animal.eye_r + 31, animal.eye_dx - 12)
    lenses = "".join(
        dot(500 + side * dx, y, r, "#dff0fa", 0.42)
        + f'<circle cx="{500 + side * dx:g}" cy="{y:g}" r="{r:g}" fill="none" stroke="{color}" stroke-width="12"/>'
        + stroke(f"M{500 + side * dx - r * 0.5:g},{y - r * 0.3:g}l{r * 0.34:g},{-r * 0.34:g}", "#ffffff", width=7)
        for side in (-1, 1)
    )
    bridge = stroke(f"M{500 - dx + r:g},{y - 6:g}Q500,{y - 22:g} {500 + dx - r:g},{y - 6:g}", color, width=12)
    return lenses + bridge


def scarf(animal: Animal, color: str) -> str:
    """A warm scarf around the neck."""
    second = mix(color, "#fffdf8", 0.5)
    end = path("M414,580L366,706Q392,724 438,720L470,590Z", color) + path(
        "M386,654L376,682Q404,698 446,692L452,664Z", second, line=""
    )
    fringe = "".join(stroke(f"M{376 + 15 * n},{714 + 2 * n}l-4,20", outline(color), width=6) for n in range(5))
    band = path(
        "M362,556C376,536 440,560 500,560C560,560 624,536 638,556C652,592 596,622 500,622C404,622 348,592 362,556Z",
        color,
    )
    marks = "".join(
        stroke(f"M{x},{y}l{lean},44", second, width=13) for x, y, lean in ((442, 568, -6), (500, 572, 0), (558, 568, 6))
    )
    return fringe + end + band + marks


def boots(animal: Animal, color: str) -> str:
    """A pair of rain boots."""
    sole = mix(color, "#5a4650", 0.5)
    boot = path("M376,782Q430,798 484,782L488,850Q490,884 452,886H372Q338,884 344,856Q350,834 376,826Z", color)
    shaft = path("M370,774Q430,792 490,774L488,800Q430,818 372,800Z", mix(color, "#fffdf8", 0.45))
    ground = path("M342,866H489V880Q486,894 462,894H368Q344,892 342,866Z", sole)
    shine = stroke("M398,836Q378,844 374,856", "#ffffff", width=7, opacity=0.8)
    return both(boot + shaft + ground + shine)


def skirt(animal: Animal, color: str) -> str:
    """A flared skirt."""
    light = mix(color, "#fffdf8", 0.5)
    hem = "Q348,838 384,818Q416,844 446,822Q474,846 500,824Q526,846 554,822Q584,844 616,818Q652,838 690,806"
    cloth = path(f"M372,668C350,720 330,760 310,806{hem}C670,760 650,720 628,668Q500,700 372,668Z", color)
    waist = path("M366,654Q500,690 634,654L638,682Q500,718 362,682Z", light)
    dots = "".join(
        dot(x, y, 9, light)
        for x, y in ((392, 760), (446, 780), (500, 748), (554, 780), (608, 760), (446, 730), (554, 730))
    )
    return cloth + dots + waist


def sweater(animal: Animal, color: str) -> str:
    """A knitted sweater; its sleeves are drawn with the arms."""
    light = mix(color, "#fffdf8", 0.5)
    rows = "".join(
        stroke("M320," + str(y) + "".join(f"q16,{-18 if n % 2 else 18} 32,0" for n in range(12)), light, width=11)
        for y in (640, 686, 732)
    )
    hem = stroke("M320,776Q500,812 680,776", light, width=26)
    cloth = f'<rect x="300" y="480" width="400" height="306" fill="{color}"/>' + rows + hem
    return clipped(cloth, path(BODY, color, line=""), "sweater") + path(
        "M344,778Q500,818 656,778", "none", line=outline(color)
    ) + f'<path d="{BODY}" fill="none" stroke="{outline(color)}" stroke-width="{LINE}"/>'  # fmt: skip


def cape(animal: Animal, color: str) -> str:
    """A cape, as far as it is seen behind the body."""
    hem = "Q300,882 346,856Q400,892 450,862Q500,892 550,862Q600,892 654,856Q700,882 748,846"
    d = f"M420,556C330,600 284,740 252,846{hem}C716,740 670,600 580,556Z"
    folds = "".join(
        stroke(f"M{x},640Q{low - 8},760 {low},842", outline(color), width=6, opacity=0.6)
        for x, low in ((352, 318), (648, 682))
    )
    return path(d, color) + folds


def cape_knot(animal: Animal, color: str) -> str:
    """What of the cape is seen at the neck."""
    band = path(
        "M372,556C386,536 440,560 500,560C560,560 614,536 628,556C636,580 590,600 500,600C410,600 364,580 372,556Z",
        color,
    )
    return band + circle(500, 594, 22, "#f5d77c")


def wings(animal: Animal, color: str) -> str:
    """Two feathered wings on the back."""
    d = (
        "M430,610C380,500 250,410 170,446C120,470 132,530 168,548C140,570 152,622 196,630C182,660 206,700 252,696"
        "C252,728 296,748 336,728C372,744 410,720 430,690Z"
    )
    feathers = "".join(
        stroke(line, outline(color), width=6, opacity=0.55)
        for line in ("M168,548Q230,556 280,548", "M196,630Q250,626 296,606", "M252,696Q296,684 330,654")
    )
    return both(path(d, color) + feathers)


def heart_at(x: float, y: float, size: float, color: str, *, line: str | None = "") -> str:
    """A heart about a point."""
    heart = path(
        "M0,44C-60,0 -56,-44 -26,-46C-10,-46 0,-34 0,-24C0,-34 10,-46 26,-46C56,-44 60,0 0,44Z", color, line=line
    )
    return group(heart, f"translate({x} {y}) scale({size:g})")


def star_at(x: float, y: float, r: float, color: str, *, line: str | None = None) -> str:
    """A soft star about a point."""
    ends = (
        "M0,-1C0.12,-0.5 0.3,-0.38 0.95,-0.31C0.5,0.02 0.36,0.2 0.59,0.81C0.2,0.55 -0.2,0.55 -0.59,0.81"
        "C-0.36,0.2 -0.5,0.02 -0.95,-0.31C-0.3,-0.38 -0.12,-0.5 0,-1Z"
    )
    return group(path(ends, color, line=line, width=LINE / r), f"translate({x} {y}) scale({r:g})")


def stripes(color: str) -> str:
    """Stripes for body and head."""
    bows = "".join(stroke(f"M300,{y}Q500,{y + 46} 700,{y}", color, width=24, opacity=0.85) for y in range(580, 860, 58))
    tops = "".join(
        stroke(f"M{x},{220}Q{x + lean},{290} {x + lean * 2},{340 - abs(lean) * 2}", color, width=20, opacity=0.85)
        for x, lean in ((424, 8), (500, 0), (576, -8))
    )
    sides = both(
        "".join(stroke(f"M300,{y}Q340,{y + 12} 372,{y + 2}", color, width=18, opacity=0.85) for y in (372, 420, 468))
    )
    return bows + tops + sides


_PLACES = (
    (404, 590, 22), (470, 640, 28), (560, 600, 25), (600, 690, 28), (410, 700, 27), (500, 730, 25), (570, 790, 27),
    (430, 800, 25), (640, 770, 18), (360, 770, 18), (410, 288, 24), (500, 272, 21), (590, 296, 25), (340, 352, 20),
    (664, 366, 20), (326, 470, 18), (668, 480, 18), (400, 520, 15), (604, 522, 15),
)  # fmt: skip


def spots(color: str) -> str:
    """Round spots for body and head."""
    return "".join(dot(x, y, r, color, 0.85) for x, y, r in _PLACES)


def hearts(color: str) -> str:
    """Little hearts for body and head."""
    return "".join(heart_at(x, y, r / 38, color) for x, y, r in _PLACES)


def sleeve(color: str, coat: Coat, skin: str) -> str:
    """The hanging arm in a sleeve."""
    return arm_down(skin) + limb("M396,616C360,644 344,682 350,712", color, 54)
