"""The windows that lie above a page: questions, messages, the login, the menu. Only the topmost can be used."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import Protocol

from tests.screen_programs.boiler.record import Record
from tests.screen_programs.boiler.widgets import ACTIVE, IDS, PANEL, Look
from tests.screen_programs.boiler.words import Words

__all__ = ["Windows"]

USERS = {"engineer": "2468", "operator": "1357"}


class Owner(Protocol):
    """What a window needs of the program."""

    root: tk.Tk
    look: Look
    words: Words
    record: Record

    def draw(self) -> None: ...
    def say(self, key: str) -> None: ...


class Windows:
    """The stack of windows."""

    def __init__(self, screen: Owner) -> None:
        self._screen = screen
        self._stack: list[tk.Frame] = []

    def ask(self, act: Callable[[], None], what: str) -> None:
        """A question before something is done."""
        frame = self._open("please-confirm")
        words = self._screen.words
        text = f"{what}\n{words['really']}" if what else words["really"]
        self._screen.look.label(frame, text).pack(padx=30, pady=self._px(14))
        self._buttons(frame, ("ok", partial(self._shut_and, act)), ("cancel", self.shut))

    def notice(self, text: str, key: str = "close") -> None:
        """Something to be read and put away."""
        frame = self._open("notice")
        self._screen.look.label(frame, text).pack(padx=self._px(30), pady=self._px(18))
        self._buttons(frame, (key, self.shut))

    def login(self) -> None:
        frame = self._open("login")
        look, words = self._screen.look, self._screen.words
        user, password, wrong = tk.StringVar(), tk.StringVar(), tk.StringVar()
        form = tk.Frame(frame, background=PANEL)
        form.pack(padx=self._px(24), pady=self._px(12))
        for row, (key, held) in enumerate((("user", user), ("password", password))):
            look.label(form, words[key]).grid(row=row, column=0, sticky="e", padx=self._px(6), pady=self._px(6))
            field = look.field(form, key, held, usable=True, secret=key == "password")
            field.configure(width=14, justify="left")
            field.grid(row=row, column=1)
        told = look.label(form, "")
        told.configure(textvariable=wrong, foreground="#b00020")
        told.grid(row=2, column=0, columnspan=2)

        def enter() -> None:
            if USERS.get(user.get()) != password.get():
                wrong.set(words["wrong-password"])
                self._screen.record.tell("did", "refused-login")
                return
            self.shut()
            self._screen.record.change("user", user.get())
            self._screen.draw()

        self._buttons(frame, ("ok", enter), ("cancel", self.shut))

    def menu(self, x: int, y: int, entries: list[tuple[str, Callable[[], None]]]) -> None:
        frame = self._frame("menu")
        for key, act in entries:
            item = tk.Label(
                frame, text=self._screen.words[key], font=self._screen.look.plain, background="white", anchor="w",
                padx=self._px(16), pady=self._px(6),
            )  # fmt: skip
            setattr(item, IDS, key)
            item.bind("<ButtonRelease-1>", lambda _, act=act: self._shut_and(act))  # type: ignore[misc]
            item.pack(fill="x")
        frame.place(x=x, y=y, anchor="ne")
        self._push(frame)
        frame.bind("<Button-1>", lambda event: self.shut() if event.widget is frame else None)

    def shut(self) -> None:
        """Put the topmost away."""
        if self._stack:
            frame = self._stack.pop()
            frame.grab_release()
            frame.destroy()
        if self._stack:
            self._stack[-1].grab_set()

    def _shut_and(self, act: Callable[[], None]) -> None:
        self.shut()
        act()

    def lift(self) -> None:
        """Above what was drawn anew."""
        for frame in self._stack:
            frame.lift()

    def _open(self, title: str) -> tk.Frame:
        frame = self._frame("window")
        bar = tk.Label(
            frame, text=self._screen.words[title], font=self._screen.look.bold, background=ACTIVE, foreground="white",
            anchor="w", padx=self._px(10), pady=self._px(5),
        )  # fmt: skip
        bar.pack(fill="x")
        frame.place(relx=0.5, rely=0.46, anchor="center")
        self._push(frame)
        return frame

    def _frame(self, key: str) -> tk.Frame:
        frame = tk.Frame(self._screen.root, background=PANEL, borderwidth=self._px(3), relief="raised")
        setattr(frame, IDS, key)
        return frame

    def _push(self, frame: tk.Frame) -> None:
        self._stack.append(frame)
        frame.lift()
        frame.wait_visibility()
        frame.grab_set()

    def _buttons(self, frame: tk.Frame, *buttons: tuple[str, Callable[[], None]]) -> None:
        row = tk.Frame(frame, background=PANEL)
        row.pack(pady=(0, self._px(14)))
        for key, act in buttons:
            made = self._screen.look.button(row, key, self._screen.words[key], act)
            made.pack(side="left", padx=self._px(14), ipadx=self._px(8))

    def _px(self, length: float) -> int:
        return self._screen.look.px(length)
