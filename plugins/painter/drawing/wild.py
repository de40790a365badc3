"""Animals of the woods and the savanna."""

from __future__ import annotations

import math

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
from plugins.painter.drawing.pets import both, grown, muzzle, nose, whiskers
from plugins.painter.drawing.shapes import blob, circle, dot, ellipse, limb, outline, path, stroke

__all__ = [
    "BEAR",  "ELEPHANT", "FOX",  "KOALA", "LION", "MONKEY", "PANDA", "TIGER",
]  # fmt: skip


def _round_ears(coat: Coat, size: float) -> str:
    return both(grown(circle(358, 272, 66, coat.main) + dot(362, 276, 40, coat.inner), 385, 300, size))


def _bear_face(coat: Coat) -> str:
    line = stroke("M500,466V482", INK, width=7)
    return muzzle(coat.light, 474, 86, 62) + cheeks(coat, 462, 140) + nose(coat, 448, 30, 21) + line + smile(y=482)


BEAR = Animal(
    Coat("#c99d78", "#f2dfc7", "#8f6a50", inner="#e3b894"),
    round_head,
    _round_ears,
    _bear_face,
    plain_body,
    light_belly,
    lambda coat: circle(650, 790, 34, coat.main),
)


def _panda_ears(coat: Coat, size: float) -> str:
    return both(grown(circle(358, 268, 66, coat.dark), 385, 300, size))


def _panda_marks(coat: Coat) -> str:
    return both(ellipse(420, 408, 54, 66, coat.dark, line="", turn=28))


def _panda_belly(coat: Coat) -> str:
    return path("M362,640C378,574 420,526 500,526C580,526 622,574 638,640C570,676 430,676 362,640Z", coat.dark, line="")


PANDA = Animal(
    Coat("#fcf9f4", "#ffffff", "#66616d"),
    round_head,
    _panda_ears,
    lambda coat: cheeks(coat, 480, 136) + nose(coat, 456, 25, 17) + smile(y=476, color=coat.ink),
    plain_body,
    _panda_belly,
    lambda coat: circle(650, 790, 34, coat.main),
    marks=_panda_marks,
    limbs="dark",
    eyes_on="dark",
    eye_r=20,
    eye_dx=76,
)


def _fox_head(coat: Coat) -> str:
    points = [(500, 242), (606, 262), (672, 340), (722, 448), (630, 520), (500, 566)]
    return blob([*points, *[(1000 - x, y) for x, y in reversed(points[1:5])]], coat.main)


def _fox_ears(coat: Coat, size: float) -> str:
    outer = path("M326,348C296,258 296,170 314,140Q322,130 332,138C394,176 446,212 474,262Z", coat.main)
    tip = path(
        "M306,196C304,170 308,150 314,140Q322,130 332,138C350,150 368,160 384,172C356,172 328,180 306,196Z",
        coat.dark,
        line="",
    )
    inner = path("M346,310C330,262 328,226 332,206C374,224 408,246 430,272Z", coat.light, line="")
    return both(grown(outer + tip + inner, 352, 300, 1 + (size - 1) * 0.7))


def _fox_marks(coat: Coat) -> str:
    cheek = path(
        "M283,440C330,420 400,430 440,462C462,440 482,420 500,400V562C420,556 340,520 283,440Z", coat.light, line=""
    )
    return both(cheek)


FOX = Animal(
    Coat("#f0a470", "#fff5ea", "#7a5750", inner="#fff5ea"),
    _fox_head,
    _fox_ears,
    lambda coat: cheeks(coat, 474, 136) + nose(coat, 468, 25, 18) + smile(y=492, wide=30),
    plain_body,
    light_belly,
    lambda coat: (
        blob(
            [(610, 820), (690, 836), (790, 790), (828, 690), (800, 610), (752, 640), (716, 720), (640, 750)], coat.main
        )
        + blob([(828, 690), (800, 610), (752, 640), (748, 676), (778, 668), (796, 700)], coat.light, line="")
    ),
    marks=_fox_marks,
    feet="dark",
    eye_y=398,
)


def _lion_mane(coat: Coat) -> str:
    curls = [(500 + 222 * math.sin(a), 402 - 198 * math.cos(a)) for a in (math.pi * n / 9 for n in range(18))]
    rim = "".join(dot(round(x), round(y), 71, outline(coat.dark)) for x, y in curls)
    return rim + "".join(dot(round(x), round(y), 62, coat.dark) for x, y in curls) + dot(500, 400, 210, coat.dark)


def _lion_face(coat: Coat) -> str:
    wide = path("M468,440Q500,428 532,440Q526,468 500,474Q474,468 468,440Z", coat.nose, line="")
    return muzzle(coat.light, 488, 80, 52) + cheeks(coat) + wide + smile(y=480)


LION = Animal(
    Coat("#f8d596", "#fff4dc", "#d89a61", inner="#e9b483"),
    round_head,
    _round_ears,
    _lion_face,
    plain_body,
    light_belly,
    lambda coat: limb("M615,796C720,812 776,752 768,680", coat.main, 24) + ellipse(768, 658, 34, 44, coat.dark),
    mane=_lion_mane,
    top=236,
)


