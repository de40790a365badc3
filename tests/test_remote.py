"""The model on the plant's network, against a real server on loopback that speaks the protocol, and mis-speaks it."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np
import pytest

from agent.errors import BadReply, ModelError, SettingsError
from agent.messages import Message
from agent.model.fits import fit
from agent.model.protocol import ReplyLimits
from agent.model.remote import RemoteModel
from agent.photo import Photo
from agent.settings import RemoteSettings
from agent.tools import tool
from agent.values import ToolResult

CALL = 'start: <tool_call> "\\n{\\"name\\": \\"" ("one" | "two") "\\"}\\n" </tool_call>'
ASK = [Message("user", "what is lit?")]


class Bound:
    def __init__(self, text: str) -> None:
        self._text = text

    def lark(self) -> str:
        return self._text


class Server(ThreadingHTTPServer):
    """Answers each POST with `script(handler)` and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.script: Callable[[Handler], None] = lambda handler: handler.say("hello ", "there")
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of these tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        return

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(body) | {"path": self.path})
        self.server.headers.append(dict(self.headers))
        self.server.script(self)

    def begin(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def event(self, data: object) -> None:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()

    def delta(self, text: str | None, finish: str | None = None) -> None:
        self.event({"choices": [{"delta": {"content": text}, "finish_reason": finish}]})

    def say(self, *pieces: str, finish: str = "stop") -> None:
        self.begin()
        for piece in pieces:
            self.delta(piece)
        self.delta(None, finish)
        details = {"cached_tokens": 7}
        usage = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": details}
        self.event({"choices": [], "usage": usage})
        self.event("[DONE]")


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def settings(server: Server, **more: Any) -> RemoteSettings:
    base = {"url": f"http://127.0.0.1:{server.server_port}/v1/", "model": "qwen3-32b", "read_seconds": 5.0}
    return RemoteSettings.model_validate(base | more)


@pytest.fixture
def model(server: Server) -> Iterator[RemoteModel]:
    opened = RemoteModel(settings(server))
    yield opened
    opened.close()
    opened.close()


def test_a_link_that_dies_without_a_word_is_noticed_by_the_kernel(model: RemoteModel, server: Server) -> None:
    """A cable that is pulled says no farewell: the connection is probed, and given up after `dead_link_seconds`."""
    with model._client.stream("POST", model._address, json={}) as response:
        wire = response.extensions["network_stream"].get_extra_info("socket")
        seen = [wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)]
        seen += [wire.getsockopt(socket.IPPROTO_TCP, option) for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)]
        seen += [wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)]
    assert seen == [1, 2, 2, 6_000]


def test_text_is_streamed_and_counted(model: RemoteModel, server: Server) -> None:
    """Pieces arrive as they are said, add up to the reply, and the server's figures are kept."""
    pieces: list[str] = []
    reply = model.reply(ASK, [], bound=None, limits=ReplyLimits(50, temperature=0.5, seed=3), on_text=pieces.append)
    assert (reply.text, reply.stopped, pieces) == ("hello there", "done", ["hello ", "there"])
    assert (reply.usage.prompt_tokens, reply.usage.reused_tokens, reply.usage.sampled_tokens) == (9, 7, 4)
    asked = server.asked[0]
    assert (
        asked["path"] == "/v1/chat/completions" and asked["model"] == "qwen3-32b" and model.name == "remote:qwen3-32b"
    )
    assert (asked["max_tokens"], asked["temperature"], asked["seed"], asked["stream"]) == (50, 0.5, 3, True)


def test_characters_cut_by_the_network_are_whole(model: RemoteModel, server: Server) -> None:
    """A chunk may end inside a character or a line; the text is whole all the same."""

    def script(handler: Handler) -> None:
        handler.begin()
        data = json.dumps(
            {"choices": [{"delta": {"content": "循环泵🔧"}, "finish_reason": "stop"}]}, ensure_ascii=False
        )
        for byte in f"data: {data}\r\n\r\ndata: [DONE]\r\n\r\n".encode():
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()

    server.script = script
    assert model.reply(ASK, [], bound=None, limits=ReplyLimits(9)).text == "循环泵🔧"


