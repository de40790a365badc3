"""Known panels: fields that were learnt once, found again on later photos, and read without looking for text.

learn    one good photo → fields, lamps, anchors, and the photo itself as reference (`profile`)
align    a later photo → the same view as the reference (`align`)
read     only the known fields, each read twice and held against its format and range (`known`)
"""

from __future__ import annotations

from plugins.panel.profiles.align import aligned
from plugins.panel.profiles.known import read_known
from plugins.panel.profiles.learn import learn
from plugins.panel.profiles.profile import Field, KnownLamp, Profile, ProfileError
from plugins.panel.profiles.store import ProfileStore

__all__ = ["Field", "KnownLamp", "Profile", "ProfileError", "ProfileStore", "aligned", "learn", "read_known"]
