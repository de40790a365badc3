"""The server as a process: listen, tell the supervisor that it is ready and lives, stop in order."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from agent.server.security.connections import guarded_protocol
from agent.settings import ServerSettings

__all__ = ["server_config"]


def server_config(app: FastAPI, settings: ServerSettings) -> uvicorn.Config:
    """How uvicorn runs it: by h11 alone, believing no header about who asked, and logging no requests."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=guarded_protocol(settings),
        ws="none",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.stop_seconds,
        h11_max_incomplete_event_size=settings.max_header_bytes,
        ssl_certfile=settings.certificate_file,
        ssl_keyfile=settings.key_file,
    )
