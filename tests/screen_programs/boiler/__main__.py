"""Start the screen of the boiler house on the desktop that DISPLAY names."""

from __future__ import annotations

import sys
import tkinter as tk
from pathlib import Path

from tests.screen_programs.boiler.pages import PAGES
from tests.screen_programs.boiler.screen import Screen


def main() -> None:
    """Fill the desktop."""
    root = tk.Tk()
    root.overrideredirect(True)
    root.geometry(f"{root.winfo_screenwidth()}x{root.winfo_screenheight()}+0+0")
    root.tk.call("tk", "scaling", 1.0)
    Screen(root, Path(sys.argv[1]), PAGES).run()


if __name__ == "__main__":
    main()
