"""The border between NumPy and the device. Down, all crosses here; up, all that chunks share.

The lanes of a chunk go up as the NumPy arguments of the compiled program, which is faster.
"""

from __future__ import annotations

import jax
import numpy as np

from jaxscale.solvers.problem import Tree


def upload(tree: Tree) -> Tree:
    """Return the pytree with every NumPy array or scalar as a device array of the same type; call it in float64.

    Not checked: that the NumPy arrays are not written to afterwards; a CPU may go on using their memory.
    """
    return jax.device_put(tree)  # jnp.asarray compiles a program for every shape


def download(tree: Tree) -> Tree:
    """Return the pytree with every device array as a NumPy array; waits for the device."""
    return jax.tree.map(np.asarray, tree)
