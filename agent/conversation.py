"""A conversation, and how much of it the model sees.

    system      never changes, so its cached state always matches
    summary     one line about the turns that were left out, in front of the first message after it
    turns       earlier turns, whole and word for word
    own         what this turn has said so far

Rules: nothing but the end grows, so what a model keeps of one prompt is the beginning of the next. A conversation that
outgrows its window (`turn.history_turns`, or the model's context) loses all but its last turns at once; one turn at a
time would move everything behind the system message at every question. So a message is read again at most once. The
summary is made of names, tags and citations of records, never worded by a model, and changes only when turns are left
out, when what follows has to be read again anyway. It stands inside the first message, not as one of its own, because
templates differ in whether two messages of one speaker may follow each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.messages import Message
from agent.photo import Photo
from agent.settings import TurnSettings
from agent.values import Term

__all__ = ["Conversation", "PastTurn", "Window", "open_window", "turn_line"]

_EARLIER = "Earlier in this conversation: "
_BETWEEN = "; "
_LINE_NAMES = 4
_LINE_SOURCES = 4
_LINE_CHARS = 60
"""Of one name, or of a question that holds none."""


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn that is over."""

    messages: tuple[Message, ...]
    """The question as the model saw it, and all that followed."""
    line: str
    """What it was about and what answered it, for the time when its messages are gone."""


@dataclass(slots=True)
class Conversation:
    """Questions that belong together."""

    turns: list[PastTurn] = field(default_factory=list)
    """Those that the model still sees, oldest first."""
    terms: tuple[Term, ...] = ()
    """Names in reach. They outlive their turns, so that a follow-up keeps its subject."""
    said: list[str] = field(default_factory=list)
    """What the person said, word for word, latest last; of no use but to read a correction."""
    left_out: list[str] = field(default_factory=list)
    """Lines of the turns that it no longer sees, oldest first."""

    def messages(self) -> list[Message]:
        """Of the turns that are left."""
        return [message for turn in self.turns for message in turn.messages]

    def keep(self, turns: int, *, summary_chars: int) -> int:
        """Leave out all but the last so many turns.

        :param summary_chars: lines of turns that were left out are kept as far as they fit, newest first.
        :return: how many went.
        """
        going = self.turns[: max(0, len(self.turns) - turns)]
        self.turns = self.turns[len(going) :]
        self.left_out = _newest_that_fit([*self.left_out, *(turn.line for turn in going)], summary_chars)
        return len(going)

    def summary(self) -> str:
        """One line about what was left out; empty where nothing was."""
        return _EARLIER + _BETWEEN.join(self.left_out) if self.left_out else ""


@dataclass(slots=True)
class Window:
    """One turn's prompt in the making."""

    system: Message
    conversation: Conversation
    own: list[Message]
    """Begins with the question."""
    brief: Message | None
    """The question with less of the photo, for a context in which it would not fit; None where there is no less."""
    settings: TurnSettings
    left_out: int = 0
    """Turns that were left out in this one."""

    def messages(self) -> list[Message]:
        """What goes to the model."""
        first, *rest = [*self.conversation.messages(), *self.own]
        summary = self.conversation.summary()
        if summary:
            first = replace(first, text=f"{summary}\n\n{first.text}")
        return [self.system, first, *rest]

    def shorten(self) -> bool:
        """Give up what is missed least: older turns, the last turns, what the photo shows beside the question.

        :return: False where nothing is left to give up.
        """
        turns, kept = len(self.conversation.turns), self.settings.history_kept_turns
        if turns:
            self._keep(kept if turns > kept else 0)
        elif self.brief is not None:
            self.own[0], self.brief = self.brief, None
        elif self.conversation.left_out:
            self.conversation.left_out.clear()
        else:
            return False
        return True

    def close(self, line: str, terms: tuple[Term, ...]) -> None:
        """The turn is over and part of the conversation from now on; what the model did not reply to is not."""
        while self.own and self.own[-1].role != "assistant":
            self.own.pop()
        if self.own and self.settings.history_turns:
            self.conversation.turns.append(PastTurn(tuple(self.own), line))
        self.conversation.terms = terms

    def _keep(self, turns: int) -> None:
        self.left_out += self.conversation.keep(turns, summary_chars=self.settings.history_summary_chars)


def open_window(
    system: Message, conversation: Conversation, asked: Message, brief: Message, settings: TurnSettings
) -> Window:
    """Begin a turn; a conversation of too many turns is cut to its last ones.

    :param brief: the question with less of the photo.
    """
    known = {m.photo.digest: m.photo for m in conversation.messages() if m.photo is not None}
    asked, brief = (_with_known(message, known) for message in (asked, brief))
    window = Window(system, conversation, [asked], brief if brief != asked else None, settings)
    if len(conversation.turns) > settings.history_turns:
        window._keep(min(settings.history_kept_turns, settings.history_turns))
    return window


def turn_line(question: str, names: Iterable[str], citations: Sequence[str]) -> str:
    """What a turn was about: the names in it, or else the question's beginning; and the sources that answered it."""
    known = [_short(name) for name in dict.fromkeys(names)][:_LINE_NAMES]
    about = ", ".join(known) or _short(question)
    return f"{about} [{', '.join(citations[:_LINE_SOURCES])}]" if citations else about


def _with_known(message: Message, known: Mapping[str, Photo]) -> Message:
    """A photo that is asked about again is held in memory once."""
    return message if message.photo is None else replace(message, photo=known.get(message.photo.digest, message.photo))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}…"


def _newest_that_fit(lines: Sequence[str], most_chars: int) -> list[str]:
    kept: list[str] = []
    room = most_chars
    for line in reversed(lines):
        room -= len(line) + len(_BETWEEN)
        if room < 0:
            break
        kept.insert(0, line)
    return kept
