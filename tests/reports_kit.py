"""A plant for report tests: a plugin with made-up evidence, manuals in memory, a model that is scripted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Annotated

import numpy as np

from agent.bound import PickBound, SchemaBound
from agent.env import Env
from agent.errors import DatabaseError
from agent.hookspecs import hookimpl
from agent.messages import Reply
from agent.model.protocol import ReplyLimits, Request
from agent.plugin_host import PluginHost, load_plugins
from agent.reports.values import AlarmEvent, Evidence, Level, Machine, Peak, Sign, Spectrum, Trend
from agent.times import Period
from agent.tools import Binds, Tool, TurnView, tool
from agent.values import Passage, ToolResult, say

END = datetime(2025, 3, 10, 6)
START = END - timedelta(days=7)
PERIOD = Period("7d", START, END)
PUMP = Machine("P-7", say("七号泵", "pump 7"), "pump", ("P-7",), 3)


def event(number: int, hours: float, text: str = "过载跳闸", **more: object) -> AlarmEvent:
    """An alarm so many hours before the end."""
    made = {"id": f"E{number}", "at": END - timedelta(hours=hours), "tag": "P-7", "text": text, "priority": "高"}
    return AlarmEvent(**{**made, **more})  # type: ignore[arg-type]


def trend(values: Sequence[float], unit: str = "mm/s", high: float | None = None) -> Trend:
    """Hourly values up to the end."""
    zero = datetime(1970, 1, 1)
    at = np.array([(END - timedelta(hours=len(values) - i) - zero).total_seconds() for i in range(len(values))])
    levels = () if high is None else (Level(high, say("上限", "high limit"), "high", "M1 §3.2"),)
    return Trend("S1", "VT-7", unit, at, np.array(values, dtype=float), levels)


def rich() -> Evidence:
    """Something of everything."""
    hertz = np.linspace(0, 500, 800)
    peaks = (Peak(25.0, 2.0, say("转频 1×", "1×")), Peak(89.5, 1.2, say("外圈", "outer race")))
    spectrum = Spectrum("S2", "DE", "mm/s", hertz, np.exp(-((hertz - 25) ** 2)) * 2 + 0.05, peaks)
    events = [event(n, 24 * 7 + n * 40) for n in range(1, 30)] + [event(100 + n, 150 - 30 * n) for n in range(5)]
    return Evidence(
        events=tuple(sorted(events, key=lambda e: e.at)),
        trends=(trend([2 + i / 60 + (i % 7) / 20 for i in range(168)], high=4.5),),
        spectra=(spectrum,),
        signs=(Sign("F1", "bearing.outer", say("轴承外圈频率突出", "outer race frequency stands out"), 2),),
        history_from=END - timedelta(days=97),
    )


@dataclass
class Plant:
    """A plugin; tests set what it knows."""

    evidence: Evidence = field(default_factory=rich)
    machines: tuple[Machine, ...] = (PUMP,)
    passages: tuple[Passage, ...] = (
        Passage(
            "M1", "泵手册", "6.2", "过载跳闸", 12,
            "过载跳闸处理步骤:\n\n1. 断电上锁挂牌。\n2. 盘车检查是否卡涩。\n3. 测量电机绝缘后再送电。", "zh",
        ),
        Passage(
            "M1", "泵手册", "7.1", "轴承", 15, "更换轴承步骤:\n\n1. 拆下联轴器。\n2. 更换轴承并加注润滑脂。", "zh",
        ),
        Passage(
            "M2", "Pump manual", "6.2", "Overload trip", 11,
            "Overload or seized rotor:\n\n1. Lock out the supply.\n2. Turn the shaft by hand.", "en",
        ),
    )  # fmt: skip
    locked: str = ""

    @hookimpl
    def report_machines(self, env: Env) -> Iterable[Machine]:
        """Those."""
        return self.machines

    @hookimpl
    def report_evidence(self, machine: Machine, period: Period, env: Env) -> Evidence | None:
        """That, whatever the period."""
        if self.locked:
            raise DatabaseError(self.locked)
        return self.evidence if machine.name in {m.name for m in self.machines} else None

    @hookimpl
    def register_tools(self, env: Env) -> Iterable[Tool]:
        """A search that finds everything."""

        @tool(risk="read")
        def search_manuals(turn: TurnView, query: Annotated[str, Binds("phrase")]) -> ToolResult:
            """Search."""
            return ToolResult(passages=tuple(p for p in self.passages if p.language == turn.language))

        return [search_manuals]

    def host(self) -> PluginHost:
        """Loaded as any plugin is."""
        module = ModuleType("plant_plugin")
        for name in ("report_machines", "report_evidence", "register_tools"):
            setattr(module, name, getattr(self, name))

        class _Point(EntryPoint):
            def load(self) -> object:
                return module

        return load_plugins(found=[_Point("plant", "plant_plugin", "watchkeeper")])


@dataclass
class Writing:
    """A model that says what its script says: lines, or where there are none left the last that it may say; quotes are
    picked by their letters.
    """

    lines: list[str] = field(default_factory=list)
    pick: str = "A"
    name: str = "scripted"
    asked: list[Request] = field(default_factory=list)

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """One for each."""
        self.asked += requests
        return [Reply(self._text(request), "done") for request in requests]

    def picks(self) -> list[PickBound]:
        """The questions for quotes."""
        return [request.bound for request in self.asked if isinstance(request.bound, PickBound)]

    def _text(self, request: Request) -> str:
        if isinstance(request.bound, PickBound):
            return "".join(f"{part.text} -> {self.pick}\n" for part in request.bound.parts)
        assert isinstance(request.bound, SchemaBound)
        return json.dumps(self.lines.pop(0) if self.lines else request.bound.schema["enum"][-1])  # type: ignore[call-overload,index]
