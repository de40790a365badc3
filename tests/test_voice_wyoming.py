"""The Wyoming server and the client of others: a full pipeline over loopback, and nothing from a line that lies."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.tts import Synthesize

from agent.env import Env
from agent.errors import InputError, VoiceUnavailable
from agent.messages import ToolCall
from agent.orders import Due, Order
from agent.settings import VoiceSettings
from agent.values import say
from agent.voice.serving import WyomingServer
from agent.voice.sound import HEARD_RATE, Sound, pcm16
from agent.voice.values import Take
from agent.voice.wire import read_event
from agent.voice.wyoming_client import WyomingEars, WyomingMouth
from tests.spoken.rooms import padded, white
from tests.voice_kit import FakeBrain, FakeEars, FakeMouth, fake_voice, speechlike

QUICK = VoiceSettings(
    port=0, end_seconds=0.3, idle_seconds=3.0, event_seconds=1.0, connect_seconds=2.0, retry_seconds=0.05,
    stage_seconds=5.0, most_connections=2,
)  # fmt: skip
FORM = {"rate": HEARD_RATE, "width": 2, "channels": 1}


@dataclass
class Box:
    """A server on loopback and what stands behind it."""

    port: int
    ears: FakeEars
    mouth: FakeMouth
    brain: FakeBrain = field(default_factory=FakeBrain)


@asynccontextmanager
async def served(env: Env, limits: VoiceSettings = QUICK, **parts: Any) -> AsyncIterator[Box]:
    """A box that listens."""
    ears, mouth = parts.get("ears") or FakeEars(), parts.get("mouth") or FakeMouth()
    brain = parts.get("brain") or FakeBrain()
    server = WyomingServer(fake_voice(env, ears, mouth, ["客厅灯"]), brain, limits)
    async with server.started():
        yield Box(server.port, ears, mouth, brain)


@asynccontextmanager
async def called(box: Box) -> AsyncIterator[AsyncTcpClient]:
    """A client."""
    async with AsyncTcpClient("127.0.0.1", box.port) as client:
        yield client


async def until(client: AsyncTcpClient, *kinds: str) -> list[Event]:
    """Events up to and with the first of these kinds."""
    got: list[Event] = []
    while not got or got[-1].type not in kinds:
        event = await asyncio.wait_for(client.read_event(), 5)
        assert event is not None, got
        got.append(event)
    return got


async def speak(client: AsyncTcpClient, sound: Sound, *, ends: bool = True) -> None:
    """Send sound as a microphone does."""
    data = pcm16(sound)
    await client.write_event(AudioStart(**FORM).event())
    for at in range(0, len(data), 2_048):
        await client.write_event(AudioChunk(audio=data[at : at + 2_048], **FORM).event())
    if ends:
        await client.write_event(AudioStop().event())


def run(work: Callable[[], Awaitable[None]]) -> None:
    """One test's asynchronous part."""
    asyncio.run(asyncio.wait_for(work(), 20))  # type: ignore[arg-type]


def test_a_whole_pipeline_as_home_assistant_drives_it(env: Env) -> None:
    """Sound in → transcript → handled → sound out, each a request of its own, area and conversation along."""

    async def work() -> None:
        async with served(env) as box, called(box) as client:
            await client.write_event(Describe().event())
            info = Info.from_event((await until(client, "info"))[-1])
            assert info.asr and info.tts and info.handle and info.intent
            assert info.handle[0].supports_home_control
            await client.write_event(Transcribe(language="zh").event())
            await speak(client, padded(speechlike(1.0)))
            said = Transcript.from_event((await until(client, "transcript"))[-1])
            assert (said.text, said.language) == ("打开客厅灯", "zh")
            assert box.ears.hints == ["客厅灯"]
            context = {"conversation_id": "c1", "area": "客厅"}
            await client.write_event(Transcript(text=said.text, context=context).event())
            handled = Handled.from_event((await until(client, "handled"))[-1])
            assert handled.text == box.brain.answer
            assert handled.context == context
            assert box.brain.asked == [("打开客厅灯", "客厅", "c1")]
            await client.write_event(Synthesize(text=str(handled.text)).event())
            sound = await until(client, "audio-stop")
            assert sound[0].type == "audio-start"
            assert sum(len(event.payload or b"") for event in sound) == len("客厅灯:开,已确认。") * 0.05 * 16_000 * 2

    run(work)


