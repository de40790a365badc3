"""`make bench-page`: the first load of the web page, in Chromium on loopback.

Each time in a fresh context without cache or worker. Usable is when the question can be typed, sent and the sections
are drawn, counted from the start of the navigation; bytes are those of the bodies as they travel, and of headers.
"""

from __future__ import annotations

from statistics import median

from playwright.sync_api import Browser

from tests.bench.table import Row, at_most, print_rows, told
from tests.page.fake_server import FakeServer
from tests.servers.chromium import running_chromium

LOADS = 9
MAX_BYTES, MAX_SECONDS = 150_000, 1.0
WATCH = """new PerformanceObserver(() => {}).observe({type: 'paint', buffered: true});
new MutationObserver((_, self) => {
  if (document.querySelector('#send') && document.querySelector('#tabs a')) {
    window.usable = performance.now();
    self.disconnect();
  }
}).observe(document, {childList: true, subtree: true});"""
BYTES = """() => [performance.getEntriesByType('navigation')[0], ...performance.getEntriesByType('resource')]
  .filter(one => !one.name.includes('/api/')).map(one => one.transferSize).reduce((a, b) => a + b, 0)"""


def main() -> None:
    """Measure and print."""
    fake = FakeServer()
    with fake.running(), running_chromium() as browser:
        loads = [_load(browser, fake.url) for _ in range(LOADS)]
    print_rows(list(_rows(loads)))


def _load(browser: Browser, url: str) -> tuple[float, float, int]:
    """Seconds to the first paint, seconds until it is usable, bytes."""
    with browser.new_context(service_workers="block") as context:
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(url, wait_until="load")
        page.wait_for_function("window.usable")
        paint = page.evaluate("performance.getEntriesByType('paint').at(-1)?.startTime ?? 0")
        return paint / 1000, page.evaluate("window.usable") / 1000, page.evaluate(BYTES)


def _rows(loads: list[tuple[float, float, int]]) -> list[Row]:
    paints, usable, sizes = zip(*loads, strict=True)
    return [
        at_most("first load, compressed (bytes)", max(sizes), MAX_BYTES),
        told("first paint (s)", median(paints)),
        at_most("usable on loopback, median (s)", median(usable), MAX_SECONDS),
        told("usable on loopback, slowest (s)", max(usable)),
    ]


if __name__ == "__main__":
    main()
