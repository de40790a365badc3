"""What is said about a request before its body is read, from its line and headers alone; and what every answer says."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address

from agent.server.problems import Problem
from agent.values import say

__all__ = [
    "COOKIE", "Headers", "cookie_token", "is_forwarded", "names_of_box", "refuse_foreign_host",
    "refuse_foreign_origin", "refuse_malformed", "with_safe_headers",
]  # fmt: skip

COOKIE = "watchkeeper"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _SAFE_METHODS | {"POST", "DELETE", "PUT", "PATCH"}
_HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^:/?#@\[\]]+)(?::(\d{1,5}))?")
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
_BAD_PATH = re.compile(r"[\x00-\x1f\x7f\\]|(?:^|/)\.\.?(?:/|$)")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE: Mapping[bytes, bytes] = {
    b"content-security-policy": _CSP.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")

Raw = Sequence[tuple[bytes, bytes]]


class Headers:
    """Headers by name; all values of one that stands there several times."""

    def __init__(self, raw: Raw) -> None:
        self._raw = [(name.lower(), value) for name, value in raw]

    def all(self, name: bytes) -> list[bytes]:
        """Values in order."""
        return [value for known, value in self._raw if known == name]

    def text(self, name: bytes) -> str:
        """The first one as text; empty where there is none."""
        return next((value.decode("latin-1") for value in self.all(name)), "")

    def names(self) -> set[bytes]:
        """All names."""
        return {name for name, _ in self._raw}


def refuse_malformed(method: str, path: str, headers: Headers) -> None:
    """What two readers could understand differently, and coded bodies.

    :raises Problem: with what it is.
    """
    if method not in _METHODS:
        raise Problem(405, "method", say("不支持这种方法。", f"{method[:20]!r}: no such method here"))
    if _BAD_PATH.search(path):
        raise Problem(400, "bad_path", say("地址不对。", "the path holds dots or control characters"))
    lengths = headers.all(b"content-length")
    if len(lengths) > 1 or (lengths and headers.all(b"transfer-encoding")) or len(headers.all(b"host")) != 1:
        told = say("请求头互相矛盾。", "headers contradict each other: one Host, and one length or none")
        raise Problem(400, "bad_headers", told)
    if any(value.strip().lower() != b"identity" for value in headers.all(b"content-encoding")):
        raise Problem(415, "coded_body", say("不接受压缩的内容。", "a coded body is not taken; send it as it is"))


def names_of_box(names: Iterable[str]) -> frozenset[str]:
    """Names by which a request may address this box."""
    own = socket.gethostname().lower()
    return frozenset({"localhost", own, f"{own.partition('.')[0]}.local", *(name.lower() for name in names)})


def refuse_foreign_host(headers: Headers, names: Collection[str]) -> None:
    """A name of somebody else that leads here would let a foreign page speak to this box as its own.

    :raises Problem: the Host is neither an address nor a name of this box.
    """
    found = _HOST.fullmatch(headers.text(b"host"))
    name = found[1].strip("[]").lower().rstrip(".") if found else ""
    if name in names or _is_address(name):
        return
    told = say(
        "主机名不是本机的。", f"{name[:80]!r} is no name of this box; use its address, or add it to server.names"
    )
    raise Problem(421, "foreign_host", told)


def refuse_foreign_origin(method: str, scheme: str, headers: Headers) -> None:
    """What changes something comes from our own page, or from a program, which names no origin.

    :raises Problem: it comes from another site.
    """
    if method in _SAFE_METHODS:
        return
    site = headers.text(b"sec-fetch-site")
    origin = headers.text(b"origin")
    foreign = bool(origin) and origin.lower() != f"{scheme}://{headers.text(b'host')}".lower()
    if foreign or site not in ("", "same-origin", "none"):
        raise Problem(403, "foreign_origin", say("请求来自别的网站。", "the request comes from another site"))


def cookie_token(headers: Headers) -> str:
    """The token that the page keeps; empty where there is none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.text(b"cookie"))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def is_forwarded(headers: Headers) -> bool:
    """Whether a proxy says that it asks for somebody else; who that is, is not believed."""
    return not _FORWARDED.isdisjoint(headers.names())


def with_safe_headers(raw: Iterable[tuple[bytes, bytes]], *, tls: bool) -> list[tuple[bytes, bytes]]:
    """An answer's headers, with what keeps browsers safe where the route did not say otherwise."""
    own = list(raw)
    there = {name.lower() for name, _ in own}
    safe = [(name, value) for name, value in _SAFE.items() if name not in there]
    return [*own, *safe, *([_TLS_ONLY] if tls else [])]


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
