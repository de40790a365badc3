"""Meaning beside words: vectors kept with the passages, an index that is never believed when it is not theirs."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge.embed import DIMENSIONS, Embedder, packed
from knowledge.errors import KnowledgeError
from knowledge.meaning import Meaning
from knowledge.search import find
from knowledge.sentences import sentences, windows_of
from knowledge.store import KnowledgeStore, Piece, clear_document, insert_pieces, new_stamp, now_text, vectors_stamp
from knowledge.vectors import VectorIndex, build_index, embed_passages, pending_passages, similarities
from knowledge.wordpieces import WordPieces

TEXTS = ("The pump is greased.", "循环泵轴承加注润滑脂。", "Valves are shut by hand.", "故障代码 E-17 表示缺相。")


class DrawnEmbedder:
    """Vectors drawn from the text itself: the same text has the same vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSIONS) for text in texts]
        drawn = np.array(rows, np.float32)
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def filled(folder: Path, texts: Sequence[str] = TEXTS) -> KnowledgeStore:
    store = KnowledgeStore(folder / "knowledge.db")
    pieces = [Piece(i, f"{i}", f"Heading {i}", f"{i} Heading {i}", None, text, "en") for i, text in enumerate(texts)]
    with store.writing() as db, db.atomic():
        row = ("Book", str(folder / "book.md"), "0" * 64, now_text())
        sql = "INSERT INTO documents (title, path, sha256, language, pages, added) VALUES (?, ?, ?, 'en', NULL, ?)"
        insert_pieces(db, int(db.execute(sql, row).lastrowid or 0), pieces)
    return store


def embedded(store: KnowledgeStore) -> int:
    return embed_passages(store, cast(Embedder, DrawnEmbedder()), window_chars=240, max_windows=16)


def test_the_closest_passage_is_found_and_measured(tmp_path: Path) -> None:
    """A passage's own window is its closest neighbour, by signs and by the stored vector."""
    store = filled(tmp_path)
    assert pending_passages(store) == embedded(store) == len(TEXTS) and pending_passages(store) == 0
    assert build_index(store, tmp_path / "i.vec") == len(TEXTS)
    vector = DrawnEmbedder().encode(["Heading 1: " + TEXTS[1]])[0]
    with store.reading() as connection:
        index = VectorIndex.open(tmp_path / "i.vec", vectors_stamp(connection))
        assert index is not None and index.closest(vector, 3)[0] == 2
        found = similarities(connection, vector, [1, 2, 3, 99])
    assert found[2] > 0.99 and max(found[1], found[3]) < 0.4 and 99 not in found
    assert index.closest(vector, 9, [(3, 4)]) and 2 not in index.closest(vector, 9, [(3, 4)])
    assert index.closest(vector, 9, []) == []


def test_embedding_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """What was embedded before a stop stays; only the rest is done."""
    store = filled(tmp_path, [f"Step {i}." for i in range(150)])

    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_passages(store, cast(Embedder, DrawnEmbedder()), window_chars=240, max_windows=16, on_done=stop)
    rest = pending_passages(store)
    assert 0 < rest < 150 and embedded(store) == rest


def test_an_index_of_other_vectors_is_not_used(tmp_path: Path) -> None:
    """After a passage was taken out the index does not count until it is made anew."""
    store, path = filled(tmp_path), tmp_path / "i.vec"
    embedded(store)
    build_index(store, path)
    with store.writing() as db, db.atomic():
        clear_document(db, 1)
    with store.reading() as connection:
        assert VectorIndex.open(path, vectors_stamp(connection)) is None
        assert connection.execute("SELECT count(*) FROM vectors").fetchone()[0] == 0
    assert build_index(store, path) == 0
    with store.reading() as connection:
        index = VectorIndex.open(path, vectors_stamp(connection))
    assert index is not None and index.closest(np.ones(DIMENSIONS, np.float32), 5) == []


