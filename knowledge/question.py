"""What a question asks for: its clauses without the words that only ask, and its language.

Dropped are question words (什么, 怎么, what, how) and what is asked of the log rather than of the books (最近三天有没有
类似记录, similar events in the last week). What is left of each clause is what a passage has to hold.
"""

from __future__ import annotations

import re

from knowledge.tokens import fold, is_chinese, language_of, runs, stem

__all__ = ["clauses_of", "language_of_question"]

_CLAUSE_END = re.compile(r"[?!;。,、\n]+|\.(?=\s|$)")
_ASKING_ZH = re.compile(
    "是什么意思|什么意思|是什么时候|什么时候开始|什么时候|是什么原因|什么原因|怎么回事|为什么|有什么|是什么|什么|怎么办|怎么样|怎么|怎样|如何|多少|多久|多大|多长|哪个|哪些|哪里"
    "|哪种|几个|几类|有没有|是不是|能不能|可不可以|是否|应该|应当|需要|可以|请问|帮我|告诉|要做|做些?什么|代表|表示|意思|含义是|最近|以前|之前|类似"
    "|发生过|出现过|[这那][个种台部本套些次]|这是|这些|那些|一下|一般|通常|的|了|吗|呢|吧|么|该|请|在|里|和|与|及|是|有|会|要|把"
    "|被|就|都|也|这|那|哪"
)
_ASKING_FOR = re.compile(
    r"(?:哪个|哪条|什么)(?:文件|命令|目录|路径)|\b(?:which|what) (?:file|line|command|path|folder|director(?:y|ie))s?\b"
)
_ASKING_EN = frozenset(
    re.findall(
        r"\w+",
        """a an the what which who whom whose when where why how is are was were be been do does did done can could
        should shall would will may might must i we you it its this that these those my our your of to in on at by for
        from with and or if as so not no any many much far long often some there here have has had get got me us
        tell mean means meaning please show give about into take takes need needs use used come comes now up say says
        let also too very due procedure cause causes caused reason reasons""",
    )
)
_ASKING_HISTORY = re.compile(
    r"(?:最近|过去|近|前|上)[\d零一二两三四五六七八九十百几半]*个?(?:天|日|周|星期|月|小时|分钟|年)(?:内|以来|里)?"
    r"|历史记录|类似记录|类似的?(?:情况|事件)"
    r"|\b(?:in |over |within |during )?(?:the )?(?:last|past|previous) (?:\w+ )?"
    r"(?:minute|hour|day|night|week|month|year)s?\b"
    r"|\b(?:similar|same|earlier|recent) (?:events?|records?|alarms?|cases?)\b"
    r"|\b(?:it )?(?:ever )?happen(?:ed|s)?(?: again| before)?\b"
)
_ASKING_STEMS = _ASKING_EN | {stem(word) for word in _ASKING_EN}
_ENGLISH_WORD = re.compile(r"[a-z]+")


def clauses_of(question: str, max_runs: int) -> list[list[str]]:
    """The runs (`knowledge.tokens.runs`) of each clause that carry information, clauses with none left out.

    A query that is nothing but one short Chinese word is meant, even when that word usually only asks (类似, 代表).
    """
    whole = runs(question)
    if len(whole) == 1 and is_chinese(whole[0]) and len(whole[0]) <= 2:
        return [whole]
    out = []
    for clause in _CLAUSE_END.split(fold(question)):
        plain = _ASKING_ZH.sub(" ", _ASKING_FOR.sub(" ", _ASKING_HISTORY.sub(" ", clause)))
        kept = [run for run in runs(plain) if run not in _ASKING_STEMS]
        if kept:
            out.append(kept[:max_runs])
    return out


def language_of_question(question: str) -> str:
    """`zh` or `en`: an English sentence that quotes a Chinese lamp text is English."""
    asking = [word for word in _ENGLISH_WORD.findall(fold(question)) if word in _ASKING_EN]
    return "en" if len(asking) >= 2 else language_of(question)