def test_a_bound_reply_is_checked_here(model: RemoteModel, server: Server) -> None:
    """What fits is returned in the grammar's own form, and only then shown; what does not is a BadReply."""
    pieces: list[str] = []
    server.script = lambda handler: handler.say("<tool_call>\n", '{"name": "two"}\n', "</tool_call>\n\n")
    reply = model.reply(ASK, [], bound=Bound(CALL), limits=ReplyLimits(50), on_text=pieces.append)
    assert reply.text == '<tool_call>\n{"name": "two"}\n</tool_call>' and pieces == [reply.text]
    server.script = lambda handler: handler.say('<tool_call>\n{"name": "rm"}\n</tool_call>')
    with pytest.raises(BadReply, match="does not fit"):
        model.reply(ASK, [], bound=Bound(CALL), limits=ReplyLimits(50), on_text=pieces.append)
    assert len(pieces) == 1


@pytest.mark.parametrize(
    ("by", "key"), [("nothing", None), ("vllm", "structured_outputs"), ("llama-server", "grammar")]
)
def test_the_server_is_told_the_grammar_as_it_takes_it(server: Server, by: str, key: str | None) -> None:
    """Each kind of server gets the bound in its own words; by default none does."""
    server.script = lambda handler: handler.say('<tool_call>\n{"name": "one"}\n</tool_call>')
    opened = RemoteModel(settings(server, bound_by=by))
    opened.reply(ASK, [], bound=Bound(CALL), limits=ReplyLimits(50))
    opened.close()
    told = {name: server.asked[0][name] for name in ("structured_outputs", "grammar") if name in server.asked[0]}
    assert list(told) == ([key] if key else [])
    assert all(CALL in json.dumps(value) or CALL in str(value) or CALL in value["grammar"] for value in told.values())


def test_tools_and_results_are_text(model: RemoteModel, server: Server) -> None:
    """Tools stand in the system message and results in a user message, as Qwen writes them."""

    @tool(risk="read")
    def find(word: str) -> ToolResult:
        """Find a word."""
        return ToolResult()

    model.reply([*ASK, Message("tool", "E17")], [find], bound=None, limits=ReplyLimits(9))
    system, question, result = server.asked[0]["messages"]
    assert system["role"] == "system" and '"name": "find"' in system["content"]
    assert question == {"role": "user", "content": "what is lit?"}
    assert result == {"role": "user", "content": "<tool_response>\nE17\n</tool_response>"}


def test_photos_leave_the_box_only_when_settings_say_so(server: Server) -> None:
    """Off: no pixel is sent. On: a data URI, scaled, never an address."""
    pixels = np.zeros((40, 4_000, 3), np.uint8)
    pixels[:, :, 0] = 200
    ask = [Message("user", "what?", Photo(pixels, "d", "p.png"))]
    for send in (False, True):
        opened = RemoteModel(settings(server, send_photos=send, photo_side_px=1_000))
        assert opened.sees is send
        opened.reply(ask, [], bound=None, limits=ReplyLimits(9))
        opened.close()
    assert server.asked[0]["messages"][0]["content"] == "what?"
    url = server.asked[1]["messages"][0]["content"][0]["image_url"]["url"]
    head, _, data = url.partition(",")
    image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert head == "data:image/jpeg;base64" and image is not None and image.shape == (10, 1_000, 3)
    assert image[5, 500, 2] > 150 > image[5, 500, 0]


def drop(handler: Handler) -> None:
    handler.begin()
    handler.delta("half an ans")
    handler.wfile.flush()


def hang_up(handler: Handler) -> None:
    handler.connection.close()


def fail(handler: Handler) -> None:
    handler.begin(500, "text/plain")
    handler.wfile.write(b"out of memory\x1b[31m " + b"x" * 9_999)


def redirect(handler: Handler) -> None:
    handler.begin(302, "text/plain", Location="http://127.0.0.1:1/elsewhere")


def page(handler: Handler) -> None:
    handler.begin(200, "text/html")
    handler.wfile.write(b"<html>login</html>")


def squeezed(handler: Handler) -> None:
    handler.begin(200, Content_Encoding="gzip")


def flood(handler: Handler) -> None:
    handler.begin()
    for _ in range(400):
        handler.wfile.write(b"x" * 10_000)


