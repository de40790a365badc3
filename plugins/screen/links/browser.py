"""A screen in a browser over CDP: a web HMI in the system's Chromium, started here or attached to where one runs.

Playwright speaks the protocol in a thread of its own, so that the page lives on between two calls. The page may come
from the host of its address and from the hosts that are allowed besides; any other request is cut off, and a page that
went elsewhere is no longer looked at. A question of the browser itself (`alert`, `confirm`) is never agreed to: it is
dismissed, and the next look says so. New windows are closed, downloads refused.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import cv2
import numpy as np
from playwright.async_api import Browser, CDPSession, Dialog, Page, Playwright, Route, WebSocketRoute, async_playwright
from playwright.async_api import Error as BrowserError

from agent.api import InputError, Photo, ToolFailed, photo_of
from agent.settings import ScreenSettings
from plugins.screen.links.accessibility import boxes_of, controls_of, is_reached, parents_of, places_of
from plugins.screen.links.opening import refuse_outside
from plugins.screen.values import Control

__all__ = ["BrowserLink", "open_link"]

T = TypeVar("T")
_NOTCH_PX = 100
_DRAG_STEPS = 8
_SHOTS = 4
_KEYS = {"Up": "ArrowUp", "Down": "ArrowDown", "Left": "ArrowLeft", "Right": "ArrowRight"}
_KNOWN = frozenset(
    {"Enter", "Tab", "Escape", "Backspace", "Delete", "Home", "End", "PageUp", "PageDown", *_KEYS}
    | {f"F{n}" for n in range(1, 13)}
)
_PNG = b"\x89PNG\r\n\x1a\n"
_FLAGS = ("--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking")


def open_link(name: str, settings: ScreenSettings) -> BrowserLink:
    """A link that starts its browser when it is first used.

    :raises InputError: the address is no page.
    """
    return BrowserLink(name, settings)


class _Opened:
    """A browser with the page."""

    def __init__(self, driver: Playwright, browser: Browser, page: Page, session: CDPSession, started: bool) -> None:
        self.driver, self.browser, self.page, self.session = driver, browser, page, session
        self.started = started


class BrowserLink:
    """One page in a browser."""

    def __init__(self, name: str, settings: ScreenSettings) -> None:
        """
        :raises InputError: the address is no page.
        """
        host = urlsplit(settings.address).hostname
        if urlsplit(settings.address).scheme not in ("http", "https") or not host:
            raise InputError(f"screen {name}: {settings.address!r:.100} is no page; write http://host/")
        self.name = name
        self._settings = settings
        self._hosts = frozenset({host, *(allowed.lower() for allowed in settings.allowed_hosts)})
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: _Opened | None = None
        self._size: tuple[int, int] | None = None
        self._scale = 1.0
        self._dismissed: list[str] = []

    def look(self) -> Photo:
        data, page = self._run(self._picture(), self._settings.look_seconds + self._opening_seconds)
        pixels = self._decoded(data)
        self._size, self._scale = (pixels.shape[1], pixels.shape[0]), pixels.shape[1] / max(1.0, page[0])
        return photo_of(pixels, self.name)

    def named(self) -> Sequence[Control]:
        size = self._size
        if size is None:
            return ()
        nodes, boxes = self._run(self._said(), self._settings.look_seconds)
        return controls_of(nodes, boxes, size, self._settings.most_controls)

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        at, mouse = self._at((x, y)), self._page().mouse
        hold = self._settings.hold_seconds * 1000
        self._do(mouse.click(*at[0], click_count=times, delay=hold))

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        (from_x, from_y), (to_x, to_y) = self._at(start, end)
        mouse = self._page().mouse

        async def drag() -> None:
            await mouse.move(from_x, from_y)
            await mouse.down()
            try:
                await mouse.move(to_x, to_y, steps=_DRAG_STEPS)
            finally:
                await mouse.up()

        self._do(drag())

    def scroll(self, x: int, y: int, *, notches: int) -> None:
        ((at_x, at_y),) = self._at((x, y))
        mouse = self._page().mouse

        async def scroll() -> None:
            await mouse.move(at_x, at_y)
            await mouse.wheel(0, notches * _NOTCH_PX)

        self._do(scroll())

    def type(self, text: str) -> None:
        self._do(self._page().keyboard.type(text, delay=self._settings.key_seconds * 1000), len(text))

    def press(self, key: str) -> None:
        *held, last = key.split("+")
        if any(one not in ("Control", "Shift") for one in held) or not (last in _KNOWN or (held and len(last) == 1)):
            raise ToolFailed(f"screen {self.name}: {key[:40]!r} is no key that can be pressed")
        self._do(self._page().keyboard.press("+".join([*held, _KEYS.get(last, last)])))

    @property
    def scale(self) -> float:
        """Pixels of the picture for one of the page, as it was looked at last."""
        return self._scale

    def listen(self, name: str, script: str, heard: Callable[[str], None]) -> None:
        """Have a script run in the page, now and whenever it is loaded anew.

        :param name: of the function that the script tells something by.
        :param heard: called with it, in the browser's thread; what it is told is untrusted.
        :raises ToolFailed: the page cannot be reached.
        """

        async def listen() -> None:
            page = (await self._opened()).page
            await page.expose_function(name, heard)
            await page.add_init_script(script)
            await page.evaluate(script)

        self._do(listen())

    def close(self) -> None:
        """End the browser, where it was started here; the next look starts it anew."""
        opened, self._open, self._size = self._open, None, None
        loop, self._loop = self._loop, None
        if loop is None:
            return
        with suppress(Late, BrowserError, RuntimeError):
            asyncio.run_coroutine_threadsafe(_closed(opened), loop).result(self._settings.connect_seconds)
        loop.call_soon_threadsafe(loop.stop)

    @property
    def _opening_seconds(self) -> float:
        return self._settings.connect_seconds if self._open is None else 0.0

    async def _picture(self) -> tuple[bytes, tuple[float, float]]:
        opened = await self._opened()
        if self._dismissed:
            asked = self._dismissed.pop(0)
            raise ToolFailed(f"screen {self.name}: the page asked {asked!r:.200}; it was dismissed, not agreed to")
        if not self._allowed(opened.page.url):
            raise ToolFailed(
                f"screen {self.name}: the page went to {opened.page.url:.200}, which is not allowed; add its host to "
                "allowed_hosts, or close the screen"
            )
        told = await opened.session.send("Page.getLayoutMetrics")
        view = told["cssLayoutViewport"]
        return await self._shot(opened.page), (float(view["clientWidth"]), float(view["clientHeight"]))

    async def _shot(self, page: Page) -> bytes:
        """A PNG; a browser that has no frame to give, as one that just started on a busy box, is asked again."""
        wait = self._settings.look_seconds * 1000
        for _ in range(_SHOTS):
            with suppress(BrowserError):
                return await page.screenshot(scale="device", caret="initial", timeout=wait)
            await asyncio.sleep(self._settings.poll_seconds)
        return await page.screenshot(scale="device", caret="initial", timeout=wait)

    async def _said(self) -> tuple[list[dict[str, Any]], dict[int, tuple[int, int, int, int]]]:
        session = (await self._opened()).session
        snapshot = await session.send("DOMSnapshot.captureSnapshot", {"computedStyles": []})
        tree = await session.send("Accessibility.getFullAXTree")
        nodes = list(tree["nodes"])
        frames = await session.send("Page.getFrameTree")
        for child in frames["frameTree"].get("childFrames", ()):
            with suppress(BrowserError):  # a frame of another process, or one that is gone by now
                more = await session.send("Accessibility.getFullAXTree", {"frameId": child["frame"]["id"]})
                nodes += more["nodes"]
        boxes = boxes_of(snapshot, self._scale)
        covered = await self._covered(session, nodes, boxes, parents_of(snapshot))
        return [node for node in nodes if node.get("backendDOMNodeId") not in covered], boxes

    async def _covered(
        self,
        session: CDPSession,
        nodes: list[dict[str, Any]],
        boxes: dict[int, tuple[int, int, int, int]],
        parents: dict[int, int],
    ) -> set[int]:
        """What a press in the middle would not meet, since something else lies above, seen or not."""
        places = places_of(nodes, boxes, self._size or (0, 0))
        chosen = dict(list(places.items())[: self._settings.most_controls])

        async def hit(box: tuple[int, int, int, int]) -> int:
            x, y = ((low + high) // 2 / self._scale for low, high in ((box[0], box[2]), (box[1], box[3])))
            found = await session.send("DOM.getNodeForLocation", {"x": int(x), "y": int(y)})
            return int(found["backendNodeId"])

        hits = await asyncio.gather(*(hit(box) for box in chosen.values()), return_exceptions=True)
        return {
            one
            for one, met in zip(chosen, hits, strict=True)
            if isinstance(met, int) and not is_reached(one, met, parents)
        }

    async def _opened(self) -> _Opened:
        if self._open is not None and not self._open.page.is_closed() and self._open.browser.is_connected():
            return self._open
        driver = await async_playwright().start()
        try:
            self._open = await (self._attached(driver) if self._settings.endpoint else self._started(driver))
        except BaseException:
            await driver.stop()
            raise
        return self._open

    async def _started(self, driver: Playwright) -> _Opened:
        program = shutil.which(self._settings.program)
        if program is None:
            raise ToolFailed(
                f"screen {self.name}: there is no program {self._settings.program!r}; install Chromium, or set program"
            )
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        flags = [*_FLAGS, *(["--no-sandbox"] if root else [])]  # root has no sandbox to give
        wait = self._settings.connect_seconds * 1000
        browser = await driver.chromium.launch(executable_path=program, args=flags, timeout=wait)
        width, height = self._settings.size_px
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=self._settings.scale,
            accept_downloads=False,
            service_workers="block",
        )
        page = await context.new_page()
        await self._guard(page)
        await page.goto(self._settings.address, timeout=wait, wait_until="load")
        return _Opened(driver, browser, page, await context.new_cdp_session(page), True)

    async def _attached(self, driver: Playwright) -> _Opened:
        wait = self._settings.connect_seconds * 1000
        browser = await driver.chromium.connect_over_cdp(self._settings.endpoint, timeout=wait)
        pages = [page for context in browser.contexts for page in context.pages]
        wanted = [page for page in pages if page.url.startswith(self._settings.address)]
        page = next(iter([*wanted, *(page for page in pages if self._allowed(page.url))]), None)
        if page is None:
            raise ToolFailed(f"screen {self.name}: {self._settings.endpoint} shows no page of {self._settings.address}")
        await self._guard(page)
        return _Opened(driver, browser, page, await page.context.new_cdp_session(page), False)

    async def _guard(self, page: Page) -> None:
        page.on("dialog", self._dismiss)
        page.on("popup", _shut)
        await page.route(lambda url: not self._allowed(url), _abort)
        await page.route_web_socket(lambda url: not self._allowed(url), _abort_socket)

    def _allowed(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob", "about") or (
            parts.scheme in ("http", "https", "ws", "wss") and (parts.hostname or "") in self._hosts
        )

    async def _dismiss(self, dialog: Dialog) -> None:
        self._dismissed.append(dialog.message)
        with suppress(BrowserError):
            await dialog.dismiss()

    def _decoded(self, data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
        width, height = struct.unpack(">II", data[16:24]) if data[:8] == _PNG and len(data) > 24 else (0, 0)
        most = self._settings.max_pixels
        if not 0 < width * height <= most:
            raise ToolFailed(f"screen {self.name}: its picture has {width}×{height} pixels; max_pixels is {most}")
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ToolFailed(f"screen {self.name}: the browser gave no picture; look again")
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)

    def _page(self) -> Page:
        if self._open is None:
            raise ToolFailed(f"screen {self.name}: the browser is not open; look first")
        return self._open.page

    def _at(self, *places: tuple[int, int]) -> list[tuple[float, float]]:
        """Places in pixels of the page, where its window is still as large as when it was looked at."""
        for place in places:
            if problem := refuse_outside(self.name, place, self._size):
                raise ToolFailed(problem)
        assert self._size is not None
        if self._open is not None and self._run(self._extent(self._open), self._settings.look_seconds) != self._size:
            raise ToolFailed(f"screen {self.name}: its size has changed since it was looked at; look again")
        return [((x + 0.5) / self._scale, (y + 0.5) / self._scale) for x, y in places]

    async def _extent(self, opened: _Opened) -> tuple[int, int]:
        told = await opened.session.send("Page.getLayoutMetrics")
        view = told["cssLayoutViewport"]
        return round(view["clientWidth"] * self._scale), round(view["clientHeight"] * self._scale)

    def _do(self, what: Coroutine[Any, Any, None], keys: int = 1) -> None:
        self._run(what, self._settings.look_seconds + keys * (self._settings.key_seconds + self._settings.hold_seconds))

    def _run(self, what: Coroutine[Any, Any, T], seconds: float) -> T:
        """Have it done in the browser's thread.

        :raises ToolFailed: it cannot be done, or not in time.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_turn, args=(self._loop,), name=f"screen {self.name}", daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(what, self._loop)
        try:
            return future.result(seconds)
        except Late:
            future.cancel()
            self.close()
            raise ToolFailed(f"screen {self.name}: the browser does not answer; it is started anew") from None
        except BrowserError as error:
            why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            self.close()
            raise ToolFailed(
                f"screen {self.name}: {why}; see that {self._settings.address:.100} can be reached"
            ) from None


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _closed(opened: _Opened | None) -> None:
    if opened is not None:
        if opened.started:
            await opened.browser.close()
        await opened.driver.stop()


async def _shut(page: Page) -> None:
    with suppress(BrowserError):
        await page.close()


async def _abort(route: Route) -> None:
    with suppress(BrowserError):
        await route.abort("blockedbyclient")


async def _abort_socket(socket: WebSocketRoute) -> None:
    with suppress(BrowserError):
        await socket.close()
