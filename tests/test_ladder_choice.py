"""The ladder as a table: what a box has, what is on it, who may answer."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.weights.catalogue import load_catalogue
from agent.weights.ladder import Machine, _left_of_cgroups, choose_rungs, look_at_machine, recommended

GB = 10**9
ALL = ("qwen3-vl-4b", "qwen3-vl-2b", "qwen2.5-1.5b", "qwen2.5-0.5b")
V4, V2, T15, T05 = ALL
TEXT = (T15, T05)
MANUALS = ("embed", "dictionary")


def box(*, ram: float = 8, cores: int = 4, disk: float = 50) -> Machine:
    return Machine(free_ram_bytes=int(ram * GB), cores=cores, free_disk_bytes=int(disk * GB))


@pytest.mark.parametrize(
    ("machine", "present", "wanted", "rungs"),
    [
        (box(), TEXT, "auto", (T15, T05, "rules")),
        (box(ram=2.2), TEXT, "auto", (T15, T05, "rules")),
        (box(ram=2.19), TEXT, "auto", (T05, "rules")),
        (box(ram=1), TEXT, "auto", (T05, "rules")),
        (box(ram=0.9), TEXT, "auto", ("rules",)),
        (box(ram=2), (T15,), "auto", ("rules",)),
        (box(), (T15,), "auto", (T15, "rules")),
        (box(), (T05,), "auto", (T05, "rules")),
        (box(), (), "auto", ("rules",)),
        (box(), ("ocr-small", "embed"), "auto", ("rules",)),
        (box(), ALL, "auto", (V4, V2, T15, T05, "rules")),
        (box(ram=5), ALL, "auto", (V2, T15, T05, "rules")),
        (box(ram=3.5), ALL, "auto", (T15, T05, "rules")),
        (box(cores=2), ALL, "auto", (V2, T15, T05, "rules")),
        (box(cores=1), ALL, "auto", (T05, "rules")),
        (box(cores=1), (T15,), "auto", (T15, "rules")),
        (box(), (V2, T05), "auto", (V2, T05, "rules")),
        (box(), ALL, "rules", ("rules",)),
        (box(), TEXT, T05, (T05, T15, "rules")),
        (box(ram=1), TEXT, T15, (T15, T05, "rules")),
        (box(), (), T15, (T15, "rules")),
        (box(), TEXT, V2, (V2, T15, T05, "rules")),
    ],
)
def test_rungs(machine: Machine, present: tuple[str, ...], wanted: str, rungs: tuple[str, ...]) -> None:
    """Biggest that fits first, the smaller ones below it, rules last; a model that is named comes first."""
    assert choose_rungs(machine, present, wanted=wanted) == rungs


def test_every_ladder_ends_in_rules_and_has_no_rung_twice() -> None:
    """Whatever is present and however little the box has, somebody answers."""
    subsets = itertools.chain.from_iterable(itertools.combinations(ALL, count) for count in range(5))
    for present, ram, cores, wanted in itertools.product(list(subsets), (0, 2, 4, 16), (1, 2, 8), ("auto", *ALL)):
        rungs = choose_rungs(box(ram=ram, cores=cores), present, wanted=wanted)
        assert rungs[-1] == "rules"
        assert len(set(rungs)) == len(rungs)
        assert set(rungs) <= {*present, "rules", wanted}
        automatic = [name for name in rungs if name not in ("rules", wanted)]
        assert automatic == sorted(automatic, key=ALL.index)


def test_unknown_model_names_the_nearest() -> None:
    """A slip in `model.name` is one clear line."""
    with pytest.raises(SettingsError, match=r"no model 'qwen2\.5-15b'; did you mean qwen2\.5-1\.5b\?"):
        choose_rungs(box(), TEXT, wanted="qwen2.5-15b")
    with pytest.raises(SettingsError, match="known are auto, rules"):
        choose_rungs(box(), TEXT, wanted="ocr")


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        (box(), (T15, "ocr-small", "ocr-tiny", *MANUALS, T05)),
        (box(disk=1.5), (T15, "ocr-small", "ocr-tiny", *MANUALS)),
        (box(ram=2), (T05, "ocr-small", "ocr-tiny", *MANUALS)),
        (box(cores=1), (T05, "ocr-small", "ocr-tiny", *MANUALS)),
        (box(ram=0.5), (T05, "ocr-small", "ocr-tiny", *MANUALS)),
        (box(disk=1), (T05, "ocr-small", "ocr-tiny", *MANUALS)),
        (box(disk=0.74), (T05, "ocr-small", "ocr-tiny", "dictionary")),
        (box(disk=0.5), ("ocr-small", "ocr-tiny", *MANUALS)),
        (box(disk=0), ("ocr-small",)),
    ],
)
def test_recommended(machine: Machine, names: tuple[str, ...]) -> None:
    """Without a name, a pull fetches what suits the box and its disk: the model first, what stands in for it last."""
    assert recommended(machine, spare_bytes=200_000_000) == names


def test_the_tiny_reader_needs_no_helper() -> None:
    """The smallest box reads with one reader, and finds its manuals by meaning as the others do."""
    assert recommended(box(ram=1.3), spare_bytes=0, reader="ocr-tiny") == (T05, "ocr-tiny", *MANUALS)


def test_needs_fall_with_the_order_of_the_catalogue() -> None:
    """Best first in the catalogue means that each further model needs less of everything."""
    models = load_catalogue().chat_models
    assert [model.name for model in models] == list(ALL)
    for bigger, smaller in itertools.pairwise(models):
        assert bigger.ram_bytes > smaller.ram_bytes
        assert bigger.cores >= smaller.cores


def test_this_machine_is_seen(tmp_path: Path) -> None:
    """Looking works for a folder that is not there yet."""
    seen = look_at_machine(tmp_path / "not" / "yet")
    assert seen.free_ram_bytes > 0
    assert seen.cores >= 1
    assert seen.free_disk_bytes > 0


def limit(group: Path, most: str, used: str, inactive: int) -> None:
    """A control group as the kernel shows it."""
    group.mkdir(parents=True, exist_ok=True)
    (group / "memory.max").write_text(f"{most}\n")
    (group / "memory.current").write_text(used)
    (group / "memory.stat").write_text(f"anon 1\ninactive_file {inactive}\n")


@pytest.mark.parametrize(
    ("most", "used", "inactive", "left"),
    [
        ("max", "5", 0, None),
        ("2000", "1500", 300, 800),
        ("2000", "2500", 0, 0),
        ("nonsense", "1", 0, None),
    ],
)
def test_container_limit_counts(tmp_path: Path, most: str, used: str, inactive: int, left: int | None) -> None:
    """In a container the limit decides, not the machine's memory; page cache that can be dropped counts as free."""
    limit(tmp_path / "cgroup", most, used, inactive)
    (tmp_path / "own").write_text("0::/\n")
    assert _left_of_cgroups(tmp_path / "cgroup", tmp_path / "own") == left


