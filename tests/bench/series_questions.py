"""Questions about files of signals and alarms, in both languages and many wordings, answers computed from the rows.

Nothing is fitted to a file: names are the file's own headings, limits lie between its own values, days are its own.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.bench.alarm_facts import alarm_facts
from tests.bench.series_truth import Alarms, Series, read_alarms, read_series
from tests.bench.signal_facts import signal_facts

__all__ = ["REFUSED", "Asked", "Set", "questions_of", "written"]

Set = Literal["open", "held", "open2", "kept2", "blind3"]
"""Of the questions that people wrote: those that were looked at while the reading of questions was built, those that
were counted before they were looked at (`held`, `kept2`), and the same of a second round; `blind3` was written before
the rules of its round were read, and has questions that nothing in the file answers."""
REFUSED = "refused"
"""The answer to what the file cannot tell: no figure at all."""
QUESTIONS = Path(__file__).parents[1] / "data" / "series_questions.jsonl"

_LABELS = ("anomaly", "label", "changepoint", "fault")


@dataclass(frozen=True)
class Asked:
    """One question and what its answer has to hold."""

    file: Path
    question: str
    answer: object
    """A number, a text, or several in a list or an object: all of them have to stand in the answer."""
    tolerance: float | None = None


def written(folder: Path, which: Set) -> list[Asked]:
    """Questions that people wrote about the files that `series_plants` draws into a folder."""
    found = []
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        path = folder / one["file"]
        if one["set"] == which:
            facts = alarm_facts if "alarm" in one["file"] else signal_facts
            answer = REFUSED if one["want"] == [["refuse"]] else facts(path, one["want"])
            found.append(Asked(path, one["question"], answer))
    return found


def questions_of(path: Path, *, kind: str) -> list[Asked]:
    """Questions about one file.

    :param kind: series or alarms.
    """
    if kind == "alarms":
        return list(_about_alarms(path, read_alarms(path)))
    series = read_series(path)
    label = next((one for one in series if one.name in _LABELS), None)
    plain = [one for one in series if one.name not in _LABELS]
    found: list[Asked] = []
    for place, one in enumerate(plain):
        found += _about_series(path, one, place, named=len(plain) > 1)
        if label is not None:
            found += _about_windows(path, one, label)
    return found


def _about_series(path: Path, one: Series, place: int, *, named: bool) -> Iterator[Asked]:
    """Half of the wordings for each series, so that a file has all of them."""
    name = one.name if named else "the value"
    zh = one.name if named else "数值"
    values = one.values()
    high, low = one.extreme(max), one.extreme(min)
    cut = _between(values, 0.9)
    above = [value for value in values if value > cut] or [cut]
    over = [f"{at}" for at, value in one.points if value > cut] or [""]
    first, last = over[0], over[-1]
    every: list[tuple[str, object]] = [
        (f"What is the maximum of {name} and when does it occur?", high),
        (f"{zh}的最大值是多少?出现在什么时间?", high),
        (f"Lowest {name} and its time?", low),
        (f"{zh}最低是多少,在什么时候?", low),
        (f"What is the average {name}?", statistics.fmean(values)),
        (f"{zh}的均值是多少?", statistics.fmean(values)),
        (f"Median of {name}?", statistics.median(values)),
        (f"{zh}的中位数是多少?", statistics.median(values)),
        (f"What is the standard deviation of {name}?", statistics.stdev(values)),
        (f"{zh}有多少个值高于 {cut:g}?", len(above)),
        (f"How many values of {name} are above {cut:g}?", len(above)),
        (f"What percentage of {name} is above {cut:g}?", round(100 * len(above) / len(values), 2)),
        (f"{zh}低于 {cut:g} 的占比是多少?", round(100 * sum(v < cut for v in values) / len(values), 2)),
        (f"When did {name} first exceed {cut:g}?", first),
        (f"{zh}第一次超过 {cut:g} 是什么时候?", first),
        (f"When was {name} last above {cut:g}?", last),
    ]
    if max(values) <= cut:  # one value stands nine times in ten
        every = every[:9]
    yield from (Asked(path, q, a, _tolerance(a)) for q, a in (every[place % 2 :: 2] if place > 1 else every))
    if place == 0:
        yield from _about_stamps(path, one, name, zh)


def _about_stamps(path: Path, one: Series, name: str, zh: str) -> Iterator[Asked]:
    step, first, last = one.step(), one.points[0][0], one.points[-1][0]
    shown = step.total_seconds() / 60 if step.total_seconds() >= 60 else step.total_seconds()
    gaps = one.gaps()
    half = first + (last - first) / 2
    from_time, to_time = (moment.replace(second=0, microsecond=0) for moment in (half, half + (last - first) / 10))
    part = one.values(lambda at: from_time <= at < to_time)
    every: list[tuple[str, object]] = [
        (f"How many readings of {name} are there?", len(one.points)),
        ("一共有多少条数据?", len(one.points)),
        ("What is the sampling interval?", shown),
        ("采样间隔是多少?", shown),
        ("How many gaps are there in the data?", len(gaps)),
        ("数据有几处缺失?", len(gaps)),
        ("How many timestamps are duplicated?", one.doubled()),
        ("有多少个重复的时间戳?", one.doubled()),
        ("What time range does the data cover?", [f"{first}", f"{last}"]),
        ("数据的时间范围是什么?", [f"{first}", f"{last}"]),
    ]
    if part and one.doubled() == 0:
        mean = statistics.fmean(part)
        every += [
            (f"What was the mean of {name} from {from_time:%Y-%m-%d %H:%M} to {to_time:%Y-%m-%d %H:%M}?", mean),
            (f"{from_time:%Y年%-m月%-d日%H:%M}到{to_time:%Y年%-m月%-d日%H:%M}{zh}的平均值是多少?", mean),
            (f"{zh}在{from_time:%-m月%-d日 %H:%M}至{to_time:%-m月%-d日 %H:%M}的最大值?", max(part)),
        ]
    if first.date() != last.date():
        day, mean = one.best_day()
        every += [
            (f"Which day had the highest average {name}?", [day, mean]),
            (f"哪一天{zh}的平均值最高?", [day, mean]),
        ]
        own = one.values(lambda at: f"{at:%Y-%m-%d}" == day)
        english = next(at for at, _ in one.points if f"{at:%Y-%m-%d}" == day)
        every += [
            (f"Maximum of {name} on {english:%B} {english.day}, {english.year}?", max(own)),
            (f"{day} {zh}的最小值?", min(own)),
        ]
    yield from (Asked(path, q, a, _tolerance(a)) for q, a in every)


def _about_windows(path: Path, one: Series, label: Series) -> Iterator[Asked]:
    marked = {at for at, value in label.points if value > 0}
    inside = statistics.fmean(v for at, v in one.points if at in marked)
    outside = statistics.fmean(v for at, v in one.points if at not in marked)
    both = {"inside": inside, "outside": outside}
    yield Asked(path, f"Compare the mean {one.name} inside and outside the labelled anomaly.", both, 1e-4 * abs(inside))
    yield Asked(path, f"标注的异常时段内外{one.name}的平均值各是多少?", both, 1e-4 * abs(inside))


def _about_alarms(path: Path, alarms: Alarms) -> Iterator[Asked]:
    first, last, total = alarms.times[0], alarms.times[-1], len(alarms.rows)
    yield Asked(path, "How many alarms are in the log?", total)
    yield Asked(path, "日志里一共有多少条报警?", total)
    yield Asked(path, "What is the time range of the alarm log?", [f"{first}"[:16], f"{last}"[:16]])
    yield Asked(path, "最早和最新的报警分别是什么时候?", [f"{first}"[:16], f"{last}"[:16]])
    for column in list(alarms.rows[0])[1:]:
        values = Counter(row[column] for row in alarms.rows)
        if column in ("End time",) or not 1 < len(values) <= 200:
            continue
        yield from _about_column(path, column, alarms, values)
    hours = Counter(f"{at:%Y-%m-%d %H}" for at in alarms.times)
    days = Counter(f"{at:%Y-%m-%d}" for at in alarms.times)
    for counts, en, zh in ((hours, "hour", "哪个小时"), (days, "day", "哪一天")):
        best, second = [*counts.most_common(2), ("", 0)][:2]
        if best[1] > second[1] and len(counts) > 1:
            yield Asked(path, f"Which {en} had the most alarms?", [best[0], best[1]])
            yield Asked(path, f"{zh}的报警最多?", [best[0], best[1]])
    gap = (last - first).total_seconds() / (total - 1) / 60
    if gap >= 2:
        shown = gap if gap < 120 else gap / 60
        yield Asked(path, "What is the mean time between alarms?", shown, 0.01 * shown)
        yield Asked(path, "报警的平均间隔是多少?", shown, 0.01 * shown)


def _about_column(path: Path, column: str, alarms: Alarms, values: Counter[str]) -> Iterator[Asked]:
    top = alarms.top(column)
    if top is not None:
        yield Asked(path, f"Which {column} has the most alarms?", [top[0], top[1]])
        yield Asked(path, f"哪个{column}的报警最多?有多少条?", [top[0], top[1]])
    yield Asked(path, f"How many different values of {column} are there?", len(values))
    value, count = values.most_common()[len(values) // 2]
    if len(values) <= 12:
        yield Asked(path, f"How many alarms have {column} {value}?", count)
        yield Asked(path, f"{column}为{value}的报警有多少条?", count)
        yield Asked(
            path, f"What share of the alarms has {column} {value}?", round(100 * count / len(alarms.rows), 2), 0.01
        )


def _between(values: list[float], share: float) -> float:
    """A limit with few digits that no value has."""
    at = sorted(values)[int(share * (len(values) - 1))]
    spread = max(values) - min(values)
    digits = 0
    while 10**-digits > spread / 50:
        digits += 1
    return round(at, digits) + 0.5 * 10 ** -(digits + 1)


def _tolerance(answer: object) -> float | None:
    """As printed to eight digits; a share is printed to six."""
    if isinstance(answer, list | tuple):
        return next((_tolerance(part) for part in answer if isinstance(part, float)), None)
    return 1e-6 * abs(answer) + 0.0051 * (1 < abs(answer) <= 100) if isinstance(answer, float) else None
