"""Several gateways of one plant on one model server, one log database and one broker: none mixes with another, and each
goes on when a link is down and climbs back when it is mended.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.approval_messages import sign_answer
from agent.audit import Trail
from agent.journal import Journal
from agent.reports.delivery import Parcel
from agent.reports.outbox import Outbox
from agent.settings import ApprovalSettings, ConnectionSettings, DriverSettings, ReportSettings
from plugins.devices.approving import ApprovalDesk
from plugins.devices.drivers.mqtt_link import Link as MqttLink
from tests.devices_kit import Bed, quick_folder
from tests.gateways_kit import Gateway
from tests.servers.chat import MODEL, ChatServer
from tests.servers.debian import ServerMissing
from tests.servers.link import Link
from tests.servers.mosquitto import Mosquitto, running_mosquitto
from tests.servers.mqtt_peer import Peer, until
from tests.servers.postgres import Postgres, running_postgres

TOGETHER = "What does {code} mean and what should be done?"
LOG_AND_MANUAL = "Were there similar records of {code} in the last 3 days? What does {code} mean?"
SECRETS = {"Li": b"a secret of some length"}
SECONDS, BACK_SECONDS = 30.0, 120.0


@pytest.fixture(scope="module")
def chat(real_weights: Path) -> Iterator[ChatServer]:
    """The plant's model server."""
    server = ChatServer(next((real_weights / "qwen2.5-0.5b").glob("*.gguf")))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """The plant's log: what happened on every machine."""
    try:
        with running_postgres() as running:
            running.execute(
                "CREATE TABLE events (time timestamptz, tag text, text text)",
                "INSERT INTO events SELECT now() - i * interval '1 hour', 'A17', 'boiler fan fault ' || i"
                " FROM generate_series(1, 3) i",
                "INSERT INTO events SELECT now() - i * interval '1 hour', 'B42', 'chiller fan fault ' || i"
                " FROM generate_series(1, 5) i",
                f"CREATE ROLE reader LOGIN PASSWORD '{running.password}'",
                "GRANT SELECT ON events TO reader",
            )
            yield running
    except ServerMissing as missing:
        pytest.skip(f"no PostgreSQL server here: {missing}")


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    """The plant's broker."""
    try:
        with running_mosquitto() as running:
            yield running
    except ServerMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")


def pair(folder: Path, first: dict[str, str], second: dict[str, str]) -> tuple[Gateway, Gateway]:
    """Two gateways, each with a manual of its own machine."""
    return Gateway(folder, "boiler", "A17", 5, **first), Gateway(folder, "chiller", "B42", 9, **second)


