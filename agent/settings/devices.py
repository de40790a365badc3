"""Devices, what reaches them, and the understanding of what is ordered."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agent.settings.section import Section

__all__ = ["ConnectionSettings", "DeviceSettings", "DriverSettings", "UnderstandingSettings"]


class UnderstandingSettings(Section):
    """How an utterance about devices is read."""

    max_utterance_chars: int = Field(default=600, ge=1)
    """A longer one is not read as an order."""
    max_clauses: int = Field(default=12, ge=1)
    """Of one utterance; what comes after is left."""
    step_percent: float = 10.0
    """What "a bit" is, for brightness, volume, speed and position."""
    step_degrees: float = 1.0
    """What "a bit" is, for a temperature."""
    max_home_bytes: int = 20_000_000
    """Of a home's file."""
    max_home_devices: int = Field(default=5_000, ge=1)
    max_name_chars: int = Field(default=200, ge=1)
    """Of a device, an area or a floor."""
    max_batch_line_chars: int = 2_000_000
    """Of one line of `--batch`."""
    model_reply_tokens: int = Field(default=48, ge=1)
    model_seconds: float = 8.0
    """For its reply; then nothing is proposed."""


class DeviceSettings(Section):
    """The devices that this box moves, and what guards them."""

    map: Path | None = None
    """What there is, as TOML; None is `devices.toml` in the home folder."""
    max_map_bytes: int = 4_000_000
    most_devices: int = 5_000
    most_points: int = 200
    """Of one device."""
    most_names: int = 40
    """Of one device or area."""
    name_chars: int = 80
    write_seconds: float = 3.0
    """Until the other side has taken a command."""
    read_seconds: float = 1.0
    """For one look at a point; a device that does not answer by then is offline."""
    states_seconds: float = 1.5
    """For all looks at devices that understanding one utterance may take."""
    fresh_seconds: float = 2.0
    """A value read so long ago is not read again to understand an utterance; rules and read-backs always look anew."""
    poll_seconds: float = 0.1
    """Between two looks while a command is read back."""
    reread_seconds: float = 2.0
    """How long the second reading of an utterance is kept for all its orders."""
    most_writes_a_minute: int = 30
    """To one device, where the map does not say."""
    undo_hours: float = 12.0
    """What is older is not undone."""
    most_timers: int = 100
    """That run at a time."""
    late_seconds: float = 60.0
    """An order for later that comes due longer ago, for the box was off, is not sent any more."""
    timer_days: float = 31.0
    """What lies further ahead is not kept."""
    timers_told: int = 5
    """In one answer."""
    kept_timers: int = 200
    """Of those that have ended."""
    due_slack_seconds: float = 15.0
    """Between an order for later and its second reading, which each count from their own moment."""
    timer_poll_seconds: float = 0.5
    """Between two looks at what is due, in a process that stays."""
    ring_leave_seconds: float = 3.0
    """What rings at a satellite is left so long to the process that can make it heard there."""
    unsure_poll_seconds: float = 5.0
    """Between two looks at commands of which nobody knows whether they arrived, in a process that stays."""


class ConnectionSettings(Section):
    """One broker, gateway or server that devices hang on; `Device.driver` in a map is its name."""

    kind: str
    """mqtt, modbus, opcua, or another driver that is installed."""
    address: str
    """mqtt://host:1883, mqtts://host:8883, tcp://host:502, opc.tcp://host:4840/path"""
    user: str = ""
    password_file: Path | None = None
    """Its first line; readable by nobody else."""
    ca_file: Path | None = None
    """Who signs the server's certificate; None: those that the system trusts (MQTT)."""
    certificate_file: Path | None = None
    """The box's own certificate, where the server asks for one."""
    key_file: Path | None = None
    client_id: str = ""
    """MQTT; empty: made up anew for each connection."""
    discovery_prefix: str = "homeassistant"
    """MQTT: under which topic devices say what they are."""
    server_certificate_file: Path | None = None
    """OPC UA: the only server that is believed; else one whose certificate `ca_file` signed."""
    security_policy: Literal["", "None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = ""
    """OPC UA: always signed and encrypted. Empty: Basic256Sha256 where `certificate_file` is set, else None."""
    insecure_writes: bool = False
    """OPC UA: devices may be set, and a password sent, without signing and encryption; reading always may."""


class DriverSettings(Section):
    """Connections to devices, and the bounds on what comes from them."""

    connections: dict[str, ConnectionSettings] = Field(default_factory=dict)
    connect_seconds: float = 5.0
    """For one try to connect."""
    offline_seconds: float = 0.6
    """A call waits so long for a connection, or for a sign of life of one that was silent; then it says offline."""
    silent_seconds: float = 2.0
    """A connection on which nothing came for so long has to show that it lives before something is written."""
    keepalive_seconds: int = Field(default=10, ge=1)
    """Of MQTT, in which each side may be silent."""
    retry_seconds: float = 0.25
    """Before the second try to connect; doubled for each one after it."""
    retry_most_seconds: float = 15.0
    retry_jitter: float = 0.25
    """Up to this part is added at random, so that many boxes do not come back in one instant."""
    max_payload_bytes: int = 262_144
    """Of one message; a longer one is left out."""
    max_text_chars: int = 1_000
    """Of one value."""
    max_waiting_calls: int = 32
    """Calls of one connection that wait for an answer; one more is refused."""
    register_gap: int = 16
    """Unused registers that are read along where that saves a request."""
    poll_seconds: float = Field(default=1.0, ge=0.02)
    """How often points of a protocol that does not tell by itself are read while somebody watches."""
    publishing_seconds: float = Field(default=0.1, ge=0.01)
    """How often an OPC UA server tells what has changed."""
    shelve_most_seconds: float = 8 * 3600.0
    """An alarm is shelved no longer than this."""
    settle_seconds: float = 1.0
    """Discovery is over when nothing new came for so long,"""
    discovery_seconds: float = 10.0
    """or after so long."""
    max_discovery_bytes: int = 20_000_000
    """Of all messages together."""
    max_discovered_points: int = 5_000
    max_browse_calls: int = 20_000
    """Nodes of an OPC UA server that are looked at."""
    browse_depth: int = 12
    browse_seconds: float = 60.0
    """For all of it; then what was found until then is given up."""
