"""Times and timers as people say them, in both languages."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.api import Said, say
from plugins.devices.timers import Timer

__all__ = ["left_words", "list_line", "time_words"]

_DAYS = {0: say("", ""), 1: say("明天", " tomorrow")}
_STATES = {
    "paused": say(",已暂停", ", paused"),
    "fired": say(",已到", ", ended"),
    "firing": say(",到了,结果未知", ", ended, nobody knows with what outcome"),
    "late": say(",到点时本机没有运行,没有执行", ", came due while the box was off and was not done"),
    "cancelled": say(",已取消", ", cancelled"),
}


def left_words(seconds: float) -> Said:
    """1 小时 5 分, 1 h 5 min."""
    whole = round(seconds)
    parts = [(whole // 3600, "小时", "h"), (whole % 3600 // 60, "分钟", "min"), (whole % 60, "秒", "s")]
    kept = [part for part in parts if part[0]] or [(0, "秒", "s")]
    return say("".join(f"{n} {zh}" for n, zh, _ in kept), " ".join(f"{n} {en}" for n, _, en in kept))


def time_words(at: datetime, now: datetime) -> Said:
    """22:00, 明天 07:30, 07:30 tomorrow."""
    days = (at.date() - now.date()) // timedelta(days=1)
    day = _DAYS.get(days) or say(f"{at:%m-%d} ", f" {at:%m-%d}")
    clock = f"{at:%H:%M}" if at.second == 0 else f"{at:%H:%M:%S}"
    return say(f"{day['zh']}{clock}", f"{clock}{day['en']}")


def list_line(timer: Timer, now: datetime) -> Said:
    """What it is, and how long it still runs."""
    called = timer.name or timer.area
    if timer.state not in ("running", "paused"):
        at = time_words(datetime.fromtimestamp(timer.due, now.tzinfo), now)
        state = _STATES[timer.state]
        told = timer.outcome or timer.said
        return say(f"{at['zh']} {called}{told}{state['zh']}", f"{at['en']} {called} {told}{state['en']}")
    left = left_words(timer.left(now.timestamp()))
    state = _STATES.get(timer.state, say("", ""))
    long = left_words(timer.seconds)
    what = (
        say(timer.said, timer.said)
        if timer.orders
        else say(f"{called}计时 {long['zh']}", f"{called} timer {long['en']}")
    )
    return say(f"{what['zh']}:还剩 {left['zh']}{state['zh']}", f"{what['en'].strip()}: {left['en']} left{state['en']}")
