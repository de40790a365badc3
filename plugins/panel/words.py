"""The words of panels, Chinese and English: units as printed, states of a signal, headings of tables.

Every line of text here is a list: units and states are parted by spaces, headings by `|`.
"""

from __future__ import annotations

__all__ = ["COMMANDS", "COUNTERS", "ROLE_OF_HEADING", "SPAN_WORDS", "STATES", "STORAGE_UNITS", "UNITS", "is_clear_unit"]

_UNITS = """
°C ℃ °c oC °F ℉ °P °Bx ° K MPa Mpa mPa MPA kPa KPa KPA hPa Pa mbar mBar bar Bar psi PSI kgf/cm² kgf/cm2 kg/cm²
kg/cm2 mmHg mmH2O inHg Nm³/h Nm3/h m³/h m3/h m²/h m2/h M³/H M3/H m³/min m3/min m³/s m3/s m³/d m3/d m³ m3
L/min l/min L/h l/h L/s l/s ml/min mL/min GPM gpm CFM cfm t/h T/h kg/h kg/s kg/m³ kg/m3 g/cm³ g/cm3
mg/L mg/l mg/m³ mg/m3 μg/m³ ug/m3 g/L GJ/h GJ MJ kJ KJ J Gcal kcal kWh KWh KWH kwh kW·h kW.h MWh Wh
KW/h kW/h kW KW kw MW W kVA KVA kvar kVar kVAr Kvar var VA HP hp mA kA A mV kV KV V VAC VDC Vac Vdc
MΩ kΩ KΩ Ω uF μF kHz KHz MHz GHz Hz HZ hz rpm RPM r/min R/min rad/s rev/min mm/s² mm/s^2 mm/s2 m/s²
m/s^2 m/s2 mm/s cm/s m/s mm/min m/min km/h mph nm μm µm um mm cm dm km m² m2 m inch ft mil mg kg Kg
KG g t lb lbs kN·m N·m N.m Nm kN KN N mL ml L l gal hL kL %RH %rH RH% %LEL %vol % ‰ ppm ppb pH PH
NTU μS/cm uS/cm mS/cm dBm dB dB(A) lux Lux lx cd W/m² W/m2 μs us ms sec s min h hrs hr d kB KB MB
kw kva kv hz ma mv rev/s 1/min min-1 min⁻¹ s-1 spm kg/min kgf tf tonf N/mm² N/mm2 N/cm² kN/m² Torr mTorr
hL/h hl/h L/m slpm SLPM sccm SCCM SCFM scfm ACFM ml/h mL/h gal/min m³/kg Sm³/h Sm3/h Sm³ Nm3 Nm³ t/d
MPa·s mPa·s mPa.s Pa·s cSt cP GWh TWh MVA Mvar MVar kvarh kVAh kWp Ah mAh mΩ MΩ·cm nF pF mH H/s T mT
in/s ips °/s deg rad FNU FTU NTU/h mS μS μS/m mol/L mmol/L μmol/L μg/L ug/L μg/L kJ/kg MJ/kg MJ/m³
kcal kcal/h BTU BTU/h RT USRT lm W/m2 μm/s um/s μm/m dB/m dBA ‰/h m/s³ mil/s °dH 吨/时 方/时 方 转/秒
千瓦/时 兆瓦 兆瓦时 千伏 千伏安 毫安 毫伏 毫帕 帕 巴 微米 微西门子/厘米 毫克/升 毫克/立方米 克 升/秒 升/小时
公里 千米 勒克斯 分贝 赫 百分比
GB TB Mbps kbps Kbps Gbps MB/s KB/s M G pcs pcs/h bpm 摄氏度 兆帕 千帕 千瓦时 千瓦 立方米/小时
立方米 立方 吨/小时 吨 公斤 千克 毫米 厘米 米/秒 米 升/分 升 转/分钟 转/分 转 赫兹 安 伏 毫秒 秒
分钟 小时 天 度 次 个 台 件 人 元 万元 户 套 辆 只 片 箱 批
"""
_STATES = """
on off open closed close run running stop stopped start started ok good bad fault alarm normal true
false yes no auto manual enabled disabled active inactive online offline high low idle ready
standby tripped 开 关 开启 关闭 打开 运行 停止 正常 故障 报警 异常 启动 停机 自动 手动 在线 离线
就绪 待机 是 否 投入 退出 合 分 合闸 分闸 远程 就地
"""
_COMMANDS = """
open close run stop start enabled disabled active inactive auto manual on off yes no
开 关 开启 关闭 打开 启动 停止 停机 自动 手动 合 分 合闸 分闸 远程 就地 投入 退出 是 否 运行
"""
_SPAN_WORDS = """
elapsed|remaining|duration|runtime|run time|uptime|up time|running time|total time|cycle time|countdown|timer
print time|time left|working time|operating time|on time|off time|eta
时长|运行时间|剩余|已用|用时|历时|倒计时|耗时|周期|累计时间|工作时间|停机时间|持续
"""
_HEADINGS = {
    "time": """
time | date | date and time | datetime | timestamp | 时间 | 日期 | 发生时间 | 报警时间
触发时间
    """,
    "value": """
current | value | current value | present value | present | actual | actual value | live
reading | pv | 值 | 当前值 | 实时值 | 测量值 | 数值 | 实际值 | 读数 | 现值 | 当前 | 最新值
变量值
    """,
    "name": """
item | name | tag | tag name | parameter | signal | variable | point | sensor | measurement
名称 | 变量 | 变量名 | 变量名称 | 参数 | 参数名称 | 测点 | 测点名称 | 点名 | 位号 | 项目
信号 | 设备名称
    """,
    "unit": """
unit | units | eu | 单位
    """,
    "text": """
description | message | alarm | event | text | alarm text | alarm message | event text
fault | 故障 | 报警 | 告警 | 描述 | 内容 | 信息 | 事件 | 报警内容 | 报警信息 | 报警描述
告警内容 | 故障描述 | 故障信息
    """,
    "priority": """
priority | severity | level | class | 等级 | 级别 | 优先级 | 报警等级 | 告警级别 | 报警级别
    """,
    "state": """
state | status | 状态 | 报警状态
    """,
    "ack": """
ack | acknowledged | ack. | acked | 确认 | 确认状态 | 已确认
    """,
    "channel": """
channel | device | object | source | area | group | 通道 | 设备 | 对象 | 来源 | 区域 | 设备名
    """,
    "number": """
number | no | no. | # | id | 序号 | 编号
    """,
}

