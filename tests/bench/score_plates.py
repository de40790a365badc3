"""`make score-plates`: twenty drawn type plates through the real reader: fields right, and no type falsely listed."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass

from agent.env import Env, load_env
from agent.photo import photo_of
from agent.plugin_host import PluginHost, load_plugins
from plugins.nameplate.lists import look_up, read_lists
from plugins.nameplate.plate import read_plate
from plugins.nameplate.reflections import LastPhoto
from plugins.nameplate.values import Entry, Plate
from tests.bench.plant import EXAMPLE, weights_folder
from tests.field_kit import add_manuals
from tests.plate_drawings import PLATES, plate_photo
from tests.plate_drawings import Plate as Drawn

__all__ = ["Outcome", "example_lists", "outcome_of"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one plate."""

    standing: str
    """unreadable, where no type was read."""
    right: int
    wrong: int
    """Fields with another value and no flag."""
    missed: int
    """Not read, or flagged."""
    seconds: float


def example_lists(env: Env) -> list[Entry]:
    """The example's lists, in the store of this home."""
    store = add_manuals(env, *sorted((EXAMPLE / "nameplate").glob("*.md")))
    return read_lists(store, env.settings.nameplate)


def outcome_of(number: int, env: Env, plugins: PluginHost, entries: list[Entry]) -> Outcome:
    """Take a photo of a drawn plate, read it, look it up."""
    drawn, last = PLATES[number], LastPhoto()
    photo = photo_of(plate_photo(drawn, number), f"plate {number}")
    began = time.perf_counter()
    seen = plugins.perceive(photo, env)
    assert seen is not None
    last.keep(photo)
    plate = read_plate(seen, env.settings.nameplate, last.upright(seen))
    seconds = time.perf_counter() - began
    kind = plate.field("type") if plate is not None else None
    if plate is None or kind is None:
        return Outcome("unreadable", 0, 0, len(drawn.truth), seconds)
    standing = look_up(kind.value, entries, sure=kind.is_sure).standing
    right, wrong = _counted(plate, drawn)
    return Outcome(standing, right, wrong, len(drawn.truth) - right - wrong, seconds)


def _counted(plate: Plate, drawn: Drawn) -> tuple[int, int]:
    right = wrong = 0
    for name, truth in drawn.truth.items():
        field = plate.field(name)
        if field is None or not field.is_sure:
            continue
        said = f"{field.value} {field.unit}".strip() if name != "year" else f"{field.number:.0f}"
        right, wrong = right + (said == truth), wrong + (said != truth)
    return right, wrong


def main() -> None:
    """Print the table, and last one JSON line."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"WATCHKEEPER_HOME": folder, "WATCHKEEPER_WEIGHTS__FOLDER": str(weights_folder())}
        env = load_env(environ)
        entries, plugins = example_lists(env), load_plugins()
        outcomes = []
        for number, drawn in enumerate(PLATES):
            outcome = outcome_of(number, env, plugins, entries)
            outcomes.append(outcome)
            print(f"{number:2} {drawn.truth['type']:12} listed {drawn.listed!s:5} → {outcome.standing:11} "
                  f"fields right {outcome.right:2} wrong {outcome.wrong} missed {outcome.missed:2} "
                  f"{outcome.seconds:.1f} s")  # fmt: skip
    print(json.dumps(_summary(outcomes)))


def _summary(outcomes: list[Outcome]) -> dict[str, float]:
    readable = [(o, d) for o, d in zip(outcomes, PLATES, strict=True) if o.standing != "unreadable"]
    judged = sum(o.right + o.wrong + o.missed for o, _ in readable)
    return {
        "plates": len(outcomes),
        "unreadable": len(outcomes) - len(readable),
        "fields_right": round(sum(o.right for o, _ in readable) / judged, 3),
        "fields_wrong": sum(o.wrong for o, _ in readable),
        "falsely_listed": sum(o.standing == "listed" and not d.listed for o, d in readable),
        "listed_found": sum(o.standing == "listed" and d.listed for o, d in readable),
        "listed": sum(d.listed for _, d in readable),
    }


if __name__ == "__main__":
    main()
