"""Watching a panel: look, read when something changed, say what happened.

sources   where frames come from: a folder, a camera, an RTSP stream
gate      whether a frame differs from the one that was read last, in a millisecond
changes   what happened between two readings
watcher   the loop over these
"""

from __future__ import annotations

from plugins.panel.watching.changes import events_between
from plugins.panel.watching.gate import FrameGate
from plugins.panel.watching.sources import Source, SourceError, open_source
from plugins.panel.watching.watcher import Watcher

__all__ = ["FrameGate", "Source", "SourceError", "Watcher", "events_between", "open_source"]
