"""Threads and waiting policy of the numerical libraries, set in the environment before one of them loads.

OpenMP threads that spin while they wait take the processor from another OpenMP program's: beside one, a small picture
takes twenty times as long. Threads that sleep at once lose half the speed alone. A short spin loses neither.
Whatever the user has set stays. Standard library only; must not import anything of the project.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
_SPINS = "2000"  # turns of GNU libgomp's waiting loop, about 0.1 ms; its own default is 300,000
_BLOCK_TIME = "1"  # ms that LLVM's and Intel's OpenMP spin; their own default is 200
_QUOTA = "/sys/fs/cgroup/cpu.max"
COLOR_ADDRESS_SPACE = 800_000_000  # bytes that torch and the colour network need at least, to start and color a picture


def set_threads(environment: MutableMapping[str, str], quota: str = _QUOTA) -> None:
    """Set waiting policy and thread counts, each only where the user has set none.

    OpenBLAS gets one thread: the matrices numpy multiplies here are small, or shared out to threads already. OpenMP
    gets as many as a container's quota allows, where that is less than the processors it sees.
    """
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    if not any(name in environment for name in _WAITING):
        environment["GOMP_SPINCOUNT"] = _SPINS
        environment["KMP_BLOCKTIME"] = _BLOCK_TIME
    allowed = processor_quota(quota)
    if allowed is not None and allowed < (os.cpu_count() or 1):
        environment.setdefault("OMP_NUM_THREADS", str(allowed))


def processor_quota(path: str = _QUOTA) -> int | None:
    """Processors that the control group of this process may use, at least 1; None without a limit.

    The file is that of Linux control groups, version 2: "max 100000", or quota and period in microseconds.
    """
    try:
        with open(path, encoding="ascii") as stream:
            quota, period = stream.read().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None


def address_space_limit() -> int | None:
    """Bytes of address space that this process may have (`ulimit -v`); None without a limit, or on Windows."""
    try:
        import resource
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit
