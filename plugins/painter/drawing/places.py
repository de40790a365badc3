"""Where an animal can be. Every place leaves the middle free and has level ground at 880."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from plugins.painter.drawing import indoors_and_far as far
from plugins.painter.drawing import meadows, weather

__all__ = ["PLACES", "Scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One place."""

    draw: Callable[[], str]
    front: Callable[[], str] = lambda: ""
    """What stands before the animal, at the lower edge."""
    shadow: str = "#6d6a5c"
    glow: float = 0.75
    """How bright the light behind the animal is."""


PLACES: Mapping[str, Scene] = {
    "beach": Scene(weather.beach, weather.beach_front, "#a58a5c"),
    "forest": Scene(meadows.forest, meadows.forest_front),
    "snow": Scene(weather.snow, weather.snow_front, "#7f95aa", 0.5),
    "garden": Scene(meadows.garden, meadows.garden_front),
    "park": Scene(meadows.park, weather.mountains_front),
    "farm": Scene(meadows.farm, meadows.farm_front),
    "mountains": Scene(weather.mountains, weather.mountains_front),
    "sky": Scene(weather.clouds, weather.clouds_front, "#8ea5bd"),
    "rain": Scene(weather.rain, weather.mountains_front),
    "sea": Scene(far.sea, far.sea_front, "#5b8791", 0.5),
    "space": Scene(far.space, far.space_front, "#4c4a70", 0.42),
    "home": Scene(far.home, far.home_front, "#8d715d"),
    "city": Scene(far.city, far.city_front, "#6f6f78"),
}