def test_a_satellite_pipeline_ends_by_itself(env: Env) -> None:
    """On run-pipeline the box finds the end of what is said, answers and speaks, without being asked for each."""

    async def work() -> None:
        async with served(env) as box, called(box) as client:
            await client.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
            await speak(client, padded(speechlike(0.8), 0.8), ends=False)
            got = [event.type for event in await until(client, "audio-stop")]
            assert got[:3] == ["transcript", "handled", "audio-start"]
            assert box.brain.asked == [("打开客厅灯", "", "")]

    run(work)


def test_who_speaks_over_the_answer_stops_it(env: Env) -> None:
    """Barge-in: the rest of a long answer is not made, and what is said over it is heard."""

    async def work() -> None:
        brain = FakeBrain(answer="这是很长的回答。" * 60)
        async with served(env, brain=brain) as box, called(box) as client:
            await client.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
            await speak(client, padded(speechlike(0.8), 0.8), ends=False)
            await until(client, "audio-chunk")
            await speak(client, padded(speechlike(1.2), 0.8), ends=False)
            await until(client, "transcript")
            assert len(box.mouth.said) < 60
            assert len(brain.asked) == 1 or brain.asked[1][0] == "打开客厅灯"

    run(work)


def test_a_new_request_stops_the_answer(env: Env) -> None:
    """A client that asks for something else wants no more of what is being said."""

    async def work() -> None:
        async with served(env) as box, called(box) as client:
            await client.write_event(Synthesize(text="这是很长的回答。" * 60).event())
            await until(client, "audio-chunk")
            await client.write_event(Transcribe().event())
            await until(client, "audio-stop")
            assert len(box.mouth.said) < 60

    run(work)


def test_silence_and_noise_make_no_turn(env: Env) -> None:
    """What nobody said is not asked: not in a pipeline, and as an empty transcript to whoever asks for one."""

    async def work() -> None:
        ears = FakeEars(take=Take("谢谢观看", "zh", 2.0))
        async with served(env, ears=ears) as box, called(box) as client:
            await speak(client, white(2.0, 1))
            assert Transcript.from_event((await until(client, "transcript"))[-1]).text == ""
            await client.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
            await speak(client, padded(speechlike(0.8), 0.8), ends=False)
            got = await until(client, "audio-stop")
            assert NotHandled.from_event(got[1]).text == "没有听到说话,请靠近再说一次。"
            assert box.brain.asked == []

    run(work)


def test_recognize_reads_and_moves_nothing(env: Env) -> None:
    """The intent service says what a sentence would order; the agent makes no turn of it."""

    async def work() -> None:
        order = Order(say("开", "on"), ToolCall("write_point", {"device": "lamp", "point": "power", "value": True}))
        brain = FakeBrain(orders=(order,))
        async with served(env, brain=brain) as box, called(box) as client:
            await client.write_event(Recognize(text="打开客厅灯").event())
            intent = Intent.from_event((await until(client, "intent"))[-1])
            assert {entity.name: entity.value for entity in intent.entities}["device"] == "lamp"
            brain.orders = ()
            await client.write_event(Recognize(text="今天天气").event())
            assert NotRecognized.is_type((await until(client, "not-recognized"))[-1].type)
            assert box.brain.asked == []

    run(work)


def test_no_mouth_leaves_the_text(env: Env) -> None:
    """A mouth that does not answer is said as an error; the handled text was there before."""

    async def work() -> None:
        async with served(env, mouth=FakeMouth(broken=True)) as box, called(box) as client:
            await client.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
            await speak(client, padded(speechlike(0.8), 0.8), ends=False)
            got = await until(client, "error")
            assert Handled.from_event(got[1]).text == box.brain.answer
            assert "read the answer" in got[-1].data["text"]

    run(work)


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n", b"[1]\n", b'{"no": "type"}\n', b'{"type": 5}\n', b'{"type": "x", "data_length": -1}\n',
        b'{"type": "x", "payload_length": 99999999999}\n', b'{"type": "x", "data_length": 99999999}\n',
        b'{"type": "x", "data_length": true}\n', b'{"type": "x", "data_length": 4}\nnull', b"{" * 5_000 + b"\n",
        b'{"type": "' + b"x" * 70_000 + b'"}\n', b'{"type": "x", "payload_length": "9"}\n',
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_is_refused(env: Env, line: bytes) -> None:
    """Malformed, lying or endless events: one error, the connection is closed, and the server serves the next."""

    async def work() -> None:
        async with served(env) as box:
            reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
            writer.write(line)
            answer = await asyncio.wait_for(reader.read(), 10)
            assert b'"error"' in answer.split(b"\n")[0]
            writer.close()
            async with called(box) as client:
                await client.write_event(Describe().event())
                await until(client, "info")

    run(work)


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_an_error(data: bytes) -> None:
    """The reader gives an event, nothing, or one clear error; never anything else."""

    async def work() -> None:
        reader = asyncio.StreamReader(limit=QUICK.max_event_bytes)
        reader.feed_data(data)
        reader.feed_eof()
        try:
            event = await read_event(reader, QUICK)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert event is None or isinstance(event.type, str)

    asyncio.run(work())


