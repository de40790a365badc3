"""Reports that are written by themselves: /api/schedules. The server is the process that writes them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from agent.commands.report import formats_of, languages_of
from agent.reports.delivery import check_target
from agent.reports.schedules import ALL, Order, Schedule, parse_span
from agent.reports.when import box_zone
from agent.server.routes.depend import AdminCaller, AskCaller, TheScheduler, TheService

__all__ = ["router"]

router = APIRouter(prefix="/api/schedules", tags=["schedules"])


class Plan(BaseModel):
    """What is to be written when."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=40)
    when: str = Field(max_length=200, description="“every Monday 6:00”, “每周一早上六点” or five fields of cron.")
    machines: list[str] = Field(default=[], max_length=500)
    since: str = Field(default="7d", max_length=20)
    lang: str = Field(default="both", max_length=8)
    format: str = Field(default="both", max_length=8)
    to: list[str] = Field(default=[], max_length=50)
    zone: str = Field(default="", max_length=80)


@router.get("")
def schedules(scheduler: TheScheduler, caller: AskCaller) -> dict[str, object]:
    """Schedules, and what waits to be delivered."""
    runner = scheduler.runner
    waiting = [
        {"waiting": one.id, "target": one.target, "tries": one.tries, "problem": one.problem}
        for one in runner.outbox.waiting()
    ]
    return {"schedules": [_told(one) for one in runner.schedules.all()], "waiting": waiting}


@router.post("", status_code=201)
def add(plan: Plan, service: TheService, scheduler: TheScheduler, caller: AdminCaller) -> dict[str, object]:
    """Write reports again and again."""
    env = service.env
    targets = tuple(check_target(target, env.settings.reports) for target in plan.to)
    order = Order(
        tuple(plan.machines or (ALL,)),
        parse_span(plan.since),
        languages_of(plan.lang),
        formats_of(plan.format),
        targets,
    )
    now = env.now()
    now = now if now.tzinfo else now.astimezone()
    return _told(scheduler.runner.schedules.add(plan.name, plan.when, plan.zone or box_zone(), order, now=now))


@router.delete("/{name}")
def remove(
    name: Annotated[str, Path(max_length=40)], scheduler: TheScheduler, caller: AdminCaller
) -> dict[str, object]:
    """Forget one; its reports stay."""
    scheduler.runner.schedules.remove(name)
    return {"removed": name}


def _told(schedule: Schedule) -> dict[str, object]:
    order = schedule.order
    return {
        "id": schedule.id, "said": schedule.said, "cron": schedule.cron, "zone": schedule.zone,
        "next": schedule.next_at.isoformat(), "machines": list(order.machines), "hours": order.hours,
        "languages": list(order.languages), "formats": list(order.formats), "deliver": list(order.deliver),
    }  # fmt: skip
