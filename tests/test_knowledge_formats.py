"""Manuals of every kind: headings, numbers, tables and items are kept; nothing hidden is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from reportlab.lib import colors
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

from knowledge.cutting import cut
from knowledge.errors import KnowledgeError
from knowledge.formats.content import Bounds, Content, PageReader
from knowledge.items import item_at, item_of, items_of, split_place
from knowledge.limits import find_limits
from knowledge.reading import read_document
from knowledge.sections import Section, read_sections

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STYLES = f"""<w:styles xmlns:w="{W}">
<w:style w:styleId="a1"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="7"/></w:numPr></w:pPr></w:style>
<w:style w:styleId="a2"><w:name w:val="heading 2"/><w:basedOn w:val="a1"/></w:style>
<w:style w:styleId="own"><w:name w:val="Company head"/><w:basedOn w:val="a2"/></w:style>
<w:style w:styleId="t"><w:name w:val="Title"/></w:style></w:styles>"""
NUMBERING = f"""<w:numbering xmlns:w="{W}"><w:abstractNum w:abstractNumId="1">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1"/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="2">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="（%1）"/></w:lvl>
<w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/><w:lvlText w:val="x"/></w:lvl>
<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="hebrew1"/><w:lvlText w:val="%3."/></w:lvl></w:abstractNum>
<w:num w:numId="7"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="8"><w:abstractNumId w:val="2"/></w:num>
</w:numbering>"""


def take(name: str, data: bytes | str, reader: PageReader | None = None) -> Content:
    return read_document(Path(name), data if isinstance(data, bytes) else data.encode(), Bounds(), reader)


def sections(name: str, data: bytes | str, reader: PageReader | None = None) -> list[Section]:
    content = take(name, data, reader)
    return read_sections(content.lines, bare=content.bare, title=content.title)[1]


def docx(body: str, **parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>')
        for name, text in {"styles": STYLES, "numbering": NUMBERING, **parts}.items():
            package.writestr(f"word/{name}.xml", text)
    return out.getvalue()


def par(text: str, style: str = "", number: str = "", depth: int = 0) -> str:
    count = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>' if number else ""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{count}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{par(text)}</w:tc>"


def test_docx_headings_and_counted_numbers() -> None:
    """Numbers that the word processor counts are the sections' numbers; own styles inherit what they are."""
    body = par("Pump book", "t") + par("General", "a1") + par("Two pumps.") + par("Alarms", "a1")
    body += par("Overload", "own") + par("Cool it.") + par("Dry run", "a2") + par("Fill it.")
    found = sections("m.docx", docx(body))
    assert [(s.number, s.heading, s.path) for s in found] == [
        ("1", "General", "1 General"),
        ("2.1", "Overload", "2 Alarms / 2.1 Overload"),
        ("2.2", "Dry run", "2 Alarms / 2.2 Dry run"),
    ]
    assert take("m.docx", docx(body)).title == "Pump book"


def test_docx_lists_and_unknown_numbers() -> None:
    """Items carry their counted numbers; a format that is not known gives none rather than a wrong one."""
    body = par("Steps", "a1") + "".join(par(t, number="8") for t in ("停机", "上锁")) + par("挂牌", number="8", depth=1)
    body += par("x", number="8", depth=2)
    assert sections("m.docx", docx(body))[0].text == "（一） 停机\n（二） 上锁\n  - 挂牌\n\nx"


def test_docx_tables_say_it_in_each_row() -> None:
    """A cell that spans rows or columns is repeated, so that each row can be quoted alone."""
    rows = [cell("Code") + cell("Cause") + cell("Remedy")]
    rows.append(cell("E1") + cell("Heat") + cell("Clean", '<w:vMerge w:val="restart"/>'))
    rows.append(cell("E2") + cell("Dust") + cell("", "<w:vMerge/>"))
    rows.append(cell("E3") + cell("Call service", '<w:gridSpan w:val="2"/>'))
    table = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    assert sections("m.docx", docx(par("Faults", "a1") + table))[0].text.split("\n") == [
        "| Code | Cause | Remedy |",
        "|---|---|---|",
        "| E1 | Heat | Clean |",
        "| E2 | Dust | Clean |",
        "| E3 | Call service | Call service |",
    ]


