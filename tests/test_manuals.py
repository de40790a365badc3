"""The manuals plugin: whole sections with their place, names in a question, the kb command."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from agent.env import Env, load_env
from agent.errors import DatabaseError, ManualError
from agent.tools import Tool, TurnView
from agent.values import Language, ToolResult
from knowledge.ingest import add_file
from knowledge.search import find
from plugins import manuals
from plugins.manuals.meanings import MeaningOfBox
from plugins.manuals.tools import open_store

PLANT_CLOCK = datetime(2024, 12, 15, 20, 50)
EXAMPLE = Path(__file__).parent.parent / "deploy" / "example"


@pytest.fixture
def blank(tmp_path: Path) -> Env:
    return load_env({"WATCHKEEPER_HOME": str(tmp_path / "home")})


@pytest.fixture
def plant(blank: Env) -> Env:
    assert command(blank, "kb", "add", str(EXAMPLE / "manuals")).exit_code == 0
    return blank


def command(env: Env, *words: str) -> Result:
    cli = typer.Typer()

    @cli.callback()
    def root(context: typer.Context) -> None:
        context.obj = env

    manuals.register_commands(cli)
    return CliRunner().invoke(cli, list(words))


def run(env: Env, name: str, turn: TurnView, **arguments: str) -> ToolResult:
    tools: dict[str, Tool] = {tool.name: tool for tool in manuals.register_tools(env)}
    return tools[name].run(arguments, turn)


def view(language: Language = "zh") -> TurnView:
    return TurnView("?", language, PLANT_CLOCK, None)


def test_a_passage_is_the_whole_section(plant: Env) -> None:
    """The first passage is the section of the alarm in the turn's language, with every step of its list."""
    zh = run(plant, "search_manuals", view(), query="循环变频故障").passages
    assert (zh[0].citation, zh[0].heading, zh[0].language) == ("M1 §6.2", "循环变频故障", "zh")
    assert "1. 确认备用循环泵已自动投入" in zh[0].text and "6. 24 小时内再次跳闸时不得复位" in zh[0].text
    en = run(plant, "search_manuals", view("en"), query="循环变频故障").passages
    assert en[0].citation == "M2 §6.2" and "\n6. If it trips again" in en[0].text
    assert len(zh) <= plant.settings.knowledge.max_passages


def test_a_cut_section_is_given_whole(blank: Env, tmp_path: Path) -> None:
    """A section that was cut for search comes back in one piece where the settings allow its length."""
    text = "# Book\n\n## 1 Flushing\n\n" + "\n\n".join(f"Paragraph {i}: flushing {'word ' * 90}" for i in range(4))
    (tmp_path / "m.md").write_text(text, "utf-8")
    command(blank, "kb", "add", str(tmp_path / "m.md"))
    found = run(blank, "search_manuals", view("en"), query="flushing").passages
    assert len(found) == 1 and "Paragraph 0" in found[0].text and "Paragraph 3" in found[0].text


def test_what_is_not_in_the_manuals_is_said(plant: Env) -> None:
    """No passage, and a note that says so in both languages."""
    result = run(plant, "search_manuals", view(), query="锅炉爆管")
    assert result.passages == () and result.notes[0]["zh"] == "手册中没有找到“锅炉爆管”"


def test_a_store_that_cannot_be_read_is_for_a_person(blank: Env) -> None:
    """Missing or damaged: one line that says what to do, exit code 2; names in a question are simply none."""
    with pytest.raises(DatabaseError, match="watchkeeper kb add") as missing:
        run(blank, "search_manuals", view(), query="x")
    assert missing.value.exit_code == 2
    assert list(manuals.find_terms("循环变频故障", blank)) == []
    assert [finding.ok for finding in manuals.check_health(blank)] == [False]
    blank.home.knowledge_db.write_bytes(b"this is not a database" * 100)
    with pytest.raises(DatabaseError, match="damaged or not a store of manuals"):
        run(blank, "search_manuals", view(), query="x")
    assert list(manuals.find_terms("循环变频故障", blank)) == []