def by_chat(port: int, **more: str) -> dict[str, str]:
    """Settings of a gateway whose top rung is a server at this port."""
    return {
        "REMOTE__ENABLED": "true",
        "REMOTE__URL": f"http://127.0.0.1:{port}/v1",
        "REMOTE__MODEL": MODEL,
        "REMOTE__BOUND_BY": "gbnf",
        "REMOTE__READ_SECONDS": "120",
        "TURN__MAX_SECONDS": "240",
        **more,
    }


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What calls in threads of their own gave, in order."""
    found: list[Any] = [None] * len(calls)

    def work(place: int) -> None:
        found[place] = calls[place]()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.weights
def test_one_model_server_for_two_gateways(chat: ChatServer, tmp_path: Path) -> None:
    """Both ask at the same time: each answers from its own manual, word for word, by the server."""
    gateways = pair(tmp_path, by_chat(chat.port), by_chat(chat.port))
    with closing(gateways[0]), closing(gateways[1]):

        def work(own: Gateway, other: Gateway) -> str:
            rung, text = own.ask(TOGETHER.format(code=own.code))
            assert f"wait for {own.minutes} minutes" in text and f"the {own.name} stands still" in text
            assert other.code not in text and other.name not in text
            return rung

        rungs = at_once(lambda: work(*gateways), lambda: work(*gateways[::-1]))
    assert rungs == [f"remote:{MODEL}"] * 2


@pytest.mark.weights
def test_a_link_that_breaks_in_mid_turn(chat: ChatServer, tmp_path: Path) -> None:
    """Cut after the first words of an answer: the next rung ends the turn and says so; the other gateway notices
    nothing. Mended: the server answers again from a later turn on, which says that it is back.
    """
    with Link(chat.port) as link:
        first, second = pair(tmp_path, by_chat(link.port), by_chat(chat.port))
        with closing(first), closing(second):
            first.agent.ladder.watch()
            link.cut_after(600)
            rung, text = first.ask(TOGETHER.format(code=first.code))
            assert rung == "rules" and link.cut_at is not None and time.monotonic() - link.cut_at < SECONDS
            assert f"wait for {first.minutes} minutes" in text and "remote" in text
            assert second.ask(f"What does {second.code} mean?")[0] == f"remote:{MODEL}"
            assert first.ask(f"What does {first.code} mean?")[0] == "rules"
            time.sleep(1.0)  # looks at it now and again in vain, and nobody asks meanwhile
            link.mend()
            assert until(lambda: first.agent.ladder.state("remote") in ("sound", "untried"), BACK_SECONDS)
            rung, text = first.ask(f"What does {first.code} mean?")
            assert rung == f"remote:{MODEL}" and "the boiler stands still" in text and "remote answers again" in text


@pytest.mark.weights
def test_a_server_that_hangs(chat: ChatServer, tmp_path: Path) -> None:
    """It takes the question and says nothing: after `remote.read_seconds` the box answers itself."""
    only = Gateway(tmp_path, "boiler", "A17", 5, **by_chat(chat.port, REMOTE__READ_SECONDS="1"))
    with closing(only):
        chat.freeze()
        try:
            began = time.monotonic()
            rung, text = only.ask(f"What does {only.code} mean?")
        finally:
            chat.thaw()
        assert rung == "rules" and "the boiler stands still" in text and "no answer within 1.0 s" in _reasons(only)
        assert time.monotonic() - began < SECONDS


def _reasons(gateway: Gateway) -> str:
    return " ".join(fall.reason for fall in gateway.agent.ladder.falls)


def test_one_log_for_two_gateways_which_goes_and_comes(database: Postgres, tmp_path: Path) -> None:
    """Each finds its own machine's records. While the database is down, the answer says that the log cannot be read and
    gives what the manual says; when it is back, the same agents read it again.
    """
    log = {"LOGS__URL": database.url("reader"), "LOGS__PASSWORD": database.password, "LOGS__CONNECT_SECONDS": "2"}
    gateways = pair(tmp_path, log, log)
    with closing(gateways[0]), closing(gateways[1]):
        asked = [lambda g=g: g.ask(LOG_AND_MANUAL.format(code=g.code))[1] for g in gateways]
        boiler, chiller = at_once(*asked)
        assert "boiler fan fault 3" in boiler and "chiller" not in boiler
        assert "chiller fan fault 5" in chiller and "boiler" not in chiller
        database.stop()
        began = time.monotonic()
        try:
            down = at_once(*asked)
        finally:
            database.start()
        assert time.monotonic() - began < SECONDS
        for gateway, text in zip(gateways, down, strict=True):
            assert f"the {gateway.name} stands still" in text and "fan fault 1" not in text
            assert "127.0.0.1" in text, text
        again = at_once(*asked)
        assert "boiler fan fault 3" in again[0] and "chiller fan fault 5" in again[1]


def signed(topic: str, waiting: dict[str, Any], secret: bytes) -> bytes:
    """A yes to what waits."""
    body = {"id": waiting["id"], "digest": waiting["digest"], "answer": "approve", "person": "Li"}
    mac = sign_answer(secret, topic, body["id"], body["digest"], "approve", "Li")
    return json.dumps({**body, "mac": mac}).encode()


@pytest.mark.parametrize("secret", [SECRETS["Li"], b"one that only the first knows"])
def test_two_gateways_whose_approvals_go_over_one_topic(broker: Mosquitto, secret: bytes) -> None:
    """A yes moves the device of the gateway that asked; the other says nothing, moves nothing, and goes deaf from no
    number of answers that are none of its business, whether or not it knows who signed them.
    """
    settings = ApprovalSettings(wrong_answers_a_minute=3)
    with quick_folder() as folder:
        beds = [Bed(folder / "boiler"), Bed(folder / "chiller")]
        desks = [
            ApprovalDesk(bed.agent.approvals, settings, {"Li": own}, bed.agent.run_approved)
            for bed, own in zip(beds, (secret, SECRETS["Li"]), strict=True)
        ]
        connection = ConnectionSettings(kind="mqtt", address=broker.address)
        links = [MqttLink("b", connection, DriverSettings(), desk.heard) for desk in desks]
        for link, desk in zip(links, desks, strict=True):
            link.start()
            assert link.wait_up(10)
            link.subscribe([desk.answer_topic])
        phone = Peer(broker, f"{settings.topic}/#", answer=None)
        beds[0].say("set P-3 power on")
        desks[0].turn_to(links[0], seconds=0)
        assert until(lambda: any(topic.endswith("/waiting") for topic, _ in phone.heard))
        waiting = json.loads(next(text for topic, text in phone.heard if topic.endswith("/waiting")))
        phone.tell(desks[0].answer_topic, signed(settings.topic, waiting, secret), times=5)
        assert until(lambda: bool(desks[0].turn_to(links[0], seconds=0.2)) or bool(beds[0].driver.writes))
        for _ in range(5):
            assert desks[1].turn_to(links[1], seconds=0.05) == []
        assert [bed.driver.writes for bed in beds] == [[("P-3", "power", True)], []]
        beds[1].say("set P-3 power on")
        desks[1].turn_to(links[1], seconds=0)
        ours = beds[1].agent.approvals.waiting()[0]
        phone.tell(desks[1].answer_topic, signed(settings.topic, {"id": ours.id, "digest": ours.digest}, SECRETS["Li"]))
        assert until(lambda: bool(desks[1].turn_to(links[1], seconds=0.2)) or bool(beds[1].driver.writes))
        assert beds[1].driver.writes == [("P-3", "power", True)]
        errors = [json.loads(text) for topic, text in phone.heard if topic.endswith("/done") and "no such" in text]
        assert errors == []
        for one in (phone, *links, *beds):
            one.close()


def test_two_gateways_send_reports_over_one_broker_which_goes_and_comes(broker: Mosquitto, tmp_path: Path) -> None:
    """While it is down the reports of both wait in their outboxes; back, each arrives, though both send at once."""
    settings = ReportSettings(mqtt_host="127.0.0.1", mqtt_port=broker.port, send_seconds=5.0, retry_seconds=0.0)
    page = tmp_path / "report.html"
    page.write_text("<p>report</p>", encoding="utf-8")
    boxes = []
    for name in ("boiler", "chiller"):
        trail = Trail(tmp_path / f"{name}.db", busy_seconds=2)
        journal = Journal(trail)
        outbox = Outbox(journal, settings)
        with journal.writing() as pen:
            outbox.put(pen, "run", "mqtt:plant/reports", Parcel(name, name, "text", (page,), {}, time.time()))
        boxes.append((outbox, journal, trail))
    broker.kill()
    assert [box[0].send() for box in boxes] == [(0, 1), (0, 1)]
    assert all(box[0].waiting()[0].problem for box in boxes)
    broker.start()
    phone = Peer(broker, "plant/reports", answer=None)
    assert at_once(*[lambda box=box: box[0].send() for box in boxes]) == [(1, 0), (1, 0)]
    assert until(lambda: len(phone.heard) >= 2)
    assert sorted(json.loads(text)["id"] for _, text in phone.heard) == ["boiler", "chiller"]
    phone.close()
    for _, journal, trail in boxes:
        journal.close()
        trail.close()
