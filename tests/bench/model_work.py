"""What the parties of `make bench-model` are asked: the same words, tools, photos and schema for all of them.

Nothing here is about our agent's own prompt: the tools stand as text in the system message, so that all three render
the same tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.settings import ModelSettings
from agent.values import Json

__all__ = ["CALL_SCHEMA", "Asked", "Loaded", "bench_settings", "photo_pixels"]

PANEL = Path(__file__).parents[2] / "deploy" / "example" / "panel.png"
PHOTO_WIDTH, PHOTO_HEIGHT = 640, 480

ALARMS = ["循环变频故障", "补水变频故障", "水箱液位低", "变频器通讯中断", "供水压力低"]
AREAS = ["循环泵间", "补水间", "水箱间", "配电间"]
PERIODS = ["今天", "最近三天", "最近一周", "最近一个月"]
SECTIONS = ["2.3 故障灯", "3.1 启动前检查", "6.1 补水变频故障", "6.2 循环变频故障", "6.3 水箱液位低"]

Schema = Mapping[str, Json]


def _object(**properties: Json) -> dict[str, Json]:
    """All of these, in this order, and nothing else."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _one_of(*values: str) -> Json:
    return {"enum": list(values)}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _rows(most: int) -> Json:
    return {"type": "integer", "minimum": 1, "maximum": most}


TOOLS: Mapping[str, tuple[str, dict[str, Json]]] = {
    "similar_events": (
        "Earlier events of an alarm: when, where, how long.",
        _object(
            like=_one_of(*ALARMS),
            period=_one_of(*PERIODS),
            area=_one_of(*AREAS),
            rows=_rows(50),
        ),
    ),
    "count_events": (
        "How often an alarm came, per day or per area.",
        _object(
            like=_one_of(*ALARMS),
            period=_one_of(*PERIODS),
            per=_one_of("day", "area"),
            rows=_rows(31),
        ),
    ),
    "search_manual": (
        "The section of the manual about an alarm, with its steps.",
        _object(
            about=_one_of(*ALARMS),
            section=_one_of(*SECTIONS),
            language=_one_of("zh", "en"),
            rows=_rows(20),
        ),
    ),
    "read_panel": (
        "Readings and lamps of the photographed panel, in one area.",
        _object(
            area=_one_of(*AREAS),
            what=_one_of("readings", "lamps", "tables"),
            like=_one_of(*ALARMS),
            rows=_rows(40),
        ),
    ),
    "maintenance_history": (
        "What was repaired in an area, when and by whom.",
        _object(
            area=_one_of(*AREAS),
            period=_one_of(*PERIODS),
            like=_one_of(*ALARMS),
            rows=_rows(30),
        ),
    ),
}
"""Five tools whose calls take 30 to 40 tokens; every argument is bounded, as an agent bounds them by its evidence."""

CALL_SCHEMA: Schema = {
    "anyOf": [_object(name={"const": name}, arguments=arguments) for name, (_, arguments) in TOOLS.items()]
}
"""One call: {"name": …, "arguments": {…}}."""

TOOL_SYSTEM = (
    "You are Watchkeeper, an assistant for machine maintenance. Look things up with a tool: reply with one JSON object"
    ' on one line, without spaces: {"name":…,"arguments":{…}}. Tools:\n'
    + "\n".join(_compact({"name": name, "does": text, "arguments": schema}) for name, (text, schema) in TOOLS.items())
)
"""Asks for the form that we write anyway: a peer that follows it writes no spaces either."""
CALL_QUESTIONS = (
    "循环变频故障最近三天在循环泵间有没有类似记录?",
    "水箱液位低该怎么处理?",
    "补水变频故障最近一个月每天发生几次?",
    "配电间最近一周修过什么?",
    "What does the manual say about 变频器通讯中断?",
)

RULES = (
    "Answer in the language of the question and cite every source.",
    "Never repeat a number that the evidence does not hold.",
    "循环泵由变频器 VFD-P1、VFD-P2 驱动,补水泵由变频器 VFD-M1、VFD-M2 驱动,同一用途的两台泵一用一备。",
    "报警出现后先看画面,再到现场确认,最后处理;未查明原因不得反复复位。",
    "Say which readings were doubtful, and ask for a closer photo where one is needed.",
    "自动方式下循环泵按供回水温差调频,补水泵按回水压力启停;手动方式下联锁保护仍然有效。",
)
LONG_SYSTEM = "You watch over a heat station. Rules:\n" + "\n".join(
    f"{number}. {RULES[number % len(RULES)]}" for number in range(1, 37)
)
"""About a thousand tokens."""

