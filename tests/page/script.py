"""What the scripted server answers: the question of the example plant, word for word as Watchkeeper answers it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PHOTO = HERE.parent.parent / "deploy/example/panel.png"
PERCEPTION: dict[str, Any] = json.loads((HERE / "perception.json").read_text(encoding="utf-8"))
QUOTE = "含义：循环泵变频器（VFD-P1 或 VFD-P2）因自身保护动作而停止输出，该循环泵已停运。"
STEPS = (
    "处理步骤：\n1. 确认备用循环泵已自动投入，供水温度没有继续升高；未投入时手动启动备用泵。\n"
    "2. 在变频器就地面板上读取并记录故障代码，按《循环泵变频器手册》查代码含义。\n"
    "3. 断开故障变频器的进线开关，上锁挂牌，等待 10 分钟，验明母线无电压。"
)
SECTION = f"6.2 循环变频故障\n{QUOTE}\n可能原因：滤网堵塞、进线缺相、电机过载。\n{STEPS}\n24 小时内再次跳闸时不得复位。"
QUESTIONS = ("循环变频故障这个报警灯代表什么?", "最近三天有没有类似记录?", "该怎么处理?")
PARTS: list[dict[str, Any]] = [
    {
        "question": QUESTIONS[0],
        "lines": [f"{QUOTE} [M1 §6.2]", "照片上:“循环变频故障”字段为暗品红底色,照片无法判断是否点亮(右上) [L1]"],
        "citations": ["M1 §6.2", "L1"],
    },
    {
        "question": QUESTIONS[1],
        "lines": [
            "循环变频故障,最近三天(2024-12-12 20:50 – 2024-12-15 20:50):3 条",
            "- 2024-12-15 20:41 循环变频故障 (VFD-P1, 高) 未恢复 [E247]",
            "- 2024-12-14 03:12 循环变频故障 (VFD-P1, 高) 持续 18 分钟 [E239]",
            "- 2024-12-13 16:05 循环变频故障 (VFD-P2, 高) 持续 6 分钟 [E237]",
        ],
        "citations": ["E247", "E239", "E237"],
    },
    {"question": QUESTIONS[2], "lines": [f"{STEPS} [M1 §6.2]"], "citations": ["M1 §6.2"]},
]
EVENTS: list[dict[str, Any]] = [
    {
        "id": f"E{number}",
        "fields": {
            "time": time,
            "tag": tag,
            "text": text,
            "priority": priority,
            "state": state,
            "cleared": None if state == "未恢复" else time,
            "minutes": None,
        },
    }
    for number, time, tag, text, priority, state in (
        (245, "2024-12-15T20:35:00+08:00", "TT-201", "供水温度高", "中", "恢复"),
        (246, "2024-12-15T20:40:12+08:00", "PT-105", "进线电压低", "中", "未恢复"),
        (247, "2024-12-15T20:41:00+08:00", "VFD-P1", "循环变频故障", "高", "未恢复"),
        (248, "2024-12-15T20:41:04+08:00", "P2", "备用泵投入", "低", "正常"),
    )
]
READINGS = [
    {"tag": "TT-201", "label": "供水温度", "value": "90.0", "unit": "℃", "time": "2024-12-15T20:50:00+08:00"},
    {"tag": "PT-101", "label": "供水压力", "value": "66.0", "unit": "MPa", "time": "2024-12-15T20:50:00+08:00"},
    {"tag": "FT-101", "label": "瞬时流量", "value": "54.2", "unit": "m³/h", "time": "2024-12-15T20:50:00+08:00"},
]
CALL: dict[str, Any] = {
    "id": "9f3c21ab",
    "tool": "write_point",
    "arguments": {"device": "VFD-P2", "point": "frequency", "value": 25, "unit": "Hz"},
    "state": "waiting",
    "until": "2099-01-01T00:00:00+00:00",
    "turn": "a1",
    "person": "",
    "reason": {"zh": "手动以 25 Hz 试运行 10 分钟", "en": "Trial run by hand at 25 Hz for 10 minutes"},
    "digest": "0" * 64,
}
HEALTH: dict[str, Any] = {
    "status": "degraded",
    "rung": "qwen2.5-1.5b",
    "falls": [{"rung": "qwen3-vl-4b", "reason": "needs 5.2 GB", "said": {"zh": "空闲内存不足", "en": "needs 5.2 GB"}}],
    "queue": {"running": False, "waiting": 0, "scheduled": 1},
    "disk": {"free_bytes": 41_200_000_000, "total_bytes": 64_000_000_000},
    "heat": {"zh": "soc 61 °C,到 85 °C 时降速", "en": "soc 61 °C, slowed at 85 °C"},
    "up_seconds": 86_000,
}
MODULES = [{"name": "ocr", "current": "1.1.0", "previous": "1.0.2", "versions": ["1.0.2", "1.1.0", "1.2.0"]}]
REPORTS = [
    {
        "id": "2024-12-16~pump-1-20241209-20241216",
        "machine": "pump-1",
        "at": "2024-12-16T06:00:00+08:00",
        "start": "20241209",
        "end": "20241216",
        "formats": ["html", "pdf"],
    }
]
WEIGHTS = [
    {"name": "qwen3-vl-4b", "state": "missing", "files": []},
    {"name": "qwen2.5-1.5b", "state": "present", "files": []},
    {"name": "ocr-small", "state": "present", "files": []},
]


def record(turn: str, question: str) -> dict[str, Any]:
    """The answer, as `TurnRecord.to_json` gives it."""
    text = "\n".join(f"▸ {part['question']}\n" + "\n".join(part["lines"]) for part in PARTS)
    return {
        "turn": turn,
        "question": question,
        "answer": text,
        "language": "zh",
        "parts": PARTS,
        "citations": ["M1 §6.2", "L1", "E247", "E239", "E237"],
        "rung": "qwen2.5-1.5b",
        "falls": [],
        "calls": [],
        "ms": {"total": 3480.0},
        "tokens": {},
        "problems": [],
    }
