"""Takes from this process what its module did not ask for. Runs in the child before any of the module's code, once.

    memory              an rlimit on private memory
    files               Landlock: the interpreter and its libraries can be read, the module's state written, and what
                        was agreed to; from Linux 6.12 on no signal reaches a process outside
    network, programs   seccomp: no socket, no other process, no leaving of the process group; and the ways around

Everything here is refused to the module for good, threads and children included. What this kernel cannot enforce is
told and not pretended. It imports nothing but the standard library, since it runs in other interpreters too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Allowed", "allowed_from", "confine", "enforceable"]

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_FOLDER
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
"""Rights that mean something for a file; truncate and ioctl among them."""
_ALL_RIGHTS = {1: 1 << 13, 2: 1 << 14, 3: 1 << 15, 4: 1 << 15, 5: 1 << 16}
"""Landlock version → first right that it does not know."""
_TCP = 3
_SCOPED = 3
"""Abstract sockets and signals."""
_SYSTEM_READ = (
    *("/usr", "/lib", "/lib64", "/bin", "/sys/devices/system", "/dev/urandom", "/dev/random"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/sys/vm"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/os-release", "/etc/mime.types", "/etc/fonts"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/hosts", "/etc/resolv.conf"),
    *("/etc/gai.conf", "/etc/protocols", "/etc/services", "/etc/ssl", "/etc/ca-certificates", "/etc/pki"),
)
"""What libraries look at. Not all of /etc and /proc: there lie keys, and other processes' environments."""
_SYSTEM_WRITE = ("/dev/null", "/dev/zero")


@dataclass(frozen=True, slots=True)
class _Machine:
    """How a processor's Linux numbers what is refused."""

    audit: int
    socket: int
    clone: int
    programs: tuple[int, ...]
    """execve, execveat, setsid, setpgid; fork and vfork where they exist"""


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, 56, (59, 322, 112, 109, 57, 58)),
    "aarch64": _Machine(0xC00000B7, 198, 220, (221, 281, 157, 154)),
}
_CLONE3 = 435
"""Its flags lie in memory, where a filter cannot look; libraries that are told there is none use `clone`."""
_CLONE_THREAD = 0x10000
_IO_URING = (425, 426, 427)
"""It opens sockets without calling `socket`."""
_PACKAGES = ("agent", "knowledge", "plugins")
_X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is left."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    network: bool = False
    programs: bool = False
    memory_bytes: int = 0
    """0 is no limit."""


def confine(allowed: Allowed) -> dict[str, str]:
    """Do it. Has to run before a second thread exists.

    :returns: what → how it is enforced, or why not.
    """
    if allowed.memory_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (allowed.memory_bytes, allowed.memory_bytes))
    done = {"memory": "rlimit" if allowed.memory_bytes else "no limit was asked for"}
    if sys.platform != "linux":
        return done | _nothing()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return done | _nothing()
    done["files"] = _landlock(libc, allowed)
    filtered = _seccomp(libc, allowed)
    done["network"] = "allowed" if allowed.network else filtered
    done["programs"] = "allowed" if allowed.programs else filtered
    return done


def enforceable() -> dict[str, str]:
    """What this machine's kernel could enforce, without doing it."""
    if sys.platform != "linux":
        return _nothing() | {"memory": "rlimit"}
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    files = f"Landlock {version}" if version > 0 else f"not enforced: {_no_landlock()}"
    seccomp = Path("/proc/sys/kernel/seccomp/actions_avail").exists() and platform.machine() in _MACHINES
    told = "seccomp" if seccomp else f"not enforced: no seccomp here for {platform.machine()}"
    return {"files": files, "network": told, "programs": told, "memory": "rlimit"}


def _nothing() -> dict[str, str]:
    """Of what only Linux enforces."""
    return dict.fromkeys(("files", "network", "programs"), f"not enforced: {platform.system()} cannot")


