"""What a question asks for decides what answers it: a figure of its kind, the thing it names, its machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.contradictions import find_contradictions
from knowledge.errors import KnowledgeError
from knowledge.focus import focus_of
from knowledge.machines import about_machines, documents_about, machines_in, machines_of, manuals_in
from knowledge.quantities import asked_kinds, holds
from knowledge.search import search
from knowledge.store import KnowledgeStore, Piece, insert_pieces, now_text


@dataclass(frozen=True)
class Said:
    document: str
    section: str
    text: str


def books(folder: Path, **sections: list[str]) -> KnowledgeStore:
    """One manual a keyword, one section a text."""
    store = KnowledgeStore(folder / "knowledge.db")
    for title, texts in sections.items():
        pieces = [Piece(i, f"{i + 1}", "", f"{i + 1}", None, text, "en") for i, text in enumerate(texts)]
        with store.writing() as db, db.atomic():
            sql = "INSERT INTO documents (title, path, sha256, language, pages, added) VALUES (?, ?, ?, 'en', NULL, ?)"
            row = (title.replace("_", " "), f"/{title}", title, now_text())
            insert_pieces(db, int(db.execute(sql, row).lastrowid or 0), pieces)
    return store


@pytest.mark.parametrize(
    ("question", "answers", "does_not"),
    [
        ("轴承多久加一次油?", "每 3 个月一次", "用锂基润滑脂"),
        ("How often is the filter changed?", "Change it monthly.", "Change it with gloves."),
        ("违反规定罚款多少?", "处三万元以下罚款", "处以罚款"),
        ("钢丝绳的直径是多少?", "直径 12 mm", "直径减小 7 % 时报废"),
        ("What is the diameter of the pipe?", "the pipe has 50 mm", "the pipe is made of steel"),
        ("供电电压是多少?", "供电 380 V", "供电为三相"),
        ("How many bolts hold the cover?", "Six bolts hold it.", "Bolts hold it."),
        ("What is the phone number of the service?", "Call 0755-8612 3456.", "Call the service."),
        ("吊钩自重是多少?", "自重 85 kg", "吊钩为锻件"),
    ],
)
def test_a_question_for_a_figure_needs_a_figure_of_its_kind(question: str, answers: str, does_not: str) -> None:
    """A duration answers how long, money what it costs; a passage without one does not answer."""
    kinds = asked_kinds(question)
    assert kinds and holds(answers, kinds) and not holds(does_not, kinds)


@pytest.mark.parametrize(
    "question",
    ["报警怎么处理?", "What does the lamp mean?", "How do I start the pump?", "有哪几种报警级别?", "溜钩是什么原因?"],
)
def test_no_figure_is_asked_for(question: str) -> None:
    """Where no figure is asked for any text may answer."""
    assert asked_kinds(question) == frozenset() and holds("any text", asked_kinds(question))


@pytest.mark.parametrize(
    ("question", "focus"),
    [
        ("What is the price of a filter?", ["price"]),
        ("Which refrigerant is in the dryer?", ["refrigerant"]),
        ("循环泵的扬程是多少?", ["扬程"]),
        ("触摸屏用什么矩阵?", ["矩阵"]),
        ("What is the cause of the alarm?", []),
        ("What should I do?", []),
        ("溜钩是什么原因?", []),
        ("How do I start the pump?", []),
    ],
)
def test_the_thing_a_question_names(question: str, focus: list[str]) -> None:
    """Only what is asked for by name has to stand in a passage; causes and meanings do not."""
    assert focus_of(question) == focus


@given(st.text(max_size=300))
def test_any_question_can_be_taken_apart(question: str) -> None:
    """Whatever is asked, kinds and names are found or not, and nothing breaks."""
    assert holds(question, asked_kinds(question)) in (True, False) and all(focus_of(question))


def test_what_is_asked_for_by_name_must_be_there(tmp_path: Path) -> None:
    """The pump's section does not answer for a delivery head that no section speaks of."""
    store = books(tmp_path, Pumps=["The circulation pump runs at 25 Hz to 45 Hz and is changed on Monday."])
    assert search(store, "Which days is the circulation pump changed?", limit=3) == []
    assert [h.section for h in search(store, "When is the circulation pump changed?", limit=3)] == ["1"]
    assert search(store, "What is the price of the circulation pump?", limit=3) == []


