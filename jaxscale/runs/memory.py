"""A table that would not fit in memory is refused before anything is allocated."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jaxscale.errors import RunsError

TOO_LARGE = (
    "{source}: {size} would take about {need} of memory to read, and {available} is available.\n"
    "Keep only the rows and columns that the fit needs, or average the checkpoints of each run, and read that table."
)

MEMINFO = Path("/proc/meminfo")
UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def require(size: int, *, cost: float, source: str) -> None:
    """Raise RunsError if reading `size` bytes, at `cost` bytes of memory each, needs more than is available."""
    available = available_bytes()
    if size * cost > available:
        raise RunsError(
            TOO_LARGE.format(
                source=source, size=readable(size), need=readable(size * cost), available=readable(available)
            )
        )


def available_bytes() -> int:
    """Return how many bytes this machine can still give, or all it has where the free part is not told."""
    try:
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # no such file outside Linux
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return sys.maxsize


def readable(size: float) -> str:
    """Return a number of bytes in the largest decimal unit that keeps it at 1 or above."""
    power = 0
    while size >= 1000 and power < len(UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{size:.3g} {UNITS[power]}"
