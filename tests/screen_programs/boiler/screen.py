"""The program behind the pages: what a press does, what is drawn when, and how the screen is made to lie.

Twists hold from the start (`start.json`), commands arrive while it runs (`commands.jsonl`):
twists  popup, popup-on PAGE, slow-ms MS, jump {PARAMETER: VALUE}, orders, twin, dead CONTROL, still
commands  {"do": "popup"}, {"do": "rename", "what": KEY, "text": TEXT}, {"do": "move", "what": KEY},
          {"do": "disable", "what": KEY}, {"do": "redraw"}
"""

from __future__ import annotations

import json
import random
import tkinter as tk
from collections.abc import Callable, Mapping
from pathlib import Path
from tkinter import ttk
from typing import Any

from tests.screen_programs.boiler.record import LIMITS, START, Record, Value
from tests.screen_programs.boiler.surround import draw_header, draw_navigation
from tests.screen_programs.boiler.widgets import GROUND, Look, control_of
from tests.screen_programs.boiler.windows import Windows
from tests.screen_programs.boiler.words import ALARMS, Words

__all__ = ["Screen"]

POLL_MS, CLOCK_MS, DRIFT_MS, PUMP_MS, EXPORT_MS, JUMP_MS = 25, 1000, 2000, 500, 1500, 400
NATURE = {
    "supply-temperature": (76.4, "°C", 1),
    "return-temperature": (52.8, "°C", 1),
    "supply-pressure": (0.62, "MPa", 2),
    "return-pressure": (0.42, "MPa", 2),
    "flow": (183.0, "m³/h", 0),
}