UNITS = tuple(_UNITS.split())
COUNTERS = frozenset("度次个台件人元户套辆只片箱批转天升米安伏方克巴帕赫")
"""Chinese units that also begin ordinary words: only at the end of a run."""
STATES = frozenset(_STATES.split())
"""What a discrete signal is shown as, in lower case."""
COMMANDS = frozenset(_COMMANDS.split())
"""States that also stand on buttons, as what pressing them does."""
SPAN_WORDS = tuple(word for line in _SPAN_WORDS.split("\n") for word in line.split("|") if word)
"""A label with one of these is followed by a duration."""
STORAGE_UNITS = frozenset(("g", "gb", "gib", "m", "mb", "mib", "k", "kb", "kib", "t", "tb", "tib", "b"))
"""Units in which a part and its whole are given as one value, as `unit_key` spells them."""
ROLE_OF_HEADING = {
    word.strip(): role
    for role, text in _HEADINGS.items()
    for line in text.split("\n")
    for word in line.split("|")
    if word.strip()
}
"""Heading in lower case → what its column holds."""


def is_clear_unit(unit: str) -> bool:
    """A unit that is no word and no part of a name: with a sign such as `/`, or letters in the case of units only."""
    mixed = unit.isascii() and len(unit) > 1 and not unit.islower() and not unit.isupper() and not unit.istitle()
    return any(c in "%°℃℉/³²Ω" for c in unit) or mixed or unit in ("rpm", "NTU", "ppm", "ppb", "kW")
