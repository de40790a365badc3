"""What is typed by name: `secret:login` stands in a step, an approval, the journal and a procedure; its text in none.

The settings of the screen name its file (`[screen.NAME] secrets`), whose first line is typed. What is told of a step
afterwards has the name where the screen shows the text.
"""

from __future__ import annotations

from dataclasses import replace

from agent.api import InputError, Said, ToolFailed, say
from agent.settings import ScreenSettings
from plugins.screen.links.opening import first_line
from plugins.screen.values import Control, Outcome, Sight

__all__ = ["is_secret", "secret_of", "without"]

_PREFIX = "secret:"


def is_secret(value: str) -> bool:
    """Whether a value is the name of one."""
    return value.startswith(_PREFIX)


def secret_of(value: str, screen: str, settings: ScreenSettings) -> str:
    """What is typed for it.

    :raises ToolFailed: the settings name no such file, or it cannot be used.
    """
    name = value.removeprefix(_PREFIX)
    path = settings.secrets.get(name)
    if path is None:
        raise ToolFailed(f"screen {screen}: no secret {name[:40]!r}; name its file under [screen.{screen}] secrets")
    try:
        return first_line(path, screen)
    except InputError as error:
        raise ToolFailed(str(error)) from None


def without(outcome: Outcome, typed: str, value: str) -> Outcome:
    """An outcome that tells the name wherever it told what was typed."""

    def veiled(text: str) -> str:
        return text.replace(typed, value)

    def said(words: Said) -> Said:
        return say(veiled(words["zh"]), veiled(words["en"]))

    def control(one: Control) -> Control:
        return replace(one, name=veiled(one.name), value=None if one.value is None else veiled(one.value))

    def sight(seen: Sight | None) -> Sight | None:
        return None if seen is None else replace(seen, controls=tuple(control(one) for one in seen.controls))

    found = outcome.found
    if found is not None:
        named = None if found.control is None else control(found.control)
        found = replace(found, control=named, why=said(found.why), others=tuple(control(one) for one in found.others))
    return replace(
        outcome, why=said(outcome.why), found=found, before=sight(outcome.before), after=sight(outcome.after),
        shows={name: veiled(shown) for name, shown in outcome.shows.items()},
    )  # fmt: skip
