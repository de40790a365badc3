"""The store of manuals: what goes in comes out with its place, and hostile files get one clear line."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas
from sqlite_utils import Database

from knowledge.cutting import blocks, cut
from knowledge.errors import KnowledgeError
from knowledge.formats.content import Line
from knowledge.formats.markdown import markdown_lines
from knowledge.ingest import Added, add_file, find_files
from knowledge.limits import find_limits, name_variants
from knowledge.schema import MIGRATIONS
from knowledge.sections import read_sections
from knowledge.store import KnowledgeStore
from knowledge.tokens import language_of, place_of, stem, tokens

MANUAL = """# Pump Manual

Preface that stands before any section.

## 1 Overview

Two pumps.

## 6 Alarms

### 6.1 Low level (水箱液位低)

1. Check the valve.

2. Start the well pump.

### 6.2 VFD fault

| Code | Meaning |
|------|---------|
| F0021 | Earth fault |

```sh
# not a heading
reset --now
```
"""


@pytest.fixture
def store(tmp_path: Path) -> KnowledgeStore:
    return KnowledgeStore(tmp_path / "knowledge.db", busy_seconds=0.1)


def put(store: KnowledgeStore, path: Path, *, max_bytes: int = 1_000_000, max_pages: int = 50) -> Added:
    return add_file(store, path, max_bytes=max_bytes, max_pages=max_pages, passage_chars=1_200)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def make_pdf(draw: Callable[[canvas.Canvas], None], **options: object) -> bytes:
    out = io.BytesIO()
    sheet = canvas.Canvas(out, **options)
    draw(sheet)
    sheet.save()
    return out.getvalue()


def lines_of(*pages: list[str]) -> Callable[[canvas.Canvas], None]:
    def draw(sheet: canvas.Canvas) -> None:
        for page in pages:
            for i, line in enumerate(page):
                sheet.drawString(72, 760 - 20 * i, line)
            sheet.showPage()

    return draw


def test_a_manual_keeps_its_sections(store: KnowledgeStore, tmp_path: Path) -> None:
    """Number, heading, path and every word of a section are kept; a `#` in a code block is no heading."""
    added = put(store, write(tmp_path, "pump.md", MANUAL))
    assert (added.id, added.title, added.change, added.language) == ("M1", "Pump Manual", "added", "en")
    pieces = store.sections("M1")
    assert [(p.section, p.heading) for p in pieces] == [
        ("", ""),
        ("1", "Overview"),
        ("6.1", "Low level (水箱液位低)"),
        ("6.2", "VFD fault"),
    ]
    assert pieces[2].path == "6 Alarms / 6.1 Low level (水箱液位低)"
    assert pieces[2].text == "1. Check the valve.\n\n2. Start the well pump."
    assert "# not a heading\nreset --now" in pieces[3].text


def test_the_same_file_again_changes_nothing(store: KnowledgeStore, tmp_path: Path) -> None:
    """Adding twice is a no-op; a changed file replaces its passages and keeps its id."""
    path = write(tmp_path, "pump.md", MANUAL)
    put(store, path)
    other = put(store, write(tmp_path, "other.md", "# Other\n\nText."))
    assert put(store, path).change == "unchanged"
    changed = put(store, write(tmp_path, "pump.md", MANUAL.replace("Two pumps.", "Three pumps.")))
    assert (changed.id, changed.change, other.id) == ("M1", "changed", "M2")
    assert [p.text for p in store.sections("M1", "1")] == ["Three pumps."]
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM passage_index").fetchone()[0] == 5


def test_a_moved_file_keeps_its_id(store: KnowledgeStore, tmp_path: Path) -> None:
    """A file under a new name is the same manual when the old name is gone, and no second copy when it is not."""
    path = write(tmp_path, "pump.md", MANUAL)
    put(store, path)
    assert put(store, write(tmp_path, "copy.md", MANUAL)).change == "unchanged"
    path.unlink()
    assert put(store, tmp_path / "copy.md").change == "moved"
    assert [d.path for d in store.documents()] == [str(tmp_path / "copy.md")]


def test_ids_are_never_given_twice(store: KnowledgeStore, tmp_path: Path) -> None:
    """A citation of a removed manual never points at another one."""
    put(store, write(tmp_path, "a.md", "# A\n\nText."))
    store.remove("M1")
    assert put(store, write(tmp_path, "b.md", "# B\n\nText.")).id == "M2"
    with pytest.raises(KnowledgeError, match="M1: no such manual"):
        store.remove("M1")


def test_front_matter_and_underlined_headings(store: KnowledgeStore, tmp_path: Path) -> None:
    """What a page never shows is no text; a heading may be underlined; a rule under a list is no heading."""
    put(
        store,
        write(tmp_path, "f.md", "---\ntitle: x\n---\nPumps\n=====\n\nAlarms\n------\n\n- a\n---\nText <!-- no -->.\n"),
    )
    pieces = store.sections("M1")
    assert [(p.title, p.section) for p in pieces] == [("Pumps", "Alarms")]
    assert "title" not in pieces[0].text and "no" not in pieces[0].text


def test_law_articles_are_sections(store: KnowledgeStore, tmp_path: Path) -> None:
    """第三十六条 is a section with its own words and its chapter as path."""
    law = "# 某法\n\n## 第一章 总则\n\n第一条 为了安全,制定本法。\n\n第三十六条 电梯应当定期检查。\n\n(一)第一项;\n"
    put(store, write(tmp_path, "law.md", law))
    pieces = store.sections("M1")
    assert [p.section for p in pieces] == ["第一条", "第三十六条"]
    assert pieces[1].text.endswith("(一)第一项;")
    assert pieces[1].path == "第一章 总则 / 第三十六条"


def test_asciidoc_and_plain_text(store: KnowledgeStore, tmp_path: Path) -> None:
    """AsciiDoc headings and numbered headings of plain text open sections; numbered steps and table rows do not."""
    put(
        store,
        write(
            tmp_path,
            "d.adoc",
            ":toc:\n\n= Drives\n\n== Errors\n\n=== Following Error\n\nToo fast.\n\n----\n== no\n----\n",
        ),
    )
    assert [(p.section, p.path) for p in store.sections("M1")] == [("Following Error", "Errors / Following Error")]
    text = "1 概述\n两台泵。\n1. 先停机。\n2. 再上锁。\n1.1 用途\n供水 60 85\n6.2 bar 3.1\n2 报警\n2.1 过流\n查电缆。\n"
    put(store, write(tmp_path, "t.txt", text))
    assert [p.section for p in store.sections("M2")] == ["1", "1.1", "2.1"]
    assert store.sections("M2", "1")[0].text == "两台泵。\n1. 先停机。\n2. 再上锁。"


def test_pdf_pages_and_headings(store: KnowledgeStore, tmp_path: Path) -> None:
    """A PDF's sections carry the page on which they begin; running titles are no text; limits are found in it."""
    pages = [
        ["Pump manual rev 3", "1 Overview", "Two pumps feed the network.", "Page 1"],
        ["Pump manual rev 3", "2 Limits", "Parameter Low High Unit", "Temperature 60 85 C", "Page 2"],
        ["Pump manual rev 3", "3 Alarms", "3.1 Overcurrent", "Turn the pump by hand.", "Page 3"],
    ]
    added = put(store, write(tmp_path, "pump.pdf", make_pdf(lines_of(*pages))))
    assert (added.pages, added.limits) == (3, 1)
    found = {p.section: (p.page, p.text) for p in store.sections("M1")}
    assert found["3.1"] == (3, "Turn the pump by hand.")
    assert "rev 3" not in "".join(text for _, text in found.values())
    limit = store.limits()[0]
    assert (limit.name, limit.low, limit.high, limit.unit, limit.page) == ("Temperature", 60.0, 85.0, "C", 2)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.md", "", "holds no text"),
        ("blank.txt", " \n\t\n", "holds no text"),
        ("headings.md", "# Only\n\n## Headings\n", "no text under them"),
        ("binary.txt", bytes(range(256)) * 20, "binary"),
        ("latin.txt", b"r\xe9glage \xff\xfe\xfd", "neither UTF-8 nor GB18030"),
        ("cut.pdf", make_pdf(lines_of(["1 Text"]))[:300], "truncated or not a PDF"),
        ("no.pdf", b"hello", "truncated or not a PDF"),
        ("scan.pdf", make_pdf(lambda sheet: sheet.rect(10, 10, 50, 50)), "no text on any page"),
        ("locked.pdf", make_pdf(lines_of(["1 Text"]), encrypt=StandardEncryption("secret")), "asks for a password"),
        ("long.pdf", make_pdf(lines_of(*[["1 Text"]] * 51)), "51 pages, more than the 50"),
        ("sheet.xlsx", b"PK", ".xlsx is not read"),
    ],
)
def test_bad_files_get_one_clear_line(
    store: KnowledgeStore, tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    """A file that cannot be used is named with the reason, and the store stays as it was."""
    path = write(tmp_path, name, content)
    with pytest.raises(KnowledgeError) as caught:
        put(store, path)
    assert said in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert store.documents() == []


def test_a_file_beyond_the_limit_is_not_read(store: KnowledgeStore, tmp_path: Path) -> None:
    """The size is looked at before the bytes are."""
    with pytest.raises(KnowledgeError, match="more than the 10 that are read"):
        put(store, write(tmp_path, "big.md", "# A\n\n" + "x" * 100), max_bytes=10)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_encodings(store: KnowledgeStore, tmp_path: Path, encoding: str) -> None:
    """UTF-8 with and without mark, GB18030 and UTF-16 are read alike."""
    put(store, write(tmp_path, "z.md", "# 手册\n\n## 1 概述\n\n循环泵。\n".encode(encoding)))
    assert store.sections("M1")[0].text == "循环泵。"


def test_a_failed_change_leaves_the_old_text(store: KnowledgeStore, tmp_path: Path) -> None:
    """A manual that turns unreadable is still answered from as it was."""
    path = write(tmp_path, "pump.md", MANUAL)
    put(store, path)
    path.write_bytes(b"\x00\x01\x02" * 100)
    with pytest.raises(KnowledgeError):
        put(store, path)
    assert len(store.sections("M1")) == 4


def test_missing_store(store: KnowledgeStore) -> None:
    """Asking before anything was added says what to do, and makes no file."""
    with pytest.raises(KnowledgeError, match="no manuals here yet; add some"):
        store.documents()
    assert not store.path.exists()


def test_damaged_store(store: KnowledgeStore) -> None:
    """A file that is no database is not mistaken for one."""
    store.path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(KnowledgeError, match="damaged or not a store"):
        store.documents()


def test_locked_store(store: KnowledgeStore, tmp_path: Path) -> None:
    """A store that another program holds says so, for reading and for writing."""
    put(store, write(tmp_path, "pump.md", MANUAL))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE documents SET title = title")
        with pytest.raises(KnowledgeError, match="locked by another program"):
            put(store, write(tmp_path, "b.md", "# B\n\nText."))


def test_questions_do_not_write(store: KnowledgeStore, tmp_path: Path) -> None:
    """A reading connection refuses to write."""
    put(store, write(tmp_path, "pump.md", MANUAL))
    with pytest.raises(KnowledgeError, match="readonly"), store.reading() as connection:
        connection.execute("DELETE FROM passages")


def test_power_is_safe(store: KnowledgeStore, tmp_path: Path) -> None:
    """The file is in WAL mode, so a cut in the middle of an ingest leaves whole manuals."""
    put(store, write(tmp_path, "pump.md", MANUAL))
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.parametrize("step", [m.name for m in MIGRATIONS.pending(Database(memory=True))])
def test_migrations_from_any_point(store: KnowledgeStore, tmp_path: Path, step: str) -> None:
    """A store that stopped before any step is told to readers and brought up to date by the next writer."""
    with closing(sqlite3.connect(store.path)) as connection:
        MIGRATIONS.apply(Database(connection), stop_before=step)
    with pytest.raises(KnowledgeError, match="older version"):
        store.documents()
    put(store, write(tmp_path, "pump.md", MANUAL))
    assert len(store.documents()) == 1


def test_folders_are_searched(tmp_path: Path) -> None:
    """A folder gives the files that can be read, by name; an empty or missing one is an error."""
    (tmp_path / "in").mkdir()
    for name in ("b.md", "a.pdf", "c.png", "d.jsonl"):
        write(tmp_path / "in", name, "x")
    assert [p.name for p in find_files([tmp_path])] == ["a.pdf", "b.md"]
    (tmp_path / "in" / "a.pdf").unlink()
    (tmp_path / "in" / "b.md").unlink()
    with pytest.raises(KnowledgeError, match="no manuals in this folder"):
        find_files([tmp_path])
    with pytest.raises(KnowledgeError, match="no such file"):
        find_files([tmp_path / "none"])


def test_limits_in_both_languages() -> None:
    """Low, high and unit are found by their headings; rows without a number are left out."""
    zh = "| 参数 | 下限 | 上限 | 单位 |\n|---|---|---|---|\n| 供水温度 | 60 | 85 | ℃ |\n| 备注 | 无 | 无 | |\n"
    assert [(x.name, x.low, x.high, x.unit) for x in find_limits(zh)] == [("供水温度", 60.0, 85.0, "℃")]
    en = "| Parameter | Unit | Min | Max |\n|---|---|---|---|\n| **Level** | % | — | 60 |\n| Temp | °C | -10 | 45.5 |\n"
    assert [(x.name, x.low, x.high, x.unit) for x in find_limits(en)] == [
        ("Level", None, 60.0, "%"),
        ("Temp", -10.0, 45.5, "°C"),
    ]
    inside = "| 参数 | 下限(MPa) | 上限(MPa) |\n|---|---|---|\n| 压力 | 0.2 | 0.6 |\n"
    assert [(x.name, x.unit) for x in find_limits(inside)] == [("压力", "MPa")]
    assert find_limits("| Option | Low | Meaning |\n|---|---|---|\n| a | 1 | b |\n") == []
    assert find_limits("The high flow and the low name are 3 words.\nAnother 5 line.") == []


def test_tokens_keep_codes_and_units() -> None:
    """Fault codes, pump numbers and units are words; width and case do not matter."""
    assert tokens("F0021 E-17 NO.1循环泵 54.2 m³/h 90℃") == [
        "f0021",
        "e-17",
        "no.1",
        "循环",
        "环泵",
        "54.2",
        "m3/h",
        "90",
        "°c",
    ]
    assert tokens("Ff0021") == tokens("ff0021")
    assert tokens("泵") == ["泵"]
    assert stem("rotates") == stem("rotation") == stem("rotate")
    assert tokens("low/high lock-out") == ["low", "high", "lock", "out"]


def test_names_are_found_as_whole_words() -> None:
    """E-17 is not in E-170; blanks and case do not matter; Chinese needs no word border."""
    assert place_of("E-17", "what is e-17?") == 8
    assert place_of("E-17", "what is E-170?") == -1
    assert place_of("循环 变频故障", "请问循环变频故障怎么办") == 2
    assert place_of("", "text") == -1


def test_languages() -> None:
    """An English page that names Chinese lamps stays English."""
    assert (
        language_of("The lamp 循环变频故障 means that the drive of a circulation pump has tripped and stopped") == "en"
    )
    assert language_of("循环变频故障 (VFD-P1)") == "zh"


def test_long_sections_are_cut_between_blocks() -> None:
    """Pieces keep lists and tables whole, and lose nothing but the blank lines between blocks."""
    steps = "\n".join(f"{i}. {'step ' * 20}" for i in range(20))
    text = "\n\n".join(["paragraph " * 30, steps, "after " * 100])
    pieces = cut(text, 600)
    assert steps.rstrip() in [piece.rstrip() for piece in pieces]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert blocks("1. a\n\n2. b\n\ntext") == ["1. a\n\n2. b", "text"]


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_is_taken_apart(text: str) -> None:
    """Whatever a file holds, taking it apart ends, keeps its letters in order, and tokens never break the index."""
    for lines in (list(markdown_lines(text)), [Line(line) for line in text.split("\n")]):
        _, sections = read_sections(lines, bare=True)
        for section in sections:
            assert section.text in text or "<!--" in text
            assert all(cut(section.text, 50))
    for token in tokens(text):
        assert '"' not in token and not any(c.isspace() for c in token)
    find_limits(text)
    name_variants(text)


@given(
    st.lists(
        st.sampled_from(["# A", "## 1 B", "| a | b |", "第一条 甲", "```", "text 文", "", "1. x", "\x00"]), max_size=25
    )
)
@settings(max_examples=60, deadline=None)
def test_any_markdown_is_stored(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Any arrangement of headings, tables, fences and articles is stored and read back, or refused in one line."""
    folder = tmp_path_factory.mktemp("any")
    store = KnowledgeStore(folder / "k.db")
    try:
        added = put(store, write(folder, "any.md", "\n".join(lines)))
    except KnowledgeError as error:
        assert "\n" not in str(error)
        return
    assert len(store.sections("M1")) == added.passages
