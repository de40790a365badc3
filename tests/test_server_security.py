"""The gate's promise: who may not is refused before a body is read, and nothing hostile harms the service."""

from __future__ import annotations

import json
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent.cli import run
from agent.env import Env
from agent.errors import SettingsError
from agent.server.problems import Problem
from agent.server.run import run_server
from agent.server.security.headers import Headers, names_of_box, refuse_foreign_host, refuse_foreign_origin
from agent.server.security.networks import Networks, is_loopback
from agent.server.security.rates import Rate
from agent.server.security.tokens import TokenBook
from tests.server_kit import served, wait_until
from tests.test_turn import Bench, search_manuals


def with_server(env: Env, **values: object) -> Env:
    """A box with other settings of its server."""
    server = env.settings.server.model_copy(update=values)
    return replace(env, settings=env.settings.model_copy(update={"server": server}))


@contextmanager
def served_with(env: Env, **values: object) -> Iterator[httpx.Client]:
    bench = Bench(with_server(env, **values), search_manuals, script=[""])
    with served(bench.agent) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def server(env: Env) -> Iterator[httpx.Client]:
    """A server with small limits."""
    with served_with(
        env, header_seconds=1.0, body_seconds=1.0, max_small_body_bytes=2_000, max_body_bytes=4_000,
        max_header_bytes=4_000, most_connections_each=20,
    ) as client:  # fmt: skip
        yield client


def raw(client: httpx.Client, data: bytes, *, seconds: float = 10.0) -> bytes:
    """What is answered to bytes as they are."""
    host, port = urlsplit(str(client.base_url)).hostname, urlsplit(str(client.base_url)).port
    with socket.create_connection((host, port), timeout=seconds) as wire:
        wire.sendall(data)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := wire.recv(65_536):
                answer += part
        except (TimeoutError, ConnectionError):
            pass
        return answer


def lives(client: httpx.Client) -> bool:
    return client.get("/api/health").status_code == 200


def test_every_answer_says_what_keeps_browsers_safe(server: httpx.Client) -> None:
    """Content policy, no sniffing, no frames, no referrer; nothing of the API is cached; the server is not named."""
    for path in ("/api/health", "/api/turns", "/nothing"):
        headers = server.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and "server" not in headers
    assert server.get("/api/turns").headers["cache-control"] == "no-store"


def test_only_listed_networks_are_served(env: Env) -> None:
    """A connection from elsewhere is closed before anything of it is read."""
    bench = Bench(with_server(env, networks=("10.0.0.0/8",)), search_manuals, script=[""])
    with served(bench.agent) as address, pytest.raises(httpx.TransportError):
        httpx.post(f"{address}/api/turns", content=b"x" * 1000, timeout=10)


@pytest.mark.parametrize(
    ("address", "within"),
    [
        ("192.168.10.7", True), ("::ffff:192.168.10.7", True), ("192.168.11.7", False), ("fe80::1%eth0", True),
        ("", False), ("x", False),
    ],
)  # fmt: skip
def test_a_network_holds_its_addresses(address: str, within: bool) -> None:
    """Also where an IPv4 address comes over IPv6, or with its zone; what is no address is nowhere."""
    assert (address in Networks(["192.168.10.0/24", "fe80::/10"])) is within
    assert not is_loopback(address) and is_loopback("::1") and is_loopback("127.3.2.1")


def test_a_network_that_is_none_is_told(env: Env) -> None:
    """A wrong list is an error at start, and never an open door."""
    with pytest.raises(SettingsError, match=r"server\.networks"):
        Networks(["everybody"])


def test_elsewhere_than_on_loopback_nobody_is_served_without_a_token(env: Env) -> None:
    """It does not start; and where the tokens are gone later, nobody is let in."""
    bench = Bench(with_server(env, host="0.0.0.0", port=0), search_manuals, script=[])
    with pytest.raises(SettingsError, match="tokens add"):
        run_server(bench.agent)
    bench.agent.close()
    again = Bench(with_server(env, host="0.0.0.0"), search_manuals, script=[""])
    with served(again.agent) as address:
        answer = httpx.get(f"{address}/api/turns")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token")
        assert httpx.get(f"{address}/api/health").json() == {"status": "ok"}


def test_tokens_open_what_their_role_may(env: Env) -> None:
    """ask < approve < admin; a wrong token opens nothing, and one that is revoked is refused at once."""
    book = TokenBook(env.home.tokens)
    ask, admin = book.add("wang", "ask"), book.add("boss", "admin")
    with served_with(env) as client:

        def status(method: str, path: str, token: str, **more: object) -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return client.request(method, path, headers=headers, **more).status_code  # type: ignore[arg-type]

        assert status("GET", "/api/turns", "") == status("GET", "/api/turns", "wk_wrong") == 401
        assert status("GET", "/api/turns", ask) == 200
        assert status("POST", "/api/approvals/x", ask, json={"approve": True}) == 403
        assert status("DELETE", "/api/schedules/x", ask) == 403
        assert status("DELETE", "/api/schedules/x", admin) == 422
        assert client.get("/api/turns", headers={"Cookie": f"watchkeeper={ask}"}).status_code == 200
        begun = client.post("/api/session", json={"token": ask})
        cookie = begun.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and "max-age=7776000" in cookie
        assert begun.json()["name"] == "wang"
        book.revoke("wang")
        assert status("GET", "/api/turns", ask) == 401


