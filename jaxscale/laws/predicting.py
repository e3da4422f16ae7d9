"""What a law says of runs: predictions from coefs and columns, host in, host out."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
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
    return predict_sets(law, law.vector(coefs)[None], columns)[0]


def predict_sets(law: Law, sets: np.ndarray, columns: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return the law's loss (R, …), float64, of R sets of coefs (R, p), in the law's order; else as `predict_with`."""
    missing = [name for name in law.inputs if name not in columns]
    if missing:
        needed = ", ".join(law.inputs)
        raise UsageError(INPUT_MISSING.format(name=law.name, needed=needed, missing=", ".join(missing)))
    arrays = np.broadcast_arrays(*(np.asarray(columns[name], dtype=np.float64) for name in law.inputs))
    shape = (len(sets), *arrays[0].shape)

    def one(coefs: jax.Array, *run: jax.Array) -> jax.Array:
        return law.loss(*run, **{name: coefs[index] for index, name in enumerate(law.names)})

    with precision.float64():
        every = jax.vmap(jax.vmap(one, (None, *(0 for _ in arrays))), (0, *(None for _ in arrays)))
        given = [jnp.asarray(array) for array in (sets, *(array.reshape(-1) for array in arrays))]
        return np.asarray(every(*given), dtype=np.float64).reshape(shape)
