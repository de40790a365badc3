"""Carrying a report away: into a folder, by mail, to an MQTT broker. Each either has arrived or raises.

    /srv/reports           a folder; files appear whole under their own names, so that doing it twice changes nothing
    mailto:a@x.de,b@x.de   SMTP as the settings say; the Message-ID is the report's, so one that comes twice is known
    mqtt:plant/reports     one message a report, QoS 1: JSON with the files in base64

smtplib and paho-mqtt (extra `reports`) do the talking. Certificates are always checked where there is TLS.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import os
import shutil
import smtplib
import ssl
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from agent.errors import InputError, WatchkeeperError
from agent.settings import ReportSettings

__all__ = ["NotDelivered", "Parcel", "check_target", "deliver"]


class NotDelivered(WatchkeeperError):
    """It could not be carried away now; it is tried again."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is carried."""

    id: str
    """The same however often it is tried."""
    subject: str
    text: str
    """The summary, for those who do not open the files."""
    files: tuple[Path, ...]
    facts: Mapping[str, object]
    """For programs: machine, period, risk."""
    queued: float
    """Seconds since 1970; the date of a mail."""


def check_target(target: str, settings: ReportSettings) -> str:
    """A target as it is kept.

    :raises InputError: it is none, or the settings lack what it needs.
    """
    kind, rest = _kind_of(target)
    if kind == "mailto":
        addresses = _addresses(rest)
        if not addresses or not all(_is_address(a) for a in addresses):
            raise InputError(f"{target[:80]!r}: no mail address; write mailto:name@plant.example")
        if not settings.smtp_host or not _is_address(settings.smtp_from):
            raise InputError("mail needs [reports] smtp_host and smtp_from; set them")
    elif kind == "mqtt":
        if not rest or any(c in rest for c in "#+\0") or len(rest.encode()) > 1000:
            raise InputError(f"{target[:80]!r}: no topic of MQTT; write mqtt:plant/reports")
        if not settings.mqtt_host:
            raise InputError("MQTT needs [reports] mqtt_host; set it")
    else:
        return str(Path(rest).expanduser().absolute())
    return f"{kind}:{rest}"


def deliver(parcel: Parcel, target: str, settings: ReportSettings) -> None:
    """Carry it there.

    :raises NotDelivered: not now; the message says why and what to do.
    """
    for file in parcel.files:
        if not file.is_file():
            raise NotDelivered(f"{file}: the report is gone; write it again: watchkeeper schedule run")
    kind, rest = _kind_of(target)
    try:
        if kind == "mailto":
            _mail(parcel, _addresses(rest), settings)
        elif kind == "mqtt":
            _publish(parcel, rest, settings)
        else:
            _copy(parcel, Path(rest), settings)
    except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
        raise NotDelivered(f"{target}: {_why(error)}") from None


def _copy(parcel: Parcel, folder: Path, settings: ReportSettings) -> None:
    """Whole or not at all: written beside, synced, renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    needed = sum(file.stat().st_size for file in parcel.files)
    free = shutil.disk_usage(folder).free
    if free < needed + settings.spare_bytes:
        raise NotDelivered(f"{folder}: {free // 1_000_000} MB free are too few; free some")
    for file in parcel.files:
        write_whole(folder / file.name, file.read_bytes())


def write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole after a power cut, or as it was before."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with fresh.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mail(parcel: Parcel, addresses: Sequence[str], settings: ReportSettings) -> None:
    message = EmailMessage()
    message["From"], message["To"] = settings.smtp_from, ", ".join(addresses)
    message["Subject"] = " ".join(parcel.subject.split())
    message["Date"] = format_datetime(datetime.fromtimestamp(parcel.queued, UTC))
    host = settings.smtp_from.rpartition("@")[2] or "watchkeeper"
    message["Message-ID"] = f"<{hashlib.sha256(parcel.id.encode()).hexdigest()[:32]}@{host}>"
    message.set_content(parcel.text)
    for file in parcel.files:
        main, _, sub = (mimetypes.guess_type(file.name)[0] or "application/octet-stream").partition("/")
        message.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)
    context, seconds = ssl.create_default_context(), settings.send_seconds
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.smtp_host, settings.smtp_port, timeout=seconds, context=context
        )
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=seconds)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
        refused = server.send_message(message)
    if refused:
        raise NotDelivered(f"mail refused for {', '.join(refused)}; correct the address")


def _publish(parcel: Parcel, topic: str, settings: ReportSettings) -> None:
    try:
        from paho.mqtt import client as mqtt
        from paho.mqtt import enums
    except ImportError:
        raise NotDelivered("MQTT needs paho-mqtt; run pip install 'watchkeeper[reports]'") from None
    payload = _payload(parcel, settings)
    client = mqtt.Client(enums.CallbackAPIVersion.VERSION2, client_id=f"watchkeeper-{uuid.uuid4().hex[:12]}")
    if settings.mqtt_user:
        client.username_pw_set(settings.mqtt_user, settings.mqtt_password)
    if settings.mqtt_tls:
        client.tls_set()
    client.connect_timeout = settings.send_seconds
    refused: list[str] = []
    answered = threading.Event()

    def connected(client: object, data: object, flags: object, reason: Any, properties: object) -> None:
        refused.extend([str(reason)] if reason.is_failure else [])
        answered.set()

    client.on_connect = connected
    client.connect(settings.mqtt_host, settings.mqtt_port)
    client.loop_start()
    until = time.monotonic() + settings.send_seconds
    try:
        if not answered.wait(settings.send_seconds):
            raise NotDelivered(f"{settings.mqtt_host}: the broker does not answer; look whether it runs")
        if refused:
            raise NotDelivered(
                f"{settings.mqtt_host}: the broker refuses the connection ({refused[0]}); correct [reports] mqtt_user "
                "and mqtt_password"
            )
        told = client.publish(topic, payload, qos=1)
        told.wait_for_publish(max(until - time.monotonic(), 0.1))
        if not told.is_published():
            raise NotDelivered(f"{settings.mqtt_host}: the broker did not confirm the message; look whether it runs")
    except (ValueError, RuntimeError) as error:
        raise NotDelivered(f"{settings.mqtt_host}: {error}") from None
    finally:
        client.disconnect()
        client.loop_stop()


def _payload(parcel: Parcel, settings: ReportSettings) -> bytes:
    """With the files where they fit, else with their names and digests."""
    files = [
        {"name": f.name, "sha256": hashlib.sha256(f.read_bytes()).hexdigest(), "base64": _base64(f)}
        for f in parcel.files
    ]
    told = {"id": parcel.id, "subject": parcel.subject, "text": parcel.text, **parcel.facts}
    whole = json.dumps({**told, "files": files}, ensure_ascii=False, default=str).encode()
    if len(whole) <= settings.max_mqtt_bytes:
        return whole
    short = [{key: value for key, value in file.items() if key != "base64"} for file in files]
    return json.dumps({**told, "files": short, "too_large": True}, ensure_ascii=False, default=str).encode()


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")


def _kind_of(target: str) -> tuple[str, str]:
    kind, colon, rest = target.partition(":")
    return (kind, rest.strip()) if colon and kind in ("mailto", "mqtt") else ("folder", target.removeprefix("folder:"))


def _addresses(rest: str) -> list[str]:
    return [address.strip() for address in rest.split(",") if address.strip()]


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and host) and all(c.isprintable() and c not in " <>,;:\"'\\()" for c in text)


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the mail server refuses user and password; correct [reports] smtp_user and smtp_password"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{error}; set [reports] smtp_security as the server offers it"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(f"{text or type(error).__name__}".split())[:200]
