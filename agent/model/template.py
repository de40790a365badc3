"""Renders the chat template of a weight file into markup and contents, kept apart.

A template is a program out of a downloaded file, and a message may hold anything a person, a manual or a panel said.
So the template runs in a sandbox, with bounded output, and never sees a content: it moves placeholders about. What it
wrote around them is markup and may become control tokens; what stands for a placeholder is content and may not
(`agent.model.tokens`). What goes through `tojson` (tool descriptions) is content as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agent.errors import ModelError
from agent.messages import Message
from agent.tools import Tool

__all__ = ["ChatTemplate", "Content", "Known", "Markup", "Piece"]

PLACEHOLDER = re.compile("\ue000([0-9]+)\ue001")
OWN_CALL = re.compile(r"(?m:^)<tool_call>|</tool_call>(?=\n|\Z)")
"""Where a call stands in an assistant's message: JSON holds no raw line break, so no argument can look like this."""
REPEAT_CHARS = 4_096
"""The longest string or list that a template may make by multiplication."""


@dataclass(frozen=True, slots=True)
class Markup:
    """Text that the template wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """Text that somebody said."""

    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """Tokens that this model itself replied with."""

    tokens: tuple[int, ...]


Piece = Markup | Content | Known


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers are not for chat templates")
        size = max((len(side) for side in (left, right) if isinstance(side, str | bytes | list | tuple)), default=0)
        count = max((side for side in (left, right) if isinstance(side, int)), default=0)
        if size * count > REPEAT_CHARS:
            raise SecurityError("the template repeats a text too often")
        return super().call_binop(context, operator, left, right)


class _Held:
    """The contents of one prompt, each behind a placeholder."""

    def __init__(self) -> None:
        self._contents: list[list[Piece]] = []

    def hold(self, pieces: list[Piece]) -> str:
        """:return: the placeholder."""
        self._contents.append(pieces)
        return f"\ue000{len(self._contents) - 1}\ue001"

    def as_json(self, index: int) -> str:
        """The content as it stands inside a JSON string."""
        text = "".join(piece.text for piece in self._contents[index] if not isinstance(piece, Known))
        return json.dumps(text, ensure_ascii=False)[1:-1]

    def resolve(self, written: str, place: str) -> list[Piece]:
        """What the template wrote, with the contents in their places.

        :raises ModelError: a placeholder that was never given out.
        """
        pieces: list[Piece] = []
        for index, part in enumerate(PLACEHOLDER.split(written)):
            if index % 2 == 0:
                pieces.append(Markup(part))
            elif int(part) < len(self._contents):
                pieces += self._contents[int(part)]
            else:
                raise ModelError(f"{place}: its chat template writes a placeholder of its own")
        return pieces


class ChatTemplate:
    """A compiled template."""

    def __init__(self, source: str, *, max_chars: int, place: str) -> None:
        """
        :param source: Jinja, as `tokenizer.chat_template` holds it.
        :param max_chars: bound of the source, and of the markup that one rendering may write.
        :param place: the file, for messages.
        :raises ModelError: the source is too long or not Jinja.
        """
        self._place = place
        self._max_chars = max_chars
        if len(source) > max_chars:
            raise ModelError(f"{place}: its chat template has {len(source)} characters, the limit is {max_chars}")
        environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
        environment.globals.update(raise_exception=_refuse, strftime_now=_now)
        environment.filters["tojson"] = self._as_json
        self._held = _Held()
        try:
            self._template = environment.from_string(source)
        except (TemplateError, RecursionError) as error:
            raise ModelError(f"{place}: its chat template cannot be compiled: {error}") from None

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        sees: bool,
        known: Mapping[str, tuple[int, ...]],
        thinks: bool = False,
    ) -> list[Piece]:
        """The prompt up to where the assistant speaks.

        :param sees: a message's photo gets a place in the prompt.
        :param known: texts of own replies → their tokens.
        :param thinks: told to templates of models that can think or not.
        :raises ModelError: the template refuses these messages, fails, or writes too much.
        """
        held = self._held = _Held()
        variables = {
            "messages": [_for_template(message, held, sees=sees, known=known) for message in messages],
            "tools": [tool.specification() for tool in tools] or None,
            "add_generation_prompt": True,
            "enable_thinking": thinks,
        }
        return held.resolve(self._write(variables), self._place)

    def _as_json(self, value: Any, indent: int | None = None, **_: Any) -> str:
        text = json.dumps(value, ensure_ascii=False, indent=indent)
        return self._held.hold([Content(PLACEHOLDER.sub(lambda found: self._held.as_json(int(found[1])), text))])

    def _write(self, variables: Mapping[str, Any]) -> str:
        parts: list[str] = []
        written = 0
        try:
            for part in self._template.generate(**variables):
                written += len(part)
                if written > self._max_chars:
                    raise ModelError(f"{self._place}: its chat template writes more than {self._max_chars} characters")
                parts.append(part)
        except ModelError:
            raise
        except Exception as error:  # a template can raise whatever an expression can
            raise ModelError(f"{self._place}: its chat template fails on this conversation: {error}") from None
        return "".join(parts)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now().astimezone().strftime(form)


def _for_template(message: Message, held: _Held, *, sees: bool, known: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    text = held.hold(_said(message, known)) if message.text else ""
    if message.photo is None or not sees:
        return {"role": message.role, "content": text}
    return {"role": message.role, "content": [{"type": "image"}, {"type": "text", "text": text}]}


def _said(message: Message, known: Mapping[str, tuple[int, ...]]) -> list[Piece]:
    if message.role != "assistant":
        return [Content(message.text)]
    if message.text in known:
        return [Known(known[message.text])]
    pieces: list[Piece] = []
    end = 0
    for found in OWN_CALL.finditer(message.text):
        pieces += [Content(message.text[end : found.start()]), Markup(found[0])]
        end = found.end()
    return [*pieces, Content(message.text[end:])]
