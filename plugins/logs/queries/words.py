"""The words by which a question about events is understood, in Chinese and English."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["BUCKET_WORDS", "COUNT", "DIFFERENT", "KINDS", "NOUN", "REFUSED", "STOP", "TOP_N", "Kind"]

Kind = Literal[
    "flood", "chatter", "stale", "before", "between", "lasting", "longest", "bottom", "top", "distinct", "standing",
    "distribution", "share", "first", "last", "span", "count", "list",
]  # fmt: skip

_KIND_WORDS: tuple[tuple[Kind, str], ...] = (
        ("flood", r"报警(?:泛滥|洪水|风暴|洪泛)|泛滥|洪泛|洪水|风暴|\bfloods?\b|\bflooding\b|\balarm (?:storms?|showers?|bursts?)\b"),
        ("chatter", r"抖动|震颤|频繁(?:反复|重复)|反复(?:报警|触发|出现)|\bchatter(?:ing|ed|s)?\b|\bfleeting\b|\brepeating alarms\b"),
        ("stale", r"陈旧|长期(?:未|没|存在|不)(?:恢复|消除|解除|清除)?|\bstale\b|\blong[- ]standing\b"),
        ("before", r"(?:之前|前)(?:\S{0,8}分钟(?:内|里)?)?(?:通常|经常|往往|一般|总是|常)?(?:都)?(?:会|有|出现|发生)?(?:过)?(?:什么|哪些)|前兆|先兆|"
                   r"\b(?:comes?|came|happens?|happened|occurs?|occurred|precedes?|preceded|preceding|goes|seen|events?|alarms?)\b.{0,30}?\b(?:shortly )?before\b|"
                   r"\b(?:precede[sd]?|preceding|precursors?|leads? up to|led up to)\b"),
        ("between", r"平均(?:的)?(?:发生|故障|报警|出现)?间隔|平均多(?:久|长时间)(?:发生|出现|报|触发|来)?一?次|间隔平均|\bmtbf\b|\bmean time between\b|"
                    r"\baverage (?:time|interval) between\b"),
        ("lasting", r"平均(?:的)?(?:持续|恢复|处理|消除|解除|修复|清除)(?:时间|时长|多久)?|\bmttr\b|\bmean time to (?:clear|repair|restore|recover)\w*\b|"
                    r"\b(?:average|mean) (?:duration|standing time|time to clear)\b|\bhow long\b.{0,30}\bon average\b"),
        ("longest", r"(?:持续|存在)?(?:时间|时长)?最(?:长|久)的?|\blongest(?: standing| lasting)?\b|\blasted (?:the )?longest\b"),
        ("bottom", r"最少|\bfewest\b|\bleast(?: often| frequent(?:ly)?| common)?\b"),
        ("top", r"最多|最频繁|最常|最高频|排名|排行|\b(?:the )?most(?: often| frequent(?:ly)?| common(?:ly)?| active)?\b|\btop\b|"
                r"\b(?:highest|largest|greatest|maximum) (?:number|count|total)\b|\bbusiest\b|\bworst\b"),
        ("standing", r"未恢复|未消除|未解除|未清除|没有?恢复|没有?消除|还在(?:报|响)|仍(?:然)?(?:存在|在报)|\bstanding\b|\bstill (?:active|open|there|on|standing)\b|"
                     r"\bnot (?:yet )?(?:cleared|returned)\b|\buncleared\b|\boutstanding\b"),
        ("share", r"占比|比例|百分(?:之|比)|占多少|\b(?:share|percent(?:age)?|fraction|proportion)\b"),
        ("distribution", r"分布|分别(?:是|有)?|按|各个?|每个?|\b(?:breakdown|broken down|distribution|distributed|per|by|each|every)\b"),
        ("first", r"第一(?:条|次|个)|首(?:次|条|个)|最早(?:的)?(?:一)?(?:条|次|个)?|最先|\b(?:first|earliest|oldest)\b"),
        ("last", r"最后(?:的)?(?:一)?(?:条|次|个)?|最新(?:的)?(?:一)?(?:条|次|个)?|最近的?一(?:条|次|个)|最晚|\b(?:last|latest|most recent|newest)\b"),
        ("span", r"时间(?:范围|跨度|区间)|起止(?:时间)?|\b(?:time (?:range|span)|date range|start and end)\b|\bfrom when (?:to|until) when\b"),
)  # fmt: skip
KINDS = tuple((kind, re.compile(rule)) for kind, rule in _KIND_WORDS)
"""In the order in which one is preferred; a count is what is left."""
COUNT = re.compile(
    r"多少|几(?=[条次个种类起])|条数|次数|数量|数目|个数|总数|\bhow (?:many|often)\b|\bcount\b|\bnumber of\b|\btotal\b"
)
DIFFERENT = re.compile(r"不同的?|不一样的?|独立的?|唯一的?|几种|多少种|几类|多少类|\b(?:different|distinct|unique)\b")
NOUN = re.compile(
    r"报警|告警|警报|事件|记录|日志|故障|跳闸|历史|消息|\b(?:alarms?|events?|records?|entries|entry|rows?|faults?|trips?|logs?|messages?|history)\b"
)
REFUSED = re.compile(
    r"怎么办|如何|怎么(?:办|做|处理|调|设|排除)|为什么|为何|原因|什么意思|含义|代表|步骤|手册|说明书|配置|设置|"
    r"\b(?:why|should|manual|meaning|means?(?! time)|cause[sd]?|configure|set up|procedure|what to do|how (?:do|to|can|should))\b"
)
TOP_N = re.compile(
    r"前\s*(?P<zh>\d{1,3}|[一二两三四五六七八九十]{1,3})\s*(?:个|名|位|条|大|种)?|"
    r"\btop (?P<en>\d{1,3}|two|three|four|five|six|seven|eight|nine|ten)\b|\b(?P<en2>\d{1,2}|two|three|four|five|ten) most\b"
)
BUCKET_WORDS = (
    ("minute", re.compile(r"哪(?:一)?分钟|每分钟|各分钟|\b(?:which|what|per|each|every|by) minute\b")),
    ("hour of day", re.compile(r"一天(?:中|里|之中)的?(?:哪个?|什么)?(?:时候|时段|钟点|小时)|几点(?:钟)?|哪个钟点|\b(?:hour|time) of (?:the )?day\b")),
    ("hour", re.compile(r"哪(?:一)?个?小时|每个?小时|各个?小时|按小时|\b(?:which|what|per|each|every|by) hour\b|\bhourly\b")),
    ("weekday", re.compile(r"星期几|周几|按星期|\b(?:day of (?:the )?week|weekdays?)\b")),
    ("day", re.compile(r"哪(?:一|几)?[天日]|每[天日]|各[天日]|按[天日]|\b(?:which|what|per|each|every|by) (?:day|date)\b|\bdaily\b")),
    ("week", re.compile(r"哪(?:一)?周|每周|各周|按周|\b(?:which|what|per|each|every|by) week\b|\bweekly\b")),
    ("month", re.compile(r"哪(?:一)?个?月|每个?月|各月|按月|\b(?:which|what|per|each|every|by) month\b|\bmonthly\b")),
)  # fmt: skip
STOP = re.compile(
    r"一共|总共|合计|全部|所有|整个|目前|当前|现在|请问|帮我|列出|显示|统计|给出|告诉我|查询|查看|出现|发生|触发|产生|分别|"
    r"时间点?|何时|什么时候|时候|多长|多久|持续|数量|数目|次数|总数|条数|情况|属于|处于|以及|其中|有没有|是否|是哪|哪些|哪个|哪一|哪|什么|谁|多少|几|"
    r"发出|上报|记录|之内|以内|内|里面|[的了是有在里中个条次种类起吗呢啊吧么些总共为于从到会都把对和与及报过被这那其它最所之或者?？、,，。.!！:：;；“”\"'()（）\-/\[\]]|"
    r"\b(?:a|alone|altogether|an|and|any|appear|appears|appeared|are|as|at|be|been|came|come|comes|did|do|does|during|ever|find|for|from|give|had|happen|happened|has|have|how|i|in|is|it|its|"
    r"long|list|many|me|much|my|of|often|on|or|our|over|occur|occurred|occurs|please|raised|recorded|reported|s|seen|show|tell|that|the|their|them|there|"
    r"these|this|those|time|times|to|us|value|was|we|were|what|when|where|which|who|whole|with|within|number|count|total|most|all|overall|currently|"
    r"now|lasted|generated|produced|logged|plant|file|data|status|marked|still|ones?|so|far|respectively|had|got|get|gets|stand|stood|that's|usually|commonly|frequently)\b"
)
"""What neither names nor restricts anything. What else is left of a question restricts it in a way that is not known."""
