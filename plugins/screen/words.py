"""Words that are on nearly every screen, in both languages. Names of a plant are in its procedures and profiles."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CLOSING", "in_other_language"]

_PAIRS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("确定", "确认"), ("OK", "Confirm")),
    (("取消",), ("Cancel",)),
    (("关闭",), ("Close",)),
    (("是",), ("Yes",)),
    (("否",), ("No",)),
    (("应用",), ("Apply",)),
    (("保存",), ("Save",)),
    (("启动",), ("Start",)),
    (("停止",), ("Stop",)),
    (("复位",), ("Reset",)),
    (("登录",), ("Log in", "Login", "Sign in")),
    (("注销", "退出登录"), ("Log out", "Logout", "Sign out")),
    (("返回",), ("Back",)),
    (("下一页",), ("Next page",)),
    (("上一页",), ("Previous page",)),
    (("自动",), ("Auto", "Automatic")),
    (("手动",), ("Manual",)),
    (("参数设置",), ("Parameters", "Settings", "Parameter settings")),
    (("报警", "报警列表", "报警记录"), ("Alarms", "Alarm list")),
    (("趋势", "趋势曲线"), ("Trends", "Trend")),
    (("总览", "主画面"), ("Overview", "Main")),
    (("用户名", "用户"), ("User name", "User")),
    (("密码",), ("Password",)),
    (("刷新",), ("Refresh",)),
    (("打印",), ("Print",)),
    (("导出",), ("Export",)),
    (("搜索", "查询"), ("Search",)),
    (("帮助",), ("Help",)),
)
CLOSING = frozenset(
    word.casefold().replace(" ", "") for zh, en in _PAIRS[:6] for word in (*zh, *en)
) | {"知道了", "我知道了", "gotit", "放弃", "discard", "继续", "continue"}  # fmt: skip
"""What the buttons of a window that lies above say."""


def _table() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for zh, en in _PAIRS:
        for mine, others in ((zh, en), (en, zh)):
            for word in mine:
                found[word.casefold()] = others
    return found


_OTHERS = _table()


def in_other_language(name: str) -> tuple[str, ...]:
    """What a common word is called in the other language; nothing for any other name."""
    return _OTHERS.get(" ".join(name.casefold().split()), ())
