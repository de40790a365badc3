"""From an utterance's tokens to clauses, and from clauses to whole frames: what one leaves out, its neighbours say.

Order: cut at marks and connecting words, and where a new verb begins without one; read each piece; then let verb,
kind and place carry over. "living room and kitchen lights" are two targets of one verb; "卧室的也关了" takes its
kind from before; "no, the bedroom" replaces what was said last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

from plugins.devices.understanding.extraction import frame_of
from plugins.devices.understanding.frames import Frame, Target
from plugins.devices.understanding.lexicon import Sense
from plugins.devices.understanding.tokens import Token

__all__ = ["Piece", "cut", "overlay", "whole_frames"]

_CUTS = ("mark", "then", "and")
_TARGETS = ("name", "piece", "word", "area", "areas", "floor", "noun", "place", "everything", "it")
_TRAILING = ("amount", "mode", "level", "color", "kelvin", "bit", "func", "polite", "change")
_GENERIC = ("set", "start")
_LATER = ("后", "之后", "以后", "过后")
_TAKES_OBJECT = ("到", "成", "为", "至")


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens between two cuts."""

    tokens: tuple[Token, ...]
    joint: str = ""
    """What stood before it: and, then, comma, stop; run: nothing, but a new verb; empty at the beginning."""
    question: bool = False


def cut(tokens: tuple[Token, ...]) -> list[Piece]:
    """The utterance in pieces."""
    pieces: list[Piece] = []
    row: list[Token] = []
    joint = ""
    tokens = tuple(_but(tokens, at) for at in range(len(tokens)))
    for at, token in enumerate(tokens):
        if token.value("mark") == "question":
            pieces += _inside(row, joint, question=True)
            row, joint = [], "stop"
        elif _begins(tokens, at, row):
            pieces += _inside(row, joint)
            row, joint = [token], "and" if row or not pieces else joint
        elif token.has(*_CUTS) and not _within(tokens, at):
            pieces += _inside(row, joint)
            kind = token.value("then", "and", "mark") or "and"
            row, joint = [], kind if row or not pieces else _stronger(joint, kind)
        else:
            row.append(token)
    return pieces + _inside(row, joint)


def _begins(tokens: tuple[Token, ...], at: int, row: list[Token]) -> bool:
    """A correction, or a delay before what is to be done then: a clause of its own, though nothing stands before it."""
    token = tokens[at]
    if token.has("no") and not token.has("name", "area"):
        return True
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    delayed = token.duration is not None and after is not None and after.text in _LATER
    said = any(one.has("verb") for one in row) and any(one.has(*_TARGETS) for one in row)
    return delayed and said and any(one.has("verb") for one in tokens[at + 1 :])


def _but(tokens: tuple[Token, ...], at: int) -> Token:
    """ "all blinds but the one in the study": with nothing to do behind it, "but" leaves out."""
    token = tokens[at]
    if token.text != "but":
        return token
    rest = list(takewhile(lambda one: not one.has("mark", "then"), tokens[at + 1 :]))
    doing = any(
        (one.has("verb") and not one.has("noun")) or (one.amount and not one.has("one")) or one.has("particle")
        for one in rest
    )
    except_sense = Sense("except", "except")
    return token if doing else Token(token.start, token.end, token.text, (except_sense,))


def _stronger(one: str, other: str) -> str:
    order = ("", "and", "comma", "then", "stop")
    return max(one, other, key=order.index)


def _within(tokens: tuple[Token, ...], at: int) -> bool:
    """A connecting word that is none here: "and" between what is left out; one that is a verb or a name too."""
    token = tokens[at]
    if token.has("verb", "ask", "except", "name", "area", "floor"):
        return True
    return bool(token.has("and") and _excepting(tokens[:at]))


def _excepting(before: tuple[Token, ...]) -> bool:
    for token in reversed(before):
        if token.has("except"):
            return True
        if token.has("mark", "verb", "except_end") and not token.has("noun"):
            return False
    return False


