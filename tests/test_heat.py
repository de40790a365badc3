"""Threads follow the heat of the box, on made-up sensors: down in time, up again late, never to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.model.cores import count_cores, cpu_quota
from agent.model.heat import Governor, describe, read_heat
from agent.settings import ModelSettings

SETTINGS = ModelSettings(heat_seconds=2, heat_margin_c=5, heat_hysteresis_c=8, heat_dwell_seconds=10, heat_limit_c=95)


class Box:
    """A fake /sys and /proc, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.sysfs = folder / "sys"
        self.proc = folder / "proc"
        self.now = 0.0

    def write(self, name: str, text: str | bytes) -> None:
        """One file of the kernel."""
        path = self.sysfs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else f"{text}\n".encode())

    def zone(self, number: int, kind: str, temp: object, **trips: int) -> None:
        """A sensor, in thousandths of a degree, with trip points by kind."""
        folder = f"class/thermal/thermal_zone{number}"
        self.write(f"{folder}/type", kind)
        self.write(f"{folder}/temp", str(temp))
        for place, (name, trip) in enumerate(trips.items()):
            self.write(f"{folder}/trip_point_{place}_type", name)
            self.write(f"{folder}/trip_point_{place}_temp", str(trip))

    def cpu(self, number: int, *, core: str = "", **files: int) -> None:
        """A logical processor: hyper-threads share `core`; files are named with _ for the folder."""
        folder = f"devices/system/cpu/cpu{number}"
        self.write(f"{folder}/topology/core_cpus_list", core or str(number))
        for name, value in files.items():
            self.write(f"{folder}/{name if name == 'cpu_capacity' else f'cpufreq/{name}'}", str(value))

    def cgroup(self, line: str, place: str, **files: str) -> None:
        """The control group of this process, and files of one group."""
        self.proc.joinpath("self").mkdir(parents=True, exist_ok=True)
        self.proc.joinpath("self", "cgroup").write_text(line + "\n")
        for name, text in files.items():
            self.write(f"fs/cgroup/{place}/{name.replace('__', '.')}", text)

    def governor(self, cores: int, wanted: ModelSettings = SETTINGS) -> Governor:
        """A governor of this box."""
        return Governor(wanted, cores, self.sysfs, lambda: self.now, proc=self.proc)

    def after(self, seconds: float, governor: Governor) -> int:
        """Threads after so long, asked every second on the way."""
        end = self.now + seconds
        threads = governor.threads()
        while self.now < end:
            self.now += 1
            threads = governor.threads()
        return threads


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box with nothing in it."""
    return Box(tmp_path)


def test_a_box_without_sensors_uses_all_cores(box: Box) -> None:
    """A virtual machine has none; that is not hot."""
    governor = box.governor(4)
    assert box.after(100, governor) == 4
    assert governor.why == ""
    assert describe(read_heat(box.sysfs, limit_c=95)) == "no temperature sensors"


def test_threads_go_while_it_is_hot_and_come_back_late(box: Box) -> None:
    """A quarter goes at once, the next after the dwell; between hot and cool nothing moves; up again takes longer."""
    governor = box.governor(8)
    box.zone(0, "soc-thermal", 60_000, passive=85_000, critical=105_000)
    assert box.after(10, governor) == 8
    box.zone(0, "soc-thermal", 81_000, passive=85_000, critical=105_000)
    assert box.after(2, governor) == 6
    assert governor.why == "6 of 8 threads: soc-thermal 81 °C, slowed at 85 °C"
    assert box.after(7, governor) == 6
    assert box.after(5, governor) == 4
    box.zone(0, "soc-thermal", 75_000, passive=85_000)
    assert box.after(300, governor) == 4
    box.zone(0, "soc-thermal", 70_000, passive=85_000)
    assert box.after(28, governor) == 4
    assert box.after(6, governor) == 6
    assert "cooling" in governor.why
    assert box.after(40, governor) == 8
    assert governor.why == ""


def test_beyond_the_trip_point_nothing_waits(box: Box) -> None:
    """Each look takes a step, down to one thread and no further."""
    governor = box.governor(4)
    box.zone(0, "cpu-thermal", 90_000, passive=80_000)
    assert [box.after(2, governor) for _ in range(4)] == [2, 1, 1, 1]
    assert box.after(500, governor) == 1


def test_swinging_around_the_limit_does_not_flutter(box: Box) -> None:
    """A temperature that crosses the limit each second costs one step per dwell and gives none back."""
    governor = box.governor(8)
    seen = []
    for second in range(40):
        box.zone(0, "cpu", 79_000 + 2_000 * (second % 2), passive=85_000)
        seen.append(box.after(1, governor))
    assert seen == sorted(seen, reverse=True)


def test_files_are_read_only_now_and_then(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks a question costs the clock only; 0 seconds never looks."""
    box.zone(0, "cpu", 99_000, passive=85_000)
    governor = box.governor(4)
    assert governor.threads() == 3
    monkeypatch.setattr("agent.model.heat.read_heat", None)
    box.now += 1.9
    assert governor.threads() == 3
    assert box.governor(4, SETTINGS.model_copy(update={"heat_seconds": 0.0})).threads() == 4


