"""What schedules promise: at their time in their zone, once, made up for after a pause, delivered when possible."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import client as mqtt
from paho.mqtt import enums

from agent.audit import Trail
from agent.env import Env
from agent.errors import InputError
from agent.journal import Journal
from agent.reports.delivery import NotDelivered, Parcel, check_target, deliver
from agent.reports.runs import Runner, period_of
from agent.reports.schedules import Order, parse_span
from agent.reports.when import next_after, parse_when
from agent.settings import ReportSettings
from tests.reports_kit import Plant
from tests.servers.mosquitto import Login, MosquittoMissing, running_mosquitto

MONDAY = datetime(2025, 3, 10, 6, tzinfo=UTC)
ORDER = Order(("P-7",), 168.0, ("zh",), ("html",), ())


@dataclass
class Clock:
    """The box's wall clock, which tests turn."""

    at: datetime = MONDAY - timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.at


@contextmanager
def runner(env: Env, clock: Clock, plant: Plant | None = None) -> Iterator[Runner]:
    with (
        closing(Trail(env.home.watch_db, busy_seconds=2)) as trail,
        closing(Journal(trail)) as journal,
    ):
        yield Runner(env, (plant or Plant()).host(), journal, lambda: None, now=clock)


@pytest.mark.parametrize(
    ("said", "cron"),
    [
        ("every Monday 6:00", "0 6 * * 1"),
        ("每周一早上六点", "0 6 * * 1"),
        ("every Monday and Friday at 6pm", "0 18 * * 1,5"),
        ("每周一、周四 8:00", "0 8 * * 1,4"),
        ("weekdays at 7am", "0 7 * * 1-5"),
        ("每个工作日下午3点15分", "15 15 * * 1-5"),
        ("daily at 23:45", "45 23 * * *"),
        ("每天晚上十点半", "30 22 * * *"),
        ("每天凌晨两点", "0 2 * * *"),
        ("every month on the 1st at noon", "0 12 1 * *"),
        ("每月15号上午9点", "0 9 15 * *"),
        ("every 6 hours", "0 */6 * * *"),
        ("每小时", "0 * * * *"),
        ("*/15 8-17 * * 1-5", "*/15 8-17 * * 1-5"),
    ],
)
def test_a_time_may_be_said_in_words(said: str, cron: str) -> None:
    """In Chinese, English and cron."""
    assert parse_when(said) == cron


@pytest.mark.parametrize(
    "said",
    [
        "",
        "每周一",
        "every monday",
        "每天25点",
        "every 7 hours",
        "0 6 30 2 *",
        "61 6 * * 1",
        "sometimes",
        "每周一早上六点吧",
    ],
)
def test_what_is_not_understood_whole_is_refused(said: str) -> None:
    """Never guessed; one line with an example."""
    with pytest.raises(InputError, match="every Monday 6:00"):
        parse_when(said)


@given(st.text(max_size=40))
def test_no_text_breaks_it(said: str) -> None:
    """A schedule or an InputError."""
    with suppress(InputError):
        assert len(parse_when(said).split()) == 5


def test_clocks_that_change_neither_lose_nor_double_a_run() -> None:
    """On the night that lacks 2:30 it runs at 3:00; on the one that has it twice, once."""
    spring = next_after("30 2 * * *", "Europe/Berlin", datetime(2025, 3, 29, 12, tzinfo=UTC))
    assert spring == datetime(2025, 3, 30, 1, tzinfo=UTC)
    autumn = next_after("30 2 * * *", "Europe/Berlin", datetime(2025, 10, 25, 12, tzinfo=UTC))
    following = next_after("30 2 * * *", "Europe/Berlin", autumn)
    assert (autumn.day, following.day) == (26, 27)
    assert next_after("0 6 * * 1", "Asia/Shanghai", MONDAY).hour == 22


