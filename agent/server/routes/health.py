"""How the box is: /api/health."""

from __future__ import annotations

import shutil
import time
from collections import Counter

from fastapi import APIRouter, Response

from agent.model.falls import why_of
from agent.model.heat import read_heat, said_of_heat
from agent.server.routes.depend import AnyCaller, TheCheck, TheScheduler, TheService
from agent.server.service import Service
from agent.server.trail_check import TrailCheck
from agent.workers.census import process_starts, supervised

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/api/health")
def health(
    service: TheService, scheduler: TheScheduler, check: TheCheck, caller: AnyCaller, response: Response
) -> dict[str, object]:
    """Which rung answers and why not a better one, what waits, disk and heat, and the last look at the trail."""
    response.status_code = 200 if service.ready else 503
    told = _told(service, check)
    return {**told, "schedules": scheduler.problem} if caller.may("ask") else {"status": told["status"]}


def _told(service: Service, check: TrailCheck) -> dict[str, object]:
    ladder, home = service.agent.ladder, service.env.home.folder
    waiting, scheduled = service.queue.waiting()
    falls = [{**fall.to_json(), "said": dict(why_of(fall))} for fall in ladder.falls]
    last = check.last
    sound = last is None or last.ok
    disk = shutil.disk_usage(home)
    heat = read_heat(limit_c=service.env.settings.model.heat_limit_c)
    return {
        "status": "starting" if not service.ready else "degraded" if falls or not sound else "ok",
        "rung": ladder.name if service.ready else "",
        "falls": falls,
        "queue": {"running": service.queue.busy, "waiting": waiting, "scheduled": scheduled},
        "workers": {"states": Counter(worker.state for worker in supervised()), "starts": dict(process_starts())},
        "disk": {"free_bytes": disk.free, "total_bytes": disk.total},
        "heat": dict(said_of_heat(heat)),
        "trail": None if last is None else {"at": last.at, "ok": last.ok, "said": dict(last.said)},
        "up_seconds": round(time.time() - service.began),
    }
