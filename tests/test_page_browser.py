"""The page in a real Chromium, against a scripted server: what a technician does with it, and what may go wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import resources
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from agent.env import Env
from tests.page import script
from tests.page.fake_server import FakeServer
from tests.page.kit import DESK, PHONE, VIEWS, ask, fresh, go, keep_picture, opened
from tests.server_kit import served as served_for_real
from tests.servers.chromium import ChromiumMissing, running_chromium
from tests.test_turn import LOOK_UP, QUESTION, SEEN, Bench, search_manuals, similar_events

ORIENTATION = 0x0112
FINISHED = ".turn[data-state=finished]"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CONTROLS = "button, a.button, nav a, input:not(.unseen), textarea, .chip, .choice"
SMALL_TARGETS = f"""least => [...document.querySelectorAll('{CONTROLS}')]
  .filter(one => one.getClientRects().length && !one.matches('.chip input, .choice input'))
  .map(one => [one.textContent.trim() || one.id, Math.round(one.getBoundingClientRect().height)])
  .filter(([, height]) => height < least)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with running_chromium() as found:
            yield found
    except ChromiumMissing as error:
        pytest.skip(f"no Chromium can be had here: {error}")


@pytest.fixture(scope="module")
def served() -> Iterator[FakeServer]:
    fake = FakeServer()
    with fake.running():
        yield fake


@pytest.fixture
def fake(served: FakeServer) -> FakeServer:
    return fresh(served)


def test_a_photo_and_a_question_become_an_answer_with_its_sources(browser: Browser, fake: FakeServer) -> None:
    """On a phone: photo, question, steps as they happen, the first part before the whole, sources that open."""
    fake.answering.clear()
    with opened(browser, fake.url, screen=PHONE) as page:
        ask(page)
        expect(page.locator(".steps li")).to_have_count(4)
        expect(page.locator(".part")).to_have_count(1)
        fake.answering.set()
        page.wait_for_selector(FINISHED)
        expect(page.locator(".part")).to_have_count(3)
        keep_picture(page, "phone-zh-answer")
        page.click(".source.M >> nth=1")
        expect(page.locator(".passage mark").first).to_contain_text("处理步骤")
        page.keyboard.press("Escape")
        expect(page.locator(".source.M >> nth=1")).to_be_focused()
        page.click(".source.E >> nth=0")
        expect(page.locator("tr[aria-current]")).to_contain_text("E247")
        page.keyboard.press("Escape")
        page.click(".source.L")
        expect(page.locator(".thing[aria-pressed=true] .id")).to_have_text("L1")
        expect(page.locator(".sheet .box.reading, .sheet .box.check")).to_have_count(len(script.PERCEPTION["readings"]))
        keep_picture(page, "phone-zh-photo")
    sent = fake.turns["t1"].body
    assert sent["photo"] and sent["keep"] is True


def test_a_photo_is_made_smaller_only_where_nothing_is_lost(browser: Browser, fake: FakeServer, tmp_path: Path) -> None:
    """What has more pixels than the reader works on is scaled to those, upright; everything else goes as it is."""
    large, exif = tmp_path / "large.jpg", Image.Exif()
    exif[ORIENTATION] = 6
    noise = Image.effect_noise((600, 400), 80).resize((4200, 2800))
    noise.convert("RGB").save(large, quality=95, exif=exif)
    with opened(browser, fake.url) as page:
        page.set_input_files("#photo", str(large))
        page.wait_for_selector(".preview img")
        page.fill("#question", "What is this?")
        page.click("#send")
        page.wait_for_selector(FINISHED)
        ask(page)
        expect(page.locator(FINISHED)).to_have_count(2)
    sent = [base64.b64decode(turn.body["photo"]) for turn in fake.turns.values()]
    scaled = Image.open(BytesIO(sent[0]))
    assert 3_900_000 < scaled.width * scaled.height <= 4_010_000 and scaled.height > scaled.width
    assert sent[1] == script.PHOTO.read_bytes()


def test_a_picture_can_be_dropped_anywhere(browser: Browser, fake: FakeServer) -> None:
    """On the window, not on a small field; what is no picture is told."""
    drop = """([name, type]) => {
      const files = new DataTransfer();
      files.items.add(new File(['x'], name, {type}));
      document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true}));
    }"""
    with opened(browser, fake.url, language="en") as page:
        page.evaluate(drop, ["list.pdf", "application/pdf"])
        expect(page.locator(".composer .problem")).to_contain_text("no picture")
        page.evaluate(drop, ["panel.heic", "image/heic"])
        expect(page.locator(".preview")).to_contain_text("ready")


