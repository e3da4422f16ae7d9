"""When work on parts ends before everything is there: after so many seconds, or where the caller says so."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jaxscale import stopping
from jaxscale.errors import UsageError
from jaxscale.refitting.refit import TOGETHER
from jaxscale.store.manifest import SHARES

MOST = TOGETHER
"""Replicates from which on a study is kept in parts: as many as are started together in memory."""
USUAL = 1 << 14
"""Replicates in a part where nothing else is asked: some seconds, which is what an interrupt waits for or loses."""
LARGEST = 1 << 28
"""Bytes of a part with many coefs and covariances, which then holds fewer replicates."""

BAD_SECONDS = "max_seconds = {seconds!r} is not a number of seconds, zero or more"
BAD_SHARE = "share = {share!r} is not a pair (k, n) of whole numbers with 1 ≤ k ≤ n"
BAD_PART = "part = {part!r} is not a positive number of replicates"


@dataclass(frozen=True)
class Limits:
    """What ends the work at the end of a part.

    max_seconds: from `began` on, None for no limit.   is_stopping: asked after every part, and while workers are waited
    for, as is the request to stop of the whole process.
    """

    max_seconds: float | None = None
    is_stopping: Callable[[], bool] = lambda: False
    began: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        """Return whether no further part may begin."""
        is_late = self.max_seconds is not None and time.monotonic() - self.began >= self.max_seconds
        return is_late or self.is_stopping() or stopping.is_stopping()


def checked_limits(max_seconds: float | None, is_stopping: Callable[[], bool] | None = None) -> Limits:
    """Return the limits, from now on; raise UsageError for seconds that are none."""
    if max_seconds is not None:
        is_number = isinstance(max_seconds, int | float) and not isinstance(max_seconds, bool)
        if not is_number or math.isnan(max_seconds) or max_seconds < 0:
            raise UsageError(BAD_SECONDS.format(seconds=max_seconds))
    return Limits(max_seconds, is_stopping or (lambda: False))


def checked_share(share: tuple[int, int] | None) -> tuple[int, int]:
    """Return which share of the parts of a study is meant, (1, 1) for all; raise UsageError for what is none."""
    if share is None:
        return 1, 1
    is_pair = isinstance(share, tuple) and len(share) == 2
    if not is_pair or not all(isinstance(one, int) and not isinstance(one, bool) for one in share):
        raise UsageError(BAD_SHARE.format(share=share))
    if not 1 <= share[0] <= share[1]:
        raise UsageError(BAD_SHARE.format(share=share))
    return share


def checked_part(part: int | None, usual: int) -> int:
    """Return the replicates in a part, the usual number where none is given; raise UsageError for what is none."""
    if part is None:
        return usual
    if isinstance(part, bool) or not isinstance(part, int) or part < 1:
        raise UsageError(BAD_PART.format(part=part))
    return part


def usual_part(coefs: int, *, covariance: bool) -> int:
    """Return how many replicates of so many coefs a part holds where nothing else is asked: a power of two."""
    size = min(USUAL, MOST)
    while size > 1 and size * coefs * 8 * (1 + coefs * covariance) > LARGEST:
        size //= 2
    return size


def share_name(share: tuple[int, int]) -> str:
    """Return the name of the folder of a share."""
    digits = len(str(share[1]))
    return f"{share[0]:0{digits}d}-of-{share[1]}"


def share_folder(folder: Path, share: tuple[int, int] | None) -> Path:
    """Return where a share of a study is made: the whole in its own folder, other shares each in one within it."""
    mine = checked_share(share)
    return folder if mine == (1, 1) else folder / SHARES / share_name(mine)
