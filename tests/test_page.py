"""The page as files: what is served, how small it is, what it may load, and that every word of it is said."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from agent.server.problems import Problem
from agent.server.routes.page import POLICY, router, shell

PAGE = Path(__file__).parent.parent / "agent/server/page"
SCRIPTS = sorted(PAGE.glob("*.js"))
FROM_DATA = {
    *("red", "amber", "yellow", "green", "blue", "white", "grey", "magenta", "dark", "lit", "unlit", "unsure"),
    *("device", "point", "value", "area"),
}
"""Words for what the API says: colours and states of lamps, arguments of calls."""
MOST_BYTES = 150_000
"""Of the first load, as it travels."""


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    return TestClient(app, raise_server_exceptions=True)


def test_the_first_load_is_small() -> None:
    """All that the page ever loads, worker included, is far below what is promised."""
    assert sum(len(shown.packed) for shown in shell().values()) < MOST_BYTES


def test_files_travel_packed_and_are_asked_for_once(client: TestClient) -> None:
    """A browser that has a file gets no body again; what was packed is what lies on the disk."""
    for path, shown in shell().items():
        answer = client.get(path, headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip" and answer.content == shown.body
        assert gzip.decompress(shown.packed) == shown.body
        again = client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304 and again.content == b""


def test_every_file_carries_the_policy(client: TestClient) -> None:
    """Nothing from elsewhere, no script in a document, no frame around the page."""
    for path in shell():
        assert client.get(path).headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY and "http" not in POLICY


@pytest.mark.parametrize("path", ["/page/nothing.js", "/page/index.html", "/page/sw.js", "/page/..%2froutes%2fpage.py"])
def test_what_is_no_file_of_the_page_is_refused(client: TestClient, path: str) -> None:
    """Names lead to the files that were read at the start, and to nothing else."""
    try:
        assert client.get(path).status_code == 404
    except Problem as problem:
        assert problem.status == 404


def test_the_worker_knows_every_file_and_changes_with_any() -> None:
    """What the page imports is kept for the time without a server; the worker itself is not."""
    worker = shell()["/sw.js"].body.decode()
    named = re.search(r"const FILES = (\[.*\]);", worker)
    assert named is not None
    assert set(re.findall(r'"([^"]+)"', named[1])) == set(shell()) - {"/sw.js"}
    assert re.search(r'const VERSION = "[0-9a-f]{20}";', worker)


def test_the_document_holds_no_script_and_no_style() -> None:
    """What the policy would stop is not there; every file that it names is one of the page's."""
    text = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]+src=)", text)
    assert set(re.findall(r'(?:src|href)="(/[^"]+)"', text)) <= set(shell())


def test_nothing_is_loaded_from_elsewhere() -> None:
    """No address of another host in any file, but the name of SVG's namespace; and no markup is made of text."""
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}, file.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), file.name


def test_every_import_is_a_file_of_the_page() -> None:
    """A module that is missing would leave the page empty."""
    for file in SCRIPTS:
        for name in re.findall(r'from "\./([^"]+)"', file.read_text(encoding="utf-8")):
            assert (PAGE / name).is_file(), f"{file.name} imports {name}"


def test_every_word_is_said_in_both_languages() -> None:
    """No name of a word shows on the page in its place, and none is kept that nobody says."""
    words = (PAGE / "words.js").read_text(encoding="utf-8")
    table = words[words.index("const WORDS") : words.index("const FLAGS")]
    known = dict(re.findall(r'\b(\w+): \[\s*("[^"]*",\s*"[^"]*"),?\s*\]', table))
    code = "\n".join(file.read_text(encoding="utf-8") for file in SCRIPTS if file.name != "words.js")
    code += words[words.index("let index") :]
    assert set(re.findall(r'\bword\("(\w+)"', code)) <= set(known)
    composed = tuple(re.findall(r"word\(`(\w+_)\$", code))
    quoted = set(re.findall(r'"(\w+)"', code))
    for name, both in known.items():
        chinese, english = re.findall(r'"([^"]*)"', both)
        assert bool(chinese) == bool(english), name
        assert sorted(re.findall(r"\{\d\}", chinese)) == sorted(re.findall(r"\{\d\}", english)), name
        assert name in quoted or name.startswith(composed) or name in FROM_DATA, f"{name}: nobody says it"
