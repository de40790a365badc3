"""What an answer says about the rungs of the ladder: which could not answer and why, which can again. Pure.

The trail keeps the error's own words; a person reads the kind of it in the language of the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.errors import (
    BadReply,
    ModelDied,
    ModelError,
    ModelUnsound,
    NotEnoughMemory,
    WeightsError,
    WeightsMissing,
    WeightsUnreadable,
)
from agent.values import Said, say

__all__ = ["REMOTE", "Fall", "FallKind", "fall_of", "said_of", "why_of"]

FallKind = Literal[
    "failed", "died", "damaged", "missing", "disk", "memory", "unsound", "offline", "previous", "blind", "again"
]
"""The last three are about a rung that answers: with its version before, without its eyes, or again."""
REMOTE = "remote"
"""Name of the rung on the plant's network."""
_FAULTS = {
    "empty": "是空文件",
    "truncated": "不完整",
    "wrong size": "大小不对",
    "wrong bytes": "内容有误",
    "swapped": "是另一个权重文件",
    "unreadable": "无法从磁盘读出",
    "link outside": "是指向权重文件夹之外的链接",
    "not a file": "不是普通文件",
    "unpinned": "没有登记校验值",
    "earlier version": "是旧版本",
    "missing": "缺失",
}
"""`agent.weights.digest.Fault`, and what is missing, as a Chinese answer says it."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A rung that could not answer, or not at once, or not as it should."""

    rung: str
    reason: str
    """In the error's own words."""
    started_again: bool = False
    """Its process died, or its file was touched; it was started again, and answered."""
    kind: FallKind = "failed"
    files: tuple[tuple[str, str], ...] = ()
    """Name of each file that is not sound, and its `Fault`."""

    @property
    def repairable(self) -> bool:
        """Whether fetching its files again may help."""
        return self.kind in ("damaged", "missing", "disk")

    def to_json(self) -> dict[str, object]:
        return {"rung": self.rung, "kind": self.kind, "reason": self.reason, "started_again": self.started_again}


def fall_of(rung: str, error: WeightsError | ModelError | BadReply) -> Fall:
    """What an error says about the rung that raised it."""
    files = tuple(error.faults.items()) if isinstance(error, WeightsError) else ()
    return Fall(rung, str(error), kind=_kind(rung, error), files=files)


def said_of(fall: Fall, answering: str) -> Said:
    """The line of an answer about it.

    :param answering: the rung that answered.
    """
    rung, why = fall.rung, why_of(fall)
    zh, en = why["zh"], why["en"]
    if fall.started_again and fall.kind == "damaged":
        return say(
            f"注意:{rung} 的权重文件在使用中被改动,已重新校验并加载,由它完成回答。",
            f"Note: a file of {rung} was changed while it was in use; it was verified and loaded anew, and answered.",
        )
    if fall.started_again:
        return say(
            f"注意:{rung} 的进程中途退出({zh}),已重新启动并完成回答。",
            f"Note: the process of {rung} died ({en}); it was started again and answered.",
        )
    if fall.kind == "again":
        return say(f"{rung} 已恢复,重新由它回答。", f"{rung} answers again.")
    if fall.kind == "previous":
        return say(
            f"注意:{rung} 的当前版本不可用,由它的上一版本回答。",
            f"Note: {rung} answers with its version before, because the present one is not usable ({en}).",
        )
    if fall.kind == "blind":
        return say(
            f"注意:{rung} 的图像部分不可用({zh}),它只读文字,照片由面板识读程序读出。",
            f"Note: the vision half of {rung} is not usable ({en}); it reads text alone.",
        )
    return say(
        f"注意:{rung} 不可用({zh}),由 {answering} 回答。", f"Note: {rung} is not usable ({en}); {answering} answered."
    )


def _kind(rung: str, error: Exception) -> FallKind:
    kinds: tuple[tuple[type[Exception], FallKind], ...] = (
        (WeightsMissing, "missing"),
        (WeightsUnreadable, "disk"),
        (WeightsError, "damaged"),
        (NotEnoughMemory, "memory"),
        (ModelUnsound, "unsound"),
        (ModelDied, "died"),
    )
    found: FallKind = next((kind for error_type, kind in kinds if isinstance(error, error_type)), "failed")
    return "offline" if rung == REMOTE and found == "failed" and not isinstance(error, BadReply) else found


def why_of(fall: Fall) -> Said:
    """The reason in both languages. What has no kind is told as it came."""
    en = fall.reason.removeprefix(f"{fall.rung}: ")
    if fall.files:
        told = "、".join(f"{name} {_FAULTS.get(fault, fault)}" for name, fault in fall.files)
        check = "请检查磁盘,然后" if fall.kind == "disk" else "请"
        remedy = f";{check}运行 watchkeeper weights repair {fall.rung}"
        return say(f"权重文件 {told}{remedy if fall.kind != 'blind' else ''}", en)
    plain = {
        "damaged": f"权重文件已损坏;请运行 watchkeeper weights repair {fall.rung}",
        "missing": f"缺少权重文件;请运行 watchkeeper weights pull {fall.rung}",
        "disk": f"磁盘读不出权重文件;请检查磁盘,然后运行 watchkeeper weights repair {fall.rung}",
        "memory": "空闲内存不足",
        "unsound": "没有通过自检",
        "offline": f"连接不上厂内服务器:{en}",
        "died": "进程异常退出",
    }
    return say(en if fall.started_again else plain.get(fall.kind, en), en)
