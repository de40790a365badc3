"""Calls that wait for a person: /api/approvals. Who answers is the name of the token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from agent.approval import Request, call_text
from agent.server.routes.depend import ApproveCaller, AskCaller, TheService
from agent.server.service import Service

__all__ = ["router"]

router = APIRouter(prefix="/api/approvals", tags=["approvals"])


class Decision(BaseModel):
    """Yes or no."""

    model_config = ConfigDict(extra="forbid")

    approve: bool
    digest: str | None = Field(default=None, max_length=100, description="Of the call as it was shown, as listed.")
    run: bool = Field(default=True, description="Carry out what is approved at once, and read it back.")


@router.get("")
def waiting(service: TheService, caller: AskCaller) -> dict[str, object]:
    """What waits for an answer, and commands of which nobody knows whether they arrived."""
    agent = service.agent
    unsure = [{"command": e.id, "state": e.state, **e.body, "approved_by": e.person} for e in agent.commands.unsure()]
    return {"approvals": [_told(request, service) for request in agent.approvals.waiting()], "unsure": unsure}


@router.post("/{request}")
def answer(
    request: Annotated[str, Path(max_length=40)], decision: Decision, service: TheService, caller: ApproveCaller
) -> dict[str, object]:
    """Approve or refuse exactly this call, once; what is approved is carried out at once unless `run` is false."""
    agent = service.agent
    answered = agent.approvals.answer(request, approve=decision.approve, person=caller.name, digest=decision.digest)
    told = _told(answered, service)
    if not (decision.approve and decision.run):
        return told
    done = service.run_approved(lambda: agent.run_approved(answered))
    return {**told, "done": done.to_json(), "line": dict(done.line)}


def _told(request: Request, service: Service) -> dict[str, object]:
    asked = service.store.asked(request.turn)
    return {
        **request.to_json(),
        "digest": request.digest,
        "text": call_text(request.tool, request.arguments),
        "question": asked.question if asked else "",
    }
