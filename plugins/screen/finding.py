"""Which control is meant: by its name in either language, its role, what it stands beside, and the group it is in.

Each thing that is given has to hold. Where two controls are left, none is taken: the reason names them, and what would
tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from agent.api import Box, Said, say
from plugins.screen.known_fields import KnownField
from plugins.screen.likeness import likeness, names_of, plain
from plugins.screen.pictures import area, centre, grown, holds
from plugins.screen.values import Control, Found, Role, Sight, Target
from plugins.screen.wording import called, listed, role_word

__all__ = ["CLICKED", "FILLED", "READ", "find", "is_named"]

CLICKED: tuple[frozenset[Role], ...] = (
    frozenset({"button", "tab", "menu", "item", "link", "checkbox", "switch", "row"}),
    frozenset({"field"}),
    frozenset({"text"}),
)
"""What a click is for, the likelier first; a later tier counts only where an earlier one holds nothing."""
FILLED: tuple[frozenset[Role], ...] = (frozenset({"field"}),)
READ: tuple[frozenset[Role], ...] = (
    frozenset({"field", "value"}),
    frozenset({"lamp", "checkbox", "switch", "row"}),
    frozenset({"button", "tab", "item", "link", "menu", "text"}),
)
_KIN: Mapping[Role, frozenset[Role]] = {
    "button": frozenset({"button", "tab", "item", "link", "menu", "switch"}),
    "tab": frozenset({"tab", "button", "item", "link"}),
    "menu": frozenset({"menu", "button", "item", "tab"}),
    "item": frozenset({"item", "button", "link", "row", "text", "tab"}),
    "link": frozenset({"link", "button", "item", "text"}),
    "row": frozenset({"row", "item", "text"}),
    "checkbox": frozenset({"checkbox", "switch"}),
    "switch": frozenset({"switch", "checkbox", "button"}),
    "field": frozenset({"field"}),
    "value": frozenset({"value", "field"}),
    "lamp": frozenset({"lamp"}),
    "text": frozenset({"text", "value", "lamp", "row"}),
    "dialog": frozenset(),
}
"""What a role may look like; two that look alike on a picture are not told apart by it."""
_SURE = 0.85
_CLEARLY = 1.6
"""So many times nearer is nearer."""
_CLEARLY_PX = 6
_COME_CLOSE = 0.55
_MOST_OTHERS = 5


def find(
    sight: Sight,
    target: Target,
    tiers: Sequence[Collection[Role]] = CLICKED,
    *,
    fields: Sequence[KnownField] = (),
) -> Found:
    """The control that is meant, or why none is sure.

    :param tiers: roles that fit what is to be done, the likelier first.
    :param fields: of the panel profile.
    """
    names = names_of(target.text or target.field)
    if not names:
        return Found(None, say("没有说要找什么", "it was not said what to look for"))
    pool = [c for c in sight.controls if likeness(names, c.name) >= _SURE]
    if target.field:
        pool = _in_profile(pool, target.field, fields, sight.photo.size)
    fitting = [c for c in pool if target.role is None or c.role in _KIN[target.role]]
    for told, narrowed in ((target.within, _within), (target.near, _near)):
        if told and fitting:
            places = [c.box for c in sight.controls if likeness(names_of(told), c.name) >= _SURE]
            if narrowed is _within and likeness(names_of(told), sight.dialog) >= _SURE:
                continue  # only what is in the window that lies above was kept
            if not places:
                return _none(target, sight, _not_there(told), fitting)
            fitting = narrowed(fitting, places, sight.frames)
            if not fitting:
                return _none(target, sight, _not_beside(target.text or target.field, told), pool)
    return _decided(target, sight, pool, fitting, tiers)


def is_named(control: Control, target: Target) -> bool:
    """Whether a control has the name that is meant, whatever else is said of it."""
    return likeness(names_of(target.text or target.field), control.name) >= _SURE


def _decided(
    target: Target, sight: Sight, pool: Sequence[Control], fitting: Sequence[Control], tiers: Sequence[Collection[Role]]
) -> Found:
    for roles in tiers:
        mine = _without_doubles([c for c in fitting if c.role in roles])
        exact = [c for c in mine if likeness(names_of(target.text or target.field), c.name) == 1.0]
        left = exact or mine
        if len(left) == 1:
            what = role_word(left[0].role)
            name = called(left[0])
            why = say(f"按名称找到{what['zh']}{name['zh']}", f"found the {what['en']} {name['en']} by its name")
            return Found(left[0], why, tuple(c for c in pool if c is not left[0])[:_MOST_OTHERS])
        if left:
            return Found(None, _too_many(target, left), tuple(left[:_MOST_OTHERS]))
    return _none(target, sight, None, pool)


def _without_doubles(controls: Sequence[Control]) -> list[Control]:
    """One of those that lie at one place: what was said before what was seen, the smaller before the larger."""
    kept: list[Control] = []
    for control in sorted(controls, key=lambda c: (c.source != "said", area(c.box))):
        if not any(holds(control.box, centre(other.box)) or holds(other.box, centre(control.box)) for other in kept):
            kept.append(control)
    return kept


def _in_profile(
    pool: Sequence[Control], name: str, fields: Sequence[KnownField], size: tuple[int, int]
) -> list[Control]:
    """Those that stand where the profile has the field."""
    known = [one for one in fields if likeness(names_of(name), one.label) >= _SURE]
    if len(known) != 1:
        return [] if fields else list(pool)
    left, top, right, bottom = (round(part * side) for part, side in zip(known[0].place, (*size, *size), strict=True))
    place = grown((left, top, right, bottom), max(12, bottom - top), size)
    return [c for c in pool if holds(place, centre(c.box))]


def _within(controls: Sequence[Control], titles: Sequence[Box], frames: Sequence[Box]) -> list[Control]:
    """Those in the frame that a title belongs to; where none is drawn, those that the title is nearest to, and never
    what stands above it: that is of another group, and the rest of this one is out of view.
    """
    own = [
        frame
        for title in titles
        if (frame := next((f for f in frames if _is_title(title, f) and f != title), None)) is not None
    ]
    if own:
        return [c for c in controls if any(holds(frame, centre(c.box)) for frame in own)]
    return _near([c for c in controls if any(c.box[3] > title[1] for title in titles)], titles, frames)


def _is_title(title: Box, frame: Box) -> bool:
    high = title[3] - title[1]
    x, y = centre(title)
    return frame[0] <= x < frame[2] and frame[1] - 1.2 * high <= y <= frame[1] + 2.2 * high and frame[3] > y + high


def _near(controls: Sequence[Control], places: Sequence[Box], frames: Sequence[Box]) -> list[Control]:
    """The one that shares the smallest frame with a place, or else is clearly nearest to one; or all as near."""
    others = [c for c in controls if not any(c.box == place for place in places)] or list(controls)
    shared = [(min(_shared(c.box, place, frames) for place in places), c) for c in others]
    ranked = _clearest(shared, lambda least, found: found <= least * 1.01)
    if len(ranked) == 1 and shared and min(s for s, _ in shared) != float("inf"):
        return ranked
    distances = [(min(_gap(c.box, place) for place in places), c) for c in ranked or others]
    return _clearest(distances, lambda least, found: found <= least * _CLEARLY + _CLEARLY_PX)


def _clearest(measured: Sequence[tuple[float, Control]], is_as_good: Callable[[float, float], bool]) -> list[Control]:
    least = min((found for found, _ in measured), default=0.0)
    return [control for found, control in measured if is_as_good(least, found)]


def _shared(box: Box, place: Box, frames: Sequence[Box]) -> float:
    """Pixels of the smallest frame that holds both."""
    return min(
        (float(area(f)) for f in frames if holds(f, centre(box)) and holds(f, centre(place))), default=float("inf")
    )


def _gap(one: Box, other: Box) -> float:
    """Pixels between two boxes; to the side counts less than up or down, for that is how labels stand."""
    across = max(0, one[0] - other[2], other[0] - one[2])
    down = max(0, one[1] - other[3], other[1] - one[3])
    return across + 3.0 * down


def _too_many(target: Target, left: Sequence[Control]) -> Said:
    name = target.text or target.field
    return say(
        f"有 {len(left)} 个“{name}”,不能确定是哪一个;用 near 或 within 说明它在哪里",
        f"there are {len(left)} called “{name}”, and it cannot be told which; say near or within what it stands",
    )


def _not_there(name: str) -> Said:
    return say(f"屏幕上没有“{name}”", f"there is no “{name}” on the screen")


def _not_beside(name: str, place: str) -> Said:
    return say(f"“{place}”处没有“{name}”", f"there is no “{name}” at “{place}”")


def _none(target: Target, sight: Sight, why: Said | None, pool: Iterable[Control]) -> Found:
    """Nothing that fits; with what came close."""
    name = target.text or target.field
    listed_pool, told = list(pool), why
    if why is None and listed_pool:
        roles = " / ".join(sorted({role_word(c.role)["zh"] for c in listed_pool}))
        roles_en = " / ".join(sorted({role_word(c.role)["en"] for c in listed_pool}))
        why = say(f"“{name}”只是{roles},不能这样使用", f"“{name}” is only a {roles_en} and cannot be used so")
    out_of_view = told is not None or not listed_pool
    why = why or _not_there(name)
    close = listed_pool or _close(names_of(name), sight.controls)
    if close and not listed_pool:
        more = listed(close)
        why = say(f"{why['zh']};相近的有:{more['zh']}", f"{why['en']}; close to it: {more['en']}")
    if sight.dialog:
        why = say(f"{why['zh']};上面有窗口“{sight.dialog}”", f"{why['en']}; the window “{sight.dialog}” lies above")
    return Found(None, why, tuple(close[:_MOST_OTHERS]), out_of_view)


def _close(names: Iterable[str], controls: Sequence[Control]) -> list[Control]:
    wanted = [plain(name) for name in names]
    scored = [
        (max((SequenceMatcher(None, name, plain(c.name)).ratio() for name in wanted), default=0.0), n, c)
        for n, c in enumerate(controls)
    ]
    return [c for score, _, c in sorted(scored, key=lambda one: (-one[0], one[1])) if score >= _COME_CLOSE][
        :_MOST_OTHERS
    ]
