"""The answer as a person reads it: part by part, facts as the tools returned them, quotes word for word, each with
its source.

Nothing here is worded by a model but the gist, and that is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.look import Look
from agent.loop import Findings, PartFinding
from agent.model.falls import Fall, said_of
from agent.panel_records import lamp_record
from agent.perception import Perception
from agent.quotes import Quote, plain
from agent.values import Language, Record, Said, say

__all__ = ["Answer", "AnswerPart", "render"]

_NOT_FOUND = say("手册和记录里没有找到。", "Not found in the manuals or the log.")
_NOT_IN_MANUALS = say("手册里没有写。", "The manuals do not say.")
_NO_TOOL = say(
    "我能回答关于面板、报警记录和手册的问题。", "I answer questions about panels, the alarm log and the manuals."
)
_CUT_SHORT = say("没有查完。", "Not looked up to the end.")
_ABOVE = say("见上。", "See above.")
_FAILED = say("没有查到:", "Could not be looked up: ")
_ON_PHOTO = say("照片上:", "On the photo: ")
_BY_RULES = say("本回答由规则给出,没有使用语言模型。", "This answer was made by rules, without a language model.")
_LEFT_OUT = say(
    "本次对话中较早的提问已略去;如果还要问到它们,请再说出名称。",
    "Earlier questions of this conversation were left out; ask with the names again.",
)
_GIST = say("大意(由模型概括):", "In short (worded by the model): ")


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """What is said about one part of the question."""

    question: str
    lines: tuple[str, ...]
    citations: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return {"question": self.question, "lines": list(self.lines), "citations": list(self.citations)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said."""

    language: Language
    parts: tuple[AnswerPart, ...]
    notes: tuple[str, ...]
    """Which rung spoke if not the best one, and why; what was cut short."""

    @property
    def citations(self) -> tuple[str, ...]:
        """All sources, each once, in order."""
        return tuple(dict.fromkeys(c for part in self.parts for c in part.citations))

    @property
    def text(self) -> str:
        """The whole, as text."""
        blocks = []
        for part in self.parts:
            heading = [f"▸ {part.question}"] if len(self.parts) > 1 else []
            blocks.append("\n".join([*heading, *part.lines]))
        return "\n".join([*blocks, *self.notes])


def render(
    findings: Findings,
    perception: Perception | None,
    language: Language,
    *,
    gist: str,
    rung: str,
    falls: Sequence[Fall],
    left_out: int = 0,
    look: Look | None = None,
    shown_whole: bool = False,
) -> Answer:
    """Make the answer.

    :param gist: a worded line that passed the claims check, or empty.
    :param rung: who chose.
    :param falls: rungs that could not.
    :param left_out: earlier turns that the model no longer sees since this one.
    :param look: what the model read of the photo by itself; said as such.
    :param shown_whole: the rung that answered saw the whole photo.
    """
    parts = []
    shown: set[str] = set()
    for finding in _told_once(findings.parts):
        lines, citations = _part_lines(finding, language, shown, cut_short=bool(findings.stopped))
        parts.append((finding, lines, citations))
    if perception is not None:
        _add_seen(parts, perception, language, shown)
    if look is not None:
        _add_look(parts, look, language)
    if gist and parts:
        foreign = (p for p in parts if p[0].quote and p[0].quote.passage.language != language)
        next(foreign)[1].append(f"{_GIST[language]}{gist}")
    made = tuple(AnswerPart(f.part, tuple(lines), tuple(dict.fromkeys(cites))) for f, lines, cites in parts)
    notes = [note[language] for note in _photo_notes(perception, rung, shown_whole=shown_whole)]
    notes += _notes(findings, language, rung, falls)
    return Answer(language, made, (*notes, *([_LEFT_OUT[language]] if left_out else [])))


def _told_once(parts: Sequence[PartFinding]) -> list[PartFinding]:
    """Where a later part found just what an earlier one did, it is that finding."""
    told: list[PartFinding] = []
    for finding in parts:
        same = next((f for f in told if f.result and f.result == finding.result and not f.result.passages), None)
        told.append(replace(finding, call=same.call) if same else finding)
    return told


