"""What a plugin gets to work with: settings, folders, weights and the clock."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.boxes import BoxChoice
from agent.errors import SettingsError
from agent.home import Home, find_home
from agent.settings import Settings
from agent.settings_file import load_settings
from agent.updates.catalogue import updated_catalogue
from agent.weights.store import WeightStore

__all__ = ["Env", "load_env"]

_AS_WRITTEN = BoxChoice("auto", "as the settings are written")


@dataclass(frozen=True, slots=True)
class Env:
    """The box as a plugin sees it."""

    settings: Settings
    home: Home
    weights: WeightStore
    box: BoxChoice = _AS_WRITTEN
    """The profile that filled the settings in."""

    @property
    def log_path(self) -> Path:
        """The plant's log database."""
        return Path(os.path.expanduser(self.settings.logs.path or self.home.log_db))  # noqa: PTH111 - never raises

    def now(self) -> datetime:
        """The plant's clock: local time with its offset, or the fixed one of the settings."""
        return self.settings.plant.clock or datetime.now().astimezone()


def load_env(environ: Mapping[str, str] = os.environ) -> Env:
    """Read settings and find the folders.

    :raises SettingsError: the settings are wrong, or `WATCHKEEPER_CONFIG` names no file.
    :raises InputError: the home folder cannot be made.
    """
    home = find_home(environ).make()
    config = environ.get("WATCHKEEPER_CONFIG")
    if config and not Path(config).is_file():
        raise SettingsError(f"{config}: no such settings file; correct WATCHKEEPER_CONFIG")
    settings = load_settings(Path(config) if config else home.config, environ)
    folder = Path(os.path.expanduser(settings.weights.folder or home.weights)).absolute()  # noqa: PTH111 - never raises
    catalogue = updated_catalogue(home.updates)
    return Env(settings, home, WeightStore(folder, settings.weights, catalogue=catalogue, box_key=home.box_key))