def test_a_page_of_a_manual_opens_where_the_quote_is(browser: Browser, fake: FakeServer) -> None:
    """On a phone it is enlarged, and scrolled to the mark; one tap shows the whole page."""
    in_sight = """() => {
      const [mark, pane] = ['.mark', '.pane'].map(name => document.querySelector(name).getBoundingClientRect());
      return mark.top >= pane.top && mark.bottom <= pane.bottom && mark.left >= pane.left - 1 && mark.width > 1;
    }"""
    with opened(browser, fake.url, screen=PHONE) as page:
        page.evaluate("import('/page/sources.js').then(it => it.openSource('M1 §6.2 p.2', '处理步骤', null))")
        page.wait_for_selector(".pane.big")
        page.wait_for_function(in_sight)
        expect(page.locator(".passage mark")).to_have_text("处理步骤")
        keep_picture(page, "phone-zh-page")
        page.click(".sheet .quiet")
        expect(page.locator(".pane.big")).to_have_count(0)


def test_text_from_outside_stays_text(browser: Browser, fake: FakeServer) -> None:
    """Whatever a question, a photo or a log says, none of it becomes markup."""
    with opened(browser, fake.url) as page:
        ask(page, photo=False, question="<img src=x onerror=alert(1)> <b>pump</b>")
        page.wait_for_selector(FINISHED)
        expect(page.locator(".asked h3")).to_have_text("<img src=x onerror=alert(1)> <b>pump</b>")
        assert page.locator(".asked b, .asked h3 img").count() == 0


def test_a_reload_in_mid_answer_finds_the_turn_again(browser: Browser, fake: FakeServer) -> None:
    """The turn goes on at the server, and the page that is loaded anew shows it to its end."""
    fake.answering.clear()
    with opened(browser, fake.url) as page:
        ask(page)
        expect(page.locator(".steps li")).to_have_count(4)
        page.reload()
        expect(page.locator(".turn[data-state=running] .steps li")).to_have_count(4)
        fake.answering.set()
        page.wait_for_selector(FINISHED)
        expect(page.locator(".turn")).to_have_count(1)
    assert len(fake.turns) == 1


def test_a_stream_that_breaks_goes_on_where_it_broke(browser: Browser, fake: FakeServer) -> None:
    """No step is lost, and none is there twice."""
    fake.breaks = 1
    with opened(browser, fake.url) as page:
        ask(page)
        page.wait_for_selector(FINISHED)
        expect(page.locator(".steps li")).to_have_count(4)
    assert fake.stream_starts == ["", f"log{fake.starts}.3"]


def test_a_restarted_server_tells_a_turn_from_its_beginning_and_nothing_is_there_twice(browser: Browser) -> None:
    """Numbers of the server before mean other events now, so none is passed over and none is shown again."""
    fake = FakeServer()
    fake.answering.clear()
    with ExitStack() as visit:
        with fake.running():
            page = visit.enter_context(opened(browser, fake.url))
            ask(page)
            expect(page.locator(".steps li")).to_have_count(4)
        fake.answering.set()
        with fake.running():
            page.wait_for_selector(FINISHED)
            expect(page.locator(".steps li")).to_have_count(4)
            expect(page.locator(".part")).to_have_count(3)
            page.goto("about:blank")
    assert fake.stream_starts[-1].startswith("log1.")


def test_a_turn_that_was_cut_off_is_told_so(browser: Browser) -> None:
    """A server that is started anew numbers its events anew; the page does not wait for one that never comes."""
    fake = FakeServer()
    fake.answering.clear()
    with ExitStack() as visit:
        with fake.running():
            page = visit.enter_context(opened(browser, fake.url, language="en"))
            ask(page, photo=False)
            expect(page.locator(".steps li")).to_have_count(4)
        fake.was_killed = True
        with fake.running():
            expect(page.locator(".turn[data-state=interrupted]")).to_contain_text("it was cut off; ask again")
            page.click('[data-key^="again-"]')
            expect(page.locator("#question")).to_have_value("".join(script.QUESTIONS))
            page.goto("about:blank")


