"""Plugins, modules and how they are brought up to date."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agent.settings.section import Section

__all__ = ["ModuleSettings", "PluginSettings", "UpdateSettings"]


class PluginSettings(Section):
    """Where plugins run."""

    workers: bool = False
    """Plugins of this distribution run in processes of their own too; those that come as modules always do."""
    call_seconds: float = 60.0
    """For one call into a plugin's process."""


class ModuleSettings(Section):
    """Modules: what a bundle may hold, and how a new version proves itself before it answers."""

    max_bundle_bytes: int = 2_000_000_000
    max_unpacked_bytes: int = 4_000_000_000
    most_files: int = 50_000
    """In one bundle, those of its requirements included."""
    max_path_chars: int = 240
    """Of one file in a bundle."""
    max_manifest_bytes: int = 65_536
    max_golden_calls: int = 64
    interpreters: tuple[Path, ...] = ()
    """Other Pythons that a module with an environment of its own may ask for."""
    spare_bytes: int = 200_000_000
    """Disk that an installation leaves free."""
    start_seconds: float = 60.0
    """Until a new version is ready."""
    trial_call_seconds: float = 20.0
    """For one golden call."""
    trial_seconds: float = 60.0
    """For all of them."""
    trial_rounds: int = Field(default=12, ge=1)
    """How often the golden calls are repeated to see whether memory grows."""
    trial_growth_bytes: int = 4_000_000
    """By which a version may grow while its golden calls are repeated."""
    drain_seconds: float = 30.0
    """For the running calls of the version that is replaced."""
    grace_seconds: float = 5.0
    """For a call that was cancelled or is late; then the process is killed."""
    spare_ram_bytes: int = 200_000_000
    """Memory that two versions side by side leave free; else the old one is stopped first."""
    recycle_calls: int = 0
    """After so many calls a fresh process takes over; 0 is never."""
    probation_calls: int = 50
    """First calls of a new version, in which `probation_deaths` bring the one before it back."""
    probation_deaths: int = Field(default=2, ge=1)
    retry_seconds: float = 30.0
    """Before a module that did not start is started again."""
    follow_seconds: float = 1.0
    """How often a running agent looks whether another version was chosen."""
    lock_seconds: float = 120.0
    """How long to wait for another program that changes the same module."""
    keep_versions: int = Field(default=3, ge=2)
    """Versions of a module that stay on disk; those in use stay in any case."""


class UpdateSettings(Section):
    """Updates from a signed repository."""

    source: str = ""
    """An address or a folder, where `--from` names none."""
    connect_seconds: float = 15.0
    read_seconds: float = 30.0
    """For the head of an answer, and for each piece of what follows."""
    read_bytes: int = Field(default=1024 * 1024, ge=1)
    metadata_seconds: float = 300.0
    """For all signed metadata together."""
    slow_seconds: float = 60.0
    """A server that sends less than `slow_bytes_per_second` for so long is given up."""
    slow_bytes_per_second: float = 1_000.0
    retries: int = 3
    """Further tries for a file when the connection breaks without having brought anything."""
    backoff_seconds: float = 1.0
    """Before the first further try; doubled for each one after it."""
    max_root_bytes: int = 512_000
    max_timestamp_bytes: int = 16_384
    max_snapshot_bytes: int = 500_000
    max_targets_bytes: int = 5_000_000
    max_root_steps: int = 128
    """New roots that one refresh follows."""
    spare_bytes: int = 200_000_000
    """Disk that an update leaves free."""
    clock_slack_seconds: float = 86_400.0
    """The clock may be so far behind the one of whoever signed."""
    health_seconds: float = 180.0
    """For a new model to load and to answer."""
    tries: int = Field(default=3, ge=1)
    """So many times an item may be cut off while it is put in use; then it is held back until it is asked for by
    name."""
