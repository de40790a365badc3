"""Where an answer comes from: /api/citations resolves what it cites, /api/manuals shows the page of a PDF."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from agent.server.citations import find_cited
from agent.server.problems import Problem
from agent.server.routes.depend import AskCaller, TheService
from agent.server.service import Service
from agent.values import say
from knowledge.errors import KnowledgeError
from knowledge.store import Document, KnowledgeStore

__all__ = ["router"]

router = APIRouter(tags=["citations"])
_WHOLE = "-"
"""In place of a section: the manual itself."""
DocumentId = Annotated[str, Path(pattern=r"^M[0-9]{1,9}$")]


@router.get("/api/citations/{document}/{place:path}")
def citation(
    document: DocumentId,
    place: Annotated[str, Path(max_length=300)],
    service: TheService,
    caller: AskCaller,
    quote: Annotated[str, Query(max_length=4_000)] = "",
) -> dict[str, object]:
    """The section behind `M1 §6.2 p.4`: its text with the place of the quote, and its page where it is a PDF."""
    store, pages = _store(service), service.pages
    found = find_cited(store, document, "" if place == _WHOLE else place, quote)
    told: dict[str, object] = {**asdict(found), "image": None, "boxes": []}
    manual = _manual(store, document)
    if found.page is not None and pages.has(manual):
        with suppress(KnowledgeError):  # what cannot be looked at cannot be shown either; the text is here
            told["boxes"] = pages.boxes(manual, found.page, quote)
            told["image"] = f"/api/manuals/{document}/pages/{found.page}"
    return told


@router.get(
    "/api/manuals/{document}/pages/{page}",
    responses={200: {"content": {"image/jpeg": {}}}},
    response_class=Response,
)
def manual_page(
    document: DocumentId,
    page: Annotated[int, Path(ge=1, le=1_000_000)],
    service: TheService,
    caller: AskCaller,
) -> Response:
    """A page of a manual as a picture, as long as its file is the one that was read in."""
    pixels = service.env.settings.knowledge.page_pixels // 2
    data = service.pages.picture(_manual(_store(service), document), page, pixels=pixels)
    if data is None:
        raise Problem(
            404, "no_page", say("没有这一页,或手册文件已改动。", "no such page, or the manual's file has changed")
        )
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def _store(service: Service) -> KnowledgeStore:
    return KnowledgeStore(service.env.home.knowledge_db, service.env.settings.knowledge.busy_seconds)


def _manual(store: KnowledgeStore, document: str) -> Document:
    found = next((one for one in store.documents() if one.id == document), None)
    if found is None:
        raise Problem(404, "no_manual", say("没有这本手册。", f"{document}: no such manual"), "watchkeeper kb list")
    return found
