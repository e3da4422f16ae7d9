"""A crowd of fits: the same law refitted to resampled tables, every replicate with its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.intervals import Band, Interval, band
from jaxscale.registry import unknown
from jaxscale.results.fit import Fit
from jaxscale.results.provenance import Provenance
from jaxscale.runs import Finding, Runs
from jaxscale.status import Status

if TYPE_CHECKING:
    from jaxscale.resampling import Scheme

REPLICATE_OUTSIDE = "replicate {replicate} is outside 0 … {last}"


@dataclass(frozen=True)
class Ensemble:
    """Replicates of a Fit.

    coefs: name → (R,); one at the edge of its support is that edge, exactly.   value: (R,) the objective on each
    replicate's own table.   status: (R,) int8 codes of Status.   steps: (R,) evaluations spent.   scheme, seed: what
    rebuilds the weights of any replicate.   whole: the table that was resampled, where the fit is one group's part.
    """

    fit: Fit
    scheme: Scheme
    seed: int
    coefs: Mapping[str, np.ndarray]
    value: np.ndarray
    status: np.ndarray
    steps: np.ndarray
    findings: tuple[Finding, ...]
    provenance: Provenance
    whole: Runs | None = None

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        usable = f"{int(self.usable.sum()):,} of {len(self):,} replicates usable"
        return f"<Ensemble {self.fit.law.name}: {self.scheme.name}, seed {self.seed}, {usable}>"

    @property
    def usable(self) -> np.ndarray:
        """(R,) bool: the replicates that ended at a minimum and may enter an interval."""
        return self.status <= Status.AT_BOUND

    @property
    def failed(self) -> dict[str, int]:
        """How many replicates failed, by reason."""
        codes, counts = np.unique(self.status[~self.usable], return_counts=True)
        return {str(Status(code)): int(count) for code, count in zip(codes, counts, strict=True)}

    def weights(self, replicate: int | np.ndarray) -> np.ndarray:
        """Return the weights (n,) of one replicate, or (k, n) of k: how often it drew each row, times its weight."""
        from jaxscale.resampling import redraw

        asked = np.atleast_1d(replicate)
        outside = asked[(asked < 0) | (asked >= len(self))]
        if len(outside):
            raise UsageError(REPLICATE_OUTSIDE.format(replicate=int(outside[0]), last=len(self) - 1))
        whole, runs = self.whole or self.fit.runs, self.fit.runs
        drawn = redraw(self.scheme, self.seed, asked, whole.weight, whole.group)[:, np.isin(whole.row, runs.row)]
        return drawn if np.ndim(replicate) else drawn[0]

    def samples(self, name: str) -> np.ndarray:
        """Return the replicates (R,) of one coef, NaN where a replicate is not usable."""
        if name not in self.coefs:
            raise UsageError(unknown("coef", name, tuple(self.coefs)))
        return np.where(self.usable, self.coefs[name], np.nan)

    def interval(self, name: str, *, level: float = 0.95, method: Interval | str = "percentile") -> Band:
        """Return the band of one coef over the usable replicates; one-sided where the fit has it at a bound."""
        edge = self.fit.coefs[name] if name in self.fit.at_bound else None
        return band(self.samples(name), level=level, method=method, edge=edge)
