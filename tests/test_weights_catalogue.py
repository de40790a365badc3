"""The catalogue: every file is pinned, named once, and can be had from somewhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from agent.errors import PullError
from agent.weights.catalogue import WeightFile, load_catalogue, read_catalogue
from agent.weights.chunks import CHUNK_BYTES, root_of


def test_the_packaged_catalogue_is_whole() -> None:
    """Every file is pinned, named once in its entry, and can be had from somewhere."""
    catalogue = load_catalogue()
    names = [entry.name for entry in catalogue.entries]
    assert names == [
        "qwen3-vl-4b",
        "qwen3-vl-2b",
        "qwen2.5-1.5b",
        "qwen2.5-0.5b",
        "ocr-small",
        "ocr-tiny",
        "asr-base",
        "tts-zh",
        "embed",
        "dictionary",
    ]
    for entry in catalogue.entries:
        for attribute in ("role", "name"):
            values = [getattr(file, attribute) for file in entry.files]
            assert len(set(values)) == len(values)
        for file in entry.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.size > 0
            assert file.name == Path(file.name).name
            assert file.pypi or file.hf or file.modelscope
            assert not file.stands_for or file.stands_for in {other.role for other in entry.required}
    digests = [file.sha256 for entry in catalogue.entries for file in entry.files]
    assert len(set(digests)) == len(digests)


def test_parts_add_up() -> None:
    """The parts of a file cover it exactly: all but the last are full, the last is not empty and not larger."""
    for entry in load_catalogue().entries:
        for file in entry.files:
            if file.pypi and file.pypi.parts > 1:
                last = file.bytes - (file.pypi.parts - 1) * file.pypi.part_bytes
                assert 0 < last <= file.pypi.part_bytes
                assert file.pypi.requirement(0) != file.pypi.requirement(1)


def test_the_readers_have_their_roles() -> None:
    """The panel parser and the models find their files by these roles."""
    catalogue = load_catalogue()
    for name in ("ocr-small", "ocr-tiny"):
        assert [file.role for file in catalogue.entry(name).required] == ["det", "rec", "det-config", "rec-config"]
    for model in catalogue.chat_models:
        assert {file.role for file in model.required} == ({"model", "mmproj"} if model.kind == "vision" else {"model"})


def test_unknown_names_are_answered_with_the_nearest() -> None:
    """A slip of the finger is one clear line."""
    with pytest.raises(PullError, match=r"qwen2\.5-1b: no such weights; did you mean qwen2\.5-"):
        load_catalogue().entry("qwen2.5-1b")
    with pytest.raises(PullError, match=r"gpt: no such weights; known are qwen3-vl-4b, "):
        load_catalogue().entry("gpt")


def test_an_entry_may_name_every_source() -> None:
    """The form of the file, as a new entry would be written."""
    catalogue = read_catalogue(
        """
        [[entry]]
        name = "x"
        kind = "text"
        title = "X"
        license = "MIT"
        [[entry.file]]
        role = "model"
        name = "x.gguf"
        pypi = { package = "x-{n}", version = "1", member = "x_{n}/p{n:02d}", parts = 2, part_bytes = 10 }
        hf = { repo = "o/x", revision = "main", path = "x.gguf" }
        """
    )
    file = catalogue.entry("x").files[0]
    assert file.pypi is not None
    assert (file.pypi.requirement(1), file.pypi.path(1)) == ("x-2==1", "x_2/p02")
    assert file.hf is not None
    assert file.modelscope is None


def test_what_the_tests_run_on_is_bound_chunk_by_chunk() -> None:
    """Files that were read for it have a root; of one chunk it follows from the digest of the whole."""
    catalogue = load_catalogue()
    for name in ("qwen2.5-1.5b", "qwen2.5-0.5b", "ocr-small", "ocr-tiny"):
        assert all(re.fullmatch("[0-9a-f]{64}", file.root) for file in catalogue.entry(name).files)
    data = b"one chunk"
    digest = hashlib.sha256(data).digest()
    assert WeightFile("x", "x", bytes=len(data), sha256=digest.hex()).root == root_of([digest])
    assert WeightFile("x", "x", bytes=CHUNK_BYTES + 1, sha256=digest.hex()).root == ""
    assert WeightFile("x", "x", about_bytes=9, sha256=digest.hex()).root == ""
