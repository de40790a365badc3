"""Figures, rules and verdicts as an answer states them, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from agent.api import Record, Said, say
from plugins.field.figures import Measured, Span, stated
from plugins.field.judging import Checked, Judged, Verdict
from plugins.field.sheet import Decision, Scope
from plugins.field.values import Comparison, Unchecked

__all__ = [
    "figure_record", "not_understood", "only_for", "rule_record", "scope_names", "unchecked_record", "verdict_line",
]  # fmt: skip

_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
_FOLDS = {
    "": say("", ""),
    "sum": say("累计", "total"),
    "max": say("最高", "highest"),
    "min": say("最低", "lowest"),
    "mean": say("平均", "mean"),
}
_MET = {True: say("满足", "met"), False: say("不满足", "not met"), None: say("无法判断", "cannot be told")}


def figure_record(number: int, measured: Measured, span: Span) -> Record:
    """A figure with its span, its source and what it lacks.

    :param number: of the figure in the sheet; with the span it makes the id.
    """
    name, unit, count = measured.figure.called(), measured.unit, len(span.values)
    source = _short(measured.source)
    hours = (span.end - span.start) / 3_600
    own_id = f"G{number}-{round(hours, 2):g}h" if hours else f"G{number}"
    over = f"{stated(span.start)} – {stated(span.end)}"
    fields: dict[str, str | int | float | bool | None] = {
        "figure": measured.figure.name, "unit": unit, "start": stated(span.start), "end": stated(span.end),
        "values": count, "source": source, "whole": span.whole,
    }  # fmt: skip
    if not count:
        lacking = span.lacking or say("", "")
        line = say(f"{name['zh']}:未知,{lacking['zh']}", f"{name['en']}: unknown, {lacking['en']}")
        return Record(own_id, "figure", line, fields)
    if not hours:
        shown, over = f"{_number(float(span.values[-1]))} {unit}".strip(), stated(span.end)
        fields["value"] = float(span.values[-1])
        told = say(shown, shown)
    elif measured.figure.adds_up:
        shown = f"{_number(float(span.values.sum()))} {unit}".strip()
        fields["value"] = float(span.values.sum())
        told = say(f"累计 {shown}", f"{shown} in total")
    else:
        low, high, last = float(span.values.min()), float(span.values.max()), float(span.values[-1])
        fields |= {"lowest": low, "highest": high, "mean": float(span.values.mean()), "value": last}
        told = say(
            f"{_number(low)} 至 {_number(high)} {unit},最近 {_number(last)} {unit}",
            f"{_number(low)} to {_number(high)} {unit}, latest {_number(last)} {unit}",
        )
    lacks = say("", "") if span.lacking is None else say(f";{span.lacking['zh']}", f"; {span.lacking['en']}")
    line = say(
        f"{name['zh']}:{told['zh']}({over},{count} 个值,来源 {source}{lacks['zh']})",
        f"{name['en']}: {told['en']} ({over}, values: {count}, from {source}{lacks['en']})",
    )
    return Record(own_id, "figure", line, fields)


def rule_record(number: str, judged: Judged, *, limited: bool = False) -> Record:
    """A rule word for word, what it was held against, and whether it is met."""
    rule = judged.rule
    zh = ";".join(_checked(one)["zh"] for one in judged.checked)
    en = "; ".join(_checked(one)["en"] for one in judged.checked)
    met, only = _MET[judged.met], only_for(rule.scopes) if limited else say("", "")
    line = say(f"“{rule.quote}”{only['zh']}:{zh} → {met['zh']}", f"“{rule.quote}”{only['en']}: {en} → {met['en']}")
    fields = {"rule": rule.quote, "met": judged.met, "effect": rule.effect}
    return Record(f"Q{number}", "rule", line, fields, rule.citation)


def unchecked_record(number: str, rule: Unchecked, *, limited: bool = False) -> Record:
    """A sentence that a person has to read."""
    only = only_for(rule.scopes) if limited else say("", "")
    line = say(
        f"“{rule.quote}”{only['zh']}:程序不能核对这一条,请人工核对",
        f"“{rule.quote}”{only['en']}: cannot be compared by the program, please check it",
    )
    return Record(f"Q{number}", "rule", line, {"rule": rule.quote, "met": None}, rule.citation)


def verdict_line(decision: Decision, verdict: Verdict, judged: Sequence[Judged], asked: Sequence[Scope]) -> Said:
    """The verdict, and what it follows from."""
    what, who = decision.called(), scope_names(asked)
    zh = f"{who['zh']}{what['zh']}" if asked else what["zh"]
    en = f"{what['en']} ({who['en']})" if asked else what["en"]
    broken = [one for one in judged if one.met is False]
    open_ones = [one for one in judged if one.met is None]
    match verdict:
        case "no":
            return say(
                f"结论:现在不符合“{zh}”的规定:{_reasons(broken, 'zh')}",
                f"Verdict: now is against the rules for {en}: {_reasons(broken, 'en')}",
            )
        case "yes":
            return say(
                f"结论:现在符合下列“{zh}”的全部规定({len(judged)} 条);没有列出的不在核对之内",
                f"Verdict: now meets every rule for {en} that is listed here ({len(judged)}); nothing else was checked",
            )
        case "contradicted":
            return say(
                f"结论:规定互相矛盾,无法判断“{zh}”;矛盾的条款见下",
                f"Verdict: the rules for {en} contradict each other, so nothing follows; both are shown below",
            )
        case _:
            why = say(_reasons(open_ones, "zh"), _reasons(open_ones, "en"))
            more = say(f":{why['zh']}", f": {why['en']}") if open_ones else say("", "")
            return say(f"结论:无法判断“{zh}”{more['zh']}", f"Verdict: unknown for {en}{more['en']}")


def not_understood(left: Sequence[str]) -> Said:
    """Instead of an answer that leaves out a part of the question."""
    zh, en = "、".join(f"“{one}”" for one in left), ", ".join(f"“{one}”" for one in left)
    return say(
        f"{zh}没看懂,它可能限定了问题,所以不下结论;可在 field.toml 中补充名称,或换个说法",
        f"{en} was not understood and may restrict the question, so nothing is concluded: add the name to field.toml "
        "or say it in other words",
    )


def only_for(scopes: Sequence[Scope]) -> Said:
    """What a rule is limited to."""
    names = scope_names(scopes)
    return say(f"(仅 {names['zh']})", f" (only {names['en']})") if scopes else say("", "")


def scope_names(scopes: Sequence[Scope]) -> Said:
    """All of them."""
    called = [scope.called() for scope in scopes]
    return say("、".join(one["zh"] for one in called), ", ".join(one["en"] for one in called))


def _reasons(judged: Sequence[Judged], language: str) -> str:
    lines = []
    for one in judged:
        wanted = [c for c in one.checked if one.met is not None or c.holds is None] or list(one.checked)
        lines += [f"{_checked(c)[language]} [{one.rule.citation}]" for c in wanted]  # type: ignore[index]
    return (";" if language == "zh" else "; ").join(dict.fromkeys(lines))


def _checked(checked: Checked) -> Said:
    """One comparison as it came out."""
    comparison, measured = checked.comparison, checked.measured
    name, fold = comparison.figure.called(), _FOLDS[comparison.fold]
    span = _span(comparison)
    about = say(f"{span['zh']}{fold['zh']}{name['zh']}", f"{name['en']}{span['en']}{_lead(fold['en'])}")
    if checked.holds is None:
        lacking = checked.lacking or say("未知", "unknown")
        return say(f"{about['zh']}未知({lacking['zh']})", f"{about['en']} unknown ({lacking['en']})")
    value = f"{_number(checked.value or 0.0)} {measured.unit}".strip()
    return say(f"{about['zh']} {value}{_held(checked)['zh']}", f"{about['en']} {value}{_held(checked)['en']}")


def _held(checked: Checked) -> Said:
    """The comparison as it is true."""
    one = checked.comparison
    low, high = (f"{_number(value)} {one.unit}".strip() for value in (one.low, one.high))
    if one.op in ("in", "out"):
        inside = (one.op == "in") is checked.holds
        pair = f"{_number(one.low)}–{high}"
        return say(
            f" 在 {pair} 之内" if inside else f" 不在 {pair} 之内", f" is {'within' if inside else 'outside'} {pair}"
        )
    sign = one.op if checked.holds else {"gt": "le", "ge": "lt", "lt": "ge", "le": "gt"}[one.op]
    shown = f" {_SIGNS[sign]} {low}"
    return say(shown, shown)


def _span(comparison: Comparison) -> Said:
    seconds = comparison.span_seconds
    if not seconds:
        return say("", "")
    for size, zh, en in ((86_400, "天", "days"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds % size == 0 and (size < 86_400 or seconds > 86_400):
            return say(f"过去 {seconds / size:g} {zh}", f" in the last {seconds / size:g} {en}")
    return say(f"过去 {seconds:g} 秒", f" in the last {seconds:g} s")


def _lead(text: str) -> str:
    return f" ({text})" if text else ""


def _number(value: float) -> str:
    return f"{round(value, 3):g}" if abs(value) < 1e6 else f"{value:.0f}"


def _short(source: str) -> str:
    """A file by its name: its folder tells a person nothing."""
    return source.rsplit("/", 1)[-1] or source
