"""The numbers that costs are made of."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

Numbers: TypeAlias = "float | np.ndarray"
"""One number, or (n,) numbers, one per network or run."""
