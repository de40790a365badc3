"""Devices, points and values as people say them, and what became of a command in one line."""

from __future__ import annotations

from collections.abc import Mapping

from agent.actuator import Came, Outcome
from agent.api import Language, Said, say
from plugins.devices.values import Device, Point, State, Value

__all__ = ["called", "came_line", "number_text", "shown", "state_line"]

_POINTS: Mapping[str, Said] = {
    "brightness": say("亮度", "brightness"),
    "color": say("颜色", "colour"),
    "color_temp": say("色温", "colour temperature"),
    "temperature": say("温度设定", "target temperature"),
    "current_temperature": say("当前温度", "temperature now"),
    "mode": say("模式", "mode"),
    "speed": say("转速", "speed"),
    "position": say("开度", "position"),
    "volume": say("音量", "volume"),
    "task": say("任务", "task"),
    "playing": say("播放", "playback"),
    "track": say("曲目", "track"),
    "value": say("值", "value"),
}
_BOOLS: Mapping[str, tuple[Said, Said]] = {
    "power": (say("开", "on"), say("关", "off")),
    "open": (say("打开", "open"), say("关闭", "closed")),
    "locked": (say("已锁", "locked"), say("未锁", "unlocked")),
    "muted": (say("静音", "muted"), say("未静音", "not muted")),
}
_YES_NO = (say("是", "yes"), say("否", "no"))
_OK = say("已回读确认", "confirmed by reading back")


def called(device: Device) -> Said:
    """Its name in each language; the first one where it has none."""
    return say(_name(device, "zh"), _name(device, "en"))


def number_text(value: float) -> str:
    """Without noise: 26, 26.5."""
    return f"{round(value, 3):g}" if abs(value) < 1e6 else f"{value:.10g}"


def shown(point: Point, value: Value) -> Said:
    """A value of a point: 亮度 40 %, open."""
    if isinstance(value, bool):
        on, off = _BOOLS.get(point.name, _YES_NO)
        word = on if value else off
        return word if point.name in _BOOLS else _joined(point, word["zh"], word["en"])
    text = value if isinstance(value, str) else f"{number_text(value)}{' ' if point.unit else ''}{point.unit}"
    return _joined(point, text, text)


def state_line(device: Device, point: Point, state: State, *, online: bool | None) -> Said:
    """What a point shows, or that nobody knows."""
    name = called(device)
    if state.value is not None and online is not False:
        now = shown(point, state.value)
        return say(f"{name['zh']}:{now['zh']}", f"{name['en']}: {now['en']}")
    what = _POINTS.get(point.name, say(point.name, point.name))
    if online is False:
        return say(f"{name['zh']}:离线", f"{name['en']}: offline")
    return say(f"{name['zh']}:{what['zh']}读不到", f"{name['en']}: {what['en']} cannot be read")


def came_line(device: Device, point: Point, wanted: Value, outcome: Outcome, seen: Value | None) -> Said:
    """What became of a command, as it really is.

    :param seen: what the device showed when it was read back; None where it showed nothing.
    """
    name, want = called(device), shown(point, wanted)
    texts = {language: _came(language, outcome, want[language], _seen(point, seen, language)) for language in want}
    return say(f"{name['zh']}:{texts['zh']}", f"{name['en']}: {texts['en']}")


def _came(language: Language, outcome: Outcome, want: str, seen: str) -> str:
    why = outcome.why[language] if outcome.why else ""
    if language == "zh":
        now, line = f",现在{seen}" if seen else "", _IN_CHINESE[outcome.came]
        return line.format(want=want, seen=seen or want, now=now, why=f":{why}" if why else "", id=outcome.request)
    now, line = f", now {seen}" if seen else "", _IN_ENGLISH[outcome.came]
    return line.format(want=want, seen=seen or want, now=now, why=f": {why}" if why else "", id=outcome.request)


_IN_CHINESE: Mapping[Came, str] = {
    "confirmed": "{seen},已回读确认",
    "failed": "没有完成(要求{want}{now}){why}",
    "unsure": "已发出({want}),没有得到确认,请到现场查看{why}",
    "refused": "没有执行({want}){why}",
    "waits": "{want},等待批准 {id};批准后再说一次",
    "repeated": "这句话已收到过,没有再次发出({want}){why}",
    "told": "{want}",
}
_IN_ENGLISH: Mapping[Came, str] = {
    "confirmed": "{seen}, confirmed by reading back",
    "failed": "not done (wanted {want}{now}){why}",
    "unsure": "sent ({want}), not confirmed; look at the device{why}",
    "refused": "not done ({want}){why}",
    "waits": "{want} waits for approval {id}; say it again once it is approved",
    "repeated": "said before, not sent again ({want}){why}",
    "told": "{want}",
}


def _seen(point: Point, seen: Value | None, language: Language) -> str:
    return "" if seen is None else shown(point, seen)[language]


def _joined(point: Point, zh: str, en: str) -> Said:
    what = _POINTS.get(point.name, say(point.name, point.name))
    return say(f"{what['zh']} {zh}", f"{what['en']} {en}")


def _name(device: Device, language: Language) -> str:
    fits = [n for n in device.names if n.isascii() is (language == "en")]
    return (fits or [*device.names, device.id])[0]
