"""An utterance's tokens in pieces: at marks and connecting words, and where a new verb or value begins without one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from plugins.devices.understanding.lexicon import Sense
from plugins.devices.understanding.tokens import Token

__all__ = ["Piece", "cut"]

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
    if at > begin and row[at - 1].text == "to" and any(other.has("verb") for other in row[begin:at]):
        return False  # "send it out to clean" is one order
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
