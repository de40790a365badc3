"""Stages as commands of the core: what stands against one, and each carried out at most once.

A stage is refused where its text is not the one that was approved, where the one before it is not known to be done,
where it was begun before, and where the words that a person would approve are not what it does. After it is done the
next one waits for a person.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

from agent.actuator import Heard
from agent.actuator import Outcome as Became
from agent.api import DatabaseError, InputError, Json, Risk, Said, ToolFailed, ToolResult, say
from agent.errors import CommandNotSent, NeedsPerson, ToolDenied
from plugins.screen.procedures.carrying_out import carry_out
from plugins.screen.procedures.filling import Filled, checked_values, fill, stage_said, stages, undo_of
from plugins.screen.procedures.pictures import Pictures
from plugins.screen.procedures.runs import RUN, Call, Runs
from plugins.screen.procedures.shelf import Shelf
from plugins.screen.procedures.values import Procedure
from plugins.screen.screens import Screens

__all__ = ["ProcedureActuator"]

_REMEMBERED = 64
_CAME = {
    "confirmed": say("已完成", "done"),
    "failed": say("没有完成,没有发出写操作", "not done, nothing that writes was sent"),
    "unsure": say(
        "已发出,不知道结果;请看屏幕,再用 `watchkeeper approvals settle` 说明;不会自动重做",
        "sent, and nobody knows what became of it; look at the screen, then say so with `watchkeeper approvals "
        "settle`; it is never repeated by itself",
    ),
    "refused": say("没有执行", "not done"),
    "waits": say("等待批准 {id}", "waits for approval {id}"),
    "repeated": say("已经做过,没有再次执行", "done before, not done again"),
    "told": say("", ""),
}


class ProcedureActuator:
    """Carries out stages. Safe for use from several threads."""

    def __init__(self, screens: Screens, shelf: Shelf, runs: Runs, pictures: Pictures) -> None:
        self.shelf = shelf
        self.runs = runs
        self.pictures = pictures
        self._screens = screens
        self._lock = threading.Lock()
        self._became: OrderedDict[tuple[str, int, int], tuple[bool, Said]] = OrderedDict()
        """Stage → whether it was confirmed, and what is to be told."""

    def planned(self, call: Call) -> tuple[Procedure, tuple[Filled, ...]]:
        """The steps of a stage, with their values.

        :raises InputError: there are none: the file, the values or the stage are wrong.
        """
        procedure = self.shelf.read(call.procedure)
        values = checked_values(procedure, call.parameters)
        parts = stages(undo_of(procedure, call.undo) if call.undo else procedure.steps)
        if not 1 <= call.stage <= len(parts):
            what = "nothing is said to take it back" if call.undo and not parts else f"it has {len(parts)} steps"
            raise InputError(f"{procedure.key}: there is no step {call.stage}: {what}")
        return procedure, tuple(fill(step, values, call.before) for step in parts[call.stage - 1])

    def worded(self, call: Call) -> Call:
        """The call with the words that a person approves.

        :raises InputError: as `planned`.
        """
        procedure, steps = self.planned(call)
        count = len(stages(undo_of(procedure, call.undo) if call.undo else procedure.steps))
        said = stage_said(steps)
        undo = "撤销 undo " if call.undo else ""
        does = f"{undo}{call.stage}/{count} {said['zh']} | {said['en']}"
        return replace(call, does=does)

    def following(self, call: Call) -> Call | None:
        """The stage after this one; None after the last."""
        procedure = self.shelf.read(call.procedure)
        count = len(stages(undo_of(procedure, call.undo) if call.undo else procedure.steps))
        return self.worded(replace(call, stage=call.stage + 1)) if call.stage < count else None

    def risk(self, arguments: Mapping[str, Json]) -> Risk:
        """A stage that writes nothing reads; what is none is dangerous."""
        try:
            steps = self.planned(Call.of(arguments))[1]
        except InputError:
            return "dangerous"
        return "write" if any(one.step.writes for one in steps) else "read"

    def ordered(self, words: str, heard: Heard, arguments: Mapping[str, Json]) -> bool:
        """No words stand for a stage: a person approves each."""
        return False

    def refusal(self, arguments: Mapping[str, Json]) -> Said | None:
        """What stands against it."""
        call = Call.of(arguments)
        try:
            return self._against(call) or self._out_of_order(call)
        except (InputError, ToolFailed) as error:
            return say(str(error), str(error))

    def moves(self, arguments: Mapping[str, Json]) -> str:
        """The screen, as for single steps."""
        try:
            return f"screen {self.shelf.read(Call.of(arguments).procedure).screen}"
        except InputError:
            return "screen"

    def lane(self, arguments: Mapping[str, Json]) -> str:
        """The screen: whatever is done on it goes one after another."""
        return self.moves(arguments)

    def most_a_minute(self, arguments: Mapping[str, Json]) -> int:
        """Of the screen."""
        try:
            screen = self.shelf.read(Call.of(arguments).procedure).screen
            return self._screens.settings(screen).most_steps_a_minute
        except InputError:
            return 0

    def before(self, arguments: Mapping[str, Json]) -> Json:
        """Not told here: it is in the trail, and no look is short enough for a transaction."""
        return None

    def told(self, arguments: Mapping[str, Json], outcome: Became) -> Said:
        """What became of the stage, with what was read, and what is next."""
        call = Call.of(arguments)
        with self._lock:
            known = self._became.get(_key(call))
        why = outcome.why or (known[1] if known else say("", ""))
        if known and outcome.came in ("confirmed", "failed", "unsure"):
            why = known[1]
        came = _CAME[outcome.came]
        zh, en = (came[language].replace("{id}", outcome.request) for language in ("zh", "en"))
        head_zh, head_en = f"{call.procedure} 第 {call.stage} 步", f"{call.procedure}, step {call.stage}"
        if known is None:
            head_zh, head_en = (f"{head} ({call.does})" for head in (head_zh, head_en))
        return say(
            f"{head_zh}:{zh}{'。' if why['zh'] else ''}{why['zh']}",
            f"{head_en}: {en}{'. ' if why['en'] else ''}{why['en']}",
        )

    def run(self, arguments: Mapping[str, Json]) -> ToolResult:
        """Do a stage, once.

        :raises CommandNotSent: nothing that writes was sent.
        :raises ToolFailed: something was sent, and what was expected did not show.
        """
        call = Call.of(arguments)
        with self._lock:
            self._became.pop(_key(call), None)
        try:
            refusal = self._against(call) or self._begun_twice(call)
            if refusal is not None:
                raise CommandNotSent(refusal["en"], refusal)
            procedure, steps = self.planned(call)
            with self._screens.use(procedure.screen) as operator:
                carried = carry_out(call, steps, operator, self.runs, self.pictures)
        except (InputError, OSError) as error:
            raise CommandNotSent(str(error)) from None
        except ToolFailed as error:
            raise error if isinstance(error, CommandNotSent) else CommandNotSent(str(error)) from None
        said = self._with_next(call, carried.said) if carried.done else carried.said
        self._remember(call, carried.done, said)
        if carried.done:
            return ToolResult(notes=(said,))
        if not carried.sent:
            raise CommandNotSent(said["en"], said)
        raise ToolFailed(said["en"])

    def read_back(self, arguments: Mapping[str, Json]) -> bool | None:
        """Whether it was read from the screen that the stage is done. After a restart nobody knows: a person looks."""
        with self._lock:
            known = self._became.get(_key(Call.of(arguments)))
        return True if known and known[0] else None

    def _against(self, call: Call) -> Said | None:
        """The text, its approval, its words, its screen."""
        procedure = self.shelf.read(call.procedure)
        if procedure.digest != call.digest:
            return say(
                f"流程 {call.procedure} 的文件改过了,原来的批准无效;请重新审核并批准",
                f"the file of {call.procedure} was changed, so nothing that was approved of it holds; review and "
                "approve it anew",
            )
        if not self.shelf.approved_by(procedure):
            return say(
                f"流程 {call.procedure} 没有经人审核批准:watchkeeper screen procedure approve",
                f"nobody has approved {call.procedure}; review it: watchkeeper screen procedure approve",
            )
        if not self._screens.settings(procedure.screen).writable:
            return say(
                f"屏幕 {procedure.screen} 只读;要操作它,由人在设置里写 [screen.{procedure.screen}] writable = true",
                f"the screen {procedure.screen} is read-only; a person may set [screen.{procedure.screen}] "
                "writable = true",
            )
        if self.worded(call).does != call.does or not RUN.fullmatch(call.run):
            return say("所说的内容与步骤不符", "the words of the call are not what the step does")
        return None

    def _out_of_order(self, call: Call) -> Said | None:
        """The stages of a run follow each other, and none is begun twice."""
        known = self.runs.commands(call.run)
        for one, _ in known:
            if (one.procedure, one.digest, one.parameters) != (call.procedure, call.digest, call.parameters):
                return say(f"运行 {call.run} 属于别的流程或参数", f"the run {call.run} is of other steps or values")
        if self.runs.begun(call):
            return say(
                "这一步已经开始过,不会再做;结果不明时请看屏幕",
                "this step was begun before and is not repeated; where nobody knows its end, look at the screen",
            )
        if call.undo:
            reached = max((c.stage for c, _ in known if not c.undo and self.runs.begun(c)), default=0)
            if call.undo != reached:
                return say(
                    f"运行到了第 {reached} 步,不是 {call.undo}", f"the run got to step {reached}, not {call.undo}"
                )
        elif any(one.undo for one, _ in known):
            return say("这次运行正在撤销,不再继续", "this run is being taken back, so it does not go on")
        if call.stage > 1 and not self._is_done(replace(call, stage=call.stage - 1)):
            return say(f"第 {call.stage - 1} 步还没有确认完成", f"step {call.stage - 1} is not known to be done yet")
        return None

    def _begun_twice(self, call: Call) -> Said | None:
        """Asked where this command itself is begun: two approvals of one stage must not do it twice."""
        if len(self.runs.begun(call)) > 1:
            return say("这一步已经开始过,不会再做", "this step was begun before and is not repeated")
        return None

    def _is_done(self, call: Call) -> bool:
        return any(entry.state == "confirmed" for entry in self.runs.begun(call))

    def _with_next(self, call: Call, said: Said) -> Said:
        """The next stage waits for a person from now on."""
        try:
            following = self.following(call)
            if following is None:
                return say(f"{said['zh']}\n全部完成", f"{said['en']}\nall steps are done")
            request = self.runs.ask(following)
        except (InputError, DatabaseError, ToolDenied, NeedsPerson) as error:
            return say(
                f"{said['zh']}\n下一步没有提出:{error}", f"{said['en']}\nthe next step was not asked for: {error}"
            )
        return say(
            f"{said['zh']}\n下一步等待批准 {request.id}:{following.does}",
            f"{said['en']}\nnext waits for approval {request.id}: {following.does}",
        )

    def _remember(self, call: Call, done: bool, said: Said) -> None:
        with self._lock:
            self._became[_key(call)] = done, said
            while len(self._became) > _REMEMBERED:
                self._became.popitem(last=False)


def _key(call: Call) -> tuple[str, int, int]:
    return call.run, call.stage, call.undo
