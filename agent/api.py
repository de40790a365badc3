"""All that a plugin author imports. What is not here may change without notice."""

from agent.console import emit
from agent.env import Env
from agent.errors import DatabaseError, InputError, ManualError, PhotoError, ToolFailed, WeightsError
from agent.hookspecs import Finding, Veto, hookimpl
from agent.messages import ToolCall
from agent.modules.host import ModuleHost
from agent.modules.module import Module
from agent.observation import Observation, SeenEvent
from agent.perception import AlarmRow, Box, Button, Lamp, Perception, Popup, Quality, Reading, Text
from agent.photo import Photo, load_photo, photo_of
from agent.reports.values import AlarmEvent, Evidence, Level, Machine, Peak, Sign, Spectrum, Trend
from agent.series import Series, SeriesReader
from agent.sites import Site
from agent.times import Period, resolve_period
from agent.tools import Binds, Choice, Risk, Tool, TurnView, tool
from agent.upright import upright_photo
from agent.values import Json, Language, Passage, Record, Said, Term, ToolResult, say
from agent.workers.shared import SharedBuffer

__all__ = [
    "AlarmEvent",
    "AlarmRow",
    "Binds",
    "Box",
    "Button",
    "Choice",
    "DatabaseError",
    "Env",
    "Evidence",
    "Finding",
    "InputError",
    "Json",
    "Lamp",
    "Language",
    "Level",
    "Machine",
    "ManualError",
    "Module",
    "ModuleHost",
    "Observation",
    "Passage",
    "Peak",
    "Perception",
    "Period",
    "Photo",
    "PhotoError",
    "Popup",
    "Quality",
    "Reading",
    "Record",
    "Risk",
    "Said",
    "SeenEvent",
    "Series",
    "SeriesReader",
    "SharedBuffer",
    "Sign",
    "Site",
    "Spectrum",
    "Term",
    "Text",
    "Tool",
    "ToolCall",
    "ToolFailed",
    "ToolResult",
    "Trend",
    "TurnView",
    "Veto",
    "WeightsError",
    "emit",
    "hookimpl",
    "load_photo",
    "photo_of",
    "resolve_period",
    "say",
    "tool",
    "upright_photo",
]