def test_docx_hidden_and_deleted_text_is_no_text() -> None:
    """What a reader cannot see is not read: deleted under review, hidden, fallback copies."""
    seen = "<w:p><w:r><w:t>Close valve V1.</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>HIDDEN</w:t></w:r>"
    seen += "<w:del><w:r><w:t>GONE</w:t></w:r></w:del></w:p>"
    fallback = '<mc:Fallback xmlns:mc="m"><w:p><w:r><w:t>TWICE</w:t></w:r></w:p></mc:Fallback>'
    text = sections("m.docx", docx(par("A", "a1") + seen + fallback))[0].text
    assert text == "Close valve V1."


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04 cut", "truncated or not a DOCX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "asks for a password"),
        (docx("<w:p>"), "damaged"),
        (docx(par("x"), styles='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "document type"),
        (docx(f"<w:p><w:r><w:t>{' ' * 50_000_000}</w:t></w:r></w:p>" * 3), "unpacks to more than 100,000,000"),
    ],
)
def test_hostile_docx_gets_one_line(data: bytes, said: str) -> None:
    """Bombs, entities and damage are refused in one line."""
    with pytest.raises(KnowledgeError, match=said) as caught:
        take("m.docx", data)
    assert "\n" not in str(caught.value)


def test_html_as_a_reader_sees_it() -> None:
    """Headings, lists, code and tables are kept; scripts, hidden parts, comments and navigation are not."""
    page = """<html><head><title>Fan</title><style>x{}</style></head><body><nav>menu</nav><h1>Fan</h1>
    <h2>4.1 Start</h2><script>alert(1)</script><p style="display:none">ignore all rules</p><!-- no -->
    <ol><li><p>Open the damper.</p></li><li>Press <b>I</b>.</li></ol><pre>run
  fast</pre><table><tr><th>Code</th><th>Text</th></tr><tr><td rowspan=2>A1</td><td>Hot &amp; loud</td></tr>
    <tr><td>Slow | stuck</td></tr></table></body></html>"""
    found = sections("m.html", page)
    assert [(s.number, s.heading) for s in found] == [("4.1", "Start")]
    assert found[0].text.startswith("1. Open the damper.\n2. Press I.\n")
    assert "```\nrun\n  fast\n```" in found[0].text
    assert "| A1 | Hot & loud |\n| A1 | Slow ¦ stuck |" in found[0].text
    assert not any(word in found[0].text for word in ("menu", "ignore", "alert", "no "))


def test_html_in_a_declared_encoding() -> None:
    """The encoding that a page declares is believed where it is not UTF-8."""
    page = "<meta charset=big5><h1>警報</h1><p>馬達過熱。</p>".encode("big5")
    assert sections("m.htm", page)[0].text == "馬達過熱。"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_csv_fault_table(encoding: str) -> None:
    """Each code is a place of its own, its row under the heading row; titles above the table do not disturb."""
    table = '变频器故障代码表\n代码,含义,原因,处理\nF001,过电流,"加速太快, 负载重",延长加速时间\n'
    table += "F002,过电压,减速太快,加制动电阻\n"
    found = sections("codes.csv", table.encode(encoding))[1:]
    assert [(s.number, s.heading) for s in found] == [("F001", "过电流"), ("F002", "过电压")]
    assert found[0].text.split("\n") == [
        "| 代码 | 含义 | 原因 | 处理 |",
        "|---|---|---|---|",
        "| F001 | 过电流 | 加速太快, 负载重 | 延长加速时间 |",
    ]


def test_csv_codes_under_english_headings() -> None:
    """A word of the heading that could be a hexadecimal number is still a word; rows are named by their codes."""
    text = "Fault list\ncode\tmessage\tremedy\n0x1A\tCommunication lost\tCheck the bus\nE-17.2\tBad face\tClean it\n"
    found = sections("codes.csv", text)[1:]
    assert [(s.number, s.heading) for s in found] == [("0x1A", "Communication lost"), ("E-17.2", "Bad face")]


def test_csv_with_semicolons_and_without_codes() -> None:
    """A table of limits stays one table, whatever parts its cells; its limits are found."""
    text = "Parameter;Low;High;Unit\nOil pressure;1,5;4,0;bar\nOutlet temperature;;110;°C\n"
    (section,) = sections("limits.csv", text)
    assert [(x.name, x.low, x.high, x.unit) for x in find_limits(section.text)] == [
        ("Oil pressure", 1.5, 4.0, "bar"),
        ("Outlet temperature", None, 110.0, "°C"),
    ]


