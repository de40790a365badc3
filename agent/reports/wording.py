"""The one free line of a report, and what it may say.

The model words it from a few facts. It is dropped whole when a number, a code or a negation in it has no evidence
(`agent.claims`), when a number counts something else than in the facts, when it judges where they do not (rising,
severe, at once …), or when it is of the other language; then the facts stand in its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from agent.claims import unsupported
from agent.messages import Message
from agent.model.protocol import ReplyLimits, Request
from agent.prompt import detect_language
from agent.values import Language, Said

__all__ = ["wording_problem", "wording_request"]

_ASK: Said = {
    "zh": "把下面的事实写成一句给设备主管看的中文概括。数字和名称保持原样,不要添加任何内容:",
    "en": "Put these facts into one English sentence for a plant manager. Keep numbers and names, add nothing:",
}
_JUDGING = (
    r"上升|升高|增加|恶化|加剧|rising|rose|increas\w*|grow\w*|worsen\w*",
    r"下降|降低|减少|改善|好转|fall\w*|fell|decreas\w*|drop\w*|improv\w*|reduc\w*",
    r"严重|危险|紧急|立即|马上|尽快|severe\w*|serious\w*|danger\w*|urgent\w*|immediate\w*|at once|as soon as",
    r"停机|停产|损坏|失效|shut\W?down|stopp\w*|damag\w*|broke\w*|failed",
    r"正常|稳定|良好|安全|normal\w*|stable|healthy|safe\w*|fine",
    r"account\w*|share\w*|of the (?:issues|alarms|cases|time)|caused|占|造成|导致|引起",
    r"每天|每日|每周|每小时|平均|daily|weekly|hourly|average",
    r"更换|维修|检修|replac\w*|repair\w*|overhaul\w*",
    r"首次|再次|以前|去年|上周|上月|last week|last month|previous\w*|first time|again",
)
"""Kinds of judgement; one of a kind may be said only where the facts say one of the same kind."""
_COUNTED = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[A-Za-z]+|[\u4e00-\u9fff])?")


def wording_request(facts: Sequence[Said], language: Language, *, max_tokens: int) -> Request:
    """Asks for the line."""
    lines = "\n".join(f"- {fact[language]}" for fact in facts)
    return Request(
        [Message("user", f"{_ASK[language]}\n{lines}")], (), None, ReplyLimits(max_tokens=max_tokens, reusable=True)
    )


def wording_problem(line: str, facts: Sequence[Said], language: Language, names: Sequence[str] = ()) -> str | None:
    """Why a line may not stand; None where it may.

    :param names: of causes and alarms; they say nothing by themselves, also where they hold a negation (不平衡).
    """
    texts = [_without(fact[language], names) for fact in facts]
    line = _without(line, names)
    if not line.strip():
        return "it is empty"
    if detect_language(line) != language:
        return "it is of another language"
    problem = unsupported(line, texts)
    if problem:
        return problem
    whole = "\n".join(texts)
    for counted in sorted(_counted(line) - _counted(whole)):
        return f"{counted!r} is in no evidence"
    for kind in _JUDGING:
        said = re.search(kind, line, re.IGNORECASE)
        if said and not re.search(kind, whole, re.IGNORECASE):
            return f"{said.group()!r} is in no evidence"
    return None


def _without(text: str, names: Sequence[str]) -> str:
    """Full-width signs are as good as plain ones: models write either."""
    folded = unicodedata.normalize("NFKC", text)
    for name in sorted(names, key=len, reverse=True):
        folded = folded.replace(unicodedata.normalize("NFKC", name), "…")
    return folded


def _counted(text: str) -> set[str]:
    """Numbers with what stands behind them, so that a count of one thing is not told of another."""
    return {f"{number} {what.lower()}".strip() for number, what in _COUNTED.findall(text)}
