"""What found frequencies speak for. Each rule looks for its pattern and says so too where it is not there.

The rules are those that texts on condition monitoring agree on (ISO 13373-1 and -3 list the same): unbalance stands
out at running speed alone, misalignment at twice running speed, looseness in many harmonics, a damaged race in the
envelope at its own frequency and that frequency's multiples, gears at the meshing frequency with sidebands a shaft's
turn apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import pi

from agent.api import Said, say
from plugins.maintenance.machines import Sheet
from plugins.maintenance.spectra import Averaged
from plugins.maintenance.tones import find_family
from plugins.maintenance.values import Finding, Tone
from plugins.maintenance.wording import joined, number

__all__ = ["patterns_of"]

_ALONE = 0.7
"""Share of the velocity's mean square that running speed has where it stands alone."""
_TWICE = 0.75
"""Of the amplitude at running speed, that twice running speed has with misalignment."""
_LOOSE_HARMONICS = 5
_BEARING_PARTS = {
    "bpfo": ("bearing.outer", say("外圈", "outer race")),
    "bpfi": ("bearing.inner", say("内圈", "inner race")),
    "bsf": ("bearing.element", say("滚动体", "rolling elements")),
    "ftf": ("bearing.cage", say("保持架", "cage")),
}


def patterns_of(
    name: str,
    sid: str,
    spectrum: Averaged,
    tones: Sequence[Tone],
    sheet: Sheet | None,
    speed_rpm: float,
    factor: tuple[float, int] | None,
    zone: str,
) -> Iterator[Finding]:
    """Findings about a recording with a known speed.

    :param factor: of its unit, as `spectra.to_millimetres` gives it; None where it is no vibration.
    :param zone: A to D; empty where it is not known.
    """
    if factor is not None:
        yield from _shaft(name, sid, spectrum, tones, factor, zone)
    if sheet and sheet.bearing:
        yield from _bearing(name, sid, tones)
    if sheet and sheet.gear_teeth:
        yield from _gear(name, sid, spectrum, tones, speed_rpm)


def _shaft(
    name: str, sid: str, spectrum: Averaged, tones: Sequence[Tone], factor: tuple[float, int], zone: str
) -> Iterator[Finding]:
    orders = {tone.order: tone for tone in tones if tone.key == "shaft"}
    speeds = {o: tone.amplitude / 2**0.5 * factor[0] / (2 * pi * tone.hz) ** factor[1] for o, tone in orders.items()}
    once, twice = speeds.get(1, 0.0), speeds.get(2, 0.0)
    lowest = 0.5 * orders[1].hz if 1 in orders else 5.0
    whole = factor[0] ** 2 * spectrum.mean_square(lowest, 1_000.0, factor[1])
    share = min(1.0, once**2 / whole) if whole > 0 else 0.0
    figures = {"once_mm_s": once, "twice_mm_s": twice, "share": share}
    told = say(
        f"1 倍转频 {number(once)} mm/s 有效值(占 {share:.0%}),2 倍 {number(twice)} mm/s",
        f"running speed {number(once)} mm/s r.m.s. ({share:.0%} of the whole), twice {number(twice)} mm/s",
    )
    # Every rotor has some unbalance: that it stands out means something only where the machine shakes.
    alone = share >= _ALONE and zone in ("C", "D")
    yield _pattern("imbalance", alone, told, name, sid, figures, say("符合不平衡", "as with imbalance"))
    shifted = twice > 0 and twice >= _TWICE * once and zone != "A"
    yield _pattern("misalignment", shifted, told, name, sid, figures, say("符合不对中", "as with misalignment"))
    loose = len([order for order in orders if order >= 3]) >= _LOOSE_HARMONICS and zone != "A"
    counted = {"harmonics": len(orders)}
    line = say(f"转频谐波 {len(orders)} 个", f"{len(orders)} harmonics of running speed")
    yield _pattern("looseness", loose, line, name, sid, counted, say("符合松动", "as with looseness"))


def _bearing(name: str, sid: str, tones: Sequence[Tone]) -> Iterator[Finding]:
    for key, (sign, part) in _BEARING_PARTS.items():
        family = [tone for tone in tones if tone.key == key and tone.envelope]
        # One line may be anything; a cage turns slowly enough to show just its first.
        present = len(family) >= 2 and family[0].order == 1
        listed = ", ".join(f"{number(t.hz)} Hz ×{number(t.prominence)}" for t in family)
        told = (
            say(f"包络谱 {key.upper()} {listed}", f"envelope spectrum, {key.upper()} at {listed}")
            if family
            else say(f"包络谱中没有 {key.upper()}", f"no {key.upper()} in the envelope spectrum")
        )
        figures = {f"order_{t.order}_hz": t.hz for t in family}
        meaning = say(f"符合{part['zh']}损伤", f"as with damage of the {part['en']}")
        yield _pattern(sign, present, told, name, sid, figures, meaning, severity=2)


def _gear(name: str, sid: str, spectrum: Averaged, tones: Sequence[Tone], speed_rpm: float) -> Iterator[Finding]:
    meshes = [tone for tone in tones if tone.key == "mesh"]
    shaft = next((tone.hz / tone.order for tone in tones if tone.key == "shaft"), speed_rpm / 60)
    sides = [
        side
        for mesh in meshes
        for away in (-2, -1, 1, 2)
        for side in find_family(spectrum, "side", mesh.hz + away * shaft, harmonics=1, slip=0.0, unit="", looks=12)
    ]
    figures = {"meshes": len(meshes), "sidebands": len(sides)}
    told = say(
        f"啮合频率 {len(meshes)} 条,边带 {len(sides)} 条", f"{len(meshes)} meshing lines, {len(sides)} sidebands"
    )
    meaning = say("符合齿轮磨损", "as with worn gears")
    yield _pattern("gear", bool(meshes) and len(sides) >= 3, told, name, sid, figures, meaning)


def _pattern(
    key: str,
    present: bool,
    told: Said,
    name: str,
    sid: str,
    figures: Mapping[str, float],
    meaning: Said,
    *,
    severity: int = 1,
) -> Finding:
    line = say(f"{told['zh']}:{meaning['zh']}", f"{told['en']}: {meaning['en']}") if present else told
    return Finding(key, severity if present else 0, joined(name, line), figures, (sid,), present=present)
