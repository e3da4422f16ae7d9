"""How fast the least loss falls with compute: what turns a difference of losses into one of compute."""

from __future__ import annotations

import numpy as np


def loss_slopes(flops: np.ndarray, loss: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return by how many nats the least loss falls per unit of ln C at budgets `at` (m,).

    flops: (b,) rising budgets, three at least, and loss (b,), the least at each, from which the slope is taken by
    differences of second order and interpolated in ln C. All are NaN where a loss is not known. Along a frontier that
    is γ (L - E), so that ΔL over it is the equivalent difference in ln C.
    """
    if not np.isfinite(loss).all():
        return np.full(len(at), np.nan)
    log_flops = np.log(flops)
    slope = -np.gradient(loss, log_flops, edge_order=2)
    return np.asarray(np.interp(np.log(at), log_flops, slope))
