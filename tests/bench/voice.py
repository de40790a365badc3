"""`make bench-voice`: sentences of ours, spoken by the box's own voice, through rooms, and through the ears again.

errors      characters (Chinese) or words (English) that are wrong, of what was said; numbers are compared as numbers
right       sentences after which the very same is ordered as by the typed sentence, with or without a person's yes
moves else  sentences after which something is moved, without a person's yes, that the typed sentence does not move
action      from the end of speech until the orders are read, synthesised Chinese, clean: silence by which the end is
            known, hearing, reading
first sound from the end of speech until the first sound of the reply is there
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cn2an
import numpy as np
import psutil

from agent.env import Env, load_env
from agent.home import find_home
from agent.model.rules import RulesModel
from agent.orders import Heard
from agent.values import Language
from agent.voice.endpoint import Endpoint
from agent.voice.sound import HEARD_RATE, Sound, joined
from agent.voice.voice import Voice
from plugins.devices.plugin import plugin
from tests.bench.table import Row, at_most, print_rows, told
from tests.spoken.rooms import CONDITIONS, padded

SENTENCES = Path(__file__).parent.parent / "spoken" / "sentences.jsonl"
HOME = Path(__file__).parent.parent.parent / "deploy" / "example" / "home" / "devices.toml"
MAX_ACTION_SECONDS = 1.5
_DIGITS = {
    "twenty two and a half": "22.5", "twenty four": "24", "twenty six": "26", "twenty two": "22", "thirty": "30",
    "fifty": "50",
}  # fmt: skip
Calls = list[tuple[str, bool]]
"""Arguments as JSON, and whether the words alone are enough."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence that was said, and what became of it."""

    text: str
    language: Language
    condition: str
    heard: str
    wrong: float
    """Edits, of its characters or words."""
    length: int
    orders: bool
    right: bool
    moved_wrong: bool
    seconds: float
    """Until its orders were read, from when its end was known."""
    wait: float
    """Seconds of silence until that."""
    refused: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="list what was not heard right")
    parser.add_argument("--beams", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = bench_env(Path(folder), beams=options.beams)
        with opened(env) as voice:
            done = list(measure(env, voice))
            rows = [*accuracy(done), *latency(env, voice, done), *memory()]
    if options.show:
        for one in done:
            if not one.right or one.moved_wrong:
                mark = "  MOVES ELSE" if one.moved_wrong else ""
                print(f"{one.condition:6} {one.text} → {one.heard or one.refused}{mark}")
    print_rows(rows, sentences=len(done))


def bench_env(folder: Path, *, beams: int = 0) -> Env:
    """A box with the example home and the real weights."""
    environ = {"WATCHKEEPER_HOME": str(folder), "WATCHKEEPER_WEIGHTS__FOLDER": str(find_home().weights)}
    if beams:
        environ["WATCHKEEPER_VOICE__BEAMS"] = str(beams)
    env = load_env(environ)
    env.home.devices.write_bytes(HOME.read_bytes())
    return env


@contextmanager
def opened(env: Env) -> Iterator[Voice]:
    """Ears and mouth, loaded."""
    voice = Voice(env, lambda: plugin.names_to_hear(env))
    try:
        assert voice.listens, voice.deaf
        assert voice.speaks, voice.mute
        voice.warm()
        yield voice
    finally:
        voice.close()
        plugin.shutdown(env)


def measure(env: Env, voice: Voice) -> Iterator[Spoken]:
    """Every sentence in every room."""
    for number, line in enumerate(SENTENCES.read_text(encoding="utf-8").splitlines()):
        said: dict[str, Any] = json.loads(line)
        text, language = said["text"], said["language"]
        wanted = calls(env, text)
        sound = joined(list(voice.spoken(text, language)))
        for condition, room in CONDITIONS.items():
            yield one(env, voice, text, language, condition, room(sound, number), wanted)


def one(env: Env, voice: Voice, text: str, language: Language, condition: str, sound: Sound, wanted: Calls) -> Spoken:
    """A sentence in one room."""
    begun = time.perf_counter()
    heard = voice.hear(sound)
    found = calls(env, heard.text) if heard.text else []
    seconds = time.perf_counter() - begun
    truth, got = units(text, language), units(heard.text, language)
    moved_wrong = any(free and (call, free) not in wanted for call, free in found)
    wait = silence(voice, sound, env) if condition == "clean" and language == "zh" else 0.0
    refused = heard.refused["en"] if heard.refused else ""
    return Spoken(
        text, language, condition, heard.text, edits(truth, got), len(truth), bool(wanted), found == wanted,
        moved_wrong, seconds, wait, refused,
    )  # fmt: skip


def calls(env: Env, text: str) -> Calls:
    """What a text orders."""
    found = plugin.read_orders(text, env, Heard(area="living"), RulesModel())
    orders = [] if found is None else [o for o in found.orders if o.call and o.call.tool == "write_point"]
    return sorted((json.dumps(dict(o.call.arguments), sort_keys=True), o.own_words) for o in orders if o.call)


def silence(voice: Voice, sound: Sound, env: Env) -> float:
    """After how much silence behind the last loud sample the end of an utterance is known."""
    last = int(np.flatnonzero(np.abs(sound.samples) > 0.02)[-1])
    endpoint = Endpoint(env.settings.voice, voice.speech)
    whole = padded(sound, 2.5).samples
    for at in range(0, len(whole), 480):
        if endpoint.feed(whole[at : at + 480]) == "ended":
            return (at + 480 - last) / HEARD_RATE - 2.5
    return 2.5


def units(text: str, language: Language) -> list[str]:
    """Characters or words to be compared; numbers as figures."""
    if language == "zh":
        figures = cn2an.transform(text, "cn2an")
        return re.findall(r"\d+(?:\.\d+)?|[\u3400-\u9fff]", figures.replace("百分之", "").replace("%", ""))
    plain = text.lower().replace("%", " percent").replace("°", " degrees")
    for words, figure in _DIGITS.items():
        plain = plain.replace(words, figure).replace(words.replace(" ", "-"), figure)
    return re.findall(r"\d+(?:\.\d+)?|[a-z']+", plain)


def edits(truth: Sequence[str], got: Sequence[str]) -> int:
    """Least number of insertions, deletions and changes."""
    row = list(range(len(got) + 1))
    for i, wanted in enumerate(truth, 1):
        before, row[0] = row[0], i
        for j, found in enumerate(got, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (wanted != found))
    return row[-1]


def accuracy(done: Sequence[Spoken]) -> Iterator[Row]:
    """By language and room."""
    for language, unit in (("zh", "characters"), ("en", "words")):
        for condition in CONDITIONS:
            group = [s for s in done if s.language == language and s.condition == condition]
            wrong = sum(s.wrong for s in group) / sum(s.length for s in group)
            right = sum(s.right for s in group if s.orders) / sum(s.orders for s in group)
            yield told(f"{unit} wrong, {language}, {condition}", round(wrong, 4))
            yield told(f"commands fully right, {language}, {condition}", round(right, 3))
    yield told("sentences after which something else moves", float(sum(s.moved_wrong for s in done)))


def latency(env: Env, voice: Voice, done: Sequence[Spoken]) -> Iterator[Row]:
    """How long one waits."""
    spoken = [s for s in done if s.language == "zh" and s.condition == "clean" and s.orders]
    action = sorted(s.seconds + s.wait for s in spoken)
    yield at_most("end of speech to action, Chinese, p50 s", round(median(action), 3), MAX_ACTION_SECONDS)
    yield at_most("the same, p95 s", round(action[int(0.95 * (len(action) - 1))], 3), MAX_ACTION_SECONDS)
    yield told("of that hearing and reading, p50 s", round(median(s.seconds for s in spoken), 3))
    first = []
    for text, language in (
        ("客厅灯:开,已确认。厨房灯:关,已确认。", "zh"),
        ("Living room light: on. Kitchen light: off.", "en"),
    ):
        for _ in range(5):
            begun = time.perf_counter()
            next(voice.spoken(text, language))  # type: ignore[arg-type]
            first.append(time.perf_counter() - begun)
    yield told("first sound of the reply after its text, p50 s", round(median(first), 3))


def memory() -> Iterator[Row]:
    """Of the two processes, in MB."""
    for child in psutil.Process().children(recursive=True):
        with_name = " ".join(child.cmdline())
        for stage in ("ears", "mouth"):
            if f"served_{stage}" in with_name:
                yield told(f"memory of the {stage}, MB", round(child.memory_full_info().pss / 1e6))


if __name__ == "__main__":
    main()
