"""Spans of time in the person's words become explicit instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.numerals import parse_number
from agent.settings import ShiftSettings
from agent.times import Period, find_periods, names_restart, resolve_period

NOW = datetime(2024, 12, 15, 20, 50)  # a Sunday


@pytest.mark.parametrize(
    ("text", "phrase", "start", "end"),
    [
        ("最近三天有没有?", "最近三天", "2024-12-12 20:50", "2024-12-15 20:50"),
        ("过去24小时内的报警", "过去24小时内", "2024-12-14 20:50", "2024-12-15 20:50"),
        ("近两周", "近两周", "2024-12-01 20:50", "2024-12-15 20:50"),
        ("最近半个月", "最近半个月", "2024-11-30 20:50", "2024-12-15 20:50"),
        ("最近十二个小时", "最近十二个小时", "2024-12-15 08:50", "2024-12-15 20:50"),
        ("in the last three days?", "in the last three days", "2024-12-12 20:50", "2024-12-15 20:50"),
        ("Over the past week, any?", "Over the past week", "2024-12-08 20:50", "2024-12-15 20:50"),
        ("last 2 hours", "last 2 hours", "2024-12-15 18:50", "2024-12-15 20:50"),
        ("昨天有吗", "昨天", "2024-12-14 00:00", "2024-12-15 00:00"),
        ("前天呢", "前天", "2024-12-13 00:00", "2024-12-14 00:00"),
        ("上周的报警", "上周", "2024-12-02 00:00", "2024-12-09 00:00"),
        ("大前天呢", "大前天", "2024-12-12 00:00", "2024-12-13 00:00"),
        ("the day before yesterday", "the day before yesterday", "2024-12-13 00:00", "2024-12-14 00:00"),
        ("上上周的", "上上周", "2024-11-25 00:00", "2024-12-02 00:00"),
        ("最近 3 天", "最近 3 天", "2024-12-12 20:50", "2024-12-15 20:50"),
        ("过去一年", "过去一年", "2023-12-16 20:50", "2024-12-15 20:50"),
        ("this week", "this week", "2024-12-09 00:00", "2024-12-15 20:50"),
        ("本月", "本月", "2024-12-01 00:00", "2024-12-15 20:50"),
        ("上个月", "上个月", "2024-11-01 00:00", "2024-12-01 00:00"),
        ("Today?", "Today", "2024-12-15 00:00", "2024-12-15 20:50"),
        ("last week", "last week", "2024-12-02 00:00", "2024-12-09 00:00"),
        ("the last week", "the last week", "2024-12-08 20:50", "2024-12-15 20:50"),
        ("上周二有吗", "上周二", "2024-12-03 00:00", "2024-12-04 00:00"),
        ("last Tuesday afternoon", "last Tuesday afternoon", "2024-12-10 12:00", "2024-12-10 18:00"),
        ("昨天下午的报警", "昨天下午", "2024-12-14 12:00", "2024-12-14 18:00"),
        ("昨晚呢", "昨晚", "2024-12-14 18:00", "2024-12-15 06:00"),
        ("last night?", "last night", "2024-12-14 18:00", "2024-12-15 06:00"),
        ("上个季度", "上个季度", "2024-07-01 00:00", "2024-10-01 00:00"),
        ("in Q1 2023", "Q1 2023", "2023-01-01 00:00", "2023-04-01 00:00"),
        ("去年第二季度", "去年第二季度", "2023-04-01 00:00", "2023-07-01 00:00"),
        ("3月9日10点到11点的温度", "3月9日10点到11点", "2024-03-09 10:00", "2024-03-09 11:00"),
        ("2020-03-09 10:24 的值", "2020-03-09 10:24", "2020-03-09 10:24", "2020-03-09 10:25"),
        (
            "between 10:25 and 10:30 on March 9?",
            "between 10:25 and 10:30 on March 9",
            "2024-03-09 10:25",
            "2024-03-09 10:30",
        ),
        ("2013年12月2日至12月5日", "2013年12月2日至12月5日", "2013-12-02 00:00", "2013-12-06 00:00"),
        ("12月1日到5日", "12月1日到5日", "2024-12-01 00:00", "2024-12-06 00:00"),
        ("December 2013", "December 2013", "2013-12-01 00:00", "2014-01-01 00:00"),
        ("2014年2月3日下午两点到四点", "2014年2月3日下午两点到四点", "2014-02-03 14:00", "2014-02-03 16:00"),
        ("3:30 pm yesterday", "3:30 pm yesterday", "2024-12-14 15:30", "2024-12-14 15:31"),
        ("自12月10日以来", "自12月10日以来", "2024-12-10 00:00", "2024-12-15 20:50"),
        ("the week of December 4", "the week of December 4", "2024-12-02 00:00", "2024-12-09 00:00"),
        ("last weekend", "last weekend", "2024-12-07 00:00", "2024-12-09 00:00"),
        ("上午9点半", "上午9点半", "2024-12-15 09:30", "2024-12-15 09:31"),
    ],
)
def test_a_phrase_is_found_and_resolved(text: str, phrase: str, start: str, end: str) -> None:
    """The phrase word for word, and the instants that an answer states."""
    assert [found for _, found in find_periods(text)] == [phrase]
    period = resolve_period(phrase, NOW)
    assert period is not None
    assert period.stated() == f"{start} – {end}"


@pytest.mark.parametrize(
    "text",
    [
        "循环变频故障",
        "three pumps",
        "3 days' oil",
        "天气",
        "the last pump",
        "1.5 to 2.5 bar",
        "10.5到11.5之间",
        "What may 3 pumps do?",
    ],
)
def test_other_words_are_no_span(text: str) -> None:
    """A number or a day alone is not a window."""
    assert find_periods(text) == []
    assert resolve_period(text, NOW) is None


@pytest.mark.parametrize(("word", "value"), [("二十六", 26), ("一百零五", 105), ("两", 2), ("Seven", 7), ("x", None)])
def test_numbers_in_words(word: str, value: float | None) -> None:
    """Chinese numerals up to 999 and English ones up to twelve."""
    assert parse_number(word) == value


SHIFTS = (
    ShiftSettings(name="夜班", start=time(20), hours=12, crews=("甲班", "乙班"), first_day=date(2024, 12, 1)),
    ShiftSettings(name="day", start=time(8), hours=12),
)


@pytest.mark.parametrize(
    ("phrase", "stated"),
    [
        ("上周二夜班", "2024-12-03 20:00 – 2024-12-04 08:00"),
        ("last night shift", "2024-12-14 20:00 – 2024-12-15 08:00"),
        ("昨天白班", "2024-12-14 08:00 – 2024-12-14 20:00"),
        ("本班", "2024-12-15 20:00 – 2024-12-15 20:50"),
        ("上一班", "2024-12-15 08:00 – 2024-12-15 20:00"),
        ("乙班", "2024-12-14 20:00 – 2024-12-15 08:00"),
    ],
)
def test_a_shift_is_that_of_the_calendar(phrase: str, stated: str) -> None:
    """By its name in either language, or by the crew whose turn it was; without a calendar none is known."""
    assert [found for _, found in find_periods(phrase)] == [phrase]
    period = resolve_period(phrase, NOW, shifts=SHIFTS)
    assert period is not None and period.stated() == stated
    assert resolve_period(phrase, NOW) is None


@pytest.mark.parametrize("phrase", ["春节期间", "last summer", "每天10点", "since the last restart", "自上次启动以来"])
def test_what_cannot_be_known_is_found_and_not_guessed(phrase: str) -> None:
    """So that the answer tells it rather than leaving it out."""
    assert [found for _, found in find_periods(phrase)] == [phrase]
    assert resolve_period(phrase, NOW) is None
    assert names_restart(phrase) == (phrase in ("since the last restart", "自上次启动以来"))


def test_what_was_assumed_is_said() -> None:
    """A year or a day that was not said, the latest Wednesday, a date in either order."""
    wednesday, year, day = (resolve_period(p, NOW) for p in ("on Wednesday", "12月20日", "10:24"))
    assert wednesday and wednesday.note and "2024-12-11" in wednesday.note["en"]
    assert year and year.note and year.start.year == 2023 and "2023" in year.note["zh"]
    assert day and day.note and day.start == datetime(2024, 12, 15, 10, 24)
    either = resolve_period("3/4/2024", NOW)
    assert either and either.note and either.start.month == 3


def test_the_log_decides_a_year_and_a_day() -> None:
    """Where what is searched has that day once, it is meant."""
    ends = (datetime(2020, 3, 9, 10, 14), datetime(2020, 3, 9, 10, 34))
    for phrase in ("3月9日10点25分到10点30分", "between 10:25 and 10:30"):
        period = resolve_period(phrase, NOW, within=ends)
        assert period and period.stated() == "2020-03-09 10:25 – 2020-03-09 10:30" and period.note


@pytest.mark.parametrize(
    ("text", "phrase", "stated"),
    [
        (
            "between 10 and 12 June 2024 for P-302A",
            "between 10 and 12 June 2024",
            "2024-06-10 00:00 – 2024-06-13 00:00",
        ),
        ("June 10-12?", "June 10-12", "2024-06-10 00:00 – 2024-06-13 00:00"),
        ("6月10到12日报警", "6月10到12日", "2024-06-10 00:00 – 2024-06-13 00:00"),
        ("from the 10th to the 12th of june", None, "2024-06-10 00:00 – 2024-06-13 00:00"),
        ("18日早上8点到中午12点之间", None, "2024-06-18 08:00 – 2024-06-18 12:00"),
        ("5号到7号", None, "2024-06-05 00:00 – 2024-06-08 00:00"),
        ("18号这天", None, "2024-06-18 00:00 – 2024-06-19 00:00"),
        ("on the 18th between 8:00 and 10:00", None, "2024-06-18 08:00 – 2024-06-18 10:00"),
        ("in the week of feb 5 to feb 11 2024", "feb 5 to feb 11 2024", "2024-02-05 00:00 – 2024-02-12 00:00"),
        ("in the week of feb 5", None, "2024-02-05 00:00 – 2024-02-12 00:00"),
    ],
)
def test_ends_that_share_a_month_or_a_year(text: str, phrase: str | None, stated: str) -> None:
    """What one end of a span leaves out is that of the other; a month that nobody said is the log's latest."""
    ends = (datetime(2024, 2, 1), datetime(2024, 6, 20, 18, 0))
    found = [found for _, found in find_periods(text)]
    assert found == [phrase or text]
    period = resolve_period(found[0], datetime(2026, 11, 20, 15, 0), within=ends)
    assert period and period.stated() == stated


