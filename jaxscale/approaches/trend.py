"""What each approach ends with: how the best params and tokens grow with compute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.approaches.powers import PowerLaw, power_law


@dataclass(frozen=True)
class Trend:
    """N* and D* as powers of C: of one table, or of R resampled ones."""

    params: PowerLaw
    tokens: PowerLaw

    @classmethod
    def through(
        cls, flops: np.ndarray, params: np.ndarray, tokens: np.ndarray, weight: np.ndarray | None = None
    ) -> Trend:
        """Return the lines through the optima (…, b) of budgets (b,); budgets at which they are NaN do not count."""
        return cls(power_law(flops, params, weight), power_law(flops, tokens, weight))

    @property
    def is_known(self) -> np.ndarray:
        """Whether there is a line: (R,) for an ensemble."""
        return np.isfinite(self.params.exponent) & np.isfinite(self.tokens.exponent)