def _inside(row: list[Token], joint: str, *, question: bool = False) -> list[Piece]:
    """Cut where a new verb begins although nothing stands between: speech has no commas."""
    if not row:
        return []
    pieces: list[Piece] = []
    begin = 0
    target = verb = -1
    verb_first = False
    for at, token in enumerate(row):
        if token.value("func") == "ba" and verb >= begin and target >= begin:
            pieces.append(Piece(tuple(row[begin:at]), joint))
            begin, joint, target, verb = at, "run", -1, -1
        elif _leads(row, at, begin):
            if verb >= begin and target >= begin and (verb_first or _again(row, at)):
                pieces.append(Piece(tuple(row[begin:at]), joint))
                begin, joint, target = at, "run", -1
            verb_first = verb_first if verb >= begin else target < begin
            verb = at
        elif token.has(*_TARGETS):
            ended = verb >= begin and not verb_first and _closed(row, verb, at)
            if target >= begin and (ended or _valued_twice(row, target, at)):
                pieces.append(Piece(tuple(row[begin:at]), joint))
                begin, joint, verb = at, "run", -1
            target = at
    return [*pieces, Piece(tuple(row[begin:]), joint, question)]


def _leads(row: list[Token], at: int, begin: int) -> bool:
    """A verb that may open a clause of its own."""
    token = row[at]
    if not token.has("verb") or token.has("area", "name", "floor"):
        return False
    if token.has("noun") or (token.has("state") and token.text.isascii()):
        return at == begin
    return not any(other.has("ask", "except") for other in row[begin:at])


def _again(row: list[Token], at: int) -> bool:
    """After "客厅灯打开", a verb with a target of its own behind it."""
    if row[at].text.isascii():
        return row[at].value("verb") not in _GENERIC or any(token.has(*_TARGETS) for token in row[at + 1 :])
    return True


def _valued_twice(row: list[Token], before: int, at: int) -> bool:
    """ "客厅空调二十六度卧室空调二十四度": each target has a value of its own behind it."""
    return any(token.amount for token in row[before + 1 : at]) and any(token.amount for token in row[at + 1 :])


def _closed(row: list[Token], verb: int, at: int) -> bool:
    """Between a verb at the end of its clause and the next target nothing stands but values."""
    if row[verb].text.isascii() or row[verb].text.endswith(_TAKES_OBJECT) or row[verb].value("verb") == "clean":
        return False
    return all(token.amount or token.has(*_TRAILING) for token in row[verb + 1 : at])


def whole_frames(pieces: list[Piece], *, question: bool, earlier: Frame | None) -> list[Frame]:
    """Frames with everything that was said of them, in order; those that only name something stay bare."""
    frames = [frame_of(list(piece.tokens), question=piece.question or question) for piece in pieces]
    done: list[Frame] = []
    waiting: list[Frame] = []
    but: tuple[Target, ...] = ()
    correcting = False
    for at, frame in enumerate(frames):
        correcting = correcting or frame.no
        if not (frame.does or frame.target.said or frame.unknown or frame.target.but or frame.never or frame.duration):
            continue
        if (
            done
            and frame.never
            and frame.target.said
            and (frame.keeps or frame.verb in (done[-1].verb, "", "set"))
            and not done[-1].asked
        ):
            done[-1] = _left_out(done[-1], (frame.target,), every=False)
            continue
        if frame.target.but and not (frame.does or frame.target.said):
            if done and not any(later.does for later in frames[at + 1 :]):
                done[-1] = _left_out(done[-1], frame.target.but)
            else:
                but += frame.target.but
            continue
        base = done[-1] if done else earlier if correcting or frame.too or _answers(frame, earlier) else None
        if correcting:
            frame = overlay(base, frame) if base else frame
            done, correcting = done[:-1] if done else done, False
            done.append(replace(frame, no=False))
            continue
        if not frame.does and frame.target.said and not frame.unknown:
            if done and not _belongs_forward(frames, pieces, at):
                done[-1] = _kind_from_next(done[-1], frame)
                done.append(overlay(done[-1], frame))
            elif base and not done and not any(later.does for later in frames[at + 1 :]):
                done.append(overlay(base, frame))
            else:
                waiting.append(frame)
            continue
        if but:
            frame, but = _left_out(frame, but), ()
        if pieces[at].joint in ("and", "run") and done and done[-1].never and not frame.never:
            frame = replace(frame, never=True)
        done += _with_waiting(waiting, frame, base)
        waiting = []
    return done + waiting


