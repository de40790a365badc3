"""Words for each other in Chinese and English: what a dictionary gives, and how a question uses it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.bilingual import Dictionary
from knowledge.coverage import clauses
from knowledge.errors import KnowledgeError
from knowledge.question import clauses_of
from knowledge.renderings import renderings_of, translatable
from knowledge.tokens import tokens as _index_words

LINES = """# a remark
車床 车床 [che1 chuang2] /lathe/
露點 露点 [lu4 dian3] /dew point/
模具 模具 [mu2 ju4] /mold/matrix/pattern or die/
油 油 [you2] /oil/fat/
丁 丁 [Ding1] /surname Ding/
俥 车 [che1] /variant of 車|车[che1]/
皮帶 皮带 [pi2 dai4] /strap/leather belt/CL:條|条[tiao2],根[gen1]/
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cedict.txt.gz"
    path.write_bytes(gzip.compress(LINES.encode()))
    return path


def test_words_are_found_in_both_directions(source: Path, tmp_path: Path) -> None:
    """A word is found from either language, phrases and British spelling too; names and remarks are no meanings."""
    dictionary = Dictionary.made(source, tmp_path / "cache" / "words.db")
    found = dictionary.translations(["车床", "lath", "dew point", "mould", "丁", "车", "皮带", "nothing"])
    assert found["车床"] == ["lath"]
    assert found["lath"] == ["车床"]
    assert found["dew point"] == ["露点"]
    assert found["mould"] == ["模具"]
    assert found["皮带"] == ["strap", "leather belt"]
    assert not {"丁", "车", "nothing"} & found.keys()


def test_the_index_is_made_once_and_anew_for_another_dictionary(source: Path, tmp_path: Path) -> None:
    """A second start reads no dictionary; another one, or a damaged index, is read again."""
    index = tmp_path / "words.db"
    Dictionary.made(source, index)
    made = index.stat().st_mtime_ns
    Dictionary.made(source, index)
    assert index.stat().st_mtime_ns == made
    source.write_bytes(gzip.compress("泵 泵 [beng4] /pump/\n水泵 水泵 [shui3 beng4] /water pump/\n".encode()))
    assert Dictionary.made(source, index).translations(["水泵"]) == {"水泵": ["water pump"]}
    index.write_bytes(b"no database")
    assert Dictionary.made(source, index).translations(["水泵"]) == {"水泵": ["water pump"]}
    index.write_bytes(b"spoiled later")
    assert Dictionary(index).translations(["水泵"]) == {}


@pytest.mark.parametrize("data", [b"", b"no gzip", gzip.compress(b"\xff\xfe"), gzip.compress(b"no line of it\n")])
def test_what_is_no_dictionary_is_told(data: bytes, tmp_path: Path) -> None:
    """One line says that the file is no dictionary; no half an index is left."""
    (tmp_path / "bad.gz").write_bytes(data)
    with pytest.raises(KnowledgeError, match="not a dictionary"):
        Dictionary.made(tmp_path / "bad.gz", tmp_path / "words.db")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.gz"]


@pytest.mark.parametrize(
    ("question", "passage", "held"),
    [
        ("What is the dew point?", "露点为 3 ℃", True),
        ("What is the point?", "露点为 3 ℃", False),
        ("皮带怎么更换?", "the leather of the belt", True),
        ("皮带怎么更换?", "the belt", False),
        ("How much oil?", "石油", False),
    ],
)
def test_a_passage_holds_a_word_by_the_dictionary(
    question: str, passage: str, held: bool, source: Path, tmp_path: Path
) -> None:
    """A phrase is held by its own meaning and by all of it; a single character is no meaning."""
    dictionary = Dictionary.made(source, tmp_path / "words.db")
    (part,) = clauses_of(question, 20)
    translations = dictionary.translations(translatable(part))
    words = frozenset(_index_words(passage))
    assert any(way <= words for r in renderings_of(part, translations) for way in r.words) == held


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(question=st.text(alphabet="车床露点皮带油lathe dew point?.,-0123𠀀\0", max_size=60))
def test_any_question_is_taken_apart_for_the_dictionary(question: str, source: Path, tmp_path: Path) -> None:
    """Whatever is asked, each meaning stands for a word of the question and holds no more than all of it."""
    dictionary = Dictionary.made(source, tmp_path / "words.db")
    parts = clauses_of(question, 20)
    weights = dict.fromkeys({word for part in parts for run in part for word in _index_words(run)}, 1.0)
    for clause in clauses(parts, question, weights) if parts else ():
        for rendering in renderings_of(clause.stems, dictionary.translations(translatable(clause.stems))):
            assert all(number < len(clause.stems) for number in rendering.runs)
            assert rendering.words