def test_tokens_are_not_kept_as_they_are(env: Env) -> None:
    """The file holds digests and nobody else may read it; one that is damaged lets nobody in."""
    book = TokenBook(env.home.tokens)
    token = book.add("wang", "ask")
    text = env.home.tokens.read_text(encoding="utf-8")
    assert token not in text and token.removeprefix("wk_") not in text
    assert stat.S_IMODE(env.home.tokens.stat().st_mode) == 0o600
    found = book.find(token)
    assert found is not None and found.name == "wang"
    for spoiled in ("{", "[]", '{"tokens": [{"name": "x", "role": "god", "sha256": "", "made": ""}]}'):
        env.home.tokens.write_text(spoiled, encoding="utf-8")
        assert book.find(token) is None and not book.is_empty


def test_tokens_by_the_command_line(environ: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """add shows the token once; list never does; revoke ends it."""
    assert run(["tokens", "add", "wang", "--role", "approve", "--json"]) == 0
    token = json.loads(capsys.readouterr().out)["token"]
    assert run(["tokens", "add", "wang"]) == 2 and run(["tokens", "add", "li", "--role", "king"]) == 2
    capsys.readouterr()
    assert run(["tokens", "list"]) == 0
    told = capsys.readouterr().out
    assert "wang  approve" in told and token not in told
    assert run(["tokens", "revoke", "wang"]) == 0 and run(["tokens", "revoke", "wang"]) == 2


def test_guessing_tokens_is_slow(env: Env) -> None:
    """After so many wrong tokens within a minute an address is not heard, even with a right one."""
    token = TokenBook(env.home.tokens).add("wang", "ask")
    with served_with(env, wrong_tokens_a_minute=3) as client:
        guesses = [client.get("/api/turns", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(6)]
        assert guesses == [401] * 3 + [429] * 3
        assert client.get("/api/turns", headers={"Authorization": f"Bearer {token}"}).status_code == 429
        assert lives(client)


def test_what_a_proxy_says_is_not_believed(server: httpx.Client) -> None:
    """Behind a proxy nobody sits at the box: without tokens nothing is open to it, whomever it names."""
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert server.get("/api/turns", headers={name: "127.0.0.1"}).status_code == 401


def test_another_site_cannot_make_a_browser_act(server: httpx.Client) -> None:
    """Requests that change something come from our own page or from a program."""
    own = str(server.base_url).rstrip("/")
    for headers, status in (
        ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403), ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, 422), ({}, 422),
    ):  # fmt: skip
        assert server.post("/api/turns", json={"question": ""}, headers=headers).status_code == status


def test_a_foreign_name_does_not_lead_here(server: httpx.Client) -> None:
    """A page whose name was bound to this address anew cannot speak to it."""
    for host, status in (
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost", 200),
        ("[::1]:8765", 200),
    ):
        assert server.get("/api/health", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Host: other\r\n",
        b" folded: x\r\n",
        b"X: a\x00b\r\n",
    ],
)
def test_no_request_hides_within_another(server: httpx.Client, head: bytes) -> None:
    """What two readers could understand differently is refused, and the connection is closed."""
    smuggled = b"GET /api/turns HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = b"POST /api/turns HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n0\r\n\r\n" + smuggled
    answer = raw(server, request)
    assert answer.count(b"HTTP/1.1 ") <= 1 and not answer.startswith(b"HTTP/1.1 2")
    assert lives(server)


def test_slow_ones_are_hung_up_on_and_others_are_served(server: httpx.Client) -> None:
    """A head or a body that does not come to an end costs one connection for a second, whoever else asks is served."""
    where = urlsplit(str(server.base_url))
    address = (where.hostname, where.port)
    slow = [socket.create_connection(address, timeout=10) for _ in range(8)]
    for number, wire in enumerate(slow):
        long = b"POST /api/turns HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
        wire.sendall(b"" if number < 3 else b"GET /api/he" if number < 6 else long)
    assert lives(server)
    began = time.monotonic()
    for wire in slow:
        answer = b""
        try:
            while part := wire.recv(65_536):
                answer += part
        except ConnectionResetError:
            pass
        assert answer == b"" or b" 408 " in answer
        wire.close()
    assert time.monotonic() - began < 8 and lives(server)


