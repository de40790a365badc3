"""One exchange by voice, and what is left of it where a part of the box is not there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cli import run
from agent.env import Env, load_env
from agent.errors import PullError, SettingsError, VoiceUnavailable
from agent.orders import Heard
from agent.settings import VoiceSettings
from agent.turn_record import TurnRecord
from agent.voice.addresses import address_of
from agent.voice.endpoint import Endpoint, loudness
from agent.voice.opening import open_ears, open_mouth
from agent.voice.sound import HEARD_RATE, Sound, joined, resampled, write_wav
from agent.voice.values import Take
from agent.voice.voice import Voice
from agent.weights.progress import choose_reporter
from agent.weights.pull import pull
from tests.spoken.rooms import hum, padded, shouted, tone, white
from tests.voice_kit import FakeEars, FakeMouth, fake_voice, record_of, speechlike


def with_voice(env: Env, **changes: object) -> Env:
    """The same box with other settings of its voice."""
    voice = env.settings.voice.model_copy(update=changes)
    return Env(env.settings.model_copy(update={"voice": voice}), env.home, env.weights)


def test_what_is_said_is_asked_and_the_answer_spoken(env: Env) -> None:
    """Sound → words → the turn, with the room along → sentences, the first before the second is made."""
    mouth, asked, played = FakeMouth(), list[tuple[str, str]](), list[int]()

    def ask(text: str, heard: Heard) -> TurnRecord:
        asked.append((text, heard.area))
        return record_of(text, "客厅灯:开,已确认。新风:开,已确认。", "zh")

    def play(sound: Sound) -> None:
        played.append(len(mouth.said))

    voice = fake_voice(env, FakeEars(), mouth, ["客厅灯"])
    done = voice.converse(padded(speechlike(1.0)), ask, heard=Heard(area="客厅"), play=play)
    assert asked == [("打开客厅灯", "客厅")]
    assert mouth.said == ["客厅灯:开,已确认。", "新风:开,已确认。"]
    assert played == [1, 2]
    assert {"listen", "transcribe", "turn", "answered", "first_sound", "total"} <= set(done.ms)
    assert json.dumps(done.to_json())


def test_what_is_not_believed_is_never_asked(env: Env) -> None:
    """A phrase that a recogniser makes of noise reaches no turn; the answer says why."""
    voice = fake_voice(env, FakeEars(take=Take("谢谢观看", "zh", 2.0)), FakeMouth())
    done = voice.converse(speechlike(1.0), lambda text, heard: pytest.fail(text))
    assert done.record is None
    assert done.transcript.text == ""
    assert done.answer == "没有听到说话,请靠近再说一次。"


def test_ten_minutes_are_refused_before_anybody_listens(env: Env) -> None:
    """Endless sound is refused by its length."""
    ears = FakeEars()
    done = fake_voice(env, ears, None).hear(white(61, 1))
    assert done.refused is not None
    assert ears.heard == []


def test_a_reply_that_is_stopped_goes_no_further(env: Env) -> None:
    """Barge-in: no sentence is made after the stop."""
    mouth, stop = FakeMouth(), threading.Event()
    for _ in fake_voice(env, None, mouth).spoken("一。二。三。", "zh", stop):
        stop.set()
    assert mouth.said == ["一。"]


def test_a_box_without_weights_says_so_and_goes_on_in_writing(env: Env) -> None:
    """No recogniser: one types. No voice: one reads. Each says what to do."""
    voice = Voice(with_voice(env, tts="kokoro"), lambda: ())
    assert voice.listens == voice.speaks == ""
    assert "type instead" in voice.deaf
    assert "asr-base" in voice.deaf
    assert "tts-zh" in voice.mute
    with pytest.raises(VoiceUnavailable, match="asr-base"):
        voice.hear(speechlike(1.0))
    with pytest.raises(VoiceUnavailable, match="tts-zh"):
        next(voice.spoken("好", "zh"))
    voice.close()


@pytest.mark.parametrize("setting", ["kaldi", "tcp://", "tcp://host", "tcp://host:0", "tcp://a b:1", "tcp://h:99999"])
def test_a_setting_that_names_no_one_is_an_error(env: Env, setting: str) -> None:
    """A stage that nobody knows, and an address that is none."""
    with pytest.raises(SettingsError, match="voice"):
        open_ears(with_voice(env, asr=setting))
    with pytest.raises(SettingsError, match="voice"):
        open_mouth(with_voice(env, tts=setting))


def test_addresses() -> None:
    """Names, IPv4 and IPv6."""
    assert address_of("tcp://wyoming.local:10300") == ("wyoming.local", 10300)
    assert address_of("tcp://[::1]:10400/") == ("::1", 10400)


def test_espeak_speaks_where_kokoro_is_not_here(env: Env) -> None:
    """Without weights a plain voice is left, in both languages."""
    mouth = open_mouth(env)
    try:
        assert mouth.name == "espeak-ng"
        for text, language in (("打开客厅灯", "zh"), ("turn on the light", "en")):
            sound = mouth.say(text, language)  # type: ignore[arg-type]
            assert 0.4 < sound.seconds < 5
            assert np.max(np.abs(sound.samples)) > 0.05
    finally:
        mouth.close()


SETTINGS = VoiceSettings(wait_seconds=2.0, end_seconds=0.5)


def test_an_utterance_ends_with_silence() -> None:
    """Speech, then a pause: ended; the first consonant is kept, what came before is not."""
    endpoint = Endpoint(SETTINGS, FakeEars().speech)
    sound = np.concatenate([np.zeros(24_000, np.float32), speechlike(1.0).samples, np.zeros(16_000, np.float32)])
    states = [endpoint.feed(sound[at : at + 500]) for at in range(0, len(sound), 500)]
    assert "speaking" in states
    assert states[-1] == "ended"
    assert 1.4 < endpoint.sound().seconds < 3.2


def test_nobody_speaks() -> None:
    """Silence, and single clicks, are nothing after a while."""
    endpoint = Endpoint(SETTINGS, FakeEars().speech)
    clicks = np.zeros(16_000 * 4, np.float32)
    clicks[::16_000] = 0.9
    assert [endpoint.feed(clicks[at : at + 700]) for at in range(0, len(clicks), 700)][-1] == "nothing"


def test_loudness_stands_in_for_a_detector() -> None:
    """Where nobody can tell, what is well above the room counts."""
    quiet = white(1.0, 3, level=0.002).samples
    assert sum(loudness(quiet)) == 0
    assert sum(loudness(np.concatenate([quiet, speechlike(0.5).samples, quiet]))) > 10


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 5_000), max_size=40), st.integers(0, 1_000))
def test_pieces_of_any_length_are_gathered(sizes: list[int], seed: int) -> None:
    """However sound is cut into pieces, all of the utterance is there and none of it twice."""
    rng = np.random.default_rng(seed)
    endpoint = Endpoint(SETTINGS, lambda sound: [1.0] * (len(sound.samples) // 512))
    pieces = [rng.normal(0, 0.3, size).astype(np.float32) for size in sizes]
    for piece in pieces:
        endpoint.feed(piece)
    whole = np.concatenate([*pieces, np.zeros(0, np.float32)])
    assert np.array_equal(endpoint.sound().samples, whole)


def test_the_command_line_says_what_lacks(environ: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`watchkeeper voice` without a recording, with one that is none, and on a box without weights: one line each."""
    write_wav(tmp_path / "a.wav", speechlike(0.5))
    (tmp_path / "b.wav").write_bytes(b"no sound")
    for arguments, told in (
        (["voice"], "--wav"),
        (["voice", "--wav", str(tmp_path / "b.wav")], "is no WAV file"),
        (["voice", "--wav", str(tmp_path / "a.wav")], "asr-base"),
    ):
        assert run(arguments) == 2
        err = capfd.readouterr().err
        assert told in err
        assert err.count("\n") == 1


