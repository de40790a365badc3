"""The server, programs that ask it, and pages that plugins bring."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agent.settings.section import Section

__all__ = ["MCPServerSettings", "MCPSettings", "OpenAISettings", "PainterSettings", "ServerSettings"]


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
    headers: dict[str, str] = Field(default_factory=dict)
    environment: dict[str, str] = Field(default_factory=dict)
    """Of the command, besides the least that it needs."""
    tools: tuple[str, ...] = ()
    """Those that are used; none named: all."""
    reads: tuple[str, ...] = ()
    """Tools of which a person says that they change nothing; every other one needs an approval for each call."""
    cues: tuple[str, ...] = ()
    """Words in a question for which its tools are offered, besides its own name."""


class MCPSettings(Section):
    """The Model Context Protocol: this box as a server, and servers whose tools it uses."""

    servers: dict[str, MCPServerSettings] = Field(default_factory=dict)
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
