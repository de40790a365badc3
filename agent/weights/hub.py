"""Sources `hf` and `modelscope`: files of a model hub over HTTPS, resumed with Range.

Only https, or plain http on loopback; every redirect is held to the same rule, and one that starts outside may not lead
to loopback. The size is bounded before and while bytes come in. What arrives is data until its digest was checked.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import httpx

from agent.settings import WeightsSettings
from agent.weights.catalogue import Entry, HubPlace, WeightFile
from agent.weights.partial import Partial, SourceFailed
from agent.weights.sources import Moved

__all__ = ["Hub"]

_NUMBER = r"\d{1,18}"
_LENGTH = re.compile(_NUMBER)
_RANGE = re.compile(rf"bytes ({_NUMBER})-{_NUMBER}/({_NUMBER}|\*)")


class _Refused(Exception):
    """An address that is not asked."""


class _TryAgain(Exception):
    """The connection or the server failed in a way that may pass."""


class Hub:
    """One hub."""

    def __init__(self, name: Literal["hf", "modelscope"], settings: WeightsSettings) -> None:
        self.name: str = name
        self._settings = settings
        self._base = (settings.hf_url if name == "hf" else settings.modelscope_url).rstrip("/")
        self._client = httpx.Client(
            follow_redirects=True,
            max_redirects=settings.max_redirects,
            timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
            headers={"Accept-Encoding": "identity", "User-Agent": "watchkeeper"},
            event_hooks={"request": [self._check_address]},
        )

    def offers(self, file: WeightFile) -> bool:
        return self._place(file) is not None

    def take(self, entry: Entry, file: WeightFile, into: Partial, moved: Moved) -> None:
        place = self._place(file)
        if place is None:
            raise SourceFailed("does not have it")
        failures, pause = 0, self._settings.backoff_seconds
        while True:
            before = into.size
            try:
                return self._once(self._url(place), into, moved)
            except _TryAgain as reason:
                if into.size - before >= self._settings.retry_gain_bytes:
                    failures, pause = 0, self._settings.backoff_seconds
                failures += 1
                if failures > self._settings.retries:
                    tries = "1 try" if failures == 1 else f"{failures} tries"
                    raise SourceFailed(f"{reason} ({tries}, {into.size} bytes so far)") from None
            time.sleep(pause)
            pause *= 2

    def pieces(self, entry: Entry, file: WeightFile, at: int, size: int) -> Iterator[bytes]:
        place = self._place(file)
        if place is None:
            raise SourceFailed("does not have it")
        pause = self._settings.backoff_seconds
        for left in range(self._settings.retries, -1, -1):
            try:
                yield self._range(self._url(place), at, size)
                return
            except _TryAgain as reason:
                if not left:
                    raise SourceFailed(str(reason)) from None
            time.sleep(pause)
            pause *= 2

    def close(self) -> None:
        self._client.close()

    def _place(self, file: WeightFile) -> HubPlace | None:
        return file.hf if self.name == "hf" else file.modelscope

    def _url(self, place: HubPlace) -> str:
        models = "" if self.name == "hf" else "models/"
        return f"{self._base}/{models}{place.repo}/resolve/{place.revision}/{place.path}"

    def _once(self, url: str, into: Partial, moved: Moved) -> None:
        """One request, from where the file stands to its end."""
        headers = {"Range": f"bytes={into.size}-"} if into.size else {}
        with self._asked(url, headers) as response:
            total = _accept(response, into)
            for piece in response.iter_raw():  # as it arrives: nothing is lost when the line breaks
                into.write(piece)
                moved(into.size)
        if total and into.size < total:
            raise _TryAgain(f"the connection ended after {into.size} of {total} bytes")

    def _range(self, url: str, at: int, size: int) -> bytes:
        """One request for a piece; never more than was asked for is taken."""
        taken = bytearray()
        with self._asked(url, {"Range": f"bytes={at}-{at + size - 1}"}) as response:
            _accept_range(response, at)
            for piece in response.iter_raw():
                taken += piece
                if len(taken) > size:
                    raise SourceFailed(f"sends more than the {size} bytes that were asked for")
        if len(taken) < size:
            raise _TryAgain(f"the connection ended after {len(taken)} of {size} bytes")
        return bytes(taken)

    @contextmanager
    def _asked(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                yield response
        except (_Refused, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise SourceFailed(str(error)) from None
        except httpx.TooManyRedirects:
            raise SourceFailed(f"redirects more than {self._settings.max_redirects} times") from None
        except httpx.HTTPError as error:
            raise _TryAgain(_reason(error, url)) from None

    def _check_address(self, request: httpx.Request) -> None:
        if request.url.scheme == "https" and not _is_loopback(request.url.host):
            return
        local = _is_loopback(request.url.host) and _is_loopback(httpx.URL(self._base).host)
        if local and request.url.scheme in ("http", "https"):
            return
        raise _Refused(f"{request.url.copy_with(query=None)} is refused: only https, or http on this machine")


def _accept(response: httpx.Response, into: Partial) -> int:
    """Look at the answer before its body: the file's whole size where it is told, else 0."""
    status = response.status_code
    if status == 416:  # what we have is longer than what the server has, or all of it
        into.cut(0)
        raise _TryAgain("cannot go on from where the file stands")
    _refuse(response)
    total = _announced(response, into)
    if into.file.bytes and total and total != into.file.bytes:
        raise SourceFailed(f"offers a file of {total} bytes, not {into.file.bytes}")
    if total > into.limit:
        raise SourceFailed(f"offers a file of {total} bytes, more than {into.limit}")
    return total or into.file.bytes


def _accept_range(response: httpx.Response, at: int) -> None:
    """Look at the answer to a request for a piece."""
    _refuse(response)
    if response.status_code == 200:
        raise SourceFailed("gives whole files only")
    told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told is None or int(told[1]) != at:
        raise _TryAgain("answers with another range than was asked for")


def _refuse(response: httpx.Response) -> None:
    status = response.status_code
    if status in (408, 425, 429) or status >= 500:
        raise _TryAgain(f"answers {status} {response.reason_phrase}")
    if status not in (200, 206):
        raise SourceFailed(f"answers {status} {response.reason_phrase}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceFailed("sends the file in another encoding")


def _announced(response: httpx.Response, into: Partial) -> int:
    """The whole size by the headers, 0 where untold. Cuts the file back where the server starts from its beginning."""
    if response.status_code == 200:
        into.cut(0)
        length = response.headers.get("Content-Length", "")
        return int(length) if _LENGTH.fullmatch(length) else 0
    told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told is None or int(told[1]) != into.size:
        into.cut(0)
        raise _TryAgain("answers with another range than was asked for")
    return int(told[2]) if told[2] != "*" else 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: httpx.HTTPError, url: str) -> str:
    host = httpx.URL(url).host
    match error:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return f"{host} cannot be reached"
        case httpx.TimeoutException():
            return f"{host} went silent"
        case _:
            return f"{host}: {error or type(error).__name__}"
