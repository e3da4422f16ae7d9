"""A bootstrap of bootstraps: replicates of tables that were simulated from a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.status import Status


@dataclass(frozen=True)
class Nested:
    """Replicates, by the scheme of an ensemble, of T tables simulated from its fit.

    Where the law and the noise are those of the fit, they tell how often an interval by that scheme would hold the
    coefs: those of the fit are the truth of every simulated table.

    Attributes
    ----------
    noise
        The name of the scheme that the tables were simulated by.
    seed
        What rebuilds them.
    coefs
        Name → (R, T), NaN in replicates that are not usable and where the coef has no value.
    status
        (R, T) int8 codes of Status.

    Examples
    --------
    >>> made = js.bootstrap(fit, replicates=64, nested=(32, 16)).nested
    >>> made.noise, made.status.shape
    ('residual', (16, 32))
    """

    noise: str
    seed: int
    coefs: Mapping[str, np.ndarray]
    status: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """(R, T) bool: the replicates that ended at a minimum."""
        return self.status <= Status.AT_BOUND

    @property
    def tables(self) -> int:
        """How many tables were simulated."""
        return int(self.status.shape[1])


def ranks_of(values: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return between which replicates of each table a point lies, (T, …), as the share of them below it.

    values: (R, T, …), NaN where there is none.   point: (…).   Where k of R replicates lie below it that is
    (k + ½) / (R + 1), but 0 or 1 where all lie on one side, and NaN for a table without replicates. One that equals it
    is half below.
    """
    with np.errstate(invalid="ignore"):
        below = np.sum(values < point, axis=0) + 0.5 * np.sum(values == point, axis=0)
    count = np.sum(~np.isnan(values), axis=0)
    share = np.select([below <= 0, below >= count], [0.0, 1.0], (below + 0.5) / (count + 1.0))
    return np.where((count > 0) & ~np.isnan(point), share, np.nan)
