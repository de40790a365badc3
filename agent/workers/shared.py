"""Memory that two processes read: a photo's pixels cross to a worker as a descriptor, not as bytes.

It has no name in any folder, so nothing is left over when a process dies. It is written once and then sealed: no
process can change, grow or cut it any more, and a reader cannot be made to read past its end. Where the system has no
`memfd_create`, the bytes are kept in this process and cross as an attachment.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Callable
from typing import Self

__all__ = ["SharedBuffer", "map_descriptor"]

HAS_MEMFD = hasattr(os, "memfd_create")
if HAS_MEMFD:
    import fcntl

    _SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class SharedBuffer:
    """Bytes that are written once. Its memory is freed with the last view of it."""

    def __init__(self, view: memoryview, descriptor: int | None) -> None:
        """Use `write`."""
        self.view = view
        """Read-only."""
        self.descriptor = descriptor
        """To be sent; None where the bytes themselves have to be."""
        if descriptor is not None:
            weakref.finalize(self, os.close, descriptor)

    @classmethod
    def write(cls, size: int, fill: Callable[[memoryview], None]) -> Self:
        """Make one.

        :param size: in bytes.
        :param fill: writes them; it must keep no view.
        :raises OSError: the system has no memory or no descriptor left.
        """
        if not HAS_MEMFD or size == 0:
            held = bytearray(size)
            fill(memoryview(held))
            return cls(memoryview(held).toreadonly(), None)
        descriptor = os.memfd_create("watchkeeper", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(descriptor, size)
            with mmap.mmap(descriptor, size) as writable, memoryview(writable) as view:
                fill(view)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)  # refused as long as a writable mapping is left
            return cls(map_descriptor(descriptor, size), descriptor)
        except BaseException:
            os.close(descriptor)
            raise


def map_descriptor(descriptor: int, size: int) -> memoryview:
    """What was sent, read-only. The descriptor may be closed afterwards.

    :raises OSError: it is no memory, or shorter than `size`.
    :raises ValueError: the same, said by mmap.
    """
    # Private, because kernels before 6.7 take any shared mapping of a sealed file for one that writes.
    return memoryview(mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))
