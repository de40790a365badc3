"""Words of the trade in Chinese and English, so that "电机电流" finds a column `Current` and "场站" a column `Field`.

General vocabulary only. `words_in` turns a question or a heading into what it says, each word with its place, the
longest first, so that 加速度计 is not also 速度. Digits count only where they stand next to a word (加速度计1, pump 2,
1号泵): a number elsewhere in a question is no name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from knowledge.tokens import HAN, fold

__all__ = [
    "CALLED",
    "COLUMN_WORDS",
    "KNOWN",
    "SPELT",
    "STATE_WORDS",
    "THINGS",
    "Word",
    "alike",
    "heading_words",
    "spaced",
    "words_in",
]

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "temperature": ("温度", "气温", "水温", "油温", "室温", "temp", "temps", "tmp", "temperatures"),
    "thermocouple": ("热电偶",),
    "pressure": (
        "压力",
        "压强",
        "press",
        "pressures",
        "液压",
        "气压",
        "油压",
        "水压",
        "负压",
        "风压",
        "差压",
        "静压",
        "真空度",
    ),
    "current": ("电流", "amps", "amperage", "currents"),
    "voltage": ("电压", "volt", "volts", "voltages"),
    "flow": ("流量", "流速"),
    "volume": ("体积", "容积"),
    "accelerometer": ("加速度计", "加速度传感器", "加速度", "acceleration", "accel", "accelerometers"),
    "vibration": ("振动", "震动", "vib", "vibrations"),
    "velocity": ("振速", "线速度"),
    "speed": ("转速", "速度", "rpm", "rotation"),
    "level": ("液位", "水位", "料位", "油位", "levels"),
    "humidity": ("湿度",),
    "power": ("功率",),
    "energy": ("电量", "用电量", "用电", "电能", "能耗", "能量", "electricity", "kwh"),
    "frequency": ("频率", "freq"),
    "rate": ("速率",),
    "feed": ("给料", "进料", "加料", "投料", "喂料"),
    "torque": ("扭矩", "转矩", "力矩"),
    "load": ("负荷", "负载"),
    "displacement": ("位移",),
    "concentration": ("浓度",),
    "density": ("密度",),
    "weight": ("重量",),
    "conductivity": ("电导率",),
    "turbidity": ("浊度",),
    "noise": ("噪声", "噪音"),
    "ambient": ("环境", "周围"),
    "machine": ("机器", "机组", "machines"),
    "motor": ("电机", "马达", "电动机", "motors"),
    "pump": ("水泵", "油泵", "泵", "pumps"),
    "valve": ("阀门", "阀", "valves"),
    "de": ("驱动端", "传动端", "输出端"),
    "nde": ("非驱动端", "非传动端", "自由端"),
    "position": ("位置", "开度", "行程", "stroke"),
    "exhaust": ("排气", "排烟", "烟气"),
    "furnace": ("炉膛", "炉子", "炉"),
    "kiln": ("窑",),
    "shell": ("壳体", "筒体", "外壳", "壳"),
    "ram": ("滑块",),
    "draft": ("draught", "抽力"),
    "chamber": ("腔室",),
    "outdoor": ("室外", "户外"),
    "indoor": ("室内",),
    "spindle": ("主轴",),
    "coolant": ("冷却液", "冷却水"),
    "fan": ("风机", "风扇", "fans"),
    "compressor": ("压缩机", "空压机"),
    "bearing": ("轴承", "bearings"),
    "gearbox": ("齿轮箱", "减速机"),
    "winding": ("绕组", "windings"),
    "oil": ("润滑油", "油"),
    "water": ("水",),
    "air": ("空气",),
    "steam": ("蒸汽",),
    "gas": ("燃气", "气体"),
    "tank": ("水箱", "罐", "储罐", "tanks"),
    "inlet": ("入口", "进口", "吸入口", "suction"),
    "outlet": ("出口", "排出口", "discharge"),
    "chilled": ("冷冻",),
    "supply": ("供水", "出水", "送风", "leaving"),
    "return": ("回水", "回风", "entering"),
    "anomaly": ("异常", "anomalies", "anomalous", "abnormal"),
    "changepoint": ("变点", "突变点", "changepoints"),
    "label": ("标注", "标签", "labels", "labelled", "labeled"),
}
"""What we call it → other words for it. Words that are none of these stand for themselves."""
COLUMN_WORDS: dict[str, tuple[str, ...]] = {
    "tag": ("位号", "点位", "测点", "标签", "tag", "tags", "point", "points"),
    "text": (
        "报警内容",
        "报警文本",
        "报警描述",
        "报警信息",
        "报警名称",
        "alarm text",
        "message",
        "messages",
        "alarm texts",
        "description",
        "descriptions",
        "报警类型",
        "内容",
    ),
    "priority": ("优先级", "报警级别", "级别", "等级", "priority", "priorities", "prio", "severity"),
    "state": ("报警状态", "状态", "alarm state", "state", "states", "status"),
    "area": ("区域", "地区", "车间", "装置", "厂区", "area", "areas", "zone", "zones"),
    "field": ("场站", "站场", "油田", "现场", "field", "fields"),
    "asset": ("资产", "设备", "asset", "assets", "equipment", "device", "devices"),
    "type": ("类型", "种类", "type", "types", "kind"),
    "quality": ("质量", "品质", "quality"),
    "site": ("站点", "场站", "site", "sites", "station", "stations"),
    "line": ("产线", "生产线", "line", "lines"),
    "unit": ("机组", "单元", "unit", "units"),
    "operator": ("操作员", "值班员", "operator", "operators"),
    "machine": ("机器", "设备", "machine", "machines"),
    "category": ("类别", "分类", "category", "categories"),
    "source": ("来源", "source", "sources"),
    "system": ("系统", "system", "systems"),
    "location": ("位置", "地点", "location", "locations"),
}
"""A column's heading, or the last word of it → how people call it."""
CALLED = {
    word: tuple(other for words in COLUMN_WORDS.values() if word in words for other in words)
    for word in {word for words in COLUMN_WORDS.values() for word in words}
}
"""Any of those words → the others."""
STATE_WORDS: dict[str, tuple[str, ...]] = {
    "active": ("激活", "活动", "触发中", "未确认", "active", "unacknowledged", "unacked"),
    "acked": ("已确认", "acked", "acknowledged"),
    "acknowledged": ("已确认", "acked", "acknowledged"),
    "normal": ("正常", "normal", "returned to normal"),
    "cleared": ("已恢复", "已解除", "已消除", "cleared"),
    "已恢复": ("cleared", "已恢复", "已解除", "returned to normal"),
    "未恢复": ("standing", "未恢复"),
    "digital": ("数字量", "开关量", "数字", "digital", "discrete"),
    "analog": ("模拟量", "模拟", "analog", "analogue"),
    "good": ("良好", "good"),
    "bad": ("不良", "坏", "bad"),
    "high": ("高级", "high"),
    "low": ("低级", "low"),
    "medium": ("中级", "medium"),
    "高": ("高级", "high"),
    "低": ("低级", "low"),
    "中": ("中级", "medium"),
    "紧急": ("紧急", "urgent"),
}
"""A value of a column → other words for it."""
THINGS = frozenset(
    {"machine", "motor", "pump", "valve", "furnace", "kiln", "spindle", "fan", "compressor", "bearing", "gearbox"}
    | {"winding", "tank", "chamber", "ram"}
)
"""Machines and their parts: beside a quantity they say whose it is."""
KNOWN = frozenset(_SYNONYMS)
"""Quantities and machines: a question that names one is about no series that does not."""
SPELT = frozenset(word for ours, words in _SYNONYMS.items() for word in (ours, *words) if word.isascii())
"""Every word in Latin letters for those, as it is spelt."""
_OURS = {word: ours for ours, words in _SYNONYMS.items() for word in (ours, *words)}
_CHINESE = sorted((word for word in _OURS if not word.isascii()), key=len, reverse=True)
_WORD = re.compile(rf"({'|'.join(_CHINESE)})|([a-z]+)|(\d+)|([{HAN}])")
_DRIVE_END = re.compile(r"\b(?P<non>non[- ]?)?driv(?:e|en|ing)[- ]?(?:end|side)\b")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEAM = re.compile(rf"(?<=[{HAN}])(?=[A-Za-z])|(?<=[A-Za-z])(?=[{HAN}])")
_NUMERALS = {"一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6"}
_FILLERS = "号第个台路"
_BETWEEN = re.compile(r"[\s_\-#号no.第个台]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as we call it, and where it stands."""

    name: str
    start: int
    end: int


def spaced(text: str) -> str:
    """A blank between Chinese characters and Latin letters, so that each begins and ends a word: 哪个 Tag 最多."""
    return _SEAM.sub(" ", text)


def words_in(text: str) -> list[Word]:
    """Words of a question; a digit only where it stands next to a word, joined to it: `accelerometer` and `1`."""
    folded = _DRIVE_END.sub(lambda m: ("nde" if m["non"] else "de").ljust(len(m.group())), fold(text))
    found = [Word(_ours(m), m.start(), m.end()) for m in _WORD.finditer(folded) if m.group() not in _FILLERS]
    kept = []
    for at, word in enumerate(found):
        digit = word.name if word.name.isdigit() else _NUMERALS.get(word.name, "")
        if not digit:
            kept.append(word)
            continue
        beside = [found[i] for i in (at - 1, at + 1) if 0 <= i < len(found)]
        if any(one.name in _SYNONYMS and _touch(folded, word, one) for one in beside):
            kept.append(Word(digit, word.start, word.end))
    return kept


@lru_cache(maxsize=4096)
def heading_words(heading: str) -> tuple[str, ...]:
    """Words of a column's heading or a file's name: `Accelerometer1RMS` is accelerometer, 1, rms."""
    apart = fold(_CAMEL.sub(" ", heading))
    return tuple(dict.fromkeys(_ours(m) for m in _WORD.finditer(apart)))


def alike(one: str, other: str) -> bool:
    """Whether two words are the same, a plural s aside."""
    return one == other or one.removesuffix("s") == other.removesuffix("s")


def _ours(match: re.Match[str]) -> str:
    word = match.group()
    return _OURS.get(word) or _OURS.get(word.removesuffix("s")) or word


def _touch(text: str, one: Word, other: Word) -> bool:
    first, second = sorted((one, other), key=lambda word: word.start)
    return _BETWEEN.fullmatch(text[first.end : second.start]) is not None
