"""The thing that a question asks for by name: the price in "What is the price of …?", 扬程 in …的扬程是多少.

A passage that does not speak of it does not answer, whatever else it shares with the question. Only forms that name the
thing are read; where none is found nothing is asked of a passage.
"""

from __future__ import annotations

import re

from knowledge.tokens import HAN, fold

__all__ = ["focus_of"]

_ZH_IS = re.compile(rf"([{HAN}]{{2,}}?)(?:应该|应当|应|一般|通常|要)?(?:是|为)(?:多少|多大|多高|几|什么(?=$|[?。,;!]))")
_ZH_WHAT = re.compile(rf"(?:什么|哪种|哪个|何种)(?:样的|型号的|牌号的|规格的)?([{HAN}]{{2,4}})")
_ZH_LIMIT = re.compile("(?:最大|最小|最高|最低|额定|设定|允许)?(?:上限|下限|范围|限值|极限|大小|值)$")
_ZH_VAGUE = re.compile(
    "^(?:原因|意思|含义|时候|时间|故障|情况|问题|要求|内容|办法|方法|作用|东西|地方|报警|告警|条件|资料|关系|区别|步骤|措施"
    "|后果|情形|文件|路径|目录|命令|阈值|人员?|事)"
)
_ZH_HEAD_CHARS = 2
_EN_IS = re.compile(
    r"\b(?:what|who)(?:'s| is| are| was| were) (?:the |its |an? )?((?:[a-z-]+ ){0,2}?[a-z-]+)"
    r"(?= (?:of|for|in|on|at|between|from|to|used|allowed|needed|when|after|before|per)\b|[?.,]|$)"
)
_EN_WHICH = re.compile(
    r"\b(?:what|which) ((?:[a-z-]+ )?[a-z-]+?)"
    r"(?= (?:is|are|was|do|does|did|must|should|shall|can|could|may|will|has|have|needs?|protects?|[a-z]{3,}s)\b)"
)
_EN_MANY = re.compile(
    r"\bhow many ((?:[a-z-]+ )?[a-z-]+?)(?= (?:is|are|do|does|did|must|should|can|may|will|has|have)\b)"
)
_EN_VAGUE = frozenset(
    re.findall(
        r"\w+",
        """cause causes reason reasons meaning difference purpose problem fault error alarm way thing things procedure
        matter file line command path folder directory limit threshold value option parameter setting possible likely
        should best right first next correct new old same other one two maximum minimum the is are do
        does it this that""",
    )
)
_WORD = re.compile(r"[a-z]{3,}")


def focus_of(question: str) -> list[str]:
    """Words of which a passage that answers has at least one, or one that means it; empty where nothing is named."""
    folded = fold(question)
    return _chinese(folded) or _english(folded)


def _chinese(folded: str) -> list[str]:
    asked = _ZH_WHAT.search(folded)
    if asked:
        return [] if _ZH_VAGUE.match(asked[1]) else [asked[1][-_ZH_HEAD_CHARS:]]
    stated = _ZH_IS.search(folded)
    if not stated:
        return []
    named = _ZH_LIMIT.sub("", stated[1].rpartition("的")[2]) or stated[1]
    return [] if len(named) < _ZH_HEAD_CHARS or _ZH_VAGUE.match(named[-_ZH_HEAD_CHARS:]) else [named[-_ZH_HEAD_CHARS:]]


def _english(folded: str) -> list[str]:
    for form in (_EN_IS, _EN_WHICH, _EN_MANY):
        match = form.search(folded)
        if match:
            return [word for word in _WORD.findall(match[1]) if word not in _EN_VAGUE]
    return []