def test_a_fault_code_is_answered_by_its_own_passage(tmp_path: Path) -> None:
    """A code finds the passages that hold it and none that is about another code."""
    store = books(
        tmp_path, Drive=["Fault F0021: earth fault of the drive.", "Fault F0022: drive overheated, reset it."]
    )
    assert [h.section for h in search(store, "What does drive fault F0021 mean?", limit=3)] == ["1"]
    assert search(store, "What does drive fault F0023 mean?", limit=3) == []


def test_a_machine_narrows_the_search(tmp_path: Path) -> None:
    """A manual that was said to be about a machine is found by that name, as a whole word, until it is taken back."""
    store = books(tmp_path, Left_press=["Open the valve slowly."], Right_press=["Open the valve quickly."])
    about_machines(store, "M1", ["P-1", "左压机"])
    about_machines(store, "M2", ["P-12"])
    assert machines_in(store, "how do I open the valve of p-12?") == ["P-12"]
    assert machines_in(store, "左压机的阀怎么开?") == ["左压机"] and machines_in(store, "P-123") == []
    assert documents_about(store, "p-1") == ["M1"] and machines_of(store, "M1") == ["P-1", "左压机"]
    found = search(store, "open the valve", limit=3, documents=documents_about(store, "P-12"))
    assert [hit.document for hit in found] == ["M2"]
    about_machines(store, "M1", [])
    assert machines_of(store, "M1") == []
    assert manuals_in(store, "what does the Right press manual say?")[0][0] == "M2"
    assert [m for m, _ in manuals_in(store, "see M1")] == ["M1"] and manuals_in(store, "M10") == []
    for document, name in (("M9", "x"), ("M1", " "), ("M1", "x" * 99)):
        with pytest.raises(KnowledgeError):
            about_machines(store, document, [name])


@pytest.mark.parametrize(
    ("first", "second", "clashes"),
    [
        ("The oil is changed every 2000 hours.", "The oil is changed every 4000 hours.", True),
        ("循环泵轴承每 4000 小时加一次润滑脂。", "循环泵轴承每 2000 小时加一次润滑脂。", True),
        ("| Supply pressure | 0.45 MPa | high |", "| Supply pressure | 0.6 MPa | high |", True),
        ("The oil is changed every 2000 hours.", "The oil is changed every 2000 hours.", False),
        ("The oil is changed every 2000 hours.", "The filter is cleaned after 4000 starts.", False),
        ("Pump 1 runs at 25 Hz in winter.", "Pump 2 runs at 40 Hz in winter.", False),
        ("Open the left valve by hand.", "Open the left valve by hand.", False),
    ],
)
def test_two_passages_that_give_different_figures(first: str, second: str, clashes: bool) -> None:
    """One statement with two figures is a contradiction; other machines, other units and equal figures are not."""
    found = find_contradictions([Said("M1", "1", f"Intro. {first}"), Said("M2", "4", second)])
    assert bool(found) is clashes
    if found:
        assert found[0].first_quote == first and found[0].second_quote == second
        assert found[0].first_figure != found[0].second_figure


@given(st.lists(st.text(max_size=200), max_size=4))
def test_contradictions_in_any_texts(texts: list[str]) -> None:
    """Any texts can be compared; what is quoted stands in them."""
    for clash in find_contradictions([Said("M1", str(i), text) for i, text in enumerate(texts)]):
        assert clash.first_quote in texts[clash.first] and clash.second_quote in texts[clash.second]
