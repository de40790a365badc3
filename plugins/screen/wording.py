"""Steps, controls and what came of them, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.api import Language, Said, say
from plugins.screen.values import Came, Control, Outcome, Role, Sight, Step, Target, Verb

__all__ = ["CAME", "called", "listed", "named", "role_word", "stands", "step_said", "told"]

_ROLES: Mapping[Role, Said] = {
    "button": say("按钮", "button"),
    "field": say("输入框", "field"),
    "tab": say("标签页", "tab"),
    "menu": say("菜单", "menu"),
    "item": say("菜单项", "item"),
    "row": say("行", "row"),
    "checkbox": say("复选框", "checkbox"),
    "switch": say("开关", "switch"),
    "link": say("链接", "link"),
    "lamp": say("指示灯", "lamp"),
    "value": say("数值", "value"),
    "text": say("文字", "text"),
    "dialog": say("窗口", "window"),
}
_VERBS: Mapping[Verb, Said] = {
    "look": say("查看", "look at"),
    "click": say("点击", "click"),
    "double_click": say("双击", "double-click"),
    "type": say("输入", "type into"),
    "set": say("设置", "set"),
    "press": say("按键", "press"),
    "drag": say("拖动", "drag"),
    "scroll": say("滚动", "scroll"),
    "wait": say("等待", "wait for"),
}
CAME: Mapping[Came, Said] = {
    "confirmed": say("已确认", "confirmed"),
    "stopped": say("已停止", "stopped"),
    "refused": say("没有执行", "not done"),
    "waits": say("等待批准", "waits for approval"),
}
_MOST_NAMES = 8
_NAME_CHARS = 40


def role_word(role: Role) -> Said:
    """What a control is."""
    return _ROLES[role]


def called(control: Control) -> Said:
    """A control by its name."""
    name = control.name[:_NAME_CHARS]
    return say(f"“{name}”", f"“{name}”")


def listed(controls: Sequence[Control]) -> Said:
    """Several, each name once."""
    names = list(dict.fromkeys(called(control)["zh"] for control in controls))
    more = len(names) - _MOST_NAMES
    zh, en = "、".join(names[:_MOST_NAMES]), ", ".join(names[:_MOST_NAMES])
    return say(f"{zh}等 {len(names)} 项", f"{en} and {more} more") if more > 0 else say(zh, en)


def stands(sight: Sight) -> Said:
    """What stands on the screen, for a person who has to go on."""
    usable = [c for c in sight.controls if c.role not in ("text", "lamp", "value")] or list(sight.controls)
    names = listed(usable) if usable else say("没有读到可用的内容", "nothing that could be read")
    if sight.dialog:
        return say(f"屏幕上是窗口“{sight.dialog}”:{names['zh']}", f"on the screen: “{sight.dialog}”, {names['en']}")
    return say(f"屏幕上有:{names['zh']}", f"on the screen: {names['en']}")


def named(target: Target) -> Said:
    """A target in words."""
    name = target.text or target.field
    zh, en = f"“{name}”" if name else "", f"“{name}”" if name else ""
    if target.within:
        zh, en = f"“{target.within}”中的{zh}", f"{en} in “{target.within}”"
    if target.near:
        zh, en = f"“{target.near}”旁的{zh}", f"{en} near “{target.near}”"
    return say(zh, en)


def step_said(step: Step) -> Said:
    """What a step does."""
    verb, name = _VERBS[step.verb], named(step.target)
    value = f"{step.value} {step.unit}".strip()
    if step.verb == "press":
        return say(f"按 {step.value} 键", f"press {step.value}")
    if step.verb in ("set", "type"):
        return say(f"把{name['zh']}设为 {value}", f"set {name['en']} to {value}")
    if step.to is not None:
        to = named(step.to)
        return say(f"把{name['zh']}拖到{to['zh']}", f"drag {name['en']} to {to['en']}")
    return say(f"{verb['zh']}{name['zh']}", f"{verb['en']} {name['en']}".strip())


def told(step: Step, outcome: Outcome) -> Said:
    """What became of a step, in one line."""
    return say(_told("zh", step, outcome), _told("en", step, outcome))


def _told(language: Language, step: Step, outcome: Outcome) -> str:
    what, came, why = step_said(step)[language], CAME[outcome.came][language], outcome.why[language]
    return f"{what}:{came}。{why}" if language == "zh" else f"{what}: {came}; {why}"
