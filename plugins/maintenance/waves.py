"""A vibration recording: figures, zone, and the frequencies of its machine's data sheet. One pass over the samples.

    quality → moments → velocity and zone → shaft, gear and bearing frequencies → what they speak for

Without a unit there is no velocity and no zone; without a speed nobody knows which line is which, and both are said.
What a pattern speaks for is told as that, never as a diagnosis: how likely it is the report weighs with everything
else."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from agent.api import Peak, Said, Spectrum, say
from agent.settings import MaintenanceSettings
from plugins.maintenance.machines import Sheet
from plugins.maintenance.patterns import patterns_of
from plugins.maintenance.spectra import Averaged, Measured, measure, to_millimetres
from plugins.maintenance.tones import bearing_hertz, find_family
from plugins.maintenance.values import Features, Figure, Finding, Tone, Wave
from plugins.maintenance.wording import joined, with_unit
from plugins.maintenance.zones import ZoneClass, Zones

__all__ = ["WaveLook", "look_at_wave", "zone_finding"]

_NAMES = {
    "mean": say("均值", "mean"),
    "rms": say("有效值(交流)", "r.m.s. (about the mean)"),
    "peak": say("峰值", "peak"),
    "crest": say("峰值因数", "crest factor"),
    "kurtosis": say("峭度(高斯噪声为 3)", "kurtosis (Gaussian noise: 3)"),
    "skew": say("偏度", "skew"),
    "velocity_rms": say("振动速度有效值", "velocity r.m.s."),
}
_SHOWN_BINS = 2_000
_TONE_NAMES = {
    "shaft": say("转频", "running speed"),
    "mesh": say("啮合频率", "gear mesh"),
    "bpfo": say("外圈通过频率 BPFO", "outer race BPFO"),
    "bpfi": say("内圈通过频率 BPFI", "inner race BPFI"),
    "bsf": say("滚动体自转频率 BSF", "rolling element BSF"),
    "ftf": say("保持架频率 FTF", "cage FTF"),
}
_BEARING_SLIP = 0.02
"""Rolling elements slip by one or two per cent."""


@dataclass(slots=True)
class WaveLook:
    """What one recording says."""

    features: Features
    findings: list[Finding] = field(default_factory=list)
    spectra: list[Spectrum] = field(default_factory=list)
    missing: list[Said] = field(default_factory=list)


def look_at_wave(
    wave: Wave, sid: str, sheet: Sheet | None, speed_rpm: float, zones: Zones, settings: MaintenanceSettings
) -> WaveLook:
    """Everything about one recording.

    :param sid: S1 …
    :param speed_rpm: of the shaft; 0 where it is not known.
    :raises OSError: the file went away while it was read.
    """
    measured = measure(wave, settings)
    look = WaveLook(Features(sid))
    look.findings += _quality(wave, measured, sid)
    if measured.count == 0 or measured.rms == 0:
        return look
    figures = _figures(wave, measured, settings)
    tones = _tones(measured, sheet, speed_rpm, wave.unit) if speed_rpm > 0 else []
    look.features = Features(sid, tuple(figures), tuple(tones))
    look.missing += _missing(wave, measured, sheet, speed_rpm)
    velocity = look.features.value("velocity_rms")
    zone_class = zones.of(sheet.zone_class) if sheet else None
    zone = zone_class.zone(velocity) if velocity is not None and zone_class is not None else ""
    if velocity is not None and zone_class is not None:
        look.findings.append(zone_finding(wave.name, sid, velocity, zone_class, zones))
    if speed_rpm > 0 and measured.spectrum is not None:
        factor = to_millimetres(wave.unit)
        look.findings += patterns_of(wave.name, sid, measured.spectrum, tones, sheet, speed_rpm, factor, zone)
    look.spectra += _shown(wave, sid, measured, tones)
    return look


def _figures(wave: Wave, measured: Measured, settings: MaintenanceSettings) -> list[Figure]:
    values = {
        "mean": (measured.mean, wave.unit),
        "rms": (measured.rms, wave.unit),
        "peak": (measured.peak, wave.unit),
        "crest": (measured.peak / measured.rms, ""),
        "kurtosis": (measured.kurtosis, ""),
        "skew": (measured.skew, ""),
    }
    factor = to_millimetres(wave.unit)
    low, high = settings.velocity_low_hertz, settings.velocity_high_hertz
    spectrum = measured.spectrum
    # A band that the recording does not hold gives a smaller number that looks like a good machine.
    if factor and spectrum is not None and wave.rate / 2 >= high and spectrum.step <= low / 4:
        square = spectrum.mean_square(low, high, factor[1])
        values["velocity_rms"] = (factor[0] * square**0.5, "mm/s")
    return [Figure(key, float(v), unit, _NAMES[key]) for key, (v, unit) in values.items() if np.isfinite(v)]


def _tones(measured: Measured, sheet: Sheet | None, speed_rpm: float, unit: str) -> list[Tone]:
    """Shaft, gear and bearing frequencies that are there."""
    if measured.spectrum is None:
        return []
    shaft = speed_rpm / 60
    slip = sheet.speed_tolerance if sheet else 0.01
    looks = 2 + 4 * (len(measured.envelopes) + 1)
    tones = find_family(measured.spectrum, "shaft", shaft, harmonics=10, slip=slip, unit=unit, looks=looks)
    if tones:  # from here on the speed that was measured counts
        shaft, slip = tones[0].hz / tones[0].order, measured.spectrum.step / max(tones[0].hz, 1e-9)
    if sheet and sheet.gear_teeth:
        mesh = shaft * sheet.gear_teeth
        tones += find_family(measured.spectrum, "mesh", mesh, harmonics=3, slip=slip, unit=unit, looks=looks)
    if sheet and sheet.bearing:
        own = [shaft * order for order in range(1, 60)] + [mains * n for mains in (50.0, 60.0) for n in range(1, 12)]
        for key, hertz in bearing_hertz(sheet.bearing.geometry(), shaft).items():
            families = [
                find_family(
                    spectrum,
                    key,
                    hertz,
                    harmonics=4,
                    slip=_BEARING_SLIP + slip,
                    unit=f"({unit})²" if unit else "",
                    avoid=own,
                    looks=looks,
                )
                for spectrum in measured.envelopes
                if spectrum.hertz[-1] > hertz * 1.5
            ]
            tones += max(families, key=lambda family: sum(t.prominence for t in family), default=[])
    return tones


def zone_finding(name: str, sid: str, velocity: float, zone_class: ZoneClass, zones: Zones) -> Finding:
    """The zone of a velocity.

    :param velocity: mm/s r.m.s.
    """
    zone, label, shown = zone_class.zone(velocity), zone_class.name.said(), with_unit(velocity, "mm/s")
    line = say(
        f"振动速度 {shown},{label['zh']}:{zone} 区({zones.title};{zones.note.zh})",
        f"velocity {shown}, {label['en']}: zone {zone} ({zones.title}; {zones.note.en})",
    )
    severity = {"A": 0, "B": 0, "C": 2, "D": 3}[zone]
    figures = {"velocity_mm_s": velocity}
    return Finding("vibration.high", severity, joined(name, line), figures, (sid,), zones.title, zone in "CD")


def _quality(wave: Wave, measured: Measured, sid: str) -> list[Finding]:
    found: list[tuple[str, int, str, str, int]] = []
    if measured.count == 0:
        found.append(("empty", 1, "没有可用的采样", "no usable sample", 0))
    elif measured.spectrum is None:
        zh, en = f"只有 {measured.count} 个采样,没有频谱", f"only {measured.count} samples: no spectrum"
        found.append(("short", 1, zh, en, measured.count))
    if measured.count and measured.low == measured.high:
        shown = with_unit(measured.low, wave.unit)
        zh, en = f"全部 {measured.count} 个采样都是 {shown}", f"all {measured.count} samples are {shown}"
        found.append(("constant", 1, zh, en, measured.count))
    elif measured.longest_run > max(0.01 * measured.count, 256):
        n = measured.longest_run
        found.append(("stuck", 1, f"连续 {n} 个采样不变", f"{n} samples in a row do not change", n))
    if measured.at_limit:
        n = measured.at_limit
        zh, en = (
            f"{n} 个采样达到满量程,被削波;峰值和峭度偏低",
            f"{n} samples at full scale: clipped, so peak and kurtosis are too low",
        )
        found.append(("clipped", 2 if n > measured.count / 1000 else 1, zh, en, n))
    if measured.not_finite:
        n = measured.not_finite
        found.append(
            ("not_finite", 1, f"{n} 个采样不是有限数,未使用", f"{n} samples are not finite and are not used", n)
        )
    if wave.skipped:
        n = wave.skipped
        found.append(("cut", 1, f"文件结尾缺 {n} 字节", f"{n} bytes at the end are missing or make no sample", n))
    return [
        Finding(f"quality.{key}", severity, joined(wave.name, say(zh, en)), {"count": n}, (sid,))
        for key, severity, zh, en, n in found
    ]


def _missing(wave: Wave, measured: Measured, sheet: Sheet | None, speed_rpm: float) -> list[Said]:
    lacking: list[Said] = []
    if to_millimetres(wave.unit) is None:
        lacking.append(
            say(
                f"{wave.name}:单位不是加速度或速度,未算振动速度(在 machines.toml 写 unit 和 full_scale)",
                f"{wave.name}: its unit is no acceleration or velocity, so no velocity (set unit and full_scale)",
            )
        )
    if speed_rpm <= 0:
        lacking.append(
            say(f"{wave.name}:转速未知,未找特征频率", f"{wave.name}: speed not known, no frequencies looked for")
        )
    elif sheet is None or sheet.bearing is None:
        lacking.append(say(f"{wave.name}:没有轴承数据", f"{wave.name}: no bearing geometry"))
    if measured.spectrum is not None and measured.spectrum.blocks < 4:
        blocks = measured.spectrum.blocks
        lacking.append(
            say(
                f"{wave.name}:只平均了 {blocks} 段频谱,很粗",
                f"{wave.name}: a spectrum of {blocks} blocks only is coarse",
            )
        )
    return lacking


def _shown(wave: Wave, sid: str, measured: Measured, tones: list[Tone]) -> list[Spectrum]:
    """For charts: the spectrum, and where a bearing's frequency stands out the envelope spectrum that shows it best."""
    if measured.spectrum is None:
        return []
    shown = [_chart(sid, wave.name, wave.unit, measured.spectrum, [tone for tone in tones if not tone.envelope])]
    found = {tone.key for tone in tones if tone.envelope and tone.order == 1}  # a harmonic alone may be anybody's
    struck = [tone for tone in tones if tone.envelope and tone.key in found]
    held = [e for e in measured.envelopes if all(tone.hz <= e.hertz[-1] for tone in struck)]
    if struck and held:
        best = max(held, key=lambda envelope: sum(_standing_out(envelope, tone.hz) for tone in struck))
        unit = f"({wave.unit})²" if wave.unit else ""
        shown.append(_chart(sid, f"{wave.name} · 包络谱 envelope", unit, best, struck))
    return shown


def _standing_out(spectrum: Averaged, hertz: float) -> float:
    """By how much a line is above what is usual."""
    usual = float(np.median(spectrum.power)) or 1.0
    near = int(np.abs(spectrum.hertz - hertz).argmin())
    return float(spectrum.power[max(near - 1, 0) : near + 2].max()) / usual


def _chart(sid: str, name: str, unit: str, spectrum: Averaged, tones: list[Tone]) -> Spectrum:
    """The amplitudes, the highest of neighbours where there are many."""
    amplitudes = np.sqrt(2 * spectrum.power)
    width = max(1, len(amplitudes) // _SHOWN_BINS)
    length = len(amplitudes) // width * width
    tallest = amplitudes[:length].reshape(-1, width).argmax(axis=1) + np.arange(length // width) * width
    peaks = tuple(
        Peak(tone.hz, tone.amplitude, say(f"{tone.order}× {called['zh']}", f"{tone.order}× {called['en']}"))
        for tone in tones
        if (called := _TONE_NAMES[tone.key])
    )
    return Spectrum(sid, name, unit, spectrum.hertz[tallest], amplitudes[tallest], peaks)
