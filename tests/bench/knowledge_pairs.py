"""Questions over the example plant's manuals and the two books beside this file, and where each is answered.

`C` compressor-en, `K` crane-zh, `Z`, `E` the heat station's two editions, `V` its drive. A question whose places are
empty is not answered by any of them, although most of these share a subject with one.
"""

from __future__ import annotations

__all__ = ["BOOKS", "PAIRS", "parse_pairs"]

BOOKS = {
    "C": "compressor-en.md",
    "K": "crane-zh.md",
    "Z": "1-heat-station-zh.md",
    "E": "2-heat-station-en.md",
    "V": "3-circulation-vfd-zh.md",
}

ANSWERED = """
At which pressure does the compressor unload? | C2.2
What is the noise level of the RK-37? | C1.1
How much oil does the compressor take? | C1.1 C4.2
What does alarm A7 mean? | C3.1
The discharge temperature is too high, what should I check? | C3.1
When must the separator element be replaced? | C3.2 C4.1
Alarm A12 has come up, what now? | C3.3
How do I reset the service counter? | C3.4
How often is the oil filter changed? | C4.1
Which oil do I fill in? | C4.2
How tight must the belt be? | C4.3
When do I replace the air filter? | C4.4 C4.1
What is the dew point of the dryer? | C5.1
How do I test the condensate drain? | C5.2
Where is ear protection worn? | C6
May I mix mineral and synthetic oil? | C4.2
What room temperature is allowed for the machine? | C1.2
How long does it run unloaded after the first start? | C2.1
空压机的卸载压力是多少? | C2.2
空压机排气温度高怎么办? | C3.1
多久更换一次油过滤器? | C4.1
皮带张力怎么检查? | C4.3
干燥机露点是多少? | C5.1 C5.2
电机过载报警怎么处理? | C3.3
空气滤清器什么时候更换? | C4.4 C4.1
冷凝水排放器怎么测试? | C5.2
起重机额定起重量是多少? | K1.1
风力多大时停止露天作业? | K1.2
班前要检查什么? | K2.1
吊物离地多高时要停一下? | K2.2
司机证多久复审? | K2.3
作业结束后吊钩升到哪里? | K2.4
溜钩是什么原因? | K3.1
大车啃轨怎么处理? | K3.2
遥控器没有反应怎么办? | K3.3
超载到多少会切断起升? | K3.4
E-102 是什么故障? | K3.5
E-107 怎么处理? | K3.5
减速器多久换油? | K4.1
钢丝绳断丝多少要报废? | K4.2
制动器间隙应该是多少? | K4.3
起重机多久检验一次? | K4.4
两台起重机同轨作业要保持多远? | K5 K第五章
What does code E-101 mean? | K3.5
How often is the wire rope greased? | K4.1
When must the wire rope be scrapped? | K4.2
What gap should the brake have? | K4.3
The remote control does not respond | K3.3
What is the span of the crane? | K1.1
What should be checked before the shift on the crane? | K2.1
进入集水坑前要通风多久? | Z9.3
循环泵轴承多久加一次润滑脂? | Z7.3
水箱液位低怎么办? | Z6.3
回水压力高怎么处理? | Z6.7
供水温度上限是多少? | Z3.2
备用泵多久试运转一次? | Z7.2
循环泵切换在星期几? | Z5.1
F0031 是什么意思? | V3.1
冷却风扇多久更换? | V4.1
P-01 出厂值是多少? | V2.1
变频器额定电流是多少? | V1.1 V2.1 V2.2
同一故障一天可以复位几次? | V3.2
How do I start the heat station? | E4.2
The sump level is too high, what should I do? | E6.5
When do I press the emergency stop? | E4.4
How long must I wait before touching the DC bus? | E9.1 E6.2 E6.1
Below which oxygen level may nobody enter the sump? | E9.3
What is the high limit of the return temperature? | E3.2
How many shaft seals are kept as spare parts? | E8
Who keeps the key during lock-out? | E9.1
What does drive fault F0021 mean? | V3.1
What is the rated power of the circulation drive? | V1.1
How often is the drive's filter cleaned? | V4.1 E7.2
"""

REFUSED = """
What is the price of a separator element?
How long is the warranty of the compressor?
Which torque do the cylinder head bolts need?
How do I connect the compressor to Modbus?
What does alarm A15 mean?
How heavy is the RK-37?
Which refrigerant is in the dryer?
What is the phone number of the service?
How do I change the shaft seal of the screw element?
Who is the manufacturer of the dryer?
What colour is the enclosure painted?
How do I calibrate the pressure transmitter?
What voltage does the control circuit of the compressor have?
Can the compressor be run in parallel with a second one?
How often must the heat exchanger be descaled with acid?
What is the diameter of the intake duct?
Which IP class does the motor have?
How do I update the firmware of the controller?
What does error code F0099 mean?
How do I bleed the hydraulic brake?
What is the maximum altitude for installation?
Which fuse protects the dryer?
How do I reset the password of the panel?
How many litres does the diesel tank hold?
Who won the match last night?
起重机的价格是多少?
起重机自重多少?
钢丝绳的直径是多少毫米?
司机室空调怎么维修?
E-115 是什么故障?
遥控器的工作频率是多少?
起重机的保修期是几年?
吊钩的材质是什么?
电机的绝缘等级是多少?
轨道用什么型号的压板?
减速器的速比是多少?
怎样更换编码器?
小车电缆的截面是多少?
起重机基础混凝土怎么浇筑?
起重机防雷接地电阻是多少?
换热器板片多久更换?
换热站的供热面积是多少?
水箱的容积是多少?
循环泵的扬程是多少?
补水泵叶轮怎么拆?
变频器的保修期多长?
变频器怎么连接 Profibus?
变频器的密码忘了怎么办?
F0055 是什么故障?
锅炉爆管怎么处理?
燃气泄漏怎么处理?
压力表多久校验一次?
电梯困人怎么救援?
值班人员工资多少?
消防泵怎么启动?
软化水装置怎么再生?
厂家电话是多少?
今天天气怎么样?
烟囱高度是多少?
除尘器布袋多久更换?
Wie oft wird das Öl gewechselt?
How do I align the coupling with a laser?
What does the manual say about lightning protection?
How is the cooling tower cleaned?
Which certificate does the welder need?
What is the vibration limit of the motor bearings?
How many kilograms of grease does each bearing take?
What is the serial number of the pump?
空压机房的消防等级是什么?
空压机油的价格是多少?
干燥机用的是什么制冷剂?
液压站油温高怎么办?
"""


def parse_pairs(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Lines of `question | places`."""
    lines = [line.rsplit(" | ", 1) for line in text.strip().splitlines()]
    return [(question, tuple(places.split())) for question, places in lines]


PAIRS: list[tuple[str, tuple[str, ...]]] = parse_pairs(ANSWERED) + [(q, ()) for q in REFUSED.strip().splitlines()]
"""A question, and the sections that answer it: a letter of `BOOKS` and the section's number."""