def test_it_runs_when_it_is_due_and_once(env: Env) -> None:
    """Not before, then once however often one looks, then not until the next week."""
    clock = Clock()
    with runner(env, clock) as box:
        box.schedules.add("mon", "every Monday 6:00", "UTC", ORDER, now=clock())
        assert box.tick() == []
        clock.at = MONDAY + timedelta(seconds=5)
        (done,) = box.tick()
        assert done.files[0].name == "P-7-20250303-20250310.html" and done.run == "mon@2025-03-10T06:00:00Z"
        assert box.tick() == []
        clock.at = MONDAY + timedelta(days=7, seconds=1)
        assert len(box.tick()) == 1


def test_after_weeks_without_power_the_newest_is_made_up_for(env: Env) -> None:
    """One report, for the period that ended when it was due; how many were missed is in the trail."""
    clock = Clock()
    with runner(env, clock) as box:
        box.schedules.add("mon", "every Monday 6:00", "UTC", ORDER, now=clock())
    clock.at = MONDAY + timedelta(days=31)
    with runner(env, clock) as box:
        (done,) = box.tick()
        assert done.run == "mon@2025-04-07T06:00:00Z" and "20250331-20250407" in done.files[0].name
        told = [row.body for row in box._journal.trail.rows() if row.kind == "report_due"]
        assert [body["missed_before"] for body in told] == [4]


def test_two_processes_that_look_at_once_write_one_report(env: Env) -> None:
    """Whoever is second finds it begun."""
    clock = Clock()
    with runner(env, clock) as one, runner(env, clock) as other:
        one.schedules.add("mon", "every Monday 6:00", "UTC", ORDER, now=clock())
        clock.at = MONDAY
        begun = one.schedules.begin_due(clock())
        assert len(begun) == 1 and other.schedules.begin_due(clock()) == []
        assert other._journal.abandoned("report", "due") == []  # the other one lives


