"""Birds and the frog."""

from __future__ import annotations

from plugins.painter.drawing.coats import Coat
from plugins.painter.drawing.figure import Animal, cheeks, light_belly, nothing, plain_body, round_head
from plugins.painter.drawing.pets import both, grown
from plugins.painter.drawing.shapes import circle, dot, ellipse, outline, path, stroke

__all__ = ["DUCK", "FROG", "OWL", "PENGUIN"]


def big_ears_only(coat: Coat, size: float) -> str:
    """Ears of an animal that shows none of its own."""
    return "" if size == 1 else both(circle(306, 306, 88, coat.main) + dot(308, 310, 58, coat.inner))


def _duck_tuft(coat: Coat) -> str:
    return (
        path(
            "M486,248C452,214 458,178 482,172C486,196 496,206 504,214C506,186 526,172 548,182C548,212 532,238 514,250Z",
            coat.main,
        )
    )  # fmt: skip


def _duck_face(coat: Coat) -> str:
    low = path("M436,478Q500,540 564,478Q540,530 500,530Q460,530 436,478Z", "#e08f55")
    up = path("M412,470C430,436 468,424 500,424C532,424 570,436 588,470C566,500 434,500 412,470Z", coat.bill)
    holes = both(ellipse(482, 448, 5, 4, outline(coat.bill), line=""))
    return cheeks(coat, 462, 142) + low + up + holes


DUCK = Animal(
    Coat("#fae08a", "#fff5cf", "#e5b95f", inner="#fff0c4"),
    round_head,
    big_ears_only,
    _duck_face,
    plain_body,
    light_belly,
    lambda coat: path("M600,760C670,770 716,750 742,714C756,760 728,820 640,836Z", coat.main),
    mane=_duck_tuft,
    feet="bill",
    eye_y=388,
    eye_dx=86,
)


def _penguin_marks(coat: Coat) -> str:
    return path(
        "M500,318C470,276 380,286 366,376C356,450 392,540 500,540C608,540 644,450 634,376C620,286 530,276 500,318Z",
        coat.light, line="",
    )  # fmt: skip


def _penguin_belly(coat: Coat) -> str:
    return path(
        "M500,560C560,560 596,640 600,720C604,790 560,836 500,836C440,836 396,790 400,720C404,640 440,560 500,560Z",
        coat.light,
        line="",
    )


PENGUIN = Animal(
    Coat("#76839d", "#fffdf8", "#525e78", inner="#cfd8e6"),
    round_head,
    big_ears_only,
    lambda coat: (
        cheeks(Coat(coat.light, "", ""), 462, 96)
        + path("M462,442Q500,420 538,442Q524,478 500,484Q476,478 462,442Z", coat.bill)
        + stroke("M470,446Q500,458 530,446", outline(coat.bill), width=5)
    ),
    plain_body,
    _penguin_belly,
    nothing,
    marks=_penguin_marks,
    feet="bill",
    eye_dx=68,
    eye_y=400,
    eyes_on="light",
)


def _owl_ears(coat: Coat, size: float) -> str:
    tuft = path("M340,316C312,260 310,214 318,184C366,196 420,220 458,256Z", coat.main)
    return both(grown(tuft, 396, 290, size))


def _owl_marks(coat: Coat) -> str:
    return both(circle(420, 402, 92, coat.light))


def _owl_belly(coat: Coat) -> str:
    rows = [(636, (-48, 0, 48)), (684, (-72, -24, 24, 72)), (732, (-48, 0, 48)), (780, (-72, -24, 24, 72))]
    marks = "".join(
        stroke(f"M{500 + dx - 14},{y}q14,18 28,0", coat.dark, width=7) for y, places in rows for dx in places
    )
    return ellipse(500, 716, 104, 124, coat.light, line="") + marks


OWL = Animal(
    Coat("#c8a888", "#fbeeda", "#a07d60"),
    round_head,
    _owl_ears,
    lambda coat: path("M474,436Q500,424 526,436Q518,476 500,492Q482,476 474,436Z", coat.bill),
    plain_body,
    _owl_belly,
    nothing,
    marks=_owl_marks,
    feet="bill",
    eye_r=34,
    eyes_on="light",
    eye_dx=80,
    eye_y=402,
)


def _frog_mane(coat: Coat) -> str:
    return both(circle(402, 268, 72, coat.main))


def _frog_marks(coat: Coat) -> str:
    return both(dot(402, 272, 63, coat.main) + dot(402, 270, 46, "#fffdf8"))


FROG = Animal(
    Coat("#a6d490", "#eef6cf", "#79ad72", inner="#d5ecb8"),
    round_head,
    lambda coat, size: "" if size == 1 else both(circle(272, 374, 92, coat.main) + dot(276, 378, 60, coat.inner)),
    lambda coat: (
        cheeks(coat, 446, 140)
        + both(ellipse(484, 398, 5, 7, outline(coat.main), line=""))
        + stroke("M386,438Q500,536 614,438", coat.ink, width=8)
    ),
    plain_body,
    light_belly,
    mane=_frog_mane,
    marks=_frog_marks,
    eye_dx=98,
    eye_y=268,
    eye_r=26,
    eyes_on="pale",
    eyes_above=True,
    top=156,
)
