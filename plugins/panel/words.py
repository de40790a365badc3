"""The words of panels, Chinese and English: units as printed, states of a signal, headings of tables.

Every line of text here is a list: units and states are parted by spaces, headings by `|`.
"""

from __future__ import annotations

__all__ = [
    "ACK_STATES",
    "ALARM_STATES",
    "ALARM_WORDS",
    "COMMANDS",
    "COUNTERS",
    "DIMENSIONLESS",
    "HEADING_PARTS",
    "PRIORITIES",
    "QUANTITIES",
    "ROLE_OF_HEADING",
    "SPAN_WORDS",
    "STATES",
    "STORAGE_UNITS",
    "UNITS",
    "is_clear_unit",
]

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
_QUANTITIES = """
temperature temp pressure flow level speed frequency current voltage power humidity torque
温度 压力 流量 液位 水位 转速 频率 电流 电压 功率 湿度 热量 开度 浓度
"""
_DIMENSIONLESS = """
ph count number factor cos ratio index version step mode gain address pages batch recipe
酸碱 因数 次数 数量 个数 总数 系数 比例 编号 指数 模式 序号 批次 配方 增益
"""
_SPAN_WORDS = """
elapsed|remaining|duration|runtime|run time|uptime|up time|running time|total time|cycle time|countdown|timer
print time|time left|working time|operating time|on time|off time|eta
时长|运行时间|剩余|已用|用时|历时|倒计时|耗时|周期|累计时间|工作时间|停机时间|持续
"""
_HEADINGS = {
    "time": """
time | date | date and time | date time | date/time | date & time | datetime | timestamp | time stamp | when
raised | occurred | start time | alarm time | event time | active time | time in | time on | on time | incoming
occurrence | trigger time | 时间 | 日期 | 日期时间 | 时间戳 | 发生时间 | 发生日期 | 报警时间 | 告警时间
触发时间 | 开始时间 | 产生时间 | 事件时间 | 事件日期 | 报警日期 | 记录时间 | 起始时间
    """,
    "cleared": """
end time | clear time | cleared | off time | time out | return time | rtn time | outgoing | ack time
time acked | duration | 恢复时间 | 结束时间 | 消除时间 | 解除时间 | 确认时间 | 恢复日期 | 持续时间 | 时长
    """,
    "value": """
current | value | current value | present value | present | actual | actual value | live | live value | measured
reading | pv | process value | measured value | 值 | 当前值 | 实时值 | 测量值 | 数值 | 实际值 | 读数 | 现值
当前 | 最新值 | 变量值 | 实测值 | 实时数据 | 当前数值 | 监测值
    """,
    "name": """
item | name | tag | tag name | tagname | parameter | signal | variable | variable name | point | point name
sensor | measurement | quantity | 名称 | 变量 | 变量名 | 变量名称 | 参数 | 参数名称 | 测点 | 测点名称 | 点名
位号 | 项目 | 标签 | 信号 | 设备名称 | 参数名 | 监测项 | 监测项目 | 指标 | 数据名称 | 仪表位号 | 信号名称
    """,
    "unit": """
unit | units | eu | uom | eng. unit | 单位 | 工程单位
    """,
    "text": """
description | message | alarm | event | text | alarm text | alarm message | event text | message text | details
cause | fault | reason | alarm description | event description | fault description | alarm name | event name
condition | 故障 | 报警 | 告警 | 描述 | 内容 | 信息 | 事件 | 报警内容 | 报警信息 | 报警描述 | 报警事件
报警文本 | 事件内容 | 事件描述 | 告警内容 | 故障描述 | 故障信息 | 故障内容 | 告警信息 | 告警描述 | 消息
消息文本 | 文本 | 说明 | 报警名称 | 故障名称 | 故障原因
    """,
    "priority": """
priority | prio | pri | prio. | severity | sev | level | class | alarm class | alarm level | category | type
alarm type | event type | 等级 | 级别 | 优先级 | 报警等级 | 告警级别 | 报警级别 | 告警等级 | 严重程度 | 故障等级
类别 | 报警类型 | 告警类型 | 事件类型 | 类型 | 严重性
    """,
    "state": """
state | status | current state | alarm state | alarm status | 状态 | 报警状态 | 当前状态 | 告警状态 | 处理状态
    """,
    "ack": """
ack | acknowledged | ack. | acked | ack'd | ack? | acknowledge | ack state | 确认 | 确认状态 | 已确认 | 是否确认
应答
    """,
    "channel": """
channel | device | object | source | equipment | machine | node | display path | device name | controller | plc
module | 通道 | 设备 | 对象 | 来源 | 设备名 | 对象名 | 设备编号 | 机台 | 控制器 | 报警源 | 告警源 | 部件
触发源
    """,
    "area": """
area | group | alarm group | zone | location | plant | site | line | region | ack group | 区域 | 位置 | 车间
站点 | 产线 | 报警组 | 报警组名 | 分组 | 组 | 地点 | 工位 | 机房
    """,
    "number": """
number | no | no. | nr | nr. | # | id | code | alarm no | alarm id | alarm number | event id | fault code
error code | 序号 | 编号 | 代码 | 报警号 | 报警编号 | 故障代码 | 故障码 | 报警代码 | 事件号 | 号
    """,
    "limit": """
limit | setpoint | sp | threshold | high limit | low limit | raw | raw value | 限值 | 界限值 | 设定值 | 阈值
上限 | 下限 | 旧值 | 新值 | 报警值 | 恢复值 | 原值 | 原始值 | 报警限值
    """,
}
HEADING_PARTS = (
    (r"(?:恢复|结束|消除|解除|确认|持续|应答).{0,2}(?:时间|时刻|日期)$|时长$", "cleared"),
    (r"\b(?:end|clear\w*|return\w*|ack\w*|off|out)\b.*\btime\b|\btime\b.*\b(?:ack\w*|clear\w*|off|out)\b", "cleared"),
    (r"(?:时间|时刻|日期)$|\b(?:date|time|timestamp)\b", "time"),
    (r"(?:等级|级别|优先级|严重程度|类型)$|\b(?:priority|severity)\b", "priority"),
    (r"状态$|\b(?:state|status)\b", "state"),
    (r"确认$|^ack", "ack"),
    (r"(?:描述|内容|信息|文本|消息|原因)$|\b(?:message|description|text)$", "text"),
    (r"(?:位号|测点|点名|变量名?称?)$|\btag\b", "name"),
    (r"(?:区域|位置|车间)$|\b(?:area|zone|location)$", "area"),
    (r"设备|\b(?:device|source|equipment|machine)\b", "channel"),
    (r"(?:序号|编号|代码)$|\b(?:code|no|id)\.?$", "number"),
)
"""What says what a heading means that is in no list: pattern, role; the first that fits."""
_PRIORITIES = """
critical urgent high medium low warning warn error info information fatal major minor alarm fault notice debug
diagnostic severe emergency hihi lolo hh ll hi lo p1 p2 p3 p4 紧急 高 中 低 严重 重要 次要 一般 警告 提示 信息
错误 故障 报警 告警 预警 致命 轻微 一级 二级 三级 四级 普通 危险 特急 ⅰ级 ⅱ级 ⅲ级
"""
PRIORITIES = frozenset(_PRIORITIES.split())
"""How urgent an alarm is, in lower case."""
_ALARM_STATES = """
active inactive cleared clear ack acked acknowledged unack unacked unacknowledged rtn normal returned raised new
incoming outgoing come gone on off open closed resolved shelved suppressed latched yes no true false c cd co ka
kg 活动 激活 已恢复 恢复 未恢复 已确认 未确认 确认 消除 已消除 未处理 已处理 处理中 发生 正常 报警中 已解除
未消除 是 否
"""
ALARM_STATES = frozenset(_ALARM_STATES.split())
"""Where an alarm is in its life, in lower case."""
ACK_STATES = frozenset(
    (
        "yes",
        "no",
        "ack",
        "acked",
        "acknowledged",
        "unack",
        "unacked",
        "unacknowledged",
        "是",
        "否",
        "已确认",
        "未确认",
        "确认",
    )
)
"""Whether somebody has acknowledged it."""
ALARM_WORDS = (
    r"alarm|fault|fail|error|warn|trip|\bhigh\b|\blow\b|over|under|loss|lost|timeout|time-out|overload|limit|emergency|stop"
    r"|disconnect|offline|not ready|abnormal|exceed|leak|short|block|jam|critical"
    r"|报警|告警|故障|异常|过高|过低|超限|超温|超压|过载|过流|欠压|断线|失败|停机|急停|跳闸|泄漏|超时|离线|警告|上限|下限|偏高|偏低|中断"
)
"""What a line that speaks of an alarm contains."""

UNITS = tuple(_UNITS.split())
COUNTERS = frozenset("度次个台件人元户套辆只片箱批转天升米安伏方克巴帕赫")
"""Chinese units that also begin ordinary words: only at the end of a run."""
STATES = frozenset(_STATES.split())
"""What a discrete signal is shown as, in lower case."""
COMMANDS = frozenset(_COMMANDS.split())
"""States that also stand on buttons, as what pressing them does."""
QUANTITIES = tuple(_QUANTITIES.split())
"""A label with one of these says what is measured, unlike `Setpoint` or `Value`."""
DIMENSIONLESS = tuple(_DIMENSIONLESS.split())
"""A label with one of these names a number that has no unit."""
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
    return any(c in "%°℃℉/³²Ω" for c in unit) or mixed or unit in ("rpm", "NTU", "ppm", "ppb", "kW", "bar", "mbar")
