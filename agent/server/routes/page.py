"""The web page: files as they lie in `agent/server/page`, without a build step.

They are read once, compressed once, and named by their digest, so that a browser that has them asks for no body and the
service worker takes a new shell exactly when a file has changed. The page may load nothing from elsewhere and run no
script that stands in a document.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from agent.server.problems import Problem
from agent.values import say

__all__ = ["POLICY", "Shown", "answer_file", "files_of", "router", "shell"]

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).parent.parent / "page"
_KINDS: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""Suffix → type; a file of another kind is not served."""
_WORKER = "sw.js"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker"
)
"""The page's content security policy."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One file as it is served."""

    kind: str
    body: bytes
    packed: bytes
    """The same, gzip."""
    tag: str
    """Entity tag, with quotes."""


@cache
def shell() -> Mapping[str, Shown]:
    """All files of the page by their path on the server; `/` is the document, `/sw.js` the worker."""
    files = _read(_FOLDER)
    names = ["/", *(f"/page/{name}" for name in files if name not in (_WORKER, "index.html"))]
    version = _digest(b"\0".join(name.encode() + b"\0" + body for name, body in files.items()))
    head = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(names)};\n"
    made = {f"/page/{name}": _shown(name, body) for name, body in files.items() if name != _WORKER}
    made["/"] = made.pop("/page/index.html")
    made[f"/{_WORKER}"] = _shown(_WORKER, head.encode() + files[_WORKER])
    return made


@router.get("/")
@router.get("/sw.js")
@router.get("/page/{name}")
def page(request: Request) -> Response:
    """A file of the page."""
    shown = shell().get(request.url.path)
    if shown is None:
        raise Problem(404, "not_found", say("页面没有这个文件。", "the page has no such file"))
    return answer_file(request, shown)


def files_of(folder: Path) -> Mapping[str, Shown]:
    """The files of another page by their names."""
    return {name: _shown(name, body) for name, body in _read(folder).items()}


def answer_file(request: Request, shown: Shown) -> Response:
    """A file under the page's policy; no body for who has it."""
    headers = {
        "ETag": shown.tag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Encoding",
    }
    if shown.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    packs = "gzip" in request.headers.get("accept-encoding", "")
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(shown.packed if packs else shown.body, media_type=shown.kind, headers=headers)


def _read(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _KINDS and path.is_file()
    }


def _shown(name: str, body: bytes) -> Shown:
    return Shown(_KINDS[Path(name).suffix], body, gzip.compress(body, 9, mtime=0), f'"{_digest(body)}"')


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:20]