def test_a_run_that_was_cut_off_is_written_by_the_next_process(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Power lost between begin and end, or a full disk: it stays due and is written later, once."""
    clock = Clock()
    with runner(env, clock) as box:
        box.schedules.add("mon", "every Monday 6:00", "UTC", ORDER, now=clock())
        clock.at = MONDAY
        box.schedules.begin_due(clock())
    with runner(env, clock) as box:
        with monkeypatch.context() as full:
            full.setattr("agent.reports.files.write_whole", _full)
            assert box.tick() == []
        (done,) = box.tick()
        assert done.files and box.tick() == []


def _full(path: Path, data: bytes) -> None:
    raise OSError(28, "No space left on device", str(path))


def test_a_clock_that_jumps_neither_repeats_nor_silences(env: Env) -> None:
    """1970 after a flat battery: nothing. Years ahead: one run. Back again: the next Monday comes as if nothing was."""
    clock = Clock()
    with runner(env, clock) as box:
        box.schedules.add("mon", "every Monday 6:00", "UTC", ORDER, now=clock())
        clock.at = datetime(1970, 1, 5, 6, tzinfo=UTC)
        assert box.tick() == []
        clock.at = MONDAY
        assert len(box.tick()) == 1
        clock.at = datetime(2031, 1, 1, tzinfo=UTC)
        assert len(box.tick()) == 1
        clock.at = MONDAY + timedelta(minutes=5)
        assert box.tick() == []
        assert box.schedules.get("mon").next_at == MONDAY + timedelta(days=7)
        clock.at = MONDAY + timedelta(days=7)
        assert len(box.tick()) == 1


def test_a_plant_whose_clock_stands_may_be_reported_on_again(env: Env) -> None:
    """Each run that a person starts at the same instant is one of its own, and is delivered as one."""
    clock = Clock()
    with runner(env, clock) as box:
        schedule = box.schedules.add("mon", "every Monday 6:00", "UTC", ORDER, now=clock())
        runs = [box.carry_out(box.schedules.begin_now(schedule, clock())) for _ in range(3)]
        assert [run.run.partition("Z")[2] for run in runs if run] == ["", "#2", "#3"]
        assert len({run.files for run in runs if run}) == 1


@pytest.mark.parametrize("now", [datetime(2025, 3, 31, 4, tzinfo=UTC), datetime(2025, 4, 14, 4, tzinfo=UTC)])
@pytest.mark.parametrize("due", [datetime(2025, 3, 24, 5, tzinfo=UTC), datetime(2025, 3, 31, 4, tzinfo=UTC)])
def test_a_week_is_a_week_on_the_wall_clock(due: datetime, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the clocks changed within it or before it is made up for: from Monday 6:00 to Monday 6:00."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        period = period_of({"due": due.timestamp(), "hours": 168.0}, now.astimezone())
        naive = period_of({"due": due.timestamp(), "hours": 168.0}, now.astimezone().replace(tzinfo=None))
    finally:
        monkeypatch.undo()
        time.tzset()
    for one in (period, naive):
        assert (one.end.hour, one.start.hour) == (6, 6) and (one.end - one.start).days == 7
        assert one.end.day == due.day


def test_machines_that_fail_are_told_and_the_others_written(env: Env) -> None:
    """A run with an unknown machine has its problem in one line."""
    clock = Clock()
    with runner(env, clock) as box:
        order = replace(ORDER, machines=("P-7", "ghost"))
        schedule = box.schedules.add("mix", "daily at 6:00", "UTC", order, now=clock())
        done = box.carry_out(box.schedules.begin_now(schedule, clock()))
        assert done is not None and len(done.files) == 1 and "ghost: no such machine" in done.problems[0]


def test_names_and_removal(env: Env) -> None:
    """A name is taken once, removing an unknown one says which there are, and a spoiled row hides no other."""
    clock = Clock()
    with runner(env, clock) as box:
        box.schedules.add("a", "daily at 6:00", "UTC", ORDER, now=clock())
        with pytest.raises(InputError, match="already"):
            box.schedules.add("a", "daily at 6:00", "UTC", ORDER, now=clock())
        with pytest.raises(InputError, match="no name"):
            box.schedules.add("../a", "daily at 6:00", "UTC", ORDER, now=clock())
        with pytest.raises(InputError, match="time zone"):
            box.schedules.add("b", "daily at 6:00", "Mars/Base", ORDER, now=clock())
        with pytest.raises(InputError, match="there are: a"):
            box.schedules.remove("z")
        with box._journal.trail.writing() as writing:
            writing.db.execute("INSERT INTO schedules VALUES ('bad', 'x', 'x', 'UTC', '{}', 0, 0)")
        assert [s.id for s in box.schedules.all()] == ["a"]
        box.schedules.remove("a")
        assert box.schedules.all() == []


@pytest.mark.parametrize(("text", "hours"), [("7d", 168), ("24h", 24), ("2w", 336), ("3天", 72), ("1 week", 168)])
def test_spans(text: str, hours: float) -> None:
    """Length and unit."""
    assert parse_span(text) == hours


@pytest.mark.parametrize("text", ["", "7", "0d", "-1d", "9999w", "7x"])
def test_spans_that_are_none(text: str) -> None:
    """One line."""
    with pytest.raises(InputError, match="7d"):
        parse_span(text)


# Delivery


def parcel(tmp_path: Path) -> Parcel:
    file = tmp_path / "P-7-20250303-20250310.html"
    file.write_text("<p>报告</p>", encoding="utf-8")
    return Parcel("mon@x/P-7", "七号泵\n报告", "本期报警 5 次。", (file,), {"risk": "high"}, MONDAY.timestamp())


def test_a_folder_gets_whole_files_twice_the_same(tmp_path: Path) -> None:
    """Delivering again changes nothing and leaves nothing else behind; without room it waits."""
    sent, to = parcel(tmp_path), tmp_path / "out" / "deep"
    for _ in range(2):
        deliver(sent, str(to), ReportSettings())
    assert [p.name for p in to.iterdir()] == [sent.files[0].name]
    with pytest.raises(NotDelivered, match="free some"):
        deliver(sent, str(to), ReportSettings(spare_bytes=10**18))
    sent.files[0].unlink()
    with pytest.raises(NotDelivered, match="gone"):
        deliver(sent, str(to), ReportSettings())


@pytest.mark.parametrize(
    "target", ["mailto:", "mailto:nobody", "mailto:a@b\nBcc: c@d", "mqtt:", "mqtt:a/#", "mailto:a@b c"]
)
def test_targets_are_checked_when_they_are_set(target: str) -> None:
    """A target that can never work is refused, header injection included."""
    settings = ReportSettings(smtp_host="h", smtp_from="w@plant.example", mqtt_host="h")
    with pytest.raises(InputError):
        check_target(target, settings)
    with pytest.raises(InputError, match="needs"):
        check_target("mailto:a@plant.example", ReportSettings())


class _Inbox:
    """What a mail server was given."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[_Inbox, int]]:
    """A real SMTP server on loopback, in a loop of its own."""
    from aiosmtpd.smtp import SMTP

    inbox, loop, ready = _Inbox(), asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []

    async def serve() -> asyncio.Server:
        server = await loop.create_server(lambda: SMTP(inbox, hostname="localhost", loop=loop), "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        return server

    server = []
    thread = threading.Thread(target=lambda: (server.append(loop.run_until_complete(serve())), loop.run_forever()))
    thread.start()
    ready.wait(5)
    try:
        yield inbox, ports[0]
    finally:
        loop.call_soon_threadsafe(server[0].close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mail_waits_for_its_server_and_arrives_once(env: Env) -> None:
    """While nobody answers the parcel waits with the reason; when the server is back it arrives, with its files."""
    clock, up = Clock(), [0.0]
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    base = {"smtp_host": "127.0.0.1", "smtp_from": "watch@plant.example", "smtp_security": "none"}
    env = _with(env, ReportSettings(**base, smtp_port=closed))  # type: ignore[arg-type]
    order = replace(ORDER, deliver=("mailto:planner@plant.example",))
    with runner(env, clock) as box:
        box.outbox._up = lambda: up[0]
        box.schedules.add("mon", "every Monday 6:00", "UTC", order, now=clock())
        clock.at = MONDAY
        box.tick()
        for day in range(1, 8):  # a week without a server
            clock.at, up[0] = MONDAY + timedelta(days=day - 1, hours=1), day * 86_400.0
            box.outbox.send()
        (waiting,) = box.outbox.waiting()
        assert waiting.tries == 8 and "refused" in waiting.problem
        assert sum(row.kind == "delivery_waits" for row in box._journal.trail.rows()) == 1
    with mail_server() as (inbox, port):
        env = _with(env, ReportSettings(**base, smtp_port=port))  # type: ignore[arg-type]
        with runner(env, clock) as box:
            assert box.outbox.send() == (1, 0) and box.outbox.send() == (0, 0)
    (mail,) = inbox.mails
    assert mail["Message-ID"].endswith("@plant.example>") and mail["To"] == "planner@plant.example"
    assert [part.get_filename() for part in mail.walk() if part.get_filename()] == ["P-7-20250303-20250310.html"]


def test_a_delivery_is_given_up_only_late_and_often_tried(env: Env) -> None:
    """A clock that jumps by years does not end it; time and tries together do, and it is told."""
    clock, up = Clock(), [0.0]
    env = _with(env, ReportSettings(give_up_tries=3, smtp_host="127.0.0.1", smtp_port=1, smtp_security="none"))
    with runner(env, clock) as box:
        box.outbox._up = lambda: up[0]
        order = replace(ORDER, deliver=("mailto:p@plant.example",))
        box.schedules.add("mon", "every Monday 6:00", "UTC", order, now=clock())
        clock.at = MONDAY
        box.tick()
        clock.at = MONDAY + timedelta(days=4000)
        assert len(box.outbox.waiting()) == 1
        for number in range(1, 4):
            up[0] = number * 1e6
            box.outbox.send()
        assert box.outbox.waiting() == []
        assert [row.kind for row in box._journal.trail.rows()][-1] == "delivery_given_up"


def test_a_parcel_enters_the_outbox_once(env: Env) -> None:
    """A run that is written again after a power cut adds no second parcel."""
    clock = Clock()
    with runner(env, clock) as box:
        sent = Parcel("x/P-7", "s", "t", (), {}, 0.0)
        for _ in range(2):
            with box._journal.writing() as pen:
                box.outbox.put(pen, "x", "/tmp/nowhere", sent)
        assert len(box.outbox.waiting()) == 1


def test_a_broker_gets_the_report(tmp_path: Path) -> None:
    """A real broker confirms one message with the file in it; a large file goes by name and digest."""
    got: list[dict[str, Any]] = []
    listener = mqtt.Client(enums.CallbackAPIVersion.VERSION2)
    listener.on_message = lambda client, data, message: got.append(json.loads(message.payload))
    try:
        with running_mosquitto() as broker:
            listener.connect("127.0.0.1", broker.port)
            listener.subscribe("plant/#", 1)
            listener.loop_start()
            settings = ReportSettings(mqtt_host="127.0.0.1", mqtt_port=broker.port)
            deliver(parcel(tmp_path), "mqtt:plant/reports", settings)
            deliver(parcel(tmp_path), "mqtt:plant/reports", settings.model_copy(update={"max_mqtt_bytes": 200}))
            deadline = time.monotonic() + 5
            while len(got) < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
            listener.disconnect()
            listener.loop_stop()
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")
    assert got[0]["risk"] == "high" and got[0]["files"][0]["base64"] and got[1]["too_large"]
    with pytest.raises(NotDelivered):
        deliver(parcel(tmp_path), "mqtt:plant/reports", settings)


def test_a_parcel_waits_for_its_broker_and_arrives(env: Env, tmp_path: Path) -> None:
    """A wrong password is named at once; a broker that was killed gets the report when it is back, after a restart of
    the box too."""
    clock, up, got = Clock(), [0.0], []
    listener = mqtt.Client(enums.CallbackAPIVersion.VERSION2)
    listener.username_pw_set("plant", "right")
    listener.on_message = lambda client, data, message: got.append(json.loads(message.payload))
    try:
        with running_mosquitto(login=Login("plant", "right")) as broker:
            said = {"mqtt_host": "127.0.0.1", "mqtt_port": broker.port, "mqtt_user": "plant", "send_seconds": 5.0}
            wrong, right = (ReportSettings(**said, mqtt_password=word) for word in ("wrong", "right"))  # type: ignore[arg-type]
            began = time.monotonic()
            with pytest.raises(NotDelivered, match="refuses the connection"):
                deliver(parcel(tmp_path), "mqtt:plant/reports", wrong)
            assert time.monotonic() - began < 4
            broker.kill()
            with runner(_with(env, right), clock) as box:
                order = replace(ORDER, deliver=("mqtt:plant/reports",))
                box.schedules.add("mon", "every Monday 6:00", "UTC", order, now=clock())
                clock.at = MONDAY
                box.tick()
                (waiting,) = box.outbox.waiting()
                assert waiting.tries == 1 and "mqtt:plant/reports" in waiting.problem
            broker.start()
            listener.connect("127.0.0.1", broker.port)
            listener.subscribe("plant/#", 1)
            listener.loop_start()
            time.sleep(0.2)
            with runner(_with(env, right), clock) as box:
                box.outbox._up = lambda: up[0]
                box.tick()
                assert box.outbox.waiting() == []
                deadline = time.monotonic() + 5
                while not got and time.monotonic() < deadline:
                    time.sleep(0.02)
            listener.disconnect()
            listener.loop_stop()
    except MosquittoMissing as missing:
        pytest.skip(f"no Mosquitto here: {missing}")
    assert [one["id"] for one in got] == ["mon@2025-03-10T06:00:00Z/P-7"]


def _with(env: Env, reports: ReportSettings) -> Env:
    return replace(env, settings=env.settings.model_copy(update={"reports": reports}))
