"""Recordings: the figures are right, a fault is told by its own sign, and a good machine has none."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import InputError
from plugins.maintenance.spectra import measure, to_millimetres
from plugins.maintenance.tones import bearing_hertz
from plugins.maintenance.values import Wave
from plugins.maintenance.wave_file import open_waves
from plugins.maintenance.waves import WaveLook, look_at_wave
from plugins.maintenance.zones import load_zones
from tests.wave_drawings import BEARING, RATE, SETTINGS, Array, shaking, sheet, turning, write_wav

FAULTS = {
    "imbalance": "imbalance",
    "misalignment": "misalignment",
    "looseness": "looseness",
    "outer": "bearing.outer",
    "inner": "bearing.inner",
    "gear": "gear",
}


def held(values: Array, *, rate: float = RATE, unit: str = "m/s2") -> Wave:
    """A recording in memory."""
    return Wave(
        "test", unit, rate, len(values), lambda size: (values[i : i + size] for i in range(0, len(values), size))
    )


def look(values: Array, rpm: float = 1480.0, unit: str = "m/s2") -> WaveLook:
    return look_at_wave(held(values, unit=unit), "S1", sheet(rpm), rpm, load_zones(SETTINGS), SETTINGS)


def present(seen: WaveLook) -> set[str]:
    return {finding.key for finding in seen.findings if finding.present}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_told_by_its_sign(kind: str) -> None:
    """Each fault gives its own finding and none of the others'."""
    found = present(look(shaking(kind)))
    assert FAULTS[kind] in found
    assert not found - {FAULTS[kind], "vibration.high"}


@pytest.mark.parametrize("seed", range(6))
def test_a_good_machine_has_no_fault(seed: int) -> None:
    """Noise, running speed and its double alone speak for nothing, at any speed."""
    rpm = float(np.random.default_rng(seed).integers(700, 3_500))
    assert present(look(shaking("good", rpm=rpm, seconds=5, seed=seed), rpm)) == set()


@pytest.mark.parametrize(("unit", "factor"), [("m/s2", 1.0), ("g", 9.80665), ("mm/s²", 1e-3)])
def test_velocity_from_acceleration(unit: str, factor: float) -> None:
    """A sine of 4.5 mm/s at 25 Hz measures 4.5 mm/s, whatever the unit of the sensor."""
    t = np.arange(RATE * 10) / RATE
    seen = look(turning(t, 25.0, 4.5) / factor, unit=unit)
    assert seen.features.value("velocity_rms") == pytest.approx(4.5, rel=0.01)


def test_velocity_leaves_out_what_is_below_the_band() -> None:
    """A slow swing of the sensor's offset is no vibration."""
    t = np.arange(RATE * 10) / RATE
    seen = look(turning(t, 50.0, 2.0) + 5 * np.sin(2 * np.pi * 0.5 * t))
    assert seen.features.value("velocity_rms") == pytest.approx(2.0, rel=0.02)


def test_no_velocity_where_the_recording_cannot_hold_it() -> None:
    """Without a unit, or sampled too slowly for 1000 Hz, there is no velocity and no zone, and that is said."""
    values = shaking("good", seconds=3)
    bare = look(values, unit="")
    assert bare.features.value("velocity_rms") is None
    assert any("unit" in said["en"] for said in bare.missing)
    slow = look_at_wave(held(values[::20], rate=RATE / 20), "S1", sheet(), 1480.0, load_zones(SETTINGS), SETTINGS)
    assert slow.features.value("velocity_rms") is None
    assert not any(finding.key == "vibration.high" for finding in slow.findings)


def test_moments_are_those_of_the_samples() -> None:
    """Added up in blocks, they are what numpy computes of the whole."""
    values = np.random.default_rng(1).gamma(2.0, size=300_001) + 1e4
    found = measure(held(values), SETTINGS)
    centred = values - values.mean()
    assert found.rms == pytest.approx(centred.std(), rel=1e-6)
    assert found.skew == pytest.approx((centred**3).mean() / centred.std() ** 3, rel=1e-4)
    assert found.kurtosis == pytest.approx((centred**4).mean() / centred.std() ** 4, rel=1e-4)


