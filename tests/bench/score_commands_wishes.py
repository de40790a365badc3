"""Wishes that name no device: what the rules leave and the model's path makes of it.

Ours, in tests/data/indirect_wishes.jsonl: `want` holds the devices and actions that would help, any of them; empty
where nothing may be proposed.

    python -m tests.bench.score_commands_wishes [--model NAME] [--show]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.model.protocol import Model
from agent.settings import UnderstandingSettings
from plugins.devices.maps.homes import HomeFile, home_of
from plugins.devices.understanding.model_path import ModelPath
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context, Understood
from plugins.devices.values import Write
from tests.bench.score_commands_model import open_model
from tests.bench.score_commands_sets import OURS, moves
from tests.bench.table import Row, at_most, print_rows, told

__all__ = ["wish_rows"]

MOST_SECONDS = 0.9
_SHARES = {"brighter": "brightness", "dimmer": "brightness", "warmer": "temperature", "cooler": "temperature"}
_SHARES |= {"faster": "speed", "slower": "speed", "louder": "volume", "quieter": "volume"}
_MORE = frozenset({"brighter", "warmer", "faster", "louder"})
_FIXED: dict[str, tuple[tuple[str, Any], ...]] = {
    "turn_on": (("power", True),),
    "turn_off": (("power", False),),
    "open": (("open", True), ("position", 100)),
    "close": (("open", False), ("position", 0)),
    "pause": (("playing", "pause"),),
    "play": (("playing", "play"),),
    "start": (("task", "start"),),
    "dock": (("task", "dock"),),
}


def wish_rows(model: Model, *, show: bool = False) -> list[Row]:
    """How many are understood, how often nothing is made of nothing, and how long it takes once the home is known."""
    homes = json.loads((OURS / "compound_homes.json").read_text("utf-8"))
    lines = [json.loads(line) for line in (OURS / "indirect_wishes.jsonl").read_text("utf-8").splitlines()]
    helped, quiet, took = [], [], []
    before = ""
    for line in lines:
        home = home_of(_in_use(homes[line["home"]]), UnderstandingSettings())
        if line["home"] != before:
            _ask(line["text"], line, home, model)  # the home is read once, as at a box's start
            before = line["home"]
        began = time.perf_counter()
        understood = _ask(line["text"], line, home, model)
        took.append(time.perf_counter() - began)
        writes = moves(understood)
        right = any(_helps(write, wanted, home) for write in writes for wanted in line["want"])
        (helped if line["want"] else quiet).append(right if line["want"] else not writes)
        if show and not (right or (not line["want"] and not writes)):
            print(f"wish {line['text']!r}: {[(w.device, w.point, w.value) for w in writes]} wanted {line['want']}")
            print(f"   {' / '.join(understood.why)}")
    return [
        told(f"wishes: something that helps is proposed ({len(helped)})", sum(helped) / len(helped)),
        told(f"wishes: nothing made of other talk ({len(quiet)})", sum(quiet) / len(quiet)),
        at_most("model's path, p50 s", statistics.median(took), MOST_SECONDS),
    ]


def _ask(text: str, line: dict[str, Any], home: HomeFile, model: Model) -> Understood:
    reader = RuleReader()
    context = Context(line["context"].get("area", ""))
    understood = reader.read(text, home.map, context, home.states)
    return ModelPath(reader).read(understood, home.map, context, home.states, model)


def _in_use(home: dict[str, Any]) -> dict[str, Any]:
    """Players play and fans turn halfway, so that more and less of it mean something."""
    used = {**home, "entities": [dict(entity) for entity in home["entities"]]}
    for entity in used["entities"]:
        attributes = entity["attributes"] = dict(entity["attributes"])
        if entity["domain"] == "media_player":
            entity["state"] = "playing"
        if entity["domain"] == "light":
            entity["state"], attributes["brightness"] = "on", 50
        if entity["domain"] == "fan":
            entity["state"], attributes["percentage"] = "on", 50
    return used


def _helps(write: Write, wanted: Sequence[str], home: HomeFile) -> bool:
    device, action = wanted
    if write.device != device:
        return False
    if action == "turn_on" and write.point in ("speed", "brightness"):
        action = "faster" if write.point == "speed" else "brighter"  # it runs already
    if action in _FIXED:
        return (write.point, write.value) in _FIXED[action]
    now = home.states.state(device, _SHARES[action]).value
    if write.point != _SHARES[action] or isinstance(now, bool | str | None) or isinstance(write.value, bool | str):
        return False
    return write.value > now if action in _MORE else write.value < now


def main() -> None:
    """Score one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-1.5b")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, open_model(options.model, Path(home)) as model:
        print_rows(wish_rows(model, show=options.show))


if __name__ == "__main__":
    main()
