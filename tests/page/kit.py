"""What the page's browser tests share: a browser, a scripted server, and where pictures are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.page import script
from tests.page.fake_server import FakeServer

ARTEFACTS = Path(os.environ.get("ARTEFACTS") or Path(__file__).parent.parent.parent / "build/page")
"""Pictures of the last run stay here; git ignores the folder."""
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
VIEWS = {
    "ask": "#send",
    "approvals": ".call",
    "live": ".tile",
    "reports": ".rows",
    "box": ".rows",
}
"""Each section, and what stands there once the server has said what it shows."""
expect.set_options(timeout=30_000)


@contextmanager
def opened(
    browser: Browser, url: str, *, screen: dict[str, int] = DESK, language: str = "zh", **kept: str
) -> Iterator[Page]:
    """A page of a new visitor, ready to be used; nothing may go wrong in its console.

    :param kept: what this device remembers, as `look="dark"`.
    """
    options: dict[str, Any] = {"viewport": screen, "locale": "zh-CN" if language == "zh" else "en-GB"}
    if screen is PHONE:
        options |= {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    context = browser.new_context(**options, timezone_id="Asia/Shanghai")
    context.set_default_timeout(30_000)
    remembered = "".join(f"localStorage.setItem('watchkeeper.{name}', '\"{value}\"');" for name, value in kept.items())
    context.add_init_script(remembered)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    try:
        page.goto(url)
        page.wait_for_selector("#send")
        yield page
        assert not wrong
    finally:
        context.close()


def ask(page: Page, *, photo: bool = True, question: str = "".join(script.QUESTIONS)) -> None:
    """Type a question, with the photo of the example plant, and send it."""
    if photo:
        page.set_input_files("#photo", str(script.PHOTO))
        page.wait_for_selector(".preview img")
    page.fill("#question", question)
    page.click("#send")
    page.wait_for_selector(".turn")


def go(page: Page, view: str) -> None:
    """Another section, drawn with what the server says."""
    page.click(f'#tabs a[href="#{view}"]')
    page.wait_for_selector(f'main[data-view="{view}"] {VIEWS[view]}')


def keep_picture(page: Page, name: str) -> None:
    """Keep a screenshot for people."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")


def fresh(fake: FakeServer) -> FakeServer:
    """The scripted server as it is at the beginning."""
    fake.turns.clear()
    fake.keys.clear()
    fake.decisions.clear()
    fake.changes.clear()
    fake.stream_starts.clear()
    fake.calls = [dict(script.CALL)]
    fake.answering.set()
    fake.breaks, fake.token, fake.was_killed = 0, "", False
    return fake
