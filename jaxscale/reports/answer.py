"""What a report is about: a fit, its ensemble and frontier where there are any, and how their bands are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from jaxscale.allocation.inputs import can_allocate
from jaxscale.finding import forbids_plan
from jaxscale.intervals import Band, band
from jaxscale.results import Counts, Ensemble, Fit, Frontier, Joint

LEAST_USABLE = 0.5
"""Share of usable replicates below which a band says nothing, and the answer is not trustworthy."""

QUANTITIES = ("params", "tokens", "loss", "tokens_per_param")
"""What a frontier says of each budget."""


class Banded(Protocol):
    """What a table of budgets shows: a frontier, with bands or without."""

    @property
    def frontier(self) -> Frontier | None:
        """The frontier, where there is one."""
        ...

    @property
    def has_bands(self) -> bool:
        """Whether there is an ensemble that is good enough for bands."""
        ...

    def frontier_band(self, quantity: str) -> Band | None:
        """Return the band (b,) of one of QUANTITIES; None where there are no bands."""
        ...


@dataclass(frozen=True)
class Answer:
    """A fit with what was made from it.   level: share of a band, 0.95.   method: the name of an interval.

    reduced: where the design of the table forbids the fit, the answer along the curve on which all runs lie; line:
    that curve in words, "tokens = 20 params".   counts: the law fitted under other conventions of counting.
    by_group: of a fit over groups, the answer for each of them, with its frontier.
    """

    fit: Fit
    ensemble: Ensemble | None = None
    frontier: Frontier | None = None
    level: float = 0.95
    method: str = "percentile"
    reduced: Answer | None = None
    line: str = ""
    counts: Counts | None = None
    by_group: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def fixed_inputs(self) -> Mapping[str, float]:
        """The inputs that were fixed for its frontier, or those of its groups."""
        fronts = (self.frontier, *(part.frontier for part in self.by_group.values()))
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
        parts = [part.has_plan for part in self.by_group.values()]
        if self.frontier is None or not self.fit.held or not can_allocate(self.frontier.law):
            return all(parts)
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
        """The seconds spent compiling, and running, over the fit, its ensemble, and those of the reduced answer."""
        made = [self.fit.provenance] if self.ensemble is None else [self.fit.provenance, self.ensemble.provenance]
        compiling, running = (0.0, 0.0) if self.reduced is None else self.reduced.seconds
        return compiling + sum(one.compile_seconds for one in made), running + sum(one.run_seconds for one in made)

    def coef(self, name: str) -> float | None:
        """Return the value of a coef; None where the runs do not determine it."""
        return None if name in self.fit.unidentified else self.fit.coefs[name]

    def coef_band(self, name: str) -> Band | None:
        """Return the band of a fitted coef, one-sided at a bound; None for a fixed one, and where there are none."""
        if self.ensemble is None or not self.has_bands or name in (*self.fit.fixed, *self.fit.unidentified):
            return None
        return self.ensemble.interval(name, level=self.level, method=self.method)

    def coef_std(self, name: str) -> float | None:
        """Return the standard deviation of a fitted coef over the usable replicates; None as for its band.

        None at a bound, too: there is no spread to both sides.
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
        """Return the band of what several coefs are together, over the replicates that have the same; None without."""
        if self.ensemble is None or not self.has_bands:
            return None
        found = band(self.ensemble.joint_samples(one), level=self.level, method=self.method)
        return found if found.n_used else None

    def frontier_band(self, quantity: str) -> Band | None:
        """Return the band (b,) of one of QUANTITIES; None where there are no bands."""
        if self.frontier is None or not self.has_bands:
            return None
        found = self.frontier.interval(quantity, level=self.level, method=self.method)
        if found is None or self.ensemble is None or found.n_used < LEAST_USABLE * self.ensemble.usable.sum():
            return None
        return found if found.n_used else None
