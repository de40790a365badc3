"""What a browser says about its page: the tree of accessibility, with boxes in pixels of the picture.

Two answers of the DevTools protocol are joined by the node that both speak of: `Accessibility.getFullAXTree` gives
role, name, value and state, `DOMSnapshot.captureSnapshot` the boxes. Both come from a page, so neither is trusted: what
does not fit is left out, and what is said is used only where it is seen too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.api import Box
from plugins.screen.values import Control, Role

__all__ = ["boxes_of", "controls_of", "is_reached", "parents_of", "places_of"]

_ROLES: Mapping[str, Role] = {
    "button": "button", "textbox": "field", "searchbox": "field", "spinbutton": "field", "combobox": "field",
    "slider": "field", "tab": "tab", "menu": "menu", "menuitem": "item", "menuitemcheckbox": "checkbox",
    "menuitemradio": "checkbox", "option": "item", "treeitem": "item", "listitem": "item", "row": "row",
    "checkbox": "checkbox", "radio": "checkbox", "switch": "switch", "link": "link", "dialog": "dialog",
    "alertdialog": "dialog", "popupbutton": "field",
}  # fmt: skip
_TEXT_CHARS = 200
_DEEPEST = 8
"""Frames within frames."""


def controls_of(
    nodes: Sequence[Mapping[str, Any]], boxes: Mapping[int, Box], size: tuple[int, int], most: int
) -> tuple[Control, ...]:
    """What can be used, in the order of the page.

    :param nodes: of the tree.
    :param boxes: backend id of a node → its box in the picture.
    :param size: of the picture; what lies outside it is left out.
    """
    found: list[Control] = []
    for node in nodes:
        role = _ROLES.get(_text(node.get("role")))
        box = boxes.get(_whole(node.get("backendDOMNodeId")))
        name = _text(node.get("name"))
        if role is None or box is None or node.get("ignored") is True or not (name or role == "dialog"):
            continue
        inside = max(0, box[0]), max(0, box[1]), min(size[0], box[2]), min(size[1], box[3])
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            continue
        if role == "button" and _opens_list(node):
            role = "menu"
        found.append(Control(name or role, role, inside, **_state(node, role), source="said"))
        if len(found) >= most:
            break
    return tuple(found)


def boxes_of(snapshot: Mapping[str, Any], scale: float) -> dict[int, Box]:
    """Backend id of a node → its box in the picture.

    :param snapshot: as the browser gave it.
    :param scale: pixels of the picture for one of the page.
    """
    documents = snapshot.get("documents")
    found: dict[int, Box] = {}
    if isinstance(documents, list) and documents:
        _walk(documents, 0, (0.0, 0.0), scale, found, 0)
    return found


def parents_of(snapshot: Mapping[str, Any]) -> dict[int, int]:
    """Backend id of a node → that of the node that it is in, -1 for a document's own.

    :param snapshot: as the browser gave it.
    """
    found: dict[int, int] = {}
    documents = snapshot.get("documents")
    for document in documents if isinstance(documents, list) else []:
        nodes = document.get("nodes") if isinstance(document, Mapping) else None
        ids, parents = (nodes or {}).get("backendNodeId") or [], (nodes or {}).get("parentIndex") or []
        for one, parent in zip(ids, parents, strict=False):
            if isinstance(one, int) and isinstance(parent, int):
                found[one] = _whole(ids[parent]) if 0 <= parent < len(ids) else -1
    return found


def places_of(nodes: Sequence[Mapping[str, Any]], boxes: Mapping[int, Box], size: tuple[int, int]) -> dict[int, Box]:
    """Backend id of each node that can be pressed → its box, where its middle is in the picture."""
    found = {}
    for node in nodes:
        one, role = _whole(node.get("backendDOMNodeId")), _ROLES.get(_text(node.get("role")))
        box = boxes.get(one)
        if box is not None and role not in (None, "dialog") and node.get("ignored") is not True:
            x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
            if 0 <= x < size[0] and 0 <= y < size[1]:
                found[one] = box
    return found


def is_reached(one: int, hit: int, parents: Mapping[int, int]) -> bool:
    """Whether a press that meets a node means another: it is that one, lies in it, or nobody knows where it belongs."""
    at = hit
    for _ in range(len(parents)):
        if at == one:
            return True
        if at not in parents:
            return at == hit
        at = parents[at]
    return False


def _walk(
    documents: Sequence[Any], index: int, at: tuple[float, float], scale: float, found: dict[int, Box], depth: int
) -> None:
    """One document, and those in its frames."""
    document = documents[index] if 0 <= index < len(documents) else None
    if not isinstance(document, Mapping) or depth > _DEEPEST:
        return
    x, y = at[0] - _number(document.get("scrollOffsetX")), at[1] - _number(document.get("scrollOffsetY"))
    nodes, layout = document.get("nodes") or {}, document.get("layout") or {}
    ids = nodes.get("backendNodeId") or []
    frames = nodes.get("contentDocumentIndex") or {}
    inner = dict(zip(frames.get("index") or [], frames.get("value") or [], strict=False))
    for node, bounds in zip(layout.get("nodeIndex") or [], layout.get("bounds") or [], strict=False):
        if not isinstance(node, int) or not 0 <= node < len(ids) or not _fits(bounds):
            continue
        left, top = x + bounds[0], y + bounds[1]
        whole = [round(side * scale) for side in (left, top, left + bounds[2], top + bounds[3])]
        if isinstance(ids[node], int):
            found.setdefault(ids[node], (whole[0], whole[1], whole[2], whole[3]))
        if isinstance(inner.get(node), int):
            _walk(documents, inner[node], (left, top), scale, found, depth + 1)


def _state(node: Mapping[str, Any], role: Role) -> dict[str, Any]:
    told = {_plain(p.get("name")): _value(p.get("value")) for p in _each(node.get("properties"))}
    value = _text(node.get("value")) if role == "field" else None
    if role in ("checkbox", "switch"):
        value = {"true": "on", "false": "off"}.get(str(told.get("checked", "")).lower())
    return {"enabled": told.get("disabled") is not True, "value": value}


def _opens_list(node: Mapping[str, Any]) -> bool:
    """A button that shows what is chosen, and is named by the label beside it."""
    told = {_plain(p.get("name")): _value(p.get("value")) for p in _each(node.get("properties"))}
    return told.get("hasPopup") == "listbox"


def _each(found: object) -> Iterable[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _value(found: object) -> object:
    return found.get("value") if isinstance(found, Mapping) else None


def _text(found: object) -> str:
    return _plain(_value(found))


def _plain(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_TEXT_CHARS]


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _fits(bounds: object) -> bool:
    return (
        isinstance(bounds, list)
        and len(bounds) == 4
        and all(isinstance(side, int | float) and abs(side) < 1e7 for side in bounds)
    )
