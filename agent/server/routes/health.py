"""How the box is: /api/health."""

from __future__ import annotations

import shutil
import time

from fastapi import APIRouter, Response

from agent.model.heat import describe, read_heat
from agent.server.routes.depend import AnyCaller, TheService
from agent.server.service import Service

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/api/health")
def health(service: TheService, caller: AnyCaller, response: Response) -> dict[str, object]:
    """Which rung answers and why not a better one, what waits, disk and heat, and the last look at the trail."""
    response.status_code = 200 if service.ready else 503
    told = _told(service)
    return told if caller.may("ask") else {"status": told["status"]}


def _told(service: Service) -> dict[str, object]:
    ladder, home = service.agent.ladder, service.env.home.folder
    waiting, scheduled = service.queue.waiting()
    falls = [fall.to_json() for fall in ladder.falls]
    disk = shutil.disk_usage(home)
    heat = read_heat(limit_c=service.env.settings.model.heat_limit_c)
    return {
        "status": "starting" if not service.ready else "degraded" if falls else "ok",
        "rung": ladder.name if service.ready else "",
        "falls": falls,
        "queue": {"running": service.queue.busy, "waiting": waiting, "scheduled": scheduled},
        "disk": {"free_bytes": disk.free, "total_bytes": disk.total},
        "heat": describe(heat),
        "up_seconds": round(time.time() - service.began),
    }
