"""All settings and every limit, each with its unit in the name; a module for each kind of them.

`agent.settings_file` reads them.
"""

from __future__ import annotations

from pydantic import Field

from agent.settings.devices import ConnectionSettings, DeviceSettings, DriverSettings, UnderstandingSettings
from agent.settings.model import LadderSettings, ModelSettings, RemoteSettings, WeightsSettings
from agent.settings.modules import ModuleSettings, PluginSettings, UpdateSettings
from agent.settings.panel import NameplateSettings, PanelSettings, PhotoSettings, WatchingSettings
from agent.settings.plant import ApprovalSettings, BoxSettings, PlantSettings, ProfileName, ShiftSettings, WatchSettings
from agent.settings.records import FieldSettings, KnowledgeSettings, LogSettings, QuerySettings
from agent.settings.reports import MaintenanceSettings, ReportSettings, Risk
from agent.settings.screens import ProcedureSettings, ScreenSettings
from agent.settings.section import Section
from agent.settings.server import MCPServerSettings, MCPSettings, OpenAISettings, PainterSettings, ServerSettings
from agent.settings.turn import TurnSettings, WorkerSettings
from agent.settings.voice import VoiceSettings

__all__ = [
    "ApprovalSettings",
    "BoxSettings",
    "ConnectionSettings",
    "DeviceSettings",
    "DriverSettings",
    "FieldSettings",
    "KnowledgeSettings",
    "LadderSettings",
    "LogSettings",
    "MCPServerSettings",
    "MCPSettings",
    "MaintenanceSettings",
    "ModelSettings",
    "ModuleSettings",
    "NameplateSettings",
    "OpenAISettings",
    "PainterSettings",
    "PanelSettings",
    "PhotoSettings",
    "PlantSettings",
    "PluginSettings",
    "ProcedureSettings",
    "ProfileName",
    "QuerySettings",
    "RemoteSettings",
    "ReportSettings",
    "Risk",
    "ScreenSettings",
    "Section",
    "ServerSettings",
    "Settings",
    "ShiftSettings",
    "TurnSettings",
    "UnderstandingSettings",
    "UpdateSettings",
    "VoiceSettings",
    "WatchSettings",
    "WatchingSettings",
    "WeightsSettings",
    "WorkerSettings",
]


class Settings(Section):
    """The whole file."""

    plant: PlantSettings = PlantSettings()
    box: BoxSettings = BoxSettings()
    photo: PhotoSettings = PhotoSettings()
    panel: PanelSettings = PanelSettings()
    watching: WatchingSettings = WatchingSettings()
    logs: LogSettings = LogSettings()
    queries: QuerySettings = QuerySettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    weights: WeightsSettings = WeightsSettings()
    model: ModelSettings = ModelSettings()
    ladder: LadderSettings = LadderSettings()
    remote: RemoteSettings = RemoteSettings()
    turn: TurnSettings = TurnSettings()
    workers: WorkerSettings = WorkerSettings()
    plugins: PluginSettings = PluginSettings()
    modules: ModuleSettings = ModuleSettings()
    watch: WatchSettings = WatchSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    updates: UpdateSettings = UpdateSettings()
    reports: ReportSettings = ReportSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    field: FieldSettings = FieldSettings()
    nameplate: NameplateSettings = NameplateSettings()
    understanding: UnderstandingSettings = UnderstandingSettings()
    devices: DeviceSettings = DeviceSettings()
    drivers: DriverSettings = DriverSettings()
    screen: dict[str, ScreenSettings] = Field(default_factory=dict)
    """Screens by name: [screen.NAME]."""
    procedures: ProcedureSettings = ProcedureSettings()
    voice: VoiceSettings = VoiceSettings()
    server: ServerSettings = ServerSettings()
    mcp: MCPSettings = MCPSettings()
    painter: PainterSettings = PainterSettings()
    plugins_off: tuple[str, ...] = ()
    """Names of plugins that are not loaded."""
