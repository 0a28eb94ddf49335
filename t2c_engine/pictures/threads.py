"""How many threads work on the pixels of one picture, and the loop that spreads work over them.

A worker process of an album has one: there the other cores have pictures of their own. Must not import anything of the
engine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_MOST = 8  # beyond these, memory is the limit
_Item = TypeVar("_Item")
_chosen = 0  # 0: as many as there are cores


def set_threads(number: int) -> None:
    """For this process; 0: as many as it has cores."""
    global _chosen
    _chosen = number


def threads() -> int:
    """Threads for the pixels of one picture."""
    return _chosen or min(_MOST, cores())


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(function: Callable[[_Item], object], items: Iterable[_Item], most: int = _MOST) -> None:
    """Call a function with every item, in up to `most` threads; what it raises ends the work."""
    number = min(threads(), most)
    if number == 1:
        for item in items:
            function(item)
        return
    with ThreadPoolExecutor(number) as pool:
        for _ in pool.map(function, items):
            pass