@pytest.fixture(scope="module")
def speaking(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voice]:
    """The real ears and mouth, loaded once."""
    home = tmp_path_factory.mktemp("speaking")
    env = load_env({"WATCHKEEPER_HOME": str(home), "WATCHKEEPER_WEIGHTS__FOLDER": str(real_weights)})
    try:
        pull(env.weights, ("asr-base", "tts-zh"), choose_reporter())
    except PullError as error:
        pytest.skip(f"the weights of voices cannot be had here: {error}")
    voice = Voice(env, lambda: ["客厅灯", "厨房灯", "living room light"])
    voice.warm()
    yield voice
    voice.close()


@pytest.mark.weights
def test_what_the_box_says_it_hears(speaking: Voice) -> None:
    """Kokoro speaks, whisper hears it: both languages, told apart, in simplified characters."""
    for text, language, part in (
        ("关闭卧室的灯", "zh", "灯"),
        ("Turn off the living room light.", "en", "living room light"),
    ):
        (sound,) = speaking.spoken(text, language)  # type: ignore[arg-type]
        said = speaking.hear(padded(sound))
        assert said.refused is None, said
        assert said.language == language
        assert part in said.text


@pytest.mark.weights
@pytest.mark.parametrize("seed", range(4))
def test_noise_is_no_order_to_real_ears(speaking: Voice, seed: int) -> None:
    """Silence, hiss, hum and a whistle: nothing is believed, and so nothing is asked."""
    for sound in (
        Sound(np.zeros(HEARD_RATE * 2, np.float32), HEARD_RATE),
        white(2.5, seed, 0.05 * (seed + 1)),
        Sound(hum(HEARD_RATE * 3, seed) * 0.8, HEARD_RATE),
        tone(2.0, 300.0 * (seed + 1)),
        Sound(np.zeros(0, np.float32), HEARD_RATE),
    ):
        said = speaking.hear(sound)
        assert said.refused is not None, said
        assert said.text == ""


@pytest.mark.weights
def test_two_languages_in_one_breath(speaking: Voice) -> None:
    """Half Chinese, half English: something of it is heard or it is refused, and it is never a third language."""
    (first,) = speaking.spoken("打开客厅灯", "zh")
    (second,) = speaking.spoken("and turn off the kitchen light", "en")
    said = speaking.hear(padded(joined([first, second], pause_seconds=0.2)))
    assert said.refused is not None or "灯" in said.text or "light" in said.text


@pytest.mark.weights
def test_the_end_of_a_voice_is_found_by_the_real_detector(speaking: Voice) -> None:
    """Speech with a breath in the middle is one utterance, and over within a second of silence."""
    (sound,) = speaking.spoken("把客厅灯打开", "zh")
    heard = padded(sound, 0.5)
    endpoint = Endpoint(VoiceSettings(), speaking.speech)
    whole = np.concatenate([resampled(heard, HEARD_RATE).samples, np.zeros(HEARD_RATE, np.float32)])
    assert "ended" in [endpoint.feed(whole[at : at + 480]) for at in range(0, len(whole), 480)]


@pytest.mark.weights
def test_a_shout_is_heard_and_its_clipping_told(speaking: Voice) -> None:
    """Cut-off tops are heard as far as can be; how much was cut off is known."""
    (sound,) = speaking.spoken("Turn off the living room light.", "en")
    said = speaking.hear(padded(shouted(sound)))
    assert said.clipped > 0.02
    assert said.refused is not None or "light" in said.text
