"""An utterance as the grammar reads it: one width of letters, simplified characters, single spaces, no capitals.

The text keeps the person's own capitals beside a lowered copy of the same length, so that what is passed on word
for word (a message, an item, the name of a song) is cut out of it by position.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

__all__ = ["Words", "is_cjk", "normalise"]

_TRADITIONAL = (
    "開關燈廳臥廚書車庫門窗簾風機調溫濕電視聲音樂暫續繼復鎖閉點亮顏色紅黃藍綠層樓這裡邊兒嗎麼幾號還剩時鐘計設為與將"
    "給讓請幫總頻響換氣環熱涼暖對錯說沒個們來從後裝備廁間室陽臺臺檯園後頭備單購買蘋麵雞條現當誰歲歡傳輸據聽監創發"
    "動啟動執運進離壓閥熄滅減縮長強線紙東轉變級檔雙張體團區處徑讀寫屬麗顯禁許應該盞遙衛盤義務樣見覺約組網節費質資"
    "軟輕輸農達遠選邊銀錄鏡閃關隨難電靜順須預領題願類飛餐館驗黑齊齒獎勵麥壞塊聖壇壺夠夢奪奮婦媽嬰學寶實審寬導尋"
)
_SIMPLIFIED = (
    "开关灯厅卧厨书车库门窗帘风机调温湿电视声音乐暂续继复锁闭点亮颜色红黄蓝绿层楼这里边儿吗么几号还剩时钟计设为与将"
    "给让请帮总频响换气环热凉暖对错说没个们来从后装备厕间室阳台台台园后头备单购买苹面鸡条现当谁岁欢传输据听监创发"
    "动启动执运进离压阀熄灭减缩长强线纸东转变级档双张体团区处径读写属丽显禁许应该盏遥卫盘义务样见觉约组网节费质资"
    "软轻输农达远选边银录镜闪关随难电静顺须预领题愿类飞餐馆验黑齐齿奖励麦坏块圣坛壶够梦夺奋妇妈婴学宝实审宽导寻"
)
_SIMPLIFY = dict(zip(map(ord, _TRADITIONAL), _SIMPLIFIED, strict=True)) | {
    ord(old): new
    for old, new in zip(
        "裏著並併頂櫃牆掃潔滿溼蓋劃寢廠鍋爐繫畫裡鬧鈴滅幾憶廣場橋島嶺鳥魚龍龜鶴雲霧鐵鋼",
        "里着并并顶柜墙扫洁满湿盖划寝厂锅炉系画里闹铃灭几忆广场桥岛岭鸟鱼龙龟鹤云雾铁钢",
        strict=True,
    )
}
_ALIKE = dict.fromkeys(map(ord, "’‘`´"), "'") | dict.fromkeys(map(ord, "–—‐‑"), "-") | {ord("。"): ".", ord("、"): "、"}


@dataclass(frozen=True, slots=True)
class Words:
    """An utterance, made even."""

    text: str
    """In the person's own capitals."""
    low: str
    """The same, without capitals; of the same length."""

    def cut(self, start: int, end: int) -> str:
        """The person's words between two positions, without what surrounds them."""
        return self.text[start:end].strip(" ,.;!?")


def is_cjk(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def normalise(text: str) -> Words:
    """The utterance in one shape. Control characters become spaces; letters that lower to two stay as they are."""
    even = unicodedata.normalize("NFKC", text).translate(_SIMPLIFY).translate(_ALIKE)
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zs", "Zl", "Zp") else char for char in even)
    clean = " ".join(kept.split())
    return Words(clean, "".join(char.lower() if len(char.lower()) == 1 else char for char in clean))