@pytest.mark.parametrize(
    "text", ["3号泵报警", "1号主变", "the 95th percentile", "on the 5th highest", "between 10 and 12"]
)
def test_numbers_that_are_no_days(text: str) -> None:
    """The number of a machine, a place in an order and a limit are no day of a month."""
    assert not find_periods(text)


def test_a_day_of_an_unsaid_month_is_told() -> None:
    """Where several months have it, which one was taken is said."""
    period = resolve_period("18号这天", NOW)
    assert period and period.start == datetime(2024, 11, 18) and period.note and "2024-11-18" in period.note["en"]


def test_two_months_with_and_are_two() -> None:
    """Only `between` makes one span of them."""
    assert len(find_periods("compare December 2013 and January 2014")) == 2
    assert len(find_periods("between December 2013 and January 2014")) == 1


def test_days_stay_days_over_a_change_of_the_clocks() -> None:
    """A day of 23 hours, hours that are hours, and a word on an hour that the clock showed twice."""
    zone = ZoneInfo("Europe/Berlin")
    now = datetime(2024, 3, 31, 12, 0, tzinfo=zone)
    day, hours = resolve_period("today", now), resolve_period("last 12 hours", now)
    assert day and day.start.astimezone(UTC) == datetime(2024, 3, 30, 23, 0, tzinfo=UTC)
    assert hours and now.astimezone(UTC) - hours.start.astimezone(UTC) == timedelta(hours=12)
    twice = resolve_period("2024-10-27 02:30", datetime(2024, 11, 1, tzinfo=zone))
    assert twice and twice.note and "clocks were changed" in twice.note["en"]


@pytest.mark.parametrize("phrase", ["2023-02-29", "2月30日", "2024-13-01", "25:00", "last 99999999999 years"])
def test_no_such_day_is_no_span(phrase: str) -> None:
    """It is not moved to one that there is."""
    assert resolve_period(phrase, NOW) is None


@given(st.text(max_size=60) | st.from_regex(r"[0-9年月日点:/ -]{1,24}", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_any_text_resolves_or_not(text: str) -> None:
    """What is found resolves to a span with a beginning before its end, or to none."""
    for at, phrase in find_periods(text):
        assert text[at:].startswith(phrase)
        period = resolve_period(phrase, NOW, shifts=SHIFTS)
        assert period is None or (isinstance(period, Period) and period.start < period.end)
