"""A headless Chromium for tests: the system's, or Debian's package unpacked into a cache without root.

Playwright speaks to it; the browser that Playwright would download is not used. Chinese is drawn with the font that
reports bring. Where no browser can be had, `ChromiumMissing` says why.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

from tests.servers import debian
from tests.servers.debian import Programs, ServerMissing, library_path, unpack
from tests.servers.fonts import font_config

ChromiumMissing = ServerMissing
CACHE = debian.CACHE / "chromium"
# Root has no sandbox of its own to give; what is shown is our own page on loopback.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A browser, ended with the block.

    :raises ChromiumMissing: none can be had here.
    """
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-chromium-"))
    environ = {**os.environ, **programs.environ, "HOME": str(folder), "FONTCONFIG_FILE": str(font_config(folder))}
    try:
        with sync_playwright() as driver:
            try:
                browser = driver.chromium.launch(
                    executable_path=str(programs.folder / "chromium"), args=list(FLAGS), env=environ
                )
            except Error as error:
                raise ChromiumMissing(f"it does not start: {str(error)[:400]}") from None
            try:
                yield browser
            finally:
                browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Programs:
    """The system's, else those in the cache, else fetched into it.

    :raises ChromiumMissing: there are none, and none can be fetched.
    """
    if found := shutil.which("chromium"):
        return Programs(Path(found).parent, {})
    place = CACHE / "usr/lib/chromium"
    if not (place / "chromium").exists():
        unpack("chromium", CACHE)
    if not (place / "chromium").exists():
        raise ChromiumMissing("the package holds no browser")
    return Programs(place, {"LD_LIBRARY_PATH": library_path(CACHE)})
