"""Warnings about the replicates of a fit."""

from __future__ import annotations

import numpy as np

from jaxscale.finding import Finding
from jaxscale.fitting.findings import counted, listed, place
from jaxscale.intervals import band
from jaxscale.results import Ensemble
from jaxscale.status import Status

SOME_FAILED = "{failed} of {total} replicates are not usable ({reasons})"
AT_BOUND_TOO = "{places} of {total} replicates: they ended at the edge of the support and count as lying on it"
WITHOUT_VALUE = (
    "{places} of {total} replicates have no value: they ended at a bound where other values predict the same; the "
    "interval of such a coef is that of the replicates in which it has one"
)
HAD_THEY_ENDED = (
    "; had each ended at the best point that it reached, the {end} end of the {level:g} % percentile interval of "
    "{name} would be {then:.4g}, not {now:.4g}"
)
NOTABLE = 0.05
"""Change of a limit, in standard deviations, that is worth a word."""
LEVEL = 0.95


def findings_of_ensemble(ensemble: Ensemble) -> tuple[Finding, ...]:
    """Return what is worth knowing about an ensemble of replicates."""
    codes, total = ensemble.status, f"{len(ensemble):,}"
    failed = codes > Status.AT_BOUND
    found = []
    if failed.any():
        message = SOME_FAILED.format(failed=int(failed.sum()), total=len(codes), reasons=counted(codes[failed]))
        found.append(Finding("replicates-failed", message + _had_they_ended(ensemble)))
    places = []
    for name, support in zip(ensemble.fit.law.names, ensemble.fit.law.supports, strict=True):
        at = ensemble.samples(name)
        for edge in (support.low, support.high) if name in ensemble.fit.free else ():
            if (at == edge).any():
                places.append(f"{place(name, edge)} in {int(np.sum(at == edge)):,}")
    if places:
        message = AT_BOUND_TOO.format(places=listed(places), total=total)
        found.append(Finding("replicates-at-bound", message))
    lacking = {name: int(np.sum(mask & ensemble.usable)) for name, mask in ensemble.without.items()}
    lacking = {name: count for name, count in lacking.items() if count}
    if lacking:
        words = listed(f"{name} in {count:,}" for name, count in lacking.items())
        found.append(Finding("replicates-without-value", WITHOUT_VALUE.format(places=words, total=total)))
    return tuple(found)


def _had_they_ended(ensemble: Ensemble) -> str:
    """Return which limit would move most if failed replicates counted where they stood at their best; "" for none."""
    moves = []
    for name in ensemble.fit.free:
        now = ensemble.samples(name)
        then = np.where(ensemble.usable | (ensemble.status == Status.DEGENERATE), now, ensemble.coefs[name])
        then = np.where(np.isfinite(then) | ensemble.usable, then, np.nan)
        with np.errstate(over="ignore"):  # a spread beyond float64 is infinite
            spread = float(np.nanstd(now)) if (~np.isnan(now)).sum() > 1 else 0.0
        if not np.isfinite(spread) or spread == 0.0:
            continue
        before, after = band(now, level=LEVEL), band(then, level=LEVEL)
        for end, old, new in (("lower", before.lower, after.lower), ("upper", before.upper, after.upper)):
            if np.isfinite(old) and np.isfinite(new):
                moves.append((abs(float(new - old)) / spread, end, name, float(new), float(old)))
    size, end, name, then_at, now_at = max(moves, default=(0.0, "", "", 0.0, 0.0))
    if size < NOTABLE:
        return ""
    return HAD_THEY_ENDED.format(end=end, level=100 * LEVEL, name=name, then=then_at, now=now_at)
