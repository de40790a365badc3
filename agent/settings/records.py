"""The log, questions to it, and the knowledge store."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agent.settings.section import Section

__all__ = ["FieldSettings", "KnowledgeSettings", "LogSettings", "QuerySettings"]


class LogSettings(Section):
    """The plant's alarm and event history. It is never written by a question."""

    path: Path | None = None
    """SQLite file; None is `log.db` in the home folder."""
    url: str = ""
    """The plant's own database instead, as SQLAlchemy writes it: postgresql://reader@host/plant. Without a password."""
    password: str = Field(default="", exclude=True, repr=False)
    """For `url`; better as the variable WATCHKEEPER_LOGS__PASSWORD than in a file."""
    password_file: Path | None = None
    """For `url`: a file whose first line is the password."""
    zone: str = ""
    """IANA zone of times stored without offset, such as Asia/Shanghai; empty: the offset of the plant's clock."""
    table: str = "events"
    columns: dict[str, str] = Field(default_factory=dict)
    """Our name → the plant's column, for: time, tag, text, priority, state, area, cleared."""
    series_table: str = "readings"
    series_columns: dict[str, str] = Field(default_factory=dict)
    """Our name → the plant's column, for: time, tag, value, unit. With `time` alone every other number is a signal."""
    max_rows: int = 50
    """Rows that one query returns at most."""
    recent_rows: int = 10
    """Rows that "what happened lately" returns when no span of time was said."""
    counted_rows: int = 5
    """Newest of the counted events that "how often" shows."""
    max_names: int = 5_000
    """Different tags, texts and areas that are looked at to find one in a question."""
    max_groups: int = 5_000
    """Groups that one count returns at most."""
    max_points: int = 2_000_000
    """Values of a series that one question looks at."""
    max_signals: int = 500
    """Series that are listed, and columns of numbers that are imported from one file."""
    max_text_chars: int = 300
    """Of one text of the log as it is shown."""
    max_seconds: float = 5.0
    busy_seconds: float = 2.0
    """How long to wait for a database that another program holds."""
    connect_seconds: float = 5.0
    """How long to wait for a database server."""
    sql: bool = False
    """Whether the model may write SELECTs where no other tool answers; a person's own are run in any case."""
    max_sql_chars: int = 2_000
    max_sql_rows: int = 30
    """Rows that the `sql` tool returns at most."""
    max_import_bytes: int = 10_000_000_000
    max_line_chars: int = 65_536
    """A longer line of an imported file is left out and reported."""


class QuerySettings(Section):
    """What questions about the log count as: alarm floods, chattering and stale alarms as ISA-18.2 has them."""

    flood_events: int = 10
    """More alarms than this within `flood_minutes` are a flood."""
    flood_end_events: int = 5
    """A flood ends when fewer than this came within `flood_minutes`."""
    flood_minutes: float = 10.0
    chatter_events: int = 3
    """This many alarms of one tag within `chatter_seconds` are chattering."""
    chatter_seconds: float = 60.0
    stale_hours: float = 24.0
    before_minutes: float = 10.0
    """How long before a failure an event counts as going before it, where the question does not say."""
    before_least: int = 2
    """Failures that an event must have gone before, to be named."""
    before_lift: float = 1.5
    """How many times more often than by chance."""
    listed: int = 10
    """Groups, floods or events that an answer lists."""
    max_moments: int = 200_000
    """Events that one question about floods, chattering or what goes before looks at."""


class KnowledgeSettings(Section):
    """Manuals and their search."""

    max_file_bytes: int = 200_000_000
    max_pages: int = 5_000
    max_passages: int = 4
    """Passages that one search returns."""
    passage_chars: int = 1_200
    """A section longer than this is cut at a paragraph."""
    section_chars: int = 2_400
    """A section up to this length is given whole, also where it was cut for search."""
    max_table_rows: int = 200_000
    """Of all tables of a manual."""
    max_text_bytes: int = 25_000_000
    """Of a manual that is nothing but text; it is held in memory some times over."""
    text_lines: int = 2_000_000
    """Lines and paragraphs of a manual, at most."""
    max_unpacked_bytes: int = 100_000_000
    """Of one part of a compressed manual."""
    page_pixels: int = 4_000_000
    """At which a page without text is read as a picture."""
    max_scanned_pages: int = 500
    """Of one manual; each takes seconds."""
    scan_score: float = 0.6
    """Lines of a scanned page that the reader is less sure of are dropped."""
    watch_seconds: float = 5.0
    """Between two looks at a watched folder; a file is read when it has not changed from one to the next."""
    embed_window_chars: int = 240
    """Sentences of a passage are embedded together up to this length."""
    embed_max_windows: int = 16
    """Of one passage; what comes after is found by its words."""
    busy_seconds: float = 2.0


class FieldSettings(Section):
    """Questions about whether something may be done now, by rules of the plant's own."""

    sheet: Path | None = None
    """None is `field.toml` in the home folder."""
    max_sheet_bytes: int = 1_000_000
    stale_minutes: float = 180
    """An older value says nothing about now, and a longer pause in a span is a gap; figures may say otherwise."""
    late_seconds: float = 120
    """How far a stamp may lie before the clock of the box."""
    max_rule_chars: int = 600
    """A longer sentence is no rule that can be compared."""
    most_rules: int = Field(default=200, ge=1)
    """Rules for one decision."""
    shown_rules: int = Field(default=12, ge=1)
    """Of those that an answer tells, the deciding ones first."""
