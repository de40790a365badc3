"""Profiles of boxes: what one with 2, 4, 8 or 16 GB of memory is run with. Deciding is pure; `agent.box_start` looks.

1. `auto` takes the largest profile whose memory is free, the limits of containers and services counted.
2. A profile fills in what nobody named: a setting that stands in the file or in a variable stays as it is.
3. Which models may answer follows from the memory that a profile gives to one, and from the catalogue; 0.5B or rules
   and the tiny reader of text are what is left on the smallest box.
4. Threads never exceed the cores; those of the model follow from the cores alone (`agent.model.machine`).

What a profile takes was measured, see `make bench-boxes`: all processes together, at their peak, stay inside of what
the service's unit allows on a box of that size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.settings import ProfileName, Section, Settings

__all__ = ["PROFILES", "BoxChoice", "Profile", "choose_profile", "describe_profile", "fill_in", "profile_named"]

_THREADS = ("panel", "threads")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of box is run with."""

    name: ProfileName
    least_free_bytes: int
    """Free memory from which a box is one of these: what the system leaves of the memory that it is named after."""
    values: Mapping[str, Mapping[str, Any]]
    """Section → setting → value."""


@dataclass(frozen=True, slots=True)
class BoxChoice:
    """Which profile this box is run with."""

    profile: ProfileName
    why: str
    """For people: by the settings, by memory, or as the process that began first."""
    pinned: bool = False
    """A person has named it."""


PROFILES: tuple[Profile, ...] = (
    Profile(
        "2gb",
        0,
        {
            "panel": {"ocr": "tiny", "threads": 1, "line_cache_entries": 1_000},
            "photo": {"max_bytes": 20_000_000, "max_pixels": 25_000_000, "work_pixels": 2_000_000},
            "model": {
                "max_ram_bytes": 1_300_000_000,
                "context_tokens": 4_096,
                "lanes": 4,
                "image_cache_bytes": 16_000_000,
                "prefix_cache_bytes": 200_000_000,
            },
            "workers": {"photo_bytes": 16_000_000, "recycle_growth_bytes": 200_000_000},
            "reports": {"batch_reports": 2},
            "server": {
                "max_body_bytes": 30_000_000,
                "max_all_bodies_bytes": 60_000_000,
                "live_turns": 50,
                "conversations": 25,
            },
        },
    ),
    Profile(
        "4gb",
        2_500_000_000,
        {
            "panel": {"ocr": "small", "threads": 2},
            "photo": {"max_pixels": 50_000_000, "work_pixels": 4_000_000},
            "model": {"max_ram_bytes": 2_600_000_000, "context_tokens": 8_192, "lanes": 6},
            "workers": {"photo_bytes": 32_000_000, "recycle_growth_bytes": 500_000_000},
            "reports": {"batch_reports": 4},
            "server": {"max_all_bodies_bytes": 120_000_000, "live_turns": 100, "conversations": 50},
        },
    ),
    Profile(
        "8gb",
        5_000_000_000,
        {
            "panel": {"ocr": "small", "threads": 2},
            "photo": {"max_pixels": 50_000_000, "work_pixels": 4_000_000},
            "model": {"max_ram_bytes": 5_000_000_000, "context_tokens": 8_192, "lanes": 9},
            "reports": {"batch_reports": 8},
        },
    ),
    Profile(
        "16gb",
        10_000_000_000,
        {
            "panel": {"ocr": "small", "threads": 2},
            "photo": {"max_pixels": 50_000_000, "work_pixels": 4_000_000},
            "model": {"context_tokens": 16_384, "lanes": 16},
            "reports": {"batch_reports": 8},
        },
    ),
)
"""Smallest first."""


def choose_profile(free_bytes: int) -> Profile:
    """The largest profile whose memory is free.

    :param free_bytes: that a program could take without swapping, within every limit.
    """
    return next(profile for profile in reversed(PROFILES) if profile.least_free_bytes <= free_bytes)


def profile_named(name: str) -> Profile | None:
    """A profile by its name; None where there is none of it."""
    return next((profile for profile in PROFILES if profile.name == name), None)


def fill_in(settings: Settings, profile: Profile, *, cores: int) -> Settings:
    """The settings with what nobody named filled in by a profile.

    :param cores: that this process may use.
    """
    changed: dict[str, Section] = {"box": settings.box.model_copy(update={"profile": profile.name})}
    for name, values in profile.values.items():
        section: Section = getattr(settings, name)
        open_ = {key: value for key, value in values.items() if key not in section.model_fields_set}
        if name == _THREADS[0] and _THREADS[1] in open_:
            open_[_THREADS[1]] = max(1, min(open_[_THREADS[1]], cores))
        changed[name] = section.model_copy(update=open_)
    return settings.model_copy(update=changed)


def describe_profile(settings: Settings, models: tuple[str, ...], *, threads: int) -> str:
    """What a box is run with, in one line for people.

    :param models: of the catalogue that may answer, best first.
    :param threads: of the model.
    """
    most = settings.model.max_ram_bytes
    room = f" within {most / 1e9:.1f} GB" if most else ""
    reads = f"{settings.panel.threads} thread{'s' * (settings.panel.threads > 1)}"
    return (
        f"model {models[0]}{room}, context of {settings.model.context_tokens} tokens, {threads} threads;"
        f" panels by ocr-{settings.panel.ocr} with {reads} at"
        f" {settings.photo.work_pixels / 1e6:.1f} of {settings.photo.max_pixels / 1e6:.0f} million pixels;"
        f" {settings.model.lanes} conversations and {settings.reports.batch_reports} reports side by side"
    )