WRITE_SYSTEM = "You are a maintenance assistant."
WRITE_QUESTIONS = (
    "Explain in detail how a plate heat exchanger station works, part by part, and what commonly fails in each.",
    "请详细说明换热站循环泵变频器故障的常见原因、检查步骤和处理方法,每一项都展开。",
)

QUOTE_SYSTEM = (
    "You copy evidence. Reply with nothing but the lines that are asked for, character by character, unchanged."
)
QUOTE_EVIDENCE = """\
[E312] 2024-10-14 03:27 VFD-P1 循环变频故障 高 已恢复 循环泵间 恢复 2024-10-14 03:41
[E318] 2024-10-15 11:05 LT-301 水箱液位低 中 已恢复 水箱间 恢复 2024-10-15 12:20
[E325] 2024-10-16 19:48 VFD-P1 循环变频故障 高 已恢复 循环泵间 恢复 2024-10-16 20:02
[E331] 2024-10-17 06:13 VFD-P2 循环变频故障 高 未恢复 循环泵间
[M1 §6.2] 1. 到循环泵间查看变频器就地面板,记下故障代码和当时的电流、母线电压。2. 断开变频器电源,等待母线放电五分钟以上,\
检查进线端子、电机电缆和接地。3. 检查冷却风扇和滤网,清除积尘。4. 复位后以低频试运行十分钟,电流稳定方可投入自动。"""
QUOTE_QUESTION = "把所有循环变频故障的记录(三条)和手册 §6.2 的步骤原样抄写出来。\n\n" + QUOTE_EVIDENCE

PHOTO_QUESTIONS = (
    "Which lamps are lit?",
    "这个报警灯代表什么故障?",
    "How high is the pressure of line one?",
    "水箱液位是多少?",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    system: str
    question: str
    max_tokens: int
    photo: int | None = None
    """Number of the photo that comes with the question."""
    schema: bool = False
    """The reply is one call of `CALL_SCHEMA`."""
    agent: bool = False
    """For us alone: the call is made as our agent makes it (`tests.bench.model_agent`)."""
    lookup_tokens: int = 0
    """For us alone: how many tokens are guessed ahead."""

    def to_json(self) -> dict[str, Any]:
        """For `from_json` on the other side of a pipe."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a party loads."""

    name: str
    model: Path
    projector: Path | None = None
    sha256: str = ""
    """Of the model."""
    projector_sha256: str = ""
    kept: Path | None = None
    """For us alone: the folder of states that outlive the process."""
    settings: Mapping[str, Any] | None = None
    """What differs from `bench_settings`."""

    def to_json(self) -> str:
        """For `from_json` in another process."""
        return json.dumps({key: str(v) if isinstance(v, Path) else v for key, v in asdict(self).items()})

    @classmethod
    def from_json(cls, text: str) -> Loaded:
        """The same again."""
        value = json.loads(text)
        paths = {key: Path(value[key]) for key in ("model", "projector", "kept") if value[key]}
        return cls(**{**value, **paths})


def bench_settings(more: Mapping[str, Any] | None = None) -> ModelSettings:
    """Ours as they come: 8K context, f16 KV, flash attention, no repacking, threads by physical cores, no spinning."""
    return ModelSettings().model_copy(update=dict(more or {}))


def photo_pixels(number: int) -> NDArray[np.uint8]:
    """The sample panel at 640 × 480, tinted so that every number is another photo; RGB."""
    panel = cv2.imread(str(PANEL))
    assert panel is not None
    scaled = cv2.resize(panel, (PHOTO_WIDTH, PHOTO_HEIGHT), interpolation=cv2.INTER_AREA)
    tinted = cv2.add(cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB), np.full_like(scaled, number % 32))
    return np.ascontiguousarray(tinted, dtype=np.uint8)


def photo_png(number: int) -> bytes:
    """The same as a file."""
    done, data = cv2.imencode(".png", cv2.cvtColor(photo_pixels(number), cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def chat_messages(asked: Asked, image_url: str = "") -> Sequence[dict[str, Any]]:
    """As an OpenAI-compatible peer takes them.

    :param image_url: the photo as a data URI, where one is asked about.
    """
    text = {"type": "text", "text": asked.question}
    content = [{"type": "image_url", "image_url": {"url": image_url}}, text] if image_url else asked.question
    return [{"role": "system", "content": asked.system}, {"role": "user", "content": content}]
