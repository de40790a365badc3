"""Rows of `make bench-server` against llama.cpp's own server: the same file, settings, words and photos over HTTP.

Both are asked for chat completions with a photo as data URI, streamed; what counts is the time from sending the request
to the first piece of the answer. Several questions are asked about each photo; for each of them the two take turns, so
that what else the machine does falls on both. The model is the random Qwen3-VL-2B of true size, with the projector in
F16. Ours replies as a bare model, as the other does, where the client has the loop: it is told of a function that may
not be called, which is no part of the prompt.
"""

from __future__ import annotations

import base64
import http.client
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from tests.bench.llama_server import Server as Peer
from tests.bench.llama_server import ServerMissing, build_server
from tests.bench.model_photo import LOOK_SYSTEM
from tests.bench.model_work import PHOTO_QUESTIONS, Loaded, photo_png
from tests.bench.server_process import OK, running
from tests.bench.server_vision import vision_files
from tests.bench.table import Row, at_most, told

__all__ = ["peer_rows"]

OURS, PEER = "ours", "llama.cpp's server"
NAMES = ("first question on a photo", "second", "third")
RESTARTED = "one more after both were started again"
BARE = {"tools": [{"type": "function", "function": {"name": "none"}}], "tool_choice": "none"}
Took = dict[str, list[float]]
"""Party → seconds."""
REPLY_TOKENS, ANSWER_SECONDS = 16, 300
WORSE = 1.0


def peer_rows(home: Path, photos: int) -> list[Row]:
    """Time to the first word, ours as a share of the peer's; rows without a figure where there is no peer."""
    loaded, found = vision_files(), dict[str, Took]()
    questions = dict(zip((*NAMES, RESTARTED), PHOTO_QUESTIONS, strict=True))
    again = {RESTARTED: questions.pop(RESTARTED)}
    try:
        for asked in (questions, again):
            with _both(home, loaded) as ports:
                found |= _measured(ports, asked, photos)
    except ServerMissing as error:
        print(f"bench-server: no llama-server to compare with: {error}", file=sys.stderr)
        return [Row(_named(name), None, "", None) for name in (*NAMES, RESTARTED)]
    return [row for name, took in found.items() for row in _rows(name, took)]


@contextmanager
def _both(home: Path, loaded: Loaded) -> Iterator[Mapping[str, int]]:
    """Both running: their ports.

    :raises ServerMissing: the peer cannot be had.
    """
    model, command = loaded.model.parent.name, ("-m", "tests.bench.server_vision")
    more = {"WATCHKEEPER_SERVER__PORT": "0", "WATCHKEEPER_LADDER__GOLDEN": "false"}
    with Peer(build_server(), loaded) as peer, running(home, model, command=command, more=more) as ours:
        yield {OURS: ours.port, PEER: peer.port}


def _measured(ports: Mapping[str, int], questions: Mapping[str, str], photos: int) -> dict[str, Took]:
    """Seconds for each question, about each photo."""
    more = {OURS: BARE, PEER: dict[str, object]()}
    found: dict[str, Took] = {name: {party: [] for party in ports} for name in questions}
    for party, port in ports.items():
        first_word_s(port, [{"role": "user", "content": "?"}], more[party])
    for photo in range(photos):
        url = "data:image/png;base64," + base64.b64encode(photo_png(photo)).decode()
        for name, question in questions.items():
            for party, port in ports.items():
                found[name][party].append(first_word_s(port, _messages(question, url), more[party]))
    return found


def _messages(question: str, url: str) -> Sequence[dict[str, object]]:
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": question}]
    return [{"role": "system", "content": LOOK_SYSTEM}, {"role": "user", "content": content}]


def first_word_s(port: int, messages: Sequence[Mapping[str, object]], more: Mapping[str, object]) -> float:
    """Seconds until the first piece of an answer is here; the answer is read to its end.

    :param more: of the request.
    :raises SystemExit: it is refused, or nothing is said.
    """
    body = {
        "messages": messages,
        "max_tokens": REPLY_TOKENS,
        "temperature": 0,
        "stream": True,
        **more,
    }
    seconds = 0.0
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)) as wire:
        began = time.perf_counter()
        wire.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        answer = wire.getresponse()
        if answer.status != OK:
            raise SystemExit(f"bench-server: a photo is refused: {answer.read().decode()[:300]}")
        for line in answer:
            if not seconds and _says(line):
                seconds = time.perf_counter() - began
    if not seconds:
        raise SystemExit("bench-server: nothing was said about a photo")
    return seconds


def _says(line: bytes) -> bool:
    """Whether a line of the stream holds some of the answer."""
    if not line.startswith(b"data: {"):
        return False
    choices = json.loads(line[6:]).get("choices") or [{}]
    return bool(choices[0].get("delta", {}).get("content"))


def _rows(name: str, took: Took) -> list[Row]:
    ours, peer = median(took[OURS]), median(took[PEER])
    return [at_most(_named(name), ours / peer, WORSE), told(f"  {OURS} (s)", ours), told(f"  {PEER} (s)", peer)]


def _named(name: str) -> str:
    return f"{name}: time to the first word, share of {PEER}"
