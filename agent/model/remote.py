"""A model on the plant's network: any server that speaks OpenAI's chat completions, such as vLLM or llama-server.

It is never trusted to keep a bound: the reply is checked here, whatever the server was told. Every way in which a
server can fail is a `ModelError`, so the ladder goes on with the box's own model. What it sends is bounded;
`agent.model.remote_link` is the way to it.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import httpx

from agent.errors import BadReply, ModelError
from agent.messages import Message, Reply, Usage
from agent.model.fits import fit
from agent.model.gbnf import to_gbnf
from agent.model.protocol import Bound, ReplyLimits
from agent.model.remote_link import SHOWN_CHARS, address_of, open_client, printable
from agent.photo import Photo
from agent.settings import RemoteSettings
from agent.tools import Tool

__all__ = ["RemoteModel"]

TOOLS_HEAD = "\n\n# Tools\n<tools>\n"
TOOLS_TAIL = '\n</tools>\nA call is written <tool_call>{"name": …, "arguments": {…}}</tool_call>'
JPEG_QUALITY = 90


@dataclass(slots=True)
class _Heard:
    """What came so far."""

    text: list[str] = field(default_factory=list)
    finish: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    pieces: int = 0
    first: float | None = None


class RemoteModel:
    """Implements `agent.model.protocol.Model`."""

    def __init__(self, settings: RemoteSettings) -> None:
        """
        :raises SettingsError: the address is not an http(s) URL, or no model is named.
        """
        address = address_of(settings)
        self.name = f"remote:{settings.model}"
        self.sees = settings.send_photos
        self._settings = settings
        self._address = f"{address}/chat/completions"
        self._client = open_client(settings)

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """See `agent.model.protocol.Model.reply`. A bound reply is streamed only once it was checked.

        :raises BadReply: the reply does not fit the bound.
        :raises ModelError: unreachable, too slow, an error of the server, or an answer that is not the protocol.
        """
        lark = bound.lark() if bound is not None else None
        began = time.monotonic()
        heard = _Heard()
        live = on_text if lark is None else None
        stopped = self._ask(self._body(messages, tools, lark, limits), heard, limits, live)
        text = "".join(heard.text)
        if lark is not None and stopped == "done":
            text = _fitting(lark, text, self.name)
            if on_text is not None:
                on_text(text)
        return Reply(text, stopped, _usage(heard, began, time.monotonic()))

    def close(self) -> None:
        """Free the connection. Calling it twice is fine."""
        self._client.close()

    def _body(
        self, messages: Sequence[Message], tools: Sequence[Tool], lark: str | None, limits: ReplyLimits
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._settings.model,
            "messages": self._messages(messages, tools),
            "max_tokens": limits.max_tokens,
            "temperature": limits.temperature,
            "seed": limits.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if lark is not None and self._settings.bound_by == "vllm":
            body |= {"structured_outputs": {"grammar": lark}, "skip_special_tokens": False}
        elif lark is not None and self._settings.bound_by == "llama-server":
            body["grammar"] = f"%llguidance {{}}\n{lark}"
        elif lark is not None and self._settings.bound_by == "gbnf" and (translated := to_gbnf(lark)):
            body["grammar"] = translated
        return body

    def _messages(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[dict[str, Any]]:
        plain = [self._message(message) for message in messages]
        if tools:
            described = "\n".join(json.dumps(tool.specification(), ensure_ascii=False) for tool in tools)
            if not plain or plain[0]["role"] != "system":
                plain.insert(0, {"role": "system", "content": ""})
            plain[0]["content"] = (plain[0]["content"] + TOOLS_HEAD + described + TOOLS_TAIL).strip()
        return plain

    def _message(self, message: Message) -> dict[str, Any]:
        if message.role == "tool":
            return {"role": "user", "content": f"<tool_response>\n{message.text}\n</tool_response>"}
        if message.photo is None or not self.sees:
            return {"role": message.role, "content": message.text}
        image = {"type": "image_url", "image_url": {"url": _data_uri(message.photo, self._settings.photo_side_px)}}
        return {"role": message.role, "content": [image, {"type": "text", "text": message.text}]}

    def _ask(
        self, body: dict[str, Any], heard: _Heard, limits: ReplyLimits, on_text: Callable[[str], None] | None
    ) -> Literal["done", "length", "aborted"]:
        late = limits.expired
        if late():
            return "aborted"
        seconds = self._settings.read_seconds
        if limits.deadline is not None:
            seconds = max(0.05, min(seconds, limits.deadline - time.monotonic()))
        connect_seconds = min(seconds, self._settings.connect_seconds)
        timeout = httpx.Timeout(seconds, connect=connect_seconds)
        asked = time.monotonic()
        try:
            with self._client.stream("POST", self._address, json=body, timeout=timeout) as response:
                self._check(response)
                for event in _events(response.iter_raw(), self._settings.max_reply_bytes, self._address):
                    text = _take(event, heard, self._address)
                    if text and on_text is not None:
                        on_text(text)
                    if late():
                        return "aborted"
        except httpx.TimeoutException as error:
            if late():
                return "aborted"
            if isinstance(error, httpx.ConnectTimeout):
                raise ModelError(f"{self._address}: no connection within {connect_seconds:.1f} s") from None
            if time.monotonic() - asked < seconds:  # the kernel has given the connection up
                raise ModelError(f"{self._address}: the link is dead, nothing arrives any more") from None
            raise ModelError(f"{self._address}: no answer within {seconds:.1f} s") from None
        except (httpx.HTTPError, httpx.StreamError, RuntimeError) as error:
            raise ModelError(f"{self._address}: {type(error).__name__}: {error}") from None
        if heard.finish is None:
            raise ModelError(f"{self._address}: the answer broke off after {heard.pieces} pieces")
        return "length" if heard.finish == "length" else "done"

    def _check(self, response: httpx.Response) -> None:
        kind = response.headers.get("content-type", "")
        if response.status_code != httpx.codes.OK:
            said = printable(next(response.iter_raw(SHOWN_CHARS), b""))
            raise ModelError(f"{self._address}: the server answered {response.status_code}: {said}")
        if not kind.startswith("text/event-stream") or response.headers.get("content-encoding"):
            raise ModelError(
                f"{self._address}: not an event stream but {printable(kind.encode())}; is this a chat server?"
            )


def _events(chunks: Iterator[bytes], max_bytes: int, address: str) -> Iterator[str]:
    """The data of each server-sent event; chunks may end anywhere, also inside a character.

    :raises ModelError: more than `max_bytes` in all.
    """
    total = 0
    rest = b""
    for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise ModelError(f"{address}: the answer is longer than {max_bytes} bytes (remote.max_reply_bytes)")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip().decode("utf-8", "replace")


def _take(event: str, heard: _Heard, address: str) -> str:
    """Add one event to what was heard.

    :return: the text it brought.
    :raises ModelError: not the protocol, or an error of the server.
    """
    if event == "[DONE]":
        return ""
    try:
        data = json.loads(event)
        if "error" in data:
            raise ModelError(f"{address}: the server failed: {printable(json.dumps(data['error']).encode())}")
        heard.usage = data.get("usage") or heard.usage
        choice = data["choices"][0] if data["choices"] else {}
        heard.finish = choice.get("finish_reason") or heard.finish
        text = (choice.get("delta") or {}).get("content") or ""
        if not isinstance(text, str):
            raise TypeError("content is not text")
    except (ValueError, TypeError, KeyError, LookupError, AttributeError, RecursionError):
        raise ModelError(f"{address}: not a chat completion: {printable(event.encode())}") from None
    if text:
        heard.first = heard.first or time.monotonic()
        heard.pieces += 1
        heard.text.append(text)
    return text


def _fitting(lark: str, text: str, name: str) -> str:
    """The reply as the grammar wants it: servers trim line ends.

    :raises BadReply: it does not fit.
    """
    bare = text.strip()
    for form in dict.fromkeys((text, bare, f"{bare}\n")):
        if fit(lark, form):
            return form
    raise BadReply(f"{name}: the reply does not fit this step: {printable(bare.encode())}")


def _usage(heard: _Heard, began: float, ended: float) -> Usage:
    first = heard.first or ended

    def count(value: Any) -> int:
        return value if isinstance(value, int) and 0 <= value < 1 << 31 else 0

    details = heard.usage.get("prompt_tokens_details")
    return Usage(
        prompt_tokens=count(heard.usage.get("prompt_tokens")),
        reused_tokens=count(details.get("cached_tokens")) if isinstance(details, dict) else 0,
        sampled_tokens=count(heard.usage.get("completion_tokens")) or heard.pieces,
        prefill_ms=(first - began) * 1_000,
        decode_ms=(ended - first) * 1_000,
    )


def _data_uri(photo: Photo, side_px: int) -> str:
    width, height = photo.size
    scale = min(1.0, side_px / max(width, height, 1))
    try:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = photo.pixels if scale == 1.0 else cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
        done, data = cv2.imencode(
            ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        )
    except cv2.error as error:
        raise ModelError(f"photo {photo.name}: cannot be sent as JPEG: {error.err}") from None
    if not done:
        raise ModelError(f"photo {photo.name}: cannot be sent as JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
