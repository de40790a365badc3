"""One turn, and the processes that work for it."""

from __future__ import annotations

from pydantic import Field

from agent.settings.section import Section

__all__ = ["TurnSettings", "WorkerSettings"]


class TurnSettings(Section):
    """Bounds of one turn."""

    max_question_chars: int = 4_000
    max_batch_line_bytes: int = 65_536
    """Of one line of `ask --batch`."""
    max_parts: int = 5
    """Parts that a question is taken apart into."""
    max_steps: int = 4
    """Model replies."""
    max_calls: int = 8
    """Tool calls."""
    max_seconds: float = 60.0
    most_orders: int = 100
    """Things that one utterance may order; more are refused as a whole."""
    order_seconds: float = 30.0
    """From the time something was said until it is sent; what is older is stale, and never sent."""
    order_lanes: int = Field(default=8, ge=1)
    """Devices that are moved side by side."""
    lane_wait_seconds: float = 10.0
    """How long a command waits for one of another process to the same device, or to one that is interlocked with it."""
    lane_poll_seconds: float = 0.05
    """Between two looks whether that one has ended."""
    order_memory: int = 6
    """Utterances before this one that a correction ("no, the bedroom") may be about."""
    reply_tokens: int = 600
    """Of one reply."""
    choice_tokens: int = Field(default=96, ge=1)
    """Of a name that is chosen from a closed list."""
    max_quotes: int = 12
    """Quotes that the model picks from, all parts together."""
    max_offered: int = 4
    """Quotes that it picks from for one part."""
    quote_min_chars: int = 6
    quote_max_chars: int = 1_600
    quote_words: float = Field(default=0.3, ge=0, le=1)
    """A quote that holds at least this share of what is asked is given by rules."""
    quote_sure_words: float = Field(default=0.6, ge=0, le=1)
    """Where the best quote holds at least this share, a model may not say that none answers."""
    quote_meaning: float = Field(default=0.4, ge=0, le=1)
    """A quote at least this close to the question in meaning is given by rules though it shares no word with it."""
    quote_foreign: float = Field(default=0.6, ge=0, le=1)
    """Share of that closeness that is enough in the other language, if it holds the kind of thing asked for."""
    quote_said: float = Field(default=0.72, ge=0, le=1)
    """A quote says at least this share of what the question names, or it answers something else."""
    quote_said_foreign: float = Field(default=0.65, ge=0, le=1)
    """The same for one of the other language, where only a dictionary and the sense of single words tell."""
    quote_said_close: float = Field(default=0.5, ge=0, le=1)
    """The same for one that is as close in meaning as `quote_close`."""
    quote_close: float = Field(default=0.55, ge=0, le=1)
    """Cosine from which a quote means nearly what is asked, in other words."""
    quote_said_sure: float = Field(default=0.9, ge=0, le=1)
    """Where the best quote says at least this share, a model may not say that none answers."""
    quote_paragraph_columns: int = 360
    """A paragraph up to this width (a Chinese character counts two) is quoted whole where one of its sentences
    answers."""
    quote_lead_columns: int = 160
    """A paragraph up to this width that leads code in is quoted whole with it."""
    quote_code_lines: int = 4
    """A longer listing is also quoted by the lines that stand together in it."""
    quote_object_lines: int = 14
    """A member of a configuration up to so many lines is quoted with all it holds."""
    quote_shown_chars: int = 120
    """Of each quote as the model sees it; the answer holds the whole."""
    gist_tokens: int = 80
    """Of the one free line."""
    panel_items: int = 24
    """Readings and lamps of the photo that the model sees."""
    look_closer: bool = True
    """A model that sees reads the part of the photo that the question names and the panel parser could not tell."""
    look_max_pixels: int = Field(default=262_144, ge=1)
    """Of that part; a larger one is scaled down."""
    look_min_side_px: int = 64
    look_tokens: int = 16
    look_seconds: float = 20.0
    history_turns: int = 6
    """Earlier questions and answers of the same conversation that the model sees. Because they are only appended to,
    they cost nothing again."""
    history_kept_turns: int = 1
    """The last ones, which stay when there were more than that or the model's context is full."""
    history_summary_chars: int = 300
    """Of the line about the turns that were left out."""


class WorkerSettings(Section):
    """Child processes: how long they may take, what they may use, and when they are started again."""

    start_seconds: float = 120.0
    """From being told what to load until ready: a large model from a slow card takes its time."""
    stop_seconds: float = 3.0
    """For an orderly end; then it is killed."""
    cancel_grace_seconds: float = 30.0
    """For a call that was cancelled or is late; then the process is killed. Encoding a photo cannot be interrupted."""
    frame_seconds: float = 10.0
    """For one message to cross once it has begun."""
    poll_seconds: float = 0.02
    """How often a waiting caller looks whether it was cancelled."""
    max_header_bytes: int = 8_000_000
    """Of the JSON of one message."""
    max_attachment_bytes: int = 64_000_000
    """Of the plain bytes that come with one message."""
    max_waiting_calls: int = 16
    """Calls that wait for their turn; one more is refused."""
    max_waiting_parts: int = 10_000
    """Pieces of a reply that its caller has not taken yet; a process that sends more is killed."""
    stderr_lines: int = 20
    """Last lines of what a process writes that are kept for the message about its death."""
    max_line_chars: int = 300
    """Of one such line."""
    open_files: int = Field(default=256, ge=16)
    """Files that a process may have open."""
    max_address_bytes: int = 0
    """Address space of a process, files mapped by it included; 0 is no limit."""
    nice: int = Field(default=0, le=19)
    """How far a process steps back behind others."""
    restart_seconds: float = 0.1
    """Before a process that died is started again; doubled for each death that follows soon."""
    restart_most_seconds: float = 30.0
    restart_jitter: float = 0.25
    """Up to this part is added at random, so that several processes do not come back in one instant."""
    breaker_deaths: int = Field(default=4, ge=1)
    """So many deaths within `breaker_window_seconds`, and it is left alone for `breaker_rest_seconds`."""
    breaker_window_seconds: float = 60.0
    breaker_rest_seconds: float = 30.0
    recycle_calls: int = 0
    """After so many calls a fresh process takes over; 0 is never."""
    recycle_growth_bytes: int = 1_500_000_000
    """When its own memory has grown by so much since it was ready, a fresh process takes over; 0 is never."""
    photo_bytes: int = 64_000_000
    """Pixels of photos that a model's process keeps, so that each crosses once."""
