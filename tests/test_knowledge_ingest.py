"""A folder of manuals: what is new, changed or gone is followed, a kill costs nothing, hostile files cost one line."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import KnowledgeError
from knowledge.formats.content import Bounds
from knowledge.ingest import add_file
from knowledge.reading import SUFFIXES, read_document
from knowledge.sections import read_sections
from knowledge.store import KnowledgeStore
from knowledge.watching import FolderWatch
from tests.test_knowledge_formats import STYLES, W, docx, fault_page, par

SMALL = Bounds(max_pages=20, max_rows=500, max_unpacked_bytes=1_000_000)
HALF = [
    b"<table>", b"<tr>", b"<td rowspan=9 colspan=9>", b"</table>", b"<pre>", b"<ol><li>", b"<h1>A", b"</h1>", b"<!--",
    b"-->", b"<script>", b"<![CDATA[", b"<!DOCTYPE", b"&#x110000;", b"&lt", b"\n\n", b"# A\n", b"===\n", b"---\n",
    b"|===\n", b"[cols=99999]\n", b"|a|b\n", b"```\n", b"----\n", b"1.1 A\n", b"Code,Text\n", b"E1,hot\n", b'"', b";",
    b"\t", b"\x00", b"\xff\xfe", "第三条 泵\n".encode(), "（一）泵\n".encode(), "泵".encode("gbk"), b"::\n",
    b".. _a:\n",    b"Article 3\n", b"....... 7\n", b"(((", b"[[[[", b"](", b"~~~\n", b"a" * 50,
]  # fmt: skip


def put(store: KnowledgeStore, path: Path) -> str:
    return add_file(store, path, max_bytes=10_000_000, max_pages=50, passage_chars=1_200).change


def swallowed(name: str, data: bytes) -> None:
    """Whatever a file holds: it is read, or refused in one line that names it."""
    try:
        content = read_document(Path(name), data, SMALL)
    except KnowledgeError as error:
        assert "\n" not in str(error) and name in str(error)
        return
    title, sections = read_sections(content.lines, bare=content.bare, title=content.title)
    assert "\x00" not in title and not any("\x00" in section.text for section in sections)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(st.lists(st.sampled_from(HALF), max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_arrangement_of_markup_is_swallowed(suffix: str, parts: list[bytes]) -> None:
    """Unclosed, nested and misplaced markup of any kind, in any kind of file."""
    swallowed(f"m{suffix}", b"".join(parts))


@pytest.mark.parametrize(("name", "sound"), [("m.pdf", fault_page()), ("m.docx", docx(par("Alarms", "a1") + par("x")))])
@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_files_are_swallowed(name: str, sound: bytes, data: st.DataObject) -> None:
    """A sound file with bytes changed, cut out or doubled."""
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        length = data.draw(st.integers(0, 40))
        damaged[at : at + length] = data.draw(st.binary(max_size=40))
    swallowed(name, bytes(damaged))


@given(st.recursive(st.text(max_size=5), lambda inner: st.lists(inner, max_size=4), max_leaves=30))
@settings(max_examples=80, deadline=None)
def test_any_nesting_of_docx_elements_is_swallowed(tree: object) -> None:
    """Paragraphs, tables, rows and cells inside each other in any order."""
    names = ["p", "tbl", "tr", "tc", "r", "t", "del", "txbxContent"]

    def xml(node: object, depth: int) -> str:
        if isinstance(node, list):
            name = names[(depth * 7 + len(node)) % len(names)]
            return f"<w:{name}>{''.join(xml(child, depth + 1) for child in node)}</w:{name}>"
        safe = "".join(c for c in str(node) if c.isalnum())
        return f"<w:p><w:r><w:t>{safe}</w:t></w:r></w:p>"

    swallowed("m.docx", docx(xml(tree, 0)))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.html", b"<div>" * 300_000 + b"text"),
        ("m.html", b"<ul><li>" * 100_000 + b"text"),
        ("m.html", b"<table><tr><td>" * 50_000 + b"text"),
        ("m.html", b"<!--" * 500_000 + b"<p>text"),
        ("m.html", b"<a href='" * 200_000 + b"<p>text"),
        ("m.md", b"[" * 500_000 + b"\n# [" + b"[" * 500_000),
        ("m.md", b"<!--" * 500_000),
        ("m.md", b"|" * 2_000_000),
        ("m.md", ("（一" * 500_000).encode()),
        ("m.txt", b"1." * 1_000_000),
        ("m.txt", b". " * 1_000_000 + b"1"),
        ("m.txt", b" " * 3_000_000 + b"x"),
        ("m.adoc", b"|===\n" + b"|a" * 1_000_000),
        ("m.rst", b"=" * 2_000_000),
        ("m.csv", b'"' * 1_000_000 + b",b\n"),
        ("m.csv", b"," * 1_000_000 + b"\na,b\n"),
        ("m.docx", docx("<w:tbl><w:tr><w:tc>" * 3_000 + "</w:tc></w:tr></w:tbl>" * 3_000)),
        ("m.docx", docx("<w:p>" * 20_000 + "</w:p>" * 20_000)),
    ],
)  # fmt: skip
def test_hostile_sizes_end(name: str, data: bytes) -> None:
    """Endless lines, rows and nesting are read or refused in a moment: nothing grows with the square of the file."""
    begun = time.process_time()
    swallowed(name, data)
    assert time.process_time() - begun < 20


def test_a_circle_of_styles_ends() -> None:
    """Styles that are based on each other are no endless search."""
    circle = STYLES.replace('<w:basedOn w:val="a2"/>', '<w:basedOn w:val="own"/>')
    swallowed("m.docx", docx(par("A", "own") + par("text"), styles=circle))


def test_a_zip_in_another_disguise() -> None:
    """A ZIP that is no document, and one with parts that cannot be read, are told apart from documents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", f'<w:document xmlns:w="{W}"/>')
    with pytest.raises(KnowledgeError, match="holds no text"):
        read_document(Path("m.docx"), out.getvalue(), SMALL)
    with pytest.raises(KnowledgeError, match=r"no DOCX document|truncated"):
        read_document(Path("m.docx"), out.getvalue().replace(b"word/document.xml", b"word/dokument.xml"), SMALL)


