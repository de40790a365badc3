"""The pieces that the pages are made of, drawn at a scale; each has the id that the record calls it by."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import font as fonts
from tkinter import ttk

__all__ = ["Look", "control_of"]

GROUND, PANEL, FACE, ACTIVE = "#d4d8dc", "#e6e9ec", "#c3cad1", "#2f6fab"
IDS = "control_id"


def control_of(widget: tk.Misc | None) -> str:
    """The id of what was pressed, by the nearest widget that has one; `nothing` where none has."""
    while widget is not None:
        if found := getattr(widget, IDS, ""):
            return str(found)
        widget = widget.master
    return "nothing"


class Look:
    """Makes widgets of one scale."""

    def __init__(self, root: tk.Tk, scale: float) -> None:
        self.scale = scale
        family = next((name for name in ("WenQuanYi Micro Hei", "Micro Hei") if name in fonts.families(root)), "Sans")
        self.plain = fonts.Font(root, family=family, size=-self.px(16))
        self.bold = fonts.Font(root, family=family, size=-self.px(17), weight="bold")
        self.large = fonts.Font(root, family=family, size=-self.px(22), weight="bold")
        style = ttk.Style(root)
        style.theme_use("clam")
        style.configure("Treeview", font=self.plain, rowheight=self.px(30), fieldbackground="white")
        style.configure("Treeview.Heading", font=self.plain)
        root.configure(background=GROUND)

    def px(self, length: float) -> int:
        return max(1, round(length * self.scale))

    def label(self, parent: tk.Misc, text: str, *, bold: bool = False) -> tk.Label:
        ground = str(parent.cget("background"))
        return tk.Label(parent, text=text, font=self.bold if bold else self.plain, background=ground)

    def button(
        self, parent: tk.Misc, key: str, text: str, act: Callable[[], None], *, usable: bool = True
    ) -> tk.Button:
        made = tk.Button(
            parent, text=text, font=self.plain, command=act, background=FACE, activebackground=FACE,
            padx=self.px(12), pady=self.px(4), borderwidth=self.px(2), highlightthickness=0, takefocus=False,
            disabledforeground="#98a0a8", state="normal" if usable else "disabled",
        )  # fmt: skip
        setattr(made, IDS, key)
        return made

    def group(self, parent: tk.Misc, title: str, key: str = "") -> tk.LabelFrame:
        """A frame with its title on it."""
        made = tk.LabelFrame(
            parent, text=title, font=self.bold, background=PANEL, padx=self.px(10), pady=self.px(6),
            borderwidth=self.px(2), relief="groove",
        )  # fmt: skip
        if key:
            setattr(made, IDS, key)
        return made

    def value(self, parent: tk.Misc, shown: tk.StringVar) -> tk.Label:
        return tk.Label(
            parent, textvariable=shown, font=self.bold, background="#10202c", foreground="#7df09a",
            width=8, anchor="e", padx=self.px(6), pady=self.px(3),
        )  # fmt: skip

    def field(self, parent: tk.Misc, key: str, held: tk.StringVar, *, usable: bool, secret: bool = False) -> tk.Entry:
        made = tk.Entry(
            parent, textvariable=held, font=self.plain, width=9, justify="left" if secret else "right",
            state="normal" if usable else "disabled", borderwidth=self.px(2), relief="sunken", background="white",
            disabledbackground="#dcdfe2", disabledforeground="#6f777e", insertofftime=0, show="*" if secret else "",
        )  # fmt: skip
        setattr(made, IDS, key)
        return made

    def checkbox(self, parent: tk.Misc, key: str, text: str, held: tk.BooleanVar, *, usable: bool) -> tk.Checkbutton:
        mark = self.px(18)
        off, on = self._mark(parent, mark, False), self._mark(parent, mark, True)
        made = tk.Checkbutton(
            parent, text=f" {text}", font=self.plain, variable=held, image=off, selectimage=on, indicatoron=False,
            compound="left", background=PANEL, selectcolor=PANEL, activebackground=PANEL, borderwidth=0,
            state="normal" if usable else "disabled", highlightthickness=0, offrelief="flat",
        )  # fmt: skip
        made.kept = (off, on)  # type: ignore[attr-defined]
        setattr(made, IDS, key)
        return made

    def table(self, parent: tk.Misc, key: str, columns: Sequence[tuple[str, str, int]]) -> ttk.Treeview:
        """
        :param columns: id, heading and width before scaling.
        """
        made = ttk.Treeview(parent, columns=[name for name, _, _ in columns], show="headings", selectmode="browse")
        for name, heading, width in columns:
            made.heading(name, text=heading)
            made.column(name, width=self.px(width), anchor="w", stretch=name == "text")
        setattr(made, IDS, key)
        return made

    def _mark(self, parent: tk.Misc, size: int, ticked: bool) -> tk.PhotoImage:
        image = tk.PhotoImage(master=parent, width=size, height=size)
        image.put("#40484f", to=(0, 0, size, size))
        image.put("white", to=(2, 2, size - 2, size - 2))
        if ticked:
            inner = max(4, size // 4)
            image.put(ACTIVE, to=(inner, inner, size - inner, size - inner))
        return image
