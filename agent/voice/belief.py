"""Whether a transcript is what somebody said. A recogniser writes text for silence, noise and music too.

Refused, in this order: no voice was heard → it takes it for no speech itself and is unsure → it is unsure of most
words → another language → the same again and again → more than can be spoken in the time → a phrase that ends films
and broadcasts → nothing but names that it was told to listen for. Whatever is refused moves nothing.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence

from agent.settings import VoiceSettings
from agent.values import Said, say
from agent.voice.values import Take

__all__ = ["refusal"]

_NOTHING = say("没有听到说话,请靠近再说一次。", "No speech was heard; come closer and say it again.")
_UNSURE = say("没有听清,请再说一次。", "That was not clear enough to act on; please say it again.")
_OTHER = say(
    "只听得懂中文和英文,请用其中一种再说一次。", "Only Chinese and English are understood; say it again in one."
)

# What recognisers trained on subtitles write for music and noise: credits, thanks, calls to subscribe.
_STOCK = re.compile(
    r"""
      (please\W+)?(like|subscribe|share)(\W+(and|like|subscribe|share|to|my|this|the|channel|video|button|now))+
    | (thanks|thank\ you)(\W+(so|very|much|for|watching|listening|your|everyone|all|and|see|you|next|time|
        in|the|video|viewing))*
    | (bye|goodbye)(\W+(bye|goodbye))*
    | (i'?ll\W+)?see\ you(\W+(in|the|next|time|video|again|later|soon|one))*
    | (you|so|the\ end|music|applause|laughter|silence|okay\ bye|i'?m\ sorry|oh|uh|um|hmm?|mm+|ah)
    | subtitles?\b.*|transcri(bed|ption|pt)\ by\b.*|captions?\ by\b.*|.*\bamara\s*\.?org\b.*
    | .*字幕\W*(by|由|志愿者|制作|提供|组|校对|翻译|索兰娅).*|中文字幕
    | (请|請)?(不吝)?(点赞|订阅|转发|打赏|关注|支持|明镜|点点|栏目|与|和|\W)+
    | (谢谢|感谢)(大家|各位|你|您|你们|观众|朋友们|的|收看|观看|收听|聆听|支持|再见|\W)*
    | (我们)?(下次|下期|下集|下个视频)(再见|见|节目|再|的|视频|\W)*
    | (拜拜|再见|嗯|啊|哦|呃|唉|哎|哈|呵|嘿|音乐|掌声|笑声|完)+
    | .*独播剧场.*|(词曲|作词|作曲|编曲|演唱)\W.*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OUR_LETTERS = ("LATIN", "CJK", "GREEK", "FULLWIDTH LATIN", "ANGSTROM", "KELVIN")
_WORD = re.compile(r"[^\W_]+")
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_ZH = re.compile(r"[\u3400-\u9fff]")


def refusal(take: Take, settings: VoiceSettings) -> Said | None:
    """Why a transcript is not believed; None where it is."""
    for why, is_so in _CHECKS:
        if is_so(take, settings):
            return why
    return None


def _silent(take: Take, settings: VoiceSettings) -> bool:
    return take.speech_seconds < settings.least_speech_seconds or not _WORD.search(take.text)


def _no_speech(take: Take, settings: VoiceSettings) -> bool:
    unsure = take.sure < settings.unsure_words
    return take.no_speech > settings.surely_no_speech or (take.no_speech > settings.most_no_speech and unsure)


def _guessed(take: Take, settings: VoiceSettings) -> bool:
    return take.sure < settings.least_words


def _foreign(take: Take, settings: VoiceSettings) -> bool:
    return take.named < settings.least_language or any(_is_foreign(c) for c in take.text)


def _is_foreign(character: str) -> bool:
    """A letter of a script in which neither language is written."""
    name = unicodedata.name(character, "")
    return character.isalpha() and not name.startswith(
        ("LATIN", "CJK", "GREEK", "FULLWIDTH LATIN", "ANGSTROM", "KELVIN")
    )


def _repeats(take: Take, settings: VoiceSettings) -> bool:
    """Text that packs well says one thing again and again."""
    data = take.text.encode()
    return len(data) / len(zlib.compress(data)) > settings.most_compression


def _too_fast(take: Take, settings: VoiceSettings) -> bool:
    """More syllables than a mouth can say in the time."""
    syllables = len(_ZH.findall(take.text)) + len(re.findall(r"[aeiouy]+", take.text.lower()))
    return syllables > 4 + settings.most_syllables_a_second * take.speech_seconds


def _stock(take: Take, settings: VoiceSettings) -> bool:
    said = _AROUND.sub("", " ".join(take.text.split()))
    return _STOCK.fullmatch(said) is not None


def _echo(take: Take, settings: VoiceSettings) -> bool:
    """Nothing but hints, as they were given: noise brings out the prompt."""
    said = _plain(take.text)
    left, found = said, 0
    for hint in sorted(map(_plain, take.hints), key=len, reverse=True):
        if hint and hint in left:
            left, found = left.replace(hint, " "), found + left.count(hint)
    return found >= settings.echoed_names and not left.strip()


def _plain(text: str) -> str:
    return "".join(_WORD.findall(text.casefold()))


_CHECKS: Sequence[tuple[Said, Callable[[Take, VoiceSettings], bool]]] = (
    (_NOTHING, _silent),
    (_NOTHING, _no_speech),
    (_UNSURE, _guessed),
    (_OTHER, _foreign),
    (_UNSURE, _repeats),
    (_UNSURE, _too_fast),
    (_NOTHING, _stock),
    (_UNSURE, _echo),
)
