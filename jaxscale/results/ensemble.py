"""An ensemble of fits: the same law refitted to resampled tables, every replicate with its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.intervals import Band, Interval, Sample, band
from jaxscale.intervals.spec import LikelihoodProfile
from jaxscale.provenance import Provenance
from jaxscale.registry import check_known
from jaxscale.results.fit import Fit
from jaxscale.results.minimum import Joint
from jaxscale.results.nested import Nested
from jaxscale.results.result import Sampled
from jaxscale.results.samples import coef_sample
from jaxscale.runs import Runs
from jaxscale.status import Status

if TYPE_CHECKING:
    import pandas as pd

    from jaxscale.resampling import Draw, Fitted, Scheme

REPLICATE_OUTSIDE = "replicate {replicate} is outside 0 … {last}"


@dataclass(frozen=True)
class Ensemble(Sampled):
    """Replicates of a Fit.

    Attributes
    ----------
    fit
        The point fit.
    scheme, seed
        What rebuilds the weights of any replicate.
    coefs
        Name → (R,); one at the edge of its support is that edge, exactly.
    value
        (R,) the objective on each replicate's own table.
    status
        (R,) int8 codes of Status.
    steps
        (R,) evaluations spent.
    findings
        What is worth knowing about the replicates.
    provenance
        Versions, backend and seconds.
    whole
        The table that was resampled, where the fit is one group's part; else None.
    without
        Name → (R,) bool, replicates at a bound where this coef has no value: others predict the same there.
    fitted
        What a scheme that needs residuals draws from; else None.
    covariance
        (R, p, p) of the coefs in each replicate, in the law's order, NaN where it is not usable; None where it was not
        asked for.
    jackknife
        The fits without each run, or each group, as replicates; None where they were not asked for.
    nested
        Replicates of tables simulated from the fit; None where they were not asked for.
    profile
        The profiles (p,) of the coefs, in the law's order; None where they were not asked for.
    replicate
        (R,), which replicates these are, of a large study of which some parts are not there yet; None for 0 … R - 1.

    Examples
    --------
    >>> ensemble
    <Ensemble pure-power-params: pairs, seed 0, ... of 64 replicates usable>
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
    without: Mapping[str, np.ndarray] = field(default_factory=dict)
    fitted: Fitted | None = None
    covariance: np.ndarray | None = None
    jackknife: Ensemble | None = None
    nested: Nested | None = None
    profile: LikelihoodProfile | None = None
    replicate: np.ndarray | None = None

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

    def to_frame(self) -> pd.DataFrame:
        """Return one row per replicate, failed or not: coefs, NaN where one has no value, value, status and steps."""
        import pandas as pd

        nowhere = np.zeros(len(self), bool)
        coefs = {name: np.where(self.without.get(name, nowhere), np.nan, one) for name, one in self.coefs.items()}
        status = [str(Status(code)) for code in self.status.tolist()]
        index = pd.RangeIndex(len(self), name="replicate")
        return pd.DataFrame({**coefs, "value": self.value, "status": status, "steps": self.steps}, index=index)

    def weights(self, replicate: int | np.ndarray) -> np.ndarray:
        """Return the weights of one replicate, or of k: how often it drew each row, times its weight.

        Where runs have standard errors, these are in it: see `objectives.spec`.

        Parameters
        ----------
        replicate
            An index, counted from 0, or (k,) of them.

        Returns
        -------
        ndarray
            (n,), or (k, n).

        Raises
        ------
        UsageError
            For a replicate that is not there.

        Examples
        --------
        >>> float(ensemble.weights(0).sum())
        30.0
        """
        drawn = self.draws(np.atleast_1d(replicate)).weight
        return drawn if np.ndim(replicate) else drawn[0]

    def draws(self, replicate: np.ndarray) -> Draw[np.ndarray]:
        """Return what replicates were fitted to: weights, and the shifts of their targets if there are any.

        Parameters
        ----------
        replicate
            (k,) indices of this ensemble's replicates, counted from 0.

        Returns
        -------
        Draw
            NumPy arrays (k, n).

        Raises
        ------
        UsageError
            For a replicate that is not there.
        """
        from jaxscale.objectives import weight_of
        from jaxscale.resampling import Draw, redraw

        outside = replicate[(replicate < 0) | (replicate >= len(self))]
        if len(outside):
            raise UsageError(REPLICATE_OUTSIDE.format(replicate=int(outside[0]), last=len(self) - 1))
        whole, runs = self.whole or self.fit.runs, self.fit.runs
        number = replicate if self.replicate is None else self.replicate[replicate]
        draw = redraw(self.scheme, self.seed, number, weight_of(whole, self.fit.objective), whole.group, self.fitted)
        mine = np.isin(whole.row, runs.row)
        return Draw(draw.weight[:, mine], None if draw.shift is None else draw.shift[:, mine])

    def samples(self, name: str) -> np.ndarray:
        """Return the replicates of one coef.

        Parameters
        ----------
        name
            The coef.

        Returns
        -------
        ndarray
            (R,), NaN where a replicate is not usable or the coef has no value in it.

        Raises
        ------
        UsageError
            For an unknown coef.
        """
        check_known("coef", name, self.coefs)
        has_value = self.usable & ~self.without.get(name, np.zeros(len(self), bool))
        return np.where(has_value, self.coefs[name], np.nan)

    def joint_samples(self, one: Joint) -> np.ndarray:
        """Return what several coefs of the fit are together in each replicate.

        Parameters
        ----------
        one
            Of the fit's `joint`.

        Returns
        -------
        ndarray
            (R,), NaN in replicates where they are not one constant.
        """
        nowhere = np.zeros(len(self), bool)
        is_joint = np.all([self.without.get(name, nowhere) for name in one.names], axis=0) & self.usable
        parts = np.stack([self.coefs[name] for name in one.names])
        total = np.sum(parts, axis=0) if one.is_sum else np.prod(parts, axis=0)
        return np.where(is_joint, total, np.nan)

    def joint_sample(self, one: Joint) -> Sample:
        """Return the sample of what several coefs of the fit are together, for `js.band`.

        Parameters
        ----------
        one
            Of the fit's `joint`.

        Returns
        -------
        Sample
            With the values of `joint_samples`; replicates have no standard error of it.
        """
        left = None if self.jackknife is None else self.jackknife.joint_samples(one)
        std = None if one.std is None else np.asarray(one.std)
        return Sample(self.joint_samples(one), np.asarray(one.value), None, std, left, dof=self.fit.dof)

    def interval(self, name: str, *, level: float = 0.95, method: Interval | str = "percentile") -> Band:
        """Return the band of one coef over the usable replicates; one-sided where the fit has it at a bound.

        Parameters
        ----------
        name
            The coef.
        level, method
            As in `js.band`.

        Returns
        -------
        Band
            Of scalars.

        Raises
        ------
        UsageError
            As `js.band`.

        Examples
        --------
        >>> print(f"{ensemble.interval('alpha').centre:.3f}")
        0.122
        """
        return band(coef_sample(self, name), level=level, method=method)

    def std(self, name: str) -> np.ndarray | None:
        """Return the standard errors of one coef in each replicate.

        Parameters
        ----------
        name
            The coef.

        Returns
        -------
        ndarray or None
            (R,); None where they were not asked for.
        """
        if self.covariance is None:
            return None
        at = self.fit.law.names.index(name)
        std: np.ndarray = np.sqrt(self.covariance[:, at, at])
        return std
