"""A stage on its screen: each step seen, done and seen again, both pictures kept and named in the trail.

The picture from before and what a field held are in the trail before anything is sent. A harmless step whose end is
there already is not done again. The first step that is not confirmed ends the stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.api import Json, Said, ToolFailed, say
from plugins.screen.acting import Operator
from plugins.screen.expecting import check
from plugins.screen.finding import FILLED, find
from plugins.screen.procedures.filling import Filled, held_by, step_in_words
from plugins.screen.procedures.pictures import Pictures
from plugins.screen.procedures.runs import Call, Runs
from plugins.screen.values import Outcome, Sight

__all__ = ["Carried", "carry_out"]

_UNKEPT = "not kept"


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a stage."""

    done: bool
    sent: bool
    """Whether a writing step may have happened."""
    said: Said


def carry_out(call: Call, steps: Sequence[Filled], operator: Operator, runs: Runs, pictures: Pictures) -> Carried:
    """Do the steps of a stage, one after another, until one is not confirmed.

    :raises ToolFailed: the screen cannot be reached, and no writing step was sent.
    :raises DatabaseError, OSError: the trail or the picture from before cannot be written; the step was not done.
    """
    sent, lines = False, list[Said]()
    for number, filled in enumerate(steps, start=1):
        sight = operator.looker.look()
        if filled.source.harmless and filled.step.expect and check(sight, filled.step.expect).is_so:
            continue
        named: dict[str, Json] = {"stage": call.stage, "step": number, "line": filled.source.line, "undo": call.undo}
        runs.tell(call.run, "procedure_step_begun", {**named, **_begun(filled, sight, pictures)})
        try:
            outcome = operator.do(filled.step)
        except ToolFailed as error:
            if not sent:
                raise
            outcome = Outcome("stopped", say(f"看不到屏幕:{error}", f"the screen cannot be seen: {error}"))
        sent = sent or (outcome.sent and filled.step.writes)
        lines.append(step_in_words(filled.step, outcome))
        runs.tell(call.run, "procedure_step_ended", {**named, **_ended(outcome, pictures)})
        if outcome.came != "confirmed":
            return Carried(False, sent, _stopped(call, filled, lines[-1]))
    zh, en = "\n".join(line["zh"] for line in lines), "\n".join(line["en"] for line in lines)
    return Carried(True, sent, say(zh, en))


def _begun(filled: Filled, sight: Sight, pictures: Pictures) -> dict[str, Json]:
    told: dict[str, Json] = {"picture": pictures.keep(sight.photo)}
    key = held_by(filled.source)
    if key:
        control = find(sight, filled.step.target, FILLED).control
        if control is not None and control.value:
            told["held"] = {key: control.value}
    return told


def _ended(outcome: Outcome, pictures: Pictures) -> dict[str, Json]:
    picture = ""
    if outcome.after is not None:
        try:
            picture = pictures.keep(outcome.after.photo)
        except OSError as error:  # it was done: that has to be told all the same
            picture = f"{_UNKEPT}: {error.strerror or error}"
    return {"came": outcome.came, "sent": outcome.sent, "why": outcome.why["en"], "picture": picture}


def _stopped(call: Call, filled: Filled, line: Said) -> Said:
    where = ("撤销的", " of the undo") if call.undo else ("", "")
    return say(
        f"停在{where[0]}第 {call.stage} 步(文件第 {filled.source.line} 行)。{line['zh']}",
        f"stopped in step {call.stage}{where[1]} (line {filled.source.line} of the file). {line['en']}",
    )
