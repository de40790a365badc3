"""What went wrong, as the API tells it: a code for programs, a sentence in both languages, what to do, a status.

    {"error": {"code": "too_many_pixels", "message": {"zh": …, "en": …}, "hint": …}}

The English sentence is the error's own; the Chinese one is of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import (
    DatabaseError,
    InputError,
    IntegrityError,
    ModelError,
    ModuleError,
    NeedsPerson,
    PhotoError,
    PhotoTooLarge,
    PromptTooLong,
    QuestionError,
    SwapFailed,
    ToolDenied,
    ToolFailed,
    TurnCancelled,
    TurnEnded,
    WatchkeeperError,
    WeightsError,
)
from agent.server.queue import QueueFull
from agent.values import Said, say
from knowledge.errors import KnowledgeError

__all__ = ["INTERNAL", "Problem", "problem_of", "problem_of_trail"]


@dataclass(eq=False)
class Problem(Exception):
    """What a request is answered with."""

    status: int
    code: str
    message: Said
    hint: str = ""
    """What to do, for whoever writes programs."""

    def to_json(self) -> dict[str, object]:
        message = {"zh": self.message["zh"], "en": self.message["en"]}
        return {"error": {"code": self.code, "message": message, "hint": self.hint}}


_KINDS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (QueueFull, 429, "queue_full", "排队的提问太多,请稍后再问。"),
    (QuestionError, 422, "bad_question", "问题为空或太长,请修改后再问。"),
    (PromptTooLong, 422, "too_long", "问题太长,模型容纳不下,请缩短。"),
    (PhotoError, 422, "bad_photo", "照片无法读取,请重新拍摄或换一个文件。"),
    (ModuleError, 409, "module", "没有这个模块,或模块不完好。"),
    (DatabaseError, 503, "database", "数据库现在无法使用。"),
    (InputError, 422, "bad_input", "给出的内容无法使用。"),
    (KnowledgeError, 422, "manuals", "手册库中没有找到,或无法使用。"),
    (SwapFailed, 409, "swap_failed", "新版本没有通过检验,原来的版本继续工作。"),
    (WeightsError, 503, "weights", "模型文件无法使用。"),
    (ModelError, 503, "model", "现在没有模型可以回答。"),
    (TurnCancelled, 409, "cancelled", "提问已取消。"),
    (NeedsPerson, 409, "needs_person", "需要有人批准。"),
    (TurnEnded, 503, "ended", "没有处理完。"),
    (ToolDenied, 403, "denied", "已被拒绝。"),
    (ToolFailed, 502, "tool_failed", "没有做到。"),
    (IntegrityError, 503, "integrity", "记录与当初写下的不一致。"),
    (WatchkeeperError, 500, "failed", "没有成功。"),
)
"""Class → status, code and the Chinese sentence; the first that fits."""
_BY_NAME: Mapping[str, tuple[int, str, str]] = {kind.__name__: (status, code, zh) for kind, status, code, zh in _KINDS}
INTERNAL = Problem(500, "internal", say("程序内部错误。", "an error inside the program; its log says more"))


def problem_of(error: BaseException) -> Problem:
    """An error as the API tells it; of a bug nothing is told but that it is one."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, PhotoTooLarge):
        zh = "照片太大,请换一张较小的。"
        return Problem(413, f"too_many_{error.what}", say(zh, str(error)), "photo.max_bytes, photo.max_pixels")
    for kind, status, code, zh in _KINDS:
        if isinstance(error, kind):
            return Problem(status, code, say(zh, str(error)))
    return INTERNAL


def problem_of_trail(text: str) -> Problem:
    """An error that ended an earlier turn, as the trail has it: its class and its message."""
    name, _, message = text.partition(": ")
    if name in _BY_NAME:
        status, code, zh = _BY_NAME[name]
        return Problem(status, code, say(zh, message))
    return Problem(500, "interrupted", say("处理中断,没有完成;请再问一次。", text or "it was cut off; ask again"))
