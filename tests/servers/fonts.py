"""A font configuration for programs of tests, so that what they draw is alike everywhere."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parent.parent.parent / "agent/reports/fonts"


def font_config(folder: Path) -> Path:
    """Write a configuration with one plain font for Latin, where the system has it, and ours for Chinese.

    :return: the file for `FONTCONFIG_FILE`.
    """
    fonts = folder / "fonts"
    fonts.mkdir()
    plain = [
        *Path("/usr/share/fonts").glob("**/DejaVuSans.ttf"),
        *Path("/usr/share/fonts").glob("**/DejaVuSans-Bold.ttf"),
    ]
    for font in (*plain, *FONTS.glob("*.ttf")):
        (fonts / font.name).write_bytes(font.read_bytes())
    config = folder / "fonts.conf"
    config.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{fonts}</dir><cachedir>{folder}/cache</cachedir>"
        "</fontconfig>",
        encoding="utf-8",
    )
    return config
