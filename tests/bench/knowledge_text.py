"""Bilingual manuals that nobody wrote: as many chunks as wanted, the same in every run, with words as rare as in books.

Sentences are put together from parts of machines, states and orders; each chunk has a tag, figures and, one in five, a
fault code. Of the names most are rare and some stand in every third chunk, which is what makes a large store slow.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.store import Piece

__all__ = ["Asked", "chunks", "questions"]


def _list(text: str) -> list[str]:
    return text.split(";")


_ZH_PARTS = _list(
    "循环泵;补水泵;变频器;换热器;电磁阀;安全阀;轴承;联轴器;减速器;冷却风扇;过滤器;压力变送器;"
    "温度变送器;液位计;电动机;控制柜;接触器;熔断器;编码器;制动器;油泵;气缸;导轨;主轴;丝杠;"
    "皮带;齿轮箱;密封圈;单向阀;膨胀水箱"
)
_ZH_STATES = _list(
    "温度过高;振动超限;压力不足;泄漏;卡涩;过电流;绝缘下降;通讯中断;油位偏低;转速波动;"
    "噪声异常;磨损;堵塞;松动;缺相;过载;结垢;腐蚀"
)
_ZH_ORDERS = _list(
    "停机并挂牌上锁;检查接线端子;测量三相电流;更换滤芯;清洗换热面;加注润滑脂;校验变送器;"
    "紧固地脚螺栓;排空管路;盘车三圈;复位一次;记录故障代码;通知值班调度;核对参数设定;"
    "检查冷却水流量"
)
_EN_PARTS = _list(
    "circulation pump;make-up pump;frequency converter;heat exchanger;solenoid valve;safety valve;"
    "bearing;coupling;gearbox;cooling fan;strainer;pressure transmitter;temperature transmitter;"
    "level gauge;motor;control cabinet;contactor;fuse;encoder;brake;oil pump;cylinder;guide rail;spindle;"
    "ball screw;belt;seal ring;check valve;expansion vessel"
)
_EN_STATES = _list(
    "overheating;excessive vibration;low pressure;leakage;jamming;overcurrent;poor insulation;"
    "lost communication;low oil level;unstable speed;unusual noise;wear;clogging;loose terminals;"
    "a missing phase;overload;scaling;corrosion"
)
_EN_ORDERS = _list(
    "stop the machine and lock it out;check the terminals;measure the current of all three phases;"
    "replace the cartridge;clean the heating surface;grease the bearing;calibrate the transmitter;"
    "tighten the foundation bolts;drain the pipe;turn the shaft by hand;reset once;"
    "write down the fault code;call the dispatcher;compare the settings;check the flow of cooling water"
)
_MAKERS = _list("KAV;ROM;TEL;VIR;SOL;NEX;PRA;DOM;LIT;GAR;HUB;ZET")
_CHUNKS_A_SECTION = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over the chunks."""

    text: str
    kind: str
    """code | words | meaning | common | none"""


def chunks(count: int, seed: int = 7) -> Iterator[Piece]:
    """Pieces in reading order; half of them Chinese."""
    for number in range(count):
        rng = random.Random(seed * 1_000_003 + number)
        yield _chinese(rng, number) if number % 2 else _english(rng, number)


def questions(count: int, chunk_count: int, seed: int = 11) -> list[Asked]:
    """Questions of five kinds in turn: a code, rare words, frequent words, a meaning, and what no chunk says."""
    rng = random.Random(seed)
    out = []
    for at in range(count):
        number = rng.randrange(chunk_count)
        tag = _tag(random.Random(seed), number)
        part, state = rng.choice(_ZH_PARTS), rng.choice(_ZH_STATES)
        en_part, en_state = rng.choice(_EN_PARTS), rng.choice(_EN_STATES)
        out.append(
            (
                Asked(f"{_code(number - number % 5)} 是什么故障？怎么处理？", "code"),
                Asked(f"{tag} 的{part}{state}应该怎么处理?", "words"),
                Asked(f"What should I do about {en_state} of the {en_part} on {tag}?", "words"),
                Asked(f"{part}{state}怎么办?", "common"),
                Asked(f"how to repair {en_state} at the {en_part}", "common"),
                Asked("轴的响声不正常而且越来越烫是什么缘故?", "meaning"),
                Asked("Which torque do the bolts of the wind turbine's yaw ring need?", "none"),
            )[at % 7]
        )
    return out


def _chinese(rng: random.Random, number: int) -> Piece:
    part, state = rng.choice(_ZH_PARTS), rng.choice(_ZH_STATES)
    tag, lines = _tag(rng, number), []
    for _ in range(rng.randint(2, 5)):
        lines.append(
            f"{rng.choice(_ZH_PARTS)}{rng.choice(_ZH_STATES)}时，应当{rng.choice(_ZH_ORDERS)}，然后{rng.choice(_ZH_ORDERS)}，"
            f"数值不得超过 {rng.randint(1, 900)} {rng.choice(('℃', 'MPa', 'A', 'mm/s', 'm³/h'))}。"
        )
    code = f"故障代码 {_code(number)}。" if number % 5 == 0 else ""
    text = f"{tag} 的{part}{state}。{code}" + "".join(lines)
    return _piece(number, f"{part}{state}", text, "zh")


def _english(rng: random.Random, number: int) -> Piece:
    part, state = rng.choice(_EN_PARTS), rng.choice(_EN_STATES)
    tag, lines = _tag(rng, number), []
    for _ in range(rng.randint(2, 4)):
        lines.append(
            f"With {rng.choice(_EN_STATES)} of the {rng.choice(_EN_PARTS)} {rng.choice(_EN_ORDERS)}, then "
            f"{rng.choice(_EN_ORDERS)}; the value stays below {rng.randint(1, 900)} "
            f"{rng.choice(('°C', 'MPa', 'A', 'mm/s', 'm³/h'))}."
        )
    code = f"Fault code {_code(number)}. " if number % 5 == 0 else ""
    text = f"{state.capitalize()} of the {part} of {tag}. {code}" + " ".join(lines)
    return _piece(number, f"{part}: {state}", text, "en")


def _piece(number: int, heading: str, text: str, language: str) -> Piece:
    section = number // _CHUNKS_A_SECTION
    name = f"{section // 40 + 1}.{section % 40 + 1}"
    return Piece(section, name, heading, f"{name} {heading}", None, text, language)


def _tag(rng: random.Random, number: int) -> str:
    return f"{_MAKERS[number % len(_MAKERS)]}-{number % 9973:04d}"


def _code(number: int) -> str:
    return f"E{number:06d}"
