"""What a law says of runs: predictions from coefs and columns, host in, host out."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.laws.spec import Law

INPUT_MISSING = "law '{name}' needs {needed}; missing: {missing}"


def predict_with(law: Law, coefs: Mapping[str, float], columns: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return the law's loss, float64, for columns that broadcast against one another, in the law's units.

    Every input is taken as one number per run: a law of schedules cannot be asked here.

    Raises UsageError for a missing input or coef. Supports are not checked: a law can be looked at anywhere.
    """
    missing = [name for name in law.inputs if name not in columns]
    if missing:
        needed = ", ".join(law.inputs)
        raise UsageError(INPUT_MISSING.format(name=law.name, needed=needed, missing=", ".join(missing)))
    values = law.vector(coefs)
    arrays = np.broadcast_arrays(*(np.asarray(columns[name], dtype=np.float64) for name in law.inputs))
    shape = arrays[0].shape
    with precision.float64():
        one_run = jax.vmap(lambda *run: law.loss(*run, **dict(zip(law.names, values, strict=True))))
        return np.asarray(one_run(*(array.reshape(-1) for array in arrays)), dtype=np.float64).reshape(shape)
