"""From a typed command to bytes on the wire, and what is said when devices do not do what they are told.

The wire is a real Mosquitto with simulated zigbee devices, as in the tests; where there is none, that row is left out.
For the other row every device is flawed, in one way after another: it shows another value or nothing, or is gone.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from tests.bench.table import Row, at_most, told
from tests.devices_kit import Bed, FakeDriver, real_reader
from tests.servers.mosquitto import MosquittoMissing, running_mosquitto
from tests.servers.mqtt_peer import until
from tests.test_devices_over_mqtt import Gateway, bed_on

__all__ = ["wire_rows"]

MOST_MS = 30.0
COMMANDS = ("打开台灯", "关掉台灯", "turn on the kitchen light", "turn off the kitchen light")
REPEATED = 6
FLAWS = ("wrong", "silent", "offline", "unread")
ORDERS = (
    "打开台灯并把客厅空调调到26度",
    "turn on the desk lamp and set the living room air conditioner to 24",
    "关掉台灯,客厅空调也关了",
    "turn the desk lamp red",
)
DEVICES = ("ac", "lamp", "V-12", "P-3")


def wire_rows() -> list[Row]:
    """Both."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_latency(Path(folder)), *_unconfirmed(Path(folder))]


def _latency(folder: Path) -> list[Row]:
    took: list[float] = []
    try:
        with running_mosquitto() as broker:
            gateway = Gateway(broker)
            with closing(gateway.peer), closing(bed_on(broker, folder / "wire")) as bed:
                bed.agent.ask(COMMANDS[1])
                for command in COMMANDS * REPEATED:
                    count, began = len(gateway.came), time.perf_counter()
                    bed.agent.ask(command)
                    if until(partial(_came_since, gateway, count), 2.0):
                        took.append((gateway.came[count][2] - began) * 1_000)
    except MosquittoMissing:
        return []
    took.sort()
    if not took:
        return []
    return [
        told(f"typed command to bytes on the wire, p50 ms ({len(took)})", took[len(took) // 2]),
        at_most(
            f"typed command to bytes on the wire, p95 ms ({len(took)})", took[int(0.95 * (len(took) - 1))], MOST_MS
        ),
    ]


def _came_since(gateway: Gateway, count: int) -> bool:
    return len(gateway.came) > count


def _unconfirmed(folder: Path) -> list[Row]:
    """How often something was said to be done that no device showed."""
    claimed, tried = 0, 0
    for flaw in FLAWS:
        driver = FakeDriver(flaws=dict.fromkeys(DEVICES, flaw))
        with closing(Bed(folder / flaw, reader=real_reader, driver=driver)) as bed:
            for order in ORDERS:
                record = bed.agent.ask(order)
                tried += len(record.done)
                claimed += sum(one.came == "confirmed" for one in record.done)
    return [at_most(f'"done" without a confirmed read-back ({tried} orders)', claimed, 0)]
