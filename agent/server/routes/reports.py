"""Reports that were written: /api/reports. Their id is the name of their file, below the folder of its day."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from agent.reports.files import FORMATS, reports_folder
from agent.server.problems import Problem
from agent.server.routes.depend import AskCaller, TheService
from agent.values import say

__all__ = ["router"]

router = APIRouter(prefix="/api/reports", tags=["reports"])
_NAME = re.compile(r"(?P<machine>.+)-(?P<start>\d{8})-(?P<end>\d{8})")
_FILE = re.compile(r"(?:(\d{4}-\d{2}-\d{2})~)?([^/\\~]+)\.(html|pdf)")
"""Of a schedule's day; without one it was written by hand, as `watchkeeper report` does."""
_MOST_LISTED = 500
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'; sandbox"
)
"""A report needs no script, and is shown within the page."""
_KINDS = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}


@router.get("")
def reports(service: TheService, caller: AskCaller) -> dict[str, object]:
    """Newest first."""
    folder = reports_folder(service.env)
    found: dict[str, dict[str, object]] = {}
    written = [*folder.glob("*-*-*"), *folder.glob("????-??-??/*")]
    for path in sorted(written, key=_written, reverse=True):
        name = _NAME.fullmatch(path.stem)
        if name is None or path.suffix[1:] not in FORMATS or not _is_within(path, folder) or len(found) >= _MOST_LISTED:
            continue
        report = path.stem if path.parent == folder else f"{path.parent.name}~{path.stem}"
        told = found.setdefault(report, {"formats": []})
        told |= {"id": report, "machine": name["machine"], "at": _written(path)}
        told |= {"start": name["start"], "end": name["end"], "formats": sorted([*_list(told), path.suffix[1:]])}
    return {"reports": list(found.values())}


@router.get("/{file}", response_class=FileResponse)
def report(file: str, service: TheService, caller: AskCaller) -> FileResponse:
    """One as a page or as PDF."""
    found = _FILE.fullmatch(file)
    folder = reports_folder(service.env)
    path = folder / (found[1] or "") / f"{found[2]}.{found[3]}" if found else None
    if found is None or path is None or not _NAME.fullmatch(path.stem) or not _is_within(path, folder):
        raise Problem(404, "no_report", say("没有这份报告。", "there is no such report"), "GET /api/reports")
    headers = {"Content-Security-Policy": _POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return FileResponse(path, media_type=_KINDS[found[3]], headers=headers)


def _is_within(path: Path, folder: Path) -> bool:
    """A plain file there, wherever links lead."""
    try:
        return path.is_file() and path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False


def _written(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except OSError:
        return ""


def _list(told: dict[str, object]) -> list[str]:
    formats = told["formats"]
    return list(map(str, formats)) if isinstance(formats, list) else []