def _landlock(libc: Any, allowed: Allowed) -> str:
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if version <= 0:
        return f"not enforced: {_no_landlock()}"
    handled = (_ALL_RIGHTS.get(version) or 1 << 16) - 1
    network = _TCP if version >= 4 and not allowed.network else 0
    attributes = struct.pack("QQQ", handled, network, _SCOPED)[: {1: 8, 2: 8, 3: 8, 4: 16, 5: 16}.get(version, 24)]
    rules = libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return f"not enforced: Landlock refused ({os.strerror(ctypes.get_errno())})"
    try:
        for place in (*_SYSTEM_READ, *_interpreter(), *allowed.reads):
            _add_rule(libc, rules, place, _READ & handled)
        for place in sys.path:
            _add_rule(libc, rules, place, _READ_FOLDER & handled)
        for place in (*_SYSTEM_WRITE, *allowed.writes):
            _add_rule(libc, rules, place, handled & ~_EXECUTE)
        if libc.syscall(_LANDLOCK_RESTRICT, rules, 0) != 0:
            return f"not enforced: Landlock refused ({os.strerror(ctypes.get_errno())})"
    finally:
        os.close(rules)
    return f"Landlock {version}"


def _add_rule(libc: Any, rules: int, place: str, rights: int) -> None:
    """Let it use a place; one that is not there needs no rule.

    :raises OSError: the kernel does not take it, and a module without its folders is of no use.
    """
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights &= ~0 if Path(place).is_dir() else _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, descriptor)
        if libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0) != 0:
            raise OSError(ctypes.get_errno(), f"Landlock takes no rule: {os.strerror(ctypes.get_errno())}", place)
    finally:
        os.close(descriptor)


def _interpreter() -> Iterable[str]:
    """Where this Python and its libraries lie, and our packages.

    Of the folders that Python looks into otherwise only the names can be read: one may be somebody's whole project.
    """
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    places |= {str(Path(sys.executable).parent), str(Path(sys.executable).resolve().parent)}
    ours = Path(__file__).resolve().parent.parent.parent
    places |= {str(ours / package) for package in _PACKAGES}
    return sorted(place for place in places if place and place != "/")


def _no_landlock() -> str:
    told = {errno.ENOSYS: "this kernel has no Landlock", errno.EOPNOTSUPP: "Landlock is turned off at boot"}
    return told.get(ctypes.get_errno(), "Landlock cannot be used here")


def _seccomp(libc: Any, allowed: Allowed) -> str:
    machine = _MACHINES.get(platform.machine())
    if machine is None or struct.calcsize("P") != 8:
        return f"not enforced: no seccomp filter for {platform.machine()}"
    refused: tuple[int, ...] = () if allowed.programs else machine.programs
    refused += () if allowed.network else (machine.socket, *_IO_URING)
    if not refused:
        return "allowed"
    program = _filter(machine, refused, threads_only=not allowed.programs)
    buffer = ctypes.create_string_buffer(program)
    filters = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filters, 0, 0) != 0:
        return f"not enforced: seccomp refused ({os.strerror(ctypes.get_errno())})"
    return "seccomp"


def _filter(machine: _Machine, refused: tuple[int, ...], *, threads_only: bool) -> bytes:
    """The BPF program: another calling convention or a number of the list is refused, all else goes on.

    :param threads_only: a new thread is allowed, a new process is not.
    """
    load, equal, at_least, has_bit = 0x20, 0x15, 0x35, 0x45
    number, convention, first_argument = 0, 4, 16
    steps: list[tuple[int, int, str, str]] = [
        (load, convention, "", ""),
        (equal, machine.audit, "", "refuse"),
        (load, number, "", ""),
        (at_least, _X32, "refuse", ""),
        *((equal, one, "refuse", "") for one in refused),
    ]
    if threads_only:
        steps += [
            (equal, _CLONE3, "unknown", ""),
            (equal, machine.clone, "", "go on"),
            (load, first_argument, "", ""),
            (has_bit, _CLONE_THREAD, "go on", "refuse"),
        ]
    ends = {"go on": 0x7FFF0000, "refuse": 0x00050000 | errno.EACCES, "unknown": 0x00050000 | errno.ENOSYS}
    places = {end: len(steps) + place for place, end in enumerate(ends)}
    program = b"".join(
        _bpf(code, places[true] - at - 1 if true else 0, places[false] - at - 1 if false else 0, operand)
        for at, (code, operand, true, false) in enumerate(steps)
    )
    return program + b"".join(_bpf(0x06, 0, 0, value) for value in ends.values())


def _bpf(code: int, true: int, false: int, operand: int) -> bytes:
    return struct.pack("HBBI", code, true, false, operand)


def allowed_from(value: Mapping[str, Any]) -> Allowed:
    """As it came over: lists for tuples."""
    known: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}
    return Allowed(**known)