@settings(deadline=None)  # it writes to the disk
@given(damage=st.sampled_from(["empty", "short", "long", "magic", "rows", "text"]))
def test_a_damaged_index_is_no_index(damage: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cut, padded, renamed or of another kind: it is not believed, and nothing breaks."""
    folder = tmp_path_factory.mktemp("damaged")
    store, path = filled(folder), folder / "i.vec"
    embedded(store)
    build_index(store, path)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "short": whole[:-1],
            "long": whole + b"\0",
            "magic": b"XXXXXXXX" + whole[8:],
            "rows": whole[:40] + (10**12).to_bytes(8, "little") + whole[48:],
            "text": b"not an index" * 20,
        }[damage]
    )
    with store.reading() as connection:
        assert VectorIndex.open(path, vectors_stamp(connection)) is None


def test_an_index_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One line names the file; nothing half written stays."""
    store = filled(tmp_path)
    with pytest.raises(KnowledgeError, match=r"i\.vec: the index cannot be written"):
        build_index(store, tmp_path / "none" / "i.vec")


def test_signs_are_counted_exactly() -> None:
    """The count of signs that differ is that of a plain comparison."""
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((500, DIMENSIONS)).astype(np.float32)
    asked = rng.standard_normal(DIMENSIONS).astype(np.float32)
    bits = np.packbits(vectors > 0, axis=1).view(np.uint64)
    apart = ((vectors > 0) != (asked > 0)).sum(axis=1)
    index = VectorIndex(bits, np.arange(500, dtype=np.int64))
    assert index.closest(asked, 20)[0] == int(apart.argmin())
    assert index._apart(np.packbits(asked > 0).view(np.uint64), 0, 500).tolist() == apart.tolist()
    opposite = VectorIndex(~bits[:1], np.zeros(1, np.int64))
    assert opposite._apart(bits[0], 0, 1).tolist() == [DIMENSIONS]


@given(st.text(max_size=400), st.integers(20, 300))
def test_windows_hold_the_text(text: str, chars: int) -> None:
    """Windows are bounded, there is always one, and they hold every sentence's beginning."""
    windows = windows_of("", text, chars)
    assert windows and all(len(window) <= 2 * chars for window in windows)
    assert "".join("".join(s.split())[:20] for s in sentences(text))[:20] in "".join("".join(windows).split())


@pytest.mark.parametrize(
    "data", [b"", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x0a\x03\x0a\x05x", b"text" * 9]
)
def test_a_damaged_vocabulary_is_told(data: bytes, tmp_path: Path) -> None:
    """A file that is no vocabulary is one clear line."""
    (tmp_path / "sp.model").write_bytes(data)
    with pytest.raises(KnowledgeError, match="not a SentencePiece model"):
        WordPieces(tmp_path / "sp.model")


def test_packed_vectors_keep_their_direction() -> None:
    """One byte a number costs next to nothing of an angle; a vector of nothing does not divide by nothing."""
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((40, DIMENSIONS)).astype(np.float32)
    small = packed(vectors).astype(np.float32)
    cosines = (small * vectors).sum(1) / np.linalg.norm(small, axis=1) / np.linalg.norm(vectors, axis=1)
    assert cosines.min() > 0.999 and not packed(np.zeros((1, DIMENSIONS), np.float32)).any()


def test_words_alone_are_said_so(tmp_path: Path) -> None:
    """Without an encoder a search says that words alone decided, and answers."""
    store = filled(tmp_path)
    found = find(store, "greased pump", limit=3)
    assert not found.by_meaning and [hit.section for hit in found.hits] == ["0"]


@pytest.fixture(scope="module")
def encoder(real_weights: Path) -> Embedder:
    folder = real_weights / "embed"
    if not (folder / "weights.npz").exists():
        pytest.skip("the sentence encoder is not among the real weights here")
    return Embedder(folder / "weights.npz", folder / "sp.model")


@pytest.mark.weights
def test_meaning_crosses_languages(encoder: Embedder) -> None:
    """A sentence lies closer to its translation than to any other sentence, in both directions."""
    zh = ["轴承多久加一次润滑脂?", "如何更换空气滤清器?", "电机过载跳闸后怎么办?", "水箱液位太低"]
    en = [
        "How often is the bearing greased?",
        "How do I replace the air filter?",
        "What to do after the motor tripped on overload?",
        "The tank level is too low",
    ]
    close = encoder.encode(zh) @ encoder.encode(en).T
    assert close.argmax(axis=0).tolist() == close.argmax(axis=1).tolist() == [0, 1, 2, 3]


@pytest.mark.weights
def test_texts_do_not_touch_each_other_in_a_batch(encoder: Embedder) -> None:
    """A text has the same vector alone and among others, of length 1, whatever it holds."""
    texts = ["泵", "", "a " * 2_000, "F0021\u0000", "The pump " * 30, "𠀀😀"]
    together, alone = encoder.encode(texts), np.concatenate([encoder.encode([text]) for text in texts])
    assert np.allclose(together, alone, atol=1e-4) and np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-4)


@pytest.mark.weights
def test_a_question_in_one_language_finds_the_answer_in_the_other(encoder: Embedder, tmp_path: Path) -> None:
    """A Chinese question is answered from an English book, and one that it does not answer is not."""
    store = filled(
        tmp_path,
        [
            "Replace the air filter when the indicator turns red or after one year at the latest.",
            "The dryer keeps a pressure dew point of 3 °C.",
            "Only instructed persons may open the enclosure.",
        ],
    )
    embed_passages(store, encoder, window_chars=240, max_windows=16)
    build_index(store, tmp_path / "i.vec")
    meaning = Meaning(encoder, tmp_path / "i.vec")
    found = find(store, "空气滤清器什么时候更换?", limit=3, meaning=meaning)
    assert found.by_meaning and [hit.section for hit in found.hits][:1] == ["0"]
    assert find(store, "值班人员工资多少?", limit=3, meaning=meaning).hits == []
    with store.writing() as db:
        new_stamp(db)
    assert not find(store, "air filter", limit=3, meaning=meaning).by_meaning
