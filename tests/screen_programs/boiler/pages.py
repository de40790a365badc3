"""The pages of the boiler house: each draws itself into a frame from the record, anew whenever that changes."""

from __future__ import annotations

import math
import tkinter as tk
from collections.abc import Callable
from functools import partial

from tests.screen_programs.boiler.record import LIMITS
from tests.screen_programs.boiler.screen import Screen
from tests.screen_programs.boiler.widgets import GROUND, IDS, PANEL
from tests.screen_programs.boiler.words import ALARMS, BOILERS

__all__ = ["PAGES"]

READINGS = ("supply-temperature", "return-temperature", "supply-pressure", "return-pressure", "flow")
GROUPS = {
    "return-group": ("return-max", "return-min"),
    "supply-group": ("supply-set", "supply-max"),
    "pump-group": ("frequency", "delay"),
    "makeup-group": ("fill-start", "fill-stop"),
}


def overview(screen: Screen, parent: tk.Frame) -> None:
    """Readings, the mode, and three pumps whose buttons have the same names."""
    look, words, record = screen.look, screen.words, screen.record
    readings = look.group(parent, words["readings"])
    readings.grid(row=0, column=0, rowspan=3, sticky="n", padx=look.px(12), pady=look.px(10))
    for row, key in enumerate(READINGS):
        look.label(readings, words[key]).grid(row=row, column=0, sticky="w", pady=look.px(8))
        look.value(readings, screen.shown[key]).grid(row=row, column=1, padx=look.px(8))
        look.label(readings, screen.units[key]).grid(row=row, column=2, sticky="w")
    mode = look.group(readings, words["mode"])
    mode.grid(row=9, column=0, columnspan=3, sticky="ew", pady=look.px(14))
    for key in ("auto", "manual"):
        made = look.button(mode, key, words[key], partial(screen.ask_to_set, "mode", key))
        made.configure(relief="sunken" if record["mode"] == key else "raised", width=9)
        if record["mode"] == key:
            made.configure(background="#9fd3a8", activebackground="#9fd3a8")
        made.pack(side="left", padx=look.px(8), pady=look.px(4))
    for row, pump in enumerate(("pump1", "pump2", "makeup")):
        _pump(screen, parent, pump).grid(row=row, column=1, sticky="ew", padx=look.px(12), pady=look.px(10))
    reset = look.button(parent, "fault-reset", words["fault-reset"], lambda: screen.ask("fault-reset", screen.reset))
    reset.grid(row=3, column=1, sticky="e", padx=look.px(12), pady=look.px(6))
    if screen.twist("orders"):
        look.label(parent, words["orders"], bold=True).grid(row=4, column=0, columnspan=2, pady=look.px(12))


def _pump(screen: Screen, parent: tk.Frame, pump: str) -> tk.LabelFrame:
    look, words = screen.look, screen.words
    group = look.group(parent, words[pump])
    running = screen.record[pump] == "running"
    state = look.label(group, words["running" if running else "stopped"], bold=True)
    state.configure(foreground="#0a6b1f" if running else "#5a6268", width=9)
    state.pack(side="left", padx=look.px(10))
    by_hand = screen.record["mode"] == "manual"
    for key, wanted in (("start", "running"), ("stop", "stopped")):
        act = partial(screen.ask_to_set, pump, wanted, slowly=True)
        usable = by_hand and running == (key == "stop")
        made = look.button(group, f"{pump}-{key}", words[key], act, usable=usable)
        made.pack(side="left", padx=look.px(8), pady=look.px(4))
    return group


