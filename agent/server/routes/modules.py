"""What the box is made of: /api/modules with swap and roll-back, /api/weights."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from agent.modules.host import ModuleHost
from agent.server.routes.depend import AdminCaller, AskCaller, TheService

__all__ = ["router"]

router = APIRouter(tags=["modules"])
Name = Annotated[str, Path(max_length=80)]


class Chosen(BaseModel):
    """A version that is installed."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(max_length=80)


@router.get("/api/modules")
def modules(service: TheService, caller: AskCaller) -> dict[str, object]:
    """Modules, their versions, which one answers, and what did not prove itself."""
    store = ModuleHost(service.env).store
    found = [{"name": name, **asdict(store.choice(name)), "versions": store.versions(name)} for name in store.names()]
    return {"modules": found}


@router.post("/api/modules/{name}/swap")
def swap(name: Name, chosen: Chosen, service: TheService, caller: AdminCaller) -> dict[str, object]:
    """Let another version answer if it proves itself; whatever runs follows within a second or two."""
    return {"module": name, "version": chosen.version, **asdict(ModuleHost(service.env).swap(name, chosen.version))}


@router.post("/api/modules/{name}/rollback")
def rollback(name: Name, service: TheService, caller: AdminCaller) -> dict[str, object]:
    """Let the version before answer again."""
    host = ModuleHost(service.env)
    done = host.rollback(name)
    return {"module": name, "version": host.version(name), **asdict(done)}


@router.get("/api/weights")
def weights(service: TheService, caller: AskCaller) -> dict[str, object]:
    """The models of the catalogue and whether their files are here and sound, and what was set aside."""
    store = service.env.weights
    found = []
    for status in map(store.status, (entry.name for entry in store.catalogue.entries)):
        files = [{"name": file.path.name, "role": file.role, "state": file.state} for file in status.files]
        state = "present" if status.present else "missing"
        found.append({"name": status.name, "state": state, "files": files})
    aside = [{"file": item.file, "reason": item.reason} for item in store.set_aside()]
    return {"weights": found, "set_aside": aside}
