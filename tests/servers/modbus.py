"""A Modbus TCP server for tests: pymodbus's own, in a process of its own, with flaws that can be switched.

Unit 1 has coils, discrete inputs, holding and input registers 0 to 299; the registers 200 to 209 are missing. Holding
register 290 counts write requests; 291 is how many milliseconds the answer to a write takes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from pymodbus.client import ModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.servers.debian import free_port
from tests.servers.process import ServerProcess

WRITES, LATE_MS = 290, 291
WRITING = (5, 6, 15, 16, 22)
START_SECONDS = 60.0


class Modbus(ServerProcess):
    """One server."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._run_module("tests.servers.modbus", [str(self.port)], self._answers, START_SECONDS)

    def _answers(self) -> bool:
        with closing(ModbusTcpClient("127.0.0.1", port=self.port, timeout=1)) as client:
            return client.connect()

    def put(self, register: int, *values: int) -> None:
        """Set holding registers from the other side; counts as no write."""
        with closing(ModbusTcpClient("127.0.0.1", port=self.port, timeout=3)) as client:
            assert client.connect()
            assert not client.readwrite_registers(
                write_address=register, values=list(values), read_address=0, read_count=1, device_id=1
            ).isError()

    def get(self, register: int, count: int = 1) -> list[int]:
        with closing(ModbusTcpClient("127.0.0.1", port=self.port, timeout=3)) as client:
            assert client.connect()
            return list(client.read_holding_registers(register, count=count, device_id=1).registers)


@contextmanager
def running_modbus() -> Iterator[Modbus]:
    """A server with all registers at 0.

    :raises ServerMissing: it does not start.
    """
    server = Modbus()
    server.start()
    try:
        yield server
    finally:
        server.kill()


async def _serve(port: int) -> None:
    writes = late = 0

    async def action(
        code: int, start: int, address: int, count: int, registers: list[int], values: list[int] | list[bool] | None
    ) -> ExcCodes | None:
        nonlocal writes, late
        writes += values is not None and code in WRITING
        if values is not None and address == LATE_MS:
            late = int(values[0])
        if code == 3 and address <= WRITES < address + count:
            registers[WRITES - start] = writes
        if values is not None and code in WRITING:
            await asyncio.sleep(late / 1000)
        return None

    bits = [SimData(0, count=300, values=False, datatype=DataType.BITS)]
    words = [SimData(0, count=200, datatype=DataType.REGISTERS), SimData(210, count=90, datatype=DataType.REGISTERS)]
    device = SimDevice(1, simdata=(bits, bits, words, words), action=action)
    await StartAsyncTcpServer(device, address=("127.0.0.1", port))


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
