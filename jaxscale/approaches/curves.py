"""Training curves as approach 1 takes them: one per run, smoothed so that loss only falls, over ln C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from jaxscale.approaches.profiles import flops_of
from jaxscale.errors import RunsError
from jaxscale.runs import Runs

SEVERAL_SIZES = "{source}: run '{run}' has {count} sizes from {least:.4g} to {most:.4g} params; a curve is of one size"
SPREAD = 1e-6
"""Relative difference of params within which they are one size."""


@dataclass(frozen=True)
class Curve:
    """One run: params, and by rising compute ln flops, tokens and monotone ln loss (m,), with its rows (m,).

    removed: root mean square of what smoothing removed, in ln loss.
    """

    params: float
    log_flops: np.ndarray
    log_tokens: np.ndarray
    log_loss: np.ndarray
    rows: np.ndarray
    removed: float


def curves_of(runs: Runs) -> tuple[Curve, ...]:
    """Return one curve per group; raise RunsError for a group that mixes sizes."""
    if runs.group is None:
        return ()
    log_flops, names = np.log(flops_of(runs)), runs.group.astype(str)
    found = []
    for name in np.unique(names):
        rows = np.flatnonzero((names == name) & (runs.weight > 0))
        if not len(rows):
            continue
        rows = rows[np.argsort(log_flops[rows], kind="stable")]
        params = runs.columns["params"][rows]
        if params.max() > params.min() * (1 + SPREAD):
            raise RunsError(
                SEVERAL_SIZES.format(
                    source=runs.origin.source,
                    run=name,
                    count=len(np.unique(params)),
                    least=params.min(),
                    most=params.max(),
                )
            )
        raw = np.log(runs.loss[rows])
        smooth = isotonic_regression(raw, increasing=False).x  # the nearest sequence that never rises
        removed = float(np.sqrt(np.mean((raw - smooth) ** 2)))
        tokens = np.log(runs.columns["tokens"][rows])
        found.append(Curve(float(params[0]), log_flops[rows], tokens, smooth, rows, removed))
    return tuple(found)
