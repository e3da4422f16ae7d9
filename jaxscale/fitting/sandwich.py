"""The sandwich: a covariance of the coefs that needs no errors of one size, nor independent ones within groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxscale.fitting.covariance import widened
from jaxscale.fitting.optimum import Views, hessian_of
from jaxscale.objectives import Objective

ROWS, GROUPS = "rows", "groups"
"""By what the scores are summed before they are squared."""


def sandwiches_at(
    objective: Objective,
    pairs: Sequence[tuple[int, int]],
    views: Views,
    weight: np.ndarray,
    scale: float,
    free: np.ndarray,
    group: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Return covariances (p, p) of theta at a minimum, by what they take to be independent; zero for coefs not free.

    H⁻¹ S H⁻¹, H the Hessian of the objective and S the sum of the outer products of the scores ψ ∂r/∂θ: of every row,
    times n / (n - p), under `rows`; of every group's sum, times G / (G - 1) · (n - 1) / (n - p), under `groups`, where
    group (n,) names them and there are two at least.   pairs, views, weight, scale, free: as in `covariance_at`.
    Nothing for an objective that is a limit, for no more rows than coefs, and where H has no inverse.
    Source: Huber 1967; MacKinnon & White 1985, HC1; Cameron & Miller 2015, eq. 11 and 12.
    """
    rows, found = np.flatnonzero(weight > 0), dict[str, np.ndarray]()
    count, size = len(rows), int(free.sum())
    if objective.limit or count <= size:
        return found
    often, residual = (weight > 0)[None].astype(float), np.asarray(views.residual)[None]
    curvature = widened(objective, residual, np.asarray(views.rho.curvature)[None], scale, often)[0]
    try:
        bread = np.linalg.inv(hessian_of(views, pairs, weight, curvature)[np.ix_(free, free)])
    except np.linalg.LinAlgError:
        return found
    score = ((weight * np.asarray(views.rho.psi))[:, None] * np.asarray(views.jacobian)[:, free])[rows]
    sums = {ROWS: (score, count / (count - size))}
    if group is not None:
        names, place = np.unique(group[rows], return_inverse=True)
        if len(names) > 1:
            summed = np.zeros((len(names), size))
            np.add.at(summed, place, score)
            sums[GROUPS] = summed, len(names) / (len(names) - 1) * (count - 1) / (count - size)
    for name, (one, factor) in sums.items():
        whole = np.zeros((len(free), len(free)))
        whole[np.ix_(free, free)] = factor * bread @ (one.T @ one) @ bread
        found[name] = whole
    return found
