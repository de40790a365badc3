"""Rungs with real files and real processes: what is loaded is what was verified, and half a rung is still a rung."""

from __future__ import annotations

import errno
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.commands.doctor import examine
from agent.env import Env
from agent.errors import ModelUnsound, WeightsBad, WeightsChanged
from agent.messages import Message
from agent.model.box_ladder import rungs_of
from agent.model.falls import Fall
from agent.model.golden import allowed_seconds
from agent.model.ladder import Ladder
from agent.model.machine import MachineNotes
from agent.model.opened import OpenRung
from agent.model.protocol import ReplyLimits
from agent.model.rungs import RungOpener, open_rung
from agent.photo import Photo
from agent.plugin_host import load_plugins
from agent.settings import LadderSettings
from agent.weights.progress import SilentReporter
from agent.weights.pull import pull
from tests.faults.ladder import FAULTS, Fault, try_fault
from tests.ladder_kit import LadderBox, ask, make_box, sees
from tests.tiny_qwen3vl import TinyFiles

pytestmark = pytest.mark.weights
MIB = 1 << 20
SECONDS = 30


@pytest.fixture
def box(tmp_path: Path, tiny: TinyFiles) -> LadderBox:
    """The tiny model with its projector, which has answered once."""
    made = make_box(tmp_path, {"big": sees(tiny)})
    made.env.weights.verified("big").close()
    return made


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def until_back(ladder: Ladder, rung: str = "big") -> tuple[Fall, ...]:
    """What the answer says when a rung is back."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        _, falls = ask(ladder)
        if any(fall.kind == "again" and fall.rung == rung for fall in falls):
            return falls
        time.sleep(0.05)
    raise AssertionError(f"{rung} is not back: {ladder.falls}")


def test_the_projector_is_opened_by_its_descriptor_too(box: LadderBox) -> None:
    """Both files are read as they were verified, and a photo is taken; the descriptors are free again in the end."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    rung = open_rung("big", box.env)
    assert rung.sees and isinstance(rung, OpenRung) and rung.remarks == ()
    photo = Photo(np.zeros((64, 96, 3), np.uint8), "digest", "black.png")
    assert rung.reply([Message("user", "what?", photo)], (), bound=None, limits=ReplyLimits(3)).text
    rung.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_file_that_is_touched_is_noticed_by_the_next_reply(box: LadderBox) -> None:
    """Before the model is asked: what is mapped may be anything by now. The error names the rung."""
    rung = open_rung("big", box.env)
    rung.reply([Message("user", "hi")], (), bound=None, limits=ReplyLimits(1))
    flip(box.path("big"), 20 * MIB)
    with pytest.raises(WeightsChanged, match="big: a file was changed"):
        rung.reply([Message("user", "hi")], (), bound=None, limits=ReplyLimits(1))
    rung.close()


def test_a_file_that_was_only_touched_goes_on_answering(box: LadderBox) -> None:
    """Verified anew and found sound: the same turn is answered by the same rung, and it is said."""
    ladder = box.ladder()
    assert ask(ladder) == ("big", ())
    os.utime(box.path("big"))
    name, falls = ask(ladder)
    assert name == "big" and [fall.started_again for fall in falls] == [True]
    assert ask(ladder) == ("big", ())
    ladder.close()


def test_without_its_projector_a_model_reads_text_until_it_is_repaired(box: LadderBox) -> None:
    """The same weights, blind; the answer says so; the photo is left to the panel parser; then it sees again."""
    flip(box.path("big", "mmproj"), 5_000)
    ladder = box.ladder()
    ladder.watch()
    name, falls = ask(ladder)
    assert (name, ladder.sees, [fall.kind for fall in falls]) == ("big", False, ["blind"])
    assert falls[0].files == (("big-mmproj.gguf", "wrong bytes"),)
    assert ladder.state("big") == "impaired"
    later = box.ladder()
    assert ask(later)[0] == "big"
    later.close()
    box.lend("big", "mmproj")
    until_back(ladder)
    assert ladder.sees and ask(ladder) == ("big", ())
    ladder.close()


def test_a_model_without_language_is_no_rung(box: LadderBox) -> None:
    """A sound projector alone is of no use."""
    flip(box.path("big"), 9 * MIB)
    ladder = box.ladder()
    name, falls = ask(ladder)
    assert name == "rules" and falls[0].files == (("big-model.gguf", "wrong bytes"),)
    ladder.close()
    rungs, down = rungs_of(box.env)
    assert rungs == ("big", "rules") and [fall.kind for fall in down] == ["damaged"]


def test_noise_does_not_pass_for_a_model(tmp_path: Path, tiny: TinyFiles) -> None:
    """It verifies, it loads, it babbles: the next rung answers, and the reason is said."""
    box = make_box(tmp_path, {"big": sees(tiny)}, ladder=LadderSettings())
    with pytest.raises(ModelUnsound, match="asked to repeat 7 2 9 4 8, it said"):
        open_rung("big", box.env)
    ladder = box.ladder()
    name, falls = ask(ladder)
    assert name == "rules" and [fall.kind for fall in falls] == ["unsound"]
    ladder.close()


