"""Steps as commands: what the core asks about them, and each carried out at most once.

Whoever is to say yes, the journal, and that a step is never sent twice, are the core's (`agent.actuator`). A step that
sent nothing has failed for sure; one that sent something and did not show what was expected is looked for on the screen
once, and stays unsure where it does not show.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping

from agent.actuator import Heard
from agent.actuator import Outcome as Became
from agent.api import InputError, Json, Risk, Said, ToolFailed, ToolResult, say
from agent.errors import CommandNotSent
from plugins.screen.expecting import check, holds_value
from plugins.screen.finding import FILLED, find
from plugins.screen.named_secrets import is_secret
from plugins.screen.screens import Screens
from plugins.screen.steps import step_of
from plugins.screen.values import Outcome
from plugins.screen.wording import step_said

__all__ = ["ScreenActuator"]

_REMEMBERED = 64
_IN_CHINESE = {
    "confirmed": "已完成", "failed": "没有完成", "unsure": "已发出,没有得到确认,请查看屏幕", "refused": "没有执行",
    "waits": "等待批准 {id};批准后再说一次", "repeated": "已经做过,没有再次发出", "told": "",
}  # fmt: skip
_IN_ENGLISH = {
    "confirmed": "done", "failed": "not done", "unsure": "sent, not confirmed; look at the screen",
    "refused": "not done", "waits": "waits for approval {id}; say it again once it is approved",
    "repeated": "done before, not sent again", "told": "",
}  # fmt: skip


class ScreenActuator:
    """Carries out steps on the screens of a box. Safe for use from several threads."""

    def __init__(self, screens: Screens) -> None:
        self._screens = screens
        self._lock = threading.Lock()
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()
        """What became of the last steps, for who tells of them and reads them back."""

    def risk(self, arguments: Mapping[str, Json]) -> Risk:
        """Looking, waiting and scrolling read; all else writes; what is no step is dangerous."""
        try:
            self._screens.settings(str(arguments.get("screen")))
            return "write" if step_of(arguments).writes else "read"
        except (InputError, ToolFailed):
            return "dangerous"

    def ordered(self, words: str, heard: Heard, arguments: Mapping[str, Json]) -> bool:
        """No words order a step: it is typed, or a person approves it."""
        return False

    def refusal(self, arguments: Mapping[str, Json]) -> Said | None:
        """What stands against it by the settings."""
        name = str(arguments.get("screen"))
        try:
            settings, step = self._screens.settings(name), step_of(arguments)
        except (InputError, ToolFailed) as error:
            return say(str(error), str(error))
        if step.writes and not settings.writable:
            return say(
                f"屏幕 {name} 只读;要操作它,由人在设置里写 [screen.{name}] writable = true",
                f"the screen {name} is read-only; a person may set [screen.{name}] writable = true",
            )
        return None

    def moves(self, arguments: Mapping[str, Json]) -> str:
        """The screen."""
        return f"screen {arguments.get('screen')}"

    def lane(self, arguments: Mapping[str, Json]) -> str:
        """The screen: steps on it go one after another."""
        return self.moves(arguments)

    def most_a_minute(self, arguments: Mapping[str, Json]) -> int:
        """Of the screen."""
        try:
            return self._screens.settings(str(arguments.get("screen"))).most_steps_a_minute
        except InputError:
            return 0

    def before(self, arguments: Mapping[str, Json]) -> Json:
        """Not told: a look takes longer than a transaction may."""
        return None

    def told(self, arguments: Mapping[str, Json], outcome: Became) -> Said:
        """What became of it, with what was read."""
        said = step_said(step_of(arguments))
        became = self._last(arguments)
        why = outcome.why or (became.why if became is not None else say("", ""))
        if became is not None and outcome.came in ("confirmed", "failed", "unsure"):
            why = became.why
        zh, en = (
            _IN_CHINESE[outcome.came].format(id=outcome.request),
            _IN_ENGLISH[outcome.came].format(id=outcome.request),
        )
        return say(
            f"{said['zh']}:{zh}{'。' if why['zh'] else ''}{why['zh']}",
            f"{said['en']}: {en}{'; ' if why['en'] else ''}{why['en']}",
        )

    def run(self, arguments: Mapping[str, Json]) -> ToolResult:
        """Do it, once.

        :raises CommandNotSent: nothing was sent.
        :raises ToolFailed: something was sent, and what was expected did not show.
        """
        step = step_of(arguments)
        refusal = self.refusal(arguments)
        if refusal is not None:
            raise CommandNotSent(refusal["en"], refusal)
        with self._lock:
            self._outcomes.pop(_key(arguments), None)
        try:
            with self._screens.use(str(arguments.get("screen"))) as operator:
                outcome = operator.do(step)
        except (InputError, ToolFailed) as error:
            raise CommandNotSent(str(error)) from None
        self._remember(arguments, outcome)
        if outcome.came == "confirmed":
            return ToolResult(notes=(outcome.why,))
        if not outcome.sent:
            raise CommandNotSent(outcome.why["en"], outcome.why)
        raise ToolFailed(outcome.why["en"])

    def read_back(self, arguments: Mapping[str, Json]) -> bool | None:
        """Whether what was expected is so: as it was just read, else looked at once; None where nothing tells."""
        step, last = step_of(arguments), self._last(arguments)
        if last is not None and last.came == "confirmed":
            return True
        if is_secret(step.value):
            return None
        with self._screens.use(str(arguments.get("screen"))) as operator:
            sight = operator.looker.look()
        if step.verb == "set":
            held = find(sight, step.target, FILLED).control
            return None if held is None or held.value is None else holds_value(held, step.value, step.unit)
        return True if step.expect and check(sight, step.expect).is_so and last is not None else None

    def _remember(self, arguments: Mapping[str, Json], outcome: Outcome) -> None:
        with self._lock:
            self._outcomes[_key(arguments)] = outcome
            while len(self._outcomes) > _REMEMBERED:
                self._outcomes.popitem(last=False)

    def _last(self, arguments: Mapping[str, Json]) -> Outcome | None:
        with self._lock:
            return self._outcomes.get(_key(arguments))


def _key(arguments: Mapping[str, Json]) -> str:
    return json.dumps({k: v for k, v in arguments.items() if v}, sort_keys=True, ensure_ascii=True)
