"""Which slots Home Assistant's test sentences fill for an intent: its conventions, which differ by language.

Where a sentence names an entity, its kind is never a slot: the name says it. The area one stands in ("here") is
never a slot: it comes from the satellite. What is left differs, and stands in the tables below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from agent.api import Json, Language

__all__ = ["kind_slots"]

Kind = Literal["domain+class", "class", "class or domain", "none"]

_ENGLISH: Mapping[str, Kind] = {
    # The sentence is about a kind, and the intent alone does not say which.
    "HassTurnOn": "domain+class",
    "HassTurnOff": "domain+class",
    "HassToggle": "domain+class",
    "HassSetPosition": "domain+class",
    "HassStopMoving": "domain+class",
    # The tests compare the class and the state; the domain follows from the question's template.
    "HassGetState": "class",
}
_CHINESE: Mapping[str, Kind] = {
    "HassTurnOn": "domain+class",
    "HassTurnOff": "domain+class",
    "HassToggle": "domain+class",
    # The class says that it is a cover.
    "HassSetPosition": "class",
    "HassStopMoving": "class",
    # A class where there is one, else the domain.
    "HassGetState": "class or domain",
}
_TABLES: Mapping[Language, Mapping[str, Kind]] = {"en": _ENGLISH, "zh": _CHINESE}


def kind_slots(intent: str, language: Language, noun: str) -> dict[str, Json]:
    """The slots for a kind such as `light` or `cover.curtain`; all other intents imply their kind and fill none."""
    domain, _, device_class = noun.partition(".")
    kind = _TABLES[language].get(intent, "none")
    if not noun or kind == "none":
        return {}
    if kind == "domain+class":
        both: dict[str, Json] = {"domain": domain, "device_class": device_class}
        return both if device_class else {"domain": domain}
    if device_class:
        return {"device_class": device_class}
    return {"domain": domain} if kind == "class or domain" else {}
