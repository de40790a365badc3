"""Profiles of boxes: chosen by memory, used as chosen, never over what a person named."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import box_start
from agent.box_start import fitted
from agent.boxes import PROFILES, choose_profile, describe_profile, fill_in, profile_named
from agent.cli import run
from agent.env import Env, load_env
from agent.errors import SettingsError
from agent.settings import BoxSettings, ModelSettings, PanelSettings, Settings
from agent.weights.catalogue import load_catalogue
from agent.weights.ladder import RULES, Machine, choose_rungs, recommended

GB = 10**9
DISK = 100 * GB


def machine(free: float, cores: int = 4) -> Machine:
    """A box with so many gigabytes free."""
    return Machine(round(free * GB), cores, DISK)


@pytest.mark.parametrize(
    ("free", "name", "best", "reader"),
    [
        (0.7, "2gb", RULES, "ocr-tiny"),
        (1.5, "2gb", "qwen2.5-0.5b", "ocr-tiny"),
        (3.1, "4gb", "qwen2.5-1.5b", "ocr-small"),
        (6.3, "8gb", "qwen3-vl-2b", "ocr-small"),
        (12.5, "16gb", "qwen3-vl-4b", "ocr-small"),
    ],
)
def test_what_a_box_gets(free: float, name: str, best: str, reader: str) -> None:
    """By the memory that the service's unit leaves on a box of each size; on the smallest, the 0.5B or rules."""
    box = machine(free)
    settings = fill_in(Settings(), choose_profile(box.free_ram_bytes), cores=box.cores)
    bounded = box.within(settings.model.max_ram_bytes)
    models = choose_rungs(bounded, [model.name for model in load_catalogue().chat_models])
    assert (settings.box.profile, models[0], f"ocr-{settings.panel.ocr}") == (name, best, reader)
    assert {reader, "embed", "dictionary"} <= set(recommended(bounded, spare_bytes=0, reader=reader))
    told = describe_profile(settings, models, threads=2)
    assert best in told and reader in told


@given(free=st.integers(0, 64 * GB), more=st.integers(0, 8 * GB))
def test_more_memory_never_means_a_smaller_profile(free: int, more: int) -> None:
    """There is a profile for every box, and each bigger one gives at least as much of everything."""
    assert choose_profile(free).least_free_bytes <= choose_profile(free + more).least_free_bytes <= free + more


def test_each_profile_gives_at_least_as_much_as_the_one_below() -> None:
    """Numbers of one setting never fall with size; what a profile leaves out is the default, 0 being no bound."""
    for smaller, bigger in pairwise([fill_in(Settings(), profile, cores=64) for profile in PROFILES]):
        for profile in PROFILES:
            for section, values in profile.values.items():
                for key in values:
                    low, high = getattr(getattr(smaller, section), key), getattr(getattr(bigger, section), key)
                    if isinstance(low, int):
                        assert low <= (high or low), (section, key)


def test_a_body_can_hold_a_photo_in_every_profile() -> None:
    """A photo as large as it may be fits a request, as base64, and at least two requests are received side by side."""
    for profile in PROFILES:
        settings = fill_in(Settings(), profile, cores=4)
        assert settings.photo.max_bytes * 4 / 3 < settings.server.max_body_bytes
        assert settings.server.max_body_bytes * 2 <= settings.server.max_all_bodies_bytes
        assert settings.photo.work_pixels <= settings.photo.max_pixels


def test_what_a_person_named_stays() -> None:
    """A setting of the file stands over the profile, also where it says what the default is."""
    named = Settings(panel=PanelSettings(ocr="small"), model=ModelSettings(context_tokens=8_192))
    small = fill_in(named, PROFILES[0], cores=4)
    assert (small.panel.ocr, small.model.context_tokens, small.panel.threads) == ("small", 8_192, 1)
    assert small.photo.work_pixels == PROFILES[0].values["photo"]["work_pixels"]
    assert fill_in(Settings(), PROFILES[-1], cores=1).panel.threads == 1


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Gigabytes that are free, to be changed."""
    free = [6.0]
    monkeypatch.setattr(box_start, "look_at_machine", lambda folder: machine(free[0]))
    return free


def test_the_first_process_decides_for_those_beside_it(env: Env, memory: list[float]) -> None:
    """What a server takes of the memory makes the box no smaller; when all have ended, it is looked at anew."""
    with fitted(env) as server:
        assert server.settings.box.profile == server.box.profile == "8gb" and "6.0 GB free" in server.box.why
        memory[0] = 1.5
        with fitted(env) as beside:
            assert beside.settings.panel == server.settings.panel and "began first" in beside.box.why
    with fitted(env) as alone:
        assert alone.box.profile == "2gb"


def test_those_beside_outlive_the_first(env: Env, memory: list[float]) -> None:
    """The one who decided may end; whoever lives still holds the box to it."""
    first = fitted(env)
    first.__enter__()
    with fitted(env):
        first.__exit__(None, None, None)
        memory[0] = 1.5
        with fitted(env) as third:
            assert third.box.profile == "8gb"


@pytest.mark.parametrize("said", [b"", b"64gb", b"\xff" * 500, b"auto"])
def test_a_note_that_says_nothing_is_as_good_as_none(env: Env, memory: list[float], said: bytes) -> None:
    """Then the memory decides."""
    with fitted(env):
        (env.home.cache / "box").write_bytes(said)
        memory[0] = 3.0
        with fitted(env) as beside:
            assert beside.box.profile == "4gb" and "by memory" in beside.box.why


def test_a_home_that_cannot_be_written_has_a_profile_all_the_same(env: Env, memory: list[float]) -> None:
    """A folder or a pipe in the place of the note, or no cache at all."""
    note = env.home.cache / "box"
    note.mkdir()
    with fitted(env) as box:
        assert box.box.profile == "8gb"
    note.rmdir()
    os.mkfifo(note)
    with fitted(env) as box:
        assert box.box.profile == "8gb"


def test_a_profile_that_a_person_names_is_taken(env: Env, memory: list[float]) -> None:
    """Whatever the memory says, and without a note for others."""
    pinned = replace(env, settings=env.settings.model_copy(update={"box": BoxSettings(profile="4gb")}))
    with fitted(pinned) as box:
        assert (box.box.profile, box.box.pinned, box.settings.workers.photo_bytes) == ("4gb", True, 32_000_000)
    assert not (env.home.cache / "box").exists() and profile_named("auto") is None
    with pytest.raises(SettingsError, match=r"box\.profile.*'2gb'"):
        load_env({"WATCHKEEPER_HOME": str(env.home.folder), "WATCHKEEPER_BOX__PROFILE": "3gb"})


def test_doctor_says_which_box_this_is(
    environ: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is really used, and a pinned profile that the box cannot be."""
    monkeypatch.setenv("WATCHKEEPER_BOX__PROFILE", "2gb")
    run(["doctor", "--json"])
    found = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert found["box"]["ok"] and "qwen2.5-0.5b within 1.3 GB" in found["box"]["text"]
    assert "context of 4096 tokens" in found["box"]["text"] and "ocr-tiny with 1 thread" in found["box"]["text"]
    monkeypatch.setenv("WATCHKEEPER_BOX__PROFILE", "16gb")
    monkeypatch.setattr("psutil.virtual_memory", lambda: _Memory())
    run(["doctor", "--json"])
    found = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert not found["box"]["ok"] and "set box.profile to 2gb or auto" in found["box"]["text"]


class _Memory:
    total = available = 2 * GB