@pytest.mark.parametrize(
    ("kind", "temp"),
    [
        ("cpu", "-274000"),
        ("cpu", "0"),
        ("cpu", "200000"),
        ("cpu", "-5000"),
        ("cpu", ""),
        ("cpu", "hot"),
        ("cpu", "9" * 30),
        ("cpu", "٩٩٠٠٠"),
        ("nvme", "99000"),
        ("iwlwifi_1", "99000"),
    ],
)
def test_what_cannot_be_or_is_elsewhere_is_ignored(box: Box, kind: str, temp: str) -> None:
    """A broken, switched-off or foreign sensor takes no threads, and does not hide a good one."""
    box.zone(0, kind, temp, passive=85_000)
    governor = box.governor(2)
    assert box.after(30, governor) == 2
    box.zone(1, "soc", 84_000, passive=85_000)
    assert box.after(3, governor) == 1


def test_unreadable_files_are_ignored(box: Box) -> None:
    """A folder where a file should be, bytes that are no text, and a sensor that is disabled."""
    folder = box.sysfs / "class" / "thermal"
    (folder / "thermal_zone0" / "temp").mkdir(parents=True)
    box.zone(1, "cpu", 99_000, passive=85_000)
    box.write("class/thermal/thermal_zone1/temp", b"\xff\xfe")
    box.zone(2, "cpu", 99_000, passive=85_000)
    box.write("class/thermal/thermal_zone2/mode", "disabled")
    (folder / "thermal_zone3").symlink_to(folder / "nowhere")
    assert read_heat(box.sysfs, limit_c=95).zones == ()


def test_which_trip_point_counts(box: Box) -> None:
    """The lowest passive one; else hot; else somewhat before critical; else the settings', for a processor only."""
    box.zone(0, "a", 50_000, active=45_000, passive=90_000, critical=100_000)
    box.write("class/thermal/thermal_zone0/trip_point_7_type", "passive")
    box.write("class/thermal/thermal_zone0/trip_point_7_temp", "80000")
    box.zone(1, "b", 50_000, critical=110_000)
    box.zone(2, "x86_pkg_temp", 50_000, passive=-274_000)
    box.zone(3, "acpitz", 50_000, active=60_000)
    box.zone(4, "d", 50_000, hot=88_000, critical=110_000)
    trips = {zone.name: zone.trip_c for zone in read_heat(box.sysfs, limit_c=95).zones}
    assert trips == {"a": 80, "b": 100, "x86_pkg_temp": 95, "d": 88}


def test_a_processor_without_a_thermal_zone(box: Box) -> None:
    """Its own sensors count: somewhat before critical, else at the settings' limit; those of a disk do not."""
    for number, (name, temp, critical) in enumerate(
        [("coretemp", 60_000, 100_000), ("k10temp", 61_000, 0), ("nvme", 99_000, 80_000), ("k10temp", -5_000, 0)]
    ):
        box.write(f"class/hwmon/hwmon{number}/name", name)
        box.write(f"class/hwmon/hwmon{number}/temp1_input", str(temp))
        box.write(f"class/hwmon/hwmon{number}/temp1_crit", str(critical))
    zones = read_heat(box.sysfs, limit_c=95).zones
    assert [(zone.name, zone.temp_c, zone.trip_c) for zone in zones] == [("coretemp", 60, 90), ("k10temp", 61, 95)]
    box.write("class/hwmon/hwmon1/temp1_input", "96000")
    assert box.governor(2).threads() == 1


def test_a_frequency_cap_is_a_brake(box: Box) -> None:
    """A limit that falls below the one at the start takes threads; when it is lifted they come back."""
    governor = box.governor(4)
    box.cpu(0, scaling_max_freq=1_800_000, cpuinfo_max_freq=2_400_000)
    assert box.after(20, governor) == 4
    box.cpu(0, scaling_max_freq=1_200_000, cpuinfo_max_freq=2_400_000)
    assert box.after(2, governor) == 3
    assert "clock held at 50%" in governor.why
    box.cpu(0, scaling_max_freq=1_800_000, cpuinfo_max_freq=2_400_000)
    assert box.after(60, governor) == 4