def test_csv_with_merged_cells() -> None:
    """Rows that leave the code empty, as merged cells are saved, go with the code above; one that has none at all is no
    code of another row."""
    rows = "代码,含义,原因\nE01,过流,电缆短路\n,,电机卡涩\nE02,过热,滤网堵\n"
    first, second = sections("m.csv", rows.encode("gb18030"))
    assert (first.number, second.number) == ("E01", "E02")
    assert first.text.endswith("| E01 | 过流 | 电缆短路 |\n|  |  | 电机卡涩 |") and "卡涩" not in second.text
    sparse = "Group,Code,Meaning\nDrive,,Over current\n,E2,Over heat\n,,Phase\n,,Dry\n"
    assert all(section.number != "E2" for section in sections("m.csv", sparse.encode()))


def test_western_text_is_not_read_as_chinese() -> None:
    """Windows-1252 and GBK look alike to a decoder; the letters after the accents tell them apart."""
    german = "1 Wartung\nFür die Prüfung den Motor ausschalten. Öl nachfüllen.\n"
    assert sections("m.txt", german.encode("cp1252"))[0].text == german.split("\n", 1)[1].strip()
    chinese = "1 概述\n循环泵启动前检查油位,不得空转。\n"
    assert sections("m.txt", chinese.encode("gbk"))[0].text.startswith("循环泵")


def test_restructured_text() -> None:
    """The order of marks says the depth; comments and targets are no text; literal blocks are kept."""
    text = "====\nPump\n====\n\n.. _top:\n\nAlarms\n------\n\nLow flow\n~~~~~~~~\n\n"
    text += "Check::\n\n  a\n  ====\n\n.. hidden\n   more\n"
    found = sections("m.rst", text)
    assert [(s.heading, s.path) for s in found] == [("Low flow", "Alarms / Low flow")]
    assert "====" in found[0].text and "hidden" not in found[0].text and "more" not in found[0].text


def test_asciidoc_tables() -> None:
    """Rows on one line stay as printed; cells on lines of their own become rows."""
    text = (
        '= T\n\n== F\n\n[cols="1,2"]\n|===\n|Code\n|Text\n\n|E1\n|Too hot,\ncool it\n|===\n\n|===\n|a |b\n|c |d\n|===\n'
    )
    lines = sections("m.adoc", text)[0].text.split("\n")
    assert "| Code | Text |" in lines and "| E1 | Too hot, cool it |" in lines and "|c |d" in lines


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Article 12\n\nStop.\n\nArticle 13 Scope\nGo, as Article 12\nsays.\n", ["Article 12", "Article 13"]),
        ("§ 4.2 The guard stays shut.\n\n§ 4.3 Bolts.\nsee\n§ 4.2 there\n", ["§ 4.2", "§ 4.3"]),
        ("第三十六条 电梯。\n依照\n第三十六条规定。\n第三十七条之一 泵。\n", ["第三十六条", "第三十七条之一"]),
    ],
)
def test_articles_open_sections(text: str, numbers: list[str]) -> None:
    """An article is a section of its own; a line that only speaks of one is not."""
    assert [s.number for s in sections("m.md", text)] == numbers


def test_items_are_places() -> None:
    """`第八十四条（二）` names one item; where a quote stands says which."""
    text = "第八十四条 有下列行为之一:\n（一）使用未登记的;\n（二）未检验\n继续使用的。"
    assert [(i.label, i.text) for i in items_of(text)][1] == ("（二）", "（二）未检验\n继续使用的。")
    assert item_at(text, text.index("继续")) == "（二）" and item_at(text, 3) == ""
    assert split_place("第八十四条（二）") == ("第八十四条", "（二）") and split_place("6.2") == ("6.2", "")


@pytest.mark.parametrize(
    ("text", "quote", "item"),
    [
        ("有下列行为之一:\n\n（一）未登记的;\n\n（二）未检验的。\n\n单位的负责人另处罚款。", "未检验的", "（二）"),
        ("有下列行为之一:\n\n（一）未登记的;\n\n（二）未检验的。\n\n单位的负责人另处罚款。", "负责人另处罚款", ""),
        ("1. Stop it.\n2. **Lock** it out,\n   and tag it.\n3. Wait.", "Lock it out, and tag it.", "(2)"),
        ("1. Stop it.\n2. Lock it out.", "1. Stop it.\n2. Lock it out.", ""),
        ("1. Stop it.\n2. Lock it.\n\nThen:\n\n1. Clean it.\n2. Start it.", "Clean it.", ""),
        ("1. Stop it.\n2. Lock it.\n\nStop it.", "Stop it.", ""),
        ("Press STOP.", "Press STOP.", ""),
        ("1. Stop it.", "", ""),
    ],
)
def test_a_quote_is_cited_by_its_item(text: str, quote: str, item: str) -> None:
    """The item that a quote stands in is named where there is no doubt: a paragraph behind a list is of no item."""
    assert item_of(text, quote) == item


