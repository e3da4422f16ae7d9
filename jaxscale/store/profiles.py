"""Conditions on a saved profile, beyond those on each of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jaxscale.intervals import LikelihoodProfile

if TYPE_CHECKING:  # which imports the promises, and these this file
    from jaxscale.store.codec import Reader

GROWING, RISING = "one of roots that grow, and are zero at an estimate", "one of values for all roots, that do not fall"


def verify_profile(reader: Reader, profile: LikelihoodProfile, places: tuple[int, ...], path: str) -> None:
    """Raise StoreError unless a profile of that shape has roots and values of which limits can be made."""
    for part in ("below", "above"):
        reader.shape(getattr(profile, part), places, f"{path}.{part}")
    roots, values = profile.roots, profile.values
    reader.shape(roots, (None, *places), f"{path}.roots")
    reader.shape(values, roots.shape, f"{path}.values")
    is_known, has_zero = ~np.isnan(roots), (roots == 0.0).any(axis=0) | np.isnan(roots).all(axis=0)
    has_gap = is_known[1:] & ~is_known[:-1]
    with np.errstate(invalid="ignore"):
        is_falling, is_lower = np.diff(roots, axis=0) <= 0.0, np.diff(values, axis=0) < 0.0
    if is_falling.any() or has_gap.any() or not has_zero.all() or np.isinf(roots).any():
        raise reader.wrong_array(roots, f"{path}.roots", GROWING)
    if is_lower.any() or np.isnan(values[is_known]).any():
        raise reader.wrong_array(values, f"{path}.values", RISING)
