"""Bounds on photos, and how panels are read and watched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.settings.section import Section

__all__ = ["NameplateSettings", "PanelSettings", "PhotoSettings", "WatchingSettings"]


class PhotoSettings(Section):
    """Bounds on every photo, applied before it is decoded."""

    max_bytes: int = 40_000_000
    max_pixels: int = 50_000_000
    """Width × height as the header says; a larger image is refused before decoding."""
    max_side_px: int = 20_000
    work_pixels: int = 4_000_000
    """A larger photo is scaled down to this many pixels as it is decoded."""


class PanelSettings(Section):
    """Reading panels."""

    ocr: Literal["small", "tiny"] = "small"
    """Which PP-OCRv6 reads."""
    side_px: int = 1280
    """Longest side that the text detector sees."""
    second_side_px: int = 960
    """The same, of the tiny detector that looks too."""
    threads: int = Field(default=2, ge=1)
    """Threads that read one photo."""
    detect_threshold: float = 0.2
    box_threshold: float = 0.45
    unclip_ratio: float = 1.4
    min_score: float = 0.5
    """Texts that the reader is less sure of are dropped."""
    screen_sure: float = 0.97
    """Where the tiny reader is at least this sure, the small one is not asked."""
    screen_sure_number: float = 0.93
    """The same, of lines without letters; the small reader loses more decimal points than the tiny one."""
    screen_nothing: float = 0.65
    """Where the tiny reader sees strokes in a long crop and is less sure than this, it is a pattern and no text."""
    check_margin: float = 0.2
    """A number is read again with this much more around it, in parts of its height."""
    plain_digit_px: float = 10.0
    """Whole numbers with digits this tall, whose ink shows exactly what was read, are not read again."""
    plain_point_px: float = 7.0
    """The same for numbers with a point that is seen, or of one digit: nothing can hide in them."""
    plain_score: float = 0.98
    """The same, of the reader's own score."""
    least_trust: float = 0.9
    """A number that is right less often than this carries a flag."""
    straighten: bool = True
    """Whether a photo taken at a slant is straightened; it is then read up to two more times."""
    max_texts: int = 1500
    line_cache_entries: int = Field(default=4000, ge=1)
    """Lines of text that each reader remembers by their pixels."""
    cache_entries: int = 200
    """Perceptions kept by photo digest."""


class WatchingSettings(Section):
    """Watching a panel."""

    gate_levels: float = 3.0
    """Mean difference in grey levels, within one block of a frame, from which the frame is read."""
    poll_seconds: float = 0.5
    """How often a folder is looked into, and the first wait before a lost camera is opened again."""
    frame_seconds: float = 10.0
    """A camera that gives no frame for this long is opened again."""
    retry_seconds: float = 60.0
    """The longest wait before a lost camera is opened again."""


class NameplateSettings(Section):
    """Type plates, and the lists that they are looked up in."""

    lists: tuple[str, ...] = ()
    """Titles or ids of the manuals that list models to be phased out; empty: those whose title or heading says so."""
    sure_score: float = Field(default=0.85, le=1)
    """A type that is read with less is not looked up as sure."""
    max_cell_chars: int = 200
    """A longer cell of a list holds no type."""
    most_rows: int = Field(default=20_000, ge=1)
    """Rows of all lists that are looked at."""