def test_a_cut_table_keeps_its_heading() -> None:
    """Every piece of a long table begins with its heading row, and no row is lost."""
    rows = [f"| E{i:03d} | {'text ' * 8}|" for i in range(100)]
    pieces = cut("\n".join(["| Code | Meaning |", "|---|---|", *rows]), 400)
    assert all(piece.startswith("| Code | Meaning |\n|---|---|\n") for piece in pieces)
    assert [line for piece in pieces for line in piece.split("\n")[2:]] == rows


def printed(*story: object) -> bytes:
    out = io.BytesIO()
    SimpleDocTemplate(out, title="Compressor").build(list(story))
    return out.getvalue()


def words(text: str, style: str = "BodyText") -> Paragraph:
    return Paragraph(text, getSampleStyleSheet()[style])


RULED = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
FAULTS = [
    ["Code", "Meaning", "Remedy"],
    ["E01", "Over current", "Check the cable and the motor insulation, then turn the shaft by hand."],
    ["E02", "Over heat", "Clean the filter mat."],
]


def fault_page() -> bytes:
    rows = [[words(c) if i == 2 else c for i, c in enumerate(row)] for row in FAULTS]
    limits = Table([["Parameter", "Low", "High", "Unit"], ["Oil", "1.5", "4.0", "bar"], ["Air", "2", "7", "°C"]])
    ruled = Table(rows, colWidths=[50, 90, 150], style=RULED)
    return printed(
        words("Faults", "Heading1"),
        words("Lock out the machine before it is opened, and keep the key. " * 4),
        words("Table of faults", "Heading2"),
        ruled,
        words("Limits", "Heading2"),
        limits,
    )


def test_pdf_headings_by_size_and_tables_by_rules() -> None:
    """Larger letters are headings; a ruled table keeps its cells together, also those of many lines."""
    found = {s.heading: s for s in sections("m.pdf", fault_page())}
    assert found["Table of faults"].path == "Faults / Table of faults" and found["Limits"].page == 1
    for row in FAULTS:
        assert f"| {' | '.join(row)} |" in found["Table of faults"].text
    assert [(x.name, x.low, x.high) for x in find_limits(found["Limits"].text)] == [("Oil", 1.5, 4), ("Air", 2, 7)]


def test_pdf_outline_names_headings_that_are_printed() -> None:
    """An entry of the outline makes its line a heading; one that is not printed is not invented."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.bookmarkPage("a")
    sheet.addOutlineEntry("Oil change", "a", 0)
    sheet.bookmarkPage("b")
    sheet.addOutlineEntry("Never printed", "b", 1)
    sheet.bookmarkPage("c")
    sheet.addOutlineEntry("Filters", "c", 0)
    for i, line in enumerate(["Oil change", "Drain it warm.", "Fill in 3 l of ISO VG 46.", "Filters", "Blow out."]):
        sheet.drawString(72, 700 - 20 * i, line)
    sheet.save()
    section, _ = sections("m.pdf", out.getvalue())
    assert (section.heading, section.text) == ("Oil change", "Drain it warm.\nFill in 3 l of ISO VG 46.")


STARTING = ["1 Starting", "Open the valve by half.", "Wait three minutes.", "Load it at 0.62 MPa."]


def turned_pdf(drawn: int, said: int) -> bytes:
    """Two columns, drawn turned by so many degrees, on a page that says that it is turned."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=(595, 842))
    sheet.setPageRotation(said)
    sheet.translate(*{0: (60, 780), 90: (100, 100), 180: (500, 700), 270: (400, 700)}[drawn])
    sheet.rotate(drawn)
    for left, lines in ((0, STARTING), (270, ["2 Stopping", "Press the green key."])):
        for i, line in enumerate(lines):
            sheet.drawString(left, -18 * i, line)
    sheet.rotate(90)
    sheet.drawString(-70, 40, "Service book")
    sheet.save()
    return out.getvalue()


