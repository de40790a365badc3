"""Sites of plugins: their files under `/NAME`, their routes under `/api/NAME` for whoever may ask."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import APIRouter, Depends, Request, Response

from agent.console import complain
from agent.server.problems import Problem
from agent.server.routes.depend import asker
from agent.server.routes.page import answer_file, files_of
from agent.sites import Site
from agent.values import say

__all__ = ["site_routers"]

_NAME = re.compile(r"[a-z]{3,20}")
_TAKEN = frozenset({"api", "page", "metrics", "mcp", "health"})
_INDEX = "index.html"


def site_routers(sites: Iterable[Site], taken: Iterable[str]) -> list[APIRouter]:
    """The routers of all sites; one that would stand in the way of another or of the server is left out and told.

    :param taken: paths that the server has already.
    """
    names = {part for path in taken for part in path.split("/")[1:3]} | _TAKEN
    routers = []
    for site in sites:
        if not _NAME.fullmatch(site.name) or site.name in names:
            complain(f"site {site.name[:40]!r}: left out; its name is taken, or not of 3 to 20 small letters")
            continue
        names.add(site.name)
        routers.append(_router(site))
    return routers


def _router(site: Site) -> APIRouter:
    router, files = APIRouter(), files_of(site.folder)

    def show(request: Request, name: str = _INDEX) -> Response:
        """A file of the site."""
        if name not in files:
            raise Problem(404, "not_found", say("页面没有这个文件。", "the page has no such file"))
        return answer_file(request, files[name])

    for path in (f"/{site.name}", f"/{site.name}/{{name}}"):
        router.add_api_route(path, show, methods=["GET"], include_in_schema=False)
    router.include_router(site.routes(), prefix=f"/api/{site.name}", tags=[site.name], dependencies=[Depends(asker)])
    return router
