"""The painter's page in a real Chromium: a child who cannot read or type makes a picture; nobody is left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from agent.env import load_env
from agent.plugin_host import load_plugins
from agent.server.security.tokens import TokenBook
from tests.fakes import ScriptedModel
from tests.page.kit import PHONE, keep_picture
from tests.server_kit import served
from tests.servers.chromium import ChromiumMissing, running_chromium
from tests.test_painter_site import PLUGIN, wanted
from tests.test_turn import agent_of

TABLET = {"width": 1024, "height": 768}
SAID = {"zh": "穿雨靴、撑雨伞的熊猫,在雨中", "en": "A panda with rain boots and an umbrella in the rain"}
PAINTED = "#picture[src^=blob]"
SMALL = """least => [...document.querySelectorAll('button, #save, input')].filter(one => one.getClientRects().length)
  .map(one => [one.textContent.trim() || one.id, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < least || box.width < least).map(([name]) => name)"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with running_chromium() as found:
            yield found
    except ChromiumMissing as error:
        pytest.skip(f"no Chromium can be had here: {error}")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    env = wanted(load_env({"WATCHKEEPER_HOME": str(tmp_path_factory.mktemp("painter"))}), side_px=256)
    with served(agent_of(env, ScriptedModel([""]), load_plugins(found=(PLUGIN,)))) as url:
        yield url


@contextmanager
def opened(
    browser: Browser, url: str, *, screen: dict[str, int] = PHONE, language: str = "zh", **more: Any
) -> Iterator[Page]:
    """The page of a new visitor; nothing may go wrong in its console."""
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = browser.new_context(viewport=screen, locale=locale, has_touch=True, **more)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
    try:
        page.goto(f"{url}/painter")
        page.wait_for_selector("#cards button, #hint:not(:empty)")
        yield page
        assert not wrong
    finally:
        context.close()


def choose(page: Page, *steps: tuple[str, str]) -> None:
    for kind, name in steps:
        page.tap(f"#step-{kind}")
        page.tap(f"#cards [data-card={name}]")


@pytest.mark.parametrize(("screen", "language"), [(PHONE, "zh"), (TABLET, "en")])
def test_a_picture_by_touch_alone(browser: Browser, address: str, screen: dict[str, int], language: str) -> None:
    """Three kinds of cards, one button; the picture says what it shows, and can be saved."""
    with opened(browser, address, screen=screen, language=language) as page:
        expect(page.locator("#cards button")).to_have_count(21)
        expect(page.locator("#paint")).to_be_disabled()
        choose(page, ("animals", "panda"), ("features", "umbrella"), ("features", "boots"), ("places", "rain"))
        expect(page.locator("#chosen button")).to_have_count(4)
        page.tap("#paint")
        page.wait_for_selector(PAINTED)
        said = SAID[language]
        expect(page.locator("#hint")).to_have_text(said)
        assert page.get_attribute("#picture", "alt") == said
        assert page.evaluate("document.querySelector('#picture').naturalWidth") == 256
        expect(page.locator("#save")).to_be_visible()
        keep_picture(page, f"painter-{language}")
        page.tap("#language")
        expect(page.locator("html")).to_have_attribute("lang", {"zh": "en", "en": "zh"}[language])
        expect(page.locator("#hint")).not_to_have_text(said)


def test_every_tap_does_something_and_nothing_is_in_the_way(browser: Browser, address: str) -> None:
    """A third thing takes the place of the oldest, a crown that of a hat; a second tap takes a thing away."""
    with opened(browser, address, language="en") as page:
        choose(page, ("animals", "cat"), ("features", "hat"), ("features", "crown"))
        expect(page.locator("#chosen")).to_contain_text("crown")
        expect(page.locator("#chosen")).not_to_contain_text("hat")
        choose(page, ("features", "wings"), ("features", "blue"))
        expect(page.locator("#chosen button")).to_have_count(3)
        expect(page.locator("#chosen")).not_to_contain_text("crown")
        choose(page, ("features", "wings"))
        expect(page.locator("[data-card=wings]")).to_have_attribute("aria-pressed", "false")
        page.tap("#chosen button >> nth=0")
        expect(page.locator("#hint")).not_to_be_empty()
        for _ in range(5):
            page.tap("#surprise")
            expect(page.locator("#frame")).not_to_have_class("busy")
            expect(page.locator(PAINTED)).to_have_count(1)


def test_by_keyboard_alone(browser: Browser, address: str) -> None:
    """Arrows between the kinds, Tab between the cards, Enter to choose; the focus stays where it was."""
    with opened(browser, address, screen=TABLET, language="en") as page:
        page.focus("#step-animals")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("[data-card=cat]")).to_be_focused()
        expect(page.locator("[data-card=cat]")).to_have_attribute("aria-pressed", "true")
        page.focus("#step-animals")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#step-features")).to_be_focused()
        expect(page.locator("#step-features")).to_have_attribute("aria-selected", "true")
        page.focus("[data-card=scarf]")
        page.keyboard.press("Space")
        page.focus("#step-features")
        page.keyboard.press("ArrowRight")
        page.focus("[data-card=snow]")
        page.keyboard.press("Enter")
        page.focus("#paint")
        page.keyboard.press("Enter")
        page.wait_for_selector(PAINTED)
        expect(page.locator("#hint")).to_have_text("A cat with a scarf in the snow")