def _tiger_marks(coat: Coat) -> str:
    top = stroke("M500,246V318", coat.dark, width=20) + both(stroke("M448,256Q446,290 462,318", coat.dark, width=17))
    sides = [("M322,402Q350,410 372,402", 15), ("M318,440Q346,450 366,444", 15), ("M334,478Q354,486 372,480", 13)]
    return top + both("".join(stroke(d, coat.dark, width=width) for d, width in sides))


def _tiger_belly(coat: Coat) -> str:
    bars = [f"M{366 - n * 4},{668 + n * 46}Q392,{676 + n * 46} 410,{664 + n * 46}" for n in range(3)]
    return light_belly(coat) + both("".join(stroke(d, coat.dark, width=14) for d in bars))


TIGER = Animal(
    Coat("#f5b06c", "#fff6e8", "#7b5a50"),
    round_head,
    _round_ears,
    lambda coat: muzzle(coat.light, 482, 88, 56) + cheeks(coat) + whiskers(outline(coat.main)) + nose(coat, 452, 24, 17)
    + smile(y=472),
    plain_body,
    _tiger_belly,
    lambda coat: limb("M610,800C730,812 792,742 760,668C742,628 768,600 796,606", coat.main, 44)
    + "".join(stroke(d, coat.dark, width=15) for d in ("M694,776L714,812", "M738,740L776,756", "M742,684L782,672")),
    marks=_tiger_marks,
)  # fmt: skip


def _elephant_ears(coat: Coat, size: float) -> str:
    outer = blob([(350, 296), (268, 222), (172, 252), (142, 372), (190, 478), (280, 500), (342, 448)], coat.main)
    inner = blob(
        [(330, 320), (268, 268), (204, 288), (184, 372), (218, 446), (286, 462), (330, 424)], coat.inner, line=""
    )
    return both(grown(outer + inner, 350, 380, 1 + (size - 1) * 0.5))


def _elephant_face(coat: Coat) -> str:
    trunk = limb("M500,430C496,520 500,580 530,612C556,634 590,620 592,590", coat.main, 66)
    folds = "".join(stroke(f"M{474 + n * 2},{480 + n * 36}q26,12 52,0", outline(coat.main), width=5) for n in range(3))
    mouth = both(stroke("M398,494Q424,528 452,522", coat.ink, width=7))
    return cheeks(coat, 466, 134) + mouth + trunk + folds


ELEPHANT = Animal(
    Coat("#b9c5d3", "#dfe6ee", "#8593a6", inner="#f0c3c6"),
    round_head,
    _elephant_ears,
    _elephant_face,
    plain_body,
    light_belly,
    lambda coat: limb("M620,780C680,790 712,760 720,720", coat.main, 16) + dot(720, 708, 20, coat.dark),
    eye_dx=92,
    eye_y=392,
)


def _monkey_ears(coat: Coat, size: float) -> str:
    return both(grown(circle(292, 404, 72, coat.main) + dot(294, 406, 46, coat.light), 330, 404, size))


def _monkey_marks(coat: Coat) -> str:
    left = "M500,336C470,300 376,306 364,384C358,424 372,450 352,474C372,522 440,540 500,540Z"
    return both(path(left, coat.light, line=""))


MONKEY = Animal(
    Coat("#b98b6a", "#f8e2c8", "#8a6349", inner="#f8e2c8"),
    round_head,
    _monkey_ears,
    lambda coat: (
        cheeks(Coat(coat.light, "", ""), 472, 112)
        + both(ellipse(489, 452, 5, 7, coat.nose, line=""))
        + stroke("M440,484Q500,540 560,484", INK, width=8)
    ),
    plain_body,
    light_belly,
    lambda coat: limb(
        "M612,806C720,830 800,770 770,690C750,640 690,668 708,706C716,722 738,718 742,704", coat.main, 26
    ),
    eye_dx=66,
    eyes_on="light",
    marks=_monkey_marks,
)


def _koala_ears(coat: Coat, size: float) -> str:
    tufts = [(318, 208), (264, 232), (234, 286), (244, 344), (292, 380), (350, 370), (372, 300), (366, 236)]
    fur = "".join(dot(x, y, 53, outline(coat.main)) for x, y in tufts) + "".join(
        dot(x, y, 44, coat.main) for x, y in tufts
    )
    return both(
        grown(fur + dot(308, 296, 74, coat.main) + dot(304, 304, 58, coat.inner), 370, 330, 1 + (size - 1) * 0.7)
    )


KOALA = Animal(
    Coat("#bcc1ca", "#f1eff0", "#8e95a2", inner="#f3dbdc"),
    round_head,
    _koala_ears,
    lambda coat: cheeks(coat, 470, 132)
    + ellipse(500, 432, 40, 58, "#6d6470" if coat.ink == INK else "#39343f") + dot(488, 400, 9, "#ffffff", 0.45)
    + smile(y=508, wide=30, color=coat.ink),
    plain_body,
    light_belly,
    nothing,
    eye_dx=96,
    eye_y=396,
)  # fmt: skip
