"""More questions over the books of `tests.bench.knowledge_pairs` and two further ones: the hard kinds.

Asked in the other language than the book's, in other words than the book's, and for attributes (how heavy).
They were written before anything was tuned with them. Every third is in `CHECK`, which is looked at once when all is
done; `TRIED` is what may be worked with.
"""

from __future__ import annotations

from tests.bench.knowledge_pairs import parse_pairs

__all__ = ["CHECK", "MORE_BOOKS", "TRIED"]

MORE_BOOKS = {"M": "moulding-en.md", "L": "lathe-zh.md"}

ANSWERED = """
注塑机有多重? | MA.1
How heavy is the lathe? | L1
模板的尺寸是多少? | MA.1
What torque do the mould clamps need? | MB.2
装模具时夹板螺丝要拧多紧? | MB.2
How fast can the spindle turn at most? | L1
How long does a tool change take? | L1
注塑机的锁模力多大? | MA.1
Which fuse goes in front of the moulding machine? | MA.2
液压油箱能装多少油? | MA.2 ME.2
How thick must the foundation be under the lathe? | L2
What earth resistance does the lathe require? | L2
控制器的电池怎么换才不会丢数据? | MA.3
What happens if I change the battery of the lathe while it is off? | L3
料筒要加热多长时间? | MB.1
尼龙料怎么烘干? | MB.3
The parts show silver streaks, why? | MB.3
产品表面凹陷怎么解决? | MC.1
制品有飞边是什么原因? | MC.2
塑件打不满怎么办? | MC.3
制品烧焦发黑怎么办? | MC.4
安全门报警 211 怎么处理? | MD.1
热电偶断了会怎样? | MD.3
油温超过多少度泵会停? | MD.2
螺杆磨损到什么程度算报废? | ME.3
How do I warm up the lathe in the morning? | L4
What chuck pressure is right for thin-walled workpieces? | L5
When do I have to support the workpiece with the tailstock? | L5
How do I set the tool offset? | L6
The turned part is conical, what is wrong? | L8
There are chatter marks on the surface | L9
Dimensions vary from part to part, what can I do? | L10
What does alarm 1004 on the lathe mean? | L11
The turret is not locked | L12
What concentration should the coolant have? | L14
How often is the coolant replaced? | L14
How far may the spindle belt give? | L15
May the operator wear gloves at the lathe? | L六、安全
What may not be used to put out burning magnesium? | L六、安全
清理料筒时要穿戴什么? | MG.1
现场要备几个加热圈? | MF.1
How heavy a load may the crane lift? | K1.1
What wind is too strong for outdoor lifting? | K1.2
How high do I lift the load before I stop and test the brake? | K2.2
The hook slips down by itself, why? | K3.1
The crane's wheels rub against the rail | K3.2
At what overload does the hoist cut out? | K3.4
What lubricant goes into the crane's gearbox? | K4.1
How far apart must two cranes stay? | K5 K第五章
How often does the crane operator's licence have to be renewed? | K2.3
空压机要离墙多远? | C1.2
空压机吵不吵, 多少分贝? | C1.1
电动机功率有多大, 空压机的? | C1.1
油气分离器压差大怎么办? | C3.2
新皮带多久后要再紧一次? | C4.3
机器第一次启动要空载跑几分钟? | C2.1
能不能带载直接停空压机? | C2.3
干燥机露点升高说明什么? | C5.1
What does the drive do when the parameter P-02 is too short? | V3.1 V2.1
How long must a drive have been out of use before its capacitors are charged slowly? | V4.2
Which fault may not be reset before the insulation has been measured? | V3.2
What is the acceleration time set at the factory? | V2.1
How hot may the drive's cabinet become? | V2.2
How quickly may the supply temperature climb while starting? | E4.2 Z4.2
How much water does the network lose in normal operation? | E5.2 Z5.2
谁来保管锁具的钥匙? | Z9.1 E9.1
下井之前氧气要达到多少? | Z9.3 E9.3
"""

REFUSED = """
注塑机的喷嘴直径是多少?
注塑机螺杆的转速是多少?
What is the price of the lathe?
Which coolant brand does the lathe need?
车床的保修期是多久?
How loud is the lathe?
车床主轴轴承是什么型号?
How do I change the seals of the clamping cylinder?
注塑机的噪声是多少分贝?
What does message 518 mean?
报警 4007 是什么意思?
How wide is the crane's trolley?
料斗的容量是多少升?
What torque do the wheel bolts of the crane need?
How heavy is the drive?
车床的切削液泵功率是多少?
"""

_ALL = [*parse_pairs(ANSWERED), *((question, ()) for question in REFUSED.strip().splitlines())]
TRIED: list[tuple[str, tuple[str, ...]]] = [pair for at, pair in enumerate(_ALL) if at % 3 != 2]
CHECK: list[tuple[str, tuple[str, ...]]] = _ALL[2::3]
