"""No number, code or negation is said that the evidence does not hold."""

from __future__ import annotations

import pytest

from agent.claims import codes_in, numbers_in, unsupported

EVIDENCE = ["Wait 10 minutes before opening drive VFD-P1 (code F0011).", "2 events"]
NEGATIVE = ["Do not open the drive."]


@pytest.mark.parametrize(
    "line",
    ["等待10分钟。", "Wait 10.0 minutes", "两次", "驱动器 VFD-P1 报 f0011", "Open the drive after ten minutes."],
)
def test_what_is_backed_may_be_said(line: str) -> None:
    """The same number in other words, the same code in another case."""
    assert unsupported(line, EVIDENCE) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("等待15分钟", "number 15"),
        ("三次", "number 3"),
        ("-10 minutes", "number -10"),
        ("VFD-P2", "vfd-p2"),
        ("F001", "f001"),
        ("没有记录", "没有"),
        ("It is not tripped", "not"),
        ("已复位", "已复位"),
    ],
)
def test_what_is_not_backed_is_named(line: str, why: str) -> None:
    """Another number, another code, a negation or a deed from nowhere."""
    assert why in (unsupported(line, EVIDENCE) or "")


def test_a_negation_must_not_get_lost() -> None:
    """`Do not open` may not become `open`."""
    assert unsupported("打开变频器", NEGATIVE) is not None
    assert unsupported("不要打开变频器", NEGATIVE) is None


def test_numbers_and_codes() -> None:
    """A code's digits are no number; signs and decimals count."""
    assert numbers_in("F0011 at -12.50 °C, 1,200 rpm, 三台") == {"-12.5", "1200", "3"}
    assert codes_in("F0011, NO.1, 12 bar, P-3, v2") == {"f0011", "no.1", "p-3", "v2"}
