"""Where state lives: one folder, `WATCHKEEPER_HOME`, by default the XDG data folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import InputError

__all__ = ["Home", "find_home"]


@dataclass(frozen=True, slots=True)
class Home:
    """The folder and the files in it."""

    folder: Path

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "watchkeeper.toml"

    @property
    def watch_db(self) -> Path:
        """Turns and the audit trail."""
        return self.folder / "watch.db"

    @property
    def knowledge_db(self) -> Path:
        """Manuals."""
        return self.folder / "knowledge.db"

    @property
    def log_db(self) -> Path:
        """The plant's log, where the settings name no other."""
        return self.folder / "log.db"

    @property
    def devices(self) -> Path:
        """The map of devices, where the settings name no other."""
        return self.folder / "devices.toml"

    @property
    def weights(self) -> Path:
        """Weight files, where the settings name no other folder."""
        return self.folder / "weights"

    @property
    def modules(self) -> Path:
        """Installed modules."""
        return self.folder / "modules"

    @property
    def profiles(self) -> Path:
        """Panels that were learnt."""
        return self.folder / "profiles"

    @property
    def reports(self) -> Path:
        """Maintenance reports, where the settings name no other folder."""
        return self.folder / "reports"

    @property
    def updates(self) -> Path:
        """The pinned root, what was learnt from repositories, and what is staged."""
        return self.folder / "updates"

    @property
    def box_key(self) -> Path:
        """A random key, by which this box knows what it wrote itself; not in `cache`, so that both must be forged."""
        return self.folder / "box.key"

    @property
    def tokens(self) -> Path:
        """Who may use the server; holds digests of tokens, none of them itself."""
        return self.folder / "tokens.json"

    @property
    def cache(self) -> Path:
        """Everything that may be deleted."""
        return self.folder / "cache"

    def make(self) -> Home:
        """Create the folder.

        :raises InputError: it cannot be created or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.cache.mkdir(exist_ok=True)
        except OSError as error:
            why = f"cannot be used as home folder: {error.strerror}; set WATCHKEEPER_HOME"
            raise InputError(f"{self.folder}: {why}") from None
        return self


def find_home(environ: Mapping[str, str] = os.environ) -> Home:
    """`WATCHKEEPER_HOME`, else `$XDG_DATA_HOME/watchkeeper`, else `~/.local/share/watchkeeper`.

    :raises InputError: it begins with the `~` of a user that this system does not know.
    """
    named = environ.get("WATCHKEEPER_HOME")
    try:
        if named:
            return Home(Path(named).expanduser().absolute())
        base = environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local" / "share"
    except RuntimeError:
        raise InputError(f"{named or '~'}: no such user here; set WATCHKEEPER_HOME to a folder") from None
    return Home(Path(base) / "watchkeeper")
