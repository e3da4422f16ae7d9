"""The efficient frontier of a fit, of a crowd, or of published coefs: the best split of every budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from jaxscale import precision
from jaxscale.allocation.allocate import can_allocate, losses, many
from jaxscale.engine.batches import chunks, fill
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.runs import Finding

CHUNK = 1024
"""Sets of coefs per program call: a second or less, so that Ctrl-C answers."""
FAR = 10.0
"""Compute beyond the largest measured run, as a factor, from which a frontier says that it extrapolates."""

BAD_BUDGET = "flops = {flops!r}: a budget is a positive, finite number of FLOP"
BAD_COEF = "coefs: {name} = {value} is not a finite number"
NO_BUDGETS = "flops has the shape {shape}: give one budget or a list of them"
TWO_SOURCES = "frontier takes a result, or law= with coefs=, not both: a result brings its own law and coefs"
NO_SOURCE = "frontier needs a Fit, an Ensemble, or law= with coefs="
NO_FRONTIER = "law '{name}' takes {inputs}: it says nothing about how to split a budget"
LOSS_ONLY = "law '{name}' knows compute only: its frontier has a loss and no split into params and tokens"
AT_END = "no interior optimum at {count} of {total} budgets of the point fit: params and tokens are absent there"
EXTRAPOLATED = "budgets up to {factor:,g} times the largest measured compute ({measured:.3g} FLOP) are extrapolation"


def frontier(
    source: Fit | Ensemble | None = None,
    *,
    flops: float | Sequence[float] | np.ndarray,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | None = None,
) -> Frontier:
    """Return the optimum of a law on C = 6 N D for every budget.

    source: a Fit, an Ensemble, or None with law= and coefs=.   flops: (b,) or a scalar, FLOP.   Arrays of the answer
    are (b,) for one set of coefs and (R, b) for an Ensemble; NaN for unusable replicates and where no interior optimum
    exists.   Raises UsageError for a budget that is not positive, or a law that neither splits a budget nor knows it.
    """
    given = np.atleast_1d(np.asarray(flops))
    if given.dtype.kind not in "iufO":  # neither text nor truth values; 10**24 is an object
        raise UsageError(BAD_BUDGET.format(flops=flops))
    try:
        budgets = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(BAD_BUDGET.format(flops=flops)) from error
    if budgets.ndim != 1 or budgets.size == 0:
        raise UsageError(NO_BUDGETS.format(shape=budgets.shape))
    for budget in budgets:
        if not (np.isfinite(budget) and budget > 0):
            raise UsageError(BAD_BUDGET.format(flops=float(budget)))
    if source is not None and (law is not None or coefs is not None):
        raise UsageError(TWO_SOURCES)
    if isinstance(source, Ensemble):
        point = frontier(source.fit, flops=budgets)
        samples = np.stack([source.coefs[name] for name in source.fit.law.names], axis=1)
        params, tokens, loss = _optima(source.fit.law, samples, budgets)
        for array in (params, tokens, loss):
            array[~source.usable] = np.nan
        return Frontier(point.law, point.coefs, budgets, params, tokens, loss, point, point.measured, point.findings)
    if isinstance(source, Fit):
        return _single(source.law, source.coefs, budgets, _measured(source))
    if law is None or coefs is None:
        raise UsageError(NO_SOURCE)
    law = LAWS.resolve(law)
    for name, value in zip(law.names, law.vector(coefs), strict=True):
        if not np.isfinite(value):
            raise UsageError(BAD_COEF.format(name=name, value=value))
    return _single(law, coefs, budgets, None)


def _single(
    law: Law, coefs: Mapping[str, float], budgets: np.ndarray, measured: tuple[float, float] | None
) -> Frontier:
    params, tokens, loss = (array[0] for array in _optima(law, law.vector(coefs)[None], budgets))
    findings = []
    if not can_allocate(law):
        findings.append(Finding("no-split", LOSS_ONLY.format(name=law.name)))
    elif np.isnan(params).any():
        count = int(np.isnan(params).sum())
        findings.append(Finding("optimum-at-end", AT_END.format(count=count, total=len(budgets))))
    if measured is not None and budgets.max() >= FAR * measured[1]:
        message = EXTRAPOLATED.format(factor=float(f"{budgets.max() / measured[1]:.3g}"), measured=measured[1])
        findings.append(Finding("extrapolation", message))
    return Frontier(law, dict(coefs), budgets, params, tokens, loss, None, measured, tuple(findings))


def _measured(fit: Fit) -> tuple[float, float] | None:
    """Return the smallest and largest compute in the fit's table, if it is known."""
    flops = fit.runs.columns.get("flops")
    if flops is None or not np.isfinite(flops).any():
        return None
    return float(np.nanmin(flops)), float(np.nanmax(flops))


def _optima(law: Law, coefs: np.ndarray, budgets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return params, tokens and loss (R, b) for coefs (R, p); NaN where there is no interior optimum."""
    if law.inputs == ("flops",):
        with precision.float64():
            loss = np.array(losses(law)(jnp.asarray(coefs), jnp.asarray(budgets)))
        absent = np.full(loss.shape, np.nan)
        return absent, absent.copy(), loss
    if not can_allocate(law):
        raise UsageError(NO_FRONTIER.format(name=law.name, inputs=", ".join(law.inputs)))
    width = min(CHUNK, len(coefs))
    parts = []
    with precision.float64():
        for part in chunks(len(coefs), width):
            found = many(law)(jnp.asarray(fill(coefs[part], width)), jnp.asarray(budgets))
            rows = part.stop - part.start
            inside = np.asarray(found.is_interior)[:rows]
            optimum = (found.params, found.tokens, found.loss)
            parts.append([np.where(inside, np.asarray(array)[:rows], np.nan) for array in optimum])
    params, tokens, loss = (np.concatenate(column) for column in zip(*parts, strict=True))
    return params, tokens, loss
