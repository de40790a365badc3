"""Fit how far a read number can be trusted: `python -m tests.bench.calibrate_panels [--fonts FOLDER]`.

Draws sheets of numbers, reads and checks them as the panel reader does, fits the logistic model of
`plugins.panel.numbers.calibration` on one half and prints what it is worth on the other: its reliability table, the
wrong numbers that carry no flag and the right ones that carry one. The same seed, fonts and weights give the same
figures.
The coefficients are printed to be copied into that module; `--check` prints the figures of those that are there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from agent.env import load_env
from agent.perception import Text
from agent.settings import PanelSettings
from plugins.panel.grammar import is_state, tokens_of
from plugins.panel.layouts.layout import Layout
from plugins.panel.numbers import calibration
from plugins.panel.numbers.calibration import Features, confidence, reliability, terms
from plugins.panel.numbers.trust import check_numbers
from plugins.panel.texts.ocr import OcrEngine, open_engine
from tests.bench.drawn_numbers import Number, Sheet, font_files, sheets

PENALTY = 0.02
"""On the squares of the coefficients, so that rare features stay modest."""
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Case:
    """One drawn number as it was read."""

    truth: Number
    read: tuple[str, ...]
    features: Features
    flags: tuple[str, ...]
    score: float
    size_px: int

    @property
    def right(self) -> bool:
        """A sign that says nothing may be missing."""
        return self.truth.value in self.read


def main() -> None:
    """Draw, read, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheets", type=int, default=70, help="of 30 numbers; half are for fitting")
    parser.add_argument("--fonts", type=Path, action="append", default=[], help="folders instead of the machine's own")
    parser.add_argument("--check", action="store_true", help="only say what the present coefficients are worth")
    options = parser.parse_args()
    env = load_env(dict(os.environ))
    engine, notes = open_engine(env)
    if engine is None:
        raise SystemExit(notes[-1])
    drawn = sheets(options.seed, options.sheets, font_files(options.fonts))
    per_sheet = [list(cases(sheet, engine, env.settings.panel)) for sheet in drawn]
    half = 0 if options.check else len(per_sheet) // 2
    learn, test = ([case for part in parts for case in part] for parts in (per_sheet[:half], per_sheet[half:]))
    if not options.check:
        fitted = fit(learn)
        print("COEFFICIENTS =", tuple(round(float(c), 3) for c in fitted))
        with patch.object(calibration, "COEFFICIENTS", tuple(fitted.tolist())):
            report(test, env.settings.panel)
    else:
        report(test, env.settings.panel)


def cases(sheet: Sheet, engine: OcrEngine, settings: PanelSettings) -> Iterator[Case]:
    """Read one sheet and pair what was found with what was drawn, by place."""
    texts = engine.read(sheet.pixels)
    layout = Layout((), tuple(range(len(texts))), (), frozenset())
    checked = check_numbers(sheet.pixels, engine, texts, layout, settings)
    for number in sheet.numbers:
        x, y = (number.box[0] + number.box[2]) / 2, (number.box[1] + number.box[3]) / 2
        for index, text in enumerate(checked.texts):
            left, top, right, bottom = text.box
            if index in checked.features and left <= x <= right and top <= y <= bottom:
                flags = checked.doubts.get(index, ())
                yield Case(number, values(text), checked.features[index], flags, checked.scores[index], sheet.size_px)


def values(text: Text) -> tuple[str, ...]:
    """The numbers a text holds."""
    return tuple(t.text for t in tokens_of(text, 0) if t.kind == "value" and not is_state(t.text))


def fit(learn: Sequence[Case]) -> NDArray[np.float64]:
    """Newton's method on the penalised likelihood."""
    x = np.array([terms(case.features) for case in learn])
    y = np.array([case.right for case in learn], float)
    weights = np.zeros(x.shape[1])
    penalty = PENALTY * len(y) ** 0.5 * np.eye(x.shape[1])
    penalty[0, 0] = 1e-6
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - p) - penalty @ weights
        bend = x.T @ (x * (p * (1 - p))[:, None]) + penalty
        weights += np.clip(np.linalg.solve(bend, slope), -2, 2)
    return weights


def report(test: Sequence[Case], settings: PanelSettings) -> None:
    """What the model is worth on numbers it was not fitted to."""
    scored = [(confidence(case.features), case) for case in test]
    print("confidence    count   said  right")
    for line in reliability([(score, case.right) for score, case in scored]):
        print(f"{line.low:.2f} - {line.high:.2f}  {line.count:5d}  {line.said:.3f}  {line.right:.3f}")
    flagged = [(is_flagged(score, case, settings), case) for score, case in scored]
    right = [flag for flag, case in flagged if case.right]
    wrong = [(flag, case) for flag, case in flagged if not case.right]
    print(f"{len(test)} numbers, {len(wrong)} wrong, of these without a flag: {sum(not flag for flag, _ in wrong)}")
    print(f"right ones with a flag: {sum(right)} of {len(right)} ({sum(right) / max(1, len(right)):.1%})")
    print_wrong(case for flag, case in wrong if not flag)


def is_flagged(score: float, case: Case, settings: PanelSettings) -> bool:
    """With coefficients other than those the flags were made with."""
    return score < settings.least_trust or case.features.contradicted or "bad-format" in case.flags


def print_wrong(wrong: Iterable[Case]) -> None:
    """One line for each."""
    for case in wrong:
        print(f"  {case.size_px} px: drawn {case.truth.value} {case.truth.unit}, read {' '.join(case.read)}")


if __name__ == "__main__":
    main()
