"""From an utterance's tokens to clauses, and from clauses to whole frames: what one leaves out, its neighbours say.

Order: cut at marks and connecting words, and where a new verb begins without one; read each piece; then let verb,
kind and place carry over. "living room and kitchen lights" are two targets of one verb; "卧室的也关了" takes its
kind from before; "no, the bedroom" replaces what was said last.
"""

from __future__ import annotations

from dataclasses import replace

from plugins.devices.understanding.cutting import Piece
from plugins.devices.understanding.extraction import frame_of
from plugins.devices.understanding.frames import Frame, Target

__all__ = ["overlay", "whole_frames"]

_PARTICLES = ("on", "off", "raise", "lower")


def whole_frames(pieces: list[Piece], *, question: bool, earlier: Frame | None) -> list[Frame]:
    """Frames with everything that was said of them, in order; those that only name something stay bare."""
    frames = _read_all(pieces, question)
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
        base = done[-1] if done else earlier if correcting or _looks_back(frame, earlier) else None
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
        if (
            pieces[at].joint in ("and", "run")
            and done
            and done[-1].never
            and not frame.never
            and not (pieces[at].joint == "and" and done[-1].keeps and frame.verb and frame.target.said)
        ):
            frame = replace(frame, never=True)
        if done and pieces[at].joint == "and" and (_shares_value(frame) or _shares_particle(frame)):
            done = [_filled(one, frame) for one in done]
        done += _with_waiting(waiting, frame, base)
        waiting = []
    return done + waiting


def _read_all(pieces: list[Piece], question: bool) -> list[Frame]:
    """A frame for each piece. "are the lamp and the TV on" stays a question, though its state stands in the second."""
    frames: list[Frame] = []
    for piece in pieces:
        tokens = list(piece.tokens)
        frame = frame_of(tokens, question=piece.question or question)
        before = frames[-1] if frames else None
        open_question = before is not None and before.asked and not (before.states or before.attr)
        if before is not None and open_question and piece.joint in ("and", "comma") and not tokens[0].has("verb"):
            frame = frame_of(tokens, question=True)
            frames[-1] = replace(before, states=frame.states)
        frames.append(frame)
    return frames


def _left_out(frame: Frame, but: tuple[Target, ...], *, every: bool = True) -> Frame:
    """Without these. Who leaves some out by "except" means all others."""
    target = replace(frame.target, but=(*frame.target.but, *but), every=every or frame.target.every)
    return replace(frame, target=target)


def _kind_from_next(frame: Frame, later: Frame) -> Frame:
    """ "living room and kitchen lights": the kind stands behind the last place only."""
    if frame.target.placed and not frame.target.of_a_kind and later.target.of_a_kind and not frame.valued:
        return replace(frame, target=_kind_of(later.target, frame.target))
    return frame


def _lacks_value(frame: Frame) -> bool:
    """ "set the lamp and the spot to 20%": the value is of both."""
    return frame.verb == "set" and not frame.valued and not frame.asked and frame.target.said


def _shares_value(frame: Frame) -> bool:
    return frame.valued and not frame.verb


def _shares_particle(frame: Frame) -> bool:
    """ "turn the lamp and the spot off": the verb ends behind the last of them."""
    return frame.verb in _PARTICLES and frame.verb_last and not frame.chinese and not frame.valued


def _filled(one: Frame, last: Frame) -> Frame:
    return replace(last, start=one.start, target=one.target, carried=True) if _lacks_value(one) else one


def _looks_back(frame: Frame, earlier: Frame | None) -> bool:
    """ "the bedroom too", "turn it off", "there": of what was said before."""
    return frame.too or frame.target.it or frame.there or _answers(frame, earlier)


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
    own = frame.target.names or frame.target.nouns or frame.target.placed
    if frame.there and base and not frame.target.placed:
        frame = replace(frame, target=replace(frame.target, areas=base.target.areas, floors=base.target.floors))
    if not frame.target.said or (frame.target.it and base and not own):
        frame = _carried(base, frame) if base and not frame.unknown else frame
    elif base and frame.target.placed and not _kinded(frame.target) and not frame.tells_kind:
        frame = replace(frame, target=_kind_of(base.target, frame.target), carried=True)
    elif base and not frame.target.placed and not frame.target.every:
        frame = replace(frame, near=_near(base))
    before: list[Frame] = []
    if frame.verb and not frame.verb_last:
        return [*waiting, frame]  # "movie time and lock the door": the verb is of what follows it
    for other in waiting:
        target = other.target if other.target.of_a_kind else _kind_of(frame.target, other.target)
        before.append(replace(frame, start=other.start, target=target, carried=True, near=""))
    if waiting and not frame.target.placed and waiting[-1].target.placed and not frame.target.names:
        frame = replace(frame, near=waiting[-1].target.areas[0].ids[0] if waiting[-1].target.areas else "")
    return [*before, frame]


def _kinded(target: Target) -> bool:
    """Whether it says what kind of thing is meant; "it" does not."""
    return bool(target.names or target.nouns or target.words or target.everything)


def _carried(base: Frame, frame: Frame) -> Frame:
    """A clause that only says what to do: it is about what was spoken of before."""
    target = replace(base.target, but=frame.target.but or base.target.but)
    attr = frame.attr or (base.attr if frame.valued and frame.verb in ("", "set") else "")
    verb = frame.verb
    return replace(frame, target=target, attr=attr, verb=verb, carried=True, borrowed=True, near=base.near)


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
