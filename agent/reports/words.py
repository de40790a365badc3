"""The fixed words of a report, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from agent.values import Said, say

__all__ = ["WORDS"]

WORDS: Mapping[str, Said] = {
    "risk": say("风险等级", "Risk level"),
    "period": say("期间", "Period"),
    "made": say("生成于", "Written"),
    "alarms": say("报警次数", "Alarms"),
    "expected": say("历史同期", "Expected"),
    "between": say("平均间隔", "Between alarms"),
    "cleared": say("平均恢复", "To clear"),
    "standing": say("期末未恢复", "Still standing"),
    "hours": say("小时", "h"),
    "minutes": say("分钟", "min"),
    "seen": say("看到了什么", "What was seen"),
    "causes": say("可能的原因", "Likely causes"),
    "causes_note": say(
        "概率由原因表按似然比推算(先验 × 各证据的比值),各原因相互独立,合计可以超过 100%。",
        "Probabilities follow from the table of causes: prior odds times the ratio of each piece of evidence. Causes "
        "stand by themselves, so they may add up to more than 100 %.",
    ),
    "no_causes": say("现有证据不足以指出原因。", "The evidence points at no cause."),
    "prior": say("先验", "prior"),
    "why": say("风险等级的依据", "Why this risk level"),
    "likelihood": say("可能性", "likelihood"),
    "consequence": say("后果", "consequence"),
    "actions": say("建议措施(引自手册)", "What to do, as the manuals say"),
    "silent": say("手册中没有写到。", "The manuals say nothing about it."),
    "no_actions": say("没有需要处理的事项。", "There is nothing to act on."),
    "watch": say("接下来关注", "What to watch"),
    "no_watch": say("没有特别需要关注的。", "Nothing in particular."),
    "missing": say("本报告没有的", "What this report lacks"),
    "by_rules": say(
        "全文由规则根据记录生成,没有使用语言模型。", "Written by rules from the records, without a language model."
    ),
    "by_computed": say("数字、原因和风险由规则计算", "Figures, causes and risk are computed by rules"),
    "by_chosen": say("措施由模型 {rung} 从手册原文中选出", "the model {rung} pointed at quotes of the manuals"),
    "by_worded": say(
        "概括由模型 {rung} 用上述事实排成", "the model {rung} put the line at the head together from facts"
    ),
    "manual": say("手册", "manual"),
    "page": say("页", "page"),
}
