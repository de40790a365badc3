"""What routes get besides their parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from agent.server.problems import Problem
from agent.server.scheduled import Scheduler
from agent.server.security.caller import Caller, Role
from agent.server.service import Service
from agent.server.trail_check import TrailCheck
from agent.values import say

__all__ = ["AdminCaller", "AnyCaller", "ApproveCaller", "AskCaller", "TheCheck", "TheScheduler", "TheService", "asker"]


def _service(connection: HTTPConnection) -> Service:
    service: Service = connection.app.state.service
    return service


def _scheduler(connection: HTTPConnection) -> Scheduler:
    scheduler: Scheduler = connection.app.state.scheduler
    return scheduler


def _check(connection: HTTPConnection) -> TrailCheck:
    check: TrailCheck = connection.app.state.trail_check
    return check


def _caller(connection: HTTPConnection) -> Caller:
    caller: Caller = connection.scope["caller"]
    return caller


def _at_least(role: Role, caller: Caller) -> Caller:
    if not caller.may(role):
        told = say(f"需要“{role}”角色的令牌。", f"a token of the role {role!r} is needed")
        raise Problem(403, "role", told, f"watchkeeper tokens add NAME --role {role}")
    return caller


def asker(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    """Whoever may ask.

    :raises Problem: it is somebody else.
    """
    return _at_least("ask", caller)


def _approver(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return _at_least("approve", caller)


def _admin(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return _at_least("admin", caller)


TheCheck = Annotated[TrailCheck, Depends(_check)]
TheScheduler = Annotated[Scheduler, Depends(_scheduler)]
TheService = Annotated[Service, Depends(_service)]
AnyCaller = Annotated[Caller, Depends(_caller)]
AskCaller = Annotated[Caller, Depends(asker)]
ApproveCaller = Annotated[Caller, Depends(_approver)]
AdminCaller = Annotated[Caller, Depends(_admin)]
