"""Ranges of replicates put together to an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.provenance import Provenance
from jaxscale.refitting.findings import findings_of_ensemble
from jaxscale.refitting.refit import Refits
from jaxscale.refitting.survey import Survey
from jaxscale.results import Ensemble, Fit

NOT_WHOLE = "the refits are not the replicates 0 … {last}, each once: {reason}"


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

    coefs, is_open = whole("coefs"), whole("is_open")
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
        fitted=survey.fitted,
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
