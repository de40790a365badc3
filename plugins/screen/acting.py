"""One step on a screen: look, find, look again at the very place, act, read what came of it.

Nothing is sent where the control that is meant has no name, is greyed, or does not stand where it was seen right
before it is used; where something else came up on the screen meanwhile; or where two could be meant. After it was sent,
nothing is sent again: what is expected is waited for, within its time, and a step that did not bring it about stops and
says what stands on the screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.api import Photo, Said, ToolFailed, say
from agent.settings import ScreenSettings
from plugins.screen.changing import AROUND_PX, came_up, changed, drop_place, still
from plugins.screen.copies import unread_copies
from plugins.screen.expecting import Checked, check, holds_value, same_unit
from plugins.screen.finding import CLICKED, FILLED, find, is_named
from plugins.screen.known_fields import KnownField
from plugins.screen.likeness import likeness, names_of
from plugins.screen.looking import Looker
from plugins.screen.named_secrets import is_secret, secret_of, without
from plugins.screen.pictures import area, centre, changes, grown, overlap, same_there
from plugins.screen.scrolling import free_place, scroll_to
from plugins.screen.values import Came, Control, Expect, Found, Outcome, Role, Sight, Step, Target
from plugins.screen.wording import called, stands

__all__ = ["Operator"]

_LOOKS_AGAIN = 3
_FOCUS_SECONDS = 0.7
"""A caret blinks within this."""
_SELECT_ALL = ("End", "Shift+Home")
_MASKED = frozenset("*•●·∙⚫■")


_SECRETS = "密码|口令|Password|PIN"


class _Stop(Exception):
    """The step ends here."""

    def __init__(self, why: Said, found: Found | None = None, came: Came = "stopped") -> None:
        super().__init__(why["en"])
        self.why, self.found, self.came = why, found, came


class Operator:
    """Does steps on one screen. Not safe for use from several threads."""

    def __init__(self, looker: Looker, settings: ScreenSettings, fields: Sequence[KnownField] = ()) -> None:
        self.looker = looker
        self._settings = settings
        self._fields = fields
        self._sent = False

    def dry(self, step: Step) -> tuple[Sight, Found | None]:
        """What a step would be done to; nothing is sent, nothing scrolled.

        :raises ToolFailed: the screen cannot be reached or read.
        """
        sight = self.looker.look()
        if not (step.target.text or step.target.field):
            return sight, None
        return sight, find(sight, step.target, _tiers(step), fields=self._fields)

    def do(self, step: Step) -> Outcome:
        """Do it. Whoever calls has the approval for a step that changes something.

        :raises ToolFailed: the screen cannot be reached or read, or a secret has no file; nothing was sent.
        """
        if step.verb not in ("type", "set") or not is_secret(step.value):
            return self._do(step)
        typed = secret_of(step.value, self.looker.link.name, self._settings)
        return without(self._do(replace(step, value=typed)), typed, step.value)

    def _do(self, step: Step) -> Outcome:
        started = time.monotonic()
        self._sent = False
        before = self.looker.look()
        found: Found | None = None
        try:
            found, checked = self._done(step, before)
            came: Came = "confirmed"
            why = _confirmed(step, found, checked)
            shows = checked.shows
        except _Stop as stop:
            came, why, found, shows = stop.came, stop.why, stop.found or found, {}
        except ToolFailed as error:
            if not self._sent:
                raise
            self.looker.forget()
            came, shows = "stopped", {}
            why = say(
                f"已经操作,之后看不到屏幕:{error}", f"it was sent, and then the screen could not be seen: {error}"
            )
        after = self.looker.last
        if came != "confirmed" and after is not None:
            standing = stands(after)
            why = say(f"{why['zh']}。{standing['zh']}", f"{why['en']}; {standing['en']}")
        taken = time.monotonic() - started
        return Outcome(came, why, before, after, found, sent=self._sent, seconds=taken, shows=shows)

    def _done(self, step: Step, before: Sight) -> tuple[Found | None, Checked]:
        match step.verb:
            case "look" | "wait":
                return None, self._waited(step.expect or _itself(step), before)
            case "press":
                self._guard(before)
                self._send(lambda: self.looker.link.press(step.value))
                return None, self._confirmed(step, before, None)
            case "scroll":
                return self._scrolled(step, before)
            case "type" | "set":
                return self._filled(step, before)
            case "drag":
                return self._dragged(step, before)
            case "click" | "double_click":
                times = 2 if step.verb == "double_click" else 1
                found, sight = self._found(step, step.target, before)
                control, sight = self._sure(step, found, sight)
                self._click(control, times)
                return found, self._confirmed(step, sight, control)

    def _found(self, step: Step, target: Target, sight: Sight) -> tuple[Found, Sight]:
        """What is meant, scrolled into view where it has to be."""
        sight = self._pointer_aside(sight)
        found = find(sight, target, _tiers(step), fields=self._fields)
        if found.control is None and found.others and not any(is_named(c, target) for c in found.others):
            found, sight = self._closer(found, step, target, sight)
        if found.control is None and found.out_of_view and not sight.dialog:
            found, sight = scroll_to(
                self.looker, sight, lambda seen: find(seen, target, _tiers(step), fields=self._fields), self._settings
            )
        if found.control is not None and unread_copies(sight, found.control):
            found, sight = self._read_whole(step, target)
        if found.control is None:
            raise _Stop(found.why, found)
        self._refuse(found.control, found, sight)
        return found, sight

    def _pointer_aside(self, sight: Sight) -> Sight:
        """A pointer that was left here by others may be drawn on a name, and then that is read wrongly."""
        place = free_place(sight, (0, 0, *sight.photo.size), bare=True)
        if self.looker.pointer is not None or place is None or any(c.source == "said" for c in sight.controls):
            return sight
        self.looker.link.scroll(*place, notches=0)
        self.looker.pointer = place
        time.sleep(self._settings.poll_seconds)
        return self.looker.look()

    def _read_whole(self, step: Step, target: Target) -> tuple[Found, Sight]:
        """The name is printed once more where nothing was read: everything is read anew, and then both are known."""
        sight = self.looker.look(whole=True)
        found = find(sight, target, _tiers(step), fields=self._fields)
        if found.control is not None and unread_copies(sight, found.control):
            name = called(found.control)
            raise _Stop(
                say(
                    f"屏幕上另有一处看起来也是{name['zh']},但读不出来",
                    f"something else looks like {name['en']} and cannot be read",
                ),
                found,
            )
        return found, sight

    def _closer(self, found: Found, step: Step, target: Target, sight: Sight) -> tuple[Found, Sight]:
        """Names that came close, read again; and once more without the pointer, which may have been left on one."""
        sight = self.looker.read_again(found.others)
        found = find(sight, target, _tiers(step), fields=self._fields)
        place = free_place(sight, (0, 0, *sight.photo.size))
        if found.control is None and found.out_of_view and place is not None:
            self.looker.link.scroll(*place, notches=0)
            self.looker.pointer = place
            self._await_change(sight.photo, None, anywhere=True)
            sight = self.looker.look()
            found = find(sight, target, _tiers(step), fields=self._fields)
        return found, sight

    def _refuse(self, control: Control, found: Found, sight: Sight) -> None:
        name = called(control)
        if control.enabled is False:
            raise _Stop(say(f"{name['zh']}是灰的,现在不能用", f"{name['en']} is greyed and cannot be used now"), found)
        if control.source == "seen" and any(one.source == "said" for one in sight.controls):
            raise _Stop(
                say(f"页面没有说明{name['zh']}可以操作", f"the page does not say that {name['en']} can be used"), found
            )

    def _sure(self, step: Step, found: Found, sight: Sight) -> tuple[Control, Sight]:
        """The control where it stands now: looked at again right before it is used."""
        control = found.control
        assert control is not None
        for _ in range(_LOOKS_AGAIN):
            now = self.looker.glance()
            if still(sight, now, control):
                return control, sight
            sight = self.looker.look(now)
            again = find(sight, step.target, _tiers(step), fields=self._fields)
            if again.control is None:
                raise _Stop(
                    say(f"就要操作时屏幕变了:{again.why['zh']}", f"the screen changed right before: {again.why['en']}"),
                    again,
                )
            self._refuse(again.control, again, sight)
            control = again.control
        raise _Stop(say("屏幕一直在变,没有操作", "the screen keeps changing, so nothing was done"), found)

    def _guard(self, sight: Sight) -> None:
        """Nothing came up since the look."""
        now = self.looker.glance()
        if came_up(sight, now, None):
            self.looker.look(now)
            raise _Stop(say("就要操作时屏幕变了", "the screen changed right before"))

    def _click(self, control: Control, times: int = 1) -> None:
        x, y = centre(control.box)
        self._send(lambda: self.looker.link.click(x, y, times=times))
        self.looker.pointer = (x, y)

    def _send(self, what: Callable[[], None]) -> None:
        self._sent = True
        what()

    def _filled(self, step: Step, before: Sight) -> tuple[Found, Checked]:
        """Text into a field: into it, all that it holds marked, typed over, and read."""
        if len(step.value) > self._settings.max_value_chars or not (step.value.isprintable() and step.value):
            raise _Stop(say("要输入的内容为空或不可打印", "what is to be typed is empty, too long or not printable"))
        found, sight = self._found(step, step.target, before)
        assert found.control is not None
        if not same_unit(step.unit, found.control.unit):
            unit = found.control.unit
            raise _Stop(say(f"屏幕上的单位是 {unit},不是 {step.unit}", f"its unit is {unit}, not {step.unit}"), found)
        control, sight = self._sure(step, found, sight)
        self._click(control)
        self._await_focus(sight, control, found)
        for key in _SELECT_ALL:
            self._send(lambda key=key: self.looker.link.press(key))  # type: ignore[misc]
        self._send(lambda: self.looker.link.type(step.value))
        self._await_change(sight.photo, control, anywhere=True)
        return found, self._read_back(step, found, control)

    def _await_focus(self, sight: Sight, control: Control, found: Found) -> None:
        """A field that is entered shows it; keys go nowhere else."""
        deadline = time.monotonic() + _FOCUS_SECONDS
        first = self.looker.glance()
        box = grown(control.box, AROUND_PX, sight.photo.size)
        while True:
            now = self.looker.glance()
            if came_up(sight, now, control):
                self.looker.look(now)
                raise _Stop(
                    say("点击后出现了别的内容,没有输入", "something came up after the click; nothing was typed"), found
                )
            if not same_there(sight.photo.pixels, now.pixels, box) or not same_there(first.pixels, now.pixels, box):
                return
            if time.monotonic() > deadline:
                raise _Stop(say("点击后看不出已进入输入框", "nothing shows that the field was entered"), found)
            time.sleep(self._settings.poll_seconds)

    def _read_back(self, step: Step, found: Found, control: Control) -> Checked:
        """What the field holds now, and whatever else is expected."""
        deadline = time.monotonic() + Expect().within_seconds
        while True:
            sight = self.looker.look()
            again = find(sight, step.target, FILLED, fields=self._fields)
            held = again.control
            if held is None or not holds_value(held, step.value, step.unit):
                held = self._looked_closer(step, control, held)
            if held is not None:
                break
            if time.monotonic() > deadline or (sight.dialog and held is None):
                shown = "" if again.control is None else f"{again.control.value or ''} {again.control.unit}".strip()
                raise _Stop(
                    say(
                        f"输入后显示的是 {shown or '读不出的内容'},不是 {step.value}",
                        f"it shows {shown or 'nothing that can be read'} after typing, not {step.value}",
                    ),
                    again,
                )
            self._await_change(sight.photo, None, anywhere=True)
        if step.expect:
            return self._waited(step.expect, sight)
        return Checked(True, {step.target.text or step.target.field: held.value or ""}, say("", ""))

    def _looked_closer(self, step: Step, before: Control, held: Control | None) -> Control | None:
        """The field, where a closer look at its place shows what was typed; None where it shows something else."""
        closer = replace(before, value=self.looker.text_in(before.box))
        if holds_value(closer, step.value, "") and (held is None or same_unit(step.unit, held.unit)):
            return closer
        masked = closer.value or (held.value if held is not None else "") or ""
        named = likeness(names_of(_SECRETS), before.name) > 0
        filled = self.looker.has_ink(before.box)
        return closer if filled and (named or (masked and set("".join(masked.split())) <= _MASKED)) else None

    def _dragged(self, step: Step, before: Sight) -> tuple[Found, Checked]:
        if step.to is None:
            raise _Stop(say("没有说拖到哪里", "it was not said where to drag it"))
        found, sight = self._found(step, step.target, before)
        control, sight = self._sure(step, found, sight)
        end = find(sight, step.to, (*CLICKED, frozenset({"value", "lamp"})), fields=self._fields)
        if end.control is None:
            raise _Stop(end.why, end)
        start, place = centre(control.box), drop_place(end.control, control, sight)
        self._send(lambda: self.looker.link.drag(start, place))
        self.looker.pointer = place
        return found, self._confirmed(step, sight, None)

    def _scrolled(self, step: Step, before: Sight) -> tuple[Found | None, Checked]:
        found = None
        place = before.photo.size[0] // 2, before.photo.size[1] // 2
        if step.target.text or step.target.field:
            found = find(before, step.target, (*CLICKED, frozenset({"value"})), fields=self._fields)
            if found.control is None:
                raise _Stop(found.why, found)
            place = centre(found.control.box)
        try:
            notches = int(step.value or self._settings.scroll_notches)
        except ValueError:
            raise _Stop(say("滚动格数不是整数", "the notches to scroll are no whole number")) from None
        self._guard(before)
        self._send(lambda: self.looker.link.scroll(*place, notches=max(-100, min(100, notches))))
        return found, self._confirmed(step, before, None)

    def _confirmed(self, step: Step, before: Sight, control: Control | None) -> Checked:
        """What came of what was sent: what is expected; where nothing is, that anything changed."""
        self._await_change(before.photo, control)
        if step.expect:
            return self._waited(step.expect, self.looker.look())
        deadline = time.monotonic() + Expect().within_seconds
        while True:
            sight = self.looker.look()
            if changed(before, sight, control):
                return Checked(True, {}, say("", ""))
            if time.monotonic() > deadline:
                raise _Stop(say("操作后屏幕没有变化", "nothing changed on the screen afterwards"))
            self._await_change(sight.photo, None, anywhere=True)

    def _waited(self, expected: Sequence[Expect], sight: Sight) -> Checked:
        """Look until all that is expected is so, or its time is over."""
        seconds = min(self._settings.most_wait_seconds, max(one.within_seconds for one in expected))
        deadline = time.monotonic() + seconds
        checked = check(sight, expected, self._fields)
        while not checked.is_so:
            if time.monotonic() > deadline:
                raise _Stop(
                    say(f"等了 {seconds:g} 秒:{checked.lacks['zh']}", f"after {seconds:g} s {checked.lacks['en']}")
                )
            self._await_change(sight.photo, None, anywhere=True)
            sight = self.looker.look()
            checked = check(sight, expected, self._fields)
        return checked

    def _await_change(self, photo: Photo, control: Control | None, *, anywhere: bool = False) -> None:
        """Until the screen begins to show something else, or is given up on; a pressed button alone is nothing."""
        deadline = time.monotonic() + self._settings.react_seconds
        while time.monotonic() < deadline:
            now = self.looker.glance()
            found = changes(photo.pixels, now.pixels)
            box = grown(control.box, AROUND_PX * 2, photo.size) if control is not None and not anywhere else None
            if any(box is None or overlap(box, one) < area(one) for one in found):
                return
            time.sleep(self._settings.poll_seconds / 2)


def _tiers(step: Step) -> Sequence[frozenset[Role]]:
    return FILLED if step.verb in ("type", "set") else CLICKED


def _itself(step: Step) -> tuple[Expect, ...]:
    """Of a look without expectations: that what is looked at is there."""
    target = step.target
    return (Expect(target=target, value=step.value, unit=step.unit),) if target.text or target.field else (Expect(),)


def _confirmed(step: Step, found: Found | None, checked: Checked) -> Said:
    shown = "; ".join(f"{name} = {value}" if value and value != name else name for name, value in checked.shows.items())
    what = found.why if found is not None else say("", "")
    zh = [
        part
        for part in (what["zh"], f"之后看到:{shown}" if shown else "之后屏幕有变化" if step.verb != "look" else "")
        if part
    ]
    en = [
        part
        for part in (
            what["en"],
            f"afterwards: {shown}" if shown else "the screen changed" if step.verb != "look" else "",
        )
        if part
    ]
    return say(";".join(zh), "; ".join(en))
