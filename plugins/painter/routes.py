"""What the painter's page asks for, under /api/painter.

GET  /cards      what can be chosen
POST /wishes     a wish that was typed, read: its choices and the address of its picture, or a hint
GET  /picture    a wish by its choices: PNG
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.server.routes.page import Shown, answer_file
from plugins.painter.cards import cards
from plugins.painter.drawing.compose import Chosen
from plugins.painter.painter import Painter
from plugins.painter.wishes import HINTS, NotYet, Wish, caption, wish_of

__all__ = ["make_router"]

_MAX_NAME_CHARS = 40
Name = Annotated[str, Field(max_length=_MAX_NAME_CHARS)]


class Typed(BaseModel):
    """A wish as it was typed."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=10_000)
    language: Literal["zh", "en", ""] = ""


def make_router(painter: Painter) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/cards", response_class=Response, responses={200: {"content": {"application/json": {}}}})
    def all_cards(request: Request) -> Response:
        """What can be chosen, each with a small drawing."""
        return answer_file(request, _packed_cards())

    @router.post("/wishes", response_model=None)
    def read(typed: Typed) -> dict[str, Any] | JSONResponse:
        """Read a wish; 422 with a hint for the child where it is none that is drawn."""
        try:
            return _told(painter.read(typed.text, language=typed.language))
        except NotYet as error:
            return _hint(error)

    @router.get("/picture", response_class=Response, responses={200: {"content": {"image/png": {}}}})
    def picture(
        request: Request,
        animal: Annotated[str, Query(max_length=_MAX_NAME_CHARS)],
        feature: Annotated[list[Name], Query(max_length=4)],
        place: Annotated[str, Query(max_length=_MAX_NAME_CHARS)],
    ) -> Response:
        """The picture of a wish: an animal, one or two features (`hat`, `hat:red`), a place."""
        try:
            wish = wish_of([animal], [_chosen(one) for one in feature], [place])
        except NotYet as error:
            return _hint(error)
        painted = painter.paint(wish)
        tag = f'"{hashlib.sha256(painted.png).hexdigest()[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "X-Painter-Said": json.dumps(dict(painted.said))}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(painted.png, media_type="image/png", headers=headers)

    return router


@cache
def _packed_cards() -> Shown:
    body = json.dumps(cards(), ensure_ascii=False).encode()
    tag = hashlib.sha256(body).hexdigest()[:20]
    return Shown("application/json", body, gzip.compress(body, 9, mtime=0), f'"{tag}"')


def _chosen(text: str) -> Chosen:
    name, _, tint = text.partition(":")
    return Chosen(name, tint or None)


def _told(wish: Wish) -> dict[str, Any]:
    features = [one.name + (f":{one.tint}" if one.tint else "") for one in wish.features]
    asked = "&".join(f"feature={quote(one)}" for one in features)
    return {
        "animal": wish.animal,
        "features": features,
        "place": wish.place,
        "said": dict(caption(wish)),
        "picture": f"/api/painter/picture?animal={wish.animal}&{asked}&place={wish.place}",
    }


def _hint(error: NotYet) -> JSONResponse:
    told = {"code": f"painter_{error.kind}", "message": dict(HINTS[error.kind]), "hint": "GET /api/painter/cards"}
    return JSONResponse({"error": told}, 422)
