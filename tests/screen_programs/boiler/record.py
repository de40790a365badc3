"""What is so in the boiler house, and the record of all that was done to its screen."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["LIMITS", "START", "Record", "Value"]

Value = str | float | bool
LIMITS: dict[str, tuple[float, float, str]] = {
    "return-max": (0.1, 1.0, "MPa"),
    "return-min": (0.05, 0.6, "MPa"),
    "supply-set": (40, 95, "°C"),
    "supply-max": (60, 110, "°C"),
    "frequency": (20, 50, "Hz"),
    "delay": (0, 60, "s"),
    "fill-start": (0.1, 0.6, "MPa"),
    "fill-stop": (0.1, 0.8, "MPa"),
}
"""Least, most and unit of each parameter."""
START: dict[str, Value] = {
    "page": "overview",
    "language": "zh",
    "user": "",
    "mode": "auto",
    "pump1": "running",
    "pump2": "stopped",
    "makeup": "stopped",
    "return-max": 0.5,
    "return-min": 0.2,
    "supply-set": 75.0,
    "supply-max": 95.0,
    "frequency": 45.0,
    "delay": 10.0,
    "fill-start": 0.25,
    "fill-stop": 0.35,
    "night": False,
    "frost": True,
    "acked": "",
    "shelved": "",
    "resets": 0,
    "range": "hour8",
    "exports": 0,
    "prints": 0,
    "boiler1": "duty",
    "boiler2": "standby",
    "boiler3": "service",
}


class Record:
    """The state; each change and each press becomes a line of a file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "record.jsonl"
        wanted = json.loads((folder / "start.json").read_text(encoding="utf-8"))
        self.language: str = wanted["language"]
        self.scale: float = wanted["scale"]
        self.twists: dict[str, Value] = wanted.get("twists", {})
        self.state: dict[str, Value] = {**START, "language": self.language, **wanted.get("start", {})}

    def __getitem__(self, key: str) -> Value:
        return self.state[key]

    def change(self, key: str, value: Value) -> None:
        """Something is so now."""
        self.state[key] = value
        self.tell("changed", key)

    def tell(self, event: str, what: str) -> None:
        """
        :param event: started | pressed | changed | did | twisted.
        :param what: the control, by its id; `nothing` where there is none.
        """
        line = {"event": event, "what": what, "state": self.state}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
