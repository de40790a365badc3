"""The demo's promises, end to end on real parts: the sample plant, the real reader of panels, the real 0.5B and
rules.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.cli import run
from agent.env import Env
from agent.errors import IntegrityError
from agent.messages import ToolCall
from agent.tools import TurnView
from agent.turn import Conversation, TurnRecord
from agent.values import ToolResult
from tests.bench.plant import EXAMPLE, PANEL, plant_agent, plant_env

pytestmark = pytest.mark.weights

SMALL = "qwen2.5-0.5b"
ZH = (
    "循环变频故障这个报警灯代表什么?最近三天有没有类似记录?该怎么处理?",
    "Which readings on this panel are out of range?",
    "补水变频故障呢,最近一个月发生了几次?",
)
EN = (
    "What does the alarm lamp 循环变频故障 mean? Were there similar records in the last three days? "
    "What should be done?",
    "面板上哪些读数超出范围?",
    "How often did 补水变频故障 happen in the last month?",
)
HISTORY = ("E247", "E239", "E237")
MONTH = {"E242", "E230", "E209", "E206", "E205", "E202", "E188", "E187", "E172", "E171", "E168", "E167"}
NUMBER = re.compile(r"\d+(?:\.\d+)?")
CITATION = re.compile(r"\[[A-Z]\d+[^\]]*\]")


@dataclass
class Demo:
    """Both conversations of the demo as one rung answered them."""

    rung: str
    env: Env
    records: dict[str, list[TurnRecord]] = field(default_factory=dict)
    results: dict[str, list[ToolResult]] = field(default_factory=dict)
    """What the tools returned, by the id of the turn."""
    rows: int = 0


@pytest.fixture(scope="module", params=["rules", SMALL])
def demo(request: pytest.FixtureRequest, real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    home = tmp_path_factory.mktemp("demo") / "home"
    made = Demo(request.param, plant_env(home, model=request.param, weights=real_weights))
    agent, host = plant_agent(made.env)
    seen: list[ToolResult] = []
    after_call = host.after_call

    def watched(call: ToolCall, result: ToolResult, view: TurnView) -> None:
        seen.append(result)
        after_call(call, result, view)

    host.after_call = watched  # type: ignore[method-assign]
    for language, questions in (("zh", ZH), ("en", EN)):
        conversation = Conversation()
        for question in questions:
            record = agent.ask(question, photo=PANEL, conversation=conversation)
            made.records.setdefault(language, []).append(record)
            made.results[record.id] = seen.copy()
            seen.clear()
    made.rows = agent.trail.verify()
    agent.close()
    return made


def cited(record: TurnRecord, kind: str) -> tuple[str, ...]:
    """What an answer cites of one kind: M passages, E events, R readings, L lamps."""
    return tuple(citation for citation in record.answer.citations if citation.startswith(kind))


@pytest.mark.parametrize(("language", "section"), [("zh", "M1 §6.2"), ("en", "M2 §6.2")])
def test_the_alarm_lamp(demo: Demo, language: str, section: str) -> None:
    """The right section of the manual in the person's language, and exactly the matching events."""
    record = demo.records[language][0]
    assert record.rung == demo.rung and record.falls == () and record.problems == ()
    assert record.answer.language == language
    assert cited(record, "M") == (section,)
    assert cited(record, "E") == HISTORY
    assert cited(record, "L") == ("L1",) and cited(record, "R") == ()
    meaning, before, steps = record.answer.parts
    assert section in meaning.citations and section in steps.citations
    assert before.citations == HISTORY
    assert "6. " in "\n".join(steps.lines)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_quotes_are_word_for_word(demo: Demo, language: str) -> None:
    """Each quoted sentence and each step stands in the manual that is cited, markup and line ends aside."""
    name = "1-heat-station-zh.md" if language == "zh" else "2-heat-station-en.md"
    manual = plain((EXAMPLE / "manuals" / name).read_text(encoding="utf-8"))
    quoted = [
        line
        for part in demo.records[language][0].answer.parts
        for line in "\n".join(part.lines).splitlines()
        if re.match(r"\d\. ", line) or " §" in line
    ]
    assert len(quoted) == 7
    assert [line for line in quoted if plain(CITATION.sub("", line)) not in manual] == []


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*`]", "", text).split())


@pytest.mark.parametrize(("language", "section"), [("zh", "M2 §3.2"), ("en", "M1 §3.2")])
def test_the_readings_out_of_range(demo: Demo, language: str, section: str) -> None:
    """Exactly the four that are beyond the manual's limits, in the language of that question."""
    record = demo.records[language][1]
    assert len(cited(record, "R")) == 4
    assert cited(record, "M") == (section,) and cited(record, "E") == ()
    assert record.perception is not None
    shown = {record.perception.readings[int(citation[1:]) - 1].label for citation in cited(record, "R")}
    assert {"供水温度", "回水压力", "供水压力", "集水坑池液位"} == shown


@pytest.mark.parametrize("language", ["zh", "en"])
def test_another_alarm_in_the_same_conversation(demo: Demo, language: str) -> None:
    """How often: the number of events is the log's, whichever tool found it."""
    record = demo.records[language][2]
    assert set(cited(record, "E")) <= MONTH and len(cited(record, "E")) >= 5
    assert f"{len(MONTH)} 条" in record.answer.text or f"{len(MONTH)} events" in record.answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_photo_is_read_once(demo: Demo, language: str) -> None:
    """Every further question has the same perception, out of the cache, in a fraction of the time."""
    first, *later = [record for records in demo.records.values() for record in records]
    assert first.perception is not None
    assert {record.perception.photo for record in later if record.perception} == {first.perception.photo}
    assert all(record.stages_ms["panel"] < first.stages_ms["panel"] / 2 for record in later)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_number_has_its_evidence(demo: Demo, language: str) -> None:
    """No figure in an answer that no tool returned, no passage holds and nobody asked with."""
    for record in demo.records[language]:
        assert record.perception is not None
        told = [record.question, *(lamp.label for lamp in record.perception.lamps)]
        for result in demo.results[record.id]:
            told += [line for found in result.records for line in found.line.values()]
            told += [line for note in result.notes for line in note.values()]
            told += [passage.text for passage in result.passages]
        known = set(NUMBER.findall(" ".join(told)))
        said = set(NUMBER.findall(CITATION.sub("", record.answer.text).replace(SMALL, "")))
        assert said <= known, said - known


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_rung_that_spoke_is_known(demo: Demo, language: str) -> None:
    """Rules say so in the answer; a model that is well needs no remark."""
    for record in demo.records[language]:
        assert record.rung == demo.rung
        told = "规则" in record.answer.text or "by rules" in record.answer.text
        assert told == (demo.rung == "rules")


def test_the_trail_is_whole_until_somebody_edits_it(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`audit verify` counts the rows of all turns; after an edit with sqlite3 it names the row."""
    home = tmp_path / "home"
    shutil.copytree(demo.env.home.folder, home)
    monkeypatch.setenv("WATCHKEEPER_HOME", str(home))
    assert demo.rows > 30 and run(["audit", "verify"]) == 0
    database = sqlite3.connect(home / "watch.db")
    database.execute("UPDATE audit SET body = replace(body, 'E239', 'E238') WHERE kind = 'turn_finished'")
    database.commit()
    database.close()
    assert run(["audit", "verify"]) == IntegrityError.exit_code


# --- a weight file that has gone bad ---


@pytest.fixture
def spoilable(tmp_path: Path, real_weights: Path) -> Iterator[Path]:
    """A folder with copies of the 0.5B and the small reader; the real files are never touched."""
    folder = tmp_path / "weights"
    for name in (SMALL, "ocr-small"):
        shutil.copytree(real_weights / name, folder / name)
    yield folder
    shutil.rmtree(folder)


def flip_a_byte(path: Path) -> None:
    """What a worn-out card does: another bit, the same size, the same time."""
    before = path.stat()
    assert before.st_nlink == 1
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)[0]
        file.seek(before.st_size // 2)
        file.write(bytes([byte ^ 0x10]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_flipped_byte(
    tmp_path: Path, spoilable: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next rung answers, and the answer, the next process, `doctor` and the trail say so."""
    home = tmp_path / "home"
    plant_env(home, model=SMALL, weights=spoilable)
    monkeypatch.setenv("WATCHKEEPER_HOME", str(home))
    monkeypatch.setenv("WATCHKEEPER_CONFIG", str(EXAMPLE / "watchkeeper.toml"))
    monkeypatch.setenv("WATCHKEEPER_WEIGHTS__FOLDER", str(spoilable))
    monkeypatch.setenv("WATCHKEEPER_MODEL__NAME", SMALL)
    flip_a_byte(next((spoilable / SMALL).glob("*.gguf")))

    for _ in range(2):
        assert run(["ask", "--json", "--photo", str(PANEL), ZH[0]]) == 0
        value = json.loads(capsys.readouterr().out)
        assert value["rung"] == "rules"
        assert SMALL in {fall["rung"] for fall in value["falls"]}
        assert SMALL in value["answer"] and "规则" in value["answer"]
        assert [c for c in value["citations"] if c[0] in "ME"] == ["M1 §6.2", *HISTORY]
    assert list((spoilable / SMALL).glob("*.gguf.bad")) and not list((spoilable / SMALL).glob("*.gguf"))
    assert run(["doctor", "--json"]) == 3
    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    bad = [finding for finding in findings if SMALL in finding["name"]]
    assert bad and not bad[0]["ok"] and "wrong bytes" in bad[0]["text"] and f"repair {SMALL}" in bad[0]["text"]
    assert run(["audit", "list", "--newest", "100", "--json"]) == 0
    finished = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(SMALL in json.dumps(row["body"]) for row in finished if row["kind"] == "turn_finished")
    assert run(["audit", "verify"]) == 0
