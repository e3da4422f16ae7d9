"""Ranges of replicates put together to an ensemble, with warnings about its replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.fitting.findings import joined, place, status_counts
from jaxscale.intervals import band
from jaxscale.provenance import Provenance
from jaxscale.refitting.refit import Refits
from jaxscale.refitting.survey import Survey
from jaxscale.resampling import Tables
from jaxscale.results import Ensemble, Fit
from jaxscale.status import Status

NOT_WHOLE = "the refits are not the replicates 0 … {last}, each once: {reason}"

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


def gather(fit: Fit, survey: Survey, parts: Sequence[Refits]) -> Ensemble:
    """Return the ensemble of refits in any order, which hold the replicates 0 … R - 1, each once.

    Parameters
    ----------
    fit, survey
        Those that the refits were made of, which is not checked.
    parts
        From `refit`.

    Returns
    -------
    Ensemble
        R replicates, in their order; with covariances if every range has them.

    Raises
    ------
    UsageError
        Where a replicate is missing or there twice.

    Examples
    --------
    >>> found = js.refitting.survey(fit, seed=0)
    >>> part = js.refitting.refit(fit, found, range(64))
    >>> len(js.refitting.gather(fit, found, [part]))
    64
    """
    replicate = np.concatenate([part.replicate for part in parts]) if parts else np.zeros(0, int)
    order = np.argsort(replicate, kind="stable")
    _check(replicate[order])

    def whole(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    coefs, is_open, fitted = whole("coefs"), whole("is_open"), survey.fitted
    assert not isinstance(fitted, Tables)  # whose refits are no ensemble of one table
    clocks = {id(part.clock): part.clock for part in parts}.values()
    compile_s, run_s, programs = (sum(getattr(one, name) for one in clocks) for name in ("compile", "run", "compiled"))
    made = Ensemble(
        fit=fit,
        scheme=survey.scheme,
        seed=int(survey.seed),
        coefs={name: _coef(fit, name, values) for name, values in zip(fit.law.names, coefs.T, strict=True)},
        value=whole("value"),
        status=whole("status"),
        steps=whole("steps"),
        findings=(),
        provenance=Provenance.of(parts[0].backend, compile_s, run_s, programs),
        without={name: mask for name, mask in zip(fit.law.names, is_open.T, strict=True) if mask.any()},
        fitted=fitted,
        covariance=whole("covariance") if all(part.covariance is not None for part in parts) else None,
    )
    return replace(made, findings=findings_of_ensemble(made))


def _check(replicate: np.ndarray) -> None:
    """Raise UsageError unless sorted replicates (R,) are 0 … R - 1."""
    last = max(len(replicate) - 1, int(np.max(replicate, initial=0)))
    twice = replicate[1:][replicate[1:] == replicate[:-1]]
    missing = np.setdiff1d(np.arange(last + 1), replicate)
    for found, reason in ((twice, "is there twice"), (missing, "is missing")):
        if len(found):
            raise UsageError(NOT_WHOLE.format(last=last, reason=f"{int(found[0])} {reason}"))


def _coef(fit: Fit, name: str, values: np.ndarray) -> np.ndarray:
    """Return one coef's replicates (R,), exactly the given value where it was fixed."""
    return np.full(len(values), fit.coefs[name]) if name in fit.fixed else np.asarray(values, dtype=np.float64)


def findings_of_ensemble(ensemble: Ensemble) -> tuple[Finding, ...]:
    """Return what is worth knowing about an ensemble of replicates."""
    codes, total = ensemble.status, f"{len(ensemble):,}"
    failed = codes > Status.AT_BOUND
    found = []
    if failed.any():
        message = SOME_FAILED.format(failed=int(failed.sum()), total=len(codes), reasons=status_counts(codes[failed]))
        found.append(Finding("replicates-failed", message + _had_they_ended(ensemble)))
    places = []
    for name, support in zip(ensemble.fit.law.names, ensemble.fit.law.supports, strict=True):
        at = ensemble.samples(name)
        for edge in (support.low, support.high) if name in ensemble.fit.free else ():
            if (at == edge).any():
                places.append(f"{place(name, edge)} in {int(np.sum(at == edge)):,}")
    if places:
        message = AT_BOUND_TOO.format(places=joined(places), total=total)
        found.append(Finding("replicates-at-bound", message))
    lacking = {name: int(np.sum(mask & ensemble.usable)) for name, mask in ensemble.without.items()}
    lacking = {name: count for name, count in lacking.items() if count}
    if lacking:
        words = joined(f"{name} in {count:,}" for name, count in lacking.items())
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
            known = now[~np.isnan(now)]
            spread = float(np.std(known)) if len(known) > 1 and np.isfinite(known).all() else 0.0
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
