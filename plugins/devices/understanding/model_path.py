"""What the rules leave, understood by a model: synonyms that no list holds, and wishes ("有点闷", "it's stuffy").

    left      a part of an utterance that the rules made nothing of, and that asks, denies, supposes and quotes nothing
    need      the model says in one word what is the matter: too hot, bad air … or nothing; its reply is bound to those
              that a device of this home could meet
    device    the one in the room that meets it; where several do, the model names one of them, or none
    read      "turn on NAME", a plain command, is read by the rules, so that slots, limits and steps are theirs

The result is a proposal: its path is `model`, it is never exact, so a person is asked before anything moves. What is
told to the model first never changes, not even with the home. Names in a map are untrusted; the worst that one can do
is to be chosen, and then a person sees it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.bound import ChoiceBound
from agent.errors import BadReply, ModelError
from agent.messages import Message
from agent.model.protocol import Model, ReplyLimits
from agent.settings import UnderstandingSettings
from plugins.devices.understanding.needs import NEEDS, NOTHING, Help, helps, named_first, orders_nothing, plain_command
from plugins.devices.understanding.reading import Context, Intent, Reader, States, Understood
from plugins.devices.values import DeviceMap

__all__ = ["ModelPath"]

_WHAT_IS_THE_MATTER = """Somebody at home or at work says something. What is the matter where they are now?
too hot
too cold
bad air: stuffy, smoke, steam, smell, no wind, airing wanted
too dark: they cannot see
too bright: glare, sun, eyes hurt, privacy wanted
cannot hear: voice or music too low
too loud: noise, headache
dirty floor: dust, crumbs
wants something made: a drink, toast, clean clothes, hot water
nothing: news, talk, plans, stories, thanks; about something or somebody else
Answer with one of these alone."""
_MATTERS = (
    ("it is pitch dark", "too dark"),
    ("热得像蒸笼", "too hot"),
    ("我今天买了一条鱼", NOTHING),
    ("这味道真呛人", "bad air"),
    ("sun is right in my eyes", "too bright"),
    ("听不见歌词", "cannot hear"),
    ("my uncle lives in Spain", NOTHING),
    ("my feet are like ice", "too cold"),
    ("到处都是狗毛", "dirty floor"),
    ("耳朵都要被震聋了", "too loud"),
    ("I feel like having toast", "wants something made"),
    ("the match was fun", NOTHING),
    ("I can hardly breathe", "bad air"),
    ("字都认不出来", "too dark"),
    ("下个月搬家", NOTHING),
    ("衣服该洗了", "wants something made"),
    ("通通风", "bad air"),
    ("it is like a fridge", "too cold"),
    ("这首歌小得像蚊子叫", "cannot hear"),
    ("昨天很热", NOTHING),
)
"""Things said and what is the matter, as a model is shown them."""
_WHICH = """Which of the devices helps with what somebody says? Answer with its name alone, or none."""
_NONE = "none"
_CHOICES = (
    ("Devices: Toaster, Printer, Stereo\nSaid: I feel like having toast", "Toaster"),
    ("Devices: 打印机, 洗衣机\nSaid: 想吃苹果", _NONE),
    ("Devices: 洗衣机, 暖风机\nSaid: 没有干净袜子了", "洗衣机"),
    ("Devices: Deep Fryer, Sewing Machine\nSaid: we go for a walk", _NONE),
    ("Devices: Floor Heating, Stereo\nSaid: play me something", "Stereo"),
)
_MOST_CHOICES = 24


class ModelPath:
    """Asks a model about what the rules left."""

    def __init__(self, reader: Reader, settings: UnderstandingSettings | None = None) -> None:
        """:param reader: who reads the plain command that a wish is turned into."""
        self._reader = reader
        self._settings = settings or UnderstandingSettings()

    def read(
        self, understood: Understood, devices: DeviceMap, context: Context, states: States | None, model: Model
    ) -> Understood:
        """The same, with a proposal for each part that was left and that the model could make something of."""
        intents, left, why = list(understood.intents), list[str](), list(understood.why)
        for part in understood.left or (() if understood.intents else (understood.text,)):
            found = None
            if not orders_nothing(part):
                asking = _Asking(part, devices, context, states, model, self._settings)
                try:
                    found = self._proposed(asking, why)
                except (ModelError, BadReply) as error:
                    why.append(f"{part!r}: no model could be asked ({error})")
            if found is None:
                left += [part] if part in understood.left else []
            else:
                intents.append(found)
        return replace(understood, intents=tuple(intents), left=tuple(left), why=tuple(why))

    def _proposed(self, asking: _Asking, why: list[str]) -> Intent | None:
        need = asking.need()
        helped = asking.help(need) if need != NOTHING else None
        if helped is None:
            why.append(f"{asking.part!r}: the model hears {need!r}, and nothing here is to be done")
            return None
        command = plain_command(helped)
        why.append(f"{asking.part!r}: the model hears {need!r}, which {command!r} meets")
        read = self._reader.read(command, asking.devices, replace(asking.context, earlier=()), asking.states)
        if len(read.intents) != 1 or read.left or read.intents[0].devices != (helped.device.id,):
            return None
        return replace(read.intents[0], text=asking.part, path="model", exact=False)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One part, and who is asked about it in which home."""

    part: str
    devices: DeviceMap
    context: Context
    states: States | None
    model: Model
    settings: UnderstandingSettings

    def need(self) -> str:
        """What is the matter, of that which something here could help with."""
        offered = [need for need in NEEDS if self._helps(need)]
        return self._choose(_WHAT_IS_THE_MATTER, _MATTERS, self.part, [*offered, NOTHING]) if offered else NOTHING

    def help(self, need: str) -> Help | None:
        """The device that is meant; None where the model finds none of several right."""
        found = self._helps(need)
        if need != "wants something made":
            found = named_first(self.part, found)
            if len({helped.action for helped in found}) == 1:
                return found[0]  # of one kind in one room; a person says if another one is meant
        names = [helped.device.names[0] for helped in found[:_MOST_CHOICES]]
        said = f"Devices: {', '.join(names)}\nSaid: {self.part}"
        chosen = self._choose(_WHICH, _CHOICES, said, [*names, _NONE])
        return next((helped for helped in found if helped.device.names[0] == chosen), None)

    def _helps(self, need: str) -> list[Help]:
        return helps(need, self.part, self.devices, self.context, self.states)

    def _choose(self, task: str, shown: Sequence[tuple[str, str]], said: str, choices: Sequence[str]) -> str:
        messages = [Message("system", task)]
        for asked, answered in shown:
            messages += [Message("user", asked), Message("assistant", answered)]
        bound = ChoiceBound(tuple(choices))
        deadline = time.monotonic() + self.settings.model_seconds
        limits = ReplyLimits(max_tokens=self.settings.model_reply_tokens, deadline=deadline)
        return bound.parse(self.model.reply([*messages, Message("user", said)], (), bound=bound, limits=limits).text)