def test_with_the_server_away_nothing_that_was_typed_is_lost(browser: Browser) -> None:
    """The page says that the server is away, opens without it, keeps text and photo, and goes on by itself."""
    fake = FakeServer()
    fake.answering.clear()
    with ExitStack() as visit:
        with fake.running():
            page = visit.enter_context(opened(browser, fake.url))
            page.evaluate("navigator.serviceWorker.ready.then(() => true)")
            ask(page, photo=False)
            page.wait_for_selector(".steps li")
        expect(page.locator("#link")).to_be_visible()
        page.set_input_files("#photo", str(script.PHOTO))
        page.fill("#question", "油压低怎么处理?")
        page.click("#send")
        expect(page.locator(".composer .problem")).to_be_visible()
        page.reload()
        expect(page.locator("#question")).to_have_value("油压低怎么处理?")
        expect(page.locator(".preview img")).to_be_visible()
        keep_picture(page, "desk-zh-away")
        fake.answering.set()
        with fake.running():
            expect(page.locator("#link")).to_be_hidden()
            page.wait_for_selector(FINISHED)
            page.click("#send")
            expect(page.locator(FINISHED)).to_have_count(2)
            page.goto("about:blank")
    assert len(fake.turns) == 2


def test_a_call_is_approved_by_holding_and_never_by_a_touch(browser: Browser, fake: FakeServer) -> None:
    """Device, value and reason are shown exactly; a tap does nothing, holding approves what was shown."""
    with opened(browser, fake.url, screen=PHONE) as page:
        expect(page.locator(".count")).to_contain_text("1")
        go(page, "approvals")
        expect(page.locator(".exact")).to_contain_text("VFD-P2")
        expect(page.locator(".exact")).to_contain_text("25 Hz")
        expect(page.locator(".exact")).to_contain_text("手动以 25 Hz 试运行 10 分钟")
        keep_picture(page, "phone-zh-approval")
        page.locator(".hold").click()
        page.wait_for_timeout(300)
        assert fake.decisions == []
        page.locator(".hold").click(delay=2_000)
        expect(page.locator(".outcome.yes")).to_contain_text("已回读")
    assert fake.decisions == [{"id": "9f3c21ab", "approve": True, "digest": "0" * 64}]


def test_a_call_is_approved_or_denied_by_keyboard(browser: Browser, fake: FakeServer) -> None:
    """Enter held does what a finger does; one press of it does nothing; denying takes one press."""
    with opened(browser, fake.url, language="en") as page:
        go(page, "approvals")
        page.focus(".hold")
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
        assert fake.decisions == []
        page.focus(".deny")
        page.keyboard.press("Enter")
        expect(page.locator(".outcome.no")).to_contain_text("Denied")
    assert [one["approve"] for one in fake.decisions] == [False]


def test_a_screen_readers_click_approves_at_the_second_time(browser: Browser, fake: FakeServer) -> None:
    """Where nothing can be held, a second press within five seconds is the same."""
    with opened(browser, fake.url, language="en") as page:
        go(page, "approvals")
        page.evaluate("document.querySelector('.hold').click()")
        expect(page.locator(".hold")).to_contain_text("Press again")
        assert fake.decisions == []
        page.evaluate("document.querySelector('.hold').click()")
        expect(page.locator(".outcome.yes")).to_be_visible()
    assert [one["approve"] for one in fake.decisions] == [True]


def test_a_version_is_swapped_after_a_second_press(browser: Browser, fake: FakeServer) -> None:
    """Modules show the version that answers; swap and roll-back are meant, not touched."""
    with opened(browser, fake.url, language="en") as page:
        go(page, "box")
        page.click("text=Use 1.2.0")
        assert fake.changes == []
        page.click("text=Press again to confirm")
        expect(page.locator(".outcome.yes")).to_contain_text("1.2.0")
    assert fake.changes == ["ocr swap"]


def test_both_languages_and_the_choice_is_kept(browser: Browser, fake: FakeServer) -> None:
    """The browser's language comes first; the other is one tap away and stays."""
    with opened(browser, fake.url, language="zh") as page:
        assert page.get_attribute("html", "lang") == "zh-CN"
        expect(page.locator("#tabs")).to_contain_text("提问")
        page.click("#tongue")
        expect(page.locator("#tabs")).to_contain_text("Approve")
        page.reload()
        expect(page.locator("#tabs")).to_contain_text("Reports")
        assert page.get_attribute("html", "lang") == "en"


