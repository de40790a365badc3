"""A site of a plugin's own on the server: a page and what it asks for.

Its files lie in one folder and are served under `/NAME`, as those of the main page are: without a build step, under the
same policy. Its routes come under `/api/NAME`, behind the same gate as every other: who may not ask, gets nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = ["Site"]


@dataclass(frozen=True, slots=True)
class Site:
    """One site."""

    name: str
    """Small letters; the first part of its addresses."""
    folder: Path
    """With `index.html` and the files beside it."""
    routes: Callable[[], APIRouter]
    """Makes its routes, without prefix; called by a server only, so that nobody else needs FastAPI."""