def _part_lines(
    finding: PartFinding, language: Language, shown: set[str], *, cut_short: bool
) -> tuple[list[str], list[str]]:
    lines: list[str] = []
    citations: list[str] = []
    result = finding.result
    if finding.quote:
        lines.append(_quoted(finding.quote))
        citations.append(finding.quote.citation)
    if result and finding.call and finding.call.id in shown:
        lines += [] if finding.quote or not (result.records or result.notes) else [_ABOVE[language]]
    elif result:
        lines += [note[language] for note in result.notes]
        for record in result.records:
            lines.append(_record_line(record, language))
            citations += [c for c in (record.id, record.source) if c]
            shown.add(record.id)
    if finding.call:
        shown.add(finding.call.id)
    if not lines and cut_short:
        lines.append(_CUT_SHORT[language])
    elif not lines:
        lines.append(_silence(finding, language))
    return lines, citations


def _silence(finding: PartFinding, language: Language) -> str:
    if finding.error:
        return f"{_FAILED[language]}{finding.error}"
    if finding.call is None:
        return _NO_TOOL[language]
    return _NOT_IN_MANUALS[language] if finding.result and finding.result.passages else _NOT_FOUND[language]


def _quoted(quote: Quote) -> str:
    """A list keeps its lines; the citation stands at its end."""
    return f"{quote.text} [{quote.citation}]"


def _record_line(record: Record, language: Language) -> str:
    sources = f"[{record.id}]" + (f" [{record.source}]" if record.source else "")
    return f"- {record.line[language]} {sources}"


def _add_seen(
    parts: list[tuple[PartFinding, list[str], list[str]]],
    perception: Perception,
    language: Language,
    shown: set[str],
) -> None:
    """What the photo shows of the lamps that the person named, with the first part that names them."""
    for i, lamp in enumerate(perception.lamps):
        record = lamp_record(perception, i)
        key = plain(lamp.label)
        if len(key) < 2 or record.id in shown:
            continue
        for finding, lines, citations in parts:
            if key in plain(finding.part):
                lines.append(f"{_ON_PHOTO[language]}{record.line[language]} [{record.id}]")
                citations.append(record.id)
                shown.add(record.id)
                break


def _add_look(parts: list[tuple[PartFinding, list[str], list[str]]], look: Look, language: Language) -> None:
    """What the model read of the photo, with the first part that names it; without a source, for it is none."""
    if look.line is None or not parts:
        return
    key = plain(look.doubt.label)
    naming = (lines for finding, lines, _ in parts if key in plain(finding.part))
    next(naming, parts[0][1]).append(look.line[language])


def _photo_notes(perception: Perception | None, rung: str, *, shown_whole: bool) -> list[Said]:
    """What has to be known about the photo, and who read it where the panel parser could not."""
    if perception is None:
        return []
    notes = [say(f"照片:{doubt}", f"Photo: {doubt}") for doubt in perception.notes]
    if perception.unread and shown_whole:
        notes.append(
            say(
                f"照片:面板识读不可用,由 {rung} 直接看图,请核对({perception.unread})",
                f"Photo: the panel parser is not usable; {rung} looked at the photo by itself, check it "
                f"({perception.unread})",
            )
        )
    elif perception.unread:
        notes.append(
            say(
                f"照片:上面的文字无法识读,回答没有用到照片里的文字({perception.unread})",
                f"Photo: its text cannot be read, and the answer makes no use of it ({perception.unread})",
            )
        )
    return notes


def _notes(findings: Findings, language: Language, rung: str, falls: Sequence[Fall]) -> list[str]:
    notes = [said_of(fall, rung)[language] for fall in falls]
    if rung == "rules":
        notes.append(_BY_RULES[language])
    if findings.stopped:
        notes.append(say(f"未完成:{findings.stopped}", f"Cut short: {findings.stopped}")[language])
    return notes