def _left_out(frame: Frame, but: tuple[Target, ...], *, every: bool = True) -> Frame:
    """Without these. Who leaves some out by "except" means all others."""
    target = replace(frame.target, but=(*frame.target.but, *but), every=every or frame.target.every)
    return replace(frame, target=target)


def _kind_from_next(frame: Frame, later: Frame) -> Frame:
    """ "living room and kitchen lights": the kind stands behind the last place only."""
    if frame.target.placed and not frame.target.of_a_kind and later.target.of_a_kind and not frame.valued:
        return replace(frame, target=_kind_of(later.target, frame.target))
    return frame


def _answers(frame: Frame, earlier: Frame | None) -> bool:
    return bool(earlier and not frame.does and frame.target.said)


def _belongs_forward(frames: list[Frame], pieces: list[Piece], at: int) -> bool:
    """A bare target before a verb at the end: 把卧室的灯和客厅的灯关掉."""
    if any(token.value("func") == "ba" for token in pieces[at].tokens):
        return True
    for later in range(at + 1, len(frames)):
        if pieces[later].joint not in ("and", "comma", "run"):
            return False
        if frames[later].does:
            return frames[later].verb_last and not frames[later].asked and pieces[at].joint != "and"
    return False


def _with_waiting(waiting: list[Frame], frame: Frame, base: Frame | None) -> list[Frame]:
    """The frame, completed, with those before it that only named something."""
    if waiting and not frame.target.said:
        return [overlay(frame, waiting[0]), *(overlay(frame, other) for other in waiting[1:])]
    if not frame.target.said or (frame.target.it and base):
        frame = _carried(base, frame) if base and not frame.unknown else frame
    elif base and frame.target.placed and not frame.target.of_a_kind and not frame.tells_kind:
        frame = replace(frame, target=_kind_of(base.target, frame.target), carried=True)
    elif base and not frame.target.placed and not frame.target.every:
        frame = replace(frame, near=_near(base))
    before = []
    for other in waiting:
        target = other.target if other.target.of_a_kind else _kind_of(frame.target, other.target)
        before.append(replace(frame, start=other.start, target=target, carried=True, near=""))
    if waiting and not frame.target.placed and waiting[-1].target.placed and not frame.target.names:
        frame = replace(frame, near=waiting[-1].target.areas[0].ids[0] if waiting[-1].target.areas else "")
    return [*before, frame]


def _carried(base: Frame, frame: Frame) -> Frame:
    """A clause that only says what to do: it is about what was spoken of before."""
    target = replace(base.target, but=frame.target.but or base.target.but)
    attr = frame.attr or (base.attr if frame.valued and not frame.verb else "")
    verb = frame.verb
    return replace(frame, target=target, attr=attr, verb=verb, carried=True, near=base.near)


def _kind_of(kind: Target, place: Target) -> Target:
    """The place of one with the kind of the other; names stand for their kind."""
    return replace(
        kind, areas=place.areas, floors=place.floors, places=place.places, many=kind.many or place.many,
        every=place.every or kind.every, it=False, but=place.but,
    )  # fmt: skip


def _near(base: Frame) -> str:
    if base.near:
        return base.near
    return base.target.areas[0].ids[0] if len(base.target.areas) == 1 and len(base.target.areas[0].ids) == 1 else ""


def overlay(base: Frame, frame: Frame) -> Frame:
    """The frame, with what it leaves out taken from another: target, verb, values."""
    target = frame.target
    if not target.said:
        target = base.target
    elif target.placed and not target.of_a_kind:
        target = _kind_of(base.target, target)
    if frame.does and frame.verb:
        return replace(frame, target=target, carried=True)
    source = replace(base, start=frame.start, end=frame.end, target=target, carried=True, verb_last=frame.verb_last)
    source = replace(source, unknown=frame.unknown, never=base.never or frame.never, no=False, too=frame.too)
    if base.unknown and frame.target.said:
        source = replace(source, amounts=())
    if frame.valued:
        source = replace(
            source, amounts=frame.amounts or base.amounts, color=frame.color, kelvin=frame.kelvin, level=frame.level,
            modes=frame.modes, change=frame.change or base.change, attr=frame.attr or base.attr,
        )  # fmt: skip
    near = _near(base) if not target.placed else ""
    return replace(source, near=near, states=frame.states or base.states, asks=frame.asks or base.asks)
