"""Animals of the house and the farm."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.painter.drawing.coats import INK, Coat
from plugins.painter.drawing.figure import (
    Animal,
    cheeks,
    light_belly,
    nothing,
    plain_body,
    round_head,
    smile,
)
from plugins.painter.drawing.shapes import (
    blob,
    circle,
    dot,
    ellipse,
    group,
    limb,
    mirrored,
    mix,
    outline,
    path,
    stroke,
)

__all__ = ["CAT", "COW", "DOG", "MOUSE", "PIG", "RABBIT", "SHEEP"]


def grown(content: str, x: float, y: float, size: float) -> str:
    """An ear of another size, from where it is attached."""
    return content if size == 1 else group(content, f"translate({x} {y}) scale({size:g}) translate({-x} {-y})")


def both(left: str) -> str:
    """A part on both sides."""
    return left + mirrored(left)


def whiskers(color: str) -> str:
    """Three on each side."""
    return both("".join(stroke(f"M352,{458 + 20 * n}L282,{446 + 26 * n}", color, width=5) for n in range(3)))


def nose(coat: Coat, y: float = 452, rx: float = 22, ry: float = 15) -> str:
    """A small soft nose."""
    return ellipse(500, y, rx, ry, coat.nose, line="") + dot(494, y - 5, 4.5, "#ffffff", 0.6)


def muzzle(color: str, y: float = 478, rx: float = 82, ry: float = 56) -> str:
    """The light field around nose and mouth."""
    return ellipse(500, y, rx, ry, color, line="")


def _cat_ears(coat: Coat, size: float) -> str:
    outer = path("M330,352C312,262 316,196 338,166Q346,156 358,162C408,184 446,216 474,254Z", coat.main)
    inner = path("M352,300C342,250 344,220 354,204C386,218 414,240 432,262Z", coat.inner, line="")
    return both(grown(outer + inner, 356, 300, 1 + (size - 1) * 0.84))


def _cat_marks(coat: Coat) -> str:
    lines = [("500", 248, 312), ("452", 256, 300), ("548", 256, 300)]
    return "".join(stroke(f"M{x},{top}V{low}", coat.dark, width=17) for x, top, low in lines)


def _cat_face(coat: Coat) -> str:
    small = path("M478,442Q500,434 522,442Q516,462 500,466Q484,462 478,442Z", "#e88d92", line="")
    return muzzle(coat.light) + cheeks(coat) + whiskers(outline(coat.main)) + small + smile(y=470)


def _cat_tail(coat: Coat) -> str:
    d = "M610,800C730,812 792,742 760,668C742,628 768,600 796,606"
    return limb(d, coat.main, 44) + stroke("M776,606Q786,603 796,606", coat.dark, width=40)


CAT = Animal(
    Coat("#f5c793", "#fff3e3", "#dd9f68"),
    round_head,
    _cat_ears,
    _cat_face,
    plain_body,
    light_belly,
    _cat_tail,
    marks=_cat_marks,
)


def _dog_ears(coat: Coat, size: float) -> str:
    ear = blob([(372, 268), (300, 300), (268, 400), (284, 500), (330, 512), (362, 440), (382, 350)], coat.dark)
    return both(grown(ear, 360, 285, 1 + (size - 1) * 0.62))


def _dog_marks(coat: Coat) -> str:
    return blob([(556, 330), (620, 340), (644, 410), (606, 462), (552, 444), (532, 380)], coat.dark, line="")


def _dog_face(coat: Coat) -> str:
    tongue = path("M482,498Q500,488 518,498L516,530Q500,548 484,530Z", "#f09aa0")
    return (
        muzzle(coat.light, 476, 92, 64)
        + cheeks(coat, 470, 140)
        + tongue
        + nose(coat, 446, 32, 23)
        + stroke("M500,468V482", INK, width=7)
        + smile(y=482, wide=42)
    )


DOG = Animal(
    Coat("#efd6b4", "#fffaf0", "#b98a66"),
    round_head,
    _dog_ears,
    _dog_face,
    plain_body,
    light_belly,
    lambda coat: limb("M615,780C690,780 740,730 752,668", coat.dark, 42),
    marks=_dog_marks,
    ears_over=True,
    eye_r=24,
)


def _rabbit_ears(coat: Coat, size: float) -> str:
    outer = ellipse(424, 172, 50, 122, coat.main, turn=-9)
    inner = ellipse(425, 180, 25, 88, coat.inner, line="", turn=-9)
    wide, long = 1 + (size - 1) * 0.9, 1 + (size - 1) * 0.16
    return both(group(outer + inner, f"translate(424 270) scale({wide:g} {long:g}) translate(-424 -270)"))


def _rabbit_face(coat: Coat) -> str:
    teeth = path("M486,492H514V512Q500,518 486,512Z", "#ffffff", line="#c8b4ac", width=5) + stroke(
        "M500,494V512", "#c8b4ac", width=4
    )
    pink = ellipse(500, 452, 18, 13, "#ec97a0", line="")
    return muzzle(coat.light, 480, 76, 50) + cheeks(coat) + teeth + pink + smile(y=470)


RABBIT = Animal(
    Coat("#f4ebe5", "#ffffff", "#d9c4ba"),
    round_head,
    _rabbit_ears,
    _rabbit_face,
    plain_body,
    light_belly,
    lambda coat: circle(652, 778, 46, coat.light),
)


def _mouse_ears(coat: Coat, size: float) -> str:
    return both(grown(circle(318, 262, 104, coat.main) + dot(322, 266, 72, coat.inner), 370, 310, size))


def _mouse_face(coat: Coat) -> str:
    pink = circle(500, 456, 22, "#ee9aa3")
    return muzzle(coat.light, 484, 70, 48) + cheeks(coat) + whiskers(outline(coat.main)) + smile(y=484, wide=26) + pink


MOUSE = Animal(
    Coat("#cdc6cd", "#f7f2f2", "#9b929c"),
    round_head,
    _mouse_ears,
    _mouse_face,
    plain_body,
    light_belly,
    lambda coat: limb("M612,808C700,836 790,806 782,730C776,680 822,672 836,694", "#efb3b6", 16),
)


def _pig_ears(coat: Coat, size: float) -> str:
    outer = path("M352,322C308,276 300,222 322,194C380,196 432,222 458,262Z", coat.main)
    inner = path("M358,290C336,262 330,238 336,222C372,226 402,242 420,262Z", coat.inner, line="")
    return both(grown(outer + inner, 366, 300, 1 + (size - 1) * 0.84))


def _pig_face(coat: Coat) -> str:
    snout = mix(coat.main, "#e8838f", 0.34)
    holes = "".join(ellipse(500 + side * 24, 464, 11, 16, outline(snout), line="") for side in (-1, 1))
    return cheeks(coat, 470, 146) + ellipse(500, 464, 74, 52, snout) + holes + smile(y=530, wide=24, color=coat.ink)


PIG = Animal(
    Coat("#f8c3c9", "#fde3e4", "#e59aa6", inner="#eb9fac"),
    round_head,
    _pig_ears,
    _pig_face,
    plain_body,
    light_belly,
    lambda coat: stroke(
        "M630,760C690,742 706,792 674,796C648,796 660,752 706,746C730,744 742,756 744,770", outline(coat.main), width=15
    ),
    ears_over=True,
    eye_y=388,
)


def _cow_ears(coat: Coat, size: float) -> str:
    horn = path("M388,268C362,246 356,212 372,184C392,198 420,222 436,250Z", "#f3e3c0")
    outer = blob([(348, 318), (286, 280), (222, 300), (232, 350), (300, 372), (346, 368)], coat.main)
    inner = blob([(330, 324), (286, 306), (252, 318), (262, 342), (304, 352)], coat.inner, line="")
    return both(horn + grown(outer + inner, 344, 340, size))


def _cow_marks(coat: Coat) -> str:
    return blob(
        [(322, 330), (372, 274), (440, 250), (458, 320), (440, 420), (380, 458), (322, 430)], coat.dark, line=""
    )


def _cow_face(coat: Coat) -> str:
    soft = mix(coat.inner, "#fff4ee", 0.4)
    holes = "".join(ellipse(500 + side * 34, 468, 11, 14, outline(soft), line="") for side in (-1, 1))
    return ellipse(500, 486, 108, 64, soft) + holes + smile(y=506, wide=34)


def _cow_belly(coat: Coat) -> str:
    return (
        blob([(540, 566), (600, 600), (628, 680), (590, 700), (545, 650)], coat.dark, line="")
        + blob([(370, 720), (420, 700), (450, 760), (430, 820), (388, 806)], coat.dark, line="")
    )  # fmt: skip


COW = Animal(
    Coat("#fbf6ef", "#ffffff", "#8d7a74", inner="#f4b9b4"),
    round_head,
    _cow_ears,
    _cow_face,
    plain_body,
    _cow_belly,
    lambda coat: limb("M620,780C700,790 742,740 748,690", coat.main, 18) + ellipse(748, 672, 24, 34, coat.dark),
    marks=_cow_marks,
    eye_y=392,
)


_SKIN = "#f2dac6"


def _fleece(points: Sequence[tuple[float, float]], color: str, r: float) -> str:
    """Curls along a line, as one shape: outlines first, fills over them."""
    behind = "".join(dot(x, y, r + 9, outline(color)) for x, y in points)
    return behind + "".join(dot(x, y, r, color) for x, y in points)


def _sheep_body(coat: Coat) -> str:
    rim = [(400, 606), (352, 672), (340, 746), (372, 808), (444, 838), (520, 842), (592, 826), (642, 780), (660, 706),
           (636, 636), (590, 592)]  # fmt: skip
    return _fleece(rim, coat.main, 50) + path(BODY_IN, coat.main, line="")


BODY_IN = "M500,560C610,560 650,640 650,715C650,800 595,840 500,840C405,840 350,800 350,715C350,640 390,560 500,560Z"


def _sheep_head(coat: Coat) -> str:
    points = [(500, 250), (600, 272), (652, 350), (662, 430), (622, 512), (500, 548)]
    return blob([*points, *[(1000 - x, y) for x, y in reversed(points[1:5])]], _SKIN)


def _sheep_ears(coat: Coat, size: float) -> str:
    outer = blob([(352, 352), (290, 330), (226, 366), (238, 420), (304, 424), (352, 400)], _SKIN)
    inner = blob([(330, 362), (290, 354), (256, 374), (264, 398), (306, 402)], coat.inner, line="")
    return both(grown(outer + inner, 350, 378, size))


def _sheep_crest(coat: Coat) -> str:
    curls = [(380, 292), (436, 252), (500, 240), (564, 252), (620, 292), (468, 286), (532, 286)]
    return _fleece(curls, coat.main, 44)


def _sheep_face(coat: Coat) -> str:
    pink = ellipse(500, 462, 18, 12, "#e59b9b", line="")
    return cheeks(Coat(_SKIN, _SKIN, _SKIN), 466, 112) + pink + smile(y=480, wide=28)


SHEEP = Animal(
    Coat("#fbf6ec", "#ffffff", "#d8c8b8", bill="#f2dac6"),
    _sheep_head,
    _sheep_ears,
    _sheep_face,
    _sheep_body,
    nothing,
    crest=_sheep_crest,
    eyes_on="pale",
    feet="bill",
    eye_dx=70,
    eye_y=412,
    top=214,
)
