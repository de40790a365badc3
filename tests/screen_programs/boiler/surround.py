"""What surrounds every page: title, clock, user and menu above, the pages at the left, a line of messages below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from tests.screen_programs.boiler.record import Record
from tests.screen_programs.boiler.widgets import ACTIVE, FACE, GROUND, Look
from tests.screen_programs.boiler.windows import Windows
from tests.screen_programs.boiler.words import Words

__all__ = ["draw_header", "draw_navigation"]

HEAD, FOOT = "#1f3a52", "#b9c0c7"
PIECES = ("head", "nav", "foot")


class Surrounded(Protocol):
    """What is needed of the program."""

    root: tk.Tk
    look: Look
    words: Words
    record: Record
    windows: Windows
    message: tk.StringVar
    clock: tk.StringVar

    def go(self, page: str) -> None: ...
    def log(self) -> None: ...
    def toggle_language(self) -> None: ...
    def print(self) -> None: ...


def draw_header(screen: Surrounded) -> None:
    """The lines above and below, instead of those that are there."""
    for child in [child for child in screen.root.winfo_children() if child.winfo_name() in PIECES]:
        child.destroy()
    look, words, user = screen.look, screen.words, str(screen.record["user"])
    head = tk.Frame(screen.root, background=HEAD, name="head")
    head.place(x=0, y=0, relwidth=1, height=look.px(54))
    title = tk.Label(head, text=words["title"], font=look.large, background=HEAD, foreground="white")
    title.pack(side="left", padx=look.px(16))
    buttons: list[tuple[str, Callable[[], None]]] = [
        ("more", partial(_menu, screen)),
        ("logout" if user else "login", screen.log),
    ]
    for key, act in buttons:
        look.button(head, key, words[key], act).pack(side="right", padx=look.px(10))
    who = tk.Label(head, text=user or words["nobody"], font=look.plain, background=HEAD, foreground="white")
    who.pack(side="right", padx=look.px(8))
    time = tk.Label(head, textvariable=screen.clock, font=look.plain, background=HEAD, foreground="white")
    time.pack(side="right", padx=look.px(8))
    foot = tk.Frame(screen.root, background=FOOT, name="foot")
    foot.place(x=0, rely=1, anchor="sw", relwidth=1, height=look.px(34))
    told = tk.Label(foot, textvariable=screen.message, font=look.plain, background=FOOT)
    told.pack(side="left", padx=look.px(16))


def draw_navigation(screen: Surrounded, pages: Iterable[str]) -> None:
    """A button for each page; that of the page that is shown is blue."""
    look = screen.look
    nav = tk.Frame(screen.root, background=GROUND, name="nav")
    nav.place(x=0, y=look.px(60), width=look.px(166), relheight=1, height=-look.px(96))
    for page in pages:
        made = look.button(nav, page, screen.words[page], partial(screen.go, page))
        here = page == screen.record["page"]
        face, ink = (ACTIVE, "white") if here else (FACE, "black")
        made.configure(background=face, activebackground=face, foreground=ink, activeforeground=ink)
        made.pack(fill="x", padx=look.px(8), pady=look.px(6), ipady=look.px(5))


def _menu(screen: Surrounded) -> None:
    def about() -> None:
        screen.windows.notice(screen.words["about-text"])

    entries = [("language", screen.toggle_language), ("print", screen.print), ("about", about)]
    screen.windows.menu(screen.root.winfo_width() - screen.look.px(12), screen.look.px(52), entries)