def test_names_in_a_question(plant: Env) -> None:
    """Alarms, limit names and fault codes of the books; an English heading gives the lamp text that it names."""

    def found(question: str) -> list[tuple[str, str]]:
        return [(term.kind, term.value) for term in manuals.find_terms(question, plant)]

    assert found("循环变频故障这个报警灯代表什么?") == [("alarm", "循环变频故障")]
    assert found("What does the circulation VFD fault mean?") == [("alarm", "循环变频故障")]
    assert found("供水温度正常吗") == [("label", "供水温度")]
    assert found("变频器报 f0021 怎么办") == [("alarm", "F0021")]
    assert found("F00215?") == []
    assert found("'; DROP TABLE names; --\x00") == []


def test_commands(plant: Env, tmp_path: Path) -> None:
    """add, list, search, show and remove work, with one JSON object a line."""
    again = command(plant, "kb", "add", "--json", str(EXAMPLE / "manuals"))
    assert [json.loads(line)["change"] for line in again.stdout.splitlines()] == ["unchanged"] * 3
    assert [json.loads(x)["id"] for x in command(plant, "kb", "list", "--json").stdout.splitlines()] == [
        "M1",
        "M2",
        "M3",
    ]
    first = json.loads(command(plant, "kb", "search", "循环变频故障", "--json").stdout.splitlines()[0])
    assert (first["document"], first["section"]) == ("M1", "6.2")
    assert "上锁挂牌" in command(plant, "kb", "show", "m1", "§6.2").stdout
    assert "M3 3.1  故障代码表" in command(plant, "kb", "show", "M3").stdout
    assert command(plant, "kb", "remove", "M2").exit_code == 0
    assert len(command(plant, "kb", "list").stdout.splitlines()) == 2
    assert "Example:" in command(plant, "kb", "add", "--help").stdout


def test_commands_tell_what_is_wrong(plant: Env, tmp_path: Path) -> None:
    """A bad file ends with exit code 2 and its reason, and the good ones beside it are in."""
    (tmp_path / "good.md").write_text("# Good\n\nText.", "utf-8")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4 cut")
    result = command(plant, "kb", "add", str(tmp_path / "bad.pdf"), str(tmp_path / "good.md"))
    assert isinstance(result.exception, ManualError) and result.exception.exit_code == 2
    assert "bad.pdf" in str(result.exception) and "M4  added" in result.stdout
    for words in (
        ("kb", "show", "M9"),
        ("kb", "remove", "x"),
        ("kb", "show", "M1", "99"),
        ("kb", "add", str(tmp_path / "no")),
    ):
        assert isinstance(command(plant, *words).exception, ManualError)


@pytest.mark.weights
def test_the_encoder_is_loaded_once_a_process(weights_env: Env) -> None:
    """Whoever asks for meanings gets the one encoder, so that tools can be made as often as wanted."""
    first, second = MeaningOfBox(weights_env).get(), MeaningOfBox(weights_env).get()
    if first is None or second is None:
        pytest.skip("the sentence encoder is not among the real weights here")
    assert first.embedder is second.embedder


@pytest.mark.weights
def test_a_chinese_question_finds_an_english_book_by_the_dictionary(weights_env: Env, tmp_path: Path) -> None:
    """Words that only a dictionary knows lead from one language to the other; what the book lacks is not found."""
    store, meaning = open_store(weights_env), MeaningOfBox(weights_env)
    loaded = meaning.get()
    if loaded is None or loaded.dictionary is None:
        pytest.skip("encoder and dictionary are not among the real weights here")
    book = tmp_path / "lathe.md"
    book.write_text(
        "# Lathe\n\n## 1 Coolant\n\nKeep it between 6 % and 8 %.\n\n"
        "## 2 Tailstock\n\nSet the clamping force.\n\n## 3 Turret\n\nThe decibel meter reads 74 dB beside it.\n",
        "utf-8",
    )
    add_file(store, book, max_bytes=10_000, max_pages=1, passage_chars=1_200)
    meaning.bring_up_to_date(store)
    assert [hit.section for hit in find(store, "车床多少分贝?", limit=3, meaning=loaded).hits] == ["3"]
    assert find(store, "车床的保修期多久?", limit=3, meaning=loaded).hits == []
