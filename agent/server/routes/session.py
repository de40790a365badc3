"""Who the page asks as: /api/session. A cookie holds the token where headers cannot: pictures and reports in frames."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.server.problems import Problem
from agent.server.routes.depend import AnyCaller, TheService
from agent.server.security.headers import COOKIE
from agent.server.security.tokens import TokenBook
from agent.values import say

__all__ = ["router"]

router = APIRouter(prefix="/api/session", tags=["session"])
_DAY_SECONDS = 86_400


class Given(BaseModel):
    """A token."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)


@router.get("")
def who(caller: AnyCaller) -> dict[str, object]:
    """Who asks, and as what; `role` is null where a token is needed."""
    return {"name": caller.name, "role": caller.role}


@router.post("")
def begin(given: Given, request: Request, service: TheService, response: Response) -> dict[str, object]:
    """Keep a token in a cookie that no script can read."""
    token = TokenBook(service.env.home.tokens).find(given.token)
    if token is None or not request.app.state.wrong_tokens.has(_address(request)):
        request.app.state.wrong_tokens.take(_address(request))
        raise Problem(401, "token", say("令牌不对。", "a wrong token"), "watchkeeper tokens add NAME --role ask")
    secure = request.url.scheme == "https"
    kept = int(service.settings.session_days * _DAY_SECONDS)
    response.set_cookie(COOKIE, given.token, max_age=kept, httponly=True, secure=secure, samesite="strict", path="/")
    return {"name": token.name, "role": token.role}


@router.delete("")
def end(response: Response, caller: AnyCaller) -> dict[str, object]:
    """Forget it."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
    return {"name": "", "role": None}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
