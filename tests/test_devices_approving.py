"""A yes over a broker counts if it is signed, is for exactly what was shown, and comes once; all else is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approval_messages import load_secrets, read_answer, sign_answer
from agent.errors import InputError
from agent.settings import ApprovalSettings, ConnectionSettings, DriverSettings
from plugins.devices.approving import ApprovalDesk
from plugins.devices.drivers.mqtt_link import Link
from tests.devices_kit import Bed, quick_folder
from tests.servers.mosquitto import MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import Peer, until

SECRETS = {"Li": b"a secret of some length", "Wang": b"another one, just as long"}
SETTINGS = ApprovalSettings(wrong_answers_a_minute=5)
TOPIC = SETTINGS.topic
ORDER = "set P-3 power on"


class Sent(list[tuple[str, dict[str, Any]]]):
    """What the desk published."""

    def publish(self, topic: str, payload: str, seconds: float) -> None:
        self.append((topic.removeprefix(f"{TOPIC}/"), json.loads(payload)))


@pytest.fixture
def bed() -> Iterator[Bed]:
    with quick_folder() as folder:
        made = Bed(folder / "home")
        yield made
        made.close()


def desk_of(bed: Bed) -> ApprovalDesk:
    return ApprovalDesk(bed.agent.approvals, SETTINGS, SECRETS, bed.agent.run_approved)


def answer(waiting: dict[str, Any], word: str = "approve", **changed: str) -> bytes:
    body = {"id": waiting["id"], "digest": waiting["digest"], "answer": word, "person": "Li"}
    mac = sign_answer(SECRETS["Li"], TOPIC, body["id"], body["digest"], word, "Li")
    return json.dumps({**body, "mac": mac, **changed}).encode()


def test_a_signed_yes_is_carried_out_once(bed: Bed) -> None:
    """By whom stands in the trail; the same message again does nothing."""
    bed.say(ORDER)
    desk, sent = desk_of(bed), Sent()
    desk.turn_to(sent, seconds=0)
    leaf, waiting = sent[0]
    assert leaf == "waiting" and waiting["arguments"]["device"] == "P-3"
    for _ in range(3):
        desk.heard(desk.answer_topic, answer(waiting), False)
    (done,) = desk.turn_to(sent, seconds=0.2)
    assert done.came == "confirmed" and bed.driver.writes == [("P-3", "power", True)]
    assert [m.get("state", "error") for leaf, m in sent if leaf == "done"] == ["confirmed", "error", "error"]
    people = {row.body.get("person") for row in bed.agent.trail.rows() if row.kind == "command_approved"}
    assert people == {"Li"}


def test_a_signed_no_is_final(bed: Bed) -> None:
    """And a yes after it, or a replayed one, is none."""
    bed.say(ORDER)
    desk, sent = desk_of(bed), Sent()
    desk.turn_to(sent, seconds=0)
    waiting = sent[0][1]
    for word in ("refuse", "approve"):
        desk.heard(desk.answer_topic, answer(waiting, word=word), False)
    assert desk.turn_to(sent, seconds=0.2) == [] and bed.driver.writes == []


@pytest.mark.parametrize(
    "change",
    [
        {"mac": "0" * 64},
        {"mac": ""},
        {"person": "Wang"},
        {"person": "Mallory"},
        {"digest": "0" * 64},
        {"id": "00000000"},
        {"answer": "refuse"},
        {"more": "x"},
    ],
)
def test_what_is_changed_on_the_way_is_no_answer(bed: Bed, change: dict[str, str]) -> None:
    """Nothing moves, and the request waits on."""
    bed.say(ORDER)
    desk, sent = desk_of(bed), Sent()
    desk.turn_to(sent, seconds=0)
    desk.heard(desk.answer_topic, answer(sent[0][1], **change), False)
    assert desk.turn_to(sent, seconds=0.05) == [] and bed.driver.writes == []
    assert [r.state for r in bed.agent.approvals.waiting()] == ["waiting"] and desk.refused == 1


def test_a_retained_answer_is_nobodys_word_now(bed: Bed) -> None:
    """Nor one on another topic, or for another topic."""
    bed.say(ORDER)
    desk, sent = desk_of(bed), Sent()
    desk.turn_to(sent, seconds=0)
    waiting = sent[0][1]
    desk.heard(desk.answer_topic, answer(waiting), True)
    desk.heard(f"{TOPIC}/other", answer(waiting), False)
    elsewhere = sign_answer(SECRETS["Li"], "other/topic", waiting["id"], waiting["digest"], "approve", "Li")
    desk.heard(desk.answer_topic, answer(waiting, mac=elsewhere), False)
    assert desk.turn_to(sent, seconds=0.05) == [] and bed.driver.writes == []


def test_a_rightly_signed_answer_to_another_call_is_refused(bed: Bed) -> None:
    """The digest is of the arguments and the end; it has to be the one that waits."""
    bed.say(ORDER)
    bed.say("set P-3 power off")
    desk, sent = desk_of(bed), Sent()
    desk.turn_to(sent, seconds=0)
    first, second = sent[0][1], sent[1][1]
    desk.heard(desk.answer_topic, answer({"id": first["id"], "digest": second["digest"]}), False)
    assert desk.turn_to(sent, seconds=0.05) == [] and bed.driver.writes == []
    assert "another call" in sent[-1][1]["error"]


def test_who_guesses_is_not_heard_for_a_while(bed: Bed) -> None:
    """Nor is anybody else: fail closed."""
    bed.say(ORDER)
    desk, sent = desk_of(bed), Sent()
    desk.turn_to(sent, seconds=0)
    for _ in range(SETTINGS.wrong_answers_a_minute):
        desk.heard(desk.answer_topic, b"{}", False)
    desk.heard(desk.answer_topic, answer(sent[0][1]), False)
    assert desk.turn_to(sent, seconds=0.05) == [] and bed.driver.writes == []


@given(st.binary(max_size=300) | st.dictionaries(st.text(), st.text()).map(lambda told: json.dumps(told).encode()))
def test_anything_else_is_no_answer(payload: bytes) -> None:
    """Whatever comes."""
    with pytest.raises(InputError):
        read_answer(payload, SECRETS, TOPIC)


def test_secrets_are_secret(tmp_path: Path) -> None:
    """Nobody, a short one, one that others read, one for two: then nobody may answer."""
    good, short, other = tmp_path / "good", tmp_path / "short", tmp_path / "other"
    for path, text in ((good, "x" * 40), (short, "x"), (other, "y" * 40)):
        path.write_text(text)
        path.chmod(0o600)
    assert set(load_secrets({"Li": good, "Wang": other}, least_bytes=16)) == {"Li", "Wang"}
    wrong: list[tuple[dict[str, Path], str]] = [
        ({}, "nobody may answer"), ({"Li": short}, "shorter than 16"), ({"Li": tmp_path / "none"}, "cannot be read"),
        ({"Li": good, "Wang": good}, "one secret"),
    ]  # fmt: skip
    for files, said in wrong:
        with pytest.raises(InputError, match=said):
            load_secrets(files, least_bytes=16)
    good.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        load_secrets({"Li": good}, least_bytes=16)


def test_over_a_real_broker(bed: Bed) -> None:
    """Told, answered, done: by messages alone."""
    try:
        with running_mosquitto() as broker:
            desk, sent = desk_of(bed), 0
            link = Link("b", ConnectionSettings(kind="mqtt", address=broker.address), DriverSettings(), desk.heard)
            link.start()
            assert link.wait_up(5)
            link.subscribe([desk.answer_topic])
            phone = Peer(broker, f"{TOPIC}/#", answer=None)
            bed.say(ORDER)
            desk.turn_to(link, seconds=0)
            (_, text), *_ = phone.wait(1)
            phone.tell(desk.answer_topic, answer(json.loads(text)), times=2)
            until(lambda: bool(desk.turn_to(link, seconds=0.3)) or bool(bed.driver.writes))
            assert bed.driver.writes == [("P-3", "power", True)] and sent == 0
            link.close()
            phone.close()
    except MosquittoMissing as why:
        pytest.skip(str(why))
