"""Tables simulated from a fit, and a scheme that draws replicates of each of them: a bootstrap of bootstraps."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.resampling.drawing import redraw
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table, Tables

NO_NOISE = (
    "the scheme '{scheme}' draws rows and leaves their losses alone, so it simulates no table: use residual, wild, "
    "wild-cluster, parametric or parametric-cluster"
)


def simulated_shifts(
    noise: Scheme, seed: int, count: int, weight: np.ndarray, group: np.ndarray | None, fitted: Fitted | None
) -> np.ndarray:
    """Return the shifts (count, n) of tables simulated from a point fit: its prediction, with noise by a scheme.

    weight, group, fitted: (n,) of the table.   Raises UsageError for a scheme that moves no targets.
    """
    shift = redraw(noise, seed, np.arange(count), weight, group, fitted).shift
    if shift is None:
        raise UsageError(NO_NOISE.format(scheme=noise.name))
    return np.asarray(shift)


@lru_cache(maxsize=64)
def scheme_of_tables(inner: Scheme | None, tables: int) -> Scheme:
    """Return the scheme whose replicate r is replicate r // tables, by another scheme, of table r mod tables.

    inner: None for the tables as they are, which are then listed.   It draws from `Tables`, not from a point fit.
    """

    def draw(key: jax.Array, table: Table, given: Tables) -> Draw[jax.Array]:
        which, shift = table.replicate % tables, jnp.asarray(given.shift)
        if inner is None:
            return Draw(jnp.asarray(table.weight), shift[which])
        known = None if given.fitted is None else Fitted(*(jnp.asarray(part)[which] for part in given.fitted))
        one = inner.draw(key, table._replace(replicate=table.replicate // tables), known)
        return Draw(one.weight, shift[which] if one.shift is None else shift[which] + one.shift)

    name = "tables" if inner is None else f"{inner.name} of {tables} tables"
    return Scheme(
        name,
        draw,
        "Davison & Hinkley 1997, §5.6" if inner is None else inner.source,
        needs=("residuals",) if inner is None else tuple({*inner.needs, "residuals"}),
        tables=tables,
    )
