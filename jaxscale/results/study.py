"""A study: one table fitted, resampled, spent, by group, reduced and recounted, with what was asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.costs.spec import SIZES
from jaxscale.errors import IntervalError
from jaxscale.finding import forbids_plan
from jaxscale.intervals import INTERVALS, Band, Interval, band
from jaxscale.registry import check_known
from jaxscale.results.counts import Counts
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.fit import Fit
from jaxscale.results.frontier import Frontier
from jaxscale.results.matching import check_of_one_fit
from jaxscale.results.minimum import Joint
from jaxscale.results.result import Sampled
from jaxscale.results.samples import check_made

if TYPE_CHECKING:
    import pandas as pd

LEAST_USABLE = 0.5
"""Share of usable replicates below which a band says nothing, and the study is not trustworthy."""

PERCENTILE = INTERVALS.resolve("percentile")


@dataclass(frozen=True)
class Study(Sampled):
    """A fit with everything that was made from it.

    Attributes
    ----------
    fit
        The fit.
    ensemble, frontier
        Of the fit, None where there is none.
    level, interval
        What was asked for: the share of a band, and how its ends are found.
    budgets
        What was asked for, in FLOP; none for the usual ones.
    at
        The law's inputs that no budget decides, at their values.
    groups
        Of a fit over groups, the study of each of them, with its frontier.
    reduced
        Where the design of the table forbids the fit, the study along the curve on which all runs lie.
    line
        That curve in words, "tokens = 20 params".
    comparison
        The law fitted under other conventions of counting.

    Raises
    ------
    UsageError
        For parts of different computations.

    Examples
    --------
    >>> both = js.Study(fit, ensemble)
    >>> both.is_trustworthy, both.usable_share > 0.9
    (True, True)
    """

    fit: Fit
    ensemble: Ensemble | None = None
    frontier: Frontier | None = None
    level: float = 0.95
    interval: Interval = PERCENTILE
    budgets: tuple[float, ...] = ()
    at: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, Study] = field(default_factory=dict)
    reduced: Study | None = None
    line: str = ""
    comparison: Counts | None = None

    def __post_init__(self) -> None:
        check_of_one_fit(self.fit, self.ensemble, self.frontier)

    def __repr__(self) -> str:
        parts = [repr(one) for one in (self.fit, self.ensemble, self.frontier, self.comparison) if one is not None]
        parts += [f"{len(self.groups)} groups"] if self.groups else []
        parts += [f"reduced along {self.line}: {self.reduced.fit!r}"] if self.reduced is not None else []
        return f"<Study: {'; '.join(parts)}>"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per coef: value, std, the ends of its band and its state; of the frontier see `frontier`."""
        frame = self.fit.to_frame(level=self.level)
        if not self.has_bands:
            return frame
        bands = {name: self.coef_band(name) for name in self.fit.coefs}
        frame["std"] = [np.nan if (std := self.coef_std(name)) is None else std for name in bands]
        for end, side in (("low", "lower"), ("high", "upper")):
            frame[end] = [np.nan if band is None else float(getattr(band, side)) for band in bands.values()]
        return frame

    def shown(self, *, level: float | None = None, interval: Interval | None = None) -> Study:
        """Return the study with another level or interval, its parts too.

        Parameters
        ----------
        level, interval
            None keeps what was asked for before.

        Returns
        -------
        Study
            A copy.

        Raises
        ------
        UsageError
            For an interval that needs what the ensemble was made without.
        """
        level, interval = self.level if level is None else level, interval or self.interval
        if self.ensemble is not None:
            check_made(self.ensemble, interval)
        groups = {group: part.shown(level=level, interval=interval) for group, part in self.groups.items()}
        reduced = None if self.reduced is None else self.reduced.shown(level=level, interval=interval)
        return replace(self, level=level, interval=interval, groups=groups, reduced=reduced)

    def asked(self, *, budgets: tuple[float, ...], at: Mapping[str, float]) -> Study:
        """Return the study asked for other budgets and fixed inputs, without the frontiers of before.

        Parameters
        ----------
        budgets
            (b,), in FLOP.
        at
            The law's inputs that no budget decides, name → value.

        Returns
        -------
        Study
            A copy.
        """
        reduced = None if self.reduced is None else self.reduced.asked(budgets=budgets, at=at)
        return replace(self, budgets=budgets, at=at, frontier=None, groups={}, reduced=reduced)

    @property
    def fixed_inputs(self) -> Mapping[str, float]:
        """The inputs that were fixed for its frontier, or those of its groups."""
        fronts = (self.frontier, *(part.frontier for part in self.groups.values()))
        return next((front.fixed for front in fronts if front is not None), {})

    @property
    def usable_share(self) -> float:
        """Usable replicates as a share of all, 1 without an ensemble."""
        return 1.0 if self.ensemble is None else float(np.mean(self.ensemble.usable))

    @property
    def is_sound(self) -> bool:
        """Whether the fit is a minimum and at least half of its replicates are usable."""
        return self.fit.is_usable and self.usable_share >= LEAST_USABLE

    @property
    def has_plan(self) -> bool:
        """Whether a frontier that splits budgets has an optimum at any of them, for a fit at a bound.

        True where there is no such frontier, and for a law that has no optimum inside wherever its coefs are.
        """
        law = self.fit.law
        is_split = law.target == "loss" and sum(name in law.inputs for name in SIZES) >= 2
        if self.frontier is None or not self.fit.held or not is_split:
            return all(part.has_plan for part in self.groups.values())
        return bool(np.isfinite(self.frontier.point.params).any())

    @property
    def is_trustworthy(self) -> bool:
        """Whether it is sound, the table's numbers are what they are taken for, and its plan, if any, says a size."""
        return self.is_sound and forbids_plan(self.fit.findings) is None and self.has_plan

    @property
    def has_bands(self) -> bool:
        """Whether there is an ensemble that is good enough for bands."""
        return self.ensemble is not None and self.is_sound

    @property
    def seconds(self) -> tuple[float, float]:
        """The seconds spent compiling, and running, over the fit, its ensemble, and those of the reduced study."""
        made = [one.provenance for one in (self.fit, self.ensemble) if one is not None]
        compiling, running = (0.0, 0.0) if self.reduced is None else self.reduced.seconds
        return compiling + sum(one.compile_seconds for one in made), running + sum(one.run_seconds for one in made)

    def coef(self, name: str) -> float | None:
        """Return the value of a coef.

        Parameters
        ----------
        name
            The coef.

        Returns
        -------
        float or None
            None where the runs do not determine it.

        Raises
        ------
        UsageError
            For an unknown coef.
        """
        check_known("coef", name, self.fit.coefs)
        return None if name in self.fit.unidentified else self.fit.coefs[name]

    def coef_band(self, name: str) -> Band | None:
        """Return the band of a fitted coef, one-sided at a bound.

        Parameters
        ----------
        name
            The coef.

        Returns
        -------
        Band or None
            None for a fixed coef, one that the runs do not determine, and where there are no bands.
        """
        if self.ensemble is None or not self.has_bands or name in (*self.fit.fixed, *self.fit.unidentified):
            return None
        with suppress(IntervalError):  # `intervals_missing` says why
            return self.ensemble.interval(name, level=self.level, method=self.interval)
        return None

    def coef_std(self, name: str) -> float | None:
        """Return the standard deviation of a fitted coef over the usable replicates.

        Parameters
        ----------
        name
            The coef.

        Returns
        -------
        float or None
            None as for its band; at a bound, too: there is no spread to both sides.
        """
        is_without = name in (*self.fit.fixed, *self.fit.at_bound, *self.fit.unidentified)
        if self.ensemble is None or not self.has_bands or is_without:
            return None
        samples = self.ensemble.samples(name)
        samples = samples[~np.isnan(samples)]
        if len(samples) < 2:
            return None
        with np.errstate(invalid="ignore", over="ignore"):  # a coef that overflowed has no spread in float64
            spread = float(np.std(samples, ddof=1))
        return spread if np.isfinite(spread) else None

    def joint_band(self, one: Joint) -> Band | None:
        """Return the band of what several coefs are together, over the replicates that have the same.

        Parameters
        ----------
        one
            Of the fit's `joint`.

        Returns
        -------
        Band or None
            None without such replicates, and where there are no bands.
        """
        if self.ensemble is None or not self.has_bands:
            return None
        found = None
        with suppress(IntervalError):
            found = band(self.ensemble.joint_sample(one), level=self.level, method=self.interval)
        return found if found is not None and found.n_used else None

    def frontier_band(self, quantity: str) -> Band | None:
        """Return the band of one quantity of the frontier.

        Parameters
        ----------
        quantity
            `params`, `tokens`, `loss` or `tokens_per_param`.

        Returns
        -------
        Band or None
            Of (b,); None where there are no bands, or where fewer than half of the usable replicates have an optimum at
            every budget.
        """
        if self.frontier is None or not self.has_bands:
            return None
        found = None
        with suppress(IntervalError):
            found = self.frontier.interval(quantity, level=self.level, method=self.interval)
        if found is None or self.ensemble is None or found.n_used < LEAST_USABLE * self.ensemble.usable.sum():
            return None
        return found if found.n_used else None
