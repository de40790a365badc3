"""Search: the right section first in the right language, short words exactly, nothing where the books say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.ingest import add_file, find_files
from knowledge.question import clauses_of, language_of_question
from knowledge.search import search
from knowledge.store import KnowledgeStore

EXAMPLE = Path(__file__).parent.parent / "deploy" / "example" / "manuals"
ZH, EN, VFD = "M1", "M2", "M3"


def filled(folder: Path, *paths: Path) -> KnowledgeStore:
    store = KnowledgeStore(folder / "knowledge.db")
    for path in find_files(paths):
        add_file(store, path, max_bytes=1_000_000, max_pages=10, passage_chars=1_200)
    return store


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeStore:
    return filled(tmp_path_factory.mktemp("plant"), EXAMPLE)


@pytest.mark.parametrize(
    ("question", "document", "section"),
    [
        ("循环变频故障", ZH, "6.2"),
        ("循环变频故障这个报警灯代表什么?最近三天有没有类似记录?该怎么处理?", ZH, "6.2"),
        ("补水变频故障怎么处理", ZH, "6.1"),
        ("What does the circulation VFD fault alarm mean and what should I do?", EN, "6.2"),
        ("What does the 循环变频故障 lamp mean? Has it happened in the last three days? What should I do?", EN, "6.2"),
        ("make-up VFD fault", EN, "6.1"),
        ("供水温度上限是多少?", ZH, "3.2"),
        ("循环泵轴承多久加一次润滑脂?", ZH, "7.3"),
        ("How often are the circulation pump bearings greased?", EN, "7.3"),
        ("进入集水坑之前要做什么?", ZH, "9.3"),
        ("F0021 是什么故障?", VFD, "3.1"),
        ("f0013", VFD, "3.1"),
        ("站房里电气设备冒烟怎么办?", ZH, "4.4"),
    ],
)
def test_the_right_section_is_first(plant: KnowledgeStore, question: str, document: str, section: str) -> None:
    """Short and full questions, in both languages, find their section before all others."""
    best = search(plant, question, limit=4)[0]
    assert (best.document, best.section) == (document, section)


@pytest.mark.parametrize(
    "question",
    [
        "锅炉爆管怎么处理?",
        "空压机排气温度高怎么办?",
        "变频器的保修期多长?",
        "How do I change the oil filter of the compressor?",
        "What torque do the flange bolts need?",
        "who won the football game yesterday",
        "E-17",
        "F0099 是什么变频器故障代码?",
        "今天天气怎么样?",
        "?!",
        "",
    ],
)
def test_what_the_books_do_not_say_is_not_found(plant: KnowledgeStore, question: str) -> None:
    """A question that shares a few words with the books, or none, gets no passage rather than a wrong one."""
    assert search(plant, question, limit=4) == []


def test_the_language_of_the_turn_wins_between_two_editions(plant: KnowledgeStore) -> None:
    """The same name finds the edition in the wanted language first, and the other one behind it."""
    assert [h.document for h in search(plant, "循环变频故障", limit=2, language="en")] == [EN, ZH]
    assert [h.document for h in search(plant, "循环变频故障", limit=2, language="zh")] == [ZH, EN]
    only = search(plant, "F0021", limit=2, language="en")
    assert {h.document for h in only} == {VFD}


def test_short_words_are_exact(tmp_path: Path) -> None:
    """One and two characters are found as they are and never as something wider or narrower."""
    (tmp_path / "m.md").write_text(
        "# 书\n\n## 1 甲\n\n泵房照明。\n\n## 2 乙\n\n水泵与房屋。\n\n## 3 丙\n\n阀门。\n", "utf-8"
    )
    store = filled(tmp_path, tmp_path / "m.md")
    assert {h.section for h in search(store, "泵", limit=9)} == {"1", "2"}
    assert {h.section for h in search(store, "泵房", limit=9)} == {"1"}
    assert {h.section for h in search(store, "阀", limit=9)} == {"3"}
    assert search(store, "阀房", limit=9) == []


def test_only_in_named_manuals(plant: KnowledgeStore) -> None:
    """A filter by manual is kept; one that names none finds nothing."""
    assert {h.document for h in search(plant, "循环变频故障", limit=9, documents=[EN])} == {EN}
    assert search(plant, "循环变频故障", limit=9, documents=["M99", "x"]) == []


def test_one_passage_a_section(tmp_path: Path) -> None:
    """A long section takes one place of the answer, not all of them."""
    text = "# Book\n\n## 1 Overcurrent\n\n" + "\n\n".join(f"Overcurrent {'word ' * 200} {i}" for i in range(6))
    (tmp_path / "m.md").write_text(text, "utf-8")
    assert len(search(filled(tmp_path, tmp_path / "m.md"), "overcurrent", limit=9)) == 1


def test_what_a_question_asks_for() -> None:
    """Words that only ask, and what is asked of the log, are not looked for in the books."""
    assert clauses_of("循环变频故障这个报警灯代表什么?最近三天有没有类似记录?", 50) == [["循环变频故障", "报警灯"]]
    assert clauses_of("What does it mean? Similar events in the last week?", 50) == []
    assert clauses_of("类似", 50) == [["类似"]]
    assert language_of_question("What does the 循环变频故障 lamp mean?") == "en"
    assert language_of_question("PLC S7-1200 的通讯故障") == "zh"


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_question_is_harmless(plant: KnowledgeStore, question: str) -> None:
    """Whatever is asked, quotes, operators of the index and NUL bytes included, search answers and keeps its order."""
    hits = search(plant, question, limit=4)
    assert len(hits) <= 4 and [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


@pytest.mark.parametrize(
    "question", ['" OR 1=1 --', "body:*", "NEAR(a b)", "a AND NOT b", "'; DROP TABLE passages; --", "循环\x00泵"]
)
def test_query_syntax_is_text(plant: KnowledgeStore, question: str) -> None:
    """The index's own operators and SQL in a question are words like others."""
    search(plant, question, limit=4)
    assert len(plant.documents()) == 3


def test_a_very_long_question(plant: KnowledgeStore) -> None:
    """A question at the limit of length is cut, not refused."""
    assert isinstance(search(plant, "循环变频故障 pump " * 2_000, limit=4), list)