def test_bearing_frequencies() -> None:
    """Kinematics of a 6205 at 1797 r/min, as its maker's tables give them: 5.415, 3.585, 4.714 and 0.398 orders."""
    orders = bearing_hertz(BEARING, 1.0)
    assert orders["bpfi"] == pytest.approx(5.415, abs=0.005)
    assert orders["bpfo"] == pytest.approx(3.585, abs=0.005)
    assert 2 * orders["bsf"] == pytest.approx(4.714, abs=0.01)
    assert orders["ftf"] == pytest.approx(0.398, abs=0.001)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_of_pcm(tmp_path: Path, width: int) -> None:
    """8, 16, 24 and 32 bits give the same figures, within their own steps."""
    values = shaking("good", seconds=2)
    if width == 1:  # unsigned, with its zero at 128
        path = tmp_path / "8.wav"
        data = (np.round(values / 10 * 128) + 128).astype(np.uint8).tobytes()
        head = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE, 1, 8) + b"data" + struct.pack("<I", len(data))
        path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(head) + len(data)) + b"WAVE" + head + data)
    else:
        path = write_wav(tmp_path / "w.wav", values, 10.0, width=width)
    (wave,) = open_waves(path, SETTINGS, unit="m/s2", full_scale=10.0)
    assert measure(wave, SETTINGS).rms == pytest.approx(values.std(), rel=0.02)


def test_a_long_recording_takes_little_memory(tmp_path: Path) -> None:
    """Three million samples are read in blocks: memory stays far below what the samples take."""
    path = write_wav(tmp_path / "long.wav", np.tile(shaking("good", seconds=5), 30), 50.0, width=2)
    (wave,) = open_waves(path, SETTINGS, unit="m/s2", full_scale=50.0)
    tracemalloc.start()
    found = measure(wave, SETTINGS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.count == 3_000_000
    assert peak < 12_000_000


def test_a_cut_recording_is_read_to_its_end_and_flagged(tmp_path: Path) -> None:
    """A recorder that lost power leaves a header that promises more: the rest is used, and the lack is told."""
    path = write_wav(tmp_path / "cut.wav", shaking("good", seconds=2), 50.0)
    path.write_bytes(path.read_bytes()[:-30_001])
    (wave,) = open_waves(path, SETTINGS, unit="m/s2", full_scale=50.0)
    seen = look_at_wave(wave, "S1", None, 0.0, load_zones(SETTINGS), SETTINGS)
    assert "quality.cut" in present(seen)
    assert seen.features.value("rms") == pytest.approx(0.31, rel=0.05)


def test_clipping_is_flagged(tmp_path: Path) -> None:
    """Samples at full scale are counted, and the finding says what they spoil."""
    path = write_wav(tmp_path / "loud.wav", 5 * shaking("imbalance", seconds=2), 2.0, width=2)
    (wave,) = open_waves(path, SETTINGS, unit="m/s2", full_scale=2.0)
    seen = look_at_wave(wave, "S1", None, 0.0, load_zones(SETTINGS), SETTINGS)
    assert "quality.clipped" in present(seen)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(0),
        np.ones(1),
        np.zeros(50_000),
        np.full(50_000, np.nan),
        np.concatenate((np.full(9_000, np.inf), np.random.default_rng(0).standard_normal(9_000))),
    ],
)
def test_what_holds_no_signal_gives_no_figure(values: Array) -> None:
    """Nothing, one sample, all equal, NaN: a flag, and no figure that was made up."""
    seen = look(values)
    assert any(finding.key.startswith("quality.") for finding in seen.findings)
    assert all(np.isfinite(figure.value) for figure in seen.features.figures)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever stands behind a WAV head, it is read or refused in one line."""
    path = tmp_path_factory.mktemp("wav") / "x.wav"
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt " + data)
    try:
        for wave in open_waves(path, SETTINGS):
            measure(wave, SETTINGS)
    except InputError as error:
        assert "\n" not in str(error)


def test_units() -> None:
    """Acceleration is integrated once, velocity is not, and anything else is neither."""
    assert to_millimetres("g") == (9_806.65, 1)
    assert to_millimetres("mm/s") == (1.0, 0)
    assert to_millimetres("°C") is None