def test_a_killed_ingest_goes_on_where_it_was(tmp_path: Path) -> None:
    """Each manual is one transaction: after kill -9 those that were in are in, whole, and none is read twice."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(400):
        (folder / f"{i:04d}.md").write_text(f"# Manual {i}\n\n## 1 Alarms\n\nCode E{i}: stop pump {i}.\n", "utf-8")
    script = (
        "import sys; from pathlib import Path; from knowledge.ingest import add_file, find_files\n"
        "from knowledge.store import KnowledgeStore\n"
        "for f in find_files([Path(sys.argv[1])]):\n"
        "    add_file(KnowledgeStore(Path(sys.argv[2])), f, max_bytes=10**6, max_pages=5, passage_chars=1200)\n"
        "    print(f.name, flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(folder), str(tmp_path / "k.db")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    assert child.stdout is not None
    for _ in range(25):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    store = KnowledgeStore(tmp_path / "k.db")
    before = {d.path: d.id for d in store.documents()}
    assert 25 <= len(before) < 400 and all(d.passages == 1 for d in store.documents())
    changes = [put(store, path) for path in sorted(folder.iterdir())[:60]]
    assert changes[: len(before)] == ["unchanged"] * min(len(before), 60)
    assert {d.path: d.id for d in store.documents()}.items() >= before.items()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_a_watch_waits_until_a_file_has_settled(folder: Path) -> None:
    """A file that grows between two looks is still being copied."""
    watch = FolderWatch(folder, ())
    file = write(folder / "a.md", "# A\n")
    assert watch.look().ready == ()
    write(file, "# A\n\nlonger")
    assert watch.look().ready == ()
    assert names(watch.look().ready) == ["a.md"]
    assert watch.look().ready == ()


def test_a_watch_sees_changes_and_removals(folder: Path) -> None:
    """Changed files come again, removed ones are named once, other kinds never."""
    first, second = write(folder / "a.md", "# A\n"), write(folder / "b.txt", "b")
    write(folder / "c.png", "c")
    watch = FolderWatch(folder, (), settle=False)
    assert names(watch.look().ready) == ["a.md", "b.txt"]
    write(first, "# A\n\nmore")
    second.unlink()
    changes = watch.look()
    assert names(changes.ready) == ["a.md"] and names(changes.gone) == ["b.txt"]
    assert watch.look().gone == ()


@pytest.mark.parametrize("loss", ["folder", "files"])
def test_a_disk_that_is_taken_out_takes_nothing_out(folder: Path, loss: str) -> None:
    """A folder that is gone, or empty all at once, is said, and what was read from it stays."""
    known = write(folder / "a.md", "# A\n").resolve()
    watch = FolderWatch(folder, (known,), settle=False)
    watch.look()
    known.unlink()
    if loss == "folder":
        folder.rmdir()
    with pytest.raises(KnowledgeError, match=r"stay in the store"):
        watch.look()
    folder.mkdir(exist_ok=True)
    write(known, "# A\n")
    assert names(watch.look().ready) == ["a.md"]


def test_what_could_not_be_done_is_given_again(folder: Path) -> None:
    """A store that was locked costs a look, not the file."""
    file = write(folder / "a.md", "# A\n").resolve()
    watch = FolderWatch(folder, (), settle=False)
    watch.look()
    watch.again(file)
    assert names(watch.look().ready) == ["a.md"]


def test_every_kind_goes_into_the_store(tmp_path: Path) -> None:
    """One manual of each kind, with a word that only it has, is found as a passage."""
    samples: dict[str, Callable[[], bytes]] = {
        "a.md": lambda: b"# T\n\n## A\n\nquokka",
        "a.adoc": lambda: b"= T\n\n== A\n\nquokka",
        "a.rst": lambda: b"A\n---\n\nquokka",
        "a.txt": lambda: b"1 A\nquokka",
        "a.html": lambda: b"<h2>A</h2><p>quokka",
        "a.docx": lambda: docx(par("A", "a1") + par("quokka")),
        "a.csv": lambda: b"code,meaning\nE1,quokka\nE2,other",
    }
    store = KnowledgeStore(tmp_path / "k.db")
    for name, make in samples.items():
        (tmp_path / name).write_bytes(make())
        put(store, tmp_path / name)
    for document in store.documents():
        assert any("quokka" in piece.text for piece in store.sections(document.id)), document.path
