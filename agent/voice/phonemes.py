"""Text as the phonemes that the Kokoro voice was trained on, Chinese and English mixed.

Chinese by misaki (characters → pinyin in context → its own letters with arrows for tones), English by espeak-ng, whose
letters are brought to Kokoro's: https://github.com/hexgrad/misaki/blob/main/EN_PHONES.md
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Phonemes", "spoken_text"]

_RUNS = re.compile(r"[A-Za-z][A-Za-z'’]*(?:[ -]+[A-Za-z][A-Za-z'’]*)*|[^A-Za-z]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_TO_KOKORO = (
    ("a^ɪ", "I"), ("a^ʊ", "W"), ("e^ɪ", "A"), ("o^ʊ", "O"), ("ɔ^ɪ", "Y"), ("ə^l", "ᵊl"), ("d^ʒ", "ʤ"), ("t^ʃ", "ʧ"),
    ("ʔn̩", "tᵊn"), ("n̩", "ᵊn"), ("l̩", "ᵊl"), ("^", ""), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ɪə", "iə"),
    ("ː", ""), ("ɐ", "ə"), ("ɾ", "T"), ("ʔ", "t"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɬ", "l"), ("o", "ɔ"),
    ("e", "A"), ("g", "ɡ"),
)  # fmt: skip
_READINGS = {
    **{f"调{how}": ("tiáo", sound) for how, sound in (
        ("到", "dào"), ("至", "zhì"), ("成", "chéng"), ("为", "wéi"), ("高", "gāo"), ("低", "dī"), ("亮", "liàng"),
        ("暗", "àn"), ("大", "dà"), ("小", "xiǎo"), ("回", "huí"), ("节", "jié"), ("整", "zhěng"), ("温", "wēn"),
    )},
    "设为": ("shè", "wéi"), "调一下": ("tiáo", "yí", "xià"), "重启": ("chóng", "qǐ"), "供水": ("gōng", "shuǐ"),
}  # fmt: skip
"""Words of machines and homes with a character of two readings, of which the common list takes the other."""
_UNITS_ZH = (
    (r"(?<=\d)\s*(?:°\s*C|℃)", "摄氏度"), (r"(?<=\d)\s*(?:°\s*F|℉)", "华氏度"), (r"(?<=\d)\s*°", "度"),
    (r"(?<=\d)\s*mm/s\b", "毫米每秒"), (r"(?<=\d)\s*m³/h\b", "立方米每小时"), (r"(?<=\d)\s*kWh\b", "千瓦时"),
    (r"(?<=\d)\s*kW\b", "千瓦"), (r"(?<=\d)\s*kPa\b", "千帕"), (r"(?<=\d)\s*MPa\b", "兆帕"), (r"(?<=\d)\s*bar\b", "巴"),
    (r"(?<=\d)\s*Hz\b", "赫兹"), (r"(?<=\d)\s*rpm\b", "转每分钟"), (r"(?<=\d)\s*A\b", "安"), (r"(?<=\d)\s*V\b", "伏"),
    (r"(?<=\d)\s*W\b", "瓦"), (r"(?<=\d)\s*mm\b", "毫米"), (r"(?<=\d)\s*cm\b", "厘米"), (r"(?<=\d)\s*m\b", "米"),
    (r"(?<=\d)\s*s\b", "秒"), (r"(?<=\d)\s*h\b", "小时"), (r"(?<=\d)\s*min\b", "分钟"),
    (r"(?<=\d)\s*[-–~～]\s*(?=\d)", "到"), (r"(?<![\d\w])-(?=\d)", "负"),
)  # fmt: skip
_UNITS_EN = (
    (r"(?<=\d)\s*(?:°\s*C|℃)", " degrees Celsius"), (r"(?<=\d)\s*(?:°\s*F|℉)", " degrees Fahrenheit"),
    (r"(?<=\d)\s*°", " degrees"), (r"(?<=\d)\s*%", " percent"), (r"(?<=\d)\s*mm/s\b", " millimetres per second"),
    (r"(?<=\d)\s*kWh\b", " kilowatt hours"), (r"(?<=\d)\s*kW\b", " kilowatts"), (r"(?<=\d)\s*Hz\b", " hertz"),
    (r"(?<=\d)\s*kPa\b", " kilopascals"), (r"(?<=\d)\s*rpm\b", " revolutions per minute"),
    (r"(?<=\d)\s*V\b", " volts"), (r"(?<=\d)\s*A\b", " amperes"), (r"(?<=\d)\s*W\b", " watts"),
    (r"(?<=\d)\s*[-–~～]\s*(?=\d)", " to "), (r"(?<![\d\w])-(?=\d)", "minus "),
)  # fmt: skip


class Phonemes:
    """Makes them. What misaki needs is loaded with the first Chinese text."""

    def __init__(self, english: Callable[[str], str] | None, cache: Path) -> None:
        """
        :param english: words as espeak-ng gives them; None: they are left out.
        :param cache: a folder of our own, where the list of words is kept ready.
        """
        self._english, self._cache = english, cache
        self._chinese: Any = None

    def of(self, text: str, language: str) -> str:
        """Phonemes of a sentence; numbers are said in its language."""
        text = spoken_text(text, language)
        if language != "zh" and not _HAN.search(text):
            return " ".join(self._words(part) for part in re.split(r"(?<=[,.;:!?])\s*", text) if part.strip())
        pieces = []
        for run in _RUNS.findall(self._numbers_in_words(text)):
            pieces.append(f" {self._words(run)} " if run[0].isascii() and run[0].isalpha() else self._han(run))
        return re.sub(r"\s+", " ", "".join(pieces)).strip()

    def _words(self, words: str) -> str:
        if self._english is None:
            return ""
        end = words.rstrip()[-1:]
        found = self._english(words)
        for ours, theirs in _TO_KOKORO:
            found = found.replace(ours, theirs)
        return found + (end if end in ",.;:!?" else "")

    def _numbers_in_words(self, text: str) -> str:
        import cn2an

        return str(cn2an.transform(text, "an2cn"))

    def _han(self, run: str) -> str:
        if self._chinese is None:
            import jieba
            from misaki.zh import ZHG2P
            from pypinyin import load_phrases_dict, load_single_dict

            jieba.setLogLevel(60)
            for word in _READINGS:
                jieba.add_word(word)
            load_single_dict({ord("调"): "tiáo"})
            load_phrases_dict({word: [[sound] for sound in sounds] for word, sounds in _READINGS.items()})
            # Its list lies in a folder that everybody may write to, unless it is told otherwise.
            jieba.dt.tmp_dir = str(self._cache)
            self._chinese = ZHG2P
        marked = re.sub(r"([,.:;!?])(?=\S)", r"\1 ", self._chinese.map_punctuation(run))
        return str(self._chinese.legacy_call(marked)) if marked else ""


def spoken_text(text: str, language: str) -> str:
    """Units and signs as words, so that they are said and not spelled."""
    text = unicodedata.normalize("NFKC", text)
    for pattern, words in _UNITS_ZH if language == "zh" else _UNITS_EN:
        text = re.sub(pattern, words, text)
    return text
