"""What an answer says about the rungs, in the language of the question."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from agent.answer import render
from agent.errors import (
    BadReply,
    ModelDied,
    ModelError,
    ModelUnsound,
    NotEnoughMemory,
    WeightsBad,
    WeightsChanged,
    WeightsError,
    WeightsMissing,
    WeightsUnreadable,
)
from agent.loop import Findings
from agent.messages import Usage
from agent.model.falls import _FAULTS, Fall, FallKind, fall_of, said_of
from agent.perception import Perception
from agent.values import Language
from agent.weights.digest import Fault

ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")
"""Three words in a row; a command to type has its own."""
COMMAND = re.compile(r"watchkeeper weights \w+ big")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (WeightsMissing("big: m.gguf is not in /w", {"m.gguf": "missing"}), "missing"),
        (WeightsBad("big: m.gguf has wrong bytes in chunk 3", {"m.gguf": "wrong bytes"}), "damaged"),
        (WeightsUnreadable("big: m.gguf cannot be read", {"m.gguf": "unreadable"}), "disk"),
        (WeightsChanged("big: a file was changed on disk while it was in use"), "damaged"),
        (NotEnoughMemory("1.2 of 0.9 GB"), "memory"),
        (ModelUnsound("it loads and talks nonsense"), "unsound"),
        (ModelDied("its process 7 died: SIGKILL"), "died"),
    ],
)
def test_a_fall_is_told_by_its_kind(error: WeightsError | ModelError, kind: FallKind) -> None:
    """A Chinese answer holds no English sentence; an English one holds the error's own words; the trail too."""
    fall = fall_of("big", error)
    said = said_of(fall, "small")
    assert fall.kind == kind and fall.to_json()["reason"] == str(error)
    assert said["zh"].startswith("注意:big 不可用(") and said["zh"].endswith("),由 small 回答。")
    assert not ENGLISH.search(COMMAND.sub("", said["zh"])), said["zh"]
    assert str(error).removeprefix("big: ") in said["en"]


def test_every_fault_of_a_file_has_a_chinese_name() -> None:
    """A new one must not come as an English word into a Chinese answer."""
    assert set(get_args(Fault)) - {""} <= set(_FAULTS)
    fall = Fall("big", "x", kind="damaged", files=(("m.gguf", "swapped"), ("p.gguf", "empty")))
    assert "m.gguf 是另一个权重文件、p.gguf 是空文件" in said_of(fall, "rules")["zh"]


def test_a_remote_server_that_is_away_is_told_as_that() -> None:
    """The reason is not the box's; a reply that does not fit is not the network's."""
    assert fall_of("remote", ModelError("remote:x: connection refused")).kind == "offline"
    assert fall_of("remote", BadReply("not in the bound")).kind == "failed"
    assert "连接不上厂内服务器" in said_of(fall_of("remote", ModelError("refused")), "rules")["zh"]


@pytest.mark.parametrize(
    ("fall", "zh", "en"),
    [
        (Fall("big", "it proved itself", kind="again"), "big 已恢复", "big answers again."),
        (Fall("big", "m is bad", kind="previous"), "由它的上一版本回答", "answers with its version before"),
        (
            Fall("big", "p is bad", kind="blind", files=(("p.gguf", "wrong bytes"),)),
            "图像部分不可用(权重文件 p.gguf 内容有误)",
            "the vision half of big is not usable (p is bad)",
        ),
        (Fall("big", "touched", started_again=True, kind="damaged"), "已重新校验并加载", "verified and loaded anew"),
    ],
)
def test_what_is_no_fall_is_not_told_as_one(fall: Fall, zh: str, en: str) -> None:
    """A rung that answers is not called unusable."""
    said = said_of(fall, "big")
    assert zh in said["zh"] and "big 不可用" not in said["zh"]
    assert en in said["en"] and "big is not usable" not in said["en"].replace("half of big", "half of it")


@pytest.mark.parametrize(
    ("language", "whole", "told"),
    [
        ("zh", False, "照片:上面的文字无法识读,回答没有用到照片里的文字"),
        ("zh", True, "照片:面板识读不可用,由 big 直接看图,请核对"),
        ("en", False, "Photo: its text cannot be read"),
        ("en", True, "Photo: the panel parser is not usable; big looked at the photo by itself, check it"),
    ],
)
def test_a_photo_that_the_parser_could_not_read(language: Language, whole: bool, told: str) -> None:
    """Who read it instead, or that nobody did; and why."""
    seen = Perception((), (), (), (), (8, 8), 1.0, unread="OCR weights are missing")
    answer = render(
        Findings((), Usage(), 0.0, 0.0), seen, language, gist="", rung="big", falls=[], shown_whole=whole
    )  # fmt: skip
    assert told in answer.text and "OCR weights are missing" in answer.text