def test_too_large_is_refused_before_it_is_read(server: httpx.Client) -> None:
    """By the length that it says, and where it says none as soon as it is too long."""
    assert server.post("/api/turns", content=b"x" * 5_000).status_code == 413
    assert server.post("/api/schedules", content=b"x" * 3_000).status_code == 413

    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000

    answer = raw(server, b"POST /api/turns HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n")
    assert b" 413 " in answer
    with suppress(httpx.TransportError):  # where it was hung up on in mid-sentence
        assert server.post("/api/turns", content=parts()).status_code == 413
    assert raw(server, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9_000).startswith(b"HTTP/1.1 4")
    assert lives(server)


def test_coded_bodies_and_odd_paths_are_refused(server: httpx.Client) -> None:
    """Nothing is unpacked, and no path leads out of its folder."""
    coded = server.post("/api/turns", content=b"x", headers={"Content-Encoding": "gzip"})
    assert coded.status_code == 415
    for path in (
        "/api/reports/..%2f..%2fwatch.db",
        "/../watch.db",
        "/api/%00",
        "/api/turns/..\\x",
        "/api/reports/2024-01-01~..%2f..%2fa.html",
    ):
        answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 4"), path


def test_too_many_connections_of_one_address_are_closed(server: httpx.Client) -> None:
    """One address holds so many, and gets new ones when it has let go."""
    where = urlsplit(str(server.base_url))
    wires = [socket.create_connection((where.hostname, where.port), timeout=5) for _ in range(30)]
    time.sleep(0.3)
    closed = 0
    for wire in wires:
        wire.settimeout(0.05)
        try:
            closed += wire.recv(1) == b""
        except TimeoutError:
            pass
        except ConnectionResetError:
            closed += 1
    assert closed >= 10
    for wire in wires:
        wire.close()
    wait_until(lambda: lives(server), 10)


def test_too_often_is_told(env: Env) -> None:
    """So many requests a minute of one client."""
    with served_with(env, requests_a_minute=5) as client:
        codes = [client.get("/api/session").status_code for _ in range(8)]
        assert codes.count(200) <= 5 and codes[-1] == 429


def test_a_rate_fills_again() -> None:
    """Evenly over its minute, never beyond it, each key on its own."""
    now = [0.0]
    rate = Rate(60, clock=lambda: now[0])
    assert [rate.take("a") for _ in range(61)] == [True] * 60 + [False]
    assert rate.take("b")
    now[0] = 2.0
    assert [rate.take("a") for _ in range(3)] == [True, True, False]
    now[0] = 1e6
    assert sum(rate.take("a") for _ in range(100)) == 60


def test_no_secret_is_in_what_the_server_writes(env: Env, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither tokens nor questions come into its log, whatever goes wrong."""
    token = TokenBook(env.home.tokens).add("wang", "ask")
    with served_with(env) as client:
        client.get("/api/turns?secret=1", headers={"Authorization": f"Bearer {token}"})
        client.post("/api/turns", json={"question": "geheim"}, headers={"Authorization": f"Bearer {token}x"})
        raw(client, b"\x16\x03\x01 nonsense " + token.encode())
    told = capfd.readouterr()
    assert token not in told.out + told.err and "geheim" not in told.out + told.err


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=300))
@example(data=b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
@example(data=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
@example(data=b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n")
def test_no_bytes_harm_the_service(server: httpx.Client, data: bytes) -> None:
    """Whatever is sent, what comes back is an HTTP error or nothing, and the next one is served."""
    answer = raw(server, data)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in answer.split(b"\r\n")[0]


@settings(max_examples=200, deadline=None)
@given(host=st.text(max_size=40), origin=st.text(max_size=40), site=st.text(max_size=12))
def test_hosts_and_origins_of_any_kind_are_judged(host: str, origin: str, site: str) -> None:
    """A Problem or nothing; and never nothing for a foreign origin."""
    raw_headers = [
        (name, value.encode("utf-8", "replace"))
        for name, value in ((b"host", host), (b"origin", origin), (b"sec-fetch-site", site))
    ]
    headers = Headers(raw_headers)
    for judge in (
        lambda: refuse_foreign_host(headers, names_of_box(())),
        lambda: refuse_foreign_origin("POST", "http", headers),
    ):
        try:
            judge()
        except Problem as problem:
            assert problem.status in (403, 421)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["question", "photo", "conversation", "keep", "key", "stream", "approve", "token", "name", "when"]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        ["/api/turns", "/api/predict", "/api/ocr", "/api/approvals/x", "/api/session", "/api/schedules", "/api/turns/x"]
    ),
    body=st.dictionaries(_NAMES, _JSON, max_size=4) | _JSON,
)
def test_no_json_harms_the_service(server: httpx.Client, path: str, body: object) -> None:
    """Whatever is asked, the answer is an error in one shape or a turn, and never a bug."""
    answer = server.post(path, content=json.dumps(body).encode("utf-8", "replace"))
    assert answer.status_code < 500 or answer.json()["error"]["code"] in ("model", "no_reader")
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"code", "message", "hint"}
