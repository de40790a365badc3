"""Page, server and a home on a real Mosquitto: what is dangerous waits for a person, who answers in the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from agent.commands.ask import build_agent
from agent.env import load_env
from agent.plugin_host import load_plugins
from agent.settings import DeviceSettings
from agent.weights.ladder import RULES
from plugins.devices.maps.toml import load_map
from tests.demo_home import MAP, SETTINGS
from tests.page.kit import PHONE, ask, keep_picture, opened
from tests.server_kit import served
from tests.servers.chromium import ChromiumMissing, running_chromium
from tests.servers.mosquitto import MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import until
from tests.simulated_home import SimulatedHome, running_home

DOOR = "front_door"
FINISHED = ".turn[data-state=finished]"


@dataclass(frozen=True)
class House:
    """A home, and the page of the box in it."""

    home: SimulatedHome
    browser: Browser
    url: str

    @property
    def door_locked(self) -> object:
        return self.home.devices[DOOR].shows["locked"]

    @property
    def commands(self) -> int:
        """That ever came to the door."""
        return self.home.devices[DOOR].told


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    devices = [device for device in load_map(MAP, DeviceSettings()).devices.devices if device.points]
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(running_chromium())
            broker = stack.enter_context(running_mosquitto())
        except (ChromiumMissing, MosquittoMissing) as missing:
            pytest.skip(f"cannot be tried here: {missing}")
        home = stack.enter_context(running_home(broker.port, devices))
        settings = folder / "watchkeeper.toml"
        settings.write_text(SETTINGS.format(map=MAP, address=broker.address), encoding="utf-8")
        environ = {
            "WATCHKEEPER_HOME": str(folder), "WATCHKEEPER_CONFIG": str(settings), "WATCHKEEPER_MODEL__NAME": RULES,
        }  # fmt: skip
        url = stack.enter_context(served(build_agent(load_env(environ), load_plugins())))
        yield House(home, browser, url)


@contextmanager
def ordered(house: House, order: str, *, language: str, screen: dict[str, int] | None = None) -> Iterator[Page]:
    """The page at what waits for approval, after an order was asked."""
    with opened(house.browser, house.url, language=language, **({"screen": screen} if screen else {})) as page:
        ask(page, photo=False, question=order)
        page.wait_for_selector(FINISHED)
        page.click('.turn:last-of-type .done [data-came="waits"] a')
        page.wait_for_selector(".call")
        yield page


def test_a_dangerous_order_waits_is_approved_in_the_page_and_read_back(house: House) -> None:
    """On a phone: nothing moves before a person holds the button; then the lock opens, and the page says what it saw,
    in the turn too.
    """
    before = house.commands
    with ordered(house, "打开大门", language="zh", screen=PHONE) as page:
        expect(page.locator(".exact")).to_contain_text("大门")
        assert house.door_locked is True and house.commands == before
        page.locator(".hold").click(delay=2_000)
        expect(page.locator(".outcome.yes")).to_be_visible()
        keep_picture(page, "phone-zh-approved")
        assert until(lambda: house.door_locked is False, 10) and house.commands == before + 1
        expect(page.locator(".outcome.yes")).to_contain_text("回读")
        expect(page.locator(".call")).to_have_count(0)
        page.click('#tabs a[href="#ask"]')
        page.wait_for_selector(FINISHED)
        keep_picture(page, "phone-zh-ordered")
        expect(page.locator(".done li")).to_have_attribute("data-came", "confirmed")


def test_a_dangerous_order_that_is_denied_moves_nothing(house: House) -> None:
    """One press; the lock hears nothing, and nothing waits any more."""
    before, locked = house.commands, house.door_locked
    order = "unlock the front door" if locked else "lock the front door"
    with ordered(house, order, language="en") as page:
        page.click(".deny")
        expect(page.locator(".outcome.no")).to_contain_text("Denied")
        expect(page.locator(".call")).to_have_count(0)
        assert house.commands == before and house.door_locked is locked
        page.click('#tabs a[href="#ask"]')
        expect(page.locator(".done li")).to_have_attribute("data-came", "refused")
        page.reload()
        expect(page.locator(".done li")).to_have_attribute("data-came", "refused")


def test_a_lock_that_does_not_answer_is_told_as_that(house: House) -> None:
    """Approved, sent and not confirmed: the page does not say that it was done."""
    order = "unlock the front door" if house.door_locked else "lock the front door"
    house.home.flawed(DOOR, "silent")
    try:
        with ordered(house, order, language="en") as page:
            page.locator(".hold").click(delay=2_000)
            expect(page.locator(".outcome.unsure")).to_contain_text("not confirmed")
            expect(page.locator(".warn[role=alert]")).to_contain_text(DOOR)
            keep_picture(page, "desk-en-unsure")
    finally:
        house.home.flawed(DOOR, "")
