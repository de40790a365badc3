"""Ways into a screen. Each is a module with `open_link(name, settings)`, under the entry points `watchkeeper.screens`.

Pictures come out, pointer and keys go in; nothing here knows what a picture shows. What is sent has been decided
before: a link refuses only what cannot be meant, a place outside the picture or on a picture of another size than the
last one that was looked at.
"""

from __future__ import annotations

from plugins.screen.links.opening import GROUP, make_link

__all__ = ["GROUP", "make_link"]
