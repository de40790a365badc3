"""What the model is told, the stable part first so that its cached prefix is reused, what changes last.

    system      who it is, the tools, examples: the same for every turn; the tools' examples stand last, nearest the
    question history     the last questions and answers of this conversation
    user        what the photo shows, cut to what the question needs; the question
    assistant   its calls, one line for each part of the question
    user        what was found that can be quoted, lettered; then it picks

Text from a photo, a manual or a log goes in as content, never as markup: the model layer does not read special
tokens in it. The tools stand in our own short form, not in the template's JSON: a third of the tokens, and a higher
score.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from agent.bound import DECLINE, LETTERS, NO_TOOL, PickBound
from agent.messages import Message
from agent.perception import Perception
from agent.photo import Photo
from agent.quotes import Quote, plain
from agent.settings import TurnSettings
from agent.tools import Example, Tool
from agent.values import Language

__all__ = ["detect_language", "gist_messages", "pick_message", "system_message", "user_message"]

_WHO = (
    "You are Watchkeeper, a maintenance assistant on a machine's own computer. "
    "Take the parts of the question one by one and name the tool that each part needs."
)
_SMALL_TALK = ("你好", "Thank you.")
_PICK_EXAMPLE = f"""A) [Filter] A clogged filter raises the pressure drop.
B) [Filter] Likely causes: dust, wet air.
C) [Filter] What to do: 1. Stop the fan. 2. Replace the filter.
{DECLINE}) none of these answers it
What does the filter alarm mean? -> A
过滤器报警怎么处理? -> C
Why is the filter alarm there? -> B
这个报警是什么意思? -> A
What does a filter cost? -> {DECLINE}
How do I get rid of it? -> C
谁安装的过滤器? -> {DECLINE}"""
_GIST = {
    "zh": "把下面这段话用一句简短的中文说出来,数字和代码保持原样,不要添加任何内容:",
    "en": "Say the following in one short English sentence. Keep numbers and codes as they are, add nothing:",
}


def system_message(tools: Sequence[Tool], instructions: Iterable[str] = ()) -> Message:
    """The part that never changes while the same plugins are loaded."""
    tools = [tool for tool in tools if tool.asked is None]
    lines = [_WHO, *instructions, "", "Tools:"]
    lines += [f"{tool.name}({', '.join(p.name for p in tool.parameters)}): {tool.description}" for tool in tools]
    lines += ["", "Which quote answers a part:", _PICK_EXAMPLE, "", "Which tool a part needs:"]
    rounds = max((len(tool.examples) for tool in tools), default=0)
    lines += [_example(t, t.examples[i]) for i in range(rounds) for t in tools if i < len(t.examples)]
    lines += [f"{talk} -> {NO_TOOL}" for talk in _SMALL_TALK]
    return Message("system", "\n".join(lines))


def user_message(
    question: str,
    perception: Perception | None,
    photo: Photo | None,
    settings: TurnSettings,
    *,
    brief: bool = False,
) -> Message:
    """The photo as the panel parser read it, then the question.

    :param photo: pixels, for a model that sees; the text is complete without them.
    :param brief: of the photo, only what the question names.
    """
    shown = _panel_lines(question, perception, settings, brief=brief) if perception else []
    text = "\n".join(["Photo of a panel:", *shown, "", question]) if shown else question
    return Message("user", text, photo)


def pick_message(bound: PickBound, settings: TurnSettings) -> Message:
    """The quotes to pick from, lettered, each under the heading of its section; long ones are shown by their
    beginning.
    """
    lines = [f"{letter}) {_shown(quote, settings)}" for letter, quote in zip(LETTERS, bound.quotes, strict=False)]
    lines.append(f"{DECLINE}) none of these answers it")
    return Message("user", "\n".join([*lines, "", "Pick the quote that answers each part."]))


def gist_messages(quote: Quote, language: Language) -> list[Message]:
    """Asks for one line in the other language."""
    return [Message("user", f"{_GIST[language]}\n{quote.text.splitlines()[0]}")]


def detect_language(question: str) -> Language:
    """The language of the person's own sentence: a quoted label in the other language does not count much."""
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in question)
    words = sum(1 for word in question.split() if word.isascii() and any(c.isalpha() for c in word))
    return "zh" if chinese > 2 * words else "en"


def _example(tool: Tool, example: Example) -> str:
    question, arguments = (example, None) if isinstance(example, str) else example
    shown = f"{json.dumps(list(arguments.values()), ensure_ascii=False)[1:-1]})" if arguments else ""
    return f"{question} -> {tool.name}({shown}"


def _shown(quote: Quote, settings: TurnSettings) -> str:
    text = f"[{quote.passage.heading}] {' '.join(quote.text.split())}"
    return text if len(text) <= settings.quote_shown_chars else f"{text[: settings.quote_shown_chars]} …"


def _panel_lines(question: str, perception: Perception, settings: TurnSettings, *, brief: bool) -> list[str]:
    """Lamps, the readings that the question names, and only the names of the others."""
    asked = plain(question)
    lamps = [lamp for lamp in perception.lamps if lamp.label and (not brief or plain(lamp.label) in asked)]
    lines = [f"lamp {lamp.label}: {lamp.color}, {lamp.state}" for lamp in lamps]
    named = [r for r in perception.readings if r.label and plain(r.label) in asked]
    lines += [f"{r.label} {r.value} {r.unit}".strip() for r in named]
    others = dict.fromkeys(r.label for r in perception.readings if r.label and r not in named)
    shown = lines[: settings.panel_items]
    if brief or not others:
        return shown
    return [*shown, "readings: " + ", ".join(list(others)[: settings.panel_items])]