def test_sound_of_no_format_is_an_error_and_the_line_stays(env: Env) -> None:
    """A chunk that says nonsense of itself is answered; what comes after is heard."""

    async def work() -> None:
        async with served(env) as box, called(box) as client:
            await client.write_event(Event("audio-chunk", {"rate": "fast", "width": None}, b"\0" * 64))
            assert "not understood" in (await until(client, "error"))[-1].data["text"]
            await speak(client, padded(speechlike(0.5)))
            await until(client, "transcript")

    run(work)


def test_sound_without_end_is_cut(env: Env) -> None:
    """More than may be said in one go is not kept, and is refused as a whole."""

    async def work() -> None:
        limits = QUICK.model_copy(update={"max_audio_seconds": 1.0})
        async with served(env, limits) as box, called(box) as client:
            await speak(client, speechlike(5.0))
            await until(client, "transcript")
            assert box.ears.heard[0].seconds <= 1.2

    run(work)


def test_connections_are_bounded(env: Env) -> None:
    """One more than may be is closed at once; when one goes, there is room again."""

    async def work() -> None:
        async with served(env) as box:
            held = [await asyncio.open_connection("127.0.0.1", box.port) for _ in range(2)]
            await asyncio.sleep(0.05)
            reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
            assert await asyncio.wait_for(reader.read(), 5) == b""
            for _, other in [*held, (reader, writer)]:
                other.close()
            await asyncio.sleep(0.1)
            async with called(box) as client:
                await client.write_event(Describe().event())
                await until(client, "info")

    run(work)


def test_an_idle_connection_is_closed(env: Env) -> None:
    """Who sends nothing, or half an event, holds no place for ever."""

    async def work() -> None:
        async with served(env, QUICK.model_copy(update={"idle_seconds": 0.1, "event_seconds": 0.1})) as box:
            for data in (b"", b'{"type": "x", "data_length": 9}\n{'):
                reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
                writer.write(data)
                assert await asyncio.wait_for(reader.read(), 5) == b""
                writer.close()

    run(work)


def test_a_satellite_is_called_and_its_area_is_here(env: Env) -> None:
    """The box calls a satellite, says that it may begin, and hears in it the room where it stands."""

    async def work() -> None:
        heard = asyncio.Event()
        brain = FakeBrain()

        async def satellite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            first = await read_event(reader, QUICK)
            assert first is not None and RunSatellite.is_type(first.type)
            line = json.dumps({"type": "transcript", "data": {"text": "打开灯"}}).encode()
            writer.write(line + b"\n")
            answer = await read_event(reader, QUICK)
            assert answer is not None and answer.type == "handled"
            heard.set()
            writer.close()

        there = await asyncio.start_server(satellite, "127.0.0.1", 0)
        place = f"tcp://127.0.0.1:{there.sockets[0].getsockname()[1]}"
        limits = QUICK.model_copy(update={"satellites": {place: "厨房"}})
        server = WyomingServer(fake_voice(env, FakeEars(), FakeMouth()), brain, limits)  # type: ignore[arg-type]
        stop = asyncio.Event()
        serving = asyncio.create_task(server.run(stop))
        await asyncio.wait_for(heard.wait(), 10)
        stop.set()
        await serving
        there.close()
        assert brain.asked[0] == ("打开灯", "厨房", "")

    run(work)


DUE = Due(say("厨房计时 5 分钟到了。", "kitchen timer for 5 min has ended."), "五分钟后提醒我", area="厨房")