def stream(*events: object) -> Callable[[Handler], None]:
    def script(handler: Handler) -> None:
        handler.begin()
        for event in events:
            handler.event(event)

    return script


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (drop, "broke off after 1"),
        (hang_up, "Error"),
        (fail, "500: out of memory"),
        (redirect, "answered 302"),
        (page, "not an event stream"),
        (squeezed, "not an event stream"),
        (flood, "max_reply_bytes"),
        (stream("{not json"), "not a chat completion"),
        (stream("[1, 2]"), "not a chat completion"),
        (stream("null"), "not a chat completion"),
        (stream("[" * 100_000), "not a chat completion"),
        (stream({"choices": 7}), "not a chat completion"),
        (stream({"choices": [{"delta": {"content": {"a": 1}}}]}), "not a chat completion"),
        (stream({"error": {"message": "no such model"}}), "no such model"),
        (stream(), "broke off after 0"),
    ],
)
def test_every_failure_of_a_server_is_a_model_error(
    model: RemoteModel, server: Server, script: Callable[[Handler], None], said: str
) -> None:
    """Dropped, wrong, flooding or failing: one clear line with the address, so that the ladder takes the next rung."""
    server.script = script
    with pytest.raises(ModelError, match=said) as caught:
        model.reply(ASK, [], bound=None, limits=ReplyLimits(9))
    assert "127.0.0.1" in str(caught.value) and str(caught.value).isprintable() and len(str(caught.value)) < 400
    server.script = lambda handler: handler.say("well again")
    assert model.reply(ASK, [], bound=None, limits=ReplyLimits(9)).text == "well again"


def test_nobody_there_is_a_model_error() -> None:
    """A refused connection falls to the next rung at once."""
    gone = Server()
    gone.server_close()
    opened = RemoteModel(settings(gone))
    with pytest.raises(ModelError, match="Connect"):
        opened.reply(ASK, [], bound=None, limits=ReplyLimits(9))
    opened.close()


def slow(handler: Handler) -> None:
    handler.begin()
    for _ in range(100):
        handler.delta("a ")
        time.sleep(0.05)


def test_a_silent_server_is_given_up(server: Server) -> None:
    """No byte within `read_seconds`: a model error."""
    server.script = lambda handler: time.sleep(1)
    opened = RemoteModel(settings(server, read_seconds=0.2))
    with pytest.raises(ModelError, match=r"no answer within 0\.2 s"):
        opened.reply(ASK, [], bound=None, limits=ReplyLimits(9))
    opened.close()


def test_deadline_and_cancelling_keep_what_was_said(model: RemoteModel, server: Server) -> None:
    """A slow server is left at the deadline or when asked to, as aborted, with the text so far."""
    server.script = slow
    late = model.reply(ASK, [], bound=None, limits=ReplyLimits(99, deadline=time.monotonic() + 0.3))
    assert late.stopped == "aborted" and late.text.startswith("a ")
    asked: list[int] = []
    limits = ReplyLimits(99, cancelled=lambda: len(asked) > 3)
    stopped = model.reply(ASK, [], bound=None, limits=limits, on_text=lambda _: asked.append(1))
    assert stopped.stopped == "aborted" and len(asked) == 4


def test_a_reply_cut_at_its_limit_says_so(model: RemoteModel, server: Server) -> None:
    """The server's `length` is ours."""
    server.script = lambda handler: handler.say("a", finish="length")
    assert model.reply(ASK, [], bound=Bound(CALL), limits=ReplyLimits(1)).stopped == "length"


def test_the_key_goes_to_the_server_and_nowhere_else(server: Server) -> None:
    """It is sent as a bearer token and stands in no message."""
    server.script = fail
    opened = RemoteModel(settings(server, api_key="geheim-123"))
    with pytest.raises(ModelError) as caught:
        opened.reply(ASK, [], bound=None, limits=ReplyLimits(9))
    opened.close()
    assert server.headers[0]["Authorization"] == "Bearer geheim-123"
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "10.0.0.5:8000", "file:///etc/passwd", "ftp://x/v1", "http://", "http://x\n/"])
def test_only_http_addresses_of_the_settings_count(url: str) -> None:
    """Anything else is a settings error that shows what was written."""
    with pytest.raises(SettingsError, match=r"remote\.url"):
        RemoteModel(RemoteSettings(url=url, model="m"))


def test_a_model_must_be_named() -> None:
    """A server may run several."""
    with pytest.raises(SettingsError, match=r"remote\.model"):
        RemoteModel(RemoteSettings(url="http://127.0.0.1:1/v1"))


def test_texts_are_held_against_a_grammar() -> None:
    """Whole sentences only; special tokens count as spelled; quotes must be word for word."""
    assert fit(CALL, '<tool_call>\n{"name": "one"}\n</tool_call>')
    assert not fit(CALL, '<tool_call>\n{"name": "one"}\n')
    quote = 'start: "循环 → " %regex {"substring_chars": "变频器停机输出"} "\\n"'
    assert fit(quote, "循环 → 停机输出\n") and not fit(quote, "循环 → 输出停机\n")
    with pytest.raises(ModelError, match="does not compile"):
        fit("start: nowhere", "x")
