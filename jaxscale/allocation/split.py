"""A budget before it is split: what it buys, and the loss of a split, in logarithms."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxscale.costs.training import cost_under, fixed_inputs
from jaxscale.laws import Law


class Split(NamedTuple):
    """A budget before it is split: ln N D that it buys, its FLOP, and what does not change; all scalars.

    coefs: in the law's order.   fixed: in the order of `fixed_inputs`.
    """

    log_product: jax.Array
    log_flops: jax.Array
    coefs: tuple[jax.Array, ...]
    fixed: tuple[jax.Array, ...]

    @classmethod
    def of(cls, law: Law, log_flops: jax.Array, coefs: tuple[jax.Array, ...], fixed: tuple[jax.Array, ...]) -> Split:
        """Return what exp(log_flops) buys at the law's price of a param per token."""
        cost = cost_under(law)
        inputs = dict(zip(fixed_inputs(law), fixed, strict=True)) if cost.inputs else {}
        price = jnp.asarray(cost.per_param_token(**inputs), log_flops.dtype)
        return cls(log_flops - jnp.log(price), log_flops, coefs, fixed)

    def loss(self, law: Law, log_params: jax.Array) -> jax.Array:
        """Return the law's loss at N = exp(log_params) and the tokens that are left of the budget."""
        log_tokens = self.log_product - log_params
        inputs = {
            "params": jnp.exp(log_params),
            "tokens": jnp.exp(log_tokens),
            "flops": jnp.exp(self.log_flops),
            "tokens_per_param": jnp.exp(log_tokens - log_params),
            **dict(zip(fixed_inputs(law), self.fixed, strict=True)),
        }
        return law.loss(*(inputs[name] for name in law.inputs), **dict(zip(law.names, self.coefs, strict=True)))

    def slope(self, law: Law, log_params: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the loss and its slope in ln N; the reverse mode would divide it by N first, to nothing in float32."""
        return jax.jvp(partial(self.loss, law), (log_params,), (jnp.ones_like(log_params),))
