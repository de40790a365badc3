"""Where an answer comes from: citations lead to their section, quotes to their place in it and on the page of a PDF."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from agent.env import Env
from agent.modules.confine import enforceable
from agent.server.citations import find_cited, find_quote
from agent.server.manual_pages import ManualPages
from knowledge.errors import KnowledgeError
from knowledge.ingest import add_file
from knowledge.store import Document, KnowledgeStore
from tests.server_kit import served, wait_until
from tests.test_server_security import with_server
from tests.test_turn import Bench

MANUAL = """# Pump manual

## 6.2 Drive fault

Meaning: the **drive** stopped the pump by itself.

1. Check that the standby pump runs.
2. Read the fault code and
   look it up.

## 6.3 Low oil

Add oil of grade VG 46.
"""
STEPS = "1. Check that the standby pump runs.\n2. Read the fault code and look it up."


def make_pdf(path: Path) -> None:
    """Two pages; the second one holds what is quoted."""
    sheet = Canvas(str(path), pagesize=(400, 500), initialFontName="Helvetica", initialFontSize=12)
    for page, lines in enumerate(
        (["1 General", "This manual is about a fan."], ["2 Bearing", "Grease it with 20 g every year."])
    ):
        sheet.setFont("Helvetica", 12)
        for at, line in enumerate(lines):
            sheet.drawString(50, 450 - 40 * at, line)
        if page == 0:
            sheet.showPage()
    sheet.save()


@pytest.fixture
def store(env: Env, tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(env.home.knowledge_db)
    (tmp_path / "pump.md").write_text(MANUAL, encoding="utf-8")
    make_pdf(tmp_path / "fan.pdf")
    for name in ("pump.md", "fan.pdf"):
        add_file(store, tmp_path / name, max_bytes=1_000_000, max_pages=10, passage_chars=1_200)
    return store


@pytest.fixture
def client(env: Env, store: KnowledgeStore) -> Iterator[httpx.Client]:
    with served(Bench(env, script=[]).agent) as address, httpx.Client(base_url=address, timeout=30) as found:
        yield found


def test_a_citation_leads_to_its_section_and_the_quote(store: KnowledgeStore) -> None:
    """The quote is found line by line, though markup and line breaks were lost on its way into the answer."""
    found = find_cited(store, "M1", "§6.2", STEPS)
    assert (found.title, found.section, found.heading) == ("Pump manual", "6.2", "Drive fault")
    assert [found.text[start:end].split()[-1] for start, end in found.quotes] == ["runs.", "up."]
    bold = find_cited(store, "M1", "§6.2", "Meaning: the drive stopped the pump by itself.")
    assert len(bold.quotes) == 1
    assert find_cited(store, "M1", "§6.2 (2)", STEPS).section == "6.2"


@pytest.mark.parametrize("place", ["§9.9", "§6.2' OR 1=1 --", "第三十六条", "p.x"])
def test_a_citation_of_nothing_is_told(store: KnowledgeStore, place: str) -> None:
    """A section that is not there is one clear line and no other section."""
    with pytest.raises(KnowledgeError):
        find_cited(store, "M1", place, "")


@given(st.text(max_size=200), st.text(max_size=60), st.integers(0, 200))
def test_places_lie_in_the_text_in_order_and_apart(text: str, quote: str, at: int) -> None:
    """Whatever text and quote are, nothing is marked twice or outside."""
    places = find_quote(text[:at] + quote + text[at:], quote)
    last = 0
    for start, end in places:
        assert last <= start < end <= len(text) + len(quote)
        last = end


@given(
    st.text(max_size=100), st.text(alphabet="循环泵变频器故障abc 123", min_size=4, max_size=40), st.text(max_size=100)
)
def test_a_quote_that_stands_there_is_found(before: str, quote: str, after: str) -> None:
    """Of letters and digits, wherever it stands."""
    if sum(char.isalnum() for char in quote) < 2:
        return
    assert find_quote(f"{before}\n{quote}\n{after}", quote)


def test_a_page_of_a_pdf_is_shown_with_the_quote_marked(client: httpx.Client) -> None:
    """The boxes lie on the ink of the quote, in shares of the page."""
    told = client.get("/api/citations/M2/p.2", params={"quote": "Grease it with 20 g every year."}).json()
    assert told["page"] == 2 and told["image"] == "/api/manuals/M2/pages/2"
    ((left, top, right, bottom),) = told["boxes"]
    image = Image.open(BytesIO(client.get(told["image"]).content)).convert("L")
    width, height = image.size
    quoted = image.crop((int(left * width), int(top * height), int(right * width), int(bottom * height)))
    assert min(quoted.tobytes()) < 80
    assert 0.1 < left < 0.16 and 0.15 < top < bottom < 0.25
    outside = image.crop((int(right * width) + 4, int(top * height), width, int(bottom * height)))
    assert min(outside.tobytes()) > 200


def test_a_page_is_shown_only_of_the_file_that_was_read_in(client: httpx.Client, tmp_path: Path) -> None:
    """A file that was changed since is no source any more; its text as it was read still is."""
    (tmp_path / "fan.pdf").write_bytes((tmp_path / "fan.pdf").read_bytes() + b"\n%changed")
    told = client.get("/api/citations/M2/p.2", params={"quote": "Grease"}).json()
    assert told["image"] is None and "Grease" in told["text"]
    assert client.get("/api/manuals/M2/pages/2").status_code == 404


def hostile_pdf(path: Path, levels: int = 28) -> Path:
    """A page that draws a form which draws two which draw four …"""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        b" /Resources << /XObject << /F 5 0 R >> >> >>",
        stream(b"", b"/F Do /F Do"),
    ]
    head = b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << %s >>"
    for level in range(levels):
        below = b"/XObject << /F %d 0 R >>" % (level + 6)
        objects.append(stream(head % below, b"/F Do /F Do"))
    objects.append(stream(head % b"", b"0 0 m 600 800 l S " * 200))
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    data += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, rows)
    data += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, data.rindex(b"xref\n0 "))
    path.write_bytes(data)
    return path


def stream(head: bytes, content: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(content), content)


def document_of(path: Path) -> Document:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Document("M7", "odd", str(path), digest, "en", pages=1, passages=1, limits=0)


@contextmanager
def pages_of(env: Env, **settings: object) -> Iterator[ManualPages]:
    pages = ManualPages(with_server(env, **settings))
    try:
        yield pages
    finally:
        pages.close()


def test_a_manual_that_cannot_be_drawn_in_time_costs_a_process_and_no_more(env: Env, tmp_path: Path) -> None:
    """A page that would be drawn for hours is refused in seconds, and the next one of another manual is drawn."""
    make_pdf(tmp_path / "fan.pdf")
    with pages_of(env, page_seconds=3.0) as pages:
        assert pages.picture(document_of(tmp_path / "fan.pdf"), 1, pixels=100_000)
        began = time.monotonic()
        with pytest.raises(KnowledgeError, match="M7: page 1 cannot be shown"):
            pages.picture(document_of(hostile_pdf(tmp_path / "odd.pdf")), 1, pixels=100_000)
        assert time.monotonic() - began < 10
        assert pages.picture(document_of(tmp_path / "fan.pdf"), 2, pixels=100_000)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"%PDF-1.7\ntrailer << /Root 1 0 R >>", b"\x00" * 1_000])
def test_what_is_no_pdf_is_told(env: Env, tmp_path: Path, data: bytes) -> None:
    """One clear line; the process that looked lives on or is started anew."""
    (tmp_path / "odd.pdf").write_bytes(data)
    with pages_of(env) as pages:
        with pytest.raises(KnowledgeError, match="M7: page 1 cannot be shown"):
            pages.picture(document_of(tmp_path / "odd.pdf"), 1, pixels=100_000)
        with pytest.raises(KnowledgeError, match="M7: page 1 cannot be shown"):
            pages.boxes(document_of(tmp_path / "odd.pdf"), 1, "x")


def test_who_draws_pages_has_no_network_and_goes_when_nothing_is_wanted(env: Env, tmp_path: Path) -> None:
    """What this kernel can enforce is; after a while without pages the process is gone, and comes again."""
    make_pdf(tmp_path / "fan.pdf")
    document = document_of(tmp_path / "fan.pdf")
    with pages_of(env, page_idle_seconds=0.3) as pages:
        assert pages.boxes(document, 2, "Grease it with 20 g every year.")
        assert pages.enforced == {**enforceable(), "memory": "rlimit"}
        wait_until(lambda: not pages.enforced)
        assert pages.picture(document, 1, pixels=100_000)


@pytest.mark.parametrize(
    "path", ["/api/citations/M9/§1", "/api/citations/X/§1", "/api/manuals/M9/pages/1", "/api/manuals/M2/pages/99",
             "/api/manuals/M1/pages/1", "/api/manuals/M2/pages/0"],
)  # fmt: skip
def test_what_is_not_there_is_refused_in_both_languages(client: httpx.Client, path: str) -> None:
    """A code, a sentence in each language, a status that fits."""
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert set(answer.json()["error"]["message"]) == {"zh", "en"}
