"""Reports, and the condition of machines."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agent.settings.section import Section

__all__ = ["MaintenanceSettings", "ReportSettings", "Risk"]


Risk = Literal["low", "medium", "high", "critical"]


class ReportSettings(Section):
    """Maintenance reports, their schedules and their delivery."""

    folder: Path | None = None
    """None is `reports` in the home folder."""
    causes: Path | None = None
    """A table of causes in place of the shipped one."""
    history_days: int = Field(default=90, ge=1)
    """Before the period, in which earlier occurrences are looked for."""
    history_events: int = Field(default=20_000, ge=1)
    """Of one machine, history included."""
    series_points: int = Field(default=200_000, ge=1)
    """Of one series."""
    shown_alarms: int = Field(default=8, ge=1)
    """Rows of the Pareto chart; the rest is one row."""
    shown_trends: int = Field(default=4, ge=1)
    shown_causes: int = Field(default=4, ge=1)
    shown_actions: int = Field(default=4, ge=1)
    least_probability: float = Field(default=0.05, le=1)
    """A cause that is less likely is not listed."""
    most_probability: float = Field(default=0.95, le=1)
    """Rules and history are never surer than this."""
    flood_alarms: int = Field(default=10, ge=1)
    """More alarms than this within `flood_seconds` are a flood (ISA-18.2)."""
    flood_seconds: float = 600.0
    stale_seconds: float = 86_400.0
    """An alarm that stood for longer is stale (ISA-18.2)."""
    ahead_days: float = 7.0
    """For which the risk is told."""
    likelihood_edges: tuple[float, float, float] = (0.1, 0.35, 0.7)
    """Probability of a stop in that time from which the likelihood is 2, 3 and 4."""
    consequence: int = Field(default=2, ge=1, le=4)
    """Of a stop, where the machine says nothing: 1 unnoticed, 2 output falls, 3 output stops, 4 danger or damage."""
    consequences: dict[str, int] = Field(default_factory=dict)
    """The same for single machines, by name."""
    matrix: tuple[tuple[Risk, Risk, Risk, Risk], ...] = (
        ("low", "low", "medium", "medium"),
        ("low", "medium", "medium", "high"),
        ("medium", "medium", "high", "critical"),
        ("medium", "high", "critical", "critical"),
    )
    """Rows: likelihood 1 to 4; columns: consequence 1 to 4."""
    summary_tokens: int = 160
    """Of the one free line."""
    pick_seconds: float = 60.0
    """For the model's part of one report; then the rules finish it."""
    batch_reports: int = Field(default=8, ge=1)
    """Reports that are written side by side in one batch of replies."""
    poll_seconds: float = 20.0
    """How often the daemon looks at the clock and at the outbox."""
    keep_bytes: int = 2_000_000_000
    """Of reports in the reports folder; beyond that the oldest that nobody waits for are deleted."""
    send_seconds: float = 30.0
    """For one delivery."""
    retry_seconds: float = 60.0
    """Before a delivery that failed is tried again; doubled for each failure."""
    retry_most_seconds: float = 3_600.0
    give_up_days: float = 30.0
    """A delivery that could not be made for so long is given up, and told,"""
    give_up_tries: int = Field(default=100, ge=1)
    """but not before so many tries: a clock that jumps must not end it."""
    spare_bytes: int = 50_000_000
    """Disk that a delivery into a folder leaves free."""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    """Better in WATCHKEEPER_REPORTS__SMTP_PASSWORD than in the file."""
    smtp_from: str = ""
    mqtt_host: str = ""
    mqtt_port: int = 1883
    mqtt_tls: bool = False
    mqtt_user: str = ""
    mqtt_password: str = ""
    max_mqtt_bytes: int = 8_000_000
    """Of one message."""


class MaintenanceSettings(Section):
    """Machines, their signals, and when a series stands out."""

    machines: Path | None = None
    """None is `machines.toml` in the home folder."""
    zones: Path | None = None
    """A table of vibration limits in place of the shipped one; yours should come from your copy of the standard."""
    max_machines_bytes: int = 1_000_000
    max_file_bytes: int = 5_000_000_000
    """Of a recording or a table of readings."""
    max_line_chars: int = 65_536
    """A longer line of a table is left out and counted."""
    series_rows: int = Field(default=2_000_000, ge=1)
    """Readings of one table that are held in memory; of a longer one the last are taken, and that is said."""
    max_signals: int = Field(default=64, ge=1)
    """Columns or tags that one look takes."""
    wave_samples: int = Field(default=200_000_000, ge=1)
    """Samples of one recording that are looked at."""
    block_samples: int = Field(default=65_536, ge=4_096)
    """Of a recording that are in memory at a time."""
    busy_seconds: float = 2.0
    """How long to wait for a database that another program holds."""
    query_seconds: float = 10.0
    """For the readings of one machine."""
    history_days: float = 90.0
    """Readings before a period that show what is usual."""
    grid_cells: int = Field(default=30_000, ge=1_000)
    """Even cells that a series is put into before it is searched."""
    baseline_days: float = 28.0
    """What moves slower than this is a trend and no anomaly; for records at least twice as long."""
    season_cycles: float = 4.0
    """Days or weeks that must have been seen before a daily or weekly pattern is believed."""
    season_gain: float = Field(default=0.15, le=1)
    """Share of the spread that a pattern must take away in the half of the record that it was not learnt from."""
    alarm_days: float = 365.0
    """A well-behaved (Gaussian) series of the same memory raises one false alarm in so many days; a real one more."""
    velocity_low_hertz: float = 10.0
    """Lower edge of velocities in mm/s, as ISO 20816 has it for most machines."""
    velocity_high_hertz: float = 1_000.0
    stale_hours: float = 48.0
    """A signal whose last reading is older says nothing about now."""
