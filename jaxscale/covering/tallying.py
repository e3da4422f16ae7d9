"""Intervals of every quantity in simulated studies, and how often they held the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from jaxscale.allocation.frontier import SEVERAL, optima_of
from jaxscale.allocation.inputs import can_allocate
from jaxscale.errors import IntervalError
from jaxscale.intervals import Band, Interval, Sample, band
from jaxscale.intervals.lines import line_through
from jaxscale.laws import Law
from jaxscale.results import Ensemble, Fit, Held
from jaxscale.results.samples import sample_from, sets_of
from jaxscale.status import Status

SETS = 200_000
"""Most sets of coefs whose budgets are spent together."""


@dataclass(frozen=True)
class Sought:
    """What is asked of every study: coefs, and what follows from them at budgets.

    law, fixed: as in `js.frontier`.   coefs: names.   budgets: (b,) FLOP.   truth: (q,) of all quantities, those of
    `names`, in their order.
    """

    law: Law
    coefs: tuple[str, ...]
    budgets: np.ndarray
    fixed: Mapping[str, float]
    truth: np.ndarray

    @classmethod
    def of(cls, fit: Fit, budgets: np.ndarray, fixed: Mapping[str, float]) -> Sought:
        """Return what is asked where the fit is the truth: of its free coefs those that have a value inside."""
        coefs = tuple(name for name in fit.free if name not in (*fit.unidentified, *fit.held))
        known = cls(fit.law, coefs, budgets, fixed, np.empty(0))
        sizes = np.concatenate([one[0] for one in known.at_budgets(fit.law.vector(fit.coefs)[None])])
        return cls(fit.law, coefs, budgets, fixed, np.concatenate([[fit.coefs[name] for name in coefs], sizes]))

    @property
    def names(self) -> list[tuple[str, float | None]]:
        """Each quantity with the budget that it belongs to, None for a coef and the exponent."""
        at = [(name, float(flops)) for name in ("params", "loss") for flops in self.budgets]
        return [*((name, None) for name in self.coefs), *at, *([("exponent", None)] if len(self.budgets) > 1 else [])]

    def at_budgets(self, coefs: np.ndarray, without: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
        """Return params (k, b), loss (k, b) and the exponent (k, 1), or (k, 0), of coefs (k, p).

        without: (k,) how many coefs of each have no value.   The exponent is that of params between the least and the
        largest budget.
        """
        if not len(self.budgets):
            return (np.empty((len(coefs), 0)),) * 3
        params, _, loss, _ = optima_of(self.law, coefs, self.budgets, self.fixed)
        if without is not None and can_allocate(self.law):
            params, loss = (np.where((without >= SEVERAL)[:, None], np.nan, one) for one in (params, loss))
        if len(self.budgets) < 2:
            return params, loss, np.empty((len(coefs), 0))
        ends = [int(np.argmin(self.budgets)), int(np.argmax(self.budgets))]
        with np.errstate(invalid="ignore"):
            rise = np.diff(np.log(params[:, ends]), axis=1) / np.diff(np.log(self.budgets[ends]))
        return params, loss, rise


@dataclass
class StudyLimits:
    """The limits of one rule in the studies so far: [(q,), …] each; NaN where there is none, and why of the first."""

    lower: list[np.ndarray] = field(default_factory=list)
    upper: list[np.ndarray] = field(default_factory=list)
    refusal: dict[int, str] = field(default_factory=dict)


def bands_of(
    ensembles: Iterable[Ensemble], asked: Sought, rules: Sequence[Interval], level: float
) -> tuple[dict[str, StudyLimits], float]:
    """Return by rule what the intervals of each study are, and the share of replicates that is not usable."""
    found: dict[str, StudyLimits] = {rule.name: StudyLimits() for rule in rules}
    of_point = any(not {"point_std", "robust_std"}.isdisjoint(rule.needs) for rule in rules)
    failed = total = 0
    for some in _together(ensembles, of_point=of_point):
        sets = [sets_of(one, of_point=of_point) for one in some]
        ends = np.cumsum([0, *(len(one.coefs) for one in sets)])
        coefs, without = (np.concatenate(parts) for parts in zip(*sets, strict=True))
        parts = asked.at_budgets(coefs, without)
        for place, ensemble in enumerate(some):
            own = slice(ends[place], ends[place + 1])
            samples = [sample_from(ensemble, part[own], of_point=of_point) for part in parts if part.shape[1]]
            samples = [_on_line(one) for one in samples]
            for rule in rules:
                _write(found[rule.name], ensemble, asked, samples, rule, level)
            failed += int(np.sum(ensemble.status > Status.AT_BOUND))
            total += len(ensemble)
    return found, failed / total if total else float("nan")


def held_by(found: StudyLimits, asked: Sought, scheme: str, interval: str) -> Iterator[Held]:
    """Yield how often a rule held each quantity."""
    count = len(asked.names)
    lower, upper = (np.reshape(ends, (-1, count)) for ends in (found.lower, found.upper))
    for at, (quantity, flops) in enumerate(asked.names):
        truth, is_there = float(asked.truth[at]), ~np.isnan(lower[:, at]) & ~np.isnan(upper[:, at])
        low, high = lower[is_there, at], upper[is_there, at]
        studies = len(low)
        below, above = (float(np.mean(beyond)) if studies else np.nan for beyond in (truth < low, truth > high))
        is_ratio = bool(studies) and bool((low > 0).all())
        with np.errstate(over="ignore", invalid="ignore"):
            width = float(np.median(high / low - 1.0 if is_ratio else high - low)) if studies else np.nan
        refusal = found.refusal.get(at)
        share = 1.0 - below - above
        yield Held(scheme, interval, quantity, flops, truth, share, below, above, studies, width, refusal)


def _on_line(sample: Sample) -> Sample:
    """Return a sample of what follows from coefs on the line that a frontier measures it on."""
    return replace(sample, line=line_through(sample.values, np.asarray(sample.point)))


def _together(ensembles: Iterable[Ensemble], *, of_point: bool) -> Iterator[list[Ensemble]]:
    """Yield ensembles in lists whose sets of coefs fit into memory together."""
    rest = iter(ensembles)
    for first in rest:
        size = len(sets_of(first, of_point=of_point).coefs)
        yield [first, *islice(rest, max(0, SETS // size - 1))]


def _write(
    found: StudyLimits, ensemble: Ensemble, asked: Sought, samples: Sequence[Sample], rule: Interval, level: float
) -> None:
    """Write the limits of one study by one rule."""
    lower, upper = np.full((2, len(asked.names)), np.nan)
    place = 0
    for name in asked.coefs:
        try:
            _put(lower, upper, place, ensemble.interval(name, level=level, method=rule))
        except IntervalError as error:
            found.refusal.setdefault(place, str(error))
        place += 1
    for sample in samples:
        width = sample.values.shape[1]
        try:
            _put(lower, upper, place, band(sample, level=level, method=rule))
        except IntervalError as error:
            for at in range(place, place + width):
                found.refusal.setdefault(at, str(error))
        place += width
    found.lower.append(lower)
    found.upper.append(upper)


def _put(lower: np.ndarray, upper: np.ndarray, place: int, limits: Band) -> None:
    low, high = np.atleast_1d(limits.lower), np.atleast_1d(limits.upper)
    lower[place : place + len(low)], upper[place : place + len(high)] = low, high
