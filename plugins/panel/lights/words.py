"""Words that tell what a coloured thing is: the state of a lamp, a piece of equipment, something to press.

Chinese and English, in lower case. A word of letters counts where it stands alone; a Chinese one anywhere.
"""

from __future__ import annotations

import re
from functools import lru_cache

from plugins.panel.grammar import plain

__all__ = ["names_equipment", "says_press", "says_state", "state_said"]

_STATE = """
fault faults alarm alarms alm fail failed failure error err warning warn trip tripped e-stop estop emergency run
running ready power pwr online offline comm comms link active busy ok normal healthy lamp light indicator status
invalid overload high low leak leakage fire smoke open opened closed on off stopped standby idle auto manual local
remote enabled disabled connected disconnected charging full empty maint rdy sf bf 故障 报警 告警 警报 异常 急停
运行 正常 停机 停止 就绪 电源 通讯 在线 离线 指示 信号 状态 超限 过载 过热 泄漏 火警 已开 已关 开到位 关到位 待机
自动 手动 远程 就地 合闸 分闸
"""
_LIT = """
on run running ready ok open opened active online enabled normal healthy true yes connected charging high alarm
fault 开 开启 打开 已开 运行 运行中 正常 投入 合 合闸 在线 就绪 是 报警 故障
"""
_UNLIT = """
off stop stopped closed inactive offline disabled false no disconnected idle standby 关 关闭 已关 停 停止 已停止
停机 退出 分 分闸 离线 否 待机
"""
_EQUIPMENT = """
valve valves pump pumps motor motors fan fans tank heater cooler compressor conveyor belt mixer agitator blower
boiler burner chiller breaker damper filter vessel silo feeder crusher screw drive vfd inverter generator
transformer 阀 泵 电机 马达 风机 罐 箱 加热器 冷却 压缩机 输送 皮带 搅拌 锅炉 燃烧 冷水机 断路器 滤 仓 破碎 变频器
发电机 变压器
"""
_PRESS = """
start stop reset ack acknowledge confirm cancel ok apply save open close enter exit back next previous home menu
settings setup config configuration login logout search refresh update add new edit delete remove export import
print pause resume run restart auto manual mute unmute silence clear info details help send write read on off yes
no submit load unload enable disable test jog up down left right play record trend trends alarms history reports
users set select browse upload download copy paste undo redo connect disconnect shutdown reboot retry continue
abort hold release lock unlock show view 启动 停止 复位 确认 取消 确定 应用 保存 打开 关闭 返回 退出 下一页 上一页
主页 首页 菜单 设置 登录 注销 搜索 查询 刷新 更新 新建 添加 新增 增加 编辑 修改 删除 导出 导入
打印 暂停 继续 自动 手动 消音 清除 清空 详情 帮助 写入 读取 开 关 提交 启用 禁用 测试 点动 重置 急停 应答
上传 下载 连接 断开 重启 查看 选择 启停
"""


def _spoken(words: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Words of letters, and Chinese ones."""
    found = words.split()
    return frozenset(w for w in found if w.isascii()), tuple(w for w in found if not w.isascii())


_SAYS = {name: _spoken(words) for name, words in (("state", _STATE), ("equipment", _EQUIPMENT), ("press", _PRESS))}
_MANNER = r"^(?:批量|全部|一键|立即|快速|强制)"
"""How a Chinese command is to be done, before its verb."""
_MORE = frozenset({"all", "now", "page", "alarm", "mode", "as"})
_LIT_WORDS, _UNLIT_WORDS = frozenset(_LIT.split()), frozenset(_UNLIT.split())


def says_state(label: str) -> bool:
    """A lamp can bear this label: it speaks of a state, a fault, a signal."""
    return _says("state", label)


def names_equipment(label: str) -> bool:
    """It names a valve, a pump, a motor."""
    return _says("equipment", label)


def says_press(label: str) -> bool:
    """It asks to be pressed: it begins with a verb of commands, in few words."""
    line = plain(label).strip().lower()
    ascii_words, chinese = _SAYS["press"]
    words = re.findall(r"[a-z][a-z-]*", line)
    if words and not re.search(r"[^\x00-\x7f]", line):
        return words[0] in ascii_words and len(words) <= 3
    return re.sub(r"[^\u4e00-\u9fffa-z]", "", line) in chinese or (
        0 < len(line) <= 8 and any(len(word) > 1 and re.sub(_MANNER, "", line).startswith(word) for word in chinese)
    )


@lru_cache(maxsize=4096)
def press_alone(label: str) -> str:
    """The command that a text is, without what a reader made of the icon before it; empty where it is none."""
    line = plain(label).strip()
    ascii_words, chinese = _SAYS["press"]
    for start in (0, 1, 2):
        rest = line[start:].strip()
        words = rest.lower().split()
        if re.sub(_MANNER, "", rest) in chinese or (
            start == 0 and 0 < len(words) <= 3 and words[0] in ascii_words and set(words) <= ascii_words | _MORE
        ):
            return rest
    found = re.match(r"^.{0,2}?([\u4e00-\u9fff]{2,6}[A-Za-z]{0,6})$", line)
    rest = found[1] if found else ""
    verb = re.sub(_MANNER, "", rest)
    return rest if any(len(word) > 1 and verb.startswith(word) for word in chinese) else ""


def state_said(label: str) -> str:
    """lit, unlit, or empty where the text is no word for a state."""
    word = re.sub(r"^[\W_]+|[\W_]+$", "", plain(label).lower())
    return "lit" if word in _LIT_WORDS else "unlit" if word in _UNLIT_WORDS else ""


def _says(kind: str, label: str) -> bool:
    line = re.sub(r"\be[\s.]+stop", "e-stop", plain(label).strip().lower())
    ascii_words, chinese = _SAYS[kind]
    return any(word in ascii_words for word in re.findall(r"[a-z][a-z-]*", line)) or any(w in line for w in chinese)
