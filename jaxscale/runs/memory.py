"""A table that would not fit in memory is refused before anything is allocated."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jaxscale.digits import data_size
from jaxscale.errors import RunsError

TOO_LARGE = (
    "{source}: {size} would take about {need} of memory to read, and {available} is available.\n"
    "Keep only the rows and columns that the fit needs, or average the checkpoints of each run, and read that table."
)

MEMINFO = Path("/proc/meminfo")


def require(size: int, *, cost: float, source: str) -> None:
    """Raise RunsError if reading `size` bytes, at `cost` bytes of memory each, needs more than is available."""
    available = available_bytes()
    if size * cost > available:
        raise RunsError(
            TOO_LARGE.format(
                source=source,
                size=data_size(size),
                need=data_size(size * cost),
                available=data_size(available),
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