def test_a_real_model_proves_itself_once_on_a_box(weights_env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it took is remembered with its weights; the next process need not ask, one that climbs does."""
    open_rung("qwen2.5-0.5b", weights_env).close()
    asked: list[float] = []
    monkeypatch.setattr("agent.model.rungs.prove", lambda model, **given: asked.append(given["seconds"]) or 1.0)
    open_rung("qwen2.5-0.5b", weights_env).close()
    assert asked == []
    RungOpener(weights_env).open_anew("qwen2.5-0.5b").close()
    assert len(asked) == 1 and asked[0] < weights_env.settings.ladder.golden_seconds


@pytest.mark.parametrize(("known_ms", "seconds"), [(0, 60), (10, 10), (1_000, 30), (5_000, 60)])
def test_how_long_the_test_question_may_take(known_ms: float, seconds: float) -> None:
    """By what it took here at first, never less than the least and never more than the most."""
    assert allowed_seconds(LadderSettings(), known_ms) == seconds


def test_a_new_version_that_does_not_work_is_rejected(tmp_path: Path, tiny: TinyFiles, weights_env: Env) -> None:
    """It verifies and talks nonsense: the version before answers, also after a restart, and the answer says so."""
    good = weights_env.weights.where("qwen2.5-0.5b")["model"]
    box = make_box(tmp_path, {"big": {"model": good}}, ladder=LadderSettings())
    box.env.weights.verified("big").close()
    newer = make_box(tmp_path / "newer", {"big": {"model": tiny.model}}, ladder=LadderSettings())
    newer.lend("big")
    catalogue = newer.env.weights.catalogue
    store = type(box.env.weights)(
        box.env.weights.folder,
        newer.env.settings.weights,
        catalogue=catalogue,
        box_key=box.env.home.box_key,
    )
    updated = LadderBox(replace(box.env, weights=store), box.stick, newer.sound)
    pull(store, ["big"], SilentReporter())
    for _ in range(2):
        ladder = updated.ladder()
        name, falls = ask(ladder)
        assert name == "big" and [fall.kind for fall in falls] == ["previous"], falls
        assert "talks nonsense" in falls[0].reason
        ladder.close()


def test_what_is_found_bad_behind_the_work_falls_at_once(tmp_path: Path, tiny: TinyFiles) -> None:
    """Slow storage: the rung answers after a first look; when the rest turns out bad, it is left, what it computed
    is forgotten, and the next opening reads all."""
    box = make_box(
        tmp_path, {"big": sees(tiny)}, slow_bytes_per_second=1e15, sample_chunks=1, later_pause_seconds=3.0
    )  # fmt: skip
    box.env.weights.verified("big").close()
    states = box.env.home.cache / "prefix"
    flip(box.path("big"), 17 * MIB)  # in the third chunk, so that two pauses come before it
    ladder = box.ladder()
    assert ask(ladder)[0] == "big"
    states.mkdir(exist_ok=True)
    (states / "state").write_bytes(b"computed with wrong weights")
    until = time.monotonic() + SECONDS
    while (told := ask(ladder))[0] == "big" and time.monotonic() < until:
        time.sleep(0.05)
    name, falls = told
    assert name == "rules" and [fall.rung for fall in falls] == ["big"] and falls[0].repairable
    assert not (states / "state").exists()
    ladder.close()


def test_a_repair_brings_a_rung_back_that_was_down_before_the_start(box: LadderBox) -> None:
    """Found bad by an earlier process: the ladder of this one begins below it, and climbs when the source returns."""
    flip(box.path("big"), 9 * MIB)
    with pytest.raises(WeightsBad):
        box.env.weights.verified("big")
    ladder = box.ladder()
    ladder.watch()
    assert ask(ladder)[0] == "rules"
    box.lend("big")
    until_back(ladder)
    assert ladder.name == "big"
    ladder.close()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_file_that_is_lost_under_a_model_that_answers(tmp_path: Path, tiny: TinyFiles, fault: Fault) -> None:
    """Each way to lose it, while serving: next rung, said, back."""
    assert not try_fault(tmp_path, sees(tiny), fault, serving=True, golden=False)


def test_measurements_and_tests_are_remembered_apart(weights_env: Env) -> None:
    """The note of a test does not stand where the bench looks."""
    open_rung("qwen2.5-0.5b", weights_env).close()
    digest = weights_env.weights.catalogue.entry("qwen2.5-0.5b").required[0].sha256
    assert MachineNotes(weights_env.home.cache).recall(digest).golden_ms == 0


def test_doctor_tells_how_each_rung_is(box: LadderBox) -> None:
    """Blind, gone, rejected: a line for each, with what to do; nothing about a rung that is well."""
    plugins = load_plugins(found=())

    def told() -> list[str]:
        return [finding.text for finding in examine(box.env, plugins) if finding.name == "rung big"]

    assert told() == []
    box.path("big", "mmproj").unlink()
    assert "reads text alone; get it: watchkeeper weights pull big" in told()[0]
    box.path("big").unlink()
    assert "big-model.gguf, big-mmproj.gguf was here and is gone" in told()[0]


def test_a_repair_by_hand_is_noticed_too(box: LadderBox) -> None:
    """Another program brings the file back while this one has no source: the rung is back at once."""
    flip(box.path("big"), 9 * MIB)
    ladder = box.ladder()
    ladder.watch()
    assert ask(ladder)[0] == "rules"
    brought = box.path("big").with_name("brought")
    shutil.copy(box.sound["big"]["model"], brought)
    brought.rename(box.path("big"))
    until_back(ladder)
    ladder.close()


def test_a_folder_that_cannot_be_read_costs_the_rung_and_not_the_agent(
    box: LadderBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is named as the cause."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(box.env.weights, "verified", fail)
    ladder = box.ladder()
    name, falls = ask(ladder)
    assert name == "rules" and falls[0].kind == "disk" and "check the disk" in falls[0].reason
    ladder.close()
