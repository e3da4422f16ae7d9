"""From parameters without embedding to all of them, where the shape of networks grows with their size in one way."""

from __future__ import annotations

import numpy as np

from jaxscale.counting.architecture import Numbers

OMEGA = 47491.0
"""ω of the networks of Kaplan et al., V = 32000, d / l = 39.2.   Source: Pearce & Song 2024, arXiv 2406.12907, code."""


def total_params(nonembedding: Numbers, *, omega: Numbers = OMEGA) -> Numbers:
    """Return N_T = N_ne + ω N_ne^(1/3).   Source: Pearce & Song 2024, arXiv 2406.12907."""
    return nonembedding + omega * nonembedding ** (1.0 / 3.0)


def nonembedding_params(total: Numbers, *, omega: Numbers = OMEGA) -> Numbers:
    """Return N_ne of N_T, the inverse of `total_params`: Cardano's real root of x^3 + ω x = N_T, cubed."""
    # x = 2 √(ω/3) sinh(asinh(3 N_T / (2 ω) √(3/ω)) / 3): no difference of near numbers, as Cardano's radicals have
    scale = np.sqrt(omega / 3.0)
    root = 2.0 * scale * np.sinh(np.arcsinh(0.5 * total / scale**3) / 3.0)
    return root**3


def omega_of(vocabulary: Numbers, *, aspect: Numbers, positions: Numbers = 0.0) -> Numbers:
    """Return ω = (V + positions) (aspect / 12)^(1/3), for aspect = d / l held fixed and N_ne = 12 l d^2.

    positions: rows of a learnt position embedding.
    """
    return (vocabulary + positions) * (aspect / 12.0) ** (1.0 / 3.0)