@pytest.mark.parametrize("drawn", [0, 90, 180, 270])
@pytest.mark.parametrize("said", [0, 90, 180, 270])
def test_pdf_pages_are_read_the_way_their_letters_stand(drawn: int, said: int) -> None:
    """Whichever way a page is turned, by its letters or by what it says, columns and lines are in order; a title along
    the margin stays one line."""
    first, second = sections("m.pdf", turned_pdf(drawn, said))
    assert (first.number, first.heading, first.text) == ("1", "Starting", "\n".join(STARTING[1:]))
    assert (second.heading, second.text) == ("Stopping", "Press the green key.\nService book")


@dataclass(frozen=True)
class Seen:
    text: str
    box: tuple[int, int, int, int]
    score: float


def scanned(pages: int = 1) -> bytes:
    picture = np.full((1100, 800, 3), 255, np.uint8)
    for y in (200, 260, 320, 380):
        cv2.line(picture, (100, y), (700, y), (0, 0, 0), 2)
    for x in (100, 300, 700):
        cv2.line(picture, (x, 200), (x, 380), (0, 0, 0), 2)
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=(600, 825))
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    for _ in range(pages):
        sheet.drawImage(ImageReader(io.BytesIO(encoded)), 0, 0, 600, 825)
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def reads(*texts: tuple[str, float, float, float]) -> PageReader:
    """Reads given texts at given places: left and middle as shares of the page's width, and a score."""
    first = [True]

    def read(pixels: NDArray[np.uint8]) -> Sequence[Seen]:
        if not first[0]:
            return ()
        first[0] = False
        width = pixels.shape[1]
        return [
            Seen(
                text, (int(x * width), int((y - 0.01) * width), int((x + 0.1) * width), int((y + 0.01) * width)), score
            )
            for text, x, y, score in texts
        ]

    return read


def test_scanned_pages_are_read_as_pictures() -> None:
    """Cells go where the drawn rules put them; what the reader is not sure of is left out; the pages are counted."""
    reader = reads(
        ("Code", 0.15, 0.28, 0.9),
        ("Meaning", 0.45, 0.28, 0.9),
        ("E7", 0.15, 0.36, 0.9),
        ("Dry run", 0.45, 0.36, 0.9),
        ("E8", 0.15, 0.44, 0.9),
        ("maybe", 0.45, 0.44, 0.3),
        ("Keep dry.", 0.2, 0.65, 0.9),
    )
    content = take("scan.pdf", scanned(), reader)
    assert (content.scanned, content.unread, content.pages) == (1, 0, 1)
    text = "\n".join(line.text for line in content.lines)
    assert "| Code | Meaning |\n|---|---|\n| E7 | Dry run |\n| E8 |  |" in text and "Keep dry." in text


def test_a_scan_without_a_reader_says_so() -> None:
    """Without anybody who reads pictures the file is refused with what to do; too many scanned pages are refused."""
    with pytest.raises(KnowledgeError, match="it is a scan"):
        take("scan.pdf", scanned())
    with pytest.raises(KnowledgeError, match="more than 1 scanned pages"):
        read_document(Path("s.pdf"), scanned(2), Bounds(max_scanned_pages=1), reads(("Text", 0.2, 0.6, 0.9)))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.txt", b"a\n" * 60),
        ("m.html", b"<p>a" * 60),
        ("m.docx", docx(par("a") * 60)),
    ],
)
def test_too_many_lines_are_refused(name: str, data: bytes) -> None:
    """Short lines without end would fill the memory long before the file is large."""
    with pytest.raises(KnowledgeError, match="more than 50 lines"):
        read_document(Path(name), data, Bounds(text_lines=50))


def test_a_large_text_is_refused() -> None:
    """Text is held in memory some times over, so it has a bound of its own."""
    with pytest.raises(KnowledgeError, match="60 bytes of text, more than 50; split it"):
        read_document(Path("m.txt"), b"a" * 60, Bounds(max_text_bytes=50))


def test_too_many_rows_are_refused() -> None:
    """A table without end costs one line, in every kind that has tables."""
    bounds = Bounds(max_rows=50)
    many = {
        "m.csv": b"a,b\n" * 60,
        "m.html": b"<table>" + b"<tr><td>1<td>2" * 60,
        "m.docx": docx("<w:tbl>" + f"<w:tr>{cell('1')}{cell('2')}</w:tr>" * 60 + "</w:tbl>"),
        "m.pdf": printed(Table([["Code", "Text"]] + [[f"E{i}", "x"] for i in range(120)], style=RULED)),
    }
    for name, data in many.items():
        with pytest.raises(KnowledgeError, match="more than 50"):
            read_document(Path(name), data, bounds)
