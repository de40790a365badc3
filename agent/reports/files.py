"""Reports as files: written whole, named after machine and days, kept within a bound."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from agent.env import Env
from agent.reports.delivery import write_whole
from agent.reports.page import to_html
from agent.reports.pdf import to_pdf
from agent.reports.report import Report
from agent.settings import ReportSettings

__all__ = ["FORMATS", "keep_within", "reports_folder", "write_files"]

FORMATS = ("html", "pdf")


def reports_folder(env: Env) -> Path:
    """Where reports lie."""
    return Path(os.path.expanduser(env.settings.reports.folder or env.home.reports))  # noqa: PTH111 - never raises


def write_files(report: Report, folder: Path, formats: Sequence[str], settings: ReportSettings) -> tuple[Path, ...]:
    """Write a report; writing it again replaces the files by the same ones.

    :raises InputError: a format needs something that is not installed.
    :raises OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in formats:
        data = to_html(report, settings).encode("utf-8", "replace") if kind == "html" else to_pdf(report, settings)
        path = folder / f"{report.stem}.{kind}"
        write_whole(path, data)
        written.append(path)
    return tuple(written)


def keep_within(folder: Path, most_bytes: int, needed: Collection[Path]) -> int:
    """Delete the oldest reports beyond a bound; how many.

    :param needed: files that somebody still waits for.
    """
    files = [p for p in folder.rglob("*") if p.suffix in (".html", ".pdf") and _is_ours(p) and p.is_file()]
    newest_first = sorted(files, key=lambda p: p.stat().st_mtime, reverse=True)
    total, deleted = 0, 0
    for path in newest_first:
        total += path.stat().st_size
        if total > most_bytes and path not in needed:
            with suppress(OSError):
                path.unlink()
                deleted += 1
    return deleted


def _is_ours(path: Path) -> bool:
    """Named as a report is."""
    return re.search(r"-\d{8}-\d{8}$", path.stem) is not None
