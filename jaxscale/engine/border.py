"""The border between NumPy and the device: explicit both ways, so that nothing crosses by accident."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.solvers.problem import Tree


def upload(tree: Tree) -> Tree:
    """Return the pytree with every NumPy array or scalar as a device array of the same type; call it in float64."""
    return jax.tree.map(jnp.asarray, tree)


def download(tree: Tree) -> Tree:
    """Return the pytree with every device array as a NumPy array; waits for the device."""
    return jax.tree.map(np.asarray, tree)