def test_what_is_typed_is_read_or_kindly_refused(browser: Browser, address: str) -> None:
    """A hint in the page's language that repeats nothing; no text becomes markup."""
    with opened(browser, address, language="zh") as page:
        page.fill("#wish", "<img src=x onerror=alert(1)>")
        page.tap("#typed button")
        expect(page.locator("#hint")).to_contain_text("还不会画")
        assert page.locator(PAINTED).count() == 0 and page.locator("#hint img").count() == 0
        page.fill("#wish", "戴红帽子的小猫在海边")
        page.press("#wish", "Enter")
        page.wait_for_selector(PAINTED)
        expect(page.locator("#hint")).to_have_text("戴红色帽子的小猫,在海边")
        expect(page.locator("#chosen")).to_contain_text("红色帽子")


@pytest.mark.parametrize("screen", [PHONE, TABLET])
def test_it_can_be_used_by_everybody(browser: Browser, address: str, screen: dict[str, int]) -> None:
    """No violation that axe knows, in any state; targets for small fingers, nothing wider than the screen."""
    with opened(browser, address, screen=screen) as page:
        for kind, name in (("animals", "lion"), ("features", "balloon"), ("places", "sky")):
            choose(page, (kind, name))
            assert page.evaluate(WIDER) == 0
            assert page.evaluate(SMALL, 44) == []
            assert Axe().run(page).violations_count == 0
        page.tap("#paint")
        page.wait_for_selector(PAINTED)
        assert Axe().run(page).violations_count == 0 and page.evaluate(WIDER) == 0


def test_with_the_server_away_the_page_says_so(browser: Browser, tmp_path: Path) -> None:
    """In a child's words; and it paints again when the server is back."""
    env = wanted(load_env({"WATCHKEEPER_HOME": str(tmp_path)}))
    with ExitStack() as visit:
        with served(agent_of(env, ScriptedModel([""]), load_plugins(found=(PLUGIN,)))) as url:
            page = visit.enter_context(opened(browser, url, language="en"))
            choose(page, ("animals", "cat"), ("features", "hat"), ("places", "city"))
        page.tap("#paint")
        expect(page.locator("#hint")).to_contain_text("having a rest")
        expect(page.locator("#chosen button")).to_have_count(3)


def test_where_tokens_are_needed_a_grown_up_is_asked_for(browser: Browser, tmp_path: Path) -> None:
    """The page opens, and says who can help; whoever has logged in on the main page can paint."""
    env = wanted(load_env({"WATCHKEEPER_HOME": str(tmp_path)}))
    token = TokenBook(env.home.tokens).add("family", "ask")
    agent = agent_of(env, ScriptedModel([""]), load_plugins(found=(PLUGIN,)))
    with served(agent) as url, opened(browser, url, language="en") as page:
        expect(page.locator("#hint")).to_contain_text("grown-up")
        assert page.request.post(f"{url}/api/session", data={"token": token}).status == 200
        page.reload()
        expect(page.locator("#cards button")).to_have_count(21)
