"""`nameplate`: what a type plate on the photo says, and whether its type is on a list of models to be phased out."""

from __future__ import annotations

import re
from typing import Annotated

from agent.api import Binds, DatabaseError, Env, Perception, Record, Tool, ToolResult, TurnView, tool
from knowledge.errors import KnowledgeError
from knowledge.store import KnowledgeStore
from knowledge.tokens import fold
from plugins.nameplate.lists import in_language, look_up, read_lists
from plugins.nameplate.plate import read_plate
from plugins.nameplate.reflections import LastPhoto
from plugins.nameplate.types import types_in
from plugins.nameplate.values import Entry, Plate
from plugins.nameplate.wording import field_record, no_list, row_record, standing_line, unreadable

__all__ = ["PlateTools"]

_PLATE = re.compile(r"铭牌|标牌|\b(?:name|type|rating|data)[ -]?plates?\b")
_LIST = re.compile(
    r"淘汰|高耗能|落后(?:设备|机电|产品)|替代型号"
    r"|\bphas(?:ed?|ing)[ -]?out\b|\b(?:obsolete|withdrawn|successors?|replaces?)\b"
)
_OTHERWISE = re.compile(r"什么时候|何时|为什么|为何|怎么|如何|流程|步骤|罚|\b(?:when|why|how|who|clean|mount|fine)\b")
_EXAMPLES = ("这台电机要淘汰吗?", "铭牌上写了什么?", "Is this motor to be phased out?", "What does the nameplate say?")
_CUES = ("铭牌", "淘汰", "nameplate", "phased out")


class PlateTools:
    """The tool over the photo of a turn and the lists in the manuals."""

    def __init__(self, env: Env, last: LastPhoto | None = None) -> None:
        """:param last: the photo of the turn, where it was kept."""
        self._last = last or LastPhoto()
        self._settings = env.settings.nameplate
        self._store = KnowledgeStore(env.home.knowledge_db, env.settings.knowledge.busy_seconds)

    def tools(self) -> list[Tool]:
        """As the loop sees them."""
        return [tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=is_asked)(self.nameplate)]

    def nameplate(self, turn: TurnView, asked: Annotated[str, Binds("phrase")]) -> ToolResult:
        """Read the type plate on the photo, and look its type up in the lists of models to be phased out."""
        plate = self.plate(turn.perception) if turn.perception is not None else None
        named = types_in(asked) if turn.perception is None else []
        if plate is None and not named:
            return ToolResult(notes=(unreadable(turn.perception),))
        if not _LIST.search(fold(asked)) and plate is not None:
            return ToolResult(tuple(field_record(plate, i) for i in range(len(plate.fields))))
        entries = self.entries()
        if not entries:
            return ToolResult(notes=(no_list(),))
        return self._stands(plate, named, entries, turn)

    def plate(self, perception: Perception) -> Plate | None:
        """The plate on a photo; None where there is none."""
        return read_plate(perception, self._settings, self._last.upright(perception))

    def entries(self) -> list[Entry]:
        """All rows of the lists; none where there are no manuals.

        :raises DatabaseError: the manuals are there and cannot be read.
        """
        if not self._store.path.exists():
            return []
        try:
            return read_lists(self._store, self._settings)
        except KnowledgeError as error:
            raise DatabaseError(str(error)) from None

    def _stands(self, plate: Plate | None, named: list[str], entries: list[Entry], turn: TurnView) -> ToolResult:
        field = plate.field("type") if plate is not None else None
        if plate is not None and field is None:
            return ToolResult(
                tuple(field_record(plate, i) for i in range(len(plate.fields))), notes=(unreadable(turn.perception),)
            )
        wanted = [field.value] if field is not None else named
        lists = list(dict.fromkeys(entry.title for entry in entries))
        notes, rows = [], list[Entry]()
        for one in wanted[:3]:
            found = in_language(look_up(one, entries, sure=field is None or field.is_sure), turn.language)
            notes.append(standing_line(one, found, lists, field))
            rows += found.entries
        shown: list[Record] = [row_record(n, entry) for n, entry in enumerate(dict.fromkeys(rows), start=1)]
        own = [field_record(plate, plate.fields.index(field))] if plate is not None and field is not None else []
        return ToolResult((*own, *shown), notes=tuple(notes))


def is_asked(part: str) -> bool:
    """Whether a part of a question is about a plate, or about a list of what is to be phased out."""
    said = fold(part)
    return (_PLATE.search(said) or _LIST.search(said)) is not None and not _OTHERWISE.search(said)
