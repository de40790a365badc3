"""Sound from outside: every honest WAV is read alike, every dishonest one ends in one line."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import InputError
from agent.settings import VoiceSettings
from agent.voice.sound import HEARD_RATE, Sound, joined, load_wav, pcm16, resampled, sound_of_pcm, write_wav
from tests.voice_kit import speechlike

LIMITS = VoiceSettings()


def wav(
    data: bytes, *, kind: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16, promised: int = -1
) -> bytes:
    """A WAV file with whatever header is wanted."""
    align = channels * bits // 8
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, rate * align, align, bits)
    size = len(data) if promised < 0 else promised
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size) + data


def encoded(wave: np.ndarray[tuple[int, ...], np.dtype[np.float64]], kind: int, bits: int) -> bytes:
    """Samples as that kind of WAV has them."""
    if kind == 3:
        return wave.astype("<f4" if bits == 32 else "<f8").tobytes()
    if bits == 8:
        return (wave * 127 + 128).astype(np.uint8).tobytes()
    whole = (wave * (2 ** (bits - 1) - 1)).astype("<i4")
    if bits == 24:
        return whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return whole.astype(f"<i{bits // 8}").tobytes()


@pytest.mark.parametrize(("kind", "bits"), [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)])
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_kind_of_wav_gives_the_same_sound(tmp_path: Path, kind: int, bits: int, rate: int, channels: int) -> None:
    """8, 16, 24, 32 bits, floats, mono, stereo, any usual rate: half a second of 440 Hz is heard as just that."""
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate // 2) / rate)
    path = tmp_path / "a.wav"
    path.write_bytes(
        wav(encoded(np.repeat(wave, channels), kind, bits), kind=kind, bits=bits, rate=rate, channels=channels)
    )
    sound = load_wav(path, LIMITS)
    assert sound.rate == HEARD_RATE
    assert sound.seconds == pytest.approx(0.5, abs=0.01)
    spectrum = np.abs(np.fft.rfft(sound.samples))
    assert np.argmax(spectrum) * HEARD_RATE / len(sound.samples) == pytest.approx(440, abs=3)
    assert np.max(np.abs(sound.samples)) == pytest.approx(0.5, abs=0.03)


def test_a_header_that_promises_more_gives_what_is_there(tmp_path: Path) -> None:
    """A recorder that lost power never wrote the length: what was recorded is heard."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm16(speechlike(0.5)), promised=2_000_000_000))
    assert load_wav(path, LIMITS).seconds == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"RIFF", b"not a sound at all" * 10, wav(b""), wav(b"\0" * 100, bits=12), wav(b"\0" * 100, kind=7),
        wav(b"\0" * 100, channels=0), wav(b"\0" * 100, rate=0), wav(b"\0" * 100, rate=100),
        wav(b"\0" * 100, rate=1_000_000_000), wav(b"\0\0")[:30], wav(b"\0" * 16_000 * 2 * 61),
    ],
)  # fmt: skip
def test_what_cannot_be_used_ends_in_one_line(tmp_path: Path, data: bytes) -> None:
    """Empty, cut off, no WAV, no rate, ten minutes long: one line that names the file."""
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        load_wav(path, LIMITS)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The same of a file that is missing, and of a folder."""
    for path in (tmp_path / "none.wav", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            load_wav(path, LIMITS)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400), st.integers(0, 60), st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rest: bytes, at: int, byte: int
) -> None:
    """Whatever stands in it, it is finite sound within bounds or one line."""
    data = bytearray(wav(rest))
    data[min(at, len(data) - 1)] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.wav"
    path.write_bytes(bytes(data))
    try:
        sound = load_wav(path, LIMITS)
    except InputError:
        return
    assert np.isfinite(sound.samples).all()
    assert sound.seconds <= LIMITS.max_audio_seconds + 1


def test_numbers_that_are_none_are_silence(tmp_path: Path) -> None:
    """A float WAV may hold NaN and infinity."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.array([np.nan, np.inf, -np.inf, 9.0] * 100, "<f4").tobytes(), kind=3, bits=32))
    samples = load_wav(path, LIMITS).samples
    assert np.isfinite(samples).all()
    assert np.max(np.abs(samples)) <= 1


def test_a_lower_rate_brings_no_ghosts() -> None:
    """What 16 kHz cannot hold is gone, and not heard as another tone."""
    at = np.arange(48_000) / 48_000
    down = resampled(Sound((0.5 * np.sin(2 * np.pi * 11_000 * at)).astype(np.float32), 48_000), 16_000)
    assert np.sqrt(np.mean(down.samples[500:-500] ** 2)) < 0.005


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    """A reply file is a WAV like any other, and pieces of different rates go into one."""
    sound = joined([speechlike(0.5, 24_000), speechlike(0.5, 16_000)], pause_seconds=0.25)
    write_wav(tmp_path / "reply.wav", sound)
    assert load_wav(tmp_path / "reply.wav", LIMITS).seconds == pytest.approx(1.25, abs=0.02)
    with pytest.raises(InputError, match="cannot be written"):
        write_wav(tmp_path / "no" / "reply.wav", sound)


@pytest.mark.parametrize(("rate", "width", "channels"), [(0, 2, 1), (16_000, 5, 1), (16_000, 2, 99), (10**9, 2, 1)])
def test_samples_of_no_format_are_refused(rate: int, width: int, channels: int) -> None:
    """What a line says of its samples is checked."""
    with pytest.raises(InputError, match="not understood"):
        sound_of_pcm(b"\0" * 64, rate=rate, width=width, channels=channels)