def test_a_timer_rings_at_the_satellite_that_it_was_set_at(env: Env) -> None:
    """It rings and is said in its area, in the language in which it was set, and nowhere else."""

    async def work() -> None:
        got: dict[str, list[Event]] = {"厨房": [], "客厅": []}
        rung = asyncio.Event()

        async def satellite(area: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while (event := await read_event(reader, QUICK)) is not None:
                got[area].append(event)
                if event.type == "audio-stop":
                    rung.set()
            writer.close()

        there = [await asyncio.start_server(partial(satellite, area), "127.0.0.1", 0) for area in got]
        places = [f"tcp://127.0.0.1:{one.sockets[0].getsockname()[1]}" for one in there]
        limits = QUICK.model_copy(update={"satellites": dict(zip(places, got, strict=True))})
        mouth = FakeMouth()
        server = WyomingServer(fake_voice(env, FakeEars(), mouth), FakeBrain(), limits)  # type: ignore[arg-type]
        assert not server.ring(DUE), "nobody is connected yet"
        stop = asyncio.Event()
        serving = asyncio.create_task(server.run(stop))
        while not all(got.values()):
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(server.ring, DUE)
        await asyncio.wait_for(rung.wait(), 10)
        assert not server.ring(replace(DUE, area="车库")) and not server.ring(replace(DUE, area=""))
        stop.set()
        await serving
        for one in there:
            one.close()
        assert [event.type for event in got["厨房"]][:3] == ["run-satellite", "timer-finished", "audio-start"]
        assert [event.type for event in got["客厅"]] == ["run-satellite"]
        assert "".join(mouth.said) == "厨房计时 5 分钟到了。"

    run(work)


def test_a_timer_waits_for_who_speaks_and_for_the_answer(env: Env) -> None:
    """What is being said at its satellite is heard and answered first; then it rings."""

    async def work() -> None:
        ears, mouth = FakeEars(), FakeMouth()
        server = WyomingServer(fake_voice(env, ears, mouth, ["客厅灯"]), FakeBrain(), QUICK)  # type: ignore[arg-type]
        async with server.started(), AsyncTcpClient("127.0.0.1", server.port) as client:
            begun = RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event()
            await client.write_event(Event(begun.type, {**begun.data, "context": {"area": "厨房"}}))
            await client.write_event(Event("ping", {"text": "heard"}))
            await until(client, "pong")
            assert await asyncio.to_thread(server.ring, DUE)
            await speak(client, padded(speechlike(0.8), 0.8), ends=False)
            kinds = [event.type for event in await until(client, "timer-finished")]
            assert [kind for kind in kinds if kind != "audio-chunk"] == [
                "transcript", "handled", "audio-start", "audio-stop", "timer-finished",
            ]  # fmt: skip
            await until(client, "audio-stop")
            assert mouth.said[-1].endswith("到了。")

    run(work)


def test_without_a_voice_a_timer_is_told_otherwise(env: Env) -> None:
    """Who cannot speak does not say that it was said."""
    voice = fake_voice(env, FakeEars(), None, [])
    assert not WyomingServer(voice, FakeBrain(), QUICK).ring(DUE)  # type: ignore[arg-type]


def test_the_box_uses_another_box_as_ears_and_mouth(env: Env) -> None:
    """voice.asr and voice.tts may be a Wyoming server: here it is another Watchkeeper."""

    async def work() -> None:
        async with served(env) as box:
            place = f"tcp://127.0.0.1:{box.port}"
            ears, mouth = WyomingEars(place, QUICK), WyomingMouth(place, QUICK)
            take, _ = await asyncio.to_thread(ears.transcribe, padded(speechlike(0.5)), ["客厅灯"], "zh")
            assert (take.text, take.language) == ("打开客厅灯", "zh")
            sound = await asyncio.to_thread(mouth.say, "好的", "zh")
            assert sound.seconds == pytest.approx(0.1, abs=0.01)

    run(work)


def test_a_server_that_is_not_there_is_said() -> None:
    """Nobody listens at that port: one line, and the box goes on in writing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mouth = WyomingMouth(f"tcp://127.0.0.1:{port}", QUICK)
    with pytest.raises(VoiceUnavailable, match="cannot be reached"):
        mouth.say("好", "zh")


def test_a_port_that_is_taken_is_said(env: Env) -> None:
    """Two servers cannot listen at one place: one line."""

    async def work() -> None:
        async with served(env) as box:
            limits = QUICK.model_copy(update={"port": box.port})
            with pytest.raises(InputError, match="cannot listen"):
                async with served(env, limits):
                    pass

    run(work)