def test_a_cap_that_a_person_set_is_no_heat(box: Box) -> None:
    """Where the sensors are cool, a lower limit is somebody's wish."""
    governor = box.governor(4)
    box.zone(0, "cpu", 45_000, passive=85_000)
    box.cpu(0, scaling_max_freq=2_400_000, cpuinfo_max_freq=2_400_000)
    assert box.after(4, governor) == 4
    box.cpu(0, scaling_max_freq=800_000, cpuinfo_max_freq=2_400_000)
    assert box.after(60, governor) == 4


def test_absurd_frequencies_are_ignored(box: Box) -> None:
    """Zero, more than the highest, and no number."""
    box.cpu(0, scaling_max_freq=0, cpuinfo_max_freq=0)
    box.cpu(1, scaling_max_freq=9, cpuinfo_max_freq=5)
    box.write("devices/system/cpu/cpu2/cpufreq/scaling_max_freq", "<unknown>")
    assert read_heat(box.sysfs, limit_c=95).cap == 1.0


@given(temp=st.binary(max_size=12), trip=st.binary(max_size=12), kind=st.binary(max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_content_of_a_file_harms(tmp_path: Path, temp: bytes, trip: bytes, kind: bytes) -> None:
    """Whatever the kernel or a stub writes, there is a number of threads."""
    box = Box(tmp_path)
    box.zone(0, "", "")
    box.write("class/thermal/thermal_zone0/type", kind)
    box.write("class/thermal/thermal_zone0/temp", temp)
    box.write("class/thermal/thermal_zone0/trip_point_0_type", "passive")
    box.write("class/thermal/thermal_zone0/trip_point_0_temp", trip)
    assert 1 <= box.governor(3).threads() <= 3


def test_hyper_threads_do_not_count(box: Box) -> None:
    """Four logical processors on two cores are two; the affinity mask leaves what it leaves."""
    for number, core in enumerate(["0,2", "1,3", "0,2", "1,3"]):
        box.cpu(number, core=core)
    cores = count_cores(box.sysfs, box.proc, allowed=range(4))
    assert (cores.useful, cores.allowed, cores.physical) == (2, 4, 2)
    assert cores.why == "2 cores, 4 hyper-threads"
    assert count_cores(box.sysfs, box.proc, allowed=[0, 2]).useful == 1
    assert count_cores(box.sysfs, box.proc, allowed=[]).useful == 1


def test_small_cores_do_not_count(box: Box) -> None:
    """On an RK3588 four of eight are fast; on the small ones alone, all of these count."""
    for number in range(4):
        box.cpu(number, cpu_capacity=530)
        box.cpu(number + 4, cpu_capacity=1024)
    cores = count_cores(box.sysfs, box.proc, allowed=range(8))
    assert (cores.useful, cores.why) == (4, "8 cores, 4 of them fast")
    assert count_cores(box.sysfs, box.proc, allowed=range(4)).useful == 4
    assert count_cores(box.sysfs, box.proc, allowed=[0, 1, 2, 3, 7]).useful == 1


def test_frequency_tells_where_capacity_does_not(box: Box) -> None:
    """Cores of one kind that differ by a few per cent are all counted."""
    for number, frequency in enumerate([5_200_000, 5_000_000, 3_800_000, 3_800_000]):
        box.cpu(number, cpuinfo_max_freq=frequency)
    assert count_cores(box.sysfs, box.proc, allowed=range(4)).useful == 2
    assert count_cores(box.sysfs, box.proc, allowed=range(2)).useful == 2


def test_a_cpu_quota_counts(box: Box) -> None:
    """Of all groups above this process the tightest, in both versions of control groups; less than one is one."""
    for number in range(4):
        box.cpu(number)
    box.cgroup("0::/a.slice/b.service", "a.slice/b.service", cpu__max="max 100000")
    assert cpu_quota(box.sysfs, box.proc) is None
    box.write("fs/cgroup/a.slice/cpu.max", "250000 100000")
    cores = count_cores(box.sysfs, box.proc, allowed=range(4))
    assert (cores.useful, cores.why) == (2, "4 cores, CPU quota 2.5")
    governor = box.governor(4)
    assert governor.threads() == 2
    assert governor.why == "2 of 4 threads: the CPU quota is 2.5"
    box.write("fs/cgroup/a.slice/cpu.max", "50000 100000")
    assert count_cores(box.sysfs, box.proc, allowed=range(4)).useful == 1
    box.cgroup("1:cpu,cpuacct:/x", "cpu/x", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
    assert cpu_quota(box.sysfs, box.proc) == 3
    box.write("fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1")
    assert cpu_quota(box.sysfs, box.proc) is None


@pytest.mark.parametrize("text", ["", "max", "0 0", "100000 0", "x y", "9" * 18 + " 1", "-5 100000"])
def test_a_quota_that_is_none(box: Box, text: str) -> None:
    """Anything but two sensible numbers is no limit."""
    box.cgroup("0::/", ".", cpu__max=text)
    assert cpu_quota(box.sysfs, box.proc) is None
