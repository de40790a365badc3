"""The manuals half of `make score-answers`: questions about books asked through the search and through the whole agent.

A folder laid out as `manuals/` has books and `qa.jsonl` with `doc`, `question`, `answer`, `section`, `quote`, `kind`.
A kind that says refuse or unanswerable, or an empty answer, means that the books do not say it. The passage is right
where it holds the quote or stands in the section; the answer, where it holds the quote, quotes a part of it, or holds
all figures and most words of the expected answer.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.commands.ask import build_agent
from agent.env import Env, load_env
from agent.plugin_host import load_plugins
from agent.turn import TurnRecord
from knowledge.ingest import add_file, find_files
from knowledge.search import Hit, search
from knowledge.tokens import tokens
from plugins.manuals.meanings import MeaningOfBox
from plugins.manuals.tools import open_store
from tests.bench.plant import weights_folder
from tests.bench.series_answers import Watched, invented
from tests.bench.table import Row, at_least, at_most

__all__ = ["manual_rows"]

Question = Mapping[str, Any]
_REFUSED = re.compile(r"refus|unanswer|not.?in|absent|negative", re.IGNORECASE)
_TOP = 3
_SHORTEST_QUOTE = 6
"""A shorter piece of the expected quote proves nothing."""
_MOST = 0.6
"""Of the expected answer's words."""


def manual_rows(folder: Path, home: Path, model: str, *, show: bool = False) -> list[Row]:
    """Ask the questions of a folder.

    :param home: of the box that asks; its books are read in here.
    :param model: name of the rung.
    """
    questions = [json.loads(line) for line in (folder / "qa.jsonl").read_text(encoding="utf-8").splitlines() if line]
    env = load_env(
        {
            "WATCHKEEPER_HOME": str(home),
            "WATCHKEEPER_WEIGHTS__FOLDER": str(weights_folder()),
            "WATCHKEEPER_MODEL__NAME": model,
            "WATCHKEEPER_MODEL__RESULT_CACHE_ROWS": "0",
        }
    )
    for path in find_files([path for path in sorted(folder.iterdir()) if path.name != "qa.jsonl"]):
        limits = env.settings.knowledge
        add_file(
            open_store(env),
            path,
            max_bytes=limits.max_file_bytes,
            max_pages=limits.max_pages,
            passage_chars=limits.passage_chars,
        )
    count = _asked(env, questions, show=show)
    answered = max(1, count["answerable"])
    rows = [
        at_least(f"manuals: right section in the top 3 of {count['answerable']}", count["section"] / answered, 0.95),
        at_least("manuals: the answer holds the expected fact", count["fact"] / answered, 0.85),
        at_most("manuals: numbers in no evidence", count["stray"], 0),
    ]
    if count["unanswerable"]:
        share = count["refused"] / count["unanswerable"]
        rows.append(at_least(f"manuals: refused of {count['unanswerable']} that the books do not answer", share, 1.0))
    return rows


def _asked(env: Env, questions: Sequence[Question], *, show: bool) -> Counter[str]:
    store, meaning, count = open_store(env), MeaningOfBox(env), Counter[str]()
    meaning.bring_up_to_date(store)
    agent = build_agent(env, load_plugins())
    watched = Watched(agent)
    for one in questions:
        hits = search(store, one["question"], limit=_TOP, meaning=meaning.get())
        watched.texts.clear()
        record = agent.ask(one["question"])
        stray = invented(record, watched.texts)
        count["stray"] += len(stray)
        if not one.get("answer") or _REFUSED.search(one.get("kind", "")):
            results = {"refused": not _quotes(record)}
            count["unanswerable"] += 1
        else:
            results = {"section": any(_is_there(hit, one) for hit in hits), "fact": _holds(record.answer.text, one)}
            count["answerable"] += 1
        for name, right in results.items():
            count[name] += right
        if show and (stray or not all(results.values())):
            found = [f"{hit.section} {hit.heading}".strip() for hit in hits]
            print(f"{one['question']}\n   {results}, stray {sorted(stray)}, wanted {one['section']}, found {found}")
            print(f"   {record.answer.text[:300]!r}")
    agent.close()
    return count


def _quotes(record: TurnRecord) -> bool:
    """Whether an answer leans on a book."""
    return any(citation.startswith("M") for part in record.answer.parts for citation in part.citations)


def _is_there(hit: Hit, wanted: Question) -> bool:
    """The passage holds the quote, or stands in the section."""
    if _plain(wanted["quote"]) in _plain(hit.text):
        return True
    last = _plain(re.split(r"\s*/\s*", wanted["section"])[-1])
    return bool(last) and last in _plain(f"{hit.path} {hit.section} {hit.heading}")


def _holds(text: str, wanted: Question) -> bool:
    said, quote = _plain(text), _plain(wanted["quote"])
    if quote in said:
        return True
    lines = [_plain(line) for line in text.splitlines()]
    if any(len(line) >= _SHORTEST_QUOTE and line in quote for line in lines):
        return True
    numbers = re.findall(r"\d+(?:\.\d+)?", wanted["answer"])
    words = {word for word in tokens(wanted["answer"]) if not word.isdigit()}
    held = words & set(tokens(text))
    return all(number in text for number in numbers) and len(held) >= _MOST * max(1, len(words))


def _plain(text: str) -> str:
    """Without spaces and marks of Markdown, full-width as half-width."""
    return re.sub(r"[\s*`_|#]+", "", unicodedata.normalize("NFKC", text)).casefold()
