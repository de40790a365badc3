"""`make score-panels [DATA=FOLDER]`: how well panels are read, against labels that people wrote.

Any folder with images and a `labels.json` can be scored (see `tests.bench.panel_truth`); the default is the folder of
labelled images beside the repository where there is one, else those in tests/data/panels. RapidOCR as it comes, with
the nearest text as label, reads the same images in the same run. `--show` prints everything that is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

from plugins.panel.numbers.calibration import reliability
from tests.bench.children import Child
from tests.bench.panel_scores import Score, score_panel
from tests.bench.panel_truth import Panel, load_panels
from tests.bench.random_qwen3vl import cache_folder
from tests.bench.rapidocr_peer import peer_python
from tests.bench.table import Row, at_least, at_most, print_rows, told

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT.parent / "shared" / "data" / "panels", ROOT / "tests" / "data" / "panels")
SCREEN_PIXELS = 1400 * 900
SCREEN_SPREAD = 0.15
"""A screen counts as 1400×900 where its pixels differ by no more than this."""
LEAST = {
    "texts": ("salient texts found", 0.96),
    "readings": ("printed readings: value, label and unit", 0.88),
    "gauges": ("gauges within tolerance, of those not abstained", 0.8),
    "segments, value": ("seven-segment photos: value exact", 0.8),
    "lamps": ("lamps: colour and state", 0.9),
    "alarms": ("alarm rows: all cells right", 0.85),
    "buttons": ("buttons found", 0.85),
}
ALSO = {
    "readings, value": "printed readings: value alone",
    "segments": "seven-segment photos: value, label and unit",
}


def main() -> None:
    """Score the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, help="folder with images and labels.json")
    parser.add_argument("--show", action="store_true", help="print everything that is wrong")
    parser.add_argument("--only", default="", help="only images whose name holds this")
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    folder = options.data or next(f for f in FOLDERS if (f / "labels.json").is_file())
    panels = [panel for panel in load_panels(folder) if options.only in panel.path.name]
    with Child("tests.bench.panels_seen") as child:
        ours = [child.ask(image=str(panel.path)) for panel in panels]
    score = scored(panels, ours, show=options.show)
    rows = [*quality_rows(score), *cost_rows(panels, ours)]
    print_reliability(score.trusted)
    if not options.no_peer:
        rows += peer_rows(panels)
    print_rows(rows, data=folder.name, images=len(panels))


def scored(panels: Sequence[Panel], answers: Sequence[dict[str, Any]], *, show: bool) -> Score:
    """All panels together."""
    whole = Score()
    for panel, answer in zip(panels, answers, strict=True):
        score = score_panel(panel, answer["seen"])
        whole.add(score)
        for wrong in score.wrong if show else ():
            print(f"{panel.path.name}: {wrong}")
    return whole


def quality_rows(score: Score) -> list[Row]:
    """The measures with their targets; one without anything to score is left out."""
    rows = []
    for measure, (name, limit) in LEAST.items():
        share = score.share(measure)
        if share is not None:
            rows.append(at_least(name, share, limit))
    for measure, name in ALSO.items():
        share = score.share(measure)
        if share is not None:
            rows.append(told(name, share))
    abstained = score.share("gauges abstained")
    if abstained is not None:
        rows.append(at_most("gauges abstained", abstained, 0.3))
    matched = score.all.get("readings", 0) + score.all.get("segments", 0)
    if matched:
        strange = score.all.get("reported", 0) - score.right.get("reported", 0)
        rows.append(at_most("readings reported that are not on the panel", strange / matched, 0.02))
    silent = score.all.get("no silent error", 0) - score.right.get("no silent error", 0)
    rows.append(at_most("wrong values that carry no flag", silent, 0))
    return rows


def cost_rows(panels: Sequence[Panel], answers: Sequence[dict[str, Any]]) -> list[Row]:
    """What reading cost on one thread."""
    spent = [answer["cpu_ms"] for answer in answers]
    screens = [
        cost
        for panel, cost in zip(panels, spent, strict=True)
        if abs(_pixels(panel.path) / SCREEN_PIXELS - 1) < SCREEN_SPREAD
    ]
    rows = [told("CPU ms an image, one thread, median", median(spent))]
    if screens:
        rows.append(at_most("a 1400×900 screen, one thread, CPU s", median(screens) / 1000, 0.6))
    return [*rows, at_most("peak memory, MB", max(answer["peak_bytes"] for answer in answers) / 1e6, 500)]


def peer_rows(panels: Sequence[Panel]) -> list[Row]:
    """The same measures of the peer, as far as it has them."""
    python = peer_python(cache_folder())
    if python is None:
        print("score-panels: RapidOCR cannot be installed, so there is no peer")
        return []
    with Child("tests.bench.rapidocr_peer", python=python) as child:
        answers = [child.ask(image=str(panel.path)) for panel in panels]
    score = scored(panels, answers, show=False)
    names = {measure: LEAST[measure][0] for measure in ("texts", "readings", "segments, value")} | ALSO
    rows = [
        told(f"RapidOCR: {name}", share)
        for measure, name in names.items()
        if (share := score.share(measure)) is not None
    ]
    costs = [told("RapidOCR: CPU ms an image, median", median(answer["cpu_ms"] for answer in answers))]
    return [*rows, *costs, told("RapidOCR: peak memory, MB", max(answer["peak_bytes"] for answer in answers) / 1e6)]


def print_reliability(trusted: Sequence[tuple[float, bool]]) -> None:
    """How often a value is right that the parser is so sure of."""
    print("confidence   values   said  right")
    for group in reliability(trusted):
        print(f"{group.low:.2f}–{group.high:.2f}  {group.count:>7}  {group.said:.3f}  {group.right:.3f}")


def _pixels(path: Path) -> int:
    with Image.open(path) as image:
        return image.width * image.height


if __name__ == "__main__":
    main()
