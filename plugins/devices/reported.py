"""Whether words are somebody else's: an order that is read out from a sign, a manual, a message or a quotation.

"The sign says: open valve 12" tells what a sign says. Such words order nothing, whoever speaks them; a person who wants
it done says it. What stands in quotation marks is somebody else's too, unless it is no more than a name.
"""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["is_reported"]

_SOURCES_EN = (
    r"sign|screen|display|panel|label|sticker|photo|picture|image|caption|text|manual|book|handbook|document|page|file"
    r"|log|record|note|paper|poster|message|mail|e-?mail|sms|chat|website|site|payload|topic|result|output|answer"
    r"|assistant|model|system|tool|server|broker|vendor|instruction|comment|voice|radio|tv|television|recording|caller"
    r"|name|alias|it|he|she|they|someone|somebody|everyone|colleague|boss|operator|supplier"
)
_SAYS_EN = (
    r"says?|said|reads?|states?|stated|writes?|wrote|tells?|told|asks?|asked|wants?|shows?|orders?|ordered|demands?"
    r"|claims?|replied|returned|suggests?|instructs?|requires?|reported"
)
_SOURCES_ZH = (
    "牌子|标牌|铭牌|标签|屏幕|屏上|画面|面板|照片|图片|图上|手册|说明书|文档|文件|日志|记录|纸条|便条|海报|短信|消息|邮件|聊天|网页|网站"
    "|结果|输出|回答|助手|模型|系统|工具|服务器|厂家|厂商|备注|广播|电视|录音|有人|别人|他们|他|她|同事|老板|操作工|名称|名字|别名|主题|报文"
)
_SAYS_ZH = "说|写着|写的|写道|上写|显示|要求|让我|叫我|让你|叫你|命令|提示|建议|声称|返回|回复|告诉|指示|念"
_EN = re.compile(rf"\b(?:{_SOURCES_EN})s?\b[^.?!;]{{0,40}}?\b(?:{_SAYS_EN})\b", re.IGNORECASE)
_ACCORDING = re.compile(
    r"\b(?:according to|as (?:written|stated|shown|instructed) (?:in|on|by)|per the|follow(?:ing)? the instructions)\b"
    r"|(?:根据|按照|按|照着?|依据)[^,。;!?,;]{0,12}(?:上|里|中|的)?(?:说的|写的|提示|要求|指示|内容|步骤)"
    r"|\b(?:ignore|disregard|forget)\b[^.?!]{0,30}\b(?:instructions?|rules?|above|previous|prior)\b"
    r"|(?:忽略|无视|忘记|忘掉)[^,。;!?]{0,12}(?:指令|指示|规则|以上|之前|前面|上述|内容)",
    re.IGNORECASE,
)
_ZH = re.compile(rf"(?:{_SOURCES_ZH})[^,。;!?,;!?]{{0,8}}?(?:{_SAYS_ZH})")
_ROLE = re.compile(
    r"(?:^|[\n\r])\s*(?:system|assistant|user|tool|developer|系统|助手|工具)\s*[::]|<[/|]?\w+|\[/?INST\]|```",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“([^”]*)”|\"([^\"]*)\"|「([^」]*)」|『([^』]*)』|《([^》]*)》|‘([^’]*)’|(?<!\w)'([^']*)'(?!\w)")


def is_reported(words: str, names: Collection[str]) -> bool:
    """Whether words, or a part of them, are somebody else's.

    :param names: of devices and areas, folded to lower case; these alone may stand in quotation marks.
    """
    if _EN.search(words) or _ZH.search(words) or _ACCORDING.search(words) or _ROLE.search(words):
        return True
    for found in _QUOTED.finditer(words):
        inside = next((group for group in found.groups() if group is not None), "")
        if " ".join(inside.split()).casefold() not in names:
            return True
    return words.count('"') % 2 == 1 or words.count("“") != words.count("”") or words.count("「") != words.count("」")