def parameters(screen: Screen, parent: tk.Frame) -> None:
    """Fields in groups, of which two hold an upper limit; they open to a person who has logged in."""
    look, words = screen.look, screen.words
    usable = bool(screen.record["user"])
    for index, (group, keys) in enumerate(GROUPS.items()):
        frame = look.group(parent, words[group])
        frame.grid(row=index // 2, column=index % 2, sticky="ew", padx=look.px(12), pady=look.px(10))
        for row, key in enumerate(keys):
            look.label(frame, words[key]).grid(row=row, column=0, sticky="w", padx=look.px(4), pady=look.px(7))
            field = look.field(frame, key, screen.drafts[key], usable=usable)
            field.grid(row=row, column=1, padx=look.px(8))
            look.label(frame, LIMITS[key][2]).grid(row=row, column=2, sticky="w")
            frame.columnconfigure(0, minsize=look.px(150))
    ticks = tk.Frame(parent, background=PANEL)
    ticks.grid(row=2, column=0, columnspan=2, sticky="ew", padx=look.px(12), pady=look.px(10))
    for key in ("night", "frost"):
        tick = look.checkbox(ticks, key, words[key], screen.ticks[key], usable=usable)
        tick.pack(side="left", padx=look.px(20), pady=look.px(6))
    row_of_buttons = tk.Frame(parent, background=GROUND)
    row_of_buttons.grid(row=3, column=0, columnspan=2, sticky="w", padx=look.px(12), pady=look.px(12))
    order = ["save", "discard", "defaults"]
    if screen.moved("save"):
        order = ["defaults", "discard", "save"]
    if screen.twist("twin"):
        order.append("twin")
    for key in order:
        text = words["save" if key == "twin" else key]
        made = look.button(row_of_buttons, key, text, screen.acts[key], usable=usable and screen.usable(key))
        made.pack(side="left", padx=look.px(10))


def alarms(screen: Screen, parent: tk.Frame) -> None:
    """A list of which less than half is to be seen."""
    look, words, record = screen.look, screen.words, screen.record
    columns = [("time", words["time"], 90), ("code", words["code"], 90), ("text", words["text"], 330)]
    table = look.table(parent, "alarm-list", [*columns, ("state", words["state"], 110)])
    table.configure(height=9)
    acked, shelved = str(record["acked"]).split(), str(record["shelved"]).split()
    for at, code, *text in ALARMS:
        state = "shelved" if code in shelved else "acked" if code in acked else "active"
        table.insert("", "end", iid=code, values=(at, code, text[words.language == "en"], words[state]))
    if screen.selected:
        table.selection_set(screen.selected)
        table.see(screen.selected)
    table.bind("<<TreeviewSelect>>", lambda _: screen.select(table))
    table.bind("<Double-1>", lambda event: screen.details(table.identify_row(event.y)))
    table.grid(row=0, column=0, sticky="nsew", padx=look.px(12), pady=look.px(10))
    bar = tk.Scrollbar(parent, command=table.yview, width=look.px(18))
    setattr(bar, IDS, "alarm-bar")
    table.configure(yscrollcommand=bar.set)
    bar.grid(row=0, column=1, sticky="ns", pady=look.px(10))
    row = tk.Frame(parent, background=GROUND)
    row.grid(row=1, column=0, sticky="w", padx=look.px(12), pady=look.px(8))
    for key in ("acknowledge", "shelve", "acknowledge-all"):
        made = look.button(
            row, key, words[key], screen.acts[key], usable=key == "acknowledge-all" or bool(screen.selected)
        )
        screen.alarm_buttons[key] = made
        made.pack(side="left", padx=look.px(10))


def trends(screen: Screen, parent: tk.Frame) -> None:
    """A curve, the time that it covers, and an export that takes a while."""
    look, words, record = screen.look, screen.words, screen.record
    row = tk.Frame(parent, background=GROUND)
    row.grid(row=0, column=0, sticky="w", padx=look.px(12), pady=look.px(10))
    for key in ("hour1", "hour8", "hour24"):
        made = look.button(row, key, words[key], partial(screen.set, "range", key, slowly=True))
        made.pack(side="left", padx=look.px(8))
    look.button(row, "export", words["export"], screen.acts["export"]).pack(side="left", padx=look.px(30))
    shown = f"{words['range']}: {words[str(record['range'])]}"
    look.label(parent, shown, bold=True).grid(row=1, column=0, sticky="w", padx=look.px(16))
    width, height = look.px(680), look.px(300)
    paper = tk.Canvas(parent, width=width, height=height, background="#0d1a24", highlightthickness=0)
    setattr(paper, IDS, "curve")
    paper.grid(row=2, column=0, padx=look.px(12), pady=look.px(8))
    waves = {"hour1": 2, "hour8": 5, "hour24": 11}[str(record["range"])]
    points = [(x, height * (0.5 - 0.3 * math.sin(waves * math.tau * x / width))) for x in range(0, width, 4)]
    paper.create_line([number for point in points for number in point], fill="#f0c040", width=look.px(2))


def rotation(screen: Screen, parent: tk.Frame) -> None:
    """Three places, and a boiler in each that can be drawn to another."""
    look, words, record = screen.look, screen.words, screen.record
    screen.places.clear()
    for column, place in enumerate(("duty", "standby", "service")):
        group = look.group(parent, words[place], place)
        group.configure(width=look.px(210), height=look.px(240))
        group.grid_propagate(False)
        group.grid(row=0, column=column, padx=look.px(14), pady=look.px(20))
        screen.places[place] = group
        for row, boiler in enumerate(key for key in BOILERS if record[key] == place):
            card = tk.Label(
                group, text=words[boiler], font=look.plain, background="#f7e7b5", relief="raised", cursor="hand2",
                borderwidth=look.px(2), padx=look.px(20), pady=look.px(8),
            )  # fmt: skip
            setattr(card, IDS, boiler)
            card.grid(row=row, column=0, pady=look.px(8), padx=look.px(20))
            card.bind("<ButtonRelease-1>", partial(screen.dropped, boiler))


PAGES: dict[str, Callable[[Screen, tk.Frame], None]] = {
    "overview": overview,
    "parameters": parameters,
    "alarms": alarms,
    "trends": trends,
    "rotation": rotation,
}