def test_the_tightest_limit_above_a_service_counts(tmp_path: Path) -> None:
    """A service may be bounded itself or by the slice that it is in."""
    limit(tmp_path / "cgroup" / "system.slice" / "watchkeeper.service", "9000", "1000", 0)
    limit(tmp_path / "cgroup" / "system.slice", "5000", "2000", 0)
    (tmp_path / "own").write_text("1:name=old:/x\n0::/system.slice/watchkeeper.service\n")
    assert _left_of_cgroups(tmp_path / "cgroup", tmp_path / "own") == 3000


def test_the_mark_above_which_a_service_is_slowed_counts_too(tmp_path: Path) -> None:
    """A service that is allowed 90 % is slowed down from 80 % on: what lies above is no memory to work with."""
    limit(tmp_path / "cgroup", "9000", "1000", 200)
    (tmp_path / "cgroup" / "memory.high").write_text("8000\n")
    (tmp_path / "own").write_text("0::/\n")
    assert _left_of_cgroups(tmp_path / "cgroup", tmp_path / "own") == 7200
    (tmp_path / "cgroup" / "memory.high").write_text("max\n")
    assert _left_of_cgroups(tmp_path / "cgroup", tmp_path / "own") == 8200


def test_groups_of_the_first_kind_count(tmp_path: Path) -> None:
    """Older kernels and containers bound memory in another place; a number beyond all memory is no limit."""
    inner = tmp_path / "cgroup" / "memory" / "box"
    inner.mkdir(parents=True)
    for group, most in ((inner, "2000"), (inner.parent, str((1 << 63) - 4096))):
        (group / "memory.limit_in_bytes").write_text(most)
        (group / "memory.usage_in_bytes").write_text("1500")
        (group / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 300\n")
    (tmp_path / "own").write_text("4:memory:/box\n3:cpuset:/\n0::/\n")
    assert _left_of_cgroups(tmp_path / "cgroup", tmp_path / "own") == 800
    (tmp_path / "own").write_text("4:cpu,memory:/\n")
    assert _left_of_cgroups(tmp_path / "cgroup", tmp_path / "own") is None


def test_no_cgroup_no_limit(tmp_path: Path) -> None:
    """Without control groups there is no limit."""
    assert _left_of_cgroups(tmp_path, tmp_path / "none") is None
