"""A tool whose rules are not sure has the model choose from a closed list before it is called."""

from __future__ import annotations

import time
from typing import Annotated

import pytest

from agent.bound import ChoiceBound
from agent.conversation import Conversation, Window
from agent.errors import WordsNothing
from agent.evidence import Evidence
from agent.loop import Findings, Loop
from agent.messages import Message
from agent.settings import TurnSettings
from agent.tools import Binds, Choice, Tool, tool
from agent.values import ToolResult, say
from tests.fakes import ScriptedModel, call

QUESTION = "what was the crest?"


def weigher(*, asked: bool) -> Tool:
    """A tool that is told which figure it computes; `asked`: whether it is meant even where none is chosen."""

    def choice(part: str) -> Choice | None:
        return Choice("figure", "Which figure?", (("its peak?", "highest"),), part, {"highest": "max"}, "none of these")

    def weigh(
        said: Annotated[str, Binds("phrase")], figure: Annotated[str | None, Binds("figure")] = None
    ) -> ToolResult:
        """Weigh."""
        return ToolResult(notes=(say(f"{figure}", f"{figure}"),))

    return tool(risk="read", asked=lambda part: asked, choice=choice)(weigh)


def run(model: ScriptedModel, only: Tool) -> Findings:
    settings = TurnSettings()
    window = Window(Message("system", ""), Conversation(), [Message("user", QUESTION)], None, settings)
    loop = Loop(
        model=model,
        tools=[only],
        settings=settings,
        language="en",
        run_tool=lambda one, made: one.function(**made.arguments),
        note=lambda kind, fields: None,
        deadline=time.monotonic() + 60,
        window=window,
    )
    return loop.run([QUESTION], Evidence(QUESTION, None, ()))


@pytest.mark.parametrize("asked", [True, False])
def test_what_the_model_chose_is_the_argument(asked: bool) -> None:
    """The call that follows can hold no other value."""
    model = ScriptedModel(["highest", (call("weigh", said=QUESTION, figure="max"),)])
    found = run(model, weigher(asked=asked))
    assert isinstance(model.bounds[0], ChoiceBound) and model.bounds[0].choices == ("highest", "none of these")
    assert found.parts[0].call is not None and found.parts[0].call.arguments["figure"] == "max"


def test_a_tool_that_nothing_was_chosen_for_is_called_only_where_it_is_asked_for() -> None:
    """None of these, or a rung that cannot choose: then the tool's own rules decide."""
    for answer in ("none of these", WordsNothing("rules"), "something else"):
        model = ScriptedModel([answer, (call("weigh", said=QUESTION),)])
        found = run(model, weigher(asked=True))
        assert found.parts[0].call is not None and "figure" not in found.parts[0].call.arguments
        assert run(ScriptedModel([answer]), weigher(asked=False)).parts[0].call is None
