"""Embedding parameters per cube root of the others, where the shape of networks grows with their size in one way."""

from __future__ import annotations

from jaxscale.costs.spec import Numbers


def omega_of(vocabulary: Numbers, *, aspect: Numbers, positions: Numbers = 0.0) -> Numbers:
    """Return ω = (V + positions) (aspect / 12)^(1/3), for aspect = d / l held fixed and N_ne = 12 l d^2.

    It is the `omega` of the law 'pearce': `jaxscale.laws.embeddings` maps to all parameters and back.

    positions: rows of a learnt position embedding.
    """
    return (vocabulary + positions) * (aspect / 12.0) ** (1.0 / 3.0)