def test_where_a_token_is_needed_the_page_asks_for_it(browser: Browser, fake: FakeServer) -> None:
    """A wrong one is told; the right one is kept where no script can read it."""
    fake.token = "wk-right"
    with opened(browser, fake.url, language="en") as page:
        page.fill("#token", "wk-wrong")
        page.click(".token .primary")
        expect(page.locator(".token .problem")).to_contain_text("wrong token")
        page.fill("#token", "wk-right")
        page.click(".token .primary")
        expect(page.locator("dialog.sheet")).to_have_count(0)  # what is behind it is drawn anew as it closes
        ask(page, photo=False)
        page.wait_for_selector(FINISHED)
        assert "wk-right" not in page.evaluate("document.cookie + JSON.stringify(localStorage)")


@pytest.mark.parametrize("size", ["normal", "glove"])
def test_everything_fits_a_phone_of_360_pixels(browser: Browser, fake: FakeServer, size: str) -> None:
    """Nothing is wider than the screen; for gloves every control is at least 56 pixels high."""
    with opened(browser, fake.url, screen=PHONE, size=size) as page:
        ask(page)
        page.wait_for_selector(FINISHED)
        for view in VIEWS:
            go(page, view)
            assert page.evaluate(WIDER) <= 0, view
            assert page.evaluate(SMALL_TARGETS, 56 if size == "glove" else 40) == [], view
            keep_picture(page, f"phone-zh-{size}-{view}")


@pytest.mark.parametrize("look", ["light", "dark", "contrast"])
def test_no_serious_accessibility_fault(browser: Browser, fake: FakeServer, look: str) -> None:
    """axe-core finds nothing serious in any section, nor in a sheet with a photo or a source."""
    with opened(browser, fake.url, screen=DESK, language="en", look=look) as page:
        ask(page)
        page.wait_for_selector(FINISHED)
        assert serious(page) == []
        keep_picture(page, f"desk-en-{look}-answer")
        for opener in (".thumb-button", ".source.M >> nth=0", ".source.E >> nth=0", "#looks"):
            page.click(opener)
            page.wait_for_selector(".sheet-body .thing, .sheet-body mark, .sheet-body tr, .sheet-body .choice")
            assert serious(page) == [], opener
            page.keyboard.press("Escape")
        for view in list(VIEWS)[1:]:
            go(page, view)
            assert serious(page) == [], view
            keep_picture(page, f"desk-en-{look}-{view}")


def serious(page: Page) -> list[str]:
    """Faults that axe-core calls serious or critical."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {json.dumps([node['html'][:160] for node in one['nodes']][:3], ensure_ascii=False)}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_the_keyboard_alone_is_enough(browser: Browser, fake: FakeServer) -> None:
    """From the skip link to the question, Enter asks, Tab reaches the sources, Enter opens one."""
    with opened(browser, fake.url, language="en") as page:
        page.keyboard.press("Tab")
        expect(page.locator("#skip")).to_be_focused()
        page.focus("#question")
        page.keyboard.type("What does the alarm mean?")
        page.keyboard.press("Enter")
        page.wait_for_selector(FINISHED)
        page.focus(".source.M >> nth=0")
        page.keyboard.press("Enter")
        expect(page.locator("#sheet-title")).to_be_focused()


def test_the_answer_is_told_to_a_screen_reader(browser: Browser, fake: FakeServer) -> None:
    """It comes to a live region once it is there."""
    with opened(browser, fake.url, language="en") as page:
        ask(page, photo=False)
        page.wait_for_selector(FINISHED)
        expect(page.locator("#polite")).to_contain_text("循环泵变频器")


def test_the_real_server_says_what_the_page_expects(browser: Browser, env: Env) -> None:
    """Photo, steps, answer, what was read, every section: with the server itself, and a model with one answer."""
    bench = Bench(env, search_manuals, similar_events, script=["", LOOK_UP, ("循环泵", "处理:")], perception=SEEN)
    with served_for_real(bench.agent) as address, opened(browser, address) as page:
        ask(page, question=QUESTION)
        page.wait_for_selector(FINISHED)
        expect(page.locator(".source.E")).to_have_text("E17")
        page.click(".source.L")
        expect(page.locator(".thing[aria-pressed=true] .id")).to_have_text("L1")
        page.keyboard.press("Escape")
        page.reload()
        page.wait_for_selector(FINISHED)
        for view in list(VIEWS)[1:]:
            page.click(f'#tabs a[href="#{view}"]')
            page.wait_for_selector(f'main[data-view="{view}"] :is(.nothing, .rows, .figures)')
            assert page.locator("main .problem").count() == 0, view
