"""What one clause says, before it is known what of the home it means: a frame of verb, values, question and target."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugins.devices.understanding.lexicon import Sense
from plugins.devices.understanding.numbers import Amount, Duration

__all__ = ["Frame", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is spoken of, in the person's words."""

    names: tuple[Sense, ...] = ()
    areas: tuple[Sense, ...] = ()
    floors: tuple[Sense, ...] = ()
    nouns: tuple[str, ...] = ()
    """light, cover.curtain …; several where a word means several kinds."""
    noun_text: str = ""
    special: str = ""
    """A closer kind: tv, fresh_air, desk_lamp."""
    plain: tuple[str, ...] = ()
    """The kind, where a name is no more than the usual word for one: 空调."""
    many: bool = False
    """A plural."""
    every: bool = False
    """All of them was said."""
    together: bool = False
    """灯都关掉: all of them, here or, where nobody knows where that is, everywhere."""
    places: tuple[str, ...] = ()
    """here, home, up, down, outside."""
    everything: bool = False
    it: bool = False
    other: bool = False
    one: bool = False
    """"the bedroom one": the kind is that of before."""
    but: tuple[Target, ...] = ()
    """Left out on purpose."""
    words: tuple[str, ...] = ()
    """Words that several names share: all drip valves."""

    @property
    def said(self) -> bool:
        return bool(self.of_a_kind or self.areas or self.floors or self.places)

    @property
    def placed(self) -> bool:
        return bool(self.areas or self.floors or [place for place in self.places if place != "home"])

    @property
    def of_a_kind(self) -> bool:
        return bool(self.names or self.nouns or self.words or self.everything or self.it)


_KIND_ATTRS = ("temperature", "brightness", "volume", "color_temp", "color", "speed", "position", "humidity")


@dataclass(frozen=True, slots=True)
class Frame:
    """One clause."""

    start: int
    end: int
    verb: str = ""
    verbs: tuple[str, ...] = ()
    attr: str = ""
    amounts: tuple[Amount, ...] = ()
    between: str = ""
    """Two values, of which the person did not say which: "20 – 24"."""
    nth: int = 0
    """The second of those that are meant; 0: not said so."""
    duration: Duration | None = None
    lasts: bool = False
    """The length of time is how long it is to stay so: "for ten minutes"."""
    color: str = ""
    kelvin: str = ""
    level: str = ""
    modes: tuple[str, ...] = ()
    change: str = ""
    """brightness.up, any.down …"""
    bit: str = ""
    states: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    target: Target = field(default_factory=Target)
    unknown: tuple[str, ...] = ()
    too: bool = False
    no: bool = False
    never: bool = False
    chinese: bool = False
    """The verb is Chinese: 打开 a lock unlocks it."""
    verb_last: bool = False
    """The verb stands after what it is about."""
    to: bool = False
    """The amount is what is wanted: "up to 90"."""
    keeps: bool = False
    """It is to stay as it is: "leave the hall light on"."""
    there: bool = False
    """At the place that was spoken of."""
    at: bool = False
    """"at 7", which may be a time of day."""
    by: bool = False
    """The amount is a difference: "by two degrees"."""
    near: str = ""
    """Id of the area that was spoken of just before; where a device of the kind is there, it is meant."""
    borrowed: bool = False
    """All of its target was said in a clause before."""
    carried: bool = False
    """Something of it was said in a clause before."""

    @property
    def asked(self) -> bool:
        return bool(self.asks)

    @property
    def valued(self) -> bool:
        return bool(self.amounts or self.color or self.kelvin or self.level or self.modes or self.change)

    @property
    def tells_kind(self) -> bool:
        """Whether its own words say what kind of device it is about."""
        return (
            self.attr in _KIND_ATTRS
            or "how_hot" in self.asks
            or any(amount.unit.startswith("°") for amount in self.amounts)
            or bool({"clean", "mow", "light_up"} & set(self.verbs))
        )

    @property
    def does(self) -> bool:
        """Whether it says what to do, or asks."""
        return bool(self.verb or self.valued or self.asked or self.states)