class Screen:
    """One window that fills the desktop."""

    def __init__(self, root: tk.Tk, folder: Path, pages: Mapping[str, Callable[[Screen, tk.Frame], None]]) -> None:
        self.root, self._pages, self._folder = root, pages, folder
        self.record = Record(folder)
        self.words = Words(self.record.language)
        self.look = Look(root, self.record.scale)
        self.windows = Windows(self)
        self.shown = {key: tk.StringVar(value=f"{at:.{places}f}") for key, (at, _, places) in NATURE.items()}
        self.units = {key: unit for key, (_, unit, _) in NATURE.items()}
        self.drafts = {key: tk.StringVar() for key in LIMITS}
        self.ticks = {key: tk.BooleanVar() for key in ("night", "frost")}
        self.places: dict[str, tk.LabelFrame] = {}
        self.alarm_buttons: dict[str, tk.Button] = {}
        self.selected = ""
        self.acts: dict[str, Callable[[], None]] = {
            "save": self.save, "discard": self.discard, "defaults": lambda: self.ask("defaults", self.defaults),
            "twin": lambda: self.record.tell("did", "twin"), "export": self.export,
            "acknowledge": lambda: self.mark("acked"), "shelve": lambda: self.mark("shelved"),
            "acknowledge-all": lambda: self.ask("acknowledge-all", self.acknowledge_all),
        }  # fmt: skip
        self.message, self.clock = tk.StringVar(), tk.StringVar()
        self._disabled: set[str] = set()
        self._moved: set[str] = set()
        self._commands_read = 0
        self._content: tk.Frame | None = None

    def run(self) -> None:
        """Show it until it is ended."""
        self.root.bind_all("<ButtonPress-1>", self._pressed, add=True)
        self.discard(quiet=True)
        self.say("ready")
        self.draw()
        self._tick()
        self.root.after(DRIFT_MS, self._drift)
        self._obey()
        self.root.update()
        self.record.tell("started", "screen")
        if self.twist("popup"):
            self.windows.notice(self.words["handover"])
        self.root.mainloop()

    def twist(self, name: str) -> Any:
        return self.record.twists.get(name, False)

    def moved(self, key: str) -> bool:
        return key in self._moved

    def usable(self, key: str) -> bool:
        return key not in self._disabled

    def say(self, key: str) -> None:
        self.message.set(self.words[key] if key else "")

    # What a press does.

    def ask(self, what: str, act: Callable[[], None]) -> None:
        """Ask before something is done."""
        if what != self.twist("dead"):
            self.windows.ask(act, self.words[what])

    def toggle_language(self) -> None:
        self.words.language = "en" if self.words.language == "zh" else "zh"
        self.record.change("language", self.words.language)
        self.say("ready")
        self.draw()

    def print(self) -> None:
        self.record.change("prints", float(self.record["prints"]) + 1)
        self.say("printed")

    def log(self) -> None:
        """In, with a window, or out."""
        if self.record["user"]:
            self.record.change("user", "")
            self.draw()
        else:
            self.windows.login()

    def ask_to_set(self, key: str, value: str, *, slowly: bool = False) -> None:
        self.ask(value if value in ("auto", "manual") else key, lambda: self.set(key, value, slowly=slowly))

    def set(self, key: str, value: Value, *, slowly: bool = False) -> None:
        def act() -> None:
            self.record.change(key, value)
            self.draw()

        self.root.after(PUMP_MS if slowly else 1, act)

    def go(self, page: str) -> None:
        """Another page, at once or after it has loaded."""
        self.record.change("page", page)
        self.selected = ""
        if wait := int(self.twist("slow-ms")):
            self._clear()
            self.look.label(self._fresh(), self.words["loading"], bold=True).grid(padx=60, pady=80)
            self.root.after(wait, self.draw)
        else:
            self.draw()
        if self.twist("popup-on") == page:
            self.root.after(120, lambda: self.windows.notice(self.words["handover"]))

    def save(self) -> None:
        if self.twist("dead") == "save":
            return
        wanted = {key: _number(draft.get()) for key, draft in self.drafts.items()}
        if any(number is None or not LIMITS[key][0] <= number <= LIMITS[key][1] for key, number in wanted.items()):
            self.record.tell("did", "refused-save")
            self.windows.notice(self.words["out-of-range"], "ok")
            return
        self.ask("save", lambda: self._store(wanted))

    def _store(self, wanted: Mapping[str, float | None]) -> None:
        for key, value in {**wanted, **{key: tick.get() for key, tick in self.ticks.items()}}.items():
            if value is not None and self.record[key] != value:
                self.record.change(key, value)
        self.say("saved")
        jump: dict[str, float] = self.twist("jump") or {}
        if jump:
            self.root.after(JUMP_MS, lambda: self._jump(jump))

    def _jump(self, jump: Mapping[str, float]) -> None:
        for key, value in jump.items():
            self.record.change(key, value)
            self.drafts[key].set(_printed(value))
        self.record.tell("twisted", "jump")

    def discard(self, *, quiet: bool = False) -> None:
        for key, draft in self.drafts.items():
            draft.set(_printed(float(self.record[key])))
        for key, tick in self.ticks.items():
            tick.set(bool(self.record[key]))
        if not quiet:
            self.record.tell("did", "discard")
            self.say("discarded")

    def defaults(self) -> None:
        for key in (*LIMITS, "night", "frost"):
            if self.record[key] != START[key]:
                self.record.change(key, START[key])
        self.record.tell("did", "defaults")
        self.discard(quiet=True)

    def reset(self) -> None:
        self.record.change("resets", float(self.record["resets"]) + 1)

    def export(self) -> None:
        def done() -> None:
            self.say("ready")
            self.record.change("exports", float(self.record["exports"]) + 1)
            self.windows.notice(self.words["exported"], "ok")

        self.say("exporting")
        self.root.after(EXPORT_MS, done)

    def select(self, table: ttk.Treeview) -> None:
        self.selected = next(iter(table.selection()), "")
        self.record.tell("did", f"select {self.selected}")
        for key in ("acknowledge", "shelve"):
            self.alarm_buttons[key].configure(state="normal" if self.selected else "disabled")

    def details(self, code: str) -> None:
        if found := next((row for row in ALARMS if row[1] == code), None):
            self.record.tell("did", f"details {code}")
            self.windows.notice(f"{found[1]}  {found[2 + (self.words.language == 'en')]}")

    def mark(self, key: str) -> None:
        if self.selected and self.twist("dead") != "acknowledge":
            codes = {*str(self.record[key]).split(), self.selected}
            self.record.change(key, " ".join(sorted(codes)))
            self.draw()

    def acknowledge_all(self) -> None:
        self.record.change("acked", " ".join(code for _, code, *_ in ALARMS))
        self.draw()

    def dropped(self, boiler: str, event: tk.Event[tk.Misc]) -> None:
        """A boiler was let go: over a place, that one's boiler takes the place it came from."""
        for place, group in self.places.items():
            left, top = group.winfo_rootx(), group.winfo_rooty()
            inside = 0 <= event.x_root - left < group.winfo_width() and 0 <= event.y_root - top < group.winfo_height()
            if inside and self.record[boiler] != place:
                other = next(key for key in ("boiler1", "boiler2", "boiler3") if self.record[key] == place)
                self.record.change(other, self.record[boiler])
                self.record.change(boiler, place)
                self.root.after(1, self.draw)
                return

    # What is drawn.

    def draw(self) -> None:
        """All of it anew; windows stay above."""
        self._clear()
        draw_header(self)
        draw_navigation(self, self._pages)
        self._pages[str(self.record["page"])](self, self._fresh())
        self.windows.lift()

    def _clear(self) -> None:
        if self._content is not None:
            self._content.destroy()
            self._content = None

    def _fresh(self) -> tk.Frame:
        look = self.look
        self._content = tk.Frame(self.root, background=GROUND)
        self._content.place(
            x=look.px(170), y=look.px(60), relwidth=1, width=-look.px(170), relheight=1, height=-look.px(96)
        )
        return self._content

    # What happens by itself.

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        """Into the record: what was pressed, whether it can be used or not."""
        widget = event.widget if isinstance(event.widget, tk.Misc) else None
        what = control_of(widget)
        if widget is not None and what in ("window", "menu"):
            inside = 0 <= event.x < widget.winfo_width() and 0 <= event.y < widget.winfo_height()
            what = what if inside else "outside"
        if isinstance(widget, ttk.Treeview):
            what = f"{what} {widget.identify_row(event.y) or 'heading'}"
        self.record.tell("pressed", what)

    def _tick(self) -> None:
        second = int(self.clock.get()[-2:] or 0) + 1
        self.clock.set(f"10:{31 + second // 60:02d}:{second % 60:02d}")
        self.root.after(CLOCK_MS, self._tick)

    def _drift(self) -> None:
        for key, (at, _, places) in NATURE.items():
            if not self.twist("still"):
                self.shown[key].set(f"{at * random.uniform(0.99, 1.01):.{places}f}")
        self.root.after(DRIFT_MS, self._drift)

    def _obey(self) -> None:
        """What the test asked for since the last time."""
        path = self._folder / "commands.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines[self._commands_read :]:
            wanted = json.loads(line)
            if wanted["do"] == "popup":
                self.windows.notice(self.words["handover"])
            elif wanted["do"] == "rename":
                self.words.renamed[wanted["what"]] = wanted["text"]
            elif wanted["do"] == "move":
                self._moved.add(wanted["what"])
            elif wanted["do"] == "disable":
                self._disabled.add(wanted["what"])
            if wanted["do"] != "popup":
                self.draw()
            self.root.update()
            self.record.tell("twisted", wanted["do"])
        self._commands_read = len(lines)
        self.root.after(POLL_MS, self._obey)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _printed(value: float) -> str:
    return f"{value:g}"
