"""The plant's clock in its zone, so that what it showed before a change of the clocks is told as it was shown."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.settings import Settings

__all__ = ["plant_clock"]


def plant_clock(now: datetime, settings: Settings) -> datetime:
    """The same instant in the zone of the settings; as it is where they name none, or one that is not known here."""
    if not settings.logs.zone or now.tzinfo is None:
        return now
    try:
        return now.astimezone(ZoneInfo(settings.logs.zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return now  # the database says that the zone is not known
